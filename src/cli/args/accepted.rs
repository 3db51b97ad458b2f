//! Flags of Coder's that change nothing here: scripts and plug-ins give them.

/// `--yes` of commands that ask nothing here.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Yes {
    /// Has no effect: nothing is asked
    #[arg(long, short, hide = true)]
    pub yes: bool,
}

/// Flags of Coder's that mean nothing here; taken so that plug-ins and scripts go on working.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Accepted {
    /// Has no effect
    #[arg(long, global = true, hide = true, num_args = 0..=1)]
    pub no_version_warning: Option<Option<String>>,
    /// Has no effect
    #[arg(long, global = true, hide = true, num_args = 0..=1)]
    pub no_feature_warning: Option<Option<String>>,
    /// Has no effect
    #[arg(long, global = true, hide = true, num_args = 0..=1, require_equals = true)]
    pub disable_network_telemetry: Option<Option<String>>,
    /// Has no effect
    #[arg(long, global = true, hide = true, num_args = 0..=1, require_equals = true)]
    pub use_keyring: Option<Option<String>>,
    /// Has no effect
    #[arg(long, global = true, hide = true, num_args = 0..=1, require_equals = true)]
    pub debug_options: Option<Option<String>>,
    /// Has no effect
    #[arg(long, global = true, hide = true, num_args = 0..=1, require_equals = true)]
    pub force_tty: Option<Option<String>>,
}
