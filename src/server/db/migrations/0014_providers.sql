CREATE INDEX identities_by_provider ON identities (provider, user_id);
CREATE INDEX users_by_login_type ON users (login_type) WHERE status <> 'deleted';
