-- What a token is limited to, and which token it was made by.
ALTER TABLE tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT 'all' CHECK (length(scopes) <= 8192);
ALTER TABLE tokens ADD COLUMN things TEXT NOT NULL DEFAULT '*:*' CHECK (length(things) <= 8192);
ALTER TABLE tokens ADD COLUMN networks TEXT NOT NULL DEFAULT '' CHECK (length(networks) <= 2048);
ALTER TABLE tokens ADD COLUMN parent_id TEXT REFERENCES tokens (id) ON DELETE CASCADE;
ALTER TABLE tokens ADD COLUMN depth INTEGER NOT NULL DEFAULT 0 CHECK (depth BETWEEN 0 AND 8);
CREATE INDEX tokens_by_parent ON tokens (parent_id) WHERE parent_id IS NOT NULL;
