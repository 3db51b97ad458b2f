-- Which identity's provider has given a membership or a role: what a sync gives only a sync takes.
ALTER TABLE memberships ADD COLUMN identity_id TEXT REFERENCES identities (id) ON DELETE SET NULL;
CREATE INDEX memberships_by_identity ON memberships (identity_id) WHERE identity_id IS NOT NULL;

ALTER TABLE role_bindings ADD COLUMN identity_id TEXT REFERENCES identities (id) ON DELETE CASCADE;
CREATE INDEX role_bindings_by_identity ON role_bindings (identity_id) WHERE identity_id IS NOT NULL;
