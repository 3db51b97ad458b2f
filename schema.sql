-- The whole schema as it is today, executed for a fresh database.
-- Ids are UUIDv7 as text, times integer seconds since the epoch named *_at, milliseconds *_ms.
-- Names of users, workspaces and templates compare without regard to case.
-- A check on more than two words is written with OR: for IN, SQLite fills a table of its own at each
-- insert.

-- What the deployment knows of itself.
CREATE TABLE settings (
  key   TEXT NOT NULL PRIMARY KEY CHECK (length(key) <= 64), -- a name known to the code
  value BLOB NOT NULL CHECK (length(value) <= 65536)         -- sealed where it is a secret
) STRICT, WITHOUT ROWID;

-- Where users and templates belong. One named `default` exists from the start.
CREATE TABLE organizations (
  id           TEXT NOT NULL PRIMARY KEY,                              -- also the id of its implied group Everyone
  name         TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 36), -- in URLs
  display_name TEXT NOT NULL CHECK (length(display_name) <= 64),       -- shown instead of the name
  description  TEXT NOT NULL CHECK (length(description) <= 512),       -- what it is for
  is_default   INTEGER NOT NULL CHECK (is_default IN (0, 1)),          -- the one of the start
  created_at   INTEGER NOT NULL,                                       -- when it was made
  updated_at   INTEGER NOT NULL,                                       -- when it was last changed
  quota_allowance INTEGER NOT NULL DEFAULT 0 CHECK (quota_allowance BETWEEN 0 AND 1000000000), -- credits a day that Everyone adds to each member's budget
  icon TEXT NOT NULL DEFAULT '' CHECK (length(icon) <= 256), -- URL or path of a picture; may be empty
  sharing TEXT NOT NULL DEFAULT 'everyone' CHECK (sharing = 'everyone' OR sharing = 'none' OR sharing = 'service_accounts') -- whose workspaces may be shared (model::grant::Mode)
) STRICT;

-- People and service accounts. A deleted one stays as a tombstone, its name free again.
CREATE TABLE users (
  id           TEXT NOT NULL PRIMARY KEY,                                          -- the user
  username     TEXT NOT NULL COLLATE NOCASE CHECK (length(username) BETWEEN 1 AND 32), -- unique among those not deleted
  name         TEXT NOT NULL CHECK (length(name) <= 128),                          -- full name, may be empty
  email        TEXT NOT NULL COLLATE NOCASE CHECK (length(email) <= 254),          -- empty for service accounts
  kind         TEXT NOT NULL CHECK (kind IN ('person', 'service')),                -- UserKind
  status       TEXT NOT NULL CHECK (status = 'active' OR status = 'dormant' OR status = 'suspended' OR status = 'deleted'), -- UserStatus
  login_type   TEXT NOT NULL CHECK (login_type = 'password' OR login_type = 'none' OR login_type = 'oidc' OR login_type = 'github' OR login_type = 'ldap'), -- LoginType
  created_at   INTEGER NOT NULL,                                                   -- when it was made
  updated_at   INTEGER NOT NULL,                                                   -- when it was last changed
  last_seen_at INTEGER                                                             -- last sign-in or use of a token
) STRICT;
CREATE UNIQUE INDEX users_by_name ON users (username) WHERE status <> 'deleted';
CREATE INDEX users_by_former_name ON users (username, created_at) WHERE status = 'deleted';
CREATE INDEX users_by_status ON users (status) WHERE status <> 'deleted';
CREATE INDEX users_by_login_type ON users (login_type) WHERE status <> 'deleted';
CREATE UNIQUE INDEX users_by_email ON users (email) WHERE status <> 'deleted' AND email <> '';

-- Argon2id hashes, apart from the users so that no list of users can carry one.
CREATE TABLE passwords (
  user_id    TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE, -- whose
  hash       TEXT NOT NULL CHECK (length(hash) <= 256),                         -- PHC string
  changed_at INTEGER NOT NULL                                                   -- when it was set
) STRICT, WITHOUT ROWID;

-- The app of a person that shows codes.
CREATE TABLE totp_factors (
  user_id      TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE, -- whose
  secret       BLOB NOT NULL CHECK (length(secret) <= 256),                       -- sealed
  created_at   INTEGER NOT NULL,                                                  -- when the secret was made
  confirmed_at INTEGER,                                                           -- when a code of it was first given; until then it is none
  last_step    INTEGER NOT NULL,                                                  -- the thirty seconds of the last code that was used
  last_used_at INTEGER                                                            -- when that was
) STRICT, WITHOUT ROWID;

-- Passkeys: public keys of authenticators.
CREATE TABLE passkeys (
  id            TEXT NOT NULL PRIMARY KEY,                             -- the passkey
  user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- whose
  credential_id BLOB NOT NULL UNIQUE CHECK (length(credential_id) BETWEEN 1 AND 1023), -- what the authenticator calls it
  public_key    BLOB NOT NULL CHECK (length(public_key) <= 1200),      -- as COSE has it
  counter       INTEGER NOT NULL CHECK (counter >= 0),                 -- how often it was used, as it says itself
  name          TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),   -- given by the user
  created_at    INTEGER NOT NULL,                                      -- when it was added
  last_used_at  INTEGER                                                -- when it was last used
) STRICT;
CREATE INDEX passkeys_by_user ON passkeys (user_id, created_at);

-- Codes for who has lost every other second factor; a used one is gone.
CREATE TABLE recovery_codes (
  user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- whose
  hash       BLOB NOT NULL CHECK (length(hash) = 32),               -- SHA-256 of the code, 80 random bits
  created_at INTEGER NOT NULL,                                      -- when it was made
  PRIMARY KEY (user_id, hash)
) STRICT, WITHOUT ROWID;

-- Questions that passkeys have answered, until they would be too old anyway: none is answered twice.
CREATE TABLE spent_challenges (
  hash    BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32), -- SHA-256 of the question
  ends_at INTEGER NOT NULL                                     -- when it is too old
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_challenges_by_end ON spent_challenges (ends_at);

-- Failed sign-ins, per account and per network, for the growing delay.
CREATE TABLE lockouts (
  subject   TEXT NOT NULL PRIMARY KEY CHECK (length(subject) <= 128), -- user:<name> or net:<prefix> for passwords, door:<prefix> for links and tokens, code:<user id> for share codes, link:<user id> for links to requests
  n_failed  INTEGER NOT NULL CHECK (n_failed >= 0),                   -- failures since the last success
  failed_at INTEGER NOT NULL,                                         -- the last failure
  until_at  INTEGER NOT NULL                                          -- no attempt counts before this
) STRICT, WITHOUT ROWID;
CREATE INDEX lockouts_by_time ON lockouts (failed_at);

-- SSH public keys that open the front door.
CREATE TABLE ssh_keys (
  id           TEXT NOT NULL PRIMARY KEY,                                     -- the key
  user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,         -- whose
  name         TEXT NOT NULL CHECK (length(name) <= 128),                     -- its comment or given name
  public_key   TEXT NOT NULL CHECK (length(public_key) <= 16384),             -- algorithm and base64, no comment
  fingerprint  TEXT NOT NULL UNIQUE CHECK (length(fingerprint) <= 64),        -- SHA256:…; one key, one user
  created_at   INTEGER NOT NULL,                                              -- when it was added
  last_used_at INTEGER                                                        -- when it last opened a session
) STRICT;
CREATE INDEX ssh_keys_by_user ON ssh_keys (user_id, created_at);

-- Tokens of browsers, programs and workspaces; only the hash of the secret is kept.
CREATE TABLE tokens (
  id           TEXT NOT NULL PRIMARY KEY,                              -- the token
  public_id    TEXT NOT NULL UNIQUE CHECK (length(public_id) = 10),    -- the part it is looked up by
  hash         BLOB NOT NULL CHECK (length(hash) = 32),                -- SHA-256 of the secret part
  user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,  -- whose
  kind         TEXT NOT NULL CHECK (kind = 'session' OR kind = 'api' OR kind = 'workspace'), -- TokenKind
  name         TEXT NOT NULL CHECK (length(name) <= 64),               -- given by the user, empty for sessions
  workspace_id TEXT REFERENCES workspaces (id) ON DELETE CASCADE,      -- for kind workspace: lent to this one
  created_at   INTEGER NOT NULL,                                       -- when it was made
  expires_at   INTEGER NOT NULL,                                       -- when it ends
  lifetime_s   INTEGER NOT NULL CHECK (lifetime_s > 0),                -- a session's end slides by this much
  last_used_at INTEGER,                                                -- when it was last used, to the minute
  last_used_ip TEXT NOT NULL CHECK (length(last_used_ip) <= 64),       -- from where; may be empty
  scopes       TEXT NOT NULL DEFAULT 'all' CHECK (length(scopes) <= 8192), -- what it may do: the words of policy::Scope
  things       TEXT NOT NULL DEFAULT '*:*' CHECK (length(things) <= 8192), -- to what: the things of policy::Scope
  networks     TEXT NOT NULL DEFAULT '' CHECK (length(networks) <= 2048),  -- from where, in CIDR form; empty for anywhere
  parent_id    TEXT REFERENCES tokens (id) ON DELETE CASCADE,          -- the token with limits that made it, with which it ends
  depth        INTEGER NOT NULL DEFAULT 0 CHECK (depth BETWEEN 0 AND 8), -- how many tokens with limits are above it
  identity_grant_id TEXT REFERENCES identity_grants (id) ON DELETE CASCADE, -- for kind session: ends with this
  mfa_at       INTEGER                                                 -- for kind session: when a second factor was last given in it
) STRICT;
CREATE UNIQUE INDEX tokens_by_name ON tokens (user_id, name) WHERE kind = 'api';
CREATE INDEX tokens_by_user ON tokens (user_id, created_at);
CREATE INDEX tokens_by_time ON tokens (created_at, id);
CREATE INDEX tokens_by_end ON tokens (expires_at);
CREATE INDEX tokens_by_parent ON tokens (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX tokens_by_workspace ON tokens (workspace_id) WHERE workspace_id IS NOT NULL;
CREATE INDEX tokens_by_identity_grant ON tokens (identity_grant_id) WHERE identity_grant_id IS NOT NULL;

-- Who a person is at a provider that signs people in. A subject there is one user here, for good.
CREATE TABLE identities (
  id           TEXT NOT NULL PRIMARY KEY,                              -- the identity
  user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,  -- who it is here
  provider     TEXT NOT NULL CHECK (length(provider) BETWEEN 1 AND 32), -- the settings it last came by: [oidc.NAME]
  issuer       TEXT NOT NULL CHECK (length(issuer) <= 512),            -- the provider
  subject      TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 255), -- who it is there
  email        TEXT NOT NULL COLLATE NOCASE CHECK (length(email) <= 254), -- the address it last came with
  claims       TEXT NOT NULL CHECK (length(claims) <= 16384),          -- what was last said of it, JSON
  created_at   INTEGER NOT NULL,                                       -- when it first signed in
  last_used_at INTEGER NOT NULL,                                       -- when the provider last spoke of it
  UNIQUE (issuer, subject)
) STRICT;
CREATE INDEX identities_by_user ON identities (user_id);
CREATE INDEX identities_by_provider ON identities (provider, user_id);

