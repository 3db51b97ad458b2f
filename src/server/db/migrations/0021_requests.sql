-- Widens a check without touching a row, in the way SQLite documents for it (lang_altertable, 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (target = ''user'' OR', 'CHECK (target = ''user'' OR target = ''access_request'' OR target = ''break_glass'' OR')
WHERE type = 'table' AND name = 'audit';
PRAGMA writable_schema = RESET;

CREATE TABLE requests (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id),
  place TEXT NOT NULL COLLATE NOCASE CHECK (length(place) <= 128),
  workspace_id TEXT REFERENCES workspaces (id) ON DELETE CASCADE,
  verbs INTEGER NOT NULL CHECK (verbs BETWEEN 1 AND 255),
  reason TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 512),
  from_at INTEGER NOT NULL,
  lasts_s INTEGER NOT NULL CHECK (lasts_s BETWEEN 60 AND 1209600),
  made_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL CHECK (expires_at > made_at),
  state TEXT NOT NULL CHECK (state = 'pending' OR state = 'approved' OR state = 'denied' OR state = 'cancelled' OR state = 'expired'),
  decided_at INTEGER,
  grant_id TEXT REFERENCES grants (id) ON DELETE SET NULL,
  CHECK ((state = 'pending') = (decided_at IS NULL)),
  CHECK (grant_id IS NULL OR state = 'approved')
) STRICT;
CREATE INDEX requests_by_user ON requests (user_id, made_at, id);
CREATE INDEX requests_by_workspace ON requests (workspace_id) WHERE workspace_id IS NOT NULL;
CREATE INDEX requests_by_grant ON requests (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX requests_by_end ON requests (decided_at) WHERE decided_at IS NOT NULL;
CREATE INDEX requests_pending ON requests (expires_at, id) WHERE state = 'pending';

CREATE TABLE approvals (
  request_id TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id),
  verdict TEXT NOT NULL CHECK (verdict IN ('approve', 'deny')),
  note TEXT NOT NULL CHECK (length(note) <= 512),
  lasts_s INTEGER NOT NULL CHECK (lasts_s BETWEEN 60 AND 1209600),
  at INTEGER NOT NULL,
  PRIMARY KEY (request_id, user_id)
) STRICT;
CREATE INDEX approvals_by_user ON approvals (user_id);

CREATE TABLE request_rules (
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  workspace_id TEXT REFERENCES workspaces (id) ON DELETE CASCADE,
  approvals INTEGER NOT NULL CHECK (approvals BETWEEN 1 AND 10),
  group_id TEXT REFERENCES groups (id) ON DELETE SET NULL,
  rotation_id TEXT REFERENCES rotations (id) ON DELETE SET NULL,
  auto_rotation_id TEXT REFERENCES rotations (id) ON DELETE SET NULL,
  set_by TEXT NOT NULL REFERENCES users (id),
  set_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX request_rules_by_place ON request_rules (organization_id, coalesce(workspace_id, ''));
CREATE INDEX request_rules_by_workspace ON request_rules (workspace_id) WHERE workspace_id IS NOT NULL;
CREATE INDEX request_rules_by_group ON request_rules (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX request_rules_by_rotation ON request_rules (rotation_id) WHERE rotation_id IS NOT NULL;
CREATE INDEX request_rules_by_auto ON request_rules (auto_rotation_id) WHERE auto_rotation_id IS NOT NULL;
CREATE INDEX request_rules_by_setter ON request_rules (set_by);

CREATE TABLE request_links (
  public_id TEXT NOT NULL PRIMARY KEY CHECK (length(public_id) = 10),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  request_id TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX request_links_by_request ON request_links (request_id);

CREATE TABLE request_hooks (
  organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE,
  url TEXT NOT NULL CHECK (length(url) BETWEEN 1 AND 1024),
  is_trusted INTEGER NOT NULL CHECK (is_trusted IN (0, 1)),
  secret BLOB NOT NULL CHECK (length(secret) <= 512),
  set_by TEXT NOT NULL REFERENCES users (id),
  set_at INTEGER NOT NULL
) STRICT;
CREATE INDEX request_hooks_by_setter ON request_hooks (set_by);

CREATE TABLE request_notices (
  seq INTEGER PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES request_hooks (organization_id) ON DELETE CASCADE,
  body TEXT NOT NULL CHECK (length(body) <= 8192),
  tries INTEGER NOT NULL,
  next_at INTEGER NOT NULL
) STRICT;
CREATE INDEX request_notices_by_organization ON request_notices (organization_id);
CREATE INDEX request_notices_due ON request_notices (next_at, seq);

CREATE TABLE break_glass (
  id TEXT NOT NULL PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id),
  grant_id TEXT REFERENCES grants (id) ON DELETE SET NULL,
  reason TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 512),
  taken_at INTEGER NOT NULL,
  until_at INTEGER NOT NULL CHECK (until_at > taken_at),
  reviewed_at INTEGER,
  reviewed_by TEXT REFERENCES users (id) CHECK (reviewed_by <> user_id),
  note TEXT NOT NULL CHECK (length(note) <= 512),
  CHECK ((reviewed_at IS NULL) = (reviewed_by IS NULL))
) STRICT;
CREATE INDEX break_glass_by_workspace ON break_glass (workspace_id, taken_at);
CREATE INDEX break_glass_by_user ON break_glass (user_id, workspace_id);
CREATE INDEX break_glass_by_grant ON break_glass (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX break_glass_by_reviewer ON break_glass (reviewed_by) WHERE reviewed_by IS NOT NULL;
CREATE INDEX break_glass_open ON break_glass (taken_at, id) WHERE reviewed_at IS NULL;
