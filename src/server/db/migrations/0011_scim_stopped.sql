ALTER TABLE scim_users ADD COLUMN is_stopped INTEGER NOT NULL DEFAULT 0 CHECK (is_stopped IN (0, 1));
UPDATE scim_users SET is_stopped = 1
WHERE active = 0 AND user_id IN (SELECT id FROM users WHERE status = 'suspended');
