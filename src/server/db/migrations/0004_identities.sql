-- Widens a check without touching a row, in the way SQLite documents for it (lang_altertable, 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'login_type IN (''password'', ''none'')',
  'login_type = ''password'' OR login_type = ''none'' OR login_type = ''oidc'' OR login_type = ''github'' OR login_type = ''ldap''')
WHERE type = 'table' AND name = 'users';
PRAGMA writable_schema = RESET;

CREATE TABLE identities (
  id           TEXT NOT NULL PRIMARY KEY,
  user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider     TEXT NOT NULL CHECK (length(provider) BETWEEN 1 AND 32),
  issuer       TEXT NOT NULL CHECK (length(issuer) <= 512),
  subject      TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
  email        TEXT NOT NULL COLLATE NOCASE CHECK (length(email) <= 254),
  claims       TEXT NOT NULL CHECK (length(claims) <= 16384),
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  UNIQUE (issuer, subject)
) STRICT;
CREATE INDEX identities_by_user ON identities (user_id);

CREATE TABLE identity_grants (
  id            TEXT NOT NULL PRIMARY KEY,
  identity_id   TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
  provider      TEXT NOT NULL CHECK (length(provider) BETWEEN 1 AND 32),
  sid           TEXT NOT NULL CHECK (length(sid) <= 255),
  refresh_token BLOB CHECK (length(refresh_token) <= 8192),
  created_at    INTEGER NOT NULL,
  refresh_at    INTEGER NOT NULL,
  ends_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX identity_grants_by_identity ON identity_grants (identity_id);
CREATE INDEX identity_grants_by_refresh ON identity_grants (refresh_at);
CREATE INDEX identity_grants_by_end ON identity_grants (ends_at);
CREATE INDEX identity_grants_by_sid ON identity_grants (sid) WHERE sid <> '';

ALTER TABLE tokens ADD COLUMN identity_grant_id TEXT REFERENCES identity_grants (id) ON DELETE CASCADE;
CREATE INDEX tokens_by_identity_grant ON tokens (identity_grant_id) WHERE identity_grant_id IS NOT NULL;

ALTER TABLE groups ADD COLUMN source TEXT NOT NULL DEFAULT 'user' CHECK (source IN ('user', 'oidc'));

ALTER TABLE group_members ADD COLUMN identity_id TEXT REFERENCES identities (id) ON DELETE CASCADE;
CREATE INDEX group_members_by_identity ON group_members (identity_id) WHERE identity_id IS NOT NULL;
