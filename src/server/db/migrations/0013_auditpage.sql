-- Entries are found by token, address and result too: the index is made anew, and filled by the program.
DROP TABLE audit_words;
CREATE VIRTUAL TABLE audit_words USING fts5 (words, terms, content = '', contentless_delete = 1, detail = column);
CREATE INDEX audit_checkpoints_by_seq ON audit_checkpoints (seq);

CREATE TABLE audit_filters (
  id         TEXT NOT NULL PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name       TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 48),
  query      TEXT NOT NULL CHECK (length(query) BETWEEN 1 AND 1024),
  is_shared  INTEGER NOT NULL CHECK (is_shared IN (0, 1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (user_id, name)
) STRICT;
CREATE INDEX audit_filters_shared ON audit_filters (name, id) WHERE is_shared = 1;
