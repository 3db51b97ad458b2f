//! Fetches a program from the server into a file, and checks that it is the one that was announced.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use tokio::time::{sleep, timeout};

use crate::net::dial::Dialer;
use crate::wire::agent::Update;
use crate::wire::program::version;

/// The largest program that is taken; ours are a tenth of it.
const MAX_BYTES: u64 = 256 << 20;
/// The longest that may take: ours at 8 kB a second.
const WITHIN: Duration = Duration::from_secs(30 * 60);
/// What a program may take to say its version.
const SAYS_WITHIN: Duration = Duration::from_secs(30);
/// A moment until a file that was written may be run.
const BUSY_FOR: Duration = Duration::from_millis(200);

/// Fetches the program into `to`, which is only left there when it is the announced one and runs.
///
/// # Errors
/// Says what is wrong with it.
pub async fn fetch(
    update: &Update,
    url: &url::Url,
    dialer: &Dialer,
    to: &Path,
) -> anyhow::Result<()> {
    ensure!(update.bytes <= MAX_BYTES, "it is {} bytes, which is too much", update.bytes);
    let fetched = async {
        timeout(WITHIN, download(update, url, dialer, to)).await.context("Fetching it")??;
        runs(update, to).await
    };
    let done = fetched.await;
    if done.is_err() {
        let _ = std::fs::remove_file(to);
    }
    done
}

async fn download(
    update: &Update,
    url: &url::Url,
    dialer: &Dialer,
    to: &Path,
) -> anyhow::Result<()> {
    let mut url = url.clone();
    // The server says which file, not which server.
    let path = format!("{}{}", url.path().trim_end_matches('/'), update.path);
    url.set_path(&path);
    let io = TokioIo::new(dialer.dial(&url).await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    let request = http::Request::get(url.path())
        .header(http::header::HOST, host)
        .header(http::header::USER_AGENT, concat!("steading-agent/", env!("CARGO_PKG_VERSION")))
        .header(http::header::ACCEPT_ENCODING, "identity")
        .body(Empty::<bytes::Bytes>::new())?;
    let talk = async {
        let answer = sender.send_request(request).await?;
        ensure!(answer.status().is_success(), "the server answered {}", answer.status());
        write(update, answer.into_body(), to).await
    };
    let mut talk = std::pin::pin!(talk);
    tokio::select! {
        done = &mut talk => done,
        // A server may close behind its answer: then the rest of it is there already.
        ended = connection => {
            ended?;
            talk.await
        }
    }
}

async fn write(update: &Update, mut body: hyper::body::Incoming, to: &Path) -> anyhow::Result<()> {
    let doing = || format!("Writing {}", to.display());
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    options.mode(0o755);
    let mut file = options.open(to).await.with_context(doing)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        bytes += data.len() as u64;
        ensure!(bytes <= update.bytes, "it is longer than announced");
        hash.update(&data);
        file.write_all(&data).await.with_context(doing)?;
    }
    file.sync_all().await.with_context(doing)?;
    ensure!(bytes == update.bytes, "it is shorter than announced");
    ensure!(hex::encode(hash.finalize()) == update.sha256, "its hash is not the announced one");
    Ok(())
}

/// Whether the program runs on this machine and says that it is the announced version.
async fn runs(update: &Update, program: &Path) -> anyhow::Result<()> {
    let is = version_of(program).await?;
    ensure!(is == update.version && is != version(), "it says that it is version {is:?}");
    Ok(())
}

/// The version that a program says it is.
///
/// # Errors
/// When it does not run here.
pub(super) async fn version_of(program: &Path) -> anyhow::Result<String> {
    let ask = async {
        let mut command = tokio::process::Command::new(program);
        command.args(["version", "--output", "json"]).kill_on_drop(true);
        loop {
            match command.output().await {
                // A script that was started just then holds the file open until it runs.
                Err(e) if e.kind() == ErrorKind::ExecutableFileBusy => sleep(BUSY_FOR).await,
                said => return said,
            }
        }
    };
    let said = timeout(SAYS_WITHIN, ask).await.context("Asking its version")??;
    ensure!(said.status.success(), "it does not run here: {}", said.status);
    let told: serde_json::Value = serde_json::from_slice(&said.stdout)?;
    Ok(told.get("steading_version").and_then(|v| v.as_str()).unwrap_or_default().to_owned())
}
