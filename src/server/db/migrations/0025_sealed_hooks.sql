-- The addresses of programs that are told of requests, of which many hold a secret. They are sealed when the
-- server starts, which has the key.
CREATE TABLE hooks_before AS SELECT * FROM request_hooks;
DROP TABLE request_hooks;
CREATE TABLE request_hooks (
  organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE,
  url             BLOB NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
  is_trusted      INTEGER NOT NULL CHECK (is_trusted IN (0, 1)),
  secret          BLOB NOT NULL CHECK (length(secret) <= 512),
  set_by          TEXT NOT NULL REFERENCES users (id),
  set_at          INTEGER NOT NULL
) STRICT;
INSERT INTO request_hooks
  SELECT organization_id, CAST(url AS BLOB), is_trusted, secret, set_by, set_at FROM hooks_before;
DROP TABLE hooks_before;
CREATE INDEX request_hooks_by_setter ON request_hooks (set_by);
