CREATE TABLE providers (
  name       TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 32),
  kind       TEXT NOT NULL CHECK (kind = 'oidc' OR kind = 'github' OR kind = 'ldap' OR kind = 'scim'),
  settings   TEXT NOT NULL CHECK (json_valid(settings) AND length(settings) <= 131072),
  secret     BLOB CHECK (length(secret) <= 32768),
  changed_by TEXT REFERENCES users (id) ON DELETE SET NULL,
  changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX providers_by_changer ON providers (changed_by) WHERE changed_by IS NOT NULL;
CREATE INDEX identity_grants_by_provider ON identity_grants (provider);