-- What a provider granted at a sign-in; sessions that began with it end with it.
CREATE TABLE identity_grants (
  id            TEXT NOT NULL PRIMARY KEY,                                  -- the grant
  identity_id   TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE, -- whose
  provider      TEXT NOT NULL CHECK (length(provider) BETWEEN 1 AND 32),    -- the settings it came by: [oidc.NAME]
  sid           TEXT NOT NULL CHECK (length(sid) <= 255),                   -- the provider's session; may be empty
  refresh_token BLOB CHECK (length(refresh_token) <= 8192),                 -- sealed; null when none was given
  created_at    INTEGER NOT NULL,                                           -- when it was granted
  refresh_at    INTEGER NOT NULL,                                           -- when the provider is asked again
  ends_at       INTEGER NOT NULL                                            -- when it ends, unless the provider renews it
) STRICT;
CREATE INDEX identity_grants_by_identity ON identity_grants (identity_id);
CREATE INDEX identity_grants_by_refresh ON identity_grants (refresh_at);
CREATE INDEX identity_grants_by_end ON identity_grants (ends_at);
CREATE INDEX identity_grants_by_sid ON identity_grants (sid) WHERE sid <> '';
CREATE INDEX identity_grants_by_provider ON identity_grants (provider);

-- Ways to sign in that were set up on their page. Those of the settings' file are not here.
CREATE TABLE providers (
  name       TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 32), -- as identities have it
  kind       TEXT NOT NULL CHECK (kind = 'oidc' OR kind = 'github' OR kind = 'ldap' OR kind = 'scim'), -- ProviderKind
  settings   TEXT NOT NULL CHECK (json_valid(settings) AND length(settings) <= 131072), -- JSON with the keys of the file, without the secret
  secret     BLOB CHECK (length(secret) <= 32768),                            -- sealed; null when there is none
  changed_by TEXT REFERENCES users (id) ON DELETE SET NULL,                   -- who set it up, or changed it last
  changed_at INTEGER NOT NULL                                                 -- when
) STRICT;
CREATE INDEX providers_by_changer ON providers (changed_by) WHERE changed_by IS NOT NULL;

-- Who belongs to which organization.
CREATE TABLE memberships (
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE, -- where
  user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,         -- who
  created_at      INTEGER NOT NULL,                                              -- since when
  identity_id     TEXT REFERENCES identities (id) ON DELETE SET NULL,            -- whose organizations put them in; null when someone here did
  PRIMARY KEY (organization_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_user ON memberships (user_id);
CREATE INDEX memberships_by_identity ON memberships (identity_id) WHERE identity_id IS NOT NULL;

-- Groups of users; Everyone is implied by membership and not stored.
CREATE TABLE groups (
  id              TEXT NOT NULL PRIMARY KEY,                                     -- the group
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE, -- where it belongs
  name            TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 36), -- unique per organization
  display_name    TEXT NOT NULL CHECK (length(display_name) <= 64),              -- shown instead of the name
  created_at      INTEGER NOT NULL,                                              -- when it was made
  updated_at      INTEGER NOT NULL,                                              -- when it was last changed
  source          TEXT NOT NULL DEFAULT 'user' CHECK (source IN ('user', 'oidc')), -- GroupSource
  quota_allowance INTEGER NOT NULL DEFAULT 0 CHECK (quota_allowance BETWEEN 0 AND 1000000000), -- credits a day that it adds to each member's budget
  avatar_url      TEXT NOT NULL DEFAULT '' CHECK (length(avatar_url) <= 256),    -- URL or path of a picture, may be empty
  UNIQUE (organization_id, name)
) STRICT;
CREATE INDEX groups_with_allowance ON groups (organization_id) WHERE quota_allowance > 0;

-- Who is in a group.
CREATE TABLE group_members (
  group_id   TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE, -- where
  user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,  -- who
  created_at INTEGER NOT NULL,                                       -- since when
  identity_id TEXT REFERENCES identities (id) ON DELETE CASCADE,     -- whose groups put them in; null when someone here did
  PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_members_by_user ON group_members (user_id);
CREATE INDEX group_members_by_identity ON group_members (identity_id) WHERE identity_id IS NOT NULL;

-- Users whom an identity provider keeps by SCIM, and what it said of each last.
CREATE TABLE scim_users (
  user_id     TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE, -- who it is here
  provider    TEXT NOT NULL CHECK (length(provider) <= 32),                      -- the settings by which they sign in; may be empty
  user_name   TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(user_name) BETWEEN 1 AND 254), -- what the provider calls them
  external_id TEXT NOT NULL CHECK (length(external_id) <= 255),                  -- the provider's own id of them; may be empty
  active      INTEGER CHECK (active IN (0, 1)),                                  -- whether it lets them in; null when it did not say
  profile     TEXT NOT NULL CHECK (length(profile) <= 16384),                    -- the other attributes, JSON
  created_at  INTEGER NOT NULL,                                                  -- since when it keeps them
  updated_at  INTEGER NOT NULL,                                                  -- when it last changed them
  is_stopped  INTEGER NOT NULL DEFAULT 0 CHECK (is_stopped IN (0, 1))            -- suspended by the provider, which may lift it
) STRICT, WITHOUT ROWID;
CREATE INDEX scim_users_by_external_id ON scim_users (external_id) WHERE external_id <> '';

-- Groups that an identity provider keeps by SCIM.
CREATE TABLE scim_groups (
  group_id     TEXT NOT NULL PRIMARY KEY REFERENCES groups (id) ON DELETE CASCADE, -- which it is here
  display_name TEXT NOT NULL COLLATE NOCASE CHECK (length(display_name) BETWEEN 1 AND 255), -- what the provider calls it
  external_id  TEXT NOT NULL CHECK (length(external_id) <= 255),                  -- the provider's own id of it; may be empty
  created_at   INTEGER NOT NULL,                                                  -- since when it keeps it
  updated_at   INTEGER NOT NULL                                                   -- when it last changed it
) STRICT, WITHOUT ROWID;
CREATE INDEX scim_groups_by_name ON scim_groups (display_name);
CREATE INDEX scim_groups_by_external_id ON scim_groups (external_id) WHERE external_id <> '';

-- Links by which people make accounts of their own, each once; those that were used are gone.
CREATE TABLE invitations (
  id         TEXT NOT NULL PRIMARY KEY,                             -- the invitation
  public_id  TEXT NOT NULL UNIQUE CHECK (length(public_id) = 10),   -- the part of the link it is looked up by
  hash       BLOB NOT NULL CHECK (length(hash) = 32),               -- SHA-256 of the secret part
  email      TEXT NOT NULL COLLATE NOCASE CHECK (length(email) <= 254), -- the address of the account; empty when the guest says it
  roles      TEXT NOT NULL CHECK (length(roles) <= 256),            -- SiteRole, the words that come with it
  made_by    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- who made it, and must still be able to
  created_at INTEGER NOT NULL,                                      -- when it was made
  expires_at INTEGER NOT NULL                                       -- when it ends
) STRICT;
CREATE INDEX invitations_by_maker ON invitations (made_by);
CREATE INDEX invitations_by_end ON invitations (expires_at, id);

-- Groups that come with an invitation.
CREATE TABLE invitation_groups (
  invitation_id TEXT NOT NULL REFERENCES invitations (id) ON DELETE CASCADE, -- which
  group_id      TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,      -- where the guest will be
  PRIMARY KEY (invitation_id, group_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_groups_by_group ON invitation_groups (group_id);

-- Who answers for each service account.
CREATE TABLE service_accounts (
  user_id        TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE, -- the account
  responsible_id TEXT REFERENCES users (id),                       -- who answers for it; null for nobody
  is_stopped     INTEGER NOT NULL CHECK (is_stopped IN (0, 1)),    -- suspended because nobody who may act answers for it
  updated_at     INTEGER NOT NULL                                  -- when this last changed
) STRICT, WITHOUT ROWID;
CREATE INDEX service_accounts_by_responsible ON service_accounts (responsible_id) WHERE responsible_id IS NOT NULL;

-- Who holds which role beyond member, on the site or in an organization.
CREATE TABLE role_bindings (
  user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- who
  role            TEXT NOT NULL CHECK (length(role) BETWEEN 1 AND 64),   -- SiteRole, OrganizationRole or the name of a custom role
  organization_id TEXT REFERENCES organizations (id) ON DELETE CASCADE,  -- null for the site
  created_at      INTEGER NOT NULL,                                      -- since when
  identity_id     TEXT REFERENCES identities (id) ON DELETE CASCADE      -- whose provider gave it; null when someone here did
) STRICT;
CREATE UNIQUE INDEX role_bindings_by_user ON role_bindings (user_id, role, coalesce(organization_id, ''));
CREATE INDEX role_bindings_by_role ON role_bindings (role);
CREATE INDEX role_bindings_by_organization ON role_bindings (organization_id, role) WHERE organization_id IS NOT NULL;
CREATE INDEX role_bindings_by_identity ON role_bindings (identity_id) WHERE identity_id IS NOT NULL;

-- How groups, roles and organizations follow a provider where that was set here, over the server's file.
CREATE TABLE idp_syncs (
  provider        TEXT NOT NULL CHECK (length(provider) BETWEEN 1 AND 32),       -- the settings by which people sign in
  kind            TEXT NOT NULL CHECK (kind = 'groups' OR kind = 'roles' OR kind = 'organizations'), -- SyncKind
  organization_id TEXT REFERENCES organizations (id) ON DELETE CASCADE,          -- where it follows; null for organizations themselves
  settings        TEXT NOT NULL CHECK (length(settings) <= 65536),               -- SetSync, JSON
  updated_at      INTEGER NOT NULL                                               -- when it was last set
) STRICT;
CREATE UNIQUE INDEX idp_syncs_by_provider ON idp_syncs (provider, kind, coalesce(organization_id, ''));
CREATE INDEX idp_syncs_by_organization ON idp_syncs (organization_id) WHERE organization_id IS NOT NULL;

-- Custom roles of an organization: named sets of permissions. A name does not change.
CREATE TABLE roles (
  id              TEXT NOT NULL PRIMARY KEY,                                     -- the role
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE, -- where it holds
  name            TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64), -- unique per organization, as role_bindings has it
  display_name    TEXT NOT NULL CHECK (length(display_name) <= 64),              -- shown instead of the name
  created_at      INTEGER NOT NULL,                                              -- when it was made
  updated_at      INTEGER NOT NULL,                                              -- when it was last changed
  UNIQUE (organization_id, name)
) STRICT;

-- What a custom role holds.
CREATE TABLE role_permissions (
  role_id    TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,          -- which role
  permission TEXT NOT NULL CHECK (length(permission) BETWEEN 3 AND 64),      -- policy::Permission, resource:action
  PRIMARY KEY (role_id, permission)
) STRICT, WITHOUT ROWID;

-- Uploaded archives by content; the same bytes are kept once.
CREATE TABLE archives (
  hash       BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32), -- SHA-256 of the body
  body       BLOB NOT NULL,                                       -- tar, at most 100 MiB
  created_at INTEGER NOT NULL                                     -- when it was first uploaded
) STRICT;

-- Uploads: who sent which archive.
CREATE TABLE files (
  id         TEXT NOT NULL PRIMARY KEY,                    -- the upload
  hash       BLOB NOT NULL REFERENCES archives (hash),     -- what was sent
  created_by TEXT NOT NULL REFERENCES users (id),          -- who sent it
  created_at INTEGER NOT NULL,                             -- when; of one that is not used, when it was last sent
  is_used    INTEGER NOT NULL DEFAULT 0 CHECK (is_used IN (0, 1)), -- whether a version was made from it
  UNIQUE (created_by, hash)
) STRICT;
CREATE INDEX files_by_hash ON files (hash);
CREATE INDEX files_unused ON files (created_at) WHERE is_used = 0;

-- What a runner does for a build or an import. At most one runner holds a job.
CREATE TABLE jobs (
  id           TEXT NOT NULL PRIMARY KEY,                                        -- the job
  kind         TEXT NOT NULL CHECK (kind IN ('build', 'import')),                -- what for
  status       TEXT NOT NULL CHECK (status = 'pending' OR status = 'running' OR status = 'canceling' OR status = 'canceled' OR status = 'succeeded' OR status = 'failed'), -- JobStatus
  error        TEXT NOT NULL CHECK (length(error) <= 8192),                      -- why it failed; empty otherwise
  created_at   INTEGER NOT NULL,                                                 -- when it was asked for
  started_at   INTEGER,                                                          -- when a runner took it
  ended_at     INTEGER,                                                          -- when it ended
  runner       TEXT NOT NULL CHECK (length(runner) <= 64),                       -- who has it; empty while pending
  heartbeat_at INTEGER,                                                          -- when the runner was last heard
  n_log_bytes  INTEGER NOT NULL DEFAULT 0,                                       -- of its log, for the limit
  log_kept     INTEGER NOT NULL DEFAULT 1 CHECK (log_kept IN (0, 1)),            -- 0 once log and timings were removed for their age
  is_last      INTEGER NOT NULL CHECK (is_last IN (0, 1))                        -- 1 for a build that is its workspace's last
) STRICT;
CREATE INDEX jobs_last ON jobs (status) WHERE is_last = 1;
CREATE INDEX jobs_with_log ON jobs (ended_at) WHERE log_kept = 1;
CREATE INDEX jobs_waiting ON jobs (created_at, id) WHERE status IN ('pending', 'running', 'canceling');

-- The log of a job.
CREATE TABLE job_logs (
  id     INTEGER PRIMARY KEY,                                                          -- grows; clients resume after it
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,                         -- whose
  at_ms  INTEGER NOT NULL,                                                             -- when
  source TEXT NOT NULL CHECK (source IN ('provisioner', 'provisioner_daemon')),        -- LogSource
  level  TEXT NOT NULL CHECK (level = 'trace' OR level = 'debug' OR level = 'info' OR level = 'warn' OR level = 'error'),   -- LogLevel
  stage  TEXT NOT NULL CHECK (length(stage) <= 128),                                   -- the step it belongs to
  output TEXT NOT NULL CHECK (length(output) <= 8192)                                  -- one line
) STRICT;
CREATE INDEX job_logs_by_job ON job_logs (job_id, id);

-- How long each step of a job took.
CREATE TABLE timings (
  id         INTEGER PRIMARY KEY,                                        -- order of arrival
  job_id     TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,       -- whose
  stage      TEXT NOT NULL CHECK (length(stage) <= 64),                  -- init, plan, graph, apply
  source     TEXT NOT NULL CHECK (length(source) <= 256),                -- terraform or the provider
  action     TEXT NOT NULL CHECK (length(action) <= 64),                 -- create, read, delete
  resource   TEXT NOT NULL CHECK (length(resource) <= 512),              -- address, or empty
  started_ms INTEGER NOT NULL,                                           -- when it began
  ended_ms   INTEGER NOT NULL                                            -- when it ended
) STRICT;
CREATE INDEX timings_by_job ON timings (job_id, id);

-- Terraform modules that people start from.
CREATE TABLE templates (
  id                TEXT NOT NULL PRIMARY KEY,                                     -- the template
  organization_id   TEXT NOT NULL REFERENCES organizations (id),                   -- where it belongs
  name              TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 32), -- unique per organization
  display_name      TEXT NOT NULL CHECK (length(display_name) <= 64),              -- shown instead of the name
  description       TEXT NOT NULL CHECK (length(description) <= 512),              -- a sentence
  icon              TEXT NOT NULL CHECK (length(icon) <= 256),                     -- URL or path, may be empty
  active_version_id TEXT NOT NULL REFERENCES template_versions (id) DEFERRABLE INITIALLY DEFERRED, -- what new workspaces use
  deprecation       TEXT NOT NULL CHECK (length(deprecation) <= 512),              -- why not to use it; empty for a current one
  default_ttl_s     INTEGER NOT NULL CHECK (default_ttl_s >= 0),                   -- 0 for no end
  created_by        TEXT NOT NULL REFERENCES users (id),                           -- who made it
  created_at        INTEGER NOT NULL,                                              -- when it was made
  updated_at        INTEGER NOT NULL,                                              -- when it was last changed
  deleted_at        INTEGER                                                        -- a tombstone keeps the name for history
) STRICT;
CREATE INDEX templates_by_active_version ON templates (active_version_id);
CREATE UNIQUE INDEX templates_by_name ON templates (organization_id, name) WHERE deleted_at IS NULL;

