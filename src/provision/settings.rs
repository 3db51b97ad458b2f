//! What the provisioner is told once, at start; it reads nothing from the process's environment.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// How the provisioner finds Terraform, where it works, and what the programs it starts may see.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program; none to look for `terraform`, then `tofu`, in [`Settings::search_path`].
    pub terraform: Option<PathBuf>,
    /// The `PATH` of Terraform and of the processes it starts.
    pub search_path: String,
    /// Where jobs work, one private directory each. Empty between jobs.
    pub work_dir: PathBuf,
    /// Providers downloaded once and shared by all jobs. A cache: may be deleted at any time.
    pub plugin_cache: PathBuf,
    /// A directory of providers in Terraform's filesystem mirror layout.
    pub provider_mirror: Option<PathBuf>,
    /// The operator's own Terraform CLI configuration file.
    pub terraform_config: Option<PathBuf>,
    /// The deployment's URL, as agents and templates see it.
    pub access_url: String,
    /// Further variables for Terraform: proxies, `SSL_CERT_FILE`, and what the operator lists.
    pub env: BTreeMap<String, String>,
    /// The bootstrap text of agents by `linux_amd64`; `${ACCESS_URL}` and `${AUTH_TYPE}` are filled in.
    pub agent_scripts: BTreeMap<String, String>,
    /// How `steading_process` runs agents on this machine.
    pub process: ProcessSettings,
    /// How long one job may take.
    pub time_limit: Duration,
}

/// How `steading_process` runs agents on the server's machine.
#[derive(Clone, Debug)]
pub struct ProcessSettings {
    /// The homes, one a workspace. They outlive jobs. Where the server is root this has to lie
    /// outside the data directory, since other users must be able to enter it.
    pub homes: PathBuf,
    /// The program that runs as `steading agent`: this one. Where the server is root, other users
    /// have to be able to run it.
    pub binary: PathBuf,
    /// The URL at which a process on this machine reaches the server.
    pub agent_url: String,
    /// The first uid of workspaces where the server is root.
    pub first_uid: u32,
}

/// The first uid of workspaces unless told otherwise: far above people and containers' ranges.
pub const FIRST_UID: u32 = 2_000_000_000;

/// How long one job may take unless told otherwise: the slowest clouds need most of an hour.
pub const TIME_LIMIT: Duration = Duration::from_secs(60 * 60);
