//! Several people at one terminal, on real processes: who types, whose window rules, who is cut.

mod limits;

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::browser::{node, script};
use super::site::{PATIENCE, Ran, STEADING, Site, eventually};

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// How soon whoever lost a right is cut.
const CUT_WITHIN: Duration = Duration::from_secs(2);

const PASSWORD: &str = "correct horse 7";

/// A server with Ada's workspace, which Grace may use and Linus may look on at.
fn kiln() -> Site {
    kiln_on(Site::new())
}

/// The same on a server with settings of its own.
fn kiln_on(site: Site) -> Site {
    site.create_here("kiln");
    for (name, verbs) in [("grace", "use"), ("linus", "view,watch")] {
        let email = format!("{name}@example.test");
        let made = ["users", "create", "-u", name, "-e", &email, "-p", PASSWORD];
        site.cli(&made).ok();
        site.cli(&["sharing", "add", "kiln", "--user", name, "--verbs", verbs]).ok();
        let file = site.path("password");
        std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
        let login = ["login", &site.url, "--username", name, "--password-stdin"];
        let password = std::fs::File::open(file).unwrap();
        Ran::new(as_user(&site, name).args(login).stdin(password)).ok();
    }
    site
}

/// The command line as someone else.
fn as_user(site: &Site, name: &str) -> Command {
    let mut command = site.command(STEADING);
    if name != "ada" {
        command.env("CODER_CONFIG_DIR", site.path(name));
    }
    command
}

/// What the API answers Ada.
fn terminals(site: &Site) -> Vec<Value> {
    let listed = site.cli(&["terminals", "kiln", "-o", "json"]).ok();
    serde_json::from_str(&listed).unwrap()
}

/// Someone's tab at a terminal: its screen, and what is told of those who are there.
struct Tab {
    socket: Socket,
    screen: vt100::Parser,
    told: Value,
    refused: String,
    closed: Option<(u16, String)>,
}

impl Tab {
    async fn open(site: &Site, who: &str, terminal: uuid::Uuid, size: (u16, u16)) -> Self {
        Self::open_to(site, who, terminal, size, "").await
    }

    async fn open_to(
        site: &Site,
        who: &str,
        terminal: uuid::Uuid,
        (cols, rows): (u16, u16),
        more: &str,
    ) -> Self {
        let agent = agent_of(site);
        let url = format!(
            "{}/api/v2/workspaceagents/{agent}/pty?reconnect={terminal}&width={cols}&height={rows}&seats=true{more}",
            site.url.replace("http://", "ws://"),
        );
        let mut request = url.into_client_request().unwrap();
        let dir = if who == "ada" { "cli" } else { who };
        let token = std::fs::read_to_string(site.path(&format!("{dir}/session"))).unwrap();
        request.headers_mut().insert("Coder-Session-Token", token.trim().parse().unwrap());
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let screen = vt100::Parser::new(rows, cols, 0);
        Self { socket, screen, told: Value::Null, refused: String::new(), closed: None }
    }

    async fn says(&mut self, message: Value) {
        let _ = self.socket.send(Message::Text(message.to_string().into())).await;
    }

    async fn keys(&mut self, keys: &str) {
        self.says(json!({ "data": keys })).await;
    }

    async fn next(&mut self) {
        match self.socket.next().await {
            Some(Ok(Message::Binary(bytes))) => self.screen.process(&bytes),
            Some(Ok(Message::Text(text))) => {
                let told: Value = serde_json::from_str(&text).unwrap();
                match told["refused"].as_str() {
                    Some(why) => self.refused = why.to_owned(),
                    None => self.told = told,
                }
                let size = |key: &str| u16::try_from(self.told["terminal"][key].as_u64()?).ok();
                if let (Some(rows), Some(cols)) = (size("rows"), size("cols")) {
                    self.screen.screen_mut().set_size(rows, cols);
                }
            }
            Some(Ok(Message::Close(frame))) => {
                let frame = frame.expect("it says why");
                self.closed = Some((frame.code.into(), frame.reason.as_str().to_owned()));
            }
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }

    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !holds(self) {
                self.next().await;
            }
        };
        let came = tokio::time::timeout(PATIENCE, waiting).await.is_ok();
        assert!(came, "never: {what}\n{}\n{:#}", self.screen.screen().contents(), self.told);
    }

    async fn sees(&mut self, text: &str) {
        self.until(text, |tab| tab.screen.screen().contents().contains(text)).await;
    }

    fn size(&self) -> (u64, u64) {
        let size = |key: &str| self.told["terminal"][key].as_u64().unwrap_or_default();
        (size("cols"), size("rows"))
    }

    fn seat(&self, name: &str) -> Value {
        let seats = self.told["terminal"]["seats"].as_array().cloned().unwrap_or_default();
        seats.into_iter().find(|seat| seat["user"]["username"] == name).unwrap_or_default()
    }
}

