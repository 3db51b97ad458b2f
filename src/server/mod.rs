//! The server: all wiring of its parts.

pub mod app;
pub mod config;
pub mod db;
pub mod fleet;
pub mod hold;
pub mod homes;
pub mod html;
pub mod identity;
pub mod jobs;
pub mod listen;
pub mod outbox;
pub mod web;

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;

use self::app::breached::Breached;
use self::app::programs::Programs;
use self::app::{App, Policy};
use self::config::{Config, reachable};
use self::db::Db;
use self::fleet::{Fleet, address::Prefix};
use self::identity::{Fixed, Providers};
use crate::clock::{Clock, Entropy};
use crate::model::session::EndReason;
use crate::net::accept;
use crate::net::dial::Dialer;
use crate::net::proxy::Proxies;
use crate::provision::{FIRST_UID, ProcessSettings, Provisioner, Settings};
use crate::ssh::keys::KeyPair;
use crate::tasks::{OnPanic, Tasks};

/// The database's file in the data directory: all state is in it.
pub const DATABASE: &str = "steading.db";
/// How long a stop may take: requests end, runners save, the writer drains.
const DRAIN: Duration = Duration::from_secs(3);

/// A server that runs.
pub struct Server {
    /// The use cases.
    pub app: App,
    /// Who is connected.
    pub fleet: Fleet,
    /// Where it is reached, without a slash at the end.
    pub url: String,
    /// Where HTTP is served.
    pub http: SocketAddr,
    /// Where the SSH front door is.
    pub ssh: SocketAddr,
    /// Where the overlay's UDP socket is.
    pub wireguard: SocketAddr,
    homes: std::path::PathBuf,
    tasks: Tasks,
    _hold: hold::Hold,
}

impl Server {
    /// Opens the database and everything that listens.
    ///
    /// # Errors
    /// Names the step that failed: a directory, the database, an address in use, a certificate.
    pub async fn start(config: Config, clock: Clock, entropy: Entropy) -> anyhow::Result<Self> {
        let tasks = Tasks::new();
        raise_open_files();
        make_private(&config.data)?;
        let hold = hold::take(&config.data).await?;
        let opened = Db::begin(&config.data.join(DATABASE), clock.clone(), entropy.clone())
            .with_context(|| format!("Opening {}", config.data.join(DATABASE).display()));
        let (db, opening) = opened?;
        let listener = accept::listen(config.http)
            .with_context(|| format!("Listening for HTTP on {}", config.http))?;
        let http = listener.local_addr()?;
        let url = config.reached_at(http);
        let key = config.master_key_file.as_deref().map(identity::master_key::read).transpose()?;
        let seal = app::settings::load_seal(&db, key, entropy.clone()).await?;
        let app = App::new(db, clock.clone(), entropy.clone(), seal, policy(&config, &url)?);
        let known = Known::load(&app).await?;
        let door = fleet::front_door::listen(config.ssh)?;
        let build =
            build(&app, &config, (&known, &url, door.local_addr()?), (&clock, &entropy), &tasks);
        // What an earlier life left is cleared by the writer's thread, while this one makes the routes.
        let (cleared, built) = tokio::join!(clear(&app, &config), build);
        opening.wait().context("Opening the database for writing")?;
        cleared?;
        let (fleet, router) = built?;
        let ssh = fleet.open_front_door(door, &known.host_key)?;
        let homes = start_jobs(&app, &config, http, (&clock, &entropy), &tasks).await?;
        tasks.spawn("accounts", OnPanic::Lose, app.clone().keep_accounts());
        tasks.spawn("refusals", OnPanic::Lose, app.clone().keep_refusals());
        let programs = app.policy.programs.clone();
        tasks.spawn("programs", OnPanic::Lose, async move { programs.check().await });
        serve(listener, &config, router, &tasks)?;
        let wireguard = fleet.wireguard_address();
        Ok(Self { app, fleet, url, http, ssh, wireguard, homes, tasks, _hold: hold })
    }

    /// Waits until a part that the server cannot do without has failed.
    pub async fn failed(&self) {
        self.tasks.token().cancelled().await;
    }

