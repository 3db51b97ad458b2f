//! What the server and an agent hold: idle, after work, with a reader that sleeps, and with 500
//! terminals.

use std::io::Read as _;
use std::process::Stdio;
use std::time::Duration;

use super::http::{token, wrk};
use super::site::{STEADING, Site, eventually};
use super::table::Table;
use super::terminal::{self, Terminal};

const MOVED: &str = "1610612736";
/// What the reader that sleeps is sent.
const SLEPT: usize = 4 << 30;
/// Long enough that every buffer on the way is full.
const SLEEP: Duration = Duration::from_secs(20);
/// Idle is who has rested for so long.
const REST: Duration = Duration::from_secs(8);
/// An agent takes 64 terminals.
const WORKSPACES: usize = 8;
const TERMINALS: usize = 500;
/// Terminals that are opened at once.
const AT_ONCE: usize = 25;

pub fn run(table: &mut Table) {
    let site = Site::new();
    let server = server_of(&site);
    std::thread::sleep(REST);
    table.figure("server idle, goal 16", "MiB PSS", &[pss(server)]);
    site.create_here("first");
    let agent = agent_of(&site);
    std::thread::sleep(REST);
    table.figure("server with one workspace", "MiB PSS", &[pss(server)]);
    table.figure("agent idle, goal 9", "MiB PSS", &[pss(agent)]);
    site.ssh("first", &format!("head -c {MOVED} /dev/zero")).ok();
    table.figure("agent after 1.5 GiB, goal 23", "MiB PSS", &[pss(agent)]);
    table.figure("server after 1.5 GiB, goal 35", "MiB PSS", &[pss(server)]);
    let token = token(&site);
    for path in ["/api/v2/users/me", "/workspaces", "/api/v2/workspaces"] {
        wrk(&format!("{}{path}", site.url), Some(&token), "", 32);
    }
    table.figure("server after load, goal 35", "MiB PSS", &[pss(server)]);
    sleeper(table, &site);
    crowd(table, &site);
}

/// A relayed reader that sleeps in the middle of four gigabytes.
fn sleeper(table: &mut Table, site: &Site) {
    let (server, agent) = (server_of(site), agent_of(site));
    let mut command = site.command(STEADING);
    let send = format!("head -c {SLEPT} /dev/zero");
    command.args(["--disable-direct-connections", "ssh", "first", "--", &send]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut room = vec![0; 1 << 16];
    let mut read = |until: usize, have: usize| {
        let mut have = have;
        while have < until {
            match out.read(&mut room).unwrap() {
                0 => break,
                n => have += n,
            }
        }
        have
    };
    let half = read(SLEPT / 2, 0);
    std::thread::sleep(SLEEP);
    for (who, pid) in [("server", server), ("agent", agent), ("its command line", child.id())] {
        let what = format!("{who}, a relayed reader of 4 GiB asleep");
        table.figure(&what, "MiB PSS", &[pss(pid)]);
    }
    assert_eq!(read(usize::MAX, half), SLEPT, "nothing is lost over the sleep");
    assert!(child.wait().unwrap().success());
    table.figure("server after it", "MiB PSS", &[pss(server)]);
    table.figure("agent after it", "MiB PSS", &[pss(agent)]);
}

/// 500 terminals that are open at the same time, in eight workspaces.
fn crowd(table: &mut Table, site: &Site) {
    let server = server_of(site);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let names: Vec<String> = (0..WORKSPACES).map(|n| format!("crowd{n}")).collect();
    for name in &names {
        site.cli(&["create", name, "--template", "this-machine", "--yes"]).ok();
        // Its agent is there from then on.
        site.ssh(name, "true").ok();
    }
    let agents: Vec<String> = names.iter().map(|name| terminal::agent_id(site, name)).collect();
    let (before, token) = (pss(server), token(site));
    let held = runtime.block_on(async {
        let mut held = Vec::new();
        for from in (0..TERMINALS).step_by(AT_ONCE) {
            let some = (from..from + AT_ONCE).map(|n| {
                let url = terminal::url(site, &agents[n % WORKSPACES]);
                let token = token.clone();
                async move { Terminal::open(terminal::Kind::Ours, &url, &token).await }
            });
            held.extend(futures_util::future::join_all(some).await);
        }
        held
    });
    assert_eq!(held.len(), TERMINALS);
    let each = (pss(server) - before) * 1024.0 / TERMINALS as f64;
    table.figure("server with 500 terminals", "MiB PSS", &[pss(server)]);
    table.figure("each of them in the server", "KiB", &[each]);
    drop(held);
    runtime.shutdown_background();
    std::thread::sleep(REST);
    table.figure("server when they are closed", "MiB PSS", &[pss(server)]);
}

/// The server's process.
pub fn server_of(site: &Site) -> u32 {
    site.server.as_ref().unwrap().id()
}

/// The process of the workspace's agent.
pub fn agent_of(site: &Site) -> u32 {
    let url = format!("CODER_AGENT_URL={}", site.url);
    eventually("the agent of the workspace", || {
        let all = std::fs::read_dir("/proc").unwrap();
        all.flatten().find_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let read = |name| std::fs::read(entry.path().join(name)).ok();
            let (line, environ) = (read("cmdline")?, read("environ")?);
            let is_agent = line.split(|b| *b == 0).nth(1) == Some(b"agent".as_slice());
            let is_ours = environ.split(|b| *b == 0).any(|var| var.starts_with(url.as_bytes()));
            (is_agent && is_ours).then_some(pid)
        })
    })
}

/// Proportional set size in MiB.
pub fn pss(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = text.lines().find_map(|l| l.strip_prefix("Pss:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
