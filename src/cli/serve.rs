//! `server` and `provider-mirror`: the settings' meaning, and the role that they start.

mod files;
mod github;
mod ldap;
mod mail;
mod oidc;
mod recording;
mod scim;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::ArgMatches;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::args::Surroundings;
use super::args::serve::{ProviderMirror, Server};
use super::context::{Context, read_url};
use super::output::Paint;
use super::settings::Layers;
use crate::model::duration;
use crate::model::factor::MfaRoles;
use crate::model::network::Network;
use crate::server::app::retention::Retention;
use crate::server::config::{Config, Terraform, Tls};

/// `server`
///
/// # Errors
/// When a setting has no meaning, or the server cannot start.
pub async fn run(ctx: &Context, args: Server, matches: &ArgMatches) -> anyhow::Result<()> {
    let mut layers = Layers::open(matches, args.settings.config.as_deref())?;
    let config = config(&mut layers, &ctx.around)?;
    let log = log(&mut layers, "info")?;
    if args.print_config {
        let table = layers.table().render(|head| ctx.out.paint(Paint::Strong, head));
        return ctx.out.bytes(table.as_bytes());
    }
    start_log(&log)?;
    let out = ctx.out.clone();
    crate::server::run(config, move |server| announce(&out, server)).await
}

/// Says where the server listens, a line each: scripts wait for them.
fn announce(out: &super::output::Output, server: &crate::server::Server) {
    let lines = [
        format!("http {}", server.url),
        format!("ssh  {}", server.ssh),
        format!("udp  {}", server.wireguard),
    ];
    for line in lines {
        // A closed output is no reason to stop serving.
        let _ = out.line(&line);
    }
}

/// How the server writes its log.
#[derive(Clone, Debug)]
pub struct Log {
    /// JSON, a line an event.
    pub json: bool,
    /// Which lines.
    pub filter: String,
}

/// Sets up the log, on standard error.
///
/// # Errors
/// When the filter is not one.
pub fn start_log(log: &Log) -> anyhow::Result<()> {
    if !log.json {
        return super::log::lines(&log.filter, std::io::stderr);
    }
    let lines = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(super::log::targets(&log.filter)?).with(lines).init();
    Ok(())
}

/// Reads how the log is written; `filter` unless told otherwise.
///
/// # Errors
/// When a setting has no meaning.
pub fn log(layers: &mut Layers<'_>, filter: &str) -> anyhow::Result<Log> {
    let json = layers.parse("log-format", "text", |text| match text {
        "text" => Ok(false),
        "json" => Ok(true),
        _ => Err("it may be text or json"),
    })?;
    let filter = layers
        .parse("log-filter", filter, |text| super::log::targets(text).map(|_| text.to_owned()))?;
    Ok(Log { json, filter })
}

/// Reads everything the server is told.
///
/// # Errors
/// When a setting has no meaning.
pub fn config(layers: &mut Layers<'_>, around: &Surroundings) -> anyhow::Result<Config> {
    let address = |text: &str| text.parse::<SocketAddr>().map_err(|_| "write 127.0.0.1:7080");
    let path = |text: &str| Ok::<_, &str>(PathBuf::from(text));
    let data = layers.parse("data", &default_data(around), path)?;
    let oidc = oidc::providers(layers, around)?;
    let data = absolute(&data)?;
    let config = Config {
        programs: match layers.parse_if_given("programs", path)? {
            Some(dir) => absolute(&dir)?,
            None => data.join("programs"),
        },
        data,
        http: layers.parse("http-address", "127.0.0.1:7080", address)?,
        ssh: layers.parse("ssh-address", "127.0.0.1:7022", address)?,
        wireguard: layers.parse("wireguard-address", "127.0.0.1:7080", address)?,
        access_url: layers
            .parse_if_given("access-url", |text| read_url(text).map(|u| u.to_string()))?,
        tls: tls(layers)?,
        trusted_proxies: trusted_proxies(layers)?,
        terraform: terraform(layers, around)?,
        runners: layers.parse("provisioners", "2", |text| match text.parse::<usize>() {
            Ok(n) if (1..=64).contains(&n) => Ok(n),
            Ok(_) | Err(_) => Err("it may be a number from 1 to 64"),
        })?,
        session_duration: layers.parse("session-duration", "24h", duration::parse)?,
        max_token_lifetime: layers.parse("max-token-lifetime", "8760h", duration::parse)?,
        password_auth: !layers.parse("disable-password-auth", "false", truth)?,
        sharing_off: layers.parse("disable-workspace-sharing", "false", truth)?,
        breached_passwords: layers.parse_if_given("breached-passwords-file", path)?,
        mfa_roles: mfa_roles(layers)?,
        retention: Retention {
            logs: layers.parse("log-retention", "90d", duration::parse)?,
            connections: layers.parse("connection-retention", "365d", duration::parse)?,
            audit: layers.parse("audit-retention", "0", duration::parse)?,
        },
        recording: recording::policy(layers)?,
        mail: mail::server(layers, around)?,
        master_key_file: layers.parse_if_given("master-key-file", path)?,
        scim: scim::settings(layers, around, &oidc)?,
        oidc,
        github: github::github(layers, around)?,
        ldap: ldap::directory(layers)?,
        told: layers.told(),
    };
    Ok(config)
}

