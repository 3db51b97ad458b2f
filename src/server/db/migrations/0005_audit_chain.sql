CREATE INDEX users_by_former_name ON users (username, created_at) WHERE status = 'deleted';
ALTER TABLE audit RENAME TO audit_before;
CREATE TABLE audit (
  seq             INTEGER PRIMARY KEY,
  form            INTEGER NOT NULL,
  hash            BLOB NOT NULL CHECK (length(hash) = 32),
  id              TEXT NOT NULL UNIQUE,
  at              INTEGER NOT NULL,
  actor           TEXT NOT NULL CHECK (actor = 'user' OR actor = 'agent' OR actor = 'system' OR actor = 'nobody'),
  user_id         TEXT,
  agent_id        TEXT,
  token_id        TEXT,
  ip              TEXT NOT NULL CHECK (length(ip) <= 64),
  user_agent      TEXT NOT NULL CHECK (length(user_agent) <= 256),
  request_id      TEXT,
  action          TEXT NOT NULL CHECK (action = 'create' OR action = 'write' OR action = 'delete' OR action = 'start' OR action = 'stop' OR action = 'login' OR action = 'logout' OR action = 'register'),
  target          TEXT NOT NULL CHECK (target = 'user' OR target = 'api_key' OR target = 'git_ssh_key' OR target = 'template' OR target = 'template_version' OR target = 'workspace' OR target = 'workspace_build' OR target = 'group' OR target = 'organization' OR target = 'health_settings' OR target = 'custom_role' OR target = 'organization_member'),
  target_id       TEXT NOT NULL,
  target_name     TEXT NOT NULL COLLATE NOCASE CHECK (length(target_name) <= 256),
  organization_id TEXT,
  build_reason    TEXT CHECK (build_reason IS NULL OR length(build_reason) <= 32),
  status          INTEGER NOT NULL CHECK (status BETWEEN 100 AND 599),
  reason          TEXT NOT NULL CHECK (length(reason) <= 512),
  diff            TEXT NOT NULL CHECK (length(diff) <= 65536)
) STRICT;

INSERT INTO audit (seq, form, hash, id, at, actor, user_id, ip, user_agent, action, target, target_id, target_name, organization_id, build_reason, status, reason, diff)
SELECT row_number() OVER (ORDER BY a.place), 1, zeroblob(32), a.id, a.at,
  iif(a.user_id IS NULL, 'system', 'user'), a.user_id, a.ip, '', a.action, a.target, a.target_id, a.target_name,
  CASE a.target
    WHEN 'organization' THEN a.target_id
    WHEN 'group' THEN (SELECT g.organization_id FROM groups g WHERE g.id = a.target_id)
    WHEN 'template' THEN (SELECT t.organization_id FROM templates t WHERE t.id = a.target_id)
    WHEN 'template_version' THEN (SELECT v.organization_id FROM template_versions v WHERE v.id = a.target_id)
    WHEN 'workspace' THEN (SELECT w.organization_id FROM workspaces w WHERE w.id = a.target_id)
    WHEN 'workspace_build' THEN (SELECT w.organization_id FROM builds b JOIN workspaces w ON w.id = b.workspace_id WHERE b.id = a.target_id)
  END,
  iif(a.target = 'workspace_build', (SELECT b.reason FROM builds b WHERE b.id = a.target_id), NULL),
  200, '', a.diff
FROM audit_before a ORDER BY a.place;
DROP TABLE audit_before;
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_user ON audit (user_id, at, seq, target, action);
CREATE INDEX audit_by_target ON audit (target, at, seq, action, user_id);
CREATE INDEX audit_by_kind ON audit (target, action, at, seq, user_id);
CREATE INDEX audit_by_action ON audit (action, at, seq, target, user_id);
CREATE INDEX audit_by_thing ON audit (target_id, at);
CREATE INDEX audit_by_name ON audit (target_name, at);
CREATE INDEX audit_by_request ON audit (request_id, at) WHERE request_id IS NOT NULL;
CREATE INDEX audit_by_build_reason ON audit (build_reason, at) WHERE build_reason IS NOT NULL;
CREATE INDEX audit_by_organization ON audit (organization_id, at) WHERE organization_id IS NOT NULL;
CREATE VIRTUAL TABLE audit_words USING fts5 (words, facets, content = '', contentless_delete = 1);
CREATE TABLE audit_checkpoints (
  number     INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL CHECK (kind IN ('mark', 'cut')),
  seq        INTEGER NOT NULL,
  hash       BLOB NOT NULL CHECK (length(hash) = 32),
  n_entries  INTEGER NOT NULL CHECK (n_entries >= 0),
  made_at    INTEGER NOT NULL,
  public_key BLOB NOT NULL CHECK (length(public_key) = 32),
  signature  BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;
INSERT INTO audit_words (rowid, words, facets)
SELECT a.seq, coalesce(u.username, '') || ' ' || a.target_name,
  'a' || a.action || ' t' || replace(a.target, '_', '') || ' u' || coalesce(replace(a.user_id, '-', ''), '')
FROM audit a LEFT JOIN users u ON u.id = a.user_id;
