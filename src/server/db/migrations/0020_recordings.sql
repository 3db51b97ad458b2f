-- Widens checks without touching a row, in the way SQLite documents for it (lang_altertable, 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (target = ''user'' OR', 'CHECK (target = ''user'' OR target = ''recording'' OR')
WHERE type = 'table' AND name = 'audit';
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (action = ''create'' OR', 'CHECK (action = ''create'' OR action = ''open'' OR')
WHERE type = 'table' AND name = 'audit';
PRAGMA writable_schema = RESET;

CREATE TABLE recordings (
  id           TEXT NOT NULL PRIMARY KEY,
  session_id   TEXT NOT NULL,
  user_id      TEXT NOT NULL REFERENCES users (id),
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  agent_name   TEXT NOT NULL CHECK (length(agent_name) <= 64),
  kind         TEXT NOT NULL CHECK (kind = 'terminal' OR kind = 'shell' OR kind = 'command'),
  command      TEXT NOT NULL CHECK (length(command) <= 4096),
  cols         INTEGER NOT NULL CHECK (cols BETWEEN 0 AND 65535),
  rows         INTEGER NOT NULL CHECK (rows BETWEEN 0 AND 65535),
  reason       TEXT NOT NULL CHECK (reason = 'policy' OR reason = 'grant'),
  has_input    INTEGER NOT NULL CHECK (has_input IN (0, 1)),
  began_at     INTEGER NOT NULL,
  ended_at     INTEGER,
  status       TEXT NOT NULL CHECK (status = 'running' OR status = 'complete' OR status = 'interrupted'),
  exit_code    INTEGER,
  length_ms    INTEGER NOT NULL,
  bytes        INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,
  lost_bytes   INTEGER NOT NULL,
  n_commands   INTEGER NOT NULL,
  hash         BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX recordings_by_time ON recordings (began_at, id);
CREATE INDEX recordings_by_workspace ON recordings (workspace_id, began_at, id);
CREATE INDEX recordings_by_user ON recordings (user_id, began_at, id);
CREATE INDEX recordings_ended ON recordings (ended_at, id, stored_bytes) WHERE ended_at IS NOT NULL;
CREATE INDEX recordings_running ON recordings (id) WHERE status = 'running';

CREATE TABLE recording_blocks (
  recording_id TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
  number       INTEGER NOT NULL CHECK (number >= 0),
  began_ms     INTEGER NOT NULL,
  ended_ms     INTEGER NOT NULL,
  hash         BLOB NOT NULL CHECK (length(hash) = 32),
  data         BLOB NOT NULL CHECK (length(data) <= 16777216),
  PRIMARY KEY (recording_id, number)
) STRICT;
CREATE INDEX recording_blocks_by_time ON recording_blocks (recording_id, began_ms, number);

CREATE TABLE commands (
  seq          INTEGER PRIMARY KEY,
  recording_id TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
  number       INTEGER NOT NULL CHECK (number >= 0),
  user_id      TEXT NOT NULL REFERENCES users (id),
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  text         TEXT NOT NULL CHECK (length(text) <= 4096),
  directory    TEXT NOT NULL CHECK (length(directory) <= 4096),
  began_at     INTEGER NOT NULL,
  at_ms        INTEGER NOT NULL,
  length_ms    INTEGER,
  exit_code    INTEGER,
  UNIQUE (recording_id, number)
) STRICT;
CREATE INDEX commands_by_workspace ON commands (workspace_id, seq);
CREATE INDEX commands_by_user ON commands (user_id, seq);
CREATE VIRTUAL TABLE command_words USING fts5 (text, content = '', contentless_delete = 1, tokenize = 'trigram');
-- Recordings outlive a workspace, and who owned it may still see them.
CREATE INDEX workspaces_deleted ON workspaces (owner_id) WHERE deleted_at IS NOT NULL;
