//! A machine that someone else runs, from the printed line to its end: real shells, a real agent, plain
//! `ssh`.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::site::{Ran, Site, eventually};

/// The shell that runs a printed line, with all that it started; ended with the test.
struct Attached(Child);

impl Attached {
    /// Types the line on a machine of its own: a fresh directory, and nothing of ours in its
    /// environment.
    fn by(site: &Site, line: &str, name: &str) -> Self {
        let home = site.path(name);
        std::fs::create_dir(&home).unwrap();
        let log = std::fs::File::create(site.path(&format!("{name}.log"))).unwrap();
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", line]).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", &home);
        shell.env("TMPDIR", &home).current_dir(&home);
        shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        std::os::unix::process::CommandExt::process_group(&mut shell, 0);
        Self(shell.spawn().unwrap())
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.0.wait();
    }
}

fn json(ran: Ran) -> Value {
    serde_json::from_str(&ran.ok()).unwrap()
}

fn is_here(site: &Site, name: &str) -> Option<()> {
    let shown = site.cli(&["show", name, "-o", "json"]).ok();
    shown.contains("\"status\": \"connected\"").then_some(())
}

#[test]
fn a_machine_is_attached_by_the_printed_line_and_cut_off_by_deleting() {
    let site = Site::new();
    site.push_starter("external");
    site.push_starter("this-machine");
    let args = ["external-workspaces", "create", "pi", "--template", "external", "--yes"];
    let made = site.cli(&args);
    assert!(
        made.err.contains("Run this on the machine that is to be the agent main of pi:"),
        "{made:?}"
    );
    let line = made.ok();
    let told = json(site.cli(&["external-workspaces", "agent-instructions", "pi", "-o", "json"]));
    let token = told["auth_token"].as_str().unwrap().to_owned();
    let expected = format!(
        "curl -fsSL \"{}/api/v2/init-script/linux/amd64\" | CODER_AGENT_TOKEN=\"{token}\" sh",
        site.url
    );
    assert_eq!(line, format!("{expected}\n"));
    assert_eq!(
        told,
        serde_json::json!({
            "workspace_name": "pi", "agent_name": "main", "auth_type": "token",
            "auth_token": token, "init_script": expected,
        })
    );
    let attached = Attached::by(&site, line.trim(), "far");
    eventually("the machine is attached", || is_here(&site, "pi"));
    let home = site.path("far");
    assert_eq!(site.ssh("pi", "echo $CODER_WORKSPACE_NAME $HOME").ok(), format!("pi {home}\n"));
    let typed = Ran::new(site.ssh_command("pi").args(["-tt", "tty && exit 3"]));
    assert!(typed.out.starts_with("/dev/pts/") && typed.code == Some(3), "{typed:?}");

    let list = site.cli(&["external-workspaces", "list"]).ok();
    let mut rows = list.lines().map(|l| l.split("  ").filter(|c| !c.is_empty()).map(str::trim));
    let head: Vec<_> = rows.next().unwrap().collect();
    let columns = "WORKSPACE,TEMPLATE,STATUS,HEALTHY,LAST BUILT,CURRENT VERSION,OUTDATED";
    assert_eq!(head, columns.split(',').collect::<Vec<_>>());
    let row: Vec<_> = rows.next().unwrap().collect();
    assert_eq!(row[..4], ["ada/pi", "external", "running", "yes"]);
    assert_eq!(json(site.cli(&["external-workspaces", "list", "-o", "json"]))[0]["name"], "pi");

    gets_a_new_version(&site, &told);
    refusals(&site);
    let (attached, token) = gets_a_new_token(&site, (attached, token));
    let gone = site.cli(&["delete", "pi", "--yes"]);
    assert!(gone.err.contains("The machine stays as it is"), "{gone:?}");
    gone.ok();
    let path = format!("{}/api/v2/workspaceagents/me/rpc", site.url);
    let args = ["-s", "-o", "/dev/null", "-w", "%{http_code}", "-H"];
    let session = format!("Coder-Session-Token: {token}");
    assert_eq!(site.run("curl", &[&args[..], &[&*session, &*path]].concat()).ok(), "401");
    is_refused(&site, "again.log");
    drop(attached);
}

fn is_refused(site: &Site, log: &str) {
    eventually("the agent says that it is refused", || {
        let log = std::fs::read_to_string(site.path(log)).unwrap();
        log.contains("the server refuses this agent").then_some(())
    });
}

/// Who found the token is sent away, and the machine comes back by the new line alone.
fn gets_a_new_token(site: &Site, (old, token): (Attached, String)) -> (Attached, String) {
    let said = site.cli(&["external-workspaces", "new-tokens", "pi", "--yes"]);
    let line = said.ok();
    assert!(line.contains("CODER_AGENT_TOKEN") && !line.contains(&token), "{line}");
    is_refused(site, "far.log");
    let attached = Attached::by(site, line.trim(), "again");
    eventually("the machine is back", || is_here(site, "pi"));
    drop(old);
    let told = json(site.cli(&["external-workspaces", "agent-instructions", "pi", "-o", "json"]));
    (attached, told["auth_token"].as_str().unwrap().to_owned())
}

/// Nobody walks to the machine for a new version of the template: its token goes on.
fn gets_a_new_version(site: &Site, told: &Value) {
    let main = site.path("external/main.tf");
    let text = std::fs::read_to_string(&main).unwrap();
    std::fs::write(&main, format!("{text}\n# The second version.\n")).unwrap();
    let dir = site.path("external");
    site.cli(&["templates", "push", "external", "-d", &dir, "--name", "second", "--yes"]).ok();
    site.cli(&["update", "pi"]).ok();
    let shown = json(site.cli(&["show", "pi", "-o", "json"]));
    assert_eq!(shown["latest_build"]["template_version_name"], "second");
    let again = json(site.cli(&["external-workspaces", "agent-instructions", "pi", "-o", "json"]));
    assert_eq!(&again, told);
    eventually("the machine is back", || is_here(site, "pi"));
    assert_eq!(site.ssh("pi", "echo $CODER_WORKSPACE_NAME").ok(), "pi\n");
}

fn refusals(site: &Site) {
    let args = ["external-workspaces", "create", "no", "--template", "this-machine", "--yes"];
    let wrong = site.cli(&args);
    assert!(wrong.err.contains("has no external agent"), "{wrong:?}");
    assert_eq!((wrong.code, &*wrong.out), (Some(1), ""));
    let stop = site.cli(&["stop", "pi", "--yes"]);
    assert!(stop.err.contains("omeone else runs this machine"), "{stop:?}");
    assert_eq!(stop.code, Some(1));
    let other = site.cli(&["external-workspaces", "agent-instructions", "pi.nobody"]);
    assert!(other.err.contains("no external agent \"nobody\""), "{other:?}");
}
