//! Agents on machines that nobody else keeps up to date take the server's newer program.

use std::path::Path;
use std::process::Stdio;

use super::machine::Machine;
use super::said::Said;
use super::site::{STEADING, Site, eventually};

const OLD: &str = env!("CARGO_PKG_VERSION");

/// The version after this one, as long as it.
pub fn newer() -> String {
    let (rest, last) = OLD.rsplit_once('.').unwrap();
    format!("{rest}.{}", last.parse::<u32>().unwrap() + 1)
}

/// A copy of the program under test in which some bytes are others.
fn copy_with(to: &Path, changes: &[(&str, &str)]) {
    copy_of(STEADING.as_ref(), to, changes);
}

/// A copy of a program in which some bytes are others.
fn copy_of(program: &Path, to: &Path, changes: &[(&str, &str)]) {
    let mut bytes = std::fs::read(program).unwrap();
    for (from, into) in changes {
        assert_eq!(from.len(), into.len(), "nothing may move");
        let pattern = regex::bytes::Regex::new(&regex::escape(from)).unwrap();
        let places: Vec<usize> = pattern.find_iter(&bytes).map(|found| found.start()).collect();
        assert!(!places.is_empty(), "{from:?} is not in the program");
        for at in places {
            bytes[at..at + into.len()].copy_from_slice(into.as_bytes());
        }
    }
    std::fs::write(to, bytes).unwrap();
    let mode = std::fs::metadata(program).unwrap().permissions();
    std::fs::set_permissions(to, mode).unwrap();
}

fn mark(version: &str) -> String {
    format!("\u{1}steading program\0{version}\0")
}

const ARCH: &str = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };

/// A copy of a program that says it is the newer version.
pub fn make_newer(program: &Path, to: &Path) {
    copy_of(program, to, &[(&mark(OLD), &mark(&newer()))]);
}

/// The server is replaced by the newer version, at the same addresses.
pub fn renew_server(site: &mut Site) {
    let program = site.path("newer");
    make_newer(STEADING.as_ref(), program.as_ref());
    site.stop();
    site.program = program.into();
    site.start();
}

#[test]
fn an_agent_takes_the_servers_newer_program_once_nobody_is_there() {
    let mut site = Site::new();
    let token = site.external("mill", ARCH);
    let mut machine = Machine::start(&site, "mill", &token, STEADING.as_ref(), &[]);
    assert_eq!(site.agent_version("mill"), OLD);

    // Somebody is here while the server is replaced, and stays as long as they like.
    let mut command = site.command(STEADING);
    command.args(["ssh", "mill", "--", "echo in; read word; echo $word; read word"]);
    let mut session = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = Said::by(session.stdout.take().unwrap());
    assert_eq!(said.line().as_deref(), Some("in"));
    renew_server(&mut site);
    eventually("the newer program waits", || {
        let logs = site.cli(&["logs", "mill"]).out;
        logs.contains("It is replaced when nobody is here").then_some(())
    });
    assert!(machine.beside(".new").exists());
    std::io::Write::write_all(session.stdin.as_mut().unwrap(), b"still\n").unwrap();
    assert_eq!(said.line().as_deref(), Some("still"));
    assert_eq!(site.agent_version("mill"), OLD);

    std::io::Write::write_all(session.stdin.as_mut().unwrap(), b"\n").unwrap();
    assert!(session.wait().unwrap().success());
    eventually("the agent is newer", || (site.agent_version("mill") == newer()).then_some(()));
    machine.assert_runs();
    eventually("the program before is removed", || {
        (!machine.beside(".old").exists()).then_some(())
    });
    assert!(!machine.beside(".new").exists());
    site.ssh("mill", "true").ok();
    // What the start script left running is still there, and what it prints is still heard.
    let ticks = || site.cli(&["logs", "mill"]).out.matches("tick").count();
    let now = ticks();
    eventually("it still ticks", || (ticks() > now).then_some(()));
}

#[test]
fn a_newer_program_that_does_not_reach_the_server_is_taken_back() {
    let mut site = Site::new();
    let token = site.external("mill", ARCH);
    let mut machine = Machine::start(&site, "mill", &token, STEADING.as_ref(), &[]);
    std::fs::create_dir_all(site.path("data/programs")).unwrap();
    let broken = site.path(&format!("data/programs/steading-linux-{ARCH}"));
    let elsewhere = ("workspaceagents/me/rpc", "workspaceagents/me/xyz");
    copy_with(broken.as_ref(), &[(&mark(OLD), &mark(&newer())), elsewhere]);
    renew_server(&mut site);
    eventually("it is taken back", || {
        machine.log().contains("program before is run").then_some(())
    });
    eventually("the agent is back", || (site.ssh("mill", "true").code == Some(0)).then_some(()));
    machine.assert_runs();
    assert_eq!(site.agent_version("mill"), OLD);
    assert!(!machine.beside(".old").exists());
    eventually("it is not tried again at once", || {
        machine.log().contains("taken back before").then_some(())
    });
}
