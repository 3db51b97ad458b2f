ALTER TABLE organizations ADD COLUMN icon TEXT NOT NULL DEFAULT '' CHECK (length(icon) <= 256);

CREATE TABLE idp_syncs (
  provider        TEXT NOT NULL CHECK (length(provider) BETWEEN 1 AND 32),
  kind            TEXT NOT NULL CHECK (kind = 'groups' OR kind = 'roles' OR kind = 'organizations'),
  organization_id TEXT REFERENCES organizations (id) ON DELETE CASCADE,
  settings        TEXT NOT NULL CHECK (length(settings) <= 65536),
  updated_at      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX idp_syncs_by_provider ON idp_syncs (provider, kind, coalesce(organization_id, ''));
CREATE INDEX idp_syncs_by_organization ON idp_syncs (organization_id) WHERE organization_id IS NOT NULL;