fn tls(layers: &mut Layers<'_>) -> anyhow::Result<Option<Tls>> {
    let cert = layers.text("tls-cert-file")?;
    let key = layers.text("tls-key-file")?;
    match (cert, key) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => Ok(Some(Tls { cert: cert.into(), key: key.into() })),
        _ => anyhow::bail!("HTTPS needs both: --tls-cert-file and --tls-key-file."),
    }
}

fn mfa_roles(layers: &mut Layers<'_>) -> anyhow::Result<MfaRoles> {
    let all = layers.list("mfa-required-roles")?;
    let text = all.join(",");
    let names = text.split(',');
    MfaRoles::parse(names).map_err(|why| layers.wrong("mfa-required-roles", &text, &why))
}

fn trusted_proxies(layers: &mut Layers<'_>) -> anyhow::Result<Vec<Network>> {
    let all = layers.list("trusted-proxy")?;
    all.iter()
        .map(|text| text.trim().parse().map_err(|e| layers.wrong("trusted-proxy", text, &e)))
        .collect()
}

fn terraform(layers: &mut Layers<'_>, around: &Surroundings) -> anyhow::Result<Terraform> {
    let existing = |text: &str| {
        let path = absolute(Path::new(text)).map_err(|e| e.to_string())?;
        if path.exists() { Ok(path) } else { Err("there is no such file".to_owned()) }
    };
    Ok(Terraform {
        binary: layers.parse_if_given("terraform", existing)?,
        config: layers.parse_if_given("terraform-config", existing)?,
        mirror: layers.parse_if_given("provider-mirror", existing)?,
        time_limit: layers.parse("build-time-limit", "1h", duration::parse)?,
        environment: around.for_terraform.clone(),
    })
}

fn truth(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" | "" => Ok(false),
        _ => Err("it may be true or false"),
    }
}

/// `/var/lib/steading` for a system's server, else the person's own data directory.
#[must_use]
pub fn default_data(around: &Surroundings) -> String {
    if rustix::process::geteuid().is_root() {
        return "/var/lib/steading".to_owned();
    }
    let base = around
        .data_home
        .clone()
        .or_else(|| around.home.as_ref().map(|h| h.join(".local/share")))
        .unwrap_or_else(|| PathBuf::from("."));
    base.join("steading").to_string_lossy().into_owned()
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("Finding {}", path.display()))
}

/// `provider-mirror`
///
/// # Errors
/// When the directory cannot be written.
pub fn provider_mirror(ctx: &Context, args: &ProviderMirror) -> anyhow::Result<()> {
    let binary = std::env::current_exe().context("Finding this program")?;
    ensure!(!args.directory.is_file(), "{} is a file", args.directory.display());
    let written = crate::provision::mirror::write(&args.directory, &binary)
        .with_context(|| format!("Writing the mirror to {}", args.directory.display()))?;
    ctx.out.note(&format!(
        "Made {} links. Put these lines into ~/.terraformrc, or into a file that \
         TF_CLI_CONFIG_FILE names:",
        written.links
    ));
    ctx.out.line(written.config.trim_end())
}
