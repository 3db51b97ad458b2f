//! Plain OpenSSH: shells, exit codes, signals, terminals, environment, a stopped workspace.

use std::io::Write as _;
use std::process::Stdio;

use super::site::{Ran, Site, eventually};

#[test]
fn commands_answer_with_their_exit_codes_and_signals() {
    let site = Site::new();
    site.create_here("kiln");
    assert_eq!(site.ssh("kiln", "echo out; echo err >&2; exit 7").code, Some(7));
    let both = site.ssh("kiln", "echo out; echo err >&2");
    assert_eq!((both.out.trim(), both.err.trim()), ("out", "err"));
    assert_eq!(site.ssh("ada--kiln.main", "echo full").ok().trim(), "full");
    // OpenSSH tells 255 when the command died of a signal.
    assert_eq!(site.ssh("kiln", "kill -TERM $$").code, Some(255));
    let long = site.ssh("kiln", "seq 1 200000 | tail -1").ok();
    assert_eq!(long.trim(), "200000");
    let mut cat = site.ssh_command("kiln");
    let mut child =
        cat.arg("cat | wc -c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&vec![b'x'; 3 << 20]).unwrap();
    let counted = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&counted.stdout).trim(), (3 << 20).to_string());
}

#[test]
fn a_terminal_has_its_size_its_name_and_the_environment() {
    let site = Site::new();
    site.create_here("kiln");
    let mut tty = site.ssh_command("kiln");
    let ran = Ran::new(
        tty.env("TERM", "xterm-256color")
            .args(["-tt", "tty; echo $TERM; echo $CODER_WORKSPACE_NAME"]),
    );
    let out = ran.ok();
    assert!(
        out.contains("/dev/pts/") && out.contains("xterm-256color") && out.contains("kiln"),
        "{out}"
    );
    let mut sent = site.ssh_command("kiln");
    let lang = Ran::new(sent.env("LC_STEADING", "sent").args([
        "-o",
        "SendEnv=LC_STEADING",
        "echo $LC_STEADING",
    ]));
    assert_eq!(lang.ok().trim(), "sent");
}

#[test]
fn a_login_that_leads_nowhere_says_why() {
    let site = Site::new();
    site.create_here("kiln");
    let nowhere = site.ssh("oven", "true");
    assert_ne!(nowhere.code, Some(0));
    assert!(nowhere.err.contains("you have no workspace oven"), "{}", nowhere.err);
    let stranger = site.path("stranger");
    site.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &stranger]).ok();
    let mut refused = site.command("ssh");
    let refused = Ran::new(
        refused
            .args(["-F", "none", "-p", &site.ssh_port.to_string(), "-i", &stranger])
            .args([
                "-o",
                "IdentitiesOnly=yes",
                "-o",
                "BatchMode=yes",
                "-o",
                "StrictHostKeyChecking=no",
            ])
            .args(["-o", "UserKnownHostsFile=/dev/null", "kiln@127.0.0.1", "true"]),
    );
    assert!(refused.err.contains("Permission denied (publickey)"), "{}", refused.err);
}

#[test]
fn a_stopped_workspace_is_started_by_ssh() {
    let site = Site::new();
    site.create_here("kiln");
    site.ssh("kiln", "echo kept > note").ok();
    site.cli(&["stop", "kiln", "--yes"]).ok();
    let started = site.ssh("kiln", "cat note");
    assert!(started.err.contains("kiln is stopped; starting it"), "{}", started.err);
    assert_eq!(started.ok().trim(), "kept");
}

#[test]
fn the_command_line_reaches_the_same_workspace() {
    let site = Site::new();
    site.create_here("kiln");
    assert_eq!(site.cli(&["ssh", "kiln", "--", "echo", "by", "tunnel"]).ok().trim(), "by tunnel");
    assert_eq!(site.cli(&["ssh", "kiln", "--", "exit 9"]).code, Some(9));
    let proxy = format!("ProxyCommand={} ssh --stdio kiln", super::site::STEADING);
    let mut stdio = site.command("ssh");
    let ran = Ran::new(stdio.args([
        "-F",
        "none",
        "-o",
        &proxy,
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
        "-o",
        "LogLevel=ERROR",
        "coder.kiln",
        "echo stdio",
    ]));
    assert_eq!(ran.ok().trim(), "stdio");
    let listed = eventually("sessions recorded", || {
        let shown = site.cli(&["show", "kiln", "-o", "json"]).ok();
        shown.contains("\"kiln\"").then_some(shown)
    });
    assert!(listed.contains("running"), "{listed}");
}
