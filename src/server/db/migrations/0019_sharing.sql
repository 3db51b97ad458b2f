ALTER TABLE organizations ADD COLUMN sharing TEXT NOT NULL DEFAULT 'everyone' CHECK (sharing = 'everyone' OR sharing = 'none' OR sharing = 'service_accounts');

CREATE TABLE grants (
  id           TEXT NOT NULL PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  user_id      TEXT REFERENCES users (id),
  group_id     TEXT REFERENCES groups (id) ON DELETE CASCADE,
  rotation_id  TEXT REFERENCES rotations (id) ON DELETE CASCADE,
  verbs        INTEGER NOT NULL CHECK (verbs BETWEEN 1 AND 255),
  from_at      INTEGER NOT NULL,
  until_at     INTEGER CHECK (until_at > from_at),
  hours        TEXT NOT NULL CHECK (length(hours) <= 128),
  networks     TEXT NOT NULL CHECK (length(networks) <= 1024),
  needs_mfa    INTEGER NOT NULL CHECK (needs_mfa IN (0, 1)),
  is_recorded  INTEGER NOT NULL CHECK (is_recorded IN (0, 1)),
  reason       TEXT NOT NULL CHECK (length(reason) <= 512),
  granted_by   TEXT REFERENCES users (id),
  granted_at   INTEGER NOT NULL,
  via          TEXT NOT NULL CHECK (via = 'direct' OR via = 'code' OR via = 'request' OR via = 'break_glass'),
  under_id     TEXT REFERENCES grants (id) ON DELETE CASCADE,
  ended_at     INTEGER,
  ended_by     TEXT REFERENCES users (id),
  ended_why    TEXT CHECK (ended_why = 'removed' OR ended_why = 'left' OR ended_why = 'mode'),
  CHECK ((user_id IS NOT NULL) + (group_id IS NOT NULL) + (rotation_id IS NOT NULL) <= 1),
  CHECK ((ended_at IS NULL) = (ended_why IS NULL))
) STRICT;
CREATE INDEX grants_by_workspace ON grants (workspace_id, granted_at);
CREATE INDEX grants_by_user ON grants (user_id, workspace_id) WHERE user_id IS NOT NULL;
CREATE INDEX grants_by_group ON grants (group_id, workspace_id) WHERE group_id IS NOT NULL;
CREATE INDEX grants_to_everyone ON grants (organization_id, workspace_id) WHERE user_id IS NULL AND group_id IS NULL AND rotation_id IS NULL;
CREATE INDEX grants_by_rotation ON grants (rotation_id, workspace_id) WHERE rotation_id IS NOT NULL;
CREATE INDEX grants_by_granter ON grants (granted_by) WHERE granted_by IS NOT NULL;
CREATE INDEX grants_by_ender ON grants (ended_by) WHERE ended_by IS NOT NULL;
CREATE INDEX grants_by_under ON grants (under_id) WHERE under_id IS NOT NULL;
CREATE INDEX grants_by_end ON grants (coalesce(ended_at, until_at)) WHERE ended_at IS NOT NULL OR until_at IS NOT NULL;

CREATE INDEX connections_by_visit ON connections (workspace_id, user_id, began_at);

DROP VIEW effective_grants;
DROP VIEW everywhere_grants;
DROP VIEW workspace_verbs;

CREATE VIEW workspace_verbs AS
  SELECT column1 AS verb, column2 AS permission, column3 AS bit FROM (VALUES
    ('view', 'workspace:read', 1), ('watch', 'workspace:ssh', 2), ('connect', 'workspace:ssh', 4),
    ('execute', '', 8), ('operate', 'workspace:start', 16), ('manage', 'workspace:update', 32),
    ('share', 'workspace:share', 64), ('delete', 'workspace:delete', 128));

CREATE VIEW everywhere_grants AS
  SELECT r.user_id, r.organization_id, v.verb
  FROM effective_roles r CROSS JOIN workspace_verbs v
  WHERE r.organization_id IS NULL
      AND (r.role = 'owner' OR (r.role = 'template-admin' AND v.verb = 'view'))
    OR r.organization_id IS NOT NULL
      AND ((r.role = 'organization-admin' AND v.verb NOT IN ('watch', 'connect', 'execute'))
        OR (r.role = 'organization-template-admin' AND v.verb = 'view'))
  UNION ALL
  SELECT p.user_id, p.organization_id, v.verb
  FROM effective_permissions p JOIN workspace_verbs v ON v.permission = p.permission;

CREATE VIEW grant_holders AS
  SELECT g.id AS grant_id, g.workspace_id, m.user_id, 'grant' AS reason
  FROM grants g JOIN workspaces w ON w.id = g.workspace_id
    JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = g.user_id
    JOIN users u ON u.id = m.user_id
  WHERE g.ended_at IS NULL AND w.deleted_at IS NULL AND u.status IN ('active', 'dormant')
  UNION ALL
  SELECT g.id, g.workspace_id, m.user_id, 'group'
  FROM grants g JOIN workspaces w ON w.id = g.workspace_id
    JOIN group_members s ON s.group_id = g.group_id
    JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = s.user_id
    JOIN users u ON u.id = m.user_id
  WHERE g.ended_at IS NULL AND w.deleted_at IS NULL AND u.status IN ('active', 'dormant')
  UNION ALL
  SELECT g.id, g.workspace_id, m.user_id, 'group'
  FROM memberships m CROSS JOIN grants g ON g.organization_id = m.organization_id
    CROSS JOIN workspaces w ON w.id = g.workspace_id CROSS JOIN users u ON u.id = m.user_id
  WHERE g.user_id IS NULL AND g.group_id IS NULL AND g.rotation_id IS NULL
    AND g.ended_at IS NULL AND w.deleted_at IS NULL AND u.status IN ('active', 'dormant');

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
    AND NOT EXISTS (SELECT 1 FROM settings WHERE key = 'sharing_off');

CREATE VIEW shift_grants AS
  SELECT s.user_id, g.workspace_id, v.verb, 'rotation' AS reason, g.id AS grant_id,
    max(g.from_at, s.from_at) AS from_at, min(coalesce(g.until_at, s.until_at), s.until_at) AS until_at,
    g.hours, g.networks, g.needs_mfa, g.is_recorded, s.from_at AS shift_from_at, s.until_at AS shift_until_at
  FROM on_shift s CROSS JOIN grants g ON g.rotation_id = s.rotation_id
    CROSS JOIN workspaces w ON w.id = g.workspace_id
    CROSS JOIN workspace_verbs v ON (g.verbs & v.bit) <> 0
  WHERE g.ended_at IS NULL AND g.under_id IS NULL AND w.deleted_at IS NULL
    AND (v.verb <> 'share' OR NOT EXISTS (SELECT 1 FROM users u WHERE u.id = s.user_id AND u.kind = 'service'))
    AND NOT EXISTS (SELECT 1 FROM settings WHERE key = 'sharing_off');
