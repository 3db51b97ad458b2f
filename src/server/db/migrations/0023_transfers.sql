CREATE TABLE transfers (
  seq          INTEGER PRIMARY KEY,
  session_id   TEXT NOT NULL,
  number       INTEGER NOT NULL CHECK (number BETWEEN 0 AND 1000),
  user_id      TEXT NOT NULL REFERENCES users (id),
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  kind         TEXT NOT NULL CHECK (kind IN ('download', 'upload', 'remove', 'rename', 'port', 'socket', 'listener', 'rest')),
  name         TEXT NOT NULL CHECK (length(name) <= 1024),
  to_name      TEXT NOT NULL CHECK (length(to_name) <= 1024),
  n            INTEGER NOT NULL CHECK (n >= 0),
  bytes_out    INTEGER NOT NULL CHECK (bytes_out >= 0),
  bytes_in     INTEGER NOT NULL CHECK (bytes_in >= 0),
  began_at     INTEGER NOT NULL,
  ended_at     INTEGER,
  UNIQUE (session_id, number)
) STRICT;
CREATE INDEX transfers_by_workspace ON transfers (workspace_id, seq);
CREATE INDEX transfers_by_user ON transfers (user_id, seq);
CREATE INDEX transfers_by_time ON transfers (began_at, seq);
CREATE INDEX transfers_open ON transfers (seq) WHERE ended_at IS NULL;