    /// Stops: no new requests, open ones end, builds save their state, sessions are told.
    pub async fn stop(self) {
        if !self.tasks.stop(DRAIN).await {
            tracing::warn!("some tasks did not end in {} s", DRAIN.as_secs());
        }
        self.app.end_refusals().await;
        if let Err(error) = self.app.db.gather().await {
            tracing::warn!(%error, "copy the -wal file with the database: part of it is there");
        }
        // Only where nobody has a home: a directory with one is not removed by this.
        let _ = std::fs::remove_dir(&self.homes);
    }
}

/// Ends what an earlier life of the server left open, and follows the configuration of this one.
async fn clear(app: &App, config: &Config) -> anyhow::Result<()> {
    // Asked for at once: what is changed is then in one commit, and waits for the disk once.
    tokio::try_join!(
        app.ensure_start(),
        app.end_all_sessions(EndReason::Server),
        app.end_left_recordings(),
        app.end_left_transfers(),
        app.seal_hooks(),
        app.set_sharing_off(config.sharing_off),
        app.set_mail_told(config.mail.is_some()),
    )
    .context("Ending what an earlier start left")?;
    Ok(())
}

/// Everything between the database and those who ask.
async fn build(
    app: &App,
    config: &Config,
    (known, url, ssh): (&Known, &str, SocketAddr),
    (clock, entropy): (&Clock, &Entropy),
    tasks: &Tasks,
) -> anyhow::Result<(Fleet, axum::Router)> {
    let start = fleet::Start {
        secret: known.wireguard,
        marks_key: known.marks_key,
        prefix: known.prefix,
        bind: config.wireguard,
    };
    let fleet = Fleet::start(app.clone(), start, clock.clone(), entropy.clone(), tasks).await?;
    let site = web::Site::new(config, url, ssh, known.host_key.public().fingerprint())?;
    let ways = start_providers(app, config, tasks).await?;
    let state = web::State::new(app.clone(), fleet.clone(), site, ways, tasks.clone()).await?;
    Ok((fleet, web::router(state)))
}

/// What a deployment is known by, made at its first start.
struct Known {
    wireguard: [u8; 32],
    marks_key: [u8; 32],
    prefix: Prefix,
    host_key: KeyPair,
}

impl Known {
    /// Reads it, and makes what is missing.
    async fn load(app: &App) -> anyhow::Result<Self> {
        let rows = async {
            match app.is_new().await? {
                true => app.ensure_start().await,
                false => Ok(()),
            }
        };
        // Asked for at once: what is made is then in one commit, and waits for the disk once.
        let ((), wireguard, marks_key, prefix, host_key) = tokio::try_join!(
            rows,
            app.secret("wireguard_key", |e| e.bytes::<32>().to_vec()),
            app.secret("marks_key", |e| e.bytes::<32>().to_vec()),
            app.secret("overlay_prefix", |e| Prefix::random(e).0.to_vec()),
            app.secret("ssh_host_key", |e| {
                KeyPair::generate(e, "steading").to_openssh().as_bytes().to_vec()
            }),
        )
        .context("Reading what the deployment is known by")?;
        let wireguard = <[u8; 32]>::try_from(wireguard.as_slice());
        let host_key = std::str::from_utf8(&host_key).context("Reading the SSH host key")?;
        Ok(Self {
            wireguard: wireguard.context("Reading the WireGuard key")?,
            marks_key: fleet::recorder::marks_key(&marks_key)?,
            prefix: Prefix::read(&prefix).context("Reading the overlay's prefix")?,
            host_key: KeyPair::from_openssh(host_key)?,
        })
    }
}

/// Runs a server until SIGTERM or Ctrl-C. `announce` is told when everything listens.
///
/// # Errors
/// When it cannot start, or a part it cannot do without fails.
pub async fn run(config: Config, announce: impl FnOnce(&Server)) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("Listening for SIGTERM")?;
    let server = Server::start(config, Clock::machine(), Entropy::machine()).await?;
    announce(&server);
    let failed = tokio::select! {
        _ = terminate.recv() => false,
        interrupted = tokio::signal::ctrl_c() => interrupted.is_err(),
        () = server.failed() => true,
    };
    server.stop().await;
    anyhow::ensure!(!failed, "a part of the server failed; the log says which");
    Ok(())
}

/// Fewer open files than this are too few for a team: each connection is one.
const FEW_OPEN_FILES: u64 = 4096;

fn raise_open_files() {
    match crate::spawn::raise_open_files() {
        Ok(files) => tell_open_files(files),
        Err(error) => tracing::warn!(%error, "the limit of open files could not be raised"),
    }
}

