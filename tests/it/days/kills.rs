//! kill -9 of the server, the agent, Terraform, and of several at once, at points that chance gives.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use steading::clock::Entropy;

use super::api::Api;
use super::proc::{self, Proc};
use crate::e2e::said::Said;
use crate::e2e::site::{Site, eventually};

/// Rounds in the usual run; `STEADING_ROUNDS` names another number.
const ROUNDS: u64 = 25;
/// The usual run begins no round after this time: a busy machine does fewer.
const USUAL_TIME: Duration = Duration::from_secs(60);
/// Builds of the template take about this long: kills fall before, in and after each of its steps.
const BUILD_MS: u64 = 1800;

/// Something to keep, something that runs, and a command in the middle of the apply.
const TEMPLATE: &str = r#"
terraform {
  required_providers {
    coder    = { source = "coder/coder" }
    steading = { source = "steading/steading" }
  }
}
data "coder_workspace" "me" {}
data "coder_parameter" "round" {
  name    = "round"
  type    = "string"
  default = "none"
  mutable = true
}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "terraform_data" "round" {
  input = data.coder_parameter.round.value
  triggers_replace = data.coder_parameter.round.value
  provisioner "local-exec" { command = "sleep 0.2" }
}
resource "steading_process" "workspace" {
  count       = data.coder_workspace.me.start_count
  agent_token = coder_agent.main.token
}
"#;

/// Chance that can be had again.
struct Chance(u64);

impl Chance {
    /// One of `n`, by `SplitMix64`.
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// Who is killed.
#[derive(Clone, Copy, Debug)]
struct Victims {
    server: bool,
    agent: bool,
    terraform: bool,
}

const BUILD_VICTIMS: [Victims; 5] = [
    Victims { server: true, agent: false, terraform: false },
    Victims { server: false, agent: false, terraform: true },
    Victims { server: false, agent: true, terraform: false },
    Victims { server: true, agent: false, terraform: true },
    Victims { server: true, agent: true, terraform: true },
];
const SESSION_VICTIMS: [Victims; 3] = [
    Victims { server: true, agent: false, terraform: false },
    Victims { server: false, agent: true, terraform: false },
    Victims { server: true, agent: true, terraform: false },
];

/// A site, and what was acknowledged on it.
struct World {
    site: Site,
    workspace: String,
    tokens: Vec<(String, String)>,
    builds: Vec<(String, String)>,
    uids: BTreeSet<u32>,
}

fn env_number(name: &str) -> Option<u64> {
    std::env::var_os(name)?.to_str()?.parse().ok()
}

impl World {
    fn new() -> Self {
        let site = Site::new();
        std::fs::create_dir(site.path("kept")).unwrap();
        std::fs::write(site.path("kept/main.tf"), TEMPLATE).unwrap();
        site.cli(&["templates", "push", "kept", "-d", &site.path("kept"), "--yes"]).ok();
        site.cli(&["create", "kiln", "--template", "kept", "--yes"]).ok();
        let shown = Api::of(&site).get("/users/me/workspace/kiln");
        let workspace = shown["id"].as_str().unwrap().to_owned();
        Self { site, workspace, tokens: vec![], builds: vec![], uids: BTreeSet::new() }
    }

    fn api(&self) -> Api {
        Api::of(&self.site)
    }

    fn agents(&self) -> Vec<Proc> {
        let agents = proc::all(|p| p.mentions(&self.workspace) && p.command.contains(" agent"));
        agents.into_iter().filter(|p| !p.command.contains("server")).collect()
    }

    fn terraforms(&self) -> Vec<Proc> {
        let server = self.site.server.as_ref().unwrap().id();
        proc::all(|p| u32::try_from(p.parent) == Ok(server) && p.command.contains("terraform"))
    }

    fn kill(&mut self, victims: Victims) {
        let agents = self.agents();
        self.uids.extend(agents.iter().map(|p| p.uid));
        // Found before the server is gone, since they are found as its children.
        let terraforms = self.terraforms();
        if victims.terraform {
            terraforms.iter().for_each(Proc::kill);
        }
        if victims.agent {
            agents.iter().for_each(Proc::kill);
        }
        if victims.server {
            self.site.kill();
            self.site.start();
        }
    }

    /// Asks for a start; an answer is an acknowledgement.
    fn ask_for_build(&mut self, value: &str) -> String {
        let body = json!({
            "transition": "start",
            "rich_parameter_values": [{ "name": "round", "value": value }],
        });
        let build = self.api().made(&format!("/workspaces/{}/builds", self.workspace), &body);
        let id = build["id"].as_str().unwrap().to_owned();
        self.builds.push((id.clone(), value.to_owned()));
        id
    }

    fn job(&self, build: &str) -> Value {
        self.api().get(&format!("/workspacebuilds/{build}"))["job"].clone()
    }

    /// Waits until a build is over, and says how it ended.
    fn end_of(&self, build: &str) -> String {
        let job = eventually("the build is over", || {
            let job = self.job(build);
            let over = ["succeeded", "failed", "canceled"].contains(&job["status"].as_str()?);
            over.then_some(job)
        });
        let status = job["status"].as_str().unwrap().to_owned();
        let says_why = !job["error"].as_str().unwrap_or_default().is_empty();
        assert_eq!(status == "failed", says_why, "{job}");
        status
    }

    /// A build that nobody disturbs has to succeed and bring its agent.
    fn next_build_works(&mut self, value: &str) {
        let build = self.ask_for_build(value);
        let status = self.end_of(&build);
        assert_eq!(status, "succeeded", "{}", self.site.cli(&["logs", "kiln"]).out);
        let state = self.api().get(&format!("/workspacebuilds/{build}/state"));
        assert!(state.to_string().contains(value), "{state}");
        self.is_reached();
    }

