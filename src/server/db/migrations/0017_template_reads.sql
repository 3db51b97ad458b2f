DROP VIEW effective_template_grants;
CREATE VIEW effective_template_grants AS
  SELECT u.id AS user_id, g.template_id, g.role, 'user' AS reason
  FROM users u CROSS JOIN template_grants g JOIN templates t ON t.id = g.template_id
    JOIN memberships m ON m.organization_id = t.organization_id AND m.user_id = u.id
  WHERE g.user_id = u.id AND coalesce(g.user_id, g.group_id, '') = +u.id
    AND t.deleted_at IS NULL AND u.status IN ('active', 'dormant')
  UNION ALL
  SELECT s.user_id, g.template_id, g.role, 'group'
  FROM group_members s CROSS JOIN template_grants g JOIN templates t ON t.id = g.template_id
    JOIN memberships m ON m.organization_id = t.organization_id AND m.user_id = s.user_id
    JOIN users u ON u.id = s.user_id
  WHERE g.group_id = s.group_id AND coalesce(g.user_id, g.group_id, '') = +s.group_id
    AND t.deleted_at IS NULL AND u.status IN ('active', 'dormant')
  UNION ALL
  SELECT m.user_id, g.template_id, g.role, 'everyone'
  FROM template_grants g JOIN templates t ON t.id = g.template_id
    JOIN memberships m ON m.organization_id = t.organization_id
    JOIN users u ON u.id = m.user_id
  WHERE coalesce(g.user_id, g.group_id, '') = ''
    AND t.deleted_at IS NULL AND u.status IN ('active', 'dormant');