-- Who may use and keep a template, besides who may by a role. No user and no group: Everyone in the
-- template's organization.
CREATE TABLE template_grants (
  template_id TEXT NOT NULL REFERENCES templates (id) ON DELETE CASCADE, -- which
  user_id     TEXT REFERENCES users (id) ON DELETE CASCADE,              -- who; null for a group and for Everyone
  group_id    TEXT REFERENCES groups (id) ON DELETE CASCADE,             -- whose members; null for a user and for Everyone
  role        TEXT NOT NULL CHECK (role IN ('use', 'admin')),            -- TemplateRole
  created_at  INTEGER NOT NULL,                                          -- since when
  CHECK (user_id IS NULL OR group_id IS NULL)
) STRICT;
CREATE UNIQUE INDEX template_grants_by_template ON template_grants (template_id, coalesce(user_id, group_id, ''));
CREATE INDEX template_grants_by_user ON template_grants (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX template_grants_by_group ON template_grants (group_id) WHERE group_id IS NOT NULL;

-- Imports of a template; a version does not change once imported.
CREATE TABLE template_versions (
  id              TEXT NOT NULL PRIMARY KEY,                                   -- the version
  template_id     TEXT REFERENCES templates (id) DEFERRABLE INITIALLY DEFERRED, -- null until the first is promoted
  organization_id TEXT NOT NULL REFERENCES organizations (id),                 -- where it belongs
  name            TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),         -- unique per template
  message         TEXT NOT NULL CHECK (length(message) <= 1048576),            -- what changed
  file_id         TEXT NOT NULL REFERENCES files (id),                         -- its archive
  job_id          TEXT NOT NULL UNIQUE REFERENCES jobs (id),                   -- the import
  variables       BLOB NOT NULL,                                               -- sealed JSON of the values given by its author
  imported        TEXT NOT NULL,                                               -- JSON of model::template::Imported; {} before
  archived        INTEGER NOT NULL CHECK (archived IN (0, 1)),                 -- is not offered any more
  created_by      TEXT NOT NULL REFERENCES users (id),                         -- who pushed it
  created_at      INTEGER NOT NULL,                                            -- when it was pushed
  updated_at      INTEGER NOT NULL                                             -- when it was last changed
) STRICT;
CREATE UNIQUE INDEX template_versions_by_name ON template_versions (template_id, name) WHERE template_id IS NOT NULL;
CREATE INDEX template_versions_by_file ON template_versions (file_id);
CREATE INDEX template_versions_by_template ON template_versions (template_id, created_at, id);

-- Workspaces; what state one is in follows from its last build.
CREATE TABLE workspaces (
  id                 TEXT NOT NULL PRIMARY KEY,                                     -- the workspace
  organization_id    TEXT NOT NULL REFERENCES organizations (id),                   -- where it belongs
  owner_id           TEXT NOT NULL REFERENCES users (id),                           -- whose
  name               TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 32), -- unique per owner
  template_id        TEXT NOT NULL REFERENCES templates (id),                       -- what it is made from
  autostart_schedule TEXT NOT NULL CHECK (length(autostart_schedule) <= 128),       -- cron with CRON_TZ; empty for none
  ttl_s              INTEGER CHECK (ttl_s > 0),                                     -- seconds it runs; null for no end
  automatic_updates  INTEGER NOT NULL CHECK (automatic_updates IN (0, 1)),          -- takes the active version at each start
  created_at         INTEGER NOT NULL,                                              -- when it was made
  updated_at         INTEGER NOT NULL,                                              -- when it was last changed
  last_used_at       INTEGER NOT NULL,                                              -- when someone was last in it
  deleted_at         INTEGER,                                                       -- a tombstone: its name is free again
  daily_cost         INTEGER NOT NULL DEFAULT 0 CHECK (daily_cost BETWEEN 0 AND 1000000000) -- credits a day that it counts in its owner's budget: of what is there, or what a build under way may make
) STRICT;
CREATE UNIQUE INDEX workspaces_by_name ON workspaces (owner_id, name) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_by_organization ON workspaces (organization_id) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_deleted ON workspaces (owner_id) WHERE deleted_at IS NOT NULL;
-- The constant column lets workspaces be counted in the index alone.
CREATE INDEX workspaces_by_template ON workspaces (template_id, deleted_at) WHERE deleted_at IS NULL;

