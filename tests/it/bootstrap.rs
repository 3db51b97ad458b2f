//! The bootstrap script in real shells, fetching from a server that is not ready at first.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::get;
use steading::tasks::{OnPanic, Tasks};
use steading::wire::bootstrap::{render, script};

/// What the server offers as the program: it says how it was started.
const PROGRAM: &str = "#!/bin/sh\n\
    [ \"$1\" = version ] && exit 0\n\
    echo \"$# $1 auth=$CODER_AGENT_AUTH url=$CODER_AGENT_URL token=$CODER_AGENT_TOKEN\"\n";

/// Serves the program from the second time on.
async fn server(tasks: &Tasks) -> String {
    let asked = Arc::new(AtomicUsize::new(0));
    let program = move || async move {
        match asked.fetch_add(1, Ordering::SeqCst) {
            // A curl asks twice: with compression and without.
            0 | 1 => (StatusCode::SERVICE_UNAVAILABLE, ""),
            _ => (StatusCode::OK, PROGRAM),
        }
    };
    let router = axum::Router::new().route("/bin/coder-linux-amd64", get(program));
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
    for name in ["sh", "mktemp", "chmod", "mkdir", "mv", "sleep", fetcher] {
        let program = find(name).unwrap_or_else(|| panic!("{name} is installed"));
        std::os::unix::fs::symlink(program, dir.join(name)).unwrap();
    }
    dir.to_string_lossy().into_owned()
}

async fn run(shell: &[&str], fetcher: &str) -> String {
    let (tasks, dir) = (Tasks::new(), tempfile::tempdir().unwrap());
    let url = server(&tasks).await;
    let text = render(&script("linux", "amd64").unwrap(), &url, "token");
    let file = dir.path().join("script");
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let bin = dir.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let mut command = tokio::process::Command::new(shell[0]);
    command.args(&shell[1..]).arg(&file).env_clear();
    command.env("PATH", path_with(&bin, fetcher)).env("TMPDIR", dir.path());
    command.env("CODER_AGENT_TOKEN", "secret").stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(60), command.output()).await;
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
