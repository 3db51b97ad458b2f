//! What the server and an agent hold: idle, and after work.

use super::http::{token, wrk};
use super::site::{Site, eventually};
use super::table::Table;

const MOVED: &str = "1610612736";

pub fn run(table: &mut Table) {
    let site = Site::new();
    let server = server_of(&site);
    table.figure("server idle, goal 16", "MiB PSS", &[pss(server)]);
    site.create_here("first");
    let agent = agent_of(&site);
    eventually("an idle agent", || (threads(agent) > 0).then_some(()));
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

fn threads(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}