-- Workspaces that someone wants to find first.
CREATE TABLE favorites (
  user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,      -- whose
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- which
  PRIMARY KEY (user_id, workspace_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX favorites_by_workspace ON favorites (workspace_id);

-- What someone was given on a workspace, by whom, and within which limits. Whoever owns it, and who may by
-- a role, has no row here. One that was ended stays for a while: it can be restored.
CREATE TABLE grants (
  id           TEXT NOT NULL PRIMARY KEY,                                     -- the grant
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,    -- on what
  organization_id TEXT NOT NULL REFERENCES organizations (id),                  -- where that belongs
  user_id      TEXT REFERENCES users (id),                                    -- to whom; null for a group, or Everyone
  group_id     TEXT REFERENCES groups (id) ON DELETE CASCADE,                 -- to which group; null besides the two beside it for Everyone
  rotation_id  TEXT REFERENCES rotations (id) ON DELETE CASCADE,            -- to whoever is on call there
  verbs        INTEGER NOT NULL CHECK (verbs BETWEEN 1 AND 255),              -- a bit for each, as workspace_verbs has them
  from_at      INTEGER NOT NULL,                                              -- not before
  until_at     INTEGER CHECK (until_at > from_at),                            -- not from then on; null for no end
  hours        TEXT NOT NULL CHECK (length(hours) <= 128),                    -- a weekly window (model::window); empty for always
  networks     TEXT NOT NULL CHECK (length(networks) <= 1024),                -- CIDRs by commas; empty for anywhere
  needs_mfa    INTEGER NOT NULL CHECK (needs_mfa IN (0, 1)),                  -- only in a session with a second factor
  is_recorded  INTEGER NOT NULL CHECK (is_recorded IN (0, 1)),                -- what is done under it is recorded
  reason       TEXT NOT NULL CHECK (length(reason) <= 512),                   -- why, as the granter said; may be empty
  granted_by   TEXT REFERENCES users (id),                                    -- who granted it; null for the program
  granted_at   INTEGER NOT NULL,                                              -- when
  via          TEXT NOT NULL CHECK (via = 'direct' OR via = 'code' OR via = 'request' OR via = 'break_glass'), -- Via
  under_id     TEXT REFERENCES grants (id) ON DELETE CASCADE,                 -- the granter held it by this grant, whose end and limits are its own; null for the owner and by a role
  ended_at     INTEGER,                                                       -- when it was ended by hand; null while it stands
  ended_by     TEXT REFERENCES users (id),                                    -- by whom
  ended_why    TEXT CHECK (ended_why = 'removed' OR ended_why = 'left' OR ended_why = 'mode' OR ended_why = 'shift'), -- EndedWhy
  by_role      INTEGER NOT NULL DEFAULT 0 CHECK (by_role IN (0, 1)),          -- who granted it could by a role alone, and it holds while they may still share it otherwise than by a grant
  shift_of_id  TEXT REFERENCES rotations (id) ON DELETE CASCADE,              -- they were let in at once for being on call there, and it ends when they no longer are
  CHECK ((user_id IS NOT NULL) + (group_id IS NOT NULL) + (rotation_id IS NOT NULL) <= 1),
  CHECK ((ended_at IS NULL) = (ended_why IS NULL))
) STRICT;
CREATE INDEX grants_by_workspace ON grants (workspace_id, granted_at);
CREATE INDEX grants_by_user ON grants (user_id, workspace_id) WHERE user_id IS NOT NULL;
CREATE INDEX grants_by_group ON grants (group_id, workspace_id) WHERE group_id IS NOT NULL;
CREATE INDEX grants_to_everyone ON grants (organization_id, workspace_id) WHERE user_id IS NULL AND group_id IS NULL AND rotation_id IS NULL;
CREATE INDEX grants_by_rotation ON grants (rotation_id, workspace_id) WHERE rotation_id IS NOT NULL;
CREATE INDEX grants_by_granter ON grants (granted_by) WHERE granted_by IS NOT NULL;
CREATE INDEX grants_by_ender ON grants (ended_by) WHERE ended_by IS NOT NULL;
CREATE INDEX grants_by_under ON grants (under_id) WHERE under_id IS NOT NULL;
CREATE INDEX grants_by_shift ON grants (shift_of_id) WHERE shift_of_id IS NOT NULL;
CREATE INDEX grants_by_end ON grants (coalesce(ended_at, until_at)) WHERE ended_at IS NOT NULL OR until_at IS NOT NULL;

-- Texts by which someone who is signed in gets a grant on a workspace; only the hash is kept.
CREATE TABLE codes (
  id           TEXT NOT NULL PRIMARY KEY,                                  -- the code
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- on what
  hash         BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),             -- SHA-256 of the text, 160 random bits
  verbs        INTEGER NOT NULL CHECK (verbs BETWEEN 1 AND 63),            -- what it gives, a bit for each as in grants: neither share nor delete
  is_recorded  INTEGER NOT NULL CHECK (is_recorded IN (0, 1)),             -- what is done by it is recorded
  reason       TEXT NOT NULL CHECK (length(reason) <= 512),                -- why, as the maker said; may be empty
  made_by      TEXT NOT NULL REFERENCES users (id),                        -- who made it, and must still be able to give all of it
  created_at   INTEGER NOT NULL,                                           -- when it was made
  expires_at   INTEGER NOT NULL CHECK (expires_at > created_at),           -- nobody redeems it from then on
  grant_ttl_s  INTEGER NOT NULL CHECK (grant_ttl_s > 0),                   -- seconds that each grant by it lasts
  max_uses     INTEGER NOT NULL CHECK (max_uses BETWEEN 1 AND 100),        -- how often it may be redeemed
  uses         INTEGER NOT NULL CHECK (uses BETWEEN 0 AND max_uses),       -- how often it was
  last_used_at INTEGER,                                                    -- when it last was
  revoked_at   INTEGER,                                                    -- when it was taken back; null while it was not
  revoked_by   TEXT REFERENCES users (id),                                 -- by whom
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
) STRICT;
CREATE INDEX codes_by_workspace ON codes (workspace_id, created_at);
CREATE INDEX codes_by_end ON codes (expires_at, id);
CREATE INDEX codes_by_maker ON codes (made_by);
CREATE INDEX codes_by_revoker ON codes (revoked_by) WHERE revoked_by IS NOT NULL;

-- Who redeemed which code, each once.
CREATE TABLE code_uses (
  code_id  TEXT NOT NULL REFERENCES codes (id) ON DELETE CASCADE, -- the code
  user_id  TEXT NOT NULL REFERENCES users (id),                   -- who redeemed it
  grant_id TEXT REFERENCES grants (id) ON DELETE SET NULL,        -- the grant that it gave; null when that is forgotten
  PRIMARY KEY (code_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX code_uses_by_user ON code_uses (user_id);
CREATE INDEX code_uses_by_grant ON code_uses (grant_id) WHERE grant_id IS NOT NULL;

-- The reviewed word on who may at most what: of an organization, and of a workspace besides. It reports.
CREATE TABLE charters (
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE, -- where it holds
  workspace_id    TEXT UNIQUE REFERENCES workspaces (id) ON DELETE CASCADE,      -- for this one alone; null for all of the organization's
  text            TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 16384),        -- TOML (model::charter)
  set_by          TEXT NOT NULL REFERENCES users (id),                           -- who wrote it
  set_at          INTEGER NOT NULL                                               -- when
) STRICT;
CREATE UNIQUE INDEX charters_of_organization ON charters (organization_id) WHERE workspace_id IS NULL;
CREATE INDEX charters_by_organization ON charters (organization_id);
CREATE INDEX charters_by_author ON charters (set_by);

-- Numbered runs of a transition on a workspace.
CREATE TABLE builds (
  id           TEXT NOT NULL PRIMARY KEY,                                                   -- the build
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,                  -- whose
  number       INTEGER NOT NULL CHECK (number > 0),                                         -- dense per workspace, from 1
  transition   TEXT NOT NULL CHECK (transition = 'start' OR transition = 'stop' OR transition = 'delete'),             -- Transition
  reason       TEXT NOT NULL CHECK (reason = 'initiator' OR reason = 'autostart' OR reason = 'autostop' OR reason = 'dashboard' OR reason = 'cli' OR reason = 'ssh_connection' OR reason = 'vscode_connection' OR reason = 'jetbrains_connection'), -- BuildReason
  initiator_id TEXT NOT NULL REFERENCES users (id),                                         -- who asked
  version_id   TEXT NOT NULL REFERENCES template_versions (id),                             -- what it uses
  job_id       TEXT NOT NULL UNIQUE REFERENCES jobs (id),                                   -- its run
  orphan       INTEGER NOT NULL CHECK (orphan IN (0, 1)),                                   -- delete the record only
  then_start   INTEGER NOT NULL CHECK (then_start IN (0, 1)),                               -- a stop that is half of a restart
  daily_cost   INTEGER NOT NULL,                                                            -- credits a day of what it made
  deadline_at  INTEGER,                                                                     -- when the workspace stops by itself; null once another build follows
  created_at   INTEGER NOT NULL,                                                            -- when it was asked for
  refused_cost INTEGER CHECK (refused_cost > 0),                                            -- credits a day that the owner's budget had no room for; null otherwise
  UNIQUE (workspace_id, number)
) STRICT;
CREATE INDEX builds_due ON builds (deadline_at) WHERE deadline_at IS NOT NULL;
CREATE INDEX builds_by_version ON builds (version_id);

-- The values of a build's parameters.
CREATE TABLE build_parameters (
  build_id TEXT NOT NULL REFERENCES builds (id) ON DELETE CASCADE, -- whose
  name     TEXT NOT NULL CHECK (length(name) <= 256),              -- the parameter
  value    TEXT NOT NULL CHECK (length(value) <= 65536),           -- its value as text
  PRIMARY KEY (build_id, name)
) STRICT, WITHOUT ROWID;

-- Terraform states, one a build: what exists after it, however it ended.
CREATE TABLE states (
  build_id   TEXT NOT NULL PRIMARY KEY REFERENCES builds (id) ON DELETE CASCADE, -- after which build
  body       BLOB NOT NULL,                                                      -- sealed v4 JSON; never empty
  created_at INTEGER NOT NULL                                                    -- when it was stored
) STRICT;

-- What a build made.
CREATE TABLE resources (
  id            TEXT NOT NULL PRIMARY KEY,                                 -- new for each build
  build_id      TEXT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,    -- by which
  position      INTEGER NOT NULL,                                          -- the place in the list
  address       TEXT NOT NULL CHECK (length(address) <= 512),              -- Terraform's
  kind          TEXT NOT NULL CHECK (length(kind) <= 128),                 -- docker_container
  name          TEXT NOT NULL CHECK (length(name) <= 128),                 -- workspace
  hide          INTEGER NOT NULL CHECK (hide IN (0, 1)),                   -- is not listed
  icon          TEXT NOT NULL CHECK (length(icon) <= 256),                 -- URL or path, may be empty
  daily_cost    INTEGER NOT NULL,                                          -- credits a day
  instance_type TEXT NOT NULL CHECK (length(instance_type) <= 128),        -- where the provider says so
  metadata      TEXT NOT NULL                                              -- JSON list of ResourceMetadata
) STRICT;
CREATE INDEX resources_by_build ON resources (build_id, position);

-- Agents of a build: what was declared, and what was heard.
CREATE TABLE agents (
  id                 TEXT NOT NULL PRIMARY KEY,                                     -- new for each build
  resource_id        TEXT NOT NULL REFERENCES resources (id) ON DELETE CASCADE,     -- inside what
  build_id           TEXT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,        -- of which build
  position           INTEGER NOT NULL,                                              -- the place in the list
  name               TEXT NOT NULL COLLATE NOCASE CHECK (length(name) <= 64),       -- unique per build
  token_hash         BLOB CHECK (length(token_hash) = 32),                          -- SHA-256 of its token; null for instance identity
  instance_id        TEXT NOT NULL CHECK (length(instance_id) <= 256),              -- the cloud's id; empty otherwise
  spec               TEXT NOT NULL,                                                 -- JSON of AgentSpec without apps and what is sealed
  sealed             BLOB NOT NULL,                                                 -- sealed JSON: environment and scripts, and the token of an external agent
  created_at         INTEGER NOT NULL,                                              -- when the build made it
  first_connected_at INTEGER,                                                       -- when it first connected
  last_connected_at  INTEGER,                                                       -- when it was last heard, to ten seconds
  disconnected_at    INTEGER,                                                       -- when it went away
  lifecycle          TEXT NOT NULL CHECK (lifecycle = 'created' OR lifecycle = 'starting' OR lifecycle = 'start_timeout' OR lifecycle = 'start_error' OR lifecycle = 'ready' OR lifecycle = 'shutting_down' OR lifecycle = 'shutdown_timeout' OR lifecycle = 'shutdown_error' OR lifecycle = 'off'), -- Lifecycle
  started_at         INTEGER,                                                       -- when its start scripts began
  ready_at           INTEGER,                                                       -- when they ended
  version            TEXT NOT NULL CHECK (length(version) <= 64),                   -- the program's; empty before it connected
  expanded_directory TEXT NOT NULL CHECK (length(expanded_directory) <= 4096),      -- with ~ resolved; empty before
  n_log_bytes        INTEGER NOT NULL DEFAULT 0,                                    -- of its log, for the limit
  log_kept           INTEGER NOT NULL DEFAULT 1 CHECK (log_kept IN (0, 1)),         -- 0 once its log and its scripts' runs were removed for their age
  revoked_at         INTEGER,                                                       -- when its token was ended, because its workspace became another's; null for never
  UNIQUE (build_id, name)
) STRICT;
CREATE UNIQUE INDEX agents_by_token ON agents (token_hash, build_id) WHERE token_hash IS NOT NULL;
CREATE INDEX agents_with_log ON agents (created_at) WHERE log_kept = 1;
CREATE INDEX agents_by_resource ON agents (resource_id, position);
CREATE INDEX agents_by_instance ON agents (instance_id) WHERE instance_id <> '';

-- Apps of an agent.
CREATE TABLE agent_apps (
  id       TEXT NOT NULL PRIMARY KEY,                                                     -- new for each build
  agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,                        -- whose
  position INTEGER NOT NULL,                                                              -- the place in the list
  spec     TEXT NOT NULL,                                                                 -- JSON of AppSpec
  health   TEXT NOT NULL CHECK (health = 'disabled' OR health = 'initializing' OR health = 'healthy' OR health = 'unhealthy') -- AppHealth
) STRICT;
CREATE INDEX agent_apps_by_agent ON agent_apps (agent_id, position);

-- Scripts of an agent that ended.
CREATE TABLE agent_scripts (
  id         INTEGER PRIMARY KEY,                                          -- order of arrival
  agent_id   TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,       -- whose
  script_id  TEXT NOT NULL,                                                -- which of its spec
  stage      TEXT NOT NULL CHECK (stage = 'start' OR stage = 'stop' OR stage = 'cron'),     -- why it ran
  started_ms INTEGER NOT NULL,                                             -- when it began
  ended_ms   INTEGER NOT NULL,                                             -- when it ended
  exit_code  INTEGER NOT NULL,                                             -- -1 when it was killed
  timed_out  INTEGER NOT NULL CHECK (timed_out IN (0, 1))                  -- took too long
) STRICT;
CREATE INDEX agent_scripts_by_agent ON agent_scripts (agent_id, id);

-- Logs of agents.
CREATE TABLE agent_logs (
  id        INTEGER PRIMARY KEY,                                                        -- grows; clients resume after it
  agent_id  TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,                     -- whose
  at_ms     INTEGER NOT NULL,                                                           -- when
  level     TEXT NOT NULL CHECK (level = 'trace' OR level = 'debug' OR level = 'info' OR level = 'warn' OR level = 'error'), -- LogLevel
  source_id TEXT NOT NULL,                                                              -- the script, or the agent itself
  output    TEXT NOT NULL CHECK (length(output) <= 8192)                                -- one line
) STRICT;
CREATE INDEX agent_logs_by_agent ON agent_logs (agent_id, id);

-- The last batch of log lines stored for each life of an agent's process, so that none is stored twice.
CREATE TABLE agent_log_batches (
  agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE, -- whose
  life     TEXT NOT NULL CHECK (length(life) <= 64),               -- the process: its overlay key
  seq      INTEGER NOT NULL,                                       -- the last batch
  PRIMARY KEY (agent_id, life)
) STRICT, WITHOUT ROWID;

-- What an agent's metadata commands printed last.
CREATE TABLE agent_metadata (
  agent_id     TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE, -- whose
  key          TEXT NOT NULL CHECK (length(key) <= 128),               -- which
  value        TEXT NOT NULL CHECK (length(value) <= 2048),            -- what was printed
  error        TEXT NOT NULL CHECK (length(error) <= 2048),            -- why it failed; empty otherwise
  collected_at INTEGER NOT NULL,                                       -- when it ran
  PRIMARY KEY (agent_id, key)
) STRICT, WITHOUT ROWID;

-- The health of machines as it is now. One statement a report: a thousand machines are thirty a second.
CREATE TABLE agent_health (
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- in which workspace
  agent_name   TEXT NOT NULL CHECK (length(agent_name) <= 64),             -- of which agent; each build has another one of that name
  agent_id     TEXT NOT NULL,                                              -- the one that told last
  state        TEXT NOT NULL CHECK (state = 'ok' OR state = 'degraded' OR state = 'lost'), -- health::State
  troubles     TEXT NOT NULL CHECK (length(troubles) <= 128),              -- JSON list of health::Trouble: what needs care
  turning      TEXT NOT NULL CHECK (length(turning) <= 128),               -- JSON list of them: what was told otherwise once
  since_at     INTEGER NOT NULL,                                           -- since when the state is this one
  figures      TEXT CHECK (length(figures) <= 1024),                       -- JSON of health::Figures: what was told last; null for nothing yet
  heard_at     INTEGER NOT NULL,                                           -- when that was
  point_at     INTEGER,                                                    -- the minute of the last point of its history; null for none
  changes      TEXT NOT NULL CHECK (length(changes) <= 8192),              -- JSON list of health::Change: at most 32, the last one last
  PRIMARY KEY (workspace_id, agent_name)
) STRICT;
CREATE UNIQUE INDEX agent_health_by_agent ON agent_health (agent_id);

-- The history of machines' health: rings of blocks, half an hour of minutes or half a day of quarters each. A minute
-- appends 22 bytes to one row of a page at most; what is too old is written over, and nobody has to remove it.
CREATE TABLE agent_health_blocks (
  id           INTEGER PRIMARY KEY,                                        -- nothing else names it
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- in which workspace
  agent_name   TEXT NOT NULL CHECK (length(agent_name) <= 64),             -- of which agent; each build has another one of that name
  step         TEXT NOT NULL CHECK (step IN ('minute', 'quarter')),        -- health::series::Step
  slot         INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 60),             -- its place in the ring
  began_at     INTEGER NOT NULL,                                           -- when the half hour or half day began that it holds now
  points       BLOB NOT NULL CHECK (length(points) <= 2112),               -- 22 bytes a point, appended (health::series::Point)
  UNIQUE (workspace_id, agent_name, step, slot)
) STRICT;

-- Where machines that someone else runs were when they last connected, so that they can be woken by another there.
CREATE TABLE agent_spots (
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- in which workspace
  agent_name   TEXT NOT NULL CHECK (length(agent_name) <= 64),             -- of which agent; each build has another one of that name
  cards        TEXT NOT NULL CHECK (length(cards) <= 256),                 -- JSON list of waking::Card: the hardware addresses of its network cards
  interfaces   TEXT NOT NULL CHECK (length(interfaces) <= 256),            -- JSON list of waking::Interface: its addresses on their networks
  seen_from    TEXT NOT NULL CHECK (length(seen_from) <= 64),              -- from which address it connected
  woken_at     INTEGER,                                                    -- when it was woken last; null since it connected
  PRIMARY KEY (workspace_id, agent_name)
) STRICT;

-- Sessions: every way in, from its first byte to its last.
CREATE TABLE connections (
  id           TEXT NOT NULL PRIMARY KEY,                                       -- the session
  user_id      TEXT NOT NULL REFERENCES users (id),                             -- who
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,      -- where
  agent_id     TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,          -- in which agent
  kind         TEXT NOT NULL CHECK (kind = 'terminal' OR kind = 'ssh' OR kind = 'sftp' OR kind = 'forward' OR kind = 'tunnel' OR kind = 'app' OR kind = 'vscode' OR kind = 'jetbrains'), -- SessionKind
  address      TEXT NOT NULL CHECK (length(address) <= 64),                     -- the client's
  client       TEXT NOT NULL CHECK (length(client) <= 256),                     -- what it calls itself
  began_at     INTEGER NOT NULL,                                                -- first byte
  ended_at     INTEGER,                                                         -- last byte; null while it lasts
  end_reason   TEXT CHECK (end_reason = 'closed' OR end_reason = 'lost' OR end_reason = 'revoked' OR end_reason = 'server'), -- EndReason
  bytes_out    INTEGER NOT NULL,                                                -- workspace to person
  bytes_in     INTEGER NOT NULL                                                 -- person to workspace
) STRICT;
CREATE INDEX connections_by_workspace ON connections (workspace_id, began_at);
CREATE INDEX connections_by_time ON connections (began_at);
CREATE INDEX connections_by_visit ON connections (workspace_id, user_id, began_at);
CREATE INDEX connections_by_user ON connections (user_id, began_at);
CREATE INDEX connections_ended ON connections (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX connections_open ON connections (workspace_id, began_at) WHERE ended_at IS NULL;

-- What a session showed, kept on the server's side of the tunnel. Rights on it are those on the workspace:
-- server::app::recordings. The oldest go by retention; each end leaves an entry in the audit log.
CREATE TABLE recordings (
  id           TEXT NOT NULL PRIMARY KEY,                                       -- the recording
  session_id   TEXT NOT NULL,                                                   -- the session; its own row may be forgotten before
  user_id      TEXT NOT NULL REFERENCES users (id),                             -- who was recorded
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,      -- where
  agent_name   TEXT NOT NULL CHECK (length(agent_name) <= 64),                  -- in which agent; builds that made it may be gone
  kind         TEXT NOT NULL CHECK (kind = 'terminal' OR kind = 'shell' OR kind = 'command'), -- RecordingKind
  command      TEXT NOT NULL CHECK (length(command) <= 4096),                   -- what was asked to be run; empty for a shell
  cols         INTEGER NOT NULL CHECK (cols BETWEEN 0 AND 65535),               -- columns at the beginning; 0 without a terminal
  rows         INTEGER NOT NULL CHECK (rows BETWEEN 0 AND 65535),               -- rows at the beginning; 0 without a terminal
  reason       TEXT NOT NULL CHECK (reason = 'policy' OR reason = 'grant'),     -- RecordingReason
  has_input    INTEGER NOT NULL CHECK (has_input IN (0, 1)),                    -- whether what was typed is kept
  began_at     INTEGER NOT NULL,                                                -- first byte
  ended_at     INTEGER,                                                         -- last byte; null while it lasts
  status       TEXT NOT NULL CHECK (status = 'running' OR status = 'complete' OR status = 'interrupted'), -- RecordingStatus
  exit_code    INTEGER,                                                         -- what the process ended with; null when it was not seen
  length_ms    INTEGER NOT NULL,                                                -- from the first event to the last
  bytes        INTEGER NOT NULL,                                                -- bytes that passed and are kept
  stored_bytes INTEGER NOT NULL,                                                -- bytes that its blocks take
  lost_bytes   INTEGER NOT NULL,                                                -- bytes that passed and are not kept
  n_commands   INTEGER NOT NULL,                                                -- commands that are listed
  hash         BLOB NOT NULL CHECK (length(hash) = 32)                          -- the hash of its last block; zero before the first
) STRICT;
CREATE INDEX recordings_by_time ON recordings (began_at, id);
CREATE INDEX recordings_by_workspace ON recordings (workspace_id, began_at, id);
CREATE INDEX recordings_by_user ON recordings (user_id, began_at, id);
CREATE INDEX recordings_ended ON recordings (ended_at, id, stored_bytes) WHERE ended_at IS NOT NULL;
CREATE INDEX recordings_running ON recordings (id) WHERE status = 'running';

-- A recording in stretches, each with the picture of the screen at its beginning. The last one of a
-- recording that lasts is written again as it grows.
CREATE TABLE recording_blocks (
  recording_id TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,      -- whose
  number       INTEGER NOT NULL CHECK (number >= 0),                            -- its place, from 0 and dense
  began_ms     INTEGER NOT NULL,                                                -- where it begins, from the recording's beginning
  ended_ms     INTEGER NOT NULL,                                                -- where its last event is
  hash         BLOB NOT NULL CHECK (length(hash) = 32),                         -- SHA-256 of the hash before, the numbers and the data
  data         BLOB NOT NULL CHECK (length(data) <= 16777216),                  -- picture and events (model::recording::events), deflated
  PRIMARY KEY (recording_id, number)
) STRICT;
CREATE INDEX recording_blocks_by_time ON recording_blocks (recording_id, began_ms, number);

-- What was run in recorded sessions, as their shells said it.
CREATE TABLE commands (
  seq          INTEGER PRIMARY KEY,                                             -- order of writing
  recording_id TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,      -- where it is to be seen
  number       INTEGER NOT NULL CHECK (number >= 0),                            -- its place there, from 0
  user_id      TEXT NOT NULL REFERENCES users (id),                             -- who
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,      -- where
  text         TEXT NOT NULL CHECK (length(text) <= 4096),                      -- what; empty when the shell did not say
  directory    TEXT NOT NULL CHECK (length(directory) <= 4096),                 -- in which directory; empty when the shell did not say
  began_at     INTEGER NOT NULL,                                                -- when it began
  at_ms        INTEGER NOT NULL,                                                -- the same, from the recording's beginning
  length_ms    INTEGER,                                                         -- how long it took; null while it runs, or its end was not seen
  exit_code    INTEGER,                                                         -- what it ended with; null when that is not known
  UNIQUE (recording_id, number)
) STRICT;
CREATE INDEX commands_by_workspace ON commands (workspace_id, seq);
CREATE INDEX commands_by_user ON commands (user_id, seq);

-- The text of each command, by every three characters of it. The row is the command's seq.
CREATE VIRTUAL TABLE command_words USING fts5 (text, content = '', contentless_delete = 1, tokenize = 'trigram');

-- What passed recorded sessions and is in no recording: files by SFTP, ports, sockets. The oldest go
-- with recordings.
CREATE TABLE transfers (
  seq          INTEGER PRIMARY KEY,                                             -- order of writing
  session_id   TEXT NOT NULL,                                                   -- the session; its own row may be forgotten before
  number       INTEGER NOT NULL CHECK (number BETWEEN 0 AND 1000),              -- its place there, from 0; the last is all the rest
  user_id      TEXT NOT NULL REFERENCES users (id),                             -- who
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,      -- where
  kind         TEXT NOT NULL CHECK (kind IN ('download', 'upload', 'remove', 'rename', 'port', 'socket', 'listener', 'rest')), -- TransferKind
  name         TEXT NOT NULL CHECK (length(name) <= 1024),                      -- path or HOST:PORT as the client had it; empty for the rest
  to_name      TEXT NOT NULL CHECK (length(to_name) <= 1024),                   -- the new name of what was renamed; empty otherwise
  n            INTEGER NOT NULL CHECK (n >= 0),                                 -- how often: connections, or things in the rest
  bytes_out    INTEGER NOT NULL CHECK (bytes_out >= 0),                         -- bytes to the person
  bytes_in     INTEGER NOT NULL CHECK (bytes_in >= 0),                          -- bytes from the person
  began_at     INTEGER NOT NULL,                                                -- when it began
  ended_at     INTEGER,                                                         -- when it ended; null while it lasts
  UNIQUE (session_id, number)
) STRICT;
CREATE INDEX transfers_by_workspace ON transfers (workspace_id, seq);
CREATE INDEX transfers_by_user ON transfers (user_id, seq);
CREATE INDEX transfers_by_time ON transfers (began_at, seq);
CREATE INDEX transfers_open ON transfers (seq) WHERE ended_at IS NULL;

-- Who did what. Written in the transaction of the change; the oldest go by retention, in the order of
-- writing, and leave a cut in audit_checkpoints.
CREATE TABLE audit (
  seq             INTEGER PRIMARY KEY,                                      -- order of writing, from 1 and dense
  form            INTEGER NOT NULL,                                         -- which encoding the hash covers: model::audit::chain::FORM
  hash            BLOB NOT NULL CHECK (length(hash) = 32),                  -- SHA-256 of the hash before and the other columns
  id              TEXT NOT NULL UNIQUE,                                     -- the entry
  at              INTEGER NOT NULL,                                         -- when
  actor           TEXT NOT NULL CHECK (actor = 'user' OR actor = 'agent' OR actor = 'system' OR actor = 'scim' OR actor = 'nobody'), -- AuditActor
  user_id         TEXT,                                                     -- who, for a user
  agent_id        TEXT,                                                     -- who, for an agent
  token_id        TEXT,                                                     -- the token they showed; null for SSH keys and the program itself
  ip              TEXT NOT NULL CHECK (length(ip) <= 64),                   -- from where; may be empty
  user_agent      TEXT NOT NULL CHECK (length(user_agent) <= 256),          -- what the client calls itself; may be empty
  request_id      TEXT,                                                     -- the request it was done in
  action          TEXT NOT NULL CHECK (action = 'create' OR action = 'open' OR action = 'write' OR action = 'delete' OR action = 'start' OR action = 'stop' OR action = 'login' OR action = 'logout' OR action = 'register'), -- AuditAction
  target          TEXT NOT NULL CHECK (target = 'user' OR target = 'access_request' OR target = 'break_glass' OR target = 'recording' OR target = 'api_key' OR target = 'git_ssh_key' OR target = 'template' OR target = 'template_version' OR target = 'workspace' OR target = 'workspace_build' OR target = 'group' OR target = 'organization' OR target = 'health_settings' OR target = 'custom_role' OR target = 'organization_member' OR target = 'invitation' OR target = 'rotation'), -- AuditTarget
  target_id       TEXT NOT NULL,                                            -- the thing
  target_name     TEXT NOT NULL COLLATE NOCASE CHECK (length(target_name) <= 256), -- its name then
  organization_id TEXT,                                                     -- where the thing belongs
  build_reason    TEXT CHECK (build_reason IS NULL OR length(build_reason) <= 32), -- why a build was made: BuildReason
  status          INTEGER NOT NULL CHECK (status BETWEEN 100 AND 599),      -- what came of it, as HTTP has it
  reason          TEXT NOT NULL CHECK (length(reason) <= 512),              -- why it was denied; empty for what was done
  diff            TEXT NOT NULL CHECK (length(diff) <= 65536)               -- JSON of what changed, secrets left out
) STRICT;
CREATE INDEX audit_by_time ON audit (at);

-- The words in the names of the thing and the user of each entry, and as one term each its other
-- properties: db::audit_words. The row is the entry's seq. Only leads to entries: what is shown and
-- verified is theirs.
CREATE VIRTUAL TABLE audit_words USING fts5 (words, terms, content = '', contentless_delete = 1, detail = column);

-- Signed words on how far the log went, and on what was removed of it.
CREATE TABLE audit_checkpoints (
  number     INTEGER PRIMARY KEY,                               -- from 1 and dense
  kind       TEXT NOT NULL CHECK (kind IN ('mark', 'cut')),     -- CheckpointKind: the log went so far, or begins behind it
  seq        INTEGER NOT NULL,                                  -- the entry it is about; for a cut, the last one removed
  hash       BLOB NOT NULL CHECK (length(hash) = 32),           -- the hash of that entry
  n_entries  INTEGER NOT NULL CHECK (n_entries >= 0),           -- entries the log held then; for a cut, how many were removed
  made_at    INTEGER NOT NULL,                                  -- when it was made
  public_key BLOB NOT NULL CHECK (length(public_key) = 32),     -- the Ed25519 key of who signed
  signature  BLOB NOT NULL CHECK (length(signature) = 64)       -- over all of the above but the key
) STRICT;
CREATE INDEX audit_checkpoints_by_seq ON audit_checkpoints (seq);

-- Searches in the audit log that people keep under a name.
CREATE TABLE audit_filters (
  id         TEXT NOT NULL PRIMARY KEY,                                               -- the search
  user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,                   -- whose it is
  name       TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 48),      -- what they call it
  query      TEXT NOT NULL CHECK (length(query) BETWEEN 1 AND 1024),                  -- as it is typed
  is_shared  INTEGER NOT NULL CHECK (is_shared IN (0, 1)),                            -- whether all who read the log see it
  created_at INTEGER NOT NULL,                                                        -- when it was saved
  updated_at INTEGER NOT NULL,                                                        -- when it was last changed
  UNIQUE (user_id, name)
) STRICT;
CREATE INDEX audit_filters_shared ON audit_filters (name, id) WHERE is_shared = 1;

-- People who take turns being on call: model::rotation.
CREATE TABLE rotations (
  id               TEXT NOT NULL PRIMARY KEY,                                    -- the rotation
  organization_id  TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE, -- where it belongs
  name             TEXT NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 36), -- unique per organization
  zone             TEXT NOT NULL CHECK (length(zone) BETWEEN 1 AND 64),          -- whose clocks its times of day are on, such as Europe/Berlin
  planned_until_at INTEGER NOT NULL,                                             -- how far its shifts are stored
  webhook_secret   BLOB CHECK (length(webhook_secret) <= 1024),                  -- sealed, what programs sign with that say who is on call; null when none may
  webhook_event    TEXT NOT NULL CHECK (length(webhook_event) <= 254),           -- the last event that one told of; empty for none
  webhook_at       INTEGER NOT NULL,                                             -- when that was, there: an earlier one is a replay
  created_at       INTEGER NOT NULL,                                             -- when it was made
  updated_at       INTEGER NOT NULL,                                             -- when it was last changed
  UNIQUE (organization_id, name)
) STRICT;
CREATE INDEX rotations_by_plan ON rotations (planned_until_at);

