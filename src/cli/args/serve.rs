//! Arguments of the server. Each setting may also stand in the environment or in a TOML file, so
//! that all are text here; `settings` gives them their meaning.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Format;

/// Commands of the server.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start on this machine: server, first user, first workspace
    Up(Up),
    /// Run the server
    Server(Server),
    /// Make a mirror of the Terraform providers, for authors of templates
    ProviderMirror(ProviderMirror),
    /// Set a user's password on the server's machine
    ResetPassword(ResetPassword),
    /// Make another owner on the server's machine, for when none can sign in
    CreateAdminUser(CreateAdminUser),
}

/// What `server` does besides running.
#[derive(Debug, Subcommand)]
pub enum ServerCommand {
    /// The same as `create-admin-user`
    CreateAdminUser(CreateAdminUser),
}

/// `server`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Server {
    /// What the server is told.
    #[command(flatten)]
    pub settings: Flags,
    /// Print each setting with its value and where it came from
    #[arg(long)]
    pub print_config: bool,
    /// Something else than to run it.
    #[command(subcommand)]
    pub command: Option<ServerCommand>,
}

/// `up`
#[derive(Debug, Args)]
pub struct Up {
    /// What the server is told.
    #[command(flatten)]
    pub settings: Flags,
    /// The first user's name; yours on this machine by default
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// Read the first user's password from standard input; made and printed otherwise
    #[arg(long)]
    pub password_stdin: bool,
}

/// `provider-mirror`
#[derive(Debug, Args)]
pub struct ProviderMirror {
    /// Where to
    pub directory: PathBuf,
}

/// Where a server's data is, for who is on its machine.
#[derive(Debug, Args)]
pub struct Place {
    /// Where the server keeps its data
    #[arg(long, env = "STEADING_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The file with the key that secrets are sealed with, when the server is given one
    #[arg(long, env = "STEADING_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
}

