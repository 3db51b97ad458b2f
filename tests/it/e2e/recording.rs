//! Who ran what: real shells by real `ssh`, found by their commands; a tunnel that is refused, and the
//! server's death in between.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Stdio};

use serde_json::Value;

use super::site::{Ran, Site, eventually};

/// A server that records, and whose settings the directory keeps.
fn recording() -> (Site, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("server.toml");
    std::fs::write(&file, "[recording]\nsessions = \"on\"\n").unwrap();
    let site = Site::with(&["--config", file.to_str().unwrap()]);
    (site, dir)
}

/// A shell by `ssh` in a terminal, which is typed to.
fn shell(site: &Site) -> Child {
    let mut ssh = site.ssh_command("kiln");
    ssh.arg("-tt").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    ssh.spawn().unwrap()
}

fn types(shell: &mut Child, text: &str) {
    shell.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
}

/// Commands with this text, newest first.
fn commands(site: &Site, text: &str) -> Vec<Value> {
    let listed = site.cli(&["recordings", "commands", "--search", text, "-o", "json"]).ok();
    serde_json::from_str(&listed).unwrap()
}

#[test]
fn a_shells_commands_are_found_with_their_exit_codes_also_after_kill_9() {
    let (mut site, _settings) = recording();
    site.create_here("kiln");
    let mut first = shell(&site);
    // What is typed before the prompt waits in the terminal for the shell to read it.
    types(&mut first, "cd /tmp\n(exit 7) # find-me-seven\n echo find-me-spaced\n");
    let seven = eventually("the command is listed", || {
        commands(&site, "find-me-seven").into_iter().find(|one| !one["exit_code"].is_null())
    });
    assert_eq!(seven["exit_code"], 7, "{seven}");
    assert_eq!((&seven["username"], &seven["directory"]), (&"ada".into(), &"/tmp".into()));
    eventually("what begins with a space is listed", || commands(&site, "find-me-spaced").pop());

    site.kill();
    site.start();
    let _ = first.kill();
    let _ = first.wait();
    let id = seven["recording_id"].as_str().unwrap();
    let all = site.cli(&["recordings", "list", "kiln", "-o", "json"]).ok();
    let all: Vec<Value> = serde_json::from_str(&all).unwrap();
    let one = all.iter().find(|one| one["id"] == id).unwrap();
    assert_eq!(one["status"], "interrupted", "{one}");
    assert_eq!(commands(&site, "find-me-seven").len(), 1, "what was written stands");

    let out = eventually("the agent is back", || {
        let ran = site.ssh("kiln", "echo find-me-alone; exit 5");
        (ran.code == Some(5)).then_some(ran.out)
    });
    assert_eq!(out.trim(), "find-me-alone", "no notice in what programs read");
    let alone = eventually("a command alone is listed", || {
        commands(&site, "find-me-alone").into_iter().find(|one| !one["exit_code"].is_null())
    });
    assert_eq!(alone["exit_code"], 5, "{alone}");

    let file = site.path("alone.cast");
    site.cli(&["recordings", "export", alone["recording_id"].as_str().unwrap(), &file]).ok();
    let cast = std::fs::read_to_string(&file).unwrap();
    assert!(cast.contains("\"version\":3") && cast.contains("find-me-alone"), "{cast}");
    assert!(cast.ends_with("\"x\",\"5\"]\n"), "{cast}");
    let again = site.cli(&["recordings", "export", id, &file]);
    assert_ne!(again.code, Some(0), "a file that is there is not written over");
}

#[test]
fn who_is_recorded_is_told_and_nobody_goes_past_the_server() {
    let (site, _settings) = recording();
    site.create_here("kiln");
    let mut tty = shell(&site);
    types(&mut tty, "exit 3\n");
    let ended = tty.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(3));
    let told = String::from_utf8_lossy(&ended.stderr) + String::from_utf8_lossy(&ended.stdout);
    assert!(told.contains("This session is recorded."), "{told}");
    let tunnel = site.cli(&["ssh", "kiln", "--", "true"]);
    assert_ne!(tunnel.code, Some(0));
    let port = site.ssh_port.to_string();
    assert!(tunnel.err.contains("plain ssh") && tunnel.err.contains(&port), "{}", tunnel.err);
    let shown = eventually("the recording is complete", || {
        let all = site.cli(&["recordings", "list", "-o", "json"]).ok();
        let all: Vec<Value> = serde_json::from_str(&all).unwrap();
        all.into_iter().find(|one| one["status"] == "complete")
    });
    assert_eq!((&shown["kind"], &shown["exit_code"]), (&"shell".into(), &3.into()), "{shown}");
}

#[test]
fn files_and_ports_are_listed_with_names_and_sizes() {
    let (site, _settings) = recording();
    site.create_here("kiln");
    std::fs::write(site.path("note"), "by sftp").unwrap();
    let batch = "put note one\nget one back\nrename one two\nrm two\n";
    std::fs::write(site.path("batch"), batch).unwrap();
    let mut sftp = site.command("sftp");
    sftp.args(["-F", "none", "-P", &site.ssh_port.to_string()]).args(site.ssh_options());
    Ran::new(sftp.args(["-b", &site.path("batch"), "kiln@127.0.0.1"])).ok();

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"inside\n").unwrap();
    });
    let mut through = site.command("ssh");
    through.args(["-F", "none", "-p", &site.ssh_port.to_string()]).args(site.ssh_options());
    let got = Ran::new(through.args(["-W", &port.to_string(), "kiln@127.0.0.1"])).ok();
    assert_eq!(got, "inside\n");
    answering.join().unwrap();

    let all = eventually("all is written", || {
        let all = site.cli(&["recordings", "transfers", "--workspace", "kiln", "-o", "json"]).ok();
        let all: Vec<Value> = serde_json::from_str(&all).unwrap();
        let is_over = all.len() == 5 && all.iter().all(|one| !one["ended_at"].is_null());
        is_over.then_some(all)
    });
    let said = |kind: &str| {
        let one = all.iter().find(|one| one["kind"] == kind).unwrap();
        let name = one["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let to = one["to_name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        (name, to, one["bytes_out"].as_i64().unwrap(), one["bytes_in"].as_i64().unwrap())
    };
    let is = |name: &str, to: &str, out, inward| (name.to_owned(), to.to_owned(), out, inward);
    assert_eq!(said("upload"), is("one", "", 0, 7));
    assert_eq!(said("download"), is("one", "", 7, 0));
    assert_eq!(said("rename"), is("one", "two", 0, 0));
    assert_eq!(said("remove"), is("two", "", 0, 0));
    assert_eq!(said("port"), is(&port.to_string(), "", 7, 0));
}