-- Who takes turns when: a later layer wins over the earlier ones.
CREATE TABLE rotation_layers (
  rotation_id  TEXT NOT NULL REFERENCES rotations (id) ON DELETE CASCADE, -- which
  position     INTEGER NOT NULL CHECK (position BETWEEN 0 AND 7),         -- its place, from 0
  handoff      TEXT NOT NULL CHECK (length(handoff) <= 9),                -- when one hands over to the next, as mon 09:00 or 09:00
  length       TEXT NOT NULL CHECK (length(length) <= 6),                 -- how long a turn is, as 12h, 1d or 2w
  first        INTEGER NOT NULL CHECK (first BETWEEN 0 AND 99),           -- whose turn the first one is: a place among the members
  starts_at    INTEGER NOT NULL,                                          -- from when on it holds
  restrictions TEXT NOT NULL CHECK (length(restrictions) <= 1024),        -- the hours of the week it holds in, as mon,tue 18:00-08:00, with semicolons between; empty for all
  PRIMARY KEY (rotation_id, position)
) STRICT, WITHOUT ROWID;

-- Who is in a layer, in their order.
CREATE TABLE rotation_members (
  rotation_id TEXT NOT NULL,                                         -- which rotation
  layer       INTEGER NOT NULL,                                      -- the place of the layer in it
  position    INTEGER NOT NULL CHECK (position BETWEEN 0 AND 99),    -- their place in the order
  user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- who
  left_at     INTEGER,                                               -- from when on the next one takes their turns; null for who is in it
  PRIMARY KEY (rotation_id, layer, position),
  FOREIGN KEY (rotation_id, layer) REFERENCES rotation_layers (rotation_id, position) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX rotation_members_by_user ON rotation_members (user_id);

-- Who is on call instead of whoever's turn it is: a later made one wins over the earlier ones.
CREATE TABLE rotation_overrides (
  id          TEXT NOT NULL PRIMARY KEY,                                 -- the override
  rotation_id TEXT NOT NULL REFERENCES rotations (id) ON DELETE CASCADE, -- which
  user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,     -- who
  from_at     INTEGER NOT NULL,                                          -- from when on
  until_at    INTEGER NOT NULL CHECK (until_at > from_at),               -- until when
  made_by     TEXT REFERENCES users (id) ON DELETE SET NULL,             -- by whom; null for the webhook
  reason      TEXT NOT NULL CHECK (length(reason) <= 256),               -- why; may be empty
  created_at  INTEGER NOT NULL                                           -- when it was made
) STRICT;
CREATE INDEX rotation_overrides_by_rotation ON rotation_overrides (rotation_id, until_at);
CREATE INDEX rotation_overrides_by_user ON rotation_overrides (user_id);
CREATE INDEX rotation_overrides_by_maker ON rotation_overrides (made_by) WHERE made_by IS NOT NULL;

-- Who is on call when: what rotations come to, 60 days ahead and as it was. A rotation without a shift
-- that covers now has nobody on call. Rights read on_shift.
CREATE TABLE shifts (
  rotation_id TEXT NOT NULL REFERENCES rotations (id) ON DELETE CASCADE, -- which rotation
  from_at     INTEGER NOT NULL,                                          -- from when on
  until_at    INTEGER NOT NULL CHECK (until_at > from_at),               -- until when
  user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,     -- who
  is_override INTEGER NOT NULL CHECK (is_override IN (0, 1)),            -- whether an override says so
  PRIMARY KEY (rotation_id, from_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX shifts_by_user ON shifts (user_id, until_at);

-- The link by which someone's calendar follows the shifts they may see.
CREATE TABLE calendar_feeds (
  user_id    TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE, -- whose
  public_id  TEXT NOT NULL UNIQUE CHECK (length(public_id) = 10),               -- what it is looked up by
  hash       BLOB NOT NULL CHECK (length(hash) = 32),                           -- SHA-256 of the rest of the link
  created_at INTEGER NOT NULL                                                   -- when it was made
) STRICT, WITHOUT ROWID;

-- Requests for access to workspaces. What is granted by one is a row in grants, which ends by itself.
CREATE TABLE requests (
  id           TEXT NOT NULL PRIMARY KEY,                                    -- the request
  user_id      TEXT NOT NULL REFERENCES users (id),                          -- who asks
  place        TEXT NOT NULL COLLATE NOCASE CHECK (length(place) <= 128),    -- owner/name of the workspace, as it was written
  workspace_id TEXT REFERENCES workspaces (id) ON DELETE CASCADE,            -- the workspace; null where there is none to ask for, which whoever asks is not told
  verbs        INTEGER NOT NULL CHECK (verbs BETWEEN 1 AND 255),             -- a bit for each, as workspace_verbs has them
  reason       TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 512),       -- why
  from_at      INTEGER NOT NULL,                                             -- not before; 0 for at once
  lasts_s      INTEGER NOT NULL CHECK (lasts_s BETWEEN 60 AND 1209600),      -- for how long
  made_at      INTEGER NOT NULL,                                             -- when it was asked
  expires_at   INTEGER NOT NULL CHECK (expires_at > made_at),                -- until when it can be answered
  state        TEXT NOT NULL CHECK (state = 'pending' OR state = 'approved' OR state = 'denied' OR state = 'cancelled' OR state = 'expired'), -- RequestState
  decided_at   INTEGER,                                                      -- when it came to that; null while it waits
  grant_id     TEXT REFERENCES grants (id) ON DELETE SET NULL,               -- what was granted, while that is kept
  CHECK ((state = 'pending') = (decided_at IS NULL)),
  CHECK (grant_id IS NULL OR state = 'approved')
) STRICT;
CREATE INDEX requests_by_user ON requests (user_id, made_at, id);
CREATE INDEX requests_by_workspace ON requests (workspace_id) WHERE workspace_id IS NOT NULL;
CREATE INDEX requests_by_grant ON requests (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX requests_by_end ON requests (decided_at) WHERE decided_at IS NOT NULL;
CREATE INDEX requests_pending ON requests (expires_at, id) WHERE state = 'pending';
CREATE INDEX requests_waiting_by_user ON requests (user_id, expires_at) WHERE state = 'pending';

-- What people said of requests, each once.
CREATE TABLE approvals (
  request_id TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE, -- of which
  user_id    TEXT NOT NULL REFERENCES users (id),                      -- who
  verdict    TEXT NOT NULL CHECK (verdict IN ('approve', 'deny')),     -- Verdict
  note       TEXT NOT NULL CHECK (length(note) <= 512),                -- what they wrote with it; may be empty
  lasts_s    INTEGER NOT NULL CHECK (lasts_s BETWEEN 60 AND 1209600),  -- for how long they let them in
  at         INTEGER NOT NULL,                                         -- when
  hook_by    TEXT REFERENCES users (id),                               -- who set the program that brought it; null for what they said themselves
  right_of   TEXT REFERENCES users (id),                               -- by whose right they said it; null for what was said before that was kept
  right_under TEXT,                                                    -- the id of the grant by which that one had it, whether it is there or not; null for the owner and by a role
  PRIMARY KEY (request_id, user_id)
) STRICT;
CREATE INDEX approvals_by_user ON approvals (user_id);
CREATE INDEX approvals_by_hook ON approvals (hook_by) WHERE hook_by IS NOT NULL;
CREATE INDEX approvals_by_right ON approvals (right_of) WHERE right_of IS NOT NULL;

-- Who answers requests besides those who may share, and how many have to: for an organization, or one workspace of it.
CREATE TABLE request_rules (
  organization_id  TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE, -- where
  workspace_id     TEXT REFERENCES workspaces (id) ON DELETE CASCADE,             -- for this one; null for all that have no rule of their own
  approvals        INTEGER NOT NULL CHECK (approvals BETWEEN 1 AND 10),           -- how many have to say yes
  group_id         TEXT REFERENCES groups (id) ON DELETE SET NULL,                -- its members may
  rotation_id      TEXT REFERENCES rotations (id) ON DELETE SET NULL,             -- whoever is on call there may
  auto_rotation_id TEXT REFERENCES rotations (id) ON DELETE SET NULL,             -- whoever is on call there is let in at once
  set_by           TEXT NOT NULL REFERENCES users (id),                           -- who set it: what it lets others give is theirs to give
  set_at           INTEGER NOT NULL                                               -- when
) STRICT;
CREATE UNIQUE INDEX request_rules_by_place ON request_rules (organization_id, coalesce(workspace_id, ''));
CREATE INDEX request_rules_by_workspace ON request_rules (workspace_id) WHERE workspace_id IS NOT NULL;
CREATE INDEX request_rules_by_group ON request_rules (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX request_rules_by_rotation ON request_rules (rotation_id) WHERE rotation_id IS NOT NULL;
CREATE INDEX request_rules_by_auto ON request_rules (auto_rotation_id) WHERE auto_rotation_id IS NOT NULL;
CREATE INDEX request_rules_by_setter ON request_rules (set_by);

-- Links by which people answer requests once they are signed in, each once.
CREATE TABLE request_links (
  public_id  TEXT NOT NULL PRIMARY KEY CHECK (length(public_id) = 10),     -- the part it is looked up by
  hash       BLOB NOT NULL CHECK (length(hash) = 32),                      -- SHA-256 of the secret part
  request_id TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE      -- the request
) STRICT;
CREATE INDEX request_links_by_request ON request_links (request_id);

-- The program of an organization that is told of requests, and may answer them for people.
CREATE TABLE request_hooks (
  organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE, -- whose
  url             BLOB NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),         -- sealed: its address, in which there often is a secret
  is_trusted      INTEGER NOT NULL CHECK (is_trusted IN (0, 1)),                -- an owner of the site has named it: it may lie in a private network
  secret          BLOB NOT NULL CHECK (length(secret) <= 512),                  -- sealed: what it and we sign with
  set_by          TEXT NOT NULL REFERENCES users (id),                          -- who set it
  set_at          INTEGER NOT NULL                                              -- when
) STRICT;
CREATE INDEX request_hooks_by_setter ON request_hooks (set_by);

-- What those programs have yet to be told.
CREATE TABLE request_notices (
  seq             INTEGER PRIMARY KEY AUTOINCREMENT,                            -- in the order of what happened
  organization_id TEXT NOT NULL REFERENCES request_hooks (organization_id) ON DELETE CASCADE, -- whose program
  body            TEXT NOT NULL CHECK (length(body) <= 8192),                   -- JSON
  tries           INTEGER NOT NULL,                                             -- how often it was sent in vain
  next_at         INTEGER NOT NULL                                              -- when it is sent next
) STRICT;
CREATE INDEX request_notices_by_organization ON request_notices (organization_id);
CREATE INDEX request_notices_due ON request_notices (next_at, seq);

-- Who let themselves into which workspace in an emergency, and who looked into it since.
CREATE TABLE break_glass (
  id           TEXT NOT NULL PRIMARY KEY,                                    -- what happened
  workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,   -- into which workspace
  user_id      TEXT NOT NULL REFERENCES users (id),                          -- who
  grant_id     TEXT REFERENCES grants (id) ON DELETE SET NULL,               -- what they gave themselves, while that is kept
  reason       TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 512),       -- why
  taken_at     INTEGER NOT NULL,                                             -- when
  until_at     INTEGER NOT NULL CHECK (until_at > taken_at),                 -- until when
  reviewed_at  INTEGER,                                                      -- when someone looked into it; null until then
  reviewed_by  TEXT REFERENCES users (id) CHECK (reviewed_by <> user_id),    -- who
  note         TEXT NOT NULL CHECK (length(note) <= 512),                    -- what they found; empty until then
  CHECK ((reviewed_at IS NULL) = (reviewed_by IS NULL))
) STRICT;
CREATE INDEX break_glass_by_workspace ON break_glass (workspace_id, taken_at);
CREATE INDEX break_glass_by_user ON break_glass (user_id, workspace_id);
CREATE INDEX break_glass_by_grant ON break_glass (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX break_glass_by_reviewer ON break_glass (reviewed_by) WHERE reviewed_by IS NOT NULL;
CREATE INDEX break_glass_open ON break_glass (taken_at, id) WHERE reviewed_at IS NULL;

-- Mails to people that wait to be sent, and the last ones that were given up.
CREATE TABLE mails (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,                     -- in the order of what happened
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- to whom
  letter  TEXT NOT NULL CHECK (length(letter) <= 8192),          -- what it says (model::mail::Letter), as JSON
  made_at INTEGER NOT NULL,                                      -- when it was written
  tries   INTEGER NOT NULL,                                      -- how often it was sent in vain
  next_at INTEGER,                                               -- when it is sent next; null for one that was given up
  failure TEXT NOT NULL CHECK (length(failure) <= 512)           -- why it was not taken; empty until then
) STRICT;
CREATE INDEX mails_by_user ON mails (user_id);
CREATE INDEX mails_due ON mails (next_at, seq) WHERE next_at IS NOT NULL;
CREATE INDEX mails_given_up ON mails (seq) WHERE next_at IS NULL;

-- Who wants no mails.
CREATE TABLE mail_refusals (
  user_id    TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE, -- who
  refused_at INTEGER NOT NULL                                                   -- since when
) STRICT, WITHOUT ROWID;

-- Users who may act at all.
CREATE VIEW active_users AS
  SELECT id AS user_id FROM users WHERE status IN ('active', 'dormant');

-- What an active user is beyond member: role on the site (organization_id null) or in an organization
-- they belong to.
CREATE VIEW effective_roles AS
  SELECT b.user_id, b.role, b.organization_id
  FROM role_bindings b JOIN users u ON u.id = b.user_id
  WHERE u.status IN ('active', 'dormant')
    AND (b.organization_id IS NULL OR EXISTS (
      SELECT 1 FROM memberships m WHERE m.organization_id = b.organization_id AND m.user_id = b.user_id));

-- What the custom roles of an active user hold in an organization.
CREATE VIEW effective_permissions AS
  SELECT e.user_id, e.organization_id, p.permission
  FROM effective_roles e
    JOIN roles r ON r.organization_id = e.organization_id AND r.name = e.role
    JOIN role_permissions p ON p.role_id = r.id;

-- The verbs there are on a workspace (model::grant::Verb), the permission that gives each by a role (none
-- gives execute), and its bit in a grant.
CREATE VIEW workspace_verbs AS
  SELECT column1 AS verb, column2 AS permission, column3 AS bit FROM (VALUES
    ('view', 'workspace:read', 1), ('watch', 'workspace:ssh', 2), ('connect', 'workspace:ssh', 4),
    ('execute', '', 8), ('operate', 'workspace:start', 16), ('manage', 'workspace:update', 32),
    ('share', 'workspace:share', 64), ('delete', 'workspace:delete', 128));

-- What a role allows its bearer on every workspace: of the site (organization_id null) or of an
-- organization. Feeds effective_grants, and lets lists of them be read in order instead of right by right.
CREATE VIEW everywhere_grants AS
  SELECT r.user_id, r.organization_id, v.verb
  FROM effective_roles r CROSS JOIN workspace_verbs v
  WHERE r.organization_id IS NULL
      AND (r.role = 'owner' OR (r.role = 'template-admin' AND v.verb = 'view'))
    OR r.organization_id IS NOT NULL
      AND ((r.role = 'organization-admin' AND v.verb NOT IN ('watch', 'connect', 'execute'))
        OR (r.role = 'organization-template-admin' AND v.verb = 'view'))
  UNION ALL
  SELECT p.user_id, p.organization_id, v.verb
  FROM effective_permissions p JOIN workspace_verbs v ON v.permission = p.permission;

-- Who may let themselves into workspaces in an emergency: all (organization_id null) or an organization's.
CREATE VIEW glass_breakers AS
  SELECT user_id, organization_id FROM effective_roles WHERE organization_id IS NULL AND role = 'owner'
  UNION ALL
  SELECT user_id, organization_id FROM effective_permissions WHERE permission = 'workspace:break_glass';

-- Who is on call when, as rights have it: active people who belong to the rotation's organization.
CREATE VIEW on_shift AS
  SELECT s.rotation_id, s.user_id, s.from_at, s.until_at
  FROM shifts s JOIN rotations r ON r.id = s.rotation_id
    JOIN memberships m ON m.organization_id = r.organization_id AND m.user_id = s.user_id
    JOIN users u ON u.id = s.user_id
  WHERE u.status IN ('active', 'dormant');

-- Whom each grant is to that was not ended, for questions about a user: while they are active, and belong
-- to the workspace's organization and to the group. Who is on call is in shift_grants.
CREATE VIEW grant_holders AS
  SELECT g.id AS grant_id, g.workspace_id, m.user_id, 'grant' AS reason
  FROM grants g JOIN workspaces w ON w.id = g.workspace_id
    JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = g.user_id
    JOIN users u ON u.id = m.user_id
  WHERE g.ended_at IS NULL AND w.deleted_at IS NULL AND u.status IN ('active', 'dormant')
  UNION ALL
  SELECT g.id, g.workspace_id, m.user_id, 'group'
  FROM grants g JOIN workspaces w ON w.id = g.workspace_id
    JOIN group_members s ON s.group_id = g.group_id
    JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = s.user_id
    JOIN users u ON u.id = m.user_id
  WHERE g.ended_at IS NULL AND w.deleted_at IS NULL AND u.status IN ('active', 'dormant')
  UNION ALL
  SELECT g.id, g.workspace_id, m.user_id, 'group'
  FROM memberships m CROSS JOIN grants g ON g.organization_id = m.organization_id
    CROSS JOIN workspaces w ON w.id = g.workspace_id CROSS JOIN users u ON u.id = m.user_id
  WHERE g.user_id IS NULL AND g.group_id IS NULL AND g.rotation_id IS NULL
    AND g.ended_at IS NULL AND w.deleted_at IS NULL AND u.status IN ('active', 'dormant');

-- Who may share a workspace otherwise than by a grant, and what of it: its owner, who answers
-- for that, and by a role. What they gave on a request, and by a role alone, holds as long.
CREATE VIEW sharers AS
  SELECT w.id AS workspace_id, w.owner_id AS user_id, v.verb AS verb
  FROM workspaces w CROSS JOIN users u ON u.id = w.owner_id
    CROSS JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = w.owner_id
    CROSS JOIN workspace_verbs v
  WHERE u.kind <> 'service' AND u.status IN ('active', 'dormant')
  UNION ALL
  SELECT w.id, s.responsible_id, v.verb
  FROM workspaces w CROSS JOIN service_accounts s ON s.user_id = w.owner_id
    CROSS JOIN users u ON u.id = s.responsible_id
    CROSS JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = s.responsible_id
    CROSS JOIN workspace_verbs v
  WHERE u.status IN ('active', 'dormant')
  UNION ALL
  SELECT w.id, e.user_id, e.verb
  FROM workspaces w CROSS JOIN everywhere_grants e
  WHERE (e.organization_id IS NULL OR e.organization_id = w.organization_id)
    AND EXISTS (SELECT 1 FROM everywhere_grants x WHERE x.user_id = e.user_id AND x.verb = 'share'
      AND (x.organization_id IS NULL OR x.organization_id = w.organization_id));

-- Who may do what on which workspace, why, and within which limits (a line of hours or networks for each
-- grant it stands on). Every decision on a workspace reads this and shift_grants. What is granted under a grant holds while
-- its granter holds that one, with its limits; what was given on a request by who holds no grant, while they
-- may do and share it as owner, as who answers for the owner or by a role; what someone took in an emergency,
-- while they may take it. A service account never shares on its own.
CREATE VIEW effective_grants AS
  SELECT w.owner_id AS user_id, w.id AS workspace_id, v.verb AS verb, 'owner' AS reason, NULL AS grant_id,
    0 AS from_at, NULL AS until_at, '' AS hours, '' AS networks, 0 AS needs_mfa, 0 AS is_recorded
  FROM workspaces w JOIN users u ON u.id = w.owner_id
    JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = w.owner_id
    CROSS JOIN workspace_verbs v
  WHERE u.status IN ('active', 'dormant') AND w.deleted_at IS NULL
    AND (v.verb <> 'share' OR u.kind <> 'service')
  UNION ALL
  SELECT s.responsible_id, w.id, v.verb, 'responsible', NULL, 0, NULL, '', '', 0, 0
  FROM service_accounts s CROSS JOIN users u ON u.id = s.responsible_id
    CROSS JOIN workspaces w ON w.owner_id = s.user_id
    CROSS JOIN memberships m ON m.organization_id = w.organization_id AND m.user_id = s.responsible_id
    CROSS JOIN workspace_verbs v
  WHERE u.status IN ('active', 'dormant') AND w.deleted_at IS NULL
  UNION ALL
  SELECT e.user_id, w.id, e.verb, 'role', NULL, 0, NULL, '', '', 0, 0
  FROM everywhere_grants e CROSS JOIN workspaces w
  WHERE e.organization_id IS NULL AND w.deleted_at IS NULL
  UNION ALL
  SELECT e.user_id, w.id, e.verb, 'role', NULL, 0, NULL, '', '', 0, 0
  FROM everywhere_grants e JOIN workspaces w ON w.organization_id = e.organization_id
  WHERE w.deleted_at IS NULL
  UNION ALL
  SELECT h.user_id, h.workspace_id, v.verb, h.reason, g.id,
    max(g.from_at, coalesce(b.from_at, 0)),
    min(coalesce(g.until_at, b.until_at), coalesce(b.until_at, g.until_at)),
    g.hours || char(10) || coalesce(b.hours, ''), g.networks || char(10) || coalesce(b.networks, ''),
    max(g.needs_mfa, coalesce(b.needs_mfa, 0)), max(g.is_recorded, coalesce(b.is_recorded, 0))
  FROM grant_holders h CROSS JOIN grants g ON g.id = h.grant_id
    CROSS JOIN workspace_verbs v ON (g.verbs & v.bit) <> 0
    LEFT JOIN grants b ON b.id = g.under_id
  WHERE (v.verb <> 'share' OR NOT EXISTS (SELECT 1 FROM users u WHERE u.id = h.user_id AND u.kind = 'service'))
    AND (g.under_id IS NULL OR ((b.verbs & 64) <> 0 AND (g.verbs & ~b.verbs) = 0 AND EXISTS (
      SELECT 1 FROM grant_holders x WHERE x.grant_id = g.under_id AND x.user_id = g.granted_by)))
    AND (g.via <> 'break_glass' OR EXISTS (SELECT 1 FROM glass_breakers x
      WHERE x.user_id = h.user_id AND (x.organization_id IS NULL OR x.organization_id = g.organization_id)))
    AND ((g.via <> 'request' AND g.by_role = 0) OR g.under_id IS NOT NULL
      OR EXISTS (SELECT 1 FROM sharers x WHERE x.workspace_id = g.workspace_id AND x.user_id = g.granted_by
        AND x.verb = v.verb))
    AND NOT EXISTS (SELECT 1 FROM settings WHERE key = 'sharing_off');

-- What whoever is on call has by grants to a rotation, for each shift there is: apart from effective_grants,
-- so that the shift of a moment is found by its index, and those of two years are not walked through.
CREATE VIEW shift_grants AS
  SELECT s.user_id, g.workspace_id, v.verb, 'rotation' AS reason, g.id AS grant_id,
    max(g.from_at, s.from_at) AS from_at, min(coalesce(g.until_at, s.until_at), s.until_at) AS until_at,
    g.hours, g.networks, g.needs_mfa, g.is_recorded, s.from_at AS shift_from_at, s.until_at AS shift_until_at
  FROM on_shift s CROSS JOIN grants g ON g.rotation_id = s.rotation_id
    CROSS JOIN workspaces w ON w.id = g.workspace_id
    CROSS JOIN workspace_verbs v ON (g.verbs & v.bit) <> 0
  WHERE g.ended_at IS NULL AND g.under_id IS NULL AND w.deleted_at IS NULL
    AND (v.verb <> 'share' OR NOT EXISTS (SELECT 1 FROM users u WHERE u.id = s.user_id AND u.kind = 'service'))
    AND (g.by_role = 0 OR EXISTS (SELECT 1 FROM sharers x
      WHERE x.workspace_id = g.workspace_id AND x.user_id = g.granted_by
        AND x.verb = v.verb))
    AND NOT EXISTS (SELECT 1 FROM settings WHERE key = 'sharing_off');

-- What a template's own list gives to whom, and why: to active users, while they belong to its
-- organization. Every decision on a template by its list reads this. Whose a grant is stands in each part
-- twice, so that it is found by the index of its template as well, and a long list is not walked through;
-- the plus leaves out the column's type, which the index of an expression has not.
CREATE VIEW effective_template_grants AS
  SELECT u.id AS user_id, g.template_id, g.role, 'user' AS reason
  FROM users u CROSS JOIN template_grants g JOIN templates t ON t.id = g.template_id
    JOIN memberships m ON m.organization_id = t.organization_id AND m.user_id = u.id
  WHERE g.user_id = u.id AND coalesce(g.user_id, g.group_id, '') = +u.id
    AND t.deleted_at IS NULL AND u.status IN ('active', 'dormant')
  UNION ALL
  SELECT s.user_id, g.template_id, g.role, 'group'
  FROM group_members s CROSS JOIN template_grants g JOIN templates t ON t.id = g.template_id
    JOIN memberships m ON m.organization_id = t.organization_id AND m.user_id = s.user_id
    JOIN users u ON u.id = s.user_id
  WHERE g.group_id = s.group_id AND coalesce(g.user_id, g.group_id, '') = +s.group_id
    AND t.deleted_at IS NULL AND u.status IN ('active', 'dormant')
  UNION ALL
  SELECT m.user_id, g.template_id, g.role, 'everyone'
  FROM template_grants g JOIN templates t ON t.id = g.template_id
    JOIN memberships m ON m.organization_id = t.organization_id
    JOIN users u ON u.id = m.user_id
  WHERE coalesce(g.user_id, g.group_id, '') = ''
    AND t.deleted_at IS NULL AND u.status IN ('active', 'dormant');
