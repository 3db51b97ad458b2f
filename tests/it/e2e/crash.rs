//! kill -9 of the server: in the middle of a build, and of a terminal.

use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::said::Said;
use super::site::{Site, eventually};

/// A template whose apply takes until a file appears, with something to lose.
const SLOW: &str = r#"
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace" "me" {}
variable "gate" { type = string }
resource "terraform_data" "kept" { input = data.coder_workspace.me.id }
resource "terraform_data" "slow" {
  count      = data.coder_workspace.me.start_count
  depends_on = [terraform_data.kept]
  provisioner "local-exec" {
    command = "touch ${var.gate}.began; while [ ! -e ${var.gate} ]; do sleep 0.1; done"
  }
}
"#;

#[test]
fn a_build_cut_by_kill_9_is_resolved_with_its_state_and_the_next_one_works() {
    let mut site = Site::new();
    let gate = site.path("gate");
    std::fs::create_dir(site.path("slow")).unwrap();
    std::fs::write(site.path("slow/main.tf"), SLOW).unwrap();
    site.cli(&[
        "templates",
        "push",
        "slow",
        "-d",
        &site.path("slow"),
        "--yes",
        "--variable",
        &format!("gate={gate}"),
    ])
    .ok();
    let mut create = site.command(super::site::STEADING);
    create
        .args(["create", "kiln", "--template", "slow", "--yes"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut creating = create.spawn().unwrap();
    eventually("the apply began", || {
        std::path::Path::new(&format!("{gate}.began")).exists().then_some(())
    });
    site.kill();
    site.start();
    #[expect(clippy::disallowed_methods, reason = "how long it takes is the point")]
    let start = Instant::now();
    let shown = eventually("the build is resolved", || {
        let shown = site.cli(&["show", "kiln", "-o", "json"]).ok();
        shown.contains("\"failed\"").then_some(shown)
    });
    // A second or two where nothing else runs: less than the patience with what cannot be ended.
    let took = start.elapsed();
    assert!(took < Duration::from_secs(60), "{took:?}");
    assert!(!creating.wait().unwrap().success(), "who waited for the build is told");
    assert!(shown.contains("the server was stopped"), "{shown}");
    // Its command ends with the interrupt, and terraform then has nothing to wait for.
    let log = site.cli(&["logs", "kiln"]).ok();
    assert!(log.contains("It ended by itself after "), "resolved after {took:?}: {log}");
    let state = site.cli(&["state", "pull", "kiln"]).ok();
    assert!(state.contains("terraform_data") && state.contains("kept"), "{state}");

    std::fs::write(&gate, "").unwrap();
    site.cli(&["start", "kiln", "--yes"]).ok();
    let after = site.cli(&["state", "pull", "kiln"]).ok();
    assert!(after.contains("slow"), "{after}");
    site.cli(&["delete", "kiln", "--yes"]).ok();
}

#[test]
fn a_workspace_outlives_kill_9_of_the_server() {
    let mut site = Site::new();
    site.create_here("kiln");
    let pid = site.ssh("kiln", "setsid sleep 600 >/dev/null 2>&1 & echo $!").ok();
    site.kill();
    site.start();
    let alive = eventually("the agent is back", || {
        let ran = site.ssh("kiln", &format!("kill -0 {} && echo alive", pid.trim()));
        (ran.code == Some(0)).then_some(ran.out)
    });
    assert_eq!(alive.trim(), "alive");
}

#[test]
fn a_shell_by_ssh_ends_cleanly_when_the_server_is_killed() {
    let mut site = Site::new();
    site.create_here("kiln");
    let mut ssh = site.ssh_command("kiln");
    let mut child = ssh
        .arg("-tt")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = Said::by(child.stdout.take().unwrap());
    input.write_all(b"echo re''ady\n").unwrap();
    output.until("ready");
    site.kill();
    output.rest();
    assert_eq!(child.wait().unwrap().code(), Some(255));
    site.start();
}
