-- Custom roles, roles in organizations, and views by which they hold only for members.
DROP VIEW effective_grants;
DROP VIEW everywhere_grants;
DROP VIEW workspace_actions;
DROP VIEW effective_roles;
CREATE INDEX role_bindings_by_organization ON role_bindings (organization_id, role) WHERE organization_id IS NOT NULL;
CREATE INDEX workspaces_by_organization ON workspaces (organization_id) WHERE deleted_at IS NULL;
CREATE TABLE roles (
  id              TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name            TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64),
  display_name    TEXT NOT NULL CHECK (length(display_name) <= 64),
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL,
  UNIQUE (organization_id, name)
) STRICT;
CREATE TABLE role_permissions (
  role_id    TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
  permission TEXT NOT NULL CHECK (length(permission) BETWEEN 3 AND 64),
  PRIMARY KEY (role_id, permission)
) STRICT, WITHOUT ROWID;
CREATE VIEW effective_roles AS
  SELECT b.user_id, b.role, b.organization_id
  FROM role_bindings b JOIN users u ON u.id = b.user_id
  WHERE u.status IN ('active', 'dormant')
    AND (b.organization_id IS NULL OR EXISTS (
      SELECT 1 FROM memberships m WHERE m.organization_id = b.organization_id AND m.user_id = b.user_id));
CREATE VIEW effective_permissions AS
  SELECT e.user_id, e.organization_id, p.permission
  FROM effective_roles e
    JOIN roles r ON r.organization_id = e.organization_id AND r.name = e.role
    JOIN role_permissions p ON p.role_id = r.id;
CREATE VIEW workspace_verbs AS
  SELECT column1 AS verb, column2 AS permission FROM (VALUES
    ('view', 'workspace:read'), ('connect', 'workspace:ssh'), ('operate', 'workspace:start'),
    ('update', 'workspace:update'), ('delete', 'workspace:delete'));
CREATE VIEW everywhere_grants AS
  SELECT r.user_id, r.organization_id, v.verb
  FROM effective_roles r CROSS JOIN workspace_verbs v
  WHERE r.organization_id IS NULL
      AND (r.role = 'owner' OR (r.role = 'template-admin' AND v.verb = 'view'))
    OR r.organization_id IS NOT NULL
      AND ((r.role = 'organization-admin' AND v.verb <> 'connect')
        OR (r.role = 'organization-template-admin' AND v.verb = 'view'))
  UNION ALL
  SELECT p.user_id, p.organization_id, v.verb
  FROM effective_permissions p JOIN workspace_verbs v ON v.permission = p.permission;
CREATE VIEW effective_grants AS
  SELECT w.owner_id AS user_id, w.id AS workspace_id, v.verb AS verb, 'owner' AS reason, NULL AS until_at
  FROM workspaces w JOIN users u ON u.id = w.owner_id
    JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = w.owner_id
    CROSS JOIN workspace_verbs v
  WHERE u.status IN ('active', 'dormant') AND w.deleted_at IS NULL
  UNION ALL
  SELECT e.user_id, w.id, e.verb, 'role', NULL
  FROM everywhere_grants e CROSS JOIN workspaces w
  WHERE e.organization_id IS NULL AND w.deleted_at IS NULL
  UNION ALL
  SELECT e.user_id, w.id, e.verb, 'role', NULL
  FROM everywhere_grants e JOIN workspaces w ON w.organization_id = e.organization_id
  WHERE w.deleted_at IS NULL;
