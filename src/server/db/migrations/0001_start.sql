CREATE TABLE settings (
  key   TEXT NOT NULL PRIMARY KEY CHECK (length(key) <= 64),
  value BLOB NOT NULL CHECK (length(value) <= 65536)
) STRICT, WITHOUT ROWID;
CREATE TABLE organizations (
  id           TEXT NOT NULL PRIMARY KEY,
  name         TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 36),
  display_name TEXT NOT NULL CHECK (length(display_name) <= 64),
  description  TEXT NOT NULL CHECK (length(description) <= 512),
  is_default   INTEGER NOT NULL CHECK (is_default IN (0, 1)),
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;
CREATE TABLE users (
  id           TEXT NOT NULL PRIMARY KEY,
  username     TEXT NOT NULL COLLATE NOCASE CHECK (length(username) BETWEEN 1 AND 32),
  name         TEXT NOT NULL CHECK (length(name) <= 128),
  email        TEXT NOT NULL COLLATE NOCASE CHECK (length(email) <= 254),
  kind         TEXT NOT NULL CHECK (kind IN ('person', 'service')),
  status       TEXT NOT NULL CHECK (status = 'active' OR status = 'dormant' OR status = 'suspended' OR status = 'deleted'),
  login_type   TEXT NOT NULL CHECK (login_type IN ('password', 'none')),
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  last_seen_at INTEGER
) STRICT;
CREATE UNIQUE INDEX users_by_name ON users (username) WHERE status <> 'deleted';
CREATE INDEX users_by_status ON users (status) WHERE status <> 'deleted';
CREATE UNIQUE INDEX users_by_email ON users (email) WHERE status <> 'deleted' AND email <> '';
CREATE TABLE passwords (
  user_id    TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  hash       TEXT NOT NULL CHECK (length(hash) <= 256),
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE lockouts (
  subject   TEXT NOT NULL PRIMARY KEY CHECK (length(subject) <= 128),
  n_failed  INTEGER NOT NULL CHECK (n_failed >= 0),
  failed_at INTEGER NOT NULL,
  until_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX lockouts_by_time ON lockouts (failed_at);
CREATE TABLE ssh_keys (
  id           TEXT NOT NULL PRIMARY KEY,
  user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name         TEXT NOT NULL CHECK (length(name) <= 128),
  public_key   TEXT NOT NULL CHECK (length(public_key) <= 16384),
  fingerprint  TEXT NOT NULL UNIQUE CHECK (length(fingerprint) <= 64),
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER
) STRICT;
CREATE INDEX ssh_keys_by_user ON ssh_keys (user_id, created_at);
CREATE TABLE tokens (
  id           TEXT NOT NULL PRIMARY KEY,
  public_id    TEXT NOT NULL UNIQUE CHECK (length(public_id) = 10),
  hash         BLOB NOT NULL CHECK (length(hash) = 32),
  user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind         TEXT NOT NULL CHECK (kind = 'session' OR kind = 'api' OR kind = 'workspace'),
  name         TEXT NOT NULL CHECK (length(name) <= 64),
  workspace_id TEXT REFERENCES workspaces (id) ON DELETE CASCADE,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  lifetime_s   INTEGER NOT NULL CHECK (lifetime_s > 0),
  last_used_at INTEGER,
  last_used_ip TEXT NOT NULL CHECK (length(last_used_ip) <= 64)
) STRICT;
CREATE UNIQUE INDEX tokens_by_name ON tokens (user_id, name) WHERE kind = 'api';
CREATE INDEX tokens_by_user ON tokens (user_id, created_at);
CREATE INDEX tokens_by_time ON tokens (created_at, id);
CREATE INDEX tokens_by_end ON tokens (expires_at);
CREATE INDEX tokens_by_workspace ON tokens (workspace_id) WHERE workspace_id IS NOT NULL;
CREATE TABLE memberships (
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (organization_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_user ON memberships (user_id);
CREATE TABLE groups (
  id              TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name            TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 36),
  display_name    TEXT NOT NULL CHECK (length(display_name) <= 64),
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL,
  UNIQUE (organization_id, name)
) STRICT;
CREATE TABLE group_members (
  group_id   TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_members_by_user ON group_members (user_id);
CREATE TABLE role_bindings (
  user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role            TEXT NOT NULL CHECK (length(role) BETWEEN 1 AND 64),
  organization_id TEXT REFERENCES organizations (id) ON DELETE CASCADE,
  created_at      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX role_bindings_by_user ON role_bindings (user_id, role, coalesce(organization_id, ''));
CREATE INDEX role_bindings_by_role ON role_bindings (role);
CREATE TABLE archives (
  hash       BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  body       BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE files (
  id         TEXT NOT NULL PRIMARY KEY,
  hash       BLOB NOT NULL REFERENCES archives (hash),
  created_by TEXT NOT NULL REFERENCES users (id),
  created_at INTEGER NOT NULL,
  is_used    INTEGER NOT NULL DEFAULT 0 CHECK (is_used IN (0, 1)),
  UNIQUE (created_by, hash)
) STRICT;
CREATE INDEX files_by_hash ON files (hash);
CREATE INDEX files_unused ON files (created_at) WHERE is_used = 0;
CREATE TABLE jobs (
  id           TEXT NOT NULL PRIMARY KEY,
  kind         TEXT NOT NULL CHECK (kind IN ('build', 'import')),
  status       TEXT NOT NULL CHECK (status = 'pending' OR status = 'running' OR status = 'canceling' OR status = 'canceled' OR status = 'succeeded' OR status = 'failed'),
  error        TEXT NOT NULL CHECK (length(error) <= 8192),
  created_at   INTEGER NOT NULL,
  started_at   INTEGER,
  ended_at     INTEGER,
  runner       TEXT NOT NULL CHECK (length(runner) <= 64),
  heartbeat_at INTEGER,
  n_log_bytes  INTEGER NOT NULL DEFAULT 0,
  log_kept     INTEGER NOT NULL DEFAULT 1 CHECK (log_kept IN (0, 1)),
  is_last      INTEGER NOT NULL CHECK (is_last IN (0, 1))
) STRICT;
CREATE INDEX jobs_last ON jobs (status) WHERE is_last = 1;
CREATE INDEX jobs_with_log ON jobs (ended_at) WHERE log_kept = 1;
CREATE INDEX jobs_waiting ON jobs (created_at, id) WHERE status IN ('pending', 'running', 'canceling');
CREATE TABLE job_logs (
  id     INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  at_ms  INTEGER NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('provisioner', 'provisioner_daemon')),
  level  TEXT NOT NULL CHECK (level = 'trace' OR level = 'debug' OR level = 'info' OR level = 'warn' OR level = 'error'),
  stage  TEXT NOT NULL CHECK (length(stage) <= 128),
  output TEXT NOT NULL CHECK (length(output) <= 8192)
) STRICT;
CREATE INDEX job_logs_by_job ON job_logs (job_id, id);
CREATE TABLE timings (
  id         INTEGER PRIMARY KEY,
  job_id     TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  stage      TEXT NOT NULL CHECK (length(stage) <= 64),
  source     TEXT NOT NULL CHECK (length(source) <= 256),
  action     TEXT NOT NULL CHECK (length(action) <= 64),
  resource   TEXT NOT NULL CHECK (length(resource) <= 512),
  started_ms INTEGER NOT NULL,
  ended_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX timings_by_job ON timings (job_id, id);
CREATE TABLE templates (
  id                TEXT NOT NULL PRIMARY KEY,
  organization_id   TEXT NOT NULL REFERENCES organizations (id),
  name              TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 32),
  display_name      TEXT NOT NULL CHECK (length(display_name) <= 64),
  description       TEXT NOT NULL CHECK (length(description) <= 512),
  icon              TEXT NOT NULL CHECK (length(icon) <= 256),
  active_version_id TEXT NOT NULL REFERENCES template_versions (id) DEFERRABLE INITIALLY DEFERRED,
  deprecation       TEXT NOT NULL CHECK (length(deprecation) <= 512),
  default_ttl_s     INTEGER NOT NULL CHECK (default_ttl_s >= 0),
  created_by        TEXT NOT NULL REFERENCES users (id),
  created_at        INTEGER NOT NULL,
  updated_at        INTEGER NOT NULL,
  deleted_at        INTEGER
) STRICT;
CREATE INDEX templates_by_active_version ON templates (active_version_id);
CREATE UNIQUE INDEX templates_by_name ON templates (organization_id, name) WHERE deleted_at IS NULL;
CREATE TABLE template_versions (
  id              TEXT NOT NULL PRIMARY KEY,
  template_id     TEXT REFERENCES templates (id) DEFERRABLE INITIALLY DEFERRED,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  name            TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  message         TEXT NOT NULL CHECK (length(message) <= 1048576),
  file_id         TEXT NOT NULL REFERENCES files (id),
  job_id          TEXT NOT NULL UNIQUE REFERENCES jobs (id),
  variables       BLOB NOT NULL,
  imported        TEXT NOT NULL,
  archived        INTEGER NOT NULL CHECK (archived IN (0, 1)),
  created_by      TEXT NOT NULL REFERENCES users (id),
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX template_versions_by_name ON template_versions (template_id, name) WHERE template_id IS NOT NULL;
CREATE INDEX template_versions_by_file ON template_versions (file_id);
CREATE INDEX template_versions_by_template ON template_versions (template_id, created_at, id);
CREATE TABLE workspaces (
  id                 TEXT NOT NULL PRIMARY KEY,
  organization_id    TEXT NOT NULL REFERENCES organizations (id),
  owner_id           TEXT NOT NULL REFERENCES users (id),
  name               TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 32),
  template_id        TEXT NOT NULL REFERENCES templates (id),
  autostart_schedule TEXT NOT NULL CHECK (length(autostart_schedule) <= 128),
  ttl_s              INTEGER CHECK (ttl_s > 0),
  automatic_updates  INTEGER NOT NULL CHECK (automatic_updates IN (0, 1)),
  created_at         INTEGER NOT NULL,
  updated_at         INTEGER NOT NULL,
  last_used_at       INTEGER NOT NULL,
  deleted_at         INTEGER
) STRICT;
CREATE UNIQUE INDEX workspaces_by_name ON workspaces (owner_id, name) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_by_template ON workspaces (template_id, deleted_at) WHERE deleted_at IS NULL;
CREATE TABLE builds (
  id           TEXT NOT NULL PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  number       INTEGER NOT NULL CHECK (number > 0),
  transition   TEXT NOT NULL CHECK (transition = 'start' OR transition = 'stop' OR transition = 'delete'),
  reason       TEXT NOT NULL CHECK (reason = 'initiator' OR reason = 'autostart' OR reason = 'autostop' OR reason = 'dashboard' OR reason = 'cli' OR reason = 'ssh_connection' OR reason = 'vscode_connection' OR reason = 'jetbrains_connection'),
  initiator_id TEXT NOT NULL REFERENCES users (id),
  version_id   TEXT NOT NULL REFERENCES template_versions (id),
  job_id       TEXT NOT NULL UNIQUE REFERENCES jobs (id),
  orphan       INTEGER NOT NULL CHECK (orphan IN (0, 1)),
  then_start   INTEGER NOT NULL CHECK (then_start IN (0, 1)),
  daily_cost   INTEGER NOT NULL,
  deadline_at  INTEGER,
  created_at   INTEGER NOT NULL,
  UNIQUE (workspace_id, number)
) STRICT;
CREATE INDEX builds_due ON builds (deadline_at) WHERE deadline_at IS NOT NULL;
CREATE INDEX builds_by_version ON builds (version_id);
CREATE TABLE build_parameters (
  build_id TEXT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
  name     TEXT NOT NULL CHECK (length(name) <= 256),
  value    TEXT NOT NULL CHECK (length(value) <= 65536),
  PRIMARY KEY (build_id, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE states (
  build_id   TEXT NOT NULL PRIMARY KEY REFERENCES builds (id) ON DELETE CASCADE,
  body       BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE resources (
  id            TEXT NOT NULL PRIMARY KEY,
  build_id      TEXT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
  position      INTEGER NOT NULL,
  address       TEXT NOT NULL CHECK (length(address) <= 512),
  kind          TEXT NOT NULL CHECK (length(kind) <= 128),
  name          TEXT NOT NULL CHECK (length(name) <= 128),
  hide          INTEGER NOT NULL CHECK (hide IN (0, 1)),
  icon          TEXT NOT NULL CHECK (length(icon) <= 256),
  daily_cost    INTEGER NOT NULL,
  instance_type TEXT NOT NULL CHECK (length(instance_type) <= 128),
  metadata      TEXT NOT NULL
) STRICT;
CREATE INDEX resources_by_build ON resources (build_id, position);
CREATE TABLE agents (
  id                 TEXT NOT NULL PRIMARY KEY,
  resource_id        TEXT NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
  build_id           TEXT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
  position           INTEGER NOT NULL,
  name               TEXT NOT NULL COLLATE NOCASE CHECK (length(name) <= 64),
  token_hash         BLOB CHECK (length(token_hash) = 32),
  instance_id        TEXT NOT NULL CHECK (length(instance_id) <= 256),
  spec               TEXT NOT NULL,
  sealed             BLOB NOT NULL,
  created_at         INTEGER NOT NULL,
  first_connected_at INTEGER,
  last_connected_at  INTEGER,
  disconnected_at    INTEGER,
  lifecycle          TEXT NOT NULL CHECK (lifecycle = 'created' OR lifecycle = 'starting' OR lifecycle = 'start_timeout' OR lifecycle = 'start_error' OR lifecycle = 'ready' OR lifecycle = 'shutting_down' OR lifecycle = 'shutdown_timeout' OR lifecycle = 'shutdown_error' OR lifecycle = 'off'),
  started_at         INTEGER,
  ready_at           INTEGER,
  version            TEXT NOT NULL CHECK (length(version) <= 64),
  expanded_directory TEXT NOT NULL CHECK (length(expanded_directory) <= 4096),
  n_log_bytes        INTEGER NOT NULL DEFAULT 0,
  log_kept           INTEGER NOT NULL DEFAULT 1 CHECK (log_kept IN (0, 1)),
  UNIQUE (build_id, name)
) STRICT;
CREATE UNIQUE INDEX agents_by_token ON agents (token_hash, build_id) WHERE token_hash IS NOT NULL;
CREATE INDEX agents_with_log ON agents (created_at) WHERE log_kept = 1;
CREATE INDEX agents_by_resource ON agents (resource_id, position);
CREATE INDEX agents_by_instance ON agents (instance_id) WHERE instance_id <> '';
CREATE TABLE agent_apps (
  id       TEXT NOT NULL PRIMARY KEY,
  agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  spec     TEXT NOT NULL,
  health   TEXT NOT NULL CHECK (health = 'disabled' OR health = 'initializing' OR health = 'healthy' OR health = 'unhealthy')
) STRICT;
CREATE INDEX agent_apps_by_agent ON agent_apps (agent_id, position);
CREATE TABLE agent_scripts (
  id         INTEGER PRIMARY KEY,
  agent_id   TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  script_id  TEXT NOT NULL,
  stage      TEXT NOT NULL CHECK (stage = 'start' OR stage = 'stop' OR stage = 'cron'),
  started_ms INTEGER NOT NULL,
  ended_ms   INTEGER NOT NULL,
  exit_code  INTEGER NOT NULL,
  timed_out  INTEGER NOT NULL CHECK (timed_out IN (0, 1))
) STRICT;
CREATE INDEX agent_scripts_by_agent ON agent_scripts (agent_id, id);
CREATE TABLE agent_logs (
  id        INTEGER PRIMARY KEY,
  agent_id  TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  at_ms     INTEGER NOT NULL,
  level     TEXT NOT NULL CHECK (level = 'trace' OR level = 'debug' OR level = 'info' OR level = 'warn' OR level = 'error'),
  source_id TEXT NOT NULL,
  output    TEXT NOT NULL CHECK (length(output) <= 8192)
) STRICT;
CREATE INDEX agent_logs_by_agent ON agent_logs (agent_id, id);
CREATE TABLE agent_log_batches (
  agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  life     TEXT NOT NULL CHECK (length(life) <= 64),
  seq      INTEGER NOT NULL,
  PRIMARY KEY (agent_id, life)
) STRICT, WITHOUT ROWID;
CREATE TABLE agent_metadata (
  agent_id     TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  key          TEXT NOT NULL CHECK (length(key) <= 128),
  value        TEXT NOT NULL CHECK (length(value) <= 2048),
  error        TEXT NOT NULL CHECK (length(error) <= 2048),
  collected_at INTEGER NOT NULL,
  PRIMARY KEY (agent_id, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE connections (
  id           TEXT NOT NULL PRIMARY KEY,
  user_id      TEXT NOT NULL REFERENCES users (id),
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  agent_id     TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  kind         TEXT NOT NULL CHECK (kind = 'terminal' OR kind = 'ssh' OR kind = 'sftp' OR kind = 'forward' OR kind = 'tunnel' OR kind = 'app' OR kind = 'vscode' OR kind = 'jetbrains'),
  address      TEXT NOT NULL CHECK (length(address) <= 64),
  client       TEXT NOT NULL CHECK (length(client) <= 256),
  began_at     INTEGER NOT NULL,
  ended_at     INTEGER,
  end_reason   TEXT CHECK (end_reason = 'closed' OR end_reason = 'lost' OR end_reason = 'revoked' OR end_reason = 'server'),
  bytes_out    INTEGER NOT NULL,
  bytes_in     INTEGER NOT NULL
) STRICT;
CREATE INDEX connections_by_workspace ON connections (workspace_id, began_at);
CREATE INDEX connections_by_user ON connections (user_id, began_at);
CREATE INDEX connections_ended ON connections (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX connections_open ON connections (workspace_id, began_at) WHERE ended_at IS NULL;
CREATE TABLE audit (
  place       INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  at          INTEGER NOT NULL,
  user_id     TEXT,
  ip          TEXT NOT NULL CHECK (length(ip) <= 64),
  action      TEXT NOT NULL CHECK (action = 'create' OR action = 'write' OR action = 'delete' OR action = 'start' OR action = 'stop' OR action = 'login' OR action = 'logout' OR action = 'register'),
  target      TEXT NOT NULL CHECK (target = 'user' OR target = 'api_key' OR target = 'git_ssh_key' OR target = 'template' OR target = 'template_version' OR target = 'workspace' OR target = 'workspace_build' OR target = 'group' OR target = 'organization' OR target = 'health_settings'),
  target_id   TEXT NOT NULL,
  target_name TEXT NOT NULL CHECK (length(target_name) <= 256),
  diff        TEXT NOT NULL CHECK (length(diff) <= 65536)
) STRICT;
CREATE INDEX audit_by_user ON audit (user_id);
CREATE INDEX audit_by_target ON audit (target);
CREATE INDEX audit_by_action ON audit (action);
CREATE VIEW active_users AS
  SELECT id AS user_id FROM users WHERE status IN ('active', 'dormant');
CREATE VIEW effective_roles AS
  SELECT b.user_id, b.role, b.organization_id
  FROM role_bindings b JOIN users u ON u.id = b.user_id
  WHERE u.status IN ('active', 'dormant');
CREATE VIEW workspace_actions AS
  SELECT column1 AS action FROM (VALUES ('view'), ('connect'), ('operate'), ('update'), ('delete'));
CREATE VIEW everywhere_grants AS
  SELECT r.user_id, a.action
  FROM effective_roles r CROSS JOIN workspace_actions a
  WHERE r.organization_id IS NULL
    AND (r.role = 'owner' OR (r.role = 'template-admin' AND a.action = 'view'));
CREATE VIEW effective_grants AS
  SELECT w.owner_id AS user_id, w.id AS workspace_id, a.action AS action, 'owner' AS reason, NULL AS until_at
  FROM workspaces w JOIN users u ON u.id = w.owner_id CROSS JOIN workspace_actions a
  WHERE u.status IN ('active', 'dormant') AND w.deleted_at IS NULL
  UNION ALL
  SELECT e.user_id, w.id, e.action, 'role', NULL
  FROM everywhere_grants e CROSS JOIN workspaces w
  WHERE w.deleted_at IS NULL;
