//! Agents for other processors, under emulation, as someone has them on a Raspberry Pi, and for Windows.
//! Building them takes minutes, so that nobody waits for them in each run: `.ci/platforms` makes them, and
//! `STEADING_PLATFORMS=DIR cargo test --test it platforms -- --ignored` runs these.

mod emulated;
mod windows;

use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use crate::e2e::machine::{Machine, copies_files, resident};
use crate::e2e::said::Said;
use crate::e2e::site::{Ran, STEADING, Site, eventually, sha256};

/// Most that an agent of 32 bits may weigh, in bytes.
const MOST_BYTES: u64 = 8 << 20;
/// Most memory that it may hold on its own with a session open, in KiB; the emulator's is in it.
const MOST_RESIDENT: u64 = 48 << 10;

/// Where `.ci/platforms` left them.
fn platforms() -> PathBuf {
    std::env::var_os("STEADING_PLATFORMS").map(PathBuf::from).expect("STEADING_PLATFORMS is set")
}

/// A port here that says hello to whoever comes.
fn greeter() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            stream.unwrap().write_all(b"hello from a port\n").unwrap();
        }
    });
    port
}

fn is_an_agent(arch: &str, emulator: &str) {
    let dir = platforms();
    let name = format!("steading-linux-{arch}");
    let program = dir.join(&name);
    assert!(program.exists(), "{} is missing: run .ci/platforms", program.display());
    let mut site = Site::new();

    // What plug-ins and the line that a page shows would fetch.
    std::fs::create_dir_all(site.path("data/programs")).unwrap();
    std::fs::copy(&program, site.path(&format!("data/programs/{name}"))).unwrap();
    let url = format!("{}/bin/coder-linux-{arch}", site.url);
    site.run("curl", &["-fsS", "--compressed", "-o", &site.path("fetched"), &url]).ok();
    assert_eq!(sha256(site.path("fetched")), sha256(&program));

    let token = site.external("pi", arch);
    let mut machine =
        Machine::start(&site, "pi", &token, site.path("fetched").as_ref(), &[emulator]);
    assert_eq!(site.agent_version("pi"), env!("CARGO_PKG_VERSION"));

    let mut terminal = site.ssh_command("pi");
    terminal.arg("-tt").arg("stty size; tty; echo $CODER_WORKSPACE_NAME");
    let shown = Ran::new(&mut terminal).ok();
    assert!(shown.contains("/dev/pts/") && shown.contains("pi"), "{shown}");
    copies_files(&site, "pi");
    let mut forward = site.command("ssh");
    forward.args(["-F", "none", "-p", &site.ssh_port.to_string()]).args(site.ssh_options());
    forward.args(["-W", &format!("127.0.0.1:{}", greeter()), "pi@127.0.0.1"]);
    assert_eq!(Ran::new(&mut forward).ok(), "hello from a port\n");

    // Somebody stays while the server is replaced.
    let mut command = site.command(STEADING);
    command.args(["ssh", "pi", "--", "echo in; read word; echo $word"]);
    let mut session = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = Said::by(session.stdout.take().unwrap());
    assert_eq!(said.line().as_deref(), Some("in"));
    let resident = machine.resident();
    site.stop();
    site.start();
    eventually("the agent is back", || (site.ssh("pi", "true").code == Some(0)).then_some(()));
    session.stdin.as_mut().unwrap().write_all(b"still\n").unwrap();
    assert_eq!(said.line().as_deref(), Some("still"));
    assert!(session.wait().unwrap().success());
    machine.assert_runs();

    let bytes = std::fs::metadata(&program).unwrap().len();
    #[expect(clippy::print_stderr, reason = "figures for who builds a release")]
    {
        eprintln!("{name}: {bytes} bytes, {resident} KiB resident with {emulator}'s own");
    }
    assert!(bytes < MOST_BYTES, "{bytes}");
    assert!(resident < MOST_RESIDENT, "{resident} KiB");
}

#[test]
#[ignore = "needs what .ci/platforms builds"]
fn armv7_is_an_agent() {
    is_an_agent("armv7", "qemu-arm-static");
}

#[test]
#[ignore = "needs what .ci/platforms builds"]
fn arm64_is_an_agent() {
    is_an_agent("arm64", "qemu-aarch64-static");
}

/// The first path on a server of another processor: setup, template, build, terminal, files, and the
/// same again after a power cut.
fn is_a_server(arch: &str) {
    let dir = platforms();
    let program = dir.join(format!("steading-server-linux-{arch}"));
    assert!(program.exists(), "{} is missing: run .ci/platforms server", program.display());
    let _emulated = emulated::Emulated::here(arch);
    let mut site = Site::of(program.clone());
    site.create_here("first");
    let mut terminal = site.ssh_command("first");
    terminal.arg("-tt").arg("tty; echo $CODER_WORKSPACE_NAME");
    let shown = Ran::new(&mut terminal).ok();
    assert!(shown.contains("/dev/pts/") && shown.contains("first"), "{shown}");
    copies_files(&site, "first");
    let page = site.run("curl", &["-fsS", &format!("{}/login", site.url)]).ok();
    assert!(page.contains("<html"), "{page}");
    let resident = resident(site.server.as_ref().unwrap().id());
    site.kill();
    site.start();
    eventually("the agent is back", || (site.ssh("first", "true").code == Some(0)).then_some(()));
    site.cli(&["delete", "first", "--yes"]).ok();
    let bytes = std::fs::metadata(&program).unwrap().len();
    #[expect(clippy::print_stderr, reason = "figures for who builds a release")]
    {
        eprintln!("server for {arch}: {bytes} bytes, {resident} KiB resident with its emulator");
    }
}

#[test]
#[ignore = "needs what .ci/platforms builds"]
fn armv7_is_a_server() {
    is_a_server("armv7");
}

#[test]
#[ignore = "needs what .ci/platforms builds"]
fn arm64_is_a_server() {
    is_a_server("arm64");
}

/// The program for this processor needs nothing of a distribution.
#[test]
#[ignore = "needs what .ci/platforms builds"]
fn amd64_runs_with_nothing_around_it() {
    let dir = platforms();
    let alone = tempfile::tempdir().unwrap();
    std::fs::copy(dir.join("steading-linux-amd64"), alone.path().join("steading"))
        .expect("run .ci/platforms");
    let mut command = std::process::Command::new("chroot");
    command.arg(alone.path()).args(["/steading", "version"]);
    assert!(Ran::new(&mut command).ok().contains(env!("CARGO_PKG_VERSION")));
}
