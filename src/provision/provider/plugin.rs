//! Being a provider that Terraform started (go-plugin): handshake, TLS, one connection, exit.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::values::Values;
use super::{Provider, Which, grpc, tls};
use crate::clock::Entropy;
use crate::provision::log::Secrets;
use crate::tasks::Tasks;

/// What Terraform puts into the environment of a provider, so that nobody starts one by accident.
const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// How long to wait for the one connection. Terraform connects within milliseconds.
const NEVER_CONNECTED: Duration = Duration::from_secs(60);

/// When Terraform started this process as a provider (through a link of
/// [`crate::provision::mirror::write`]), serves it until Terraform is done and gives the exit code.
/// `main` calls this before anything else, and before anything is printed: the first line on
/// standard output is the handshake.
#[must_use]
pub fn main() -> Option<ExitCode> {
    let environment = environment();
    if environment.get(COOKIE.0).map(String::as_str) != Some(COOKIE.1) {
        return None;
    }
    match run(environment) {
        Ok(()) => Some(ExitCode::SUCCESS),
        Err(error) => {
            // Terraform shows what a provider says on standard error.
            let _ = writeln!(std::io::stderr(), "steading as a provider: {error:#}");
            Some(ExitCode::FAILURE)
        }
    }
}

/// A plugin's protocol is its environment: the cookie, the certificate, and the job's values.
fn environment() -> BTreeMap<String, String> {
    let text = |s: std::ffi::OsString| s.into_string().ok();
    std::env::vars_os().filter_map(|(k, v)| Some((text(k)?, text(v)?))).collect()
}

fn run(environment: BTreeMap<String, String>) -> anyhow::Result<()> {
    let wants_tls = environment.get("PLUGIN_CLIENT_CERT").is_some_and(|c| !c.is_empty());
    let which =
        if called_as("terraform-provider-steading") { Which::Steading(None) } else { Which::Coder };
    let temp = environment.get("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    let entropy = Entropy::machine();
    let provider = Arc::new(Provider::new(
        which,
        Values::new(environment),
        entropy.clone(),
        Secrets::default(),
    ));
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("Starting")?
        .block_on(serve(provider, wants_tls, &temp, &entropy))
}

/// Terraform starts the link by its name, which says which provider it wants.
fn called_as(name: &str) -> bool {
    std::env::args_os().next().is_some_and(|program| {
        program.to_string_lossy().rsplit('/').next().is_some_and(|n| n.starts_with(name))
    })
}

async fn serve(
    provider: Arc<Provider>,
    wants_tls: bool,
    temp: &Path,
    entropy: &Entropy,
) -> anyhow::Result<()> {
    // A long TMPDIR would make the socket's path too long.
    let parent = if temp.as_os_str().len() > 50 { Path::new("/tmp") } else { temp };
    let dir = parent.join(format!("steading-{}", entropy.uuid4().simple()));
    crate::provision::dir::create_private(&dir)?;
    let served = serve_in(&dir, provider, wants_tls).await;
    let _ = std::fs::remove_dir_all(&dir);
    served
}

async fn serve_in(dir: &Path, provider: Arc<Provider>, wants_tls: bool) -> anyhow::Result<()> {
    let path = dir.join("s");
    let listener = UnixListener::bind(&path).context("Opening the socket")?;
    let (acceptor, certificate) = if wants_tls {
        let (config, certificate) = tls::server()?;
        (Some(TlsAcceptor::from(config)), certificate)
    } else {
        (None, String::new())
    };
    // Ctrl-C goes to the whole foreground group; Terraform decides when a provider ends.
    let mut interrupts = signal(SignalKind::interrupt()).context("Listening for signals")?;
    let mut out = std::io::stdout();
    writeln!(out, "1|5|unix|{}|grpc|{certificate}", path.display())
        .and_then(|()| out.flush())
        .context("Answering terraform")?;
    let one = one_connection(&listener, acceptor, provider);
    tokio::pin!(one);
    loop {
        tokio::select! {
            ended = &mut one => return ended,
            _ = interrupts.recv() => {}
        }
    }
}

/// One process of Terraform is one connection: when it ends, so does this provider, and a killed
/// Terraform leaves nothing behind.
async fn one_connection(
    listener: &UnixListener,
    acceptor: Option<TlsAcceptor>,
    provider: Arc<Provider>,
) -> anyhow::Result<()> {
    let (stream, _) = tokio::time::timeout(NEVER_CONNECTED, listener.accept())
        .await
        .context("Nobody connected")?
        .context("Accepting terraform")?;
    let (tasks, shutdown) = (Tasks::new(), CancellationToken::new());
    match acceptor {
        Some(acceptor) => {
            let stream = acceptor.accept(stream).await.context("Agreeing on TLS")?;
            grpc::serve(stream, provider, &tasks, shutdown).await;
        }
        None => grpc::serve(stream, provider, &tasks, shutdown).await,
    }
    Ok(())
}
