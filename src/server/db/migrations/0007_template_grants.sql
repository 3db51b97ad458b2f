-- Who may use and keep a template. Whoever could before still can: each is for Everyone.
CREATE TABLE template_grants (
  template_id TEXT NOT NULL REFERENCES templates (id) ON DELETE CASCADE,
  user_id     TEXT REFERENCES users (id) ON DELETE CASCADE,
  group_id    TEXT REFERENCES groups (id) ON DELETE CASCADE,
  role        TEXT NOT NULL CHECK (role IN ('use', 'admin')),
  created_at  INTEGER NOT NULL,
  CHECK (user_id IS NULL OR group_id IS NULL)
) STRICT;
CREATE UNIQUE INDEX template_grants_by_template ON template_grants (template_id, coalesce(user_id, group_id, ''));
CREATE INDEX template_grants_by_user ON template_grants (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX template_grants_by_group ON template_grants (group_id) WHERE group_id IS NOT NULL;
INSERT INTO template_grants (template_id, user_id, group_id, role, created_at)
  SELECT id, NULL, NULL, 'use', created_at FROM templates WHERE deleted_at IS NULL;
CREATE VIEW effective_template_grants AS
  SELECT m.user_id, g.template_id, g.role, 'user' AS reason
  FROM template_grants g JOIN templates t ON t.id = g.template_id
    JOIN memberships m ON m.organization_id = t.organization_id AND m.user_id = g.user_id
    JOIN users u ON u.id = m.user_id
  WHERE t.deleted_at IS NULL AND u.status IN ('active', 'dormant')
  UNION ALL
  SELECT m.user_id, g.template_id, g.role, 'group'
  FROM template_grants g JOIN templates t ON t.id = g.template_id
    JOIN group_members s ON s.group_id = g.group_id
    JOIN memberships m ON m.organization_id = t.organization_id AND m.user_id = s.user_id
    JOIN users u ON u.id = m.user_id
  WHERE t.deleted_at IS NULL AND u.status IN ('active', 'dormant')
  UNION ALL
  SELECT m.user_id, g.template_id, g.role, 'everyone'
  FROM template_grants g JOIN templates t ON t.id = g.template_id
    JOIN memberships m ON m.organization_id = t.organization_id
    JOIN users u ON u.id = m.user_id
  WHERE g.user_id IS NULL AND g.group_id IS NULL
    AND t.deleted_at IS NULL AND u.status IN ('active', 'dormant');
