//! The bootstrap script in real shells, fetching from a server that is not ready at first.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::get;
use steading::model::time::Timestamp;
use steading::tasks::{OnPanic, Tasks};
use steading::wire::bootstrap::{render, script};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// What the server offers as the program: it says how it was started.
const PROGRAM: &str = "#!/bin/sh\n\
    [ \"$1\" = version ] && exit 0\n\
    echo \"$# $1 auth=$CODER_AGENT_AUTH url=$CODER_AGENT_URL token=$CODER_AGENT_TOKEN\"\n";

/// Serves the program after this many refusals, and what is said of its hash.
async fn server(tasks: &Tasks, sum: String, refusals: usize) -> String {
    let asked = Arc::new(AtomicUsize::new(0));
    let program = move || async move {
        match asked.fetch_add(1, Ordering::SeqCst) {
            n if n < refusals => (StatusCode::SERVICE_UNAVAILABLE, ""),
            _ => (StatusCode::OK, PROGRAM),
        }
    };
    let router = axum::Router::new()
        .route("/bin/coder-linux-amd64", get(program))
        .route("/bin/coder-linux-amd64.sha256", get(move || async { sum }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tasks.spawn("test server", OnPanic::Lose, async move {
        axum::serve(listener, router).await.unwrap();
    });
    format!("http://{address}")
}

/// A directory with the programs a script needs, and of the fetchers only this one.
fn path_with(dir: &Path, fetcher: &str) -> String {
    let find = |name: &str| {
        ["/usr/bin", "/bin"].map(|d| Path::new(d).join(name)).into_iter().find(|p| p.exists())
    };
    for name in
        ["sh", "mktemp", "chmod", "mkdir", "mv", "rm", "sleep", "sha256sum", "date", fetcher]
    {
        let program = find(name).unwrap_or_else(|| panic!("{name} is installed"));
        std::os::unix::fs::symlink(program, dir.join(name)).unwrap();
    }
    dir.to_string_lossy().into_owned()
}

/// The script in a shell, as it was served at this time.
fn start(
    (dir, url): (&Path, &str),
    (shell, fetcher): (&[&str], &str),
    served: i64,
) -> tokio::process::Command {
    let text = render(&script("linux", "amd64").unwrap(), url, Timestamp(served));
    let file = dir.join("script");
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let bin = dir.join("bin");
    std::fs::create_dir(&bin).unwrap();
    let mut command = tokio::process::Command::new(shell[0]);
    command.args(&shell[1..]).arg(&file).env_clear();
    command.env("PATH", path_with(&bin, fetcher)).env("TMPDIR", dir);
    command.env("CODER_AGENT_TOKEN", "secret").kill_on_drop(true);
    command
}

fn now() -> i64 {
    steading::clock::Clock::machine().now().0
}

fn sum() -> String {
    use sha2::Digest as _;
    format!("{}  coder-linux-amd64\n", hex::encode(sha2::Sha256::digest(PROGRAM)))
}

async fn run(shell: &[&str], fetcher: &str) -> String {
    let (tasks, dir) = (Tasks::new(), tempfile::tempdir().unwrap());
    // A curl asks twice: with compression and without.
    let url = server(&tasks, sum(), 2).await;
    let mut command = start((dir.path(), &url), (shell, fetcher), now());
    let output = command.stderr(Stdio::null()).output();
    let output = tokio::time::timeout(Duration::from_secs(60), output).await;
    let output = String::from_utf8(output.expect("the script ends").unwrap().stdout).unwrap();
    output.replace(&url, "URL")
}

#[tokio::test]
async fn every_shell_and_fetcher_brings_the_agent() {
    let (dash, busybox) = (&["/bin/dash"][..], &["/bin/busybox", "sh"][..]);
    let runs = [(dash, "curl"), (dash, "wget"), (busybox, "busybox")];
    let all = runs.map(|(shell, fetcher)| run(shell, fetcher));
    for started in futures_util::future::join_all(all).await {
        assert_eq!(started, "1 agent auth=token url=URL/ token=secret\n");
    }
}

/// What the script says of a fault, up to where it tries again.
async fn complaint(url: Option<&str>, said_of_hash: String, served: i64, fetcher: &str) -> String {
    let (tasks, dir) = (Tasks::new(), tempfile::tempdir().unwrap());
    let real = server(&tasks, said_of_hash, 0).await;
    let url = url.unwrap_or(&real);
    let shell: &[&str] =
        if fetcher == "busybox" { &["/bin/busybox", "sh"] } else { &["/bin/dash"] };
    let mut command = start((dir.path(), url), (shell, fetcher), served);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = String::new();
    let read = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            said.push_str(&line);
            said.push('\n');
            if line.contains("tried again") {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), read).await.expect("it says something");
    said.replace(&real, "URL")
}

#[tokio::test]
async fn what_keeps_an_agent_away_is_said_in_words() {
    let page = "<!doctype html><title>Sign in to the guest network</title>".to_owned();
    let portal = complaint(None, page, now(), "curl").await;
    assert!(
        portal.contains("URL/ is not the server but some page: of a network that wants"),
        "{portal}"
    );

    let wrong = format!("{}  coder-linux-amd64\n", "0".repeat(64));
    let changed = complaint(None, wrong, now(), "wget").await;
    assert!(
        changed.contains("is not what the server has: it was cut short or changed"),
        "{changed}"
    );

    for fetcher in ["curl", "wget", "busybox"] {
        let nobody = "http://127.0.0.1:1";
        let away = complaint(Some(nobody), sum(), now(), fetcher).await;
        assert!(away.contains("127.0.0.1 cannot be reached from this machine"), "{away}");
        assert!(away.contains("set http_proxy and run this again"), "{away}");
    }

    let late = complaint(None, sum(), now() + 4000, "curl").await;
    assert!(late.contains(" s behind the server's. Set it"), "{late}");
}
