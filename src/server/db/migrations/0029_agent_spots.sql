CREATE TABLE agent_spots (
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  agent_name   TEXT NOT NULL CHECK (length(agent_name) <= 64),
  cards        TEXT NOT NULL CHECK (length(cards) <= 256),
  interfaces   TEXT NOT NULL CHECK (length(interfaces) <= 256),
  seen_from    TEXT NOT NULL CHECK (length(seen_from) <= 64),
  woken_at     INTEGER,
  PRIMARY KEY (workspace_id, agent_name)
) STRICT;
