//! Someone on a site besides its owner: signed in on a command line of their own, with their own key.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::e2e::site::{Ran, STEADING, Site, eventually};

const PASSWORD: &str = "a long way to the kiln";

/// The workspace that everything here is about: of a service account, so that it is nobody's.
pub const KILN: &str = "ops/kiln";
/// The same as a login name of SSH.
pub const LOGIN: &str = "ops--kiln";

/// The site with the workspace, whose agent is connected, and that workspace's agent.
pub fn kiln(site: &Site) -> Place {
    site.cli(&["users", "create", "-u", "ops", "--service-account"]).ok();
    site.create_here(KILN);
    let shown = eventually("an agent", || {
        let shown = site.cli(&["show", KILN, "-o", "json"]);
        let shown: Value = serde_json::from_str(&shown.out).ok()?;
        let agent = shown["latest_build"]["resources"].as_array()?.iter().find_map(|resource| {
            resource["agents"].as_array()?.first().filter(|a| a["status"] == "connected").cloned()
        });
        agent.map(|agent| (shown["id"].clone(), agent["id"].clone()))
    });
    let text = |value: Value| value.as_str().unwrap().to_owned();
    Place { workspace: text(shown.0), agent: text(shown.1) }
}

/// Where the workspace is in the API.
#[derive(Clone)]
pub struct Place {
    pub workspace: String,
    pub agent: String,
}

/// Someone.
#[derive(Clone)]
pub struct Person {
    pub name: String,
    /// Their session on the command line.
    pub token: String,
}

impl Person {
    /// Someone new, signed in, whose key is on file.
    pub fn new(site: &Site, name: &str) -> Self {
        let email = format!("{name}@example.test");
        site.cli(&["users", "create", "-u", name, "-e", &email, "-p", PASSWORD]).ok();
        let mut person = Self { name: name.to_owned(), token: String::new() };
        person.sign_in(site);
        let key = person.key(site);
        site.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &key]).ok();
        person.cli(site, &["ssh-keys", "add", &format!("{key}.pub")]).ok();
        person
    }

    /// Signs in on the command line.
    pub fn sign_in(&mut self, site: &Site) {
        let path = site.path(&format!("{}.password", self.name));
        std::fs::write(&path, format!("{PASSWORD}\n")).unwrap();
        let login = ["login", &site.url, "--username", &self.name, "--password-stdin"];
        let stdin = std::fs::File::open(path).unwrap();
        Ran::new(self.command(site).args(login).stdin(stdin)).ok();
        let stored = std::fs::read_to_string(site.path(&format!("{}/session", self.name)));
        stored.unwrap().trim().clone_into(&mut self.token);
    }

    fn key(&self, site: &Site) -> String {
        site.path(&format!("{}.key", self.name))
    }

    /// Their command line.
    pub fn command(&self, site: &Site) -> Command {
        let mut command = site.command(STEADING);
        command.env("CODER_CONFIG_DIR", site.path(&self.name));
        command
    }

    /// Runs their command line to its end.
    pub fn cli(&self, site: &Site, args: &[&str]) -> Ran {
        Ran::new(self.command(site).args(args))
    }

    /// An OpenSSH client of theirs, with its options.
    pub fn open_ssh(&self, site: &Site, program: &str) -> Command {
        let mut command = site.command(program);
        let port = if program == "ssh" { "-p" } else { "-P" };
        command.args(["-F", "none", port, &site.ssh_port.to_string()]);
        for option in [
            "StrictHostKeyChecking=accept-new".to_owned(),
            format!("UserKnownHostsFile={}", site.path("known_hosts")),
            format!("IdentityFile={}", self.key(site)),
            "IdentitiesOnly=yes".to_owned(),
            "BatchMode=yes".to_owned(),
            "LogLevel=ERROR".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        command
    }

    /// Runs one command by `ssh`.
    pub fn ssh(&self, site: &Site, remote: &str) -> Ran {
        let login = format!("{LOGIN}@127.0.0.1");
        Ran::new(self.open_ssh(site, "ssh").args([login.as_str(), remote]))
    }

    /// The status of a page or an address of the API.
    pub fn status(&self, site: &Site, path: &str) -> u16 {
        let (status, _) = get(&site.url, path, &header(&self.token));
        status
    }
}

/// How a program shows a token.
pub fn header(token: &str) -> String {
    format!("Coder-Session-Token: {token}\r\n")
}

/// How a browser shows a session.
pub fn cookie(token: &str) -> String {
    format!("Cookie: coder_session_token={token}\r\nSec-Fetch-Site: same-origin\r\n")
}

/// Asks for an address. The connection is closed behind the answer; its body is still to be read.
pub fn ask(url: &str, path: &str, headers: &str) -> std::io::Result<TcpStream> {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n")?;
    Ok(stream)
}

/// The status and the text of an answer; 0 when there is none.
pub fn get(url: &str, path: &str, headers: &str) -> (u16, String) {
    let mut text = Vec::new();
    let read = ask(url, path, headers).and_then(|mut stream| stream.read_to_end(&mut text));
    let text = String::from_utf8_lossy(&text).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.filter(|_| read.is_ok()).unwrap_or_default(), text)
}

/// A number that nobody else here has.
pub fn fresh() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
