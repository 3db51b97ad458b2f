//! A machine that someone else runs: an agent of an external workspace, as a process.

use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::site::{Ran, Site, eventually};

/// A workspace on a machine that is not made by Terraform.
const MACHINE: &str = r#"
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
resource "coder_agent" "main" {
  os   = "@OS@"
  arch = "@ARCH@"
  startup_script = "@SCRIPT@"
}
resource "coder_external_agent" "machine" {
  agent_id = coder_agent.main.id
}
"#;

/// The agent's process.
pub struct Machine {
    pub agent: Child,
    pub program: PathBuf,
    log: PathBuf,
}

impl Site {
    /// A workspace for a machine of this architecture; gives the token of its agent.
    pub fn external(&self, name: &str, arch: &str) -> String {
        self.external_on(name, ("linux", arch), "(while echo tick; do sleep 0.3; done) &")
    }

    /// A workspace for a machine with this system and start script; gives the token of its agent.
    pub fn external_on(&self, name: &str, (os, arch): (&str, &str), script: &str) -> String {
        let dir = self.path(&format!("{name}-template"));
        std::fs::create_dir(&dir).unwrap();
        let blanks = [("@OS@", os), ("@ARCH@", arch), ("@SCRIPT@", script)];
        let text = blanks.iter().fold(MACHINE.to_owned(), |text, (at, is)| text.replace(at, is));
        std::fs::write(format!("{dir}/main.tf"), text).unwrap();
        self.cli(&["templates", "push", name, "-d", &dir, "--yes"]).ok();
        self.cli(&["create", name, "--template", name, "--yes"]).ok();
        let shown = self.cli(&["show", name, "-o", "json"]).ok();
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let id = shown["id"].as_str().expect("the workspace has an id");
        let path = format!("/api/v2/workspaces/{id}/external-agent/main/credentials");
        let told: serde_json::Value = serde_json::from_str(&self.api(&path)).unwrap();
        told["agent_token"].as_str().expect("the agent has a token").to_owned()
    }

    /// What the API answers to Ada's question.
    pub fn api(&self, path: &str) -> String {
        let token = std::fs::read_to_string(self.path("cli/session")).unwrap();
        let header = format!("Coder-Session-Token: {}", token.trim());
        self.run("curl", &["-fsS", "-H", &header, &format!("{}{path}", self.url)]).ok()
    }

    /// The version that the agent of a workspace says it is.
    pub fn agent_version(&self, name: &str) -> String {
        let shown = self.cli(&["show", name, "-o", "json"]).ok();
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let agent = &shown["latest_build"]["resources"];
        let agents = agent.as_array().into_iter().flatten().filter_map(|r| r["agents"].as_array());
        let version = agents.flatten().find_map(|a| a["version"].as_str());
        version.unwrap_or_default().to_owned()
    }
}

impl Machine {
    /// Starts a copy of `program` as the agent with this token, by `run` in front of it where the
    /// program is for another processor. Waits until somebody can come in.
    pub fn start(site: &Site, name: &str, token: &str, program: &Path, run: &[&str]) -> Self {
        let home = PathBuf::from(site.path(&format!("{name}-home")));
        std::fs::create_dir(&home).unwrap();
        let mut copy = home.join("coder");
        if let Some(ending) = program.extension() {
            copy.set_extension(ending);
        }
        std::fs::copy(program, &copy).unwrap();
        // As the printed line makes it.
        std::fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
        let log = home.join("agent.log");
        let words: Vec<&str> = run.iter().copied().chain([copy.to_str().unwrap()]).collect();
        // What has something in front of it is slow.
        let patience = if run.is_empty() { "3s" } else { "1m" };
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .args(["agent", "--update-patience", patience, "--dir"])
            .arg(home.join("state"))
            .env("HOME", &home)
            .env("CODER_AGENT_URL", &site.url)
            .env("CODER_AGENT_TOKEN", token)
            .current_dir(&home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap());
        // A process that another test starts may hold the copy open for a moment.
        let agent = eventually("the agent's program can be run", || match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => None,
            spawned => Some(spawned.unwrap()),
        });
        let machine = Self { agent, program: copy, log };
        // Every shell knows this word.
        eventually("the agent is there", || (site.ssh(name, "exit").code == Some(0)).then_some(()));
        machine
    }

    /// A file beside its program.
    pub fn beside(&self, ending: &str) -> PathBuf {
        let suffix = self.program.extension().map(|e| format!(".{}", e.to_string_lossy()));
        self.program.with_file_name(format!("coder{ending}{}", suffix.unwrap_or_default()))
    }

    /// What the agent has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asserts that the process that was started still runs.
    #[track_caller]
    pub fn assert_runs(&mut self) {
        let ended = self.agent.try_wait().unwrap();
        assert!(ended.is_none(), "it ended: {ended:?}\n{}", self.log());
    }

    /// Its resident memory, in KiB.
    pub fn resident(&self) -> u64 {
        resident(self.agent.id())
    }
}

/// The resident memory of a process, in KiB.
pub fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|l| l.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
        #[expect(clippy::print_stderr, reason = "the log of an agent that a failed test ran")]
        if std::thread::panicking() {
            eprintln!("agent: {}", self.log());
        }
    }
}

/// The two ways of `scp`: a file there and back is what it was.
pub fn copies_files(site: &Site, name: &str) {
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    std::fs::write(site.path("there"), &bytes).unwrap();
    let port = site.ssh_port.to_string();
    let scp = |from: &str, to: &str| {
        let mut command = site.command("scp");
        command.args(["-F", "none", "-P", &port]).args(site.ssh_options()).args([from, to]);
        Ran::new(&mut command).ok();
    };
    scp(&site.path("there"), &format!("{name}@127.0.0.1:copied"));
    scp(&format!("{name}@127.0.0.1:copied"), &site.path("back"));
    assert_eq!(std::fs::read(site.path("back")).unwrap(), bytes);
}
