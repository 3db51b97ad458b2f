-- Share codes, and charters.

CREATE TABLE codes (
  id           TEXT NOT NULL PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  hash         BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  verbs        INTEGER NOT NULL CHECK (verbs BETWEEN 1 AND 63),
  is_recorded  INTEGER NOT NULL CHECK (is_recorded IN (0, 1)),
  reason       TEXT NOT NULL CHECK (length(reason) <= 512),
  made_by      TEXT NOT NULL REFERENCES users (id),
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL CHECK (expires_at > created_at),
  grant_ttl_s  INTEGER NOT NULL CHECK (grant_ttl_s > 0),
  max_uses     INTEGER NOT NULL CHECK (max_uses BETWEEN 1 AND 100),
  uses         INTEGER NOT NULL CHECK (uses BETWEEN 0 AND max_uses),
  last_used_at INTEGER,
  revoked_at   INTEGER,
  revoked_by   TEXT REFERENCES users (id),
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
) STRICT;
CREATE INDEX codes_by_workspace ON codes (workspace_id, created_at);
CREATE INDEX codes_by_end ON codes (expires_at, id);
CREATE INDEX codes_by_maker ON codes (made_by);
CREATE INDEX codes_by_revoker ON codes (revoked_by) WHERE revoked_by IS NOT NULL;

CREATE TABLE code_uses (
  code_id  TEXT NOT NULL REFERENCES codes (id) ON DELETE CASCADE,
  grant_id TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
  PRIMARY KEY (code_id, grant_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX code_uses_by_grant ON code_uses (grant_id);

CREATE TABLE charters (
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  workspace_id    TEXT UNIQUE REFERENCES workspaces (id) ON DELETE CASCADE,
  text            TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 16384),
  set_by          TEXT NOT NULL REFERENCES users (id),
  set_at          INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX charters_of_organization ON charters (organization_id) WHERE workspace_id IS NULL;
CREATE INDEX charters_by_organization ON charters (organization_id);
CREATE INDEX charters_by_author ON charters (set_by);