fn tell_open_files(files: Option<u64>) {
    if files.is_some_and(|files| files < FEW_OPEN_FILES) {
        tracing::warn!(
            files,
            "few files may be open at once, and each connection is one; raise the limit \
             (LimitNOFILE= of the unit, or ulimit -Hn)"
        );
    } else {
        tracing::info!(files, "so many files may be open at once");
    }
}

fn make_private(dir: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("Making the data directory {}", dir.display()))
}

fn policy(config: &Config, url: &str) -> anyhow::Result<Policy> {
    let breached = config.breached_passwords.as_deref().map(Breached::open).transpose()?;
    Ok(Policy {
        access_url: url.to_owned(),
        session_duration: config.session_duration,
        max_token_lifetime: config.max_token_lifetime,
        password_auth: config.password_auth,
        breached: breached.map(Arc::new),
        mfa_roles: config.mfa_roles.clone(),
        retention: config.retention,
        recording: config.recording,
        programs: Programs::new(config.programs.clone(), config.data.join("packed")),
        mail: config.mail.clone(),
    })
}

async fn start_providers(app: &App, config: &Config, tasks: &Tasks) -> anyhow::Result<Providers> {
    let dialer = Dialer::new(Proxies::from_env(&config.terraform.environment));
    let fixed = Fixed {
        oidc: config.oidc.clone(),
        github: config.github.clone(),
        ldap: config.ldap.clone(),
        scim: config.scim.clone(),
        told: config.told.clone(),
    };
    outbox::start(app, dialer.clone(), tasks);
    let providers = Providers::start(app.clone(), fixed, dialer).await?;
    tasks.spawn("identity-grants", OnPanic::Stop, providers.clone().keep_grants());
    Ok(providers)
}

async fn start_jobs(
    app: &App,
    config: &Config,
    http: SocketAddr,
    (clock, entropy): (&Clock, &Entropy),
    tasks: &Tasks,
) -> anyhow::Result<std::path::PathBuf> {
    let id = app.deployment_id().await?;
    let data = config.data.clone();
    let homes = tokio::task::spawn_blocking(move || homes::prepare(&data, id)).await??;
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let settings = Settings {
        terraform: config.terraform.binary.clone(),
        search_path: config.terraform.environment.get("PATH").cloned().unwrap_or_default(),
        work_dir: config.data.join("jobs"),
        plugin_cache: config.data.join("plugins"),
        provider_mirror: config.terraform.mirror.clone(),
        terraform_config: config.terraform.config.clone(),
        access_url: app.policy.access_url.clone(),
        env: config.terraform.environment.clone(),
        agent_scripts: crate::wire::bootstrap::all(),
        process: ProcessSettings {
            homes: homes.dir.clone(),
            binary: homes.binary,
            agent_url: format!("{scheme}://{}", reachable(http)),
            first_uid: first_uid(id),
        },
        time_limit: config.terraform.time_limit,
    };
    let provisioner = Provisioner::new(settings, clock.clone(), entropy.clone(), tasks);
    let (app, runners, inner) = (app.clone(), config.runners, tasks.clone());
    // What an earlier life left running may have an object under way; pages need not wait for it.
    tasks.spawn("jobs-start", OnPanic::Stop, async move {
        if let Err(error) = jobs::start(&app, &provisioner, &inner, runners).await {
            tracing::error!(error = format!("{error:#}"), "builds cannot be run");
            inner.cancel();
        }
    });
    Ok(homes.dir)
}

/// The first uid of this deployment's workspaces. Servers on one machine must not share uids: all
/// processes of a workspace's uid end with it. A million ranges of a thousand, chosen by the id.
fn first_uid(deployment: uuid::Uuid) -> u32 {
    let range = u32::try_from(deployment.as_u128() % 1_000_000).unwrap_or_default();
    FIRST_UID + range * 1000
}

fn serve(
    listener: TcpListener,
    config: &Config,
    router: axum::Router,
    tasks: &Tasks,
) -> anyhow::Result<()> {
    let acceptor = config.tls.as_ref().map(listen::acceptor).transpose()?;
    let inner = tasks.clone();
    tasks.spawn_graceful("http", OnPanic::Stop, async move {
        match acceptor {
            Some(acceptor) => listen::tls(listener, acceptor, router, &inner).await,
            None => listen::plain(listener, router, &inner).await,
        }
    });
    Ok(())
}
