//! What a process costs, and how soon others are answered meanwhile.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::api::Api;
use super::proc;
use crate::e2e::site::{PATIENCE, Site, eventually};

/// Tells figures to who runs the tests.
pub fn tell(what: &str) {
    #[expect(clippy::print_stderr, reason = "the figures of a run")]
    {
        eprintln!("{what}");
    }
}

/// Resident memory, in KiB.
pub fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Open files.
pub fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// The server's process.
pub fn server(site: &Site) -> u32 {
    site.server.as_ref().unwrap().id()
}

/// The process of the one agent of a workspace.
pub fn agent(workspace: &str) -> u32 {
    let found = eventually("the agent runs", || {
        let agents = proc::all(|p| p.mentions(workspace) && p.command.contains(" agent"));
        agents.into_iter().find(|p| !p.command.contains("server"))
    });
    found.pid.try_into().unwrap()
}

/// Where the terminals of a workspace's one agent are.
pub fn pty(api: &Api, workspace: &str) -> String {
    let shown = api.get(&format!("/workspaces/{workspace}"));
    let resources = shown["latest_build"]["resources"].as_array().unwrap();
    let mut agents = resources.iter().filter_map(|r| r["agents"].as_array()).flatten();
    let agent = agents.next().unwrap()["id"].as_str().unwrap();
    format!("/api/v2/workspaceagents/{agent}/pty")
}

/// Sessions that go on.
pub fn sessions(site: &Site) -> i64 {
    let database = rusqlite::Connection::open(site.path("data/steading.db")).unwrap();
    let sql = "SELECT count(*) FROM connections WHERE ended_at IS NULL";
    database.query_row(sql, [], |r| r.get(0)).unwrap()
}

/// The server's address.
pub fn address(site: &Site) -> String {
    site.url.trim_start_matches("http://").to_owned()
}

/// A connection that has asked for a path and has read nothing yet.
pub fn asked(site: &Site, path: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address(site)).unwrap();
    let token = std::fs::read_to_string(site.path("cli/session")).unwrap();
    let (host, token) = (address(site), token.trim());
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nCoder-Session-Token: {token}\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Headers that make a request a WebSocket's.
pub const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                           Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

/// Someone who asks every moment whether the server is ready.
pub struct Beside {
    stop: Arc<AtomicBool>,
    asking: JoinHandle<(usize, Duration)>,
}

impl Beside {
    /// Begins to ask.
    pub fn start(site: &Site) -> Self {
        let (stop, address) = (Arc::new(AtomicBool::new(false)), address(site));
        let told = Arc::clone(&stop);
        let asking = std::thread::spawn(move || {
            let (mut times, mut longest) = (0, Duration::ZERO);
            while !told.load(Ordering::Relaxed) {
                longest = longest.max(answered(&address));
                times += 1;
                std::thread::park_timeout(Duration::from_millis(100));
            }
            (times, longest)
        });
        Self { stop, asking }
    }

    /// How often it was asked, and the longest wait; each time the server was ready.
    pub fn end(self) -> (usize, Duration) {
        self.stop.store(true, Ordering::Relaxed);
        self.asking.join().expect("the server is ready all the time")
    }
}

/// How long the server took to say that it is ready.
fn answered(address: &str) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "how long others wait is the point")]
    let start = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    start.elapsed()
}
