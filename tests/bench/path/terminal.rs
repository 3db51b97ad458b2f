//! The terminal page's socket: a key's echo, bulk output, memory, and quiet terminals beside a
//! greedy one. References: terminado and a bare PTY.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::http::token;
use super::memory::{agent_of, pss, server_of};
use super::pty;
use super::site::Site;
use super::table::{Better, Line, Table, percentile};
use super::terminado::Terminado;

const KEYS: usize = 300;
const PAUSE: Duration = Duration::from_millis(8);
const QUIET: Duration = Duration::from_millis(400);
const LINES: usize = 300_000;
const REPEATS: usize = 3;
const HELD: usize = 20;

/// How a peer speaks.
#[derive(Clone, Copy)]
pub enum Kind {
    Ours,
    Terminado,
}

/// An open terminal.
pub struct Terminal {
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    kind: Kind,
}

impl Terminal {
    /// One whose shell has shown its prompt.
    pub async fn open(kind: Kind, url: &str, token: &str) -> Self {
        let mut request = url.into_client_request().unwrap();
        let headers = request.headers_mut();
        if let Kind::Ours = kind {
            headers.insert("coder-session-token", token.parse().unwrap());
        }
        let (socket, _) = connect_async(request).await.unwrap();
        let mut terminal = Self { socket, kind };
        while tokio::time::timeout(QUIET, terminal.output()).await.is_ok() {}
        terminal
    }

    async fn send(&mut self, text: &str) {
        let message = match self.kind {
            Kind::Ours => Message::binary(serde_json::json!({ "data": text }).to_string()),
            Kind::Terminado => Message::text(serde_json::json!(["stdin", text]).to_string()),
        };
        self.socket.send(message).await.unwrap();
    }

    /// What the shell printed next.
    async fn output(&mut self) -> Vec<u8> {
        loop {
            let message = self.socket.next().await.expect("the terminal goes on").unwrap();
            match (self.kind, message) {
                (Kind::Ours, Message::Binary(bytes)) => return bytes.to_vec(),
                (Kind::Terminado, Message::Text(text)) => {
                    let (kind, said): (String, serde_json::Value) =
                        serde_json::from_str(&text).unwrap_or_default();
                    if kind == "stdout" {
                        return said.as_str().unwrap().as_bytes().to_vec();
                    }
                }
                _ => {}
            }
        }
    }

    /// Milliseconds from a key to its echo.
    async fn echoes(&mut self, keys: usize) -> Vec<f64> {
        let mut took = Vec::new();
        for n in 0..keys {
            if n % 40 == 0 {
                self.send("\x15").await;
                while tokio::time::timeout(QUIET, self.output()).await.is_ok() {}
            }
            let began = Instant::now();
            self.send("a").await;
            while !self.output().await.contains(&b'a') {}
            took.push(began.elapsed().as_secs_f64() * 1000.0);
            tokio::time::sleep(PAUSE).await;
        }
        took
    }

    /// Megabytes a second of a command's output.
    pub async fn bulk(&mut self, command: &str) -> f64 {
        // What was typed before is taken away first.
        self.send(&format!("\x15{command}; echo DO''NE\r")).await;
        let (mut began, mut total, mut tail) = (None, 0, Vec::new());
        loop {
            let bytes = self.output().await;
            began.get_or_insert_with(Instant::now);
            total += bytes.len();
            tail.extend_from_slice(&bytes[bytes.len().saturating_sub(END)..]);
            tail.drain(..tail.len().saturating_sub(END));
            if tail.windows(5).any(|w| w == b"DONE\r") {
                return total as f64 / began.unwrap().elapsed().as_secs_f64() / 1e6;
            }
        }
    }
}

/// The id of a workspace's agent.
pub fn agent_id(site: &Site, workspace: &str) -> String {
    let shown = site.cli(&["show", workspace, "-o", "json"]).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let resources = shown["latest_build"]["resources"].as_array().unwrap();
    let id = resources.iter().find_map(|r| r["agents"][0]["id"].as_str());
    id.unwrap().to_owned()
}

/// Bytes that may follow the last line in the same message: a prompt, with the marks of a recorded shell.
const END: usize = 4096;

/// Where a new terminal of an agent is opened.
pub fn url(site: &Site, agent: &str) -> String {
    let id = uuid::Uuid::new_v4();
    let base = site.url.replace("http", "ws");
    format!("{base}/api/v2/workspaceagents/{agent}/pty?reconnect={id}&width=100&height=30")
}

pub fn run(table: &mut Table) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(table));
}

async fn measure(table: &mut Table) {
    let site = Site::new();
    site.create_here("first");
    let terminado = Terminado::start();
    let (token, agent) = (token(&site), agent_id(&site, "first"));
    let ours = || url(&site, &agent);
    let lines = site.path("lines");
    std::fs::write(&lines, format!("{}\n", "x".repeat(99)).repeat(LINES)).unwrap();
    let feed = format!("cat {lines}");
    let (mut here, mut there) = (Vec::new(), Vec::new());
    let (mut bulk, mut bare, mut peer) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let mut mine = Terminal::open(Kind::Ours, &ours(), &token).await;
        let mut other = Terminal::open(Kind::Terminado, &terminado.url, "").await;
        here.extend(mine.echoes(KEYS).await);
        there.extend(other.echoes(KEYS).await);
        bulk.push(mine.bulk(&feed).await);
        peer.push(other.bulk(&feed).await);
        bare.push(pty::rate(&feed));
    }
    let p50 = |took: &[f64]| vec![percentile(took, 50)];
    let (what, reference, better) = ("key echo", ("terminado", p50(&there)), Better::Less);
    table.line(&Line { what, unit: "ms p50", ours: p50(&here), reference, goal: 0.4, better });
    let what = "output of 100-column lines";
    for (reference, goal) in [(("terminado", peer), 2.3), (("bare PTY", bare), 0.8)] {
        let (ours, better) = (bulk.clone(), Better::More);
        table.line(&Line { what, unit: "MB/s", ours, reference, goal, better });
    }
    crowd(table, &site, &ours, &token, &feed).await;
}

/// Many terminals at once: what each holds, and whether one that floods slows the others.
async fn crowd(table: &mut Table, site: &Site, url: &impl Fn() -> String, token: &str, feed: &str) {
    let (agent, server) = (agent_of(site), server_of(site));
    let before = (pss(agent), pss(server));
    let mut held = Vec::new();
    for _ in 0..HELD {
        held.push(Terminal::open(Kind::Ours, &url(), token).await);
    }
    let each = |now: f64, then: f64| vec![(now - then) * 1024.0 / HELD as f64];
    table.figure("an open terminal in the agent", "KiB", &each(pss(agent), before.0));
    table.figure("an open terminal in the server", "KiB", &each(pss(server), before.1));
    let alone = held[0].echoes(KEYS / 3).await;
    let mut greedy = Terminal::open(Kind::Ours, &url(), token).await;
    greedy.send(&format!("while :; do {feed}; done\r")).await;
    let beside = {
        let flood = async {
            loop {
                greedy.output().await;
            }
        };
        tokio::select! {
            took = held[0].echoes(KEYS / 3) => took,
            () = flood => unreachable!(),
        }
    };
    let (what, better) = ("key echo beside a greedy terminal", Better::Less);
    let reference = ("alone", vec![percentile(&alone, 99)]);
    let ours = vec![percentile(&beside, 99)];
    table.line(&Line { what, unit: "ms p99", ours, reference, goal: 2.0, better });
}
