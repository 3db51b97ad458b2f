-- What people may use a day, by their groups, and what each workspace counts.
ALTER TABLE organizations ADD COLUMN quota_allowance INTEGER NOT NULL DEFAULT 0 CHECK (quota_allowance BETWEEN 0 AND 1000000000);
ALTER TABLE groups ADD COLUMN quota_allowance INTEGER NOT NULL DEFAULT 0 CHECK (quota_allowance BETWEEN 0 AND 1000000000);
ALTER TABLE groups ADD COLUMN avatar_url TEXT NOT NULL DEFAULT '' CHECK (length(avatar_url) <= 256);
ALTER TABLE workspaces ADD COLUMN daily_cost INTEGER NOT NULL DEFAULT 0 CHECK (daily_cost BETWEEN 0 AND 1000000000);
ALTER TABLE builds ADD COLUMN refused_cost INTEGER CHECK (refused_cost > 0);
UPDATE workspaces SET daily_cost = coalesce((
  SELECT max(0, min(b.daily_cost, 1000000000)) FROM builds b JOIN jobs j ON j.id = b.job_id
  WHERE b.workspace_id = workspaces.id AND j.status = 'succeeded' ORDER BY b.number DESC LIMIT 1), 0)
WHERE deleted_at IS NULL;
CREATE INDEX groups_with_allowance ON groups (organization_id) WHERE quota_allowance > 0;
