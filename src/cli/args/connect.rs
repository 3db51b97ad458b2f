//! Arguments of the commands that reach into workspaces, and of those that find faults.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Format;

/// Commands that reach into workspaces.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open a shell in a workspace, or run a command there
    Ssh(Ssh),
    /// An older form of `ssh --stdio`, for VS Code
    #[command(hide = true)]
    Vscodessh(VscodeSsh),
    /// Let `ssh WORKSPACE.coder` and every SSH client reach workspaces
    ConfigSsh(ConfigSsh),
    /// Measure the way to a workspace
    Ping(Ping),
    /// Measure how fast the way to a workspace is
    Speedtest(Speedtest),
    /// Print what this machine's network allows, as JSON
    Netcheck(Netcheck),
    /// Bring a workspace's ports to this machine
    PortForward(PortForward),
    /// Open a workspace in an editor, or one of its apps
    #[command(subcommand)]
    Open(Open),
}

/// Whether to wait for an agent's start scripts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Wait {
    /// Always.
    Yes,
    /// Never.
    No,
    /// When a script says that people wait for it.
    #[default]
    Auto,
}

/// How a name given by an SSH client leads to a workspace.
#[derive(Clone, Debug, Default, Args)]
pub struct HostName {
    /// What to take off the front of the host's name
    #[arg(long, env = "STEADING_SSH_SSH_HOST_PREFIX", default_value = "", value_name = "PREFIX")]
    pub ssh_host_prefix: String,
    /// What to take off its end, after a dot
    #[arg(long, env = "STEADING_SSH_HOSTNAME_SUFFIX", default_value = "", value_name = "SUFFIX")]
    pub hostname_suffix: String,
}

/// Where a plug-in reads how the connection fares.
#[derive(Clone, Debug, Default, Args)]
pub struct NetworkInfo {
    /// Keep a file about the connection in this directory, for plug-ins
    #[arg(long, value_name = "DIR")]
    pub network_info_dir: Option<PathBuf>,
    /// How often to write it
    #[arg(long, default_value = "5s", value_name = "DURATION")]
    pub network_info_interval: String,
}

/// `ssh`
#[derive(Debug, Args)]
pub struct Ssh {
    /// The workspace, as NAME, OWNER/NAME or NAME.AGENT, and the command to run there
    #[arg(required = true, num_args = 1.., value_name = "WORKSPACE [-- COMMAND]")]
    pub target: Vec<String>,
    /// Speak SSH on standard input and output, as a `ProxyCommand`
    #[arg(long, env = "STEADING_SSH_STDIO")]
    pub stdio: bool,
    /// Host names.
    #[command(flatten)]
    pub host: HostName,
    /// For plug-ins.
    #[command(flatten)]
    pub info: NetworkInfo,
    /// Let the workspace use this machine's SSH agent
    #[arg(long, short = 'A', env = "STEADING_SSH_FORWARD_AGENT")]
    pub forward_agent: bool,
    /// Bring connections to a port of the workspace here, PORT:HOST:HOSTPORT
    #[arg(long, short = 'R', value_name = "FORWARD")]
    pub remote_forward: Vec<String>,
    /// Bring connections to a port of this machine there, PORT:HOST:HOSTPORT
    #[arg(long, short = 'L', value_name = "FORWARD")]
    pub local_forward: Vec<String>,
    /// Has no effect: there is no other tunnel
    #[arg(long, hide = true)]
    pub force_new_tunnel: bool,
    /// The SSH agent to let it use, with --forward-agent; the one of `SSH_AUTH_SOCK` by default
    #[arg(long, env = "STEADING_SSH_IDENTITY_AGENT", value_name = "SOCKET")]
    pub identity_agent: Option<PathBuf>,
    /// Has no effect
    #[arg(long, hide = true, value_name = "DURATION")]
    pub workspace_poll_interval: Option<String>,
    /// An environment variable to set, NAME=VALUE; may be repeated
    #[arg(long, short, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Whether to wait for start scripts
    #[arg(long, env = "STEADING_SSH_WAIT", value_enum, default_value_t)]
    pub wait: Wait,
    /// The same as --wait=no
    #[arg(long, hide = true)]
    pub no_wait: bool,
    /// Do not start a stopped workspace
    #[arg(long, env = "STEADING_SSH_DISABLE_AUTOSTART")]
    pub disable_autostart: bool,
    /// Ask for a terminal, also for a command
    #[arg(long, short)]
    pub tty: bool,
    /// What the session is recorded as: ssh, vscode or jetbrains
    #[arg(
        long,
        env = "STEADING_USAGE_APP",
        hide = true,
        default_value = "ssh",
        value_name = "APP"
    )]
    pub usage_app: String,
    /// Write a log of the connection into this directory
    #[arg(long, short, env = "STEADING_SSH_LOG_DIR", value_name = "DIR")]
    pub log_dir: Option<PathBuf>,
}

/// `vscodessh`
#[derive(Debug, Args)]
pub struct VscodeSsh {
    /// The host name
    pub host: String,
    /// A file with the token
    #[arg(long)]
    pub session_token_file: PathBuf,
    /// A file with the server's address
    #[arg(long)]
    pub url_file: PathBuf,
    /// For the plug-in.
    #[command(flatten)]
    pub info: NetworkInfo,
    /// Write a log of the connection into this directory
    #[arg(long, short)]
    pub log_dir: Option<PathBuf>,
    /// Whether to wait for start scripts
    #[arg(long, value_enum, default_value_t)]
    pub wait: Wait,
}

