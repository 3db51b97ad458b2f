-- Who set the program that brought an answer; who redeemed a code, though the grant is forgotten; numbers of
-- notices that are never given again; who may let themselves in. Grants that stand on a role, or on a shift; the
-- right that a yes stood on; tokens of agents that end with a handover.

CREATE INDEX requests_waiting_by_user ON requests (user_id, expires_at) WHERE state = 'pending';
ALTER TABLE approvals ADD COLUMN hook_by TEXT REFERENCES users (id);
CREATE INDEX approvals_by_hook ON approvals (hook_by) WHERE hook_by IS NOT NULL;

CREATE TABLE notices_before AS SELECT * FROM request_notices;
DROP TABLE request_notices;
CREATE TABLE request_notices (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  organization_id TEXT NOT NULL REFERENCES request_hooks (organization_id) ON DELETE CASCADE,
  body TEXT NOT NULL CHECK (length(body) <= 8192),
  tries INTEGER NOT NULL,
  next_at INTEGER NOT NULL
) STRICT;
INSERT INTO request_notices (seq, organization_id, body, tries, next_at)
  SELECT seq, organization_id, body, tries, next_at FROM notices_before ORDER BY seq;
DROP TABLE notices_before;
CREATE INDEX request_notices_by_organization ON request_notices (organization_id);
CREATE INDEX request_notices_due ON request_notices (next_at, seq);

CREATE TABLE uses_before AS SELECT c.code_id, g.user_id, c.grant_id
  FROM code_uses c JOIN grants g ON g.id = c.grant_id WHERE g.user_id IS NOT NULL;
DROP TABLE code_uses;
CREATE TABLE code_uses (
  code_id  TEXT NOT NULL REFERENCES codes (id) ON DELETE CASCADE,
  user_id  TEXT NOT NULL REFERENCES users (id),
  grant_id TEXT REFERENCES grants (id) ON DELETE SET NULL,
  PRIMARY KEY (code_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO code_uses SELECT code_id, user_id, grant_id FROM uses_before;
DROP TABLE uses_before;
CREATE INDEX code_uses_by_user ON code_uses (user_id);
CREATE INDEX code_uses_by_grant ON code_uses (grant_id) WHERE grant_id IS NOT NULL;

CREATE VIEW glass_breakers AS
  SELECT user_id, organization_id FROM effective_roles WHERE organization_id IS NULL AND role = 'owner'
  UNION ALL
  SELECT user_id, organization_id FROM effective_permissions WHERE permission = 'workspace:break_glass';

PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'ended_why = ''mode'')', 'ended_why = ''mode'' OR ended_why = ''shift'')')
WHERE type = 'table' AND name = 'grants';
PRAGMA writable_schema = RESET;

ALTER TABLE grants ADD COLUMN by_role INTEGER NOT NULL DEFAULT 0 CHECK (by_role IN (0, 1));
ALTER TABLE grants ADD COLUMN shift_of_id TEXT REFERENCES rotations (id) ON DELETE CASCADE;
CREATE INDEX grants_by_shift ON grants (shift_of_id) WHERE shift_of_id IS NOT NULL;

-- Nobody knows by what right those gave who hold none today: they may have been the owner. What they gave
-- stays as it was, and a review tells it.
UPDATE grants SET by_role = 1
WHERE under_id IS NULL AND granted_by IS NOT NULL AND via IN ('direct', 'code')
  AND NOT EXISTS (SELECT 1 FROM workspaces w LEFT JOIN service_accounts s ON s.user_id = w.owner_id
    WHERE w.id = grants.workspace_id AND grants.granted_by IN (w.owner_id, s.responsible_id))
  AND EXISTS (SELECT 1 FROM everywhere_grants x WHERE x.user_id = grants.granted_by AND x.verb = 'share'
    AND (x.organization_id IS NULL OR x.organization_id = grants.organization_id));

ALTER TABLE approvals ADD COLUMN right_of TEXT REFERENCES users (id);
ALTER TABLE approvals ADD COLUMN right_under TEXT;
CREATE INDEX approvals_by_right ON approvals (right_of) WHERE right_of IS NOT NULL;

ALTER TABLE agents ADD COLUMN revoked_at INTEGER;

DROP VIEW effective_grants;
DROP VIEW shift_grants;

CREATE VIEW sharers AS
  SELECT w.id AS workspace_id, w.owner_id AS user_id, v.verb AS verb
  FROM workspaces w CROSS JOIN users u ON u.id = w.owner_id
    CROSS JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = w.owner_id
    CROSS JOIN workspace_verbs v
  WHERE u.kind <> 'service' AND u.status IN ('active', 'dormant')
  UNION ALL
  SELECT w.id, s.responsible_id, v.verb
  FROM workspaces w CROSS JOIN service_accounts s ON s.user_id = w.owner_id
    CROSS JOIN users u ON u.id = s.responsible_id
    CROSS JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = s.responsible_id
    CROSS JOIN workspace_verbs v
  WHERE u.status IN ('active', 'dormant')
  UNION ALL
  SELECT w.id, e.user_id, e.verb
  FROM workspaces w CROSS JOIN everywhere_grants e
  WHERE (e.organization_id IS NULL OR e.organization_id = w.organization_id)
    AND EXISTS (SELECT 1 FROM everywhere_grants x WHERE x.user_id = e.user_id AND x.verb = 'share'
      AND (x.organization_id IS NULL OR x.organization_id = w.organization_id));

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
    AND ((g.via <> 'request' AND g.by_role = 0) OR g.under_id IS NOT NULL
      OR EXISTS (SELECT 1 FROM sharers x WHERE x.workspace_id = g.workspace_id AND x.user_id = g.granted_by
        AND x.verb = v.verb))
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
    AND (g.by_role = 0 OR EXISTS (SELECT 1 FROM sharers x
      WHERE x.workspace_id = g.workspace_id AND x.user_id = g.granted_by
        AND x.verb = v.verb))
    AND NOT EXISTS (SELECT 1 FROM settings WHERE key = 'sharing_off');