    fn is_reached(&self) {
        let said = eventually("the workspace is reached", || {
            let ran = self.site.ssh("kiln", "echo here");
            (ran.code == Some(0)).then_some(ran.out)
        });
        assert_eq!(said.trim(), "here");
    }

    /// Everything that was ever acknowledged.
    fn check(&self) {
        let api = self.api();
        let list = api.get("/users/me/keys/tokens").to_string();
        for (name, _) in &self.tokens {
            assert!(list.contains(&format!("\"{name}\"")), "token {name} is lost");
        }
        if let Some((name, secret)) = self.tokens.last() {
            let me = Api::with(&self.site, secret).get("/users/me");
            assert_eq!(me["username"], "ada", "token {name}");
        }
        for (build, value) in self.builds.iter().rev().take(3) {
            let parameters = api.get(&format!("/workspacebuilds/{build}/parameters"));
            assert_eq!(parameters[0]["value"], **value, "parameter of build {build}");
        }
    }

    fn make_token(&mut self, n: u64) {
        let name = format!("round-{n}");
        let key = self.api().made("/users/me/keys/tokens", &json!({ "token_name": name }));
        self.tokens.push((name, key["key"].as_str().unwrap().to_owned()));
    }

    fn build_round(&mut self, n: u64, chance: &mut Chance) {
        let victims = BUILD_VICTIMS[usize::try_from(chance.below(5)).unwrap()];
        let at = Duration::from_millis(chance.below(BUILD_MS));
        let build = self.ask_for_build(&format!("cut-{n}"));
        wait(at);
        self.make_token(n);
        self.kill(victims);
        self.end_of(&build);
        self.check();
        self.next_build_works(&format!("round-{n}"));
    }

    fn session_round(&mut self, n: u64, chance: &mut Chance) {
        let victims = SESSION_VICTIMS[usize::try_from(chance.below(3)).unwrap()];
        let at = Duration::from_millis(chance.below(200));
        let mut ssh = self.site.ssh_command("kiln");
        ssh.arg("echo re''ady; while :; do date; done");
        let pipes = ssh.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut session = pipes.spawn().unwrap();
        // Reads on, so that the session is at work and not held up by its client.
        let mut out = Said::by(session.stdout.take().unwrap());
        out.until("ready");
        self.make_token(n);
        wait(at);
        self.kill(victims);
        let code = eventually("the session is over", || session.try_wait().unwrap());
        assert!(!code.success(), "a session that was cut ended well");
        self.check();
        if victims.agent {
            self.next_build_works(&format!("round-{n}"));
        } else {
            self.is_reached();
        }
    }

    /// Deletes the workspace and stops; nothing of it may be left on the machine.
    fn nothing_is_left(mut self) {
        self.uids.extend(self.agents().iter().map(|p| p.uid));
        let api = self.api();
        let deployment = api.get("/buildinfo")["deployment_id"].as_str().unwrap().to_owned();
        self.site.cli(&["delete", "kiln", "--yes"]).ok();
        self.site.stop();
        let (dir, workspace) = (self.site.dir.path().display().to_string(), &self.workspace);
        let left = eventually("processes end", || {
            let left = proc::all(|p| {
                p.mentions(&dir) || p.mentions(workspace) || self.uids.contains(&p.uid)
            });
            left.is_empty().then_some(left)
        });
        assert!(left.is_empty());
        let jobs = std::fs::read_dir(self.site.path("data/jobs")).unwrap().count();
        assert_eq!(jobs, 0, "directories of jobs are left");
        let homes = format!("/var/lib/steading-homes/{deployment}/{workspace}");
        assert!(!std::path::Path::new(&homes).exists(), "{homes} is left");
        let database = rusqlite::Connection::open(self.site.path("data/steading.db")).unwrap();
        let count = |sql: &str| database.query_row(sql, [], |r| r.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM connections WHERE ended_at IS NULL"), 0);
        assert_eq!(count("SELECT count(*) FROM jobs WHERE ended_at IS NULL"), 0);
        let check: String = database.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
        assert_eq!(check, "ok");
    }
}

/// Lets the time pass after which chance has the kill fall.
fn wait(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "the point at which a process is killed")]
    let start = Instant::now();
    while start.elapsed() < time {
        std::thread::park_timeout(time.saturating_sub(start.elapsed()));
    }
}

#[test]
fn rounds_of_kill_9_lose_nothing_and_everything_converges() {
    let drawn = || u64::from_le_bytes(Entropy::machine().bytes());
    let seed = env_number("STEADING_SEED").unwrap_or_else(drawn);
    let asked = env_number("STEADING_ROUNDS");
    let rounds = asked.unwrap_or(ROUNDS);
    #[expect(clippy::print_stderr, reason = "a failed run is to be had again")]
    {
        eprintln!("STEADING_SEED={seed} STEADING_ROUNDS={rounds}");
    }
    let mut chance = Chance(seed);
    let mut world = World::new();
    #[expect(clippy::disallowed_methods, reason = "bounds the usual run on a busy machine")]
    let start = Instant::now();
    for n in 1..=rounds {
        if asked.is_none() && start.elapsed() > USUAL_TIME {
            break;
        }
        if chance.below(5) < 2 {
            world.build_round(n, &mut chance);
        } else {
            world.session_round(n, &mut chance);
        }
    }
    world.nothing_is_left();
}
