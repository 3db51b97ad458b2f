-- Second factors: codes by the clock, passkeys, recovery codes, and when one was last given.
ALTER TABLE tokens ADD COLUMN mfa_at INTEGER;
CREATE TABLE totp_factors (
  user_id      TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  secret       BLOB NOT NULL CHECK (length(secret) <= 256),
  created_at   INTEGER NOT NULL,
  confirmed_at INTEGER,
  last_step    INTEGER NOT NULL,
  last_used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE passkeys (
  id            TEXT NOT NULL PRIMARY KEY,
  user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  credential_id BLOB NOT NULL UNIQUE CHECK (length(credential_id) BETWEEN 1 AND 1023),
  public_key    BLOB NOT NULL CHECK (length(public_key) <= 1200),
  counter       INTEGER NOT NULL CHECK (counter >= 0),
  name          TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  created_at    INTEGER NOT NULL,
  last_used_at  INTEGER
) STRICT;
CREATE INDEX passkeys_by_user ON passkeys (user_id, created_at);
CREATE TABLE recovery_codes (
  user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  hash       BLOB NOT NULL CHECK (length(hash) = 32),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE spent_challenges (
  hash    BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_challenges_by_end ON spent_challenges (ends_at);
