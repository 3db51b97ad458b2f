//! The agent as the first process of a container.

use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use steading::model::agent::Lifecycle;
use steading::model::log::LogLevel;
use steading::wire::agent::{FromAgent, ToAgent};
use tokio::process::{Child, Command};

use super::server::{PATIENCE, Server, TOKEN, manifest, script};

/// Leaves ten orphans that end at once, waits until none is left unreaped, and says who is first.
const SCRIPT: &str = "for i in 1 2 3 4 5 6 7 8 9 10; do (true &); done\n\
    while grep -q '^State:.Z' /proc/[0-9]*/status 2>/dev/null; do :; done\n\
    tr '\\0' ' ' < /proc/1/cmdline; echo; echo \"parent $(cut -d' ' -f4 /proc/$PPID/stat)\"";

/// An agent in a container, as its first process.
fn container(server: &Server, home: &Path) -> Child {
    let mut container = Command::new("unshare");
    container
        .args(["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"])
        .args([env!("CARGO_BIN_EXE_steading"), "agent", "--dir"])
        .arg(home.join("state"))
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("CODER_AGENT_URL", format!("http://{}/under", server.address))
        .env("CODER_AGENT_TOKEN", TOKEN)
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    container.spawn().unwrap()
}

fn child_of(parent: u32) -> u32 {
    let children = format!("/proc/{parent}/task/{parent}/children");
    std::fs::read_to_string(children).unwrap().trim().parse().unwrap()
}

fn pid(pid: u32) -> Pid {
    Pid::from_raw(pid.try_into().unwrap()).unwrap()
}

#[tokio::test]
async fn the_container_ends_with_the_exit_code_of_the_agent() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start().await;
    let mut container = container(&server, home.path());
    let mut connection = server.connection().await;
    connection.hello().await;
    let agent = child_of(child_of(container.id().unwrap()));
    kill_process(pid(agent), Signal::KILL).unwrap();
    let ended = tokio::time::timeout(PATIENCE, container.wait()).await.expect("it ends").unwrap();
    assert_eq!(ended.code(), Some(137), "as shells say it of a killed program");
}

#[tokio::test]
async fn the_first_process_reaps_and_passes_signals_on() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start().await;
    let mut container = container(&server, home.path());
    let mut connection = server.connection().await;
    connection.hello().await;
    let manifest = Box::new(manifest(vec![script(SCRIPT)], vec![]));
    connection.say(&ToAgent::Manifest { manifest }).await;
    let mut lines = vec![];
    while lines.len() < 2 {
        let FromAgent::Logs { seq, lines: batch } = connection.heard(drop).await else { continue };
        let of_script = batch.into_iter().filter(|l| !l.source.0.is_nil());
        lines.extend(of_script.map(|l| (l.level, l.output)));
        connection.say(&ToAgent::LogsStored { seq }).await;
    }
    assert!(lines[0].1.contains("steading agent"), "{lines:?}");
    assert_eq!(lines[1], (LogLevel::Info, "parent 1".to_owned()), "the agent is a child of it");

    // Whoever stops the container signals its first process.
    let first = child_of(container.id().unwrap());
    kill_process(pid(first), Signal::TERM).unwrap();
    let off = |m| matches!(m, FromAgent::Lifecycle { state: Lifecycle::Off, .. }).then_some(());
    connection.until(off).await;
    drop(connection);
    let ended = tokio::time::timeout(PATIENCE, container.wait()).await.expect("it ends").unwrap();
    assert!(ended.success(), "{ended}");
}
