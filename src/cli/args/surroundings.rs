//! What the environment says beyond flags.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::net::proxy::Proxies;

/// What names the person's home directory.
const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
/// What names the directory of programs' settings, where the standard of free desktops does not.
const SETTINGS: &str = if cfg!(windows) { "APPDATA" } else { "" };
/// What names the directory of programs' data, likewise.
const DATA: &str = if cfg!(windows) { "LOCALAPPDATA" } else { "" };

/// Variables that programs run by Terraform may see.
const FOR_TERRAFORM: &[&str] = &[
    "PATH",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "LANG",
    "TZ",
];

/// The whole environment, where it is text: an agent's sessions begin with it.
#[must_use]
pub fn whole_environment() -> std::collections::BTreeMap<String, String> {
    let text = |(k, v): (OsString, OsString)| Some((k.into_string().ok()?, v.into_string().ok()?));
    std::env::vars_os().filter_map(text).collect()
}

/// What is set of the environment under names that begin so.
fn told_as(prefix: &str) -> std::collections::BTreeMap<String, String> {
    let all = whole_environment().into_iter();
    all.filter(|(name, value)| name.starts_with(prefix) && !value.is_empty()).collect()
}

/// What the environment says beyond flags.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The person's home directory.
    pub home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`; on Windows `APPDATA`, where Coder's own command line and its plug-ins look.
    pub config_home: Option<PathBuf>,
    /// `TERM`.
    pub term: Option<String>,
    /// Colours are not wanted.
    pub no_color: bool,
    /// The socket of the person's SSH agent.
    pub ssh_agent: Option<PathBuf>,
    /// `PATH`, proxies and certificate files: what Terraform is given of our environment.
    pub for_terraform: std::collections::BTreeMap<String, String>,
    /// Coder's settings of a provider that people sign in at: `CODER_OIDC_*`.
    pub coder_oidc: std::collections::BTreeMap<String, String>,
    /// Coder's setting of the token for SCIM: `CODER_SCIM_AUTH_HEADER`.
    pub coder_scim: Option<String>,
    /// The password at the mail server: `STEADING_MAIL_PASSWORD`.
    pub mail_password: Option<String>,
    /// Coder's settings of GitHub: `CODER_OAUTH2_GITHUB_*`.
    pub coder_github: std::collections::BTreeMap<String, String>,
    /// `XDG_DATA_HOME`; on Windows `LOCALAPPDATA`.
    pub data_home: Option<PathBuf>,
    /// `USER`; on Windows `USERNAME`.
    pub user: Option<String>,
    /// `LANG` and `LC_*`, which a shell in a workspace is given.
    pub locale: Vec<(String, String)>,
}

impl Surroundings {
    /// Reads it.
    #[must_use]
    pub fn read() -> Self {
        let text = |name: &str| std::env::var_os(name).and_then(|v| v.into_string().ok());
        let path = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        Self {
            home: path(HOME),
            config_home: path("XDG_CONFIG_HOME").or_else(|| path(SETTINGS)),
            term: text("TERM").filter(|t| !t.is_empty()),
            no_color: text("NO_COLOR").is_some_and(|v| !v.is_empty())
                || text("TERM").is_some_and(|t| t == "dumb"),
            ssh_agent: path("SSH_AUTH_SOCK"),
            for_terraform: whole_environment()
                .into_iter()
                .filter(|(name, _)| FOR_TERRAFORM.contains(&name.to_ascii_uppercase().as_str()))
                .collect(),
            coder_oidc: told_as("CODER_OIDC_"),
            coder_github: told_as("CODER_OAUTH2_GITHUB_"),
            coder_scim: text("CODER_SCIM_AUTH_HEADER").filter(|text| !text.is_empty()),
            mail_password: text("STEADING_MAIL_PASSWORD").filter(|text| !text.is_empty()),
            data_home: path("XDG_DATA_HOME").or_else(|| path(DATA)),
            user: text(if cfg!(windows) { "USERNAME" } else { "USER" })
                .or_else(|| text("LOGNAME"))
                .filter(|u| !u.is_empty()),
            locale: whole_environment()
                .into_iter()
                .filter(|(name, _)| name == "LANG" || name.starts_with("LC_"))
                .collect(),
        }
    }

    /// The proxies for connections to the server.
    #[must_use]
    pub fn proxies(&self) -> Proxies {
        Proxies::from_env(&self.for_terraform)
    }

    /// Where an agent keeps what must outlive it, one directory an agent.
    #[must_use]
    pub fn state_dir_of_agent(&self, token: &str) -> PathBuf {
        use sha2::Digest as _;
        let name = hex::encode(sha2::Sha256::digest(token.as_bytes()));
        let name = name.get(..12).unwrap_or(&name);
        if let (true, Some(data)) = (cfg!(windows), &self.data_home) {
            return data.join("steading-agent").join(name);
        }
        let base = self.home.clone().unwrap_or_else(std::env::temp_dir);
        base.join(".cache/steading-agent").join(name)
    }
}
