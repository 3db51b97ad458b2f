//! The first minute: an empty directory, one command, three lines that work; and again.

use std::process::{Child, Command, Stdio};

use super::ports;
use super::said::Said;
use super::site::{Ran, STEADING, Site};

struct Up {
    child: Child,
    url: String,
    ssh: String,
    steading: String,
}

fn up(site: &Site, http: &str, ssh: &str) -> Up {
    let mut command = site.command(STEADING);
    let mut child = command
        .args(["up", "--data", &site.path("first-minute")])
        .args(["--http-address", http, "--ssh-address", ssh])
        .args(["--wireguard-address", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = Said::by(child.stdout.take().unwrap());
    let mut said = vec![];
    while let Some(line) = out.line() {
        let is_last = line.contains(" ssh first") && line.contains("steading");
        said.push(line);
        if is_last {
            break;
        }
    }
    let find = |what: &dyn Fn(&str) -> bool| {
        let line = said.iter().find(|l| what(l.trim()));
        line.unwrap_or_else(|| panic!("not among {said:#?}")).trim().to_owned()
    };
    Up {
        url: find(&|l| l.starts_with("http://")),
        ssh: find(&|l| l.starts_with("ssh ")),
        steading: find(&|l| l.contains(" ssh first") && !l.starts_with("ssh ")),
        child,
    }
}

fn paste(site: &Site, line: &str) -> Ran {
    Ran::new(
        Command::new("sh").env("HOME", site.dir.path()).args(["-c", line]).stdin(Stdio::null()),
    )
}

fn end(mut up: Up) {
    let pid = rustix::process::Pid::from_child(&up.child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert!(up.child.wait().unwrap().success());
}

fn at(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

#[test]
fn up_ends_with_three_lines_that_work_and_goes_on_where_it_was() {
    let site = Site::new();
    let (http, ssh_at) = (at(ports::free()), at(ports::free()));
    let first = up(&site, &http, &ssh_at);
    let known =
        format!("-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile={}", site.path("kh"));
    let ssh = |up: &Up, remote: &str| {
        paste(&site, &format!("{} {remote}", up.ssh.replacen("ssh ", &format!("ssh {known} "), 1)))
            .ok()
    };
    assert_eq!(ssh(&first, "'echo hello > note; echo kept'").trim(), "kept");
    assert_eq!(paste(&site, &format!("{} -- cat note", first.steading)).ok().trim(), "hello");
    let origin = first.url.split("/@").next().unwrap().to_owned();
    assert_eq!(paste(&site, &format!("curl -fsS {origin}/healthz")).code, Some(0));
    end(first);

    let again = up(&site, &http, &ssh_at);
    assert_eq!(ssh(&again, "cat note").trim(), "hello");
    assert_eq!(
        paste(
            &site,
            &format!("{} delete first --yes", again.steading.split(" ssh ").next().unwrap())
        )
        .code,
        Some(0)
    );
    end(again);
}

#[test]
fn up_without_terraform_says_what_is_missing_and_goes_on() {
    let site = Site::new();
    let empty = site.path("no-programs");
    std::fs::create_dir(&empty).unwrap();
    let mut command = site.command(STEADING);
    let mut child = command
        .args(["up", "--data", &site.path("first-minute"), "--http-address", "127.0.0.1:0"])
        .args(["--ssh-address", "127.0.0.1:0", "--wireguard-address", "127.0.0.1:0"])
        .env("PATH", &empty)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let url = Said::by(child.stdout.take().unwrap()).line().unwrap();
    let mut said = Said::by(child.stderr.take().unwrap());
    let told = said.until("goes on where it was");
    assert!(told.contains("Install Terraform 1.5 or newer"), "{told}");
    assert!(told.contains("Your password, shown once"), "{told}");
    assert_eq!(paste(&site, &format!("curl -fsS {url}/healthz")).code, Some(0));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert!(child.wait().unwrap().success());
}
