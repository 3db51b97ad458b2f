CREATE TABLE favorites (
  user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  PRIMARY KEY (user_id, workspace_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX favorites_by_workspace ON favorites (workspace_id);

CREATE INDEX connections_by_time ON connections (began_at);
