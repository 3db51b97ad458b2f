-- Widens a check without touching a row, in the way SQLite documents for it (lang_altertable, 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'OR actor = ''system'' OR actor = ''nobody'')',
  'OR actor = ''system'' OR actor = ''scim'' OR actor = ''nobody'')')
WHERE type = 'table' AND name = 'audit';
UPDATE sqlite_schema SET sql = replace(sql, 'OR target = ''organization_member'')',
  'OR target = ''organization_member'' OR target = ''invitation'')')
WHERE type = 'table' AND name = 'audit';
PRAGMA writable_schema = RESET;

CREATE TABLE scim_users (
  user_id     TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  provider    TEXT NOT NULL CHECK (length(provider) <= 32),
  user_name   TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(user_name) BETWEEN 1 AND 254),
  external_id TEXT NOT NULL CHECK (length(external_id) <= 255),
  active      INTEGER CHECK (active IN (0, 1)),
  profile     TEXT NOT NULL CHECK (length(profile) <= 16384),
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX scim_users_by_external_id ON scim_users (external_id) WHERE external_id <> '';

CREATE TABLE scim_groups (
  group_id     TEXT NOT NULL PRIMARY KEY REFERENCES groups (id) ON DELETE CASCADE,
  display_name TEXT NOT NULL COLLATE NOCASE CHECK (length(display_name) BETWEEN 1 AND 255),
  external_id  TEXT NOT NULL CHECK (length(external_id) <= 255),
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX scim_groups_by_name ON scim_groups (display_name);
CREATE INDEX scim_groups_by_external_id ON scim_groups (external_id) WHERE external_id <> '';

CREATE TABLE invitations (
  id         TEXT NOT NULL PRIMARY KEY,
  public_id  TEXT NOT NULL UNIQUE CHECK (length(public_id) = 10),
  hash       BLOB NOT NULL CHECK (length(hash) = 32),
  email      TEXT NOT NULL COLLATE NOCASE CHECK (length(email) <= 254),
  roles      TEXT NOT NULL CHECK (length(roles) <= 256),
  made_by    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX invitations_by_maker ON invitations (made_by);
CREATE INDEX invitations_by_end ON invitations (expires_at, id);

CREATE TABLE invitation_groups (
  invitation_id TEXT NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
  group_id      TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  PRIMARY KEY (invitation_id, group_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_groups_by_group ON invitation_groups (group_id);

CREATE TABLE service_accounts (
  user_id        TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  responsible_id TEXT REFERENCES users (id),
  is_stopped     INTEGER NOT NULL CHECK (is_stopped IN (0, 1)),
  updated_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX service_accounts_by_responsible ON service_accounts (responsible_id) WHERE responsible_id IS NOT NULL;
-- Until now nobody was asked: the owner who was there first answers.
INSERT INTO service_accounts (user_id, responsible_id, is_stopped, updated_at)
SELECT u.id, (
  SELECT o.id FROM role_bindings r JOIN users o ON o.id = r.user_id
  WHERE r.role = 'owner' AND r.organization_id IS NULL AND o.kind = 'person' AND o.status IN ('active', 'dormant')
  ORDER BY o.created_at, o.id LIMIT 1), 0, u.updated_at
FROM users u WHERE u.kind = 'service' AND u.status <> 'deleted';