/// `create-admin-user`
#[derive(Debug, Args)]
#[command(
    after_help = "The server may be running or not. The new owner signs in by password, also where                   that is turned off for everyone else."
)]
pub struct CreateAdminUser {
    /// The owner's name; asked for when absent
    #[arg(long, short, env = "STEADING_USERNAME", value_name = "NAME")]
    pub username: Option<String>,
    /// The owner's e-mail address; asked for when absent
    #[arg(long, short, env = "STEADING_EMAIL", value_name = "ADDRESS")]
    pub email: Option<String>,
    /// The owner's full name
    #[arg(long, short = 'n', default_value = "", value_name = "NAME")]
    pub full_name: String,
    /// The owner's password; asked for when neither this nor --password-stdin is given
    #[arg(long, short, env = "STEADING_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub password: Option<String>,
    /// Read the password from standard input
    #[arg(long, conflicts_with = "password")]
    pub password_stdin: bool,
    /// Where the server is.
    #[command(flatten)]
    pub place: Place,
    /// How to write who was made
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// `reset-password`
#[derive(Debug, Args)]
pub struct ResetPassword {
    /// The user's name
    pub username: String,
    /// Where the server is.
    #[command(flatten)]
    pub place: Place,
    /// Read the password from standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Remove their second factors too: for who has lost them
    #[arg(long)]
    pub remove_factors: bool,
}

/// The server's settings, as they are typed. Their ids are the keys of the TOML file.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Settings (flag, then environment, then file)")]
pub struct Flags {
    /// A TOML file with settings, named as the flags are, with `[oidc.NAME]` for each provider that
    /// people sign in at, `[github]`, `[ldap]`, and `[scim]` for the one that keeps users here
    #[arg(long, short, env = "STEADING_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where everything is kept
    #[arg(id = "data", long, env = "STEADING_DATA", value_name = "DIR")]
    pub data: Option<String>,
    /// Where to listen for browsers and clients [default: 127.0.0.1:7080]
    #[arg(id = "http-address", long, env = "STEADING_HTTP_ADDRESS", value_name = "ADDRESS")]
    pub http_address: Option<String>,
    /// Where to listen for SSH [default: 127.0.0.1:7022]
    #[arg(id = "ssh-address", long, env = "STEADING_SSH_ADDRESS", value_name = "ADDRESS")]
    pub ssh_address: Option<String>,
    /// Where to listen for agents and clients by UDP [default: 127.0.0.1:7080]
    #[arg(
        id = "wireguard-address",
        long,
        env = "STEADING_WIREGUARD_ADDRESS",
        value_name = "ADDRESS"
    )]
    pub wireguard_address: Option<String>,
    /// The address people and agents use [default: http:// and the address it listens on]
    #[arg(id = "access-url", long, env = "STEADING_ACCESS_URL", value_name = "URL")]
    pub access_url: Option<String>,
    /// A certificate chain in PEM: serve HTTPS
    #[arg(id = "tls-cert-file", long, env = "STEADING_TLS_CERT_FILE", value_name = "FILE")]
    pub tls_cert_file: Option<String>,
    /// Its key in PEM
    #[arg(id = "tls-key-file", long, env = "STEADING_TLS_KEY_FILE", value_name = "FILE")]
    pub tls_key_file: Option<String>,
    /// A network of proxies whose forwarded headers are believed; may be repeated
    #[arg(
        id = "trusted-proxy",
        long,
        env = "STEADING_TRUSTED_PROXY",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub trusted_proxy: Vec<String>,
    /// The terraform or tofu to run [default: the one on PATH]
    #[arg(id = "terraform", long, env = "STEADING_TERRAFORM", value_name = "FILE")]
    pub terraform: Option<String>,
    /// A Terraform CLI configuration to merge with ours
    #[arg(id = "terraform-config", long, env = "STEADING_TERRAFORM_CONFIG", value_name = "FILE")]
    pub terraform_config: Option<String>,
    /// A directory to take providers from, instead of their registry
    #[arg(id = "provider-mirror", long, env = "STEADING_PROVIDER_MIRROR", value_name = "DIR")]
    pub provider_mirror: Option<String>,
    /// A directory with this program for other machines: `steading-linux-arm64` and so on
    /// [default: programs in the data directory]
    #[arg(id = "programs", long, env = "STEADING_PROGRAMS", value_name = "DIR")]
    pub programs: Option<String>,
    /// How many builds run at once [default: 2]
    #[arg(id = "provisioners", long, env = "STEADING_PROVISIONERS", value_name = "N")]
    pub provisioners: Option<String>,
    /// How long a build may take [default: 1h]
    #[arg(
        id = "build-time-limit",
        long,
        env = "STEADING_BUILD_TIME_LIMIT",
        value_name = "DURATION"
    )]
    pub build_time_limit: Option<String>,
    /// How log lines are written: text or json [default: text]
    #[arg(id = "log-format", long, env = "STEADING_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// Which log lines are written, such as `info` or `steading=debug` [default: info]
    #[arg(id = "log-filter", long, env = "STEADING_LOG_FILTER", value_name = "FILTER")]
    pub log_filter: Option<String>,
    /// How long a session lasts without use [default: 24h]
    #[arg(
        id = "session-duration",
        long,
        env = "STEADING_SESSION_DURATION",
        value_name = "DURATION"
    )]
    pub session_duration: Option<String>,
    /// How long an API token may last [default: 8760h]
    #[arg(
        id = "max-token-lifetime",
        long,
        env = "STEADING_MAX_TOKEN_LIFETIME",
        value_name = "DURATION"
    )]
    pub max_token_lifetime: Option<String>,
    /// Nobody but owners may sign in by password
    #[arg(
        id = "disable-password-auth",
        long,
        env = "STEADING_DISABLE_PASSWORD_AUTH",
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub disable_password_auth: Option<String>,
    /// Nobody shares a workspace, and what was shared opens to nobody but its owner
    #[arg(
        id = "disable-workspace-sharing",
        long,
        env = "STEADING_DISABLE_WORKSPACE_SHARING",
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub disable_workspace_sharing: Option<String>,
    /// A list of leaked passwords that nobody may choose: lines `HASH:COUNT`, SHA-1 in hex, sorted
    #[arg(
        id = "breached-passwords-file",
        long,
        env = "STEADING_BREACHED_PASSWORDS_FILE",
        value_name = "FILE"
    )]
    pub breached_passwords_file: Option<String>,
    /// Roles whose holders must have a second factor, such as `owner`; `member` is everyone
    #[arg(
        id = "mfa-required-roles",
        long,
        env = "STEADING_MFA_REQUIRED_ROLES",
        value_name = "ROLES",
        value_delimiter = ','
    )]
    pub mfa_required_roles: Vec<String>,
    /// How long logs of builds and agents are kept after their end; 0 for ever [default: 90d]
    #[arg(id = "log-retention", long, env = "STEADING_LOG_RETENTION", value_name = "DURATION")]
    pub log_retention: Option<String>,
    /// How long ended sessions are kept on record; 0 for ever [default: 365d]
    #[arg(
        id = "connection-retention",
        long,
        env = "STEADING_CONNECTION_RETENTION",
        value_name = "DURATION"
    )]
    pub connection_retention: Option<String>,
    /// How long entries of the audit log are kept, in whole days; 0 for ever [default: 0]
    #[arg(id = "audit-retention", long, env = "STEADING_AUDIT_RETENTION", value_name = "DURATION")]
    pub audit_retention: Option<String>,
    /// A file with the key that secrets are sealed with, 32 bytes in hex or base64
    #[arg(id = "master-key-file", long, env = "STEADING_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<String>,
}
