//! What the operator asked for, with its meaning: parsed, resolved, ready to use.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::model::factor::MfaRoles;
use crate::model::mail::MailServer;
use crate::model::network::Network;
use crate::model::recording;
use crate::server::app::retention::Retention;
use crate::server::identity::{github, ldap, oidc, scim};

/// Everything the server is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the database lives; the rest in it is a cache. Made with mode 0700.
    pub data: PathBuf,
    /// Where pages and the API are served.
    pub http: SocketAddr,
    /// Where the SSH front door is.
    pub ssh: SocketAddr,
    /// Where the overlay's UDP socket is.
    pub wireguard: SocketAddr,
    /// Where the server is reached from outside; from the HTTP address when absent.
    pub access_url: Option<String>,
    /// Certificate and key files, when TLS is served here.
    pub tls: Option<Tls>,
    /// Proxies whose forwarded headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// Terraform and what it is given.
    pub terraform: Terraform,
    /// This program for other machines.
    pub programs: PathBuf,
    /// How many builds run at once.
    pub runners: usize,
    /// How long a session lasts without use.
    pub session_duration: Duration,
    /// The longest life of an API token.
    pub max_token_lifetime: Duration,
    /// Whether people may sign in by password.
    pub password_auth: bool,
    /// Whether nobody may share a workspace.
    pub sharing_off: bool,
    /// A sorted list of leaked passwords, which nobody may choose.
    pub breached_passwords: Option<PathBuf>,
    /// Providers that people sign in at, by `OpenID` Connect.
    pub oidc: Vec<oidc::Settings>,
    /// GitHub, where people sign in.
    pub github: Option<github::Settings>,
    /// The directory whose people sign in here.
    pub ldap: Option<ldap::Settings>,
    /// Roles whose holders must have a second factor.
    pub mfa_roles: MfaRoles,
    /// The identity provider that keeps users and groups here by SCIM.
    pub scim: Option<scim::Settings>,
    /// How long what happened is kept.
    pub retention: Retention,
    /// Which sessions are recorded, and how.
    pub recording: recording::Policy,
    /// The server that mails go through.
    pub mail: Option<MailServer>,
    /// Each setting that was told: its key, its value as it may be shown, and where it was told.
    pub told: Vec<[String; 3]>,
    /// A file with the master key, 32 bytes in hex or base64; in the database when absent.
    pub master_key_file: Option<PathBuf>,
}

/// TLS by certificate files.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The chain, PEM.
    pub cert: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
}

/// Terraform and what it is given.
#[derive(Clone, Debug)]
pub struct Terraform {
    /// The binary; looked up on `path` when absent.
    pub binary: Option<PathBuf>,
    /// The operator's own CLI configuration, merged with ours.
    pub config: Option<PathBuf>,
    /// A filesystem mirror of providers.
    pub mirror: Option<PathBuf>,
    /// How long a job may take.
    pub time_limit: Duration,
    /// `PATH` and what else of the server's environment programs of a job may see: proxies and
    /// certificate files.
    pub environment: std::collections::BTreeMap<String, String>,
}

impl Config {
    /// Where the server is reached, without a slash at the end.
    #[must_use]
    pub fn reached_at(&self, bound: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        match &self.access_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("{scheme}://{}", reachable(bound)),
        }
    }
}

/// An address that can be dialled from this machine: a wildcard becomes loopback.
#[must_use]
pub fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, bound.port())
}