/// `config-ssh`
#[derive(Debug, Args)]
pub struct ConfigSsh {
    /// The file to write into
    #[arg(
        long,
        env = "STEADING_SSH_CONFIG_FILE",
        default_value = "~/.ssh/config",
        value_name = "FILE"
    )]
    pub ssh_config_file: String,
    /// A further option for the block, such as `ForwardAgent yes`; may be repeated
    #[arg(long, short = 'o', value_name = "OPTION", value_delimiter = ',')]
    pub ssh_option: Vec<String>,
    /// The program that the block calls; this one by default
    #[arg(long, env = "STEADING_CONFIGSSH_BINARY_PATH", value_name = "PATH")]
    pub coder_binary_path: Option<PathBuf>,
    /// Show what would change
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Take the block out
    #[arg(long)]
    pub remove: bool,
    /// The prefix of host names; what the server says by default
    #[arg(long, value_name = "PREFIX")]
    pub ssh_host_prefix: Option<String>,
    /// The suffix of host names; what the server says by default
    #[arg(long, value_name = "SUFFIX")]
    pub hostname_suffix: Option<String>,
    /// Whether to wait for start scripts
    #[arg(long, value_enum, default_value_t)]
    pub wait: Wait,
    /// Do not start a stopped workspace
    #[arg(long)]
    pub disable_autostart: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Has no effect
    #[arg(long, hide = true)]
    pub use_previous_options: bool,
    /// Has no effect
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true)]
    pub force_unix_filepaths: Option<Option<String>>,
    /// Has no effect
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true)]
    pub skip_proxy_command: Option<Option<String>>,
}

/// `ping`
#[derive(Debug, Args)]
pub struct Ping {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// How many times; 0 for until it is stopped
    #[arg(long, short, default_value_t = 10, value_name = "N")]
    pub num: u32,
    /// How long to wait between two
    #[arg(long, default_value = "1s", value_name = "DURATION")]
    pub wait: String,
    /// How long to wait for an answer
    #[arg(long, short, default_value = "5s", value_name = "DURATION")]
    pub timeout: String,
    /// Say when each answer came
    #[arg(long)]
    pub time: bool,
    /// The same in UTC
    #[arg(long)]
    pub utc: bool,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Direction {
    /// From the workspace.
    #[default]
    Down,
    /// To the workspace.
    Up,
}

/// `speedtest`
#[derive(Debug, Args)]
pub struct Speedtest {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// How long to measure
    #[arg(long, short, default_value = "5s", value_name = "DURATION")]
    pub time: String,
    /// Which way
    #[arg(long, value_enum, default_value_t)]
    pub direction: Direction,
    /// Wait for a direct connection first
    #[arg(long, short)]
    pub direct: bool,
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
    /// Which columns of the table, in which order
    #[arg(long, short, value_delimiter = ',', value_name = "COLUMN")]
    pub column: Vec<String>,
}

/// `netcheck`
#[derive(Debug, Args)]
pub struct Netcheck {}

/// `port-forward`
#[derive(Debug, Args)]
pub struct PortForward {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// A port, LOCAL:REMOTE or one for both; ranges such as 3000-3005; may be repeated
    #[arg(long, short = 'p', value_delimiter = ',', required = true, value_name = "PORTS")]
    pub tcp: Vec<String>,
    /// Do not start a stopped workspace
    #[arg(long)]
    pub disable_autostart: bool,
}

/// `open`
#[derive(Debug, Subcommand)]
pub enum Open {
    /// In VS Code, by its Coder extension
    Vscode {
        /// The workspace: NAME, OWNER/NAME or NAME.AGENT
        workspace: String,
        /// The directory; the agent's own when absent
        directory: Option<String>,
        /// Put a new token into the link, for an editor that is not signed in
        #[arg(long)]
        generate_token: bool,
        /// Print the link only
        #[arg(long)]
        print: bool,
    },
    /// One of its apps; without a name, say which there are
    App {
        /// The workspace: NAME, OWNER/NAME or NAME.AGENT
        workspace: String,
        /// The app's slug
        app: Option<String>,
        /// Has no effect: the server is one place
        #[arg(long, env = "STEADING_OPEN_APP_REGION", hide = true, value_name = "REGION")]
        region: Option<String>,
        /// Print the link only
        #[arg(long, hide = true)]
        print: bool,
    },
}

/// `support`
#[derive(Debug, Subcommand)]
pub enum Support {
    /// Write a zip file that holds no secrets
    Bundle {
        /// A workspace to look at
        workspace: Option<String>,
        /// An agent of it
        agent: Option<String>,
        /// Has no effect: what is named is looked at
        #[arg(long, hide = true, value_name = "N")]
        workspaces_total_cap: Option<u32>,
        /// Where to; a name with the date when absent
        #[arg(long, short = 'O', value_name = "FILE")]
        output_file: Option<PathBuf>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// `completion`
#[derive(Debug, Args)]
pub struct Completion {
    /// The shell
    #[arg(long, short, value_enum)]
    pub shell: Option<clap_complete::Shell>,
    /// The shell, as a word
    #[arg(value_enum, conflicts_with = "shell")]
    pub name: Option<clap_complete::Shell>,
    /// Has no effect: the script is always printed
    #[arg(long, short, hide = true)]
    pub print: bool,
}

/// `external-auth`
#[derive(Debug, Subcommand)]
pub enum ExternalAuth {
    /// Print a token for a service
    AccessToken {
        /// The service's id
        id: String,
        /// A field of what the service says besides
        #[arg(long, value_name = "FIELD")]
        extra: Option<String>,
    },
}

/// `gitssh`
#[derive(Debug, Args)]
pub struct GitSsh {
    /// What Git passes to ssh
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<std::ffi::OsString>,
}
