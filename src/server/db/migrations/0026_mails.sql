CREATE TABLE mails (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  letter  TEXT NOT NULL CHECK (length(letter) <= 8192),
  made_at INTEGER NOT NULL,
  tries   INTEGER NOT NULL,
  next_at INTEGER,
  failure TEXT NOT NULL CHECK (length(failure) <= 512)
) STRICT;
CREATE INDEX mails_by_user ON mails (user_id);
CREATE INDEX mails_due ON mails (next_at, seq) WHERE next_at IS NOT NULL;
CREATE INDEX mails_given_up ON mails (seq) WHERE next_at IS NULL;

CREATE TABLE mail_refusals (
  user_id    TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  refused_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
