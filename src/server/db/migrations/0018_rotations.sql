-- Widens a check without touching a row, in the way SQLite documents for it (lang_altertable, 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'OR target = ''invitation''',
  'OR target = ''invitation'' OR target = ''rotation''')
WHERE type = 'table' AND name = 'audit';
PRAGMA writable_schema = RESET;

CREATE TABLE rotations (
  id               TEXT NOT NULL PRIMARY KEY,
  organization_id  TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name             TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 36),
  zone             TEXT NOT NULL CHECK (length(zone) BETWEEN 1 AND 64),
  planned_until_at INTEGER NOT NULL,
  webhook_secret   BLOB CHECK (length(webhook_secret) <= 1024),
  webhook_event    TEXT NOT NULL CHECK (length(webhook_event) <= 254),
  webhook_at       INTEGER NOT NULL,
  created_at       INTEGER NOT NULL,
  updated_at       INTEGER NOT NULL,
  UNIQUE (organization_id, name)
) STRICT;
CREATE INDEX rotations_by_plan ON rotations (planned_until_at);

CREATE TABLE rotation_layers (
  rotation_id  TEXT NOT NULL REFERENCES rotations (id) ON DELETE CASCADE,
  position     INTEGER NOT NULL CHECK (position BETWEEN 0 AND 7),
  handoff      TEXT NOT NULL CHECK (length(handoff) <= 9),
  length       TEXT NOT NULL CHECK (length(length) <= 6),
  first        INTEGER NOT NULL CHECK (first BETWEEN 0 AND 99),
  starts_at    INTEGER NOT NULL,
  restrictions TEXT NOT NULL CHECK (length(restrictions) <= 1024),
  PRIMARY KEY (rotation_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE rotation_members (
  rotation_id TEXT NOT NULL,
  layer       INTEGER NOT NULL,
  position    INTEGER NOT NULL CHECK (position BETWEEN 0 AND 99),
  user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  left_at     INTEGER,
  PRIMARY KEY (rotation_id, layer, position),
  FOREIGN KEY (rotation_id, layer) REFERENCES rotation_layers (rotation_id, position) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX rotation_members_by_user ON rotation_members (user_id);

CREATE TABLE rotation_overrides (
  id          TEXT NOT NULL PRIMARY KEY,
  rotation_id TEXT NOT NULL REFERENCES rotations (id) ON DELETE CASCADE,
  user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  from_at     INTEGER NOT NULL,
  until_at    INTEGER NOT NULL CHECK (until_at > from_at),
  made_by     TEXT REFERENCES users (id) ON DELETE SET NULL,
  reason      TEXT NOT NULL CHECK (length(reason) <= 256),
  created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX rotation_overrides_by_rotation ON rotation_overrides (rotation_id, until_at);
CREATE INDEX rotation_overrides_by_user ON rotation_overrides (user_id);
CREATE INDEX rotation_overrides_by_maker ON rotation_overrides (made_by) WHERE made_by IS NOT NULL;

CREATE TABLE shifts (
  rotation_id TEXT NOT NULL REFERENCES rotations (id) ON DELETE CASCADE,
  from_at     INTEGER NOT NULL,
  until_at    INTEGER NOT NULL CHECK (until_at > from_at),
  user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  is_override INTEGER NOT NULL CHECK (is_override IN (0, 1)),
  PRIMARY KEY (rotation_id, from_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX shifts_by_user ON shifts (user_id, until_at);

CREATE TABLE calendar_feeds (
  user_id    TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  public_id  TEXT NOT NULL UNIQUE CHECK (length(public_id) = 10),
  hash       BLOB NOT NULL CHECK (length(hash) = 32),
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE VIEW on_shift AS
  SELECT s.rotation_id, s.user_id, s.from_at, s.until_at
  FROM shifts s JOIN rotations r ON r.id = s.rotation_id
    JOIN memberships m ON m.organization_id = r.organization_id AND m.user_id = s.user_id
    JOIN users u ON u.id = s.user_id
  WHERE u.status IN ('active', 'dormant');
