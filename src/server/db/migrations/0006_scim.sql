-- Widens a check without touching a row, in the way SQLite documents for it (lang_altertable, 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'OR actor = ''system'' OR actor = ''nobody'')',
  'OR actor = ''system'' OR actor = ''scim'' OR actor = ''nobody'')')
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
