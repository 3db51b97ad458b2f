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
CREATE INDEX requests_waiting_by_user ON requests (user_id, expires_at) WHERE state = 'pending';

CREATE TABLE approvals (
  request_id TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id),
  hook_by TEXT REFERENCES users (id),
  verdict TEXT NOT NULL CHECK (verdict IN ('approve', 'deny')),
  note TEXT NOT NULL CHECK (length(note) <= 512),
  lasts_s INTEGER NOT NULL CHECK (lasts_s BETWEEN 60 AND 1209600),
  at INTEGER NOT NULL,
  PRIMARY KEY (request_id, user_id)
) STRICT;
CREATE INDEX approvals_by_user ON approvals (user_id);
CREATE INDEX approvals_by_hook ON approvals (hook_by) WHERE hook_by IS NOT NULL;

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
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
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

CREATE VIEW glass_breakers AS
  SELECT user_id, organization_id FROM effective_roles WHERE organization_id IS NULL AND role = 'owner'
  UNION ALL
  SELECT user_id, organization_id FROM effective_permissions WHERE permission = 'workspace:break_glass';

DROP VIEW effective_grants;
CREATE VIEW effective_grants AS
  SELECT w.owner_id AS user_id, w.id AS workspace_id, v.verb AS verb, 'owner' AS reason, NULL AS grant_id,
    0 AS from_at, NULL AS until_at, '' AS hours, '' AS networks, 0 AS needs_mfa, 0 AS is_recorded
  FROM workspaces w JOIN users u ON u.id = w.owner_id
    JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = w.owner_id
    CROSS JOIN workspace_verbs v
  WHERE u.status IN ('active', 'dormant') AND w.deleted_at IS NULL
    AND (v.verb <> 'share' OR u.kind <> 'service')
  UNION ALL
  SELECT s.responsible_id, w.id, v.verb, 'responsible', NULL, 0, NULL, '', '', 0, 0
  FROM service_accounts s CROSS JOIN users u ON u.id = s.responsible_id
    CROSS JOIN workspaces w ON w.owner_id = s.user_id
    CROSS JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = s.responsible_id
    CROSS JOIN workspace_verbs v
  WHERE u.status IN ('active', 'dormant') AND w.deleted_at IS NULL
  UNION ALL
  SELECT e.user_id, w.id, e.verb, 'role', NULL, 0, NULL, '', '', 0, 0
  FROM everywhere_grants e CROSS JOIN workspaces w
  WHERE e.organization_id IS NULL AND w.deleted_at IS NULL
  UNION ALL
  SELECT e.user_id, w.id, e.verb, 'role', NULL, 0, NULL, '', '', 0, 0
  FROM everywhere_grants e JOIN workspaces w ON w.organization_id = e.organization_id
  WHERE w.deleted_at IS NULL
  UNION ALL
  SELECT h.user_id, h.workspace_id, v.verb, h.reason, g.id,
    max(g.from_at, coalesce(b.from_at, 0)),
    min(coalesce(g.until_at, b.until_at), coalesce(b.until_at, g.until_at)),
    g.hours || char(10) || coalesce(b.hours, ''), g.networks || char(10) || coalesce(b.networks, ''),
    max(g.needs_mfa, coalesce(b.needs_mfa, 0)), max(g.is_recorded, coalesce(b.is_recorded, 0))
  FROM grant_holders h CROSS JOIN grants g ON g.id = h.grant_id
    CROSS JOIN workspace_verbs v ON (g.verbs & v.bit) <> 0
    LEFT JOIN grants b ON b.id = g.under_id
  WHERE (v.verb <> 'share' OR NOT EXISTS (SELECT 1 FROM users u WHERE u.id = h.user_id AND u.kind = 'service'))
    AND (g.under_id IS NULL OR ((b.verbs & 64) <> 0 AND (g.verbs & ~b.verbs) = 0 AND EXISTS (
      SELECT 1 FROM grant_holders x WHERE x.grant_id = g.under_id AND x.user_id = g.granted_by)))
    AND (g.via <> 'break_glass' OR EXISTS (SELECT 1 FROM glass_breakers x
      WHERE x.user_id = h.user_id AND (x.organization_id IS NULL OR x.organization_id = g.organization_id)))
    AND (g.via <> 'request' OR g.under_id IS NOT NULL
      OR EXISTS (SELECT 1 FROM workspaces w JOIN users u ON u.id = w.owner_id
          JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = w.owner_id
        WHERE w.id = g.workspace_id AND w.owner_id = g.granted_by
          AND u.kind <> 'service' AND u.status IN ('active', 'dormant'))
      OR EXISTS (SELECT 1 FROM workspaces w JOIN service_accounts s ON s.user_id = w.owner_id
          JOIN users u ON u.id = s.responsible_id
          JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = s.responsible_id
        WHERE w.id = g.workspace_id AND s.responsible_id = g.granted_by
          AND u.status IN ('active', 'dormant'))
      OR (EXISTS (SELECT 1 FROM everywhere_grants x WHERE x.user_id = g.granted_by AND x.verb = 'share'
          AND (x.organization_id IS NULL OR x.organization_id = g.organization_id))
        AND EXISTS (SELECT 1 FROM everywhere_grants x WHERE x.user_id = g.granted_by AND x.verb = v.verb
          AND (x.organization_id IS NULL OR x.organization_id = g.organization_id))))
    AND NOT EXISTS (SELECT 1 FROM settings WHERE key = 'sharing_off');