fn agent_of(site: &Site) -> String {
    eventually("an agent", || {
        let shown = site.cli(&["show", "kiln", "-o", "json"]);
        let shown: Value = serde_json::from_str(&shown.out).ok()?;
        let resources = shown["latest_build"]["resources"].as_array()?;
        let mut agents = resources.iter().filter_map(|r| r["agents"].as_array()).flatten();
        agents.find(|a| a["status"] == "connected")?["id"].as_str().map(str::to_owned)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_on_types_nothing_and_is_cut_with_the_right() {
    let site = kiln();
    let terminal = uuid::Uuid::new_v4();
    let mut early = Tab::open_to(&site, "linus", terminal, (60, 10), "").await;
    early.until("refused", |tab| tab.closed.is_some()).await;
    assert_eq!(early.closed, Some((4001, "this terminal is not open".to_owned())));

    let mut ada = Tab::open(&site, "ada", terminal, (100, 30)).await;
    ada.sees("$ ").await;
    ada.keys("echo be''fore; stty size\n").await;
    ada.sees("30 100").await;
    let mut linus = Tab::open(&site, "linus", terminal, (60, 10)).await;
    linus.sees("before").await;
    linus.until("told", |tab| tab.size() == (100, 30)).await;
    ada.until("he is there", |tab| tab.seat("linus")["doing"] == "watching").await;
    assert_eq!(ada.told["terminal"]["said"], "linus joined to watch.");

    // What he sends, in each way there is, reaches nothing.
    linus.keys("echo from-li''nus\n").await;
    linus.socket.send(Message::Binary(b"echo raw-li''nus\n".to_vec().into())).await.unwrap();
    linus.says(json!({ "width": 20, "height": 5 })).await;
    for deed in ["take", "ask", "one_at_a_time", "end"] {
        linus.refused.clear();
        linus.says(json!({ "deed": deed })).await;
        linus.until("refused", |tab| !tab.refused.is_empty()).await;
    }
    ada.keys("clear; stty size; echo af''ter\n").await;
    linus.sees("after").await;
    ada.sees("after").await;
    let shown = linus.screen.screen().contents();
    assert!(shown.contains("30 100") && !shown.contains("linus"), "{shown}");

    let listed = terminals(&site);
    assert_eq!(listed[0]["id"], terminal.to_string());
    assert_eq!(listed[0]["seats"].as_array().unwrap().len(), 2);
    let who = site.cli(&["who", "kiln"]).ok();
    assert!(who.lines().any(|l| l.contains("linus") && l.contains("watching")), "{who}");

    let remove = ["sharing", "remove", "kiln", "--user", "linus"];
    site.cli(&remove).ok();
    #[expect(clippy::disallowed_methods, reason = "what is promised is a time")]
    let began = Instant::now();
    linus.until("cut", |tab| tab.closed.is_some()).await;
    assert_eq!(linus.closed.as_ref().map(|closed| closed.0), Some(4003));
    assert!(began.elapsed() < CUT_WITHIN, "{:?}", began.elapsed());
    ada.until("he is gone", |tab| tab.seat("linus").is_null()).await;
    assert_eq!(ada.told["terminal"]["said"], "linus left.");
}

#[tokio::test(flavor = "multi_thread")]
async fn control_passes_the_smallest_window_rules_and_a_moderator_ends_it() {
    let site = kiln();
    let terminal = uuid::Uuid::new_v4();
    let mut grace = Tab::open(&site, "grace", terminal, (90, 40)).await;
    grace.sees("$ ").await;
    let mut ada = Tab::open(&site, "ada", terminal, (100, 30)).await;
    ada.until("the smallest of both", |tab| tab.size() == (90, 30)).await;
    ada.keys("stty size\n").await;
    grace.sees("30 90").await;

    // Who began it sets turns, and a moderator too. One question of a program has one answer.
    grace.says(json!({ "deed": "one_at_a_time" })).await;
    ada.until("turns", |tab| {
        tab.seat("grace")["may_type"] == true && tab.told["terminal"]["one_at_a_time"] == true
    })
    .await;
    assert_eq!(ada.size(), (90, 40), "whose turn it is gives the size");
    ada.keys("echo not-y''et\n").await;
    ada.says(json!({ "deed": "ask" })).await;
    grace.until("asked", |tab| tab.seat("ada")["asks"] == true).await;
    let to = grace.seat("ada")["user"]["id"].clone();
    grace.says(json!({ "deed": "give", "to": to })).await;
    ada.until("given", |tab| tab.seat("ada")["may_type"] == true).await;
    ada.keys("clear; echo no''w\n").await;
    grace.keys("echo ne''ver\n").await;
    ada.sees("now").await;
    let asks = "printf '\\033[c\\033[6n\\033[>q'; IFS= read -rs -t 2 -n 200 -d '~' x; echo \"${#x}\" | sed s/^/go''t-/\n";
    ada.keys(asks).await;
    ada.sees("got-").await;
    let shown = ada.screen.screen().contents();
    assert!(!shown.contains("not-yet") && !shown.contains("never"), "{shown}");
    let got: usize =
        shown.rsplit("got-").next().unwrap().split_whitespace().next().unwrap().parse().unwrap();
    assert!((20..60).contains(&got), "one answer to each: {got} in {shown}");

    // Ada makes Grace look on, also in what she opens anew; then she ends it for both.
    let user = ada.seat("grace")["user"]["id"].clone();
    ada.says(json!({ "deed": "everyone" })).await;
    ada.says(json!({ "deed": "quiet", "user": user })).await;
    grace.until("made to look on", |tab| tab.seat("grace")["part"] == "watcher").await;
    let mut again = Tab::open(&site, "grace", terminal, (80, 20)).await;
    again.until("the same", |tab| tab.seat("grace")["part"] == "watcher").await;
    assert_eq!(again.size(), (100, 30), "who looks on has no say");
    grace.says(json!({ "deed": "end" })).await;
    grace.until("refused", |tab| !tab.refused.is_empty()).await;
    let path = format!("/api/v2/workspaces/{}/terminals/{terminal}/control", workspace(&site));
    let ended = post(&site, &path, &json!({ "deed": "end" }));
    assert_eq!(ended, 204);
    for tab in [&mut ada, &mut grace, &mut again] {
        tab.until("ended", |tab| tab.closed.is_some()).await;
        assert_eq!(tab.closed, Some((4004, "ada ended this terminal".to_owned())));
    }
    assert!(terminals(&site).is_empty());
    let log = site.cli(&["audit", "list", "-o", "json"]).out;
    assert!(log.contains("terminal_began_by"), "{log}");
}

fn workspace(site: &Site) -> String {
    let shown = site.cli(&["show", "kiln", "-o", "json"]).ok();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    shown["id"].as_str().unwrap().to_owned()
}

/// What Ada is answered by a POST.
fn post(site: &Site, path: &str, body: &Value) -> u16 {
    let token = std::fs::read_to_string(site.path("cli/session")).unwrap();
    let header = format!("Coder-Session-Token: {}", token.trim());
    let (url, body) = (format!("{}{path}", site.url), body.to_string());
    let args = ["-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", &header, "-d", &body];
    site.run("curl", &[&args[..], &["-H", "Content-Type: application/json", &url]].concat())
        .ok()
        .parse()
        .unwrap()
}

/// A program in a terminal of its own that shows one of ours: `ssh`, or the command line.
struct Window {
    child: Child,
    stdin: ChildStdin,
    screen: Arc<Mutex<vt100::Parser>>,
}

impl Window {
    fn of(command: &mut Command, (cols, rows): (u16, u16)) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, cols, 0)));
        let (mut stdout, to) = (child.stdout.take().unwrap(), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = stdout.read(&mut buffer) {
                to.lock().unwrap().process(&buffer[..n]);
            }
        });
        Self { stdin: child.stdin.take().unwrap(), child, screen }
    }

    fn keys(&mut self, keys: &str) {
        self.stdin.write_all(keys.as_bytes()).unwrap();
        self.stdin.flush().unwrap();
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    fn sees(&self, text: &str) {
        eventually(text, || self.text().contains(text).then_some(()));
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `ssh -tt … steading:join`: without a terminal of its own it has 80 columns and 24 rows.
fn ssh_join(site: &Site, more: &str) -> Window {
    let mut ssh = site.ssh_command("kiln");
    ssh.arg("-tt").arg(format!("steading:join{more}"));
    Window::of(&mut ssh, (80, 24))
}

#[test]
fn plain_ssh_and_the_command_line_come_to_the_same_terminal() {
    let site = kiln();
    agent_of(&site);
    let nothing = Ran::new(site.ssh_command("kiln").arg("-tt").arg("steading:join --watch"));
    let told = format!("{}{}", nothing.out, nothing.err);
    assert!(told.contains("No terminal is open here."), "{told}");
    let untty = Ran::new(site.ssh_command("kiln").arg("steading:join"));
    assert!(untty.code == Some(255) && untty.err.contains("ssh -t"), "{untty:?}");
    let mut ssh = ssh_join(&site, "");
    ssh.sees("you here");
    ssh.keys("echo fi''rst; stty size\n");
    ssh.sees("first");
    ssh.sees("23 80");

    let mut grace = as_user(&site, "grace");
    grace.args(["join", "ada/kiln"]);
    let mut grace = Window::of(&mut grace, (80, 24));
    grace.sees("first");
    ssh.sees("grace");
    grace.keys("echo by-gra''ce\n");
    ssh.sees("by-grace");
    let mut linus = as_user(&site, "linus");
    linus.args(["join", "ada/kiln", "--watch"]);
    let mut linus = Window::of(&mut linus, (80, 24));
    linus.sees("by-grace");
    linus.keys("echo by-li''nus\n");
    ssh.keys("echo la''st\n");
    linus.sees("last");
    linus.sees("q leaves");
    assert!(!linus.text().contains("by-linus") && linus.text().contains("you watching"));
    linus.keys("q");
    linus.sees("You left the terminal.");
    eventually("he is gone", || (!ssh.text().contains("linus watching")).then_some(()));
    ssh.keys("exit\n");
    ssh.sees("The shell ended.");
    grace.sees("The shell ended.");
    assert!(terminals(&site).is_empty());
}

#[test]
fn two_browsers_and_one_ssh_share_a_terminal() {
    let site = kiln();
    agent_of(&site);
    let shots = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("joining");
    let (script, shots) = (script("joining.mjs"), shots.display().to_string());
    let mut child = node(&site, &[&script, &site.url, &shots, PASSWORD])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = child.stdin.take().unwrap();
    let mut ssh: Option<Window> = None;
    let mut said = Vec::new();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap());
    for line in std::io::BufRead::lines(lines) {
        let line = line.unwrap();
        match line.strip_prefix("ask ").map(|ask| ask.split_once(' ').unwrap_or((ask, ""))) {
            Some(("join", id)) => ssh = Some(ssh_join(&site, &format!(" {id}"))),
            Some(("type", keys)) => ssh.as_mut().unwrap().keys(&format!("{keys}\n")),
            Some(("see", text)) => ssh.as_ref().unwrap().sees(text),
            Some((other, _)) => panic!("it asks for {other}"),
            None => {
                said.push(line);
                continue;
            }
        }
        writeln!(answers).unwrap();
    }
    let ended = child.wait().unwrap();
    assert!(ended.success() && said.iter().any(|l| l == "joining works"), "{said:#?}");
}
