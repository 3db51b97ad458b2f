CREATE TABLE agent_health (
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  agent_name   TEXT NOT NULL CHECK (length(agent_name) <= 64),
  agent_id     TEXT NOT NULL,
  state        TEXT NOT NULL CHECK (state = 'ok' OR state = 'degraded' OR state = 'lost'),
  troubles     TEXT NOT NULL CHECK (length(troubles) <= 128),
  turning      TEXT NOT NULL CHECK (length(turning) <= 128),
  since_at     INTEGER NOT NULL,
  figures      TEXT CHECK (length(figures) <= 1024),
  heard_at     INTEGER NOT NULL,
  point_at     INTEGER,
  changes      TEXT NOT NULL CHECK (length(changes) <= 8192),
  PRIMARY KEY (workspace_id, agent_name)
) STRICT;
CREATE UNIQUE INDEX agent_health_by_agent ON agent_health (agent_id);

CREATE TABLE agent_health_blocks (
  id           INTEGER PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  agent_name   TEXT NOT NULL CHECK (length(agent_name) <= 64),
  step         TEXT NOT NULL CHECK (step IN ('minute', 'quarter')),
  slot         INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 60),
  began_at     INTEGER NOT NULL,
  points       BLOB NOT NULL CHECK (length(points) <= 2112),
  UNIQUE (workspace_id, agent_name, step, slot)
) STRICT;
