//! A thousand agents of one server: what they cost it while they rest, how they come back when it was
//! killed, and what a list of as many workspaces takes.

use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::growth;
use super::http::{token, wrk};
use super::memory::{pss, server_of};
use super::seed::Each;
use super::site::{STEADING, Site};
use super::table::{Table, percentile};

/// One build makes so many; a thousand workspaces would be minutes of Terraform.
const WORKSPACES: usize = 20;
const EACH: usize = 50;
const AGENTS: usize = WORKSPACES * EACH;
/// Agents that are started at once, so that the machine is not measured instead of them.
const AT_ONCE: usize = 25;
const STARTED_IN: Duration = Duration::from_millis(250);
/// How long the server is watched while nobody does anything.
const WATCHED: Duration = Duration::from_secs(30);
/// Agents tell more at first.
const CALM: Duration = Duration::from_secs(70);
const PATIENCE: Duration = Duration::from_secs(180);
/// Ticks of a process's time in a second.
const TICKS: f64 = 100.0;
const LISTED: u32 = 1000;

pub fn run(table: &mut Table) {
    let mut site = Site::new();
    let before = pss(server_of(&site));
    let tokens = made(&site);
    let session = token(&site);
    let mut agents = Agents(vec![]);
    let began = Instant::now();
    for some in tokens.chunks(AT_ONCE) {
        for token in some {
            let home = site.dir.path().join(format!("agent-{}", agents.0.len()));
            agents.0.push(started(&site, &home, token));
        }
        std::thread::sleep(STARTED_IN);
    }
    all_there(&site, &session);
    table.figure("1,000 agents: started and connected", "s", &[began.elapsed().as_secs_f64()]);
    std::thread::sleep(CALM);
    let server = server_of(&site);
    let (ticks, watched) = (ticks(server), Instant::now());
    std::thread::sleep(WATCHED);
    let busy = (self::ticks(server) - ticks) / TICKS / watched.elapsed().as_secs_f64() * 100.0;
    table.figure("server with them, reference 49", "MiB PSS", &[pss(server)]);
    let each = (pss(server) - before) * 1024.0 / AGENTS as f64;
    table.figure("each of them in the server", "KiB", &[each]);
    table.figure("server's processor, reference 0.45", "% of a core", &[busy]);
    let all: f64 = agents.0.iter().take(EACH).map(|agent| pss(within(agent))).sum();
    table.figure("one of a thousand agents", "MiB PSS", &[all / EACH as f64]);

    site.kill();
    let killed = Instant::now();
    site.start();
    let asked = all_there(&site, &session);
    table.figure("all back after kill -9", "s", &[killed.elapsed().as_secs_f64()]);
    table.figure("get a user meanwhile", "ms p99", &[percentile(&asked, 99)]);
    drop(agents);
    site.kill();
    lists(table);
}

/// A list of as many workspaces.
fn lists(table: &mut Table) {
    let mut site = growth::grown(LISTED, &Each { builds: 2, sessions: 2, lines: 10 });
    site.start();
    let session = token(&site);
    for (what, path) in [
        ("list of 1,000 workspaces", format!("/api/v2/workspaces?limit={LISTED}")),
        ("dashboard page of 1,000 workspaces", "/workspaces".to_owned()),
    ] {
        let load = wrk(&format!("{}{path}", site.url), Some(&session), "", 4);
        table.figure(what, "ms p99", &[load.p99]);
    }
    site.kill();
}

/// The workspaces, and the tokens of their agents.
fn made(site: &Site) -> Vec<String> {
    let mut text =
        "terraform {\n  required_providers {\n    coder = { source = \"coder/coder\" }\n  }\n}\n"
            .to_owned();
    for n in 0..EACH {
        write!(
            text,
            "resource \"coder_agent\" \"m{n}\" {{\n  os = \"linux\"\n  arch = \"amd64\"\n}}\n\
             resource \"coder_external_agent\" \"m{n}\" {{\n  agent_id = coder_agent.m{n}.id\n}}\n"
        )
        .unwrap();
    }
    std::fs::create_dir(site.path("many")).unwrap();
    std::fs::write(site.path("many/main.tf"), text).unwrap();
    site.cli(&["templates", "push", "many", "-d", &site.path("many"), "--yes"]).ok();
    let mut tokens = vec![];
    for n in 0..WORKSPACES {
        let name = format!("many{n}");
        site.cli(&["create", &name, "--template", "many", "--yes"]).ok();
        tokens.extend((0..EACH).map(|m| {
            let agent = format!("{name}.m{m}");
            let args = ["external-workspaces", "agent-instructions", &agent, "-o", "json"];
            let told: serde_json::Value = serde_json::from_str(&site.cli(&args).ok()).unwrap();
            told["auth_token"].as_str().unwrap().to_owned()
        }));
    }
    assert_eq!(tokens.len(), AGENTS);
    tokens
}

fn started(site: &Site, home: &std::path::Path, token: &str) -> Child {
    std::fs::create_dir(home).unwrap();
    // Each stands for a machine: none sees the others' processes.
    Command::new("unshare")
        .args(["--pid", "--fork", "--kill-child", "--mount-proc", STEADING, "agent", "--dir"])
        .arg(home.join("state"))
        .env("HOME", home)
        .env("CODER_AGENT_URL", &site.url)
        .env("CODER_AGENT_TOKEN", token)
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The agent that a started program has in its namespace.
fn within(agent: &Child) -> u32 {
    let id = agent.id();
    let text = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

/// Waits until all are connected. Gives what a request took meanwhile, in milliseconds.
fn all_there(site: &Site, session: &str) -> Vec<f64> {
    let header = format!("Coder-Session-Token: {session}");
    let ask = |path: &str| {
        let url = format!("{}{path}", site.url);
        site.run("curl", &["-s", "-w", "\n%{time_total}", "-H", &header, &url]).out
    };
    let (began, mut asked) = (Instant::now(), vec![]);
    loop {
        for _ in 0..10 {
            let said = ask("/api/v2/users/me");
            asked.push(said.lines().last().unwrap().parse::<f64>().unwrap() * 1000.0);
        }
        let there = ask("/api/v2/workspaces?limit=100").matches("\"status\":\"connected\"").count();
        if there == AGENTS {
            return asked;
        }
        assert!(began.elapsed() < PATIENCE, "{there} of {AGENTS} agents are connected");
    }
}

/// What a process has used of processors.
fn ticks(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let behind = text.rsplit_once(')').unwrap().1;
    behind.split_whitespace().skip(11).take(2).map(|n| n.parse::<f64>().unwrap()).sum()
}

/// The agents' processes, which end with this.
struct Agents(Vec<Child>);

impl Drop for Agents {
    fn drop(&mut self) {
        for agent in &mut self.0 {
            let _ = agent.kill();
            let _ = agent.wait();
        }
    }
}
