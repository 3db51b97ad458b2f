//! Crowds: hundreds of terminals, thousands of idle sockets, logins by the dozen, and no files left.

use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{SinkExt as _, StreamExt as _};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_util::sync::CancellationToken;

use super::api::Api;
use super::measure::{self, Beside, open_files, resident_kib, tell};
use super::proc;
use crate::e2e::said::Said;
use crate::e2e::site::{PATIENCE, Ran, STEADING, Site, eventually};

/// Terminals, and tabs that watch each: together five hundred.
const TERMINALS: usize = 62;
const TABS: usize = 8;
/// Memory of a terminal with its tabs in its agent, and of a tab in the server, in KiB.
const TERMINAL: u64 = 384;
const TAB: u64 = 64;
/// Sockets that only wait, and what each may cost the server, in KiB.
const IDLE: usize = 2000;
const IDLE_EACH: u64 = 32;
/// Logins in the usual run and in the larger one.
const LOGINS: usize = 60;
const MANY_LOGINS: usize = 1000;
/// Who of a crowd comes in at once.
const AT_ONCE: usize = 20;

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn open(site: &Site, path: &str) -> Socket {
    let url = format!("{}{path}", site.url.replace("http://", "ws://"));
    let mut request = url.into_client_request().unwrap();
    let token = std::fs::read_to_string(site.path("cli/session")).unwrap();
    request.headers_mut().insert("Coder-Session-Token", token.trim().parse().unwrap());
    tokio_tungstenite::connect_async(request).await.unwrap().0
}

/// A crowd that gathers, and goes when it is told.
struct Crowd {
    all: usize,
    here: AtomicUsize,
    gathered: CancellationToken,
    go: CancellationToken,
    door: Semaphore,
}

impl Crowd {
    fn of(all: usize) -> Self {
        let (gathered, go) = (CancellationToken::new(), CancellationToken::new());
        Self { all, here: AtomicUsize::new(0), gathered, go, door: Semaphore::new(AT_ONCE) }
    }

    /// A place at the door: others come in when it is dropped.
    async fn enter(&self) -> SemaphorePermit<'_> {
        self.door.acquire().await.unwrap()
    }

    /// Answers pings until it is time to go.
    async fn wait(&self, socket: &mut Socket) {
        if self.here.fetch_add(1, Ordering::Relaxed) + 1 == self.all {
            self.gathered.cancel();
        }
        let read = async { while let Some(Ok(_)) = socket.next().await {} };
        tokio::select! {
            () = self.go.cancelled() => {}
            () = read => panic!("a socket was ended"),
        }
    }

    /// Waits until all are here, looks, and lets them go.
    async fn see<T>(&self, look: impl FnOnce() -> T) -> T {
        tokio::time::timeout(PATIENCE, self.gathered.cancelled()).await.expect("all of them come");
        let seen = look();
        self.go.cancel();
        seen
    }
}

/// One tab of a terminal that runs `cat`: types something of its own and sees it.
async fn tab(site: &Site, pty: &str, n: usize, crowd: &Crowd) {
    let place = crowd.enter().await;
    let terminal = uuid::Uuid::from_u128(u128::try_from(n / TABS).unwrap());
    let mut socket = open(site, &format!("{pty}?reconnect={terminal}&command=cat")).await;
    let mark = format!("tab {n} is here");
    let keys = serde_json::json!({ "data": format!("{mark}\n") }).to_string();
    socket.send(Message::Text(keys.into())).await.unwrap();
    let mut seen = String::new();
    while !seen.contains(&mark) {
        let message = socket.next().await.expect("the terminal goes on").unwrap();
        seen.push_str(&String::from_utf8_lossy(&message.into_data()));
    }
    drop(place);
    crowd.wait(&mut socket).await;
    if n.is_multiple_of(TABS) {
        let end = serde_json::json!({ "data": "\u{4}" }).to_string();
        socket.send(Message::Text(end.into())).await.unwrap();
    }
    // The shell's end closes every tab of it.
    while let Some(Ok(_)) = socket.next().await {}
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_tabs_of_terminals_cost_what_they_may_and_leave_nothing() {
    steading::spawn::raise_open_files().unwrap();
    let site = Site::new();
    site.create_here("kiln");
    assert_eq!(site.ssh("kiln", "echo here").ok(), "here\n");
    let (api, server) = (Api::of(&site), measure::server(&site));
    let id = api.get("/users/me/workspace/kiln")["id"].as_str().unwrap().to_owned();
    let (agent, pty) = (measure::agent(&id), measure::pty(&api, &id));
    let before = (resident_kib(server), resident_kib(agent));
    let all = TERMINALS * TABS;
    let crowd = Crowd::of(all);
    let beside = Beside::start(&site);
    let tabs = futures_util::future::join_all((0..all).map(|n| tab(&site, &pty, n, &crowd)));
    let look = crowd.see(|| {
        let running = cats(agent);
        (resident_kib(server), resident_kib(agent), measure::sessions(&site), running)
    });
    let (_, (in_server, in_agent, sessions, running)) = tokio::join!(tabs, look);
    let (asked, longest) = beside.end();
    eventually("no session is left", || (measure::sessions(&site) == 0).then_some(()));
    eventually("no process is left", || (cats(agent) == 0).then_some(()));
    tell(&format!(
        "{all} tabs of {TERMINALS} terminals, server and agent KiB: {before:?} before, \
         ({in_server}, {in_agent}) with them, {:?} after; ready {asked} times, at most {longest:?}",
        (resident_kib(server), resident_kib(agent))
    ));
    assert_eq!((sessions, running), (i64::try_from(all).unwrap(), TERMINALS));
    let each = |now: u64, then: u64, n: usize| now.saturating_sub(then) / u64::try_from(n).unwrap();
    let (tab, terminal) = (each(in_server, before.0, all), each(in_agent, before.1, TERMINALS));
    assert!(tab < TAB && terminal < TERMINAL, "{tab} KiB a tab, {terminal} KiB a terminal");
}

/// Processes of terminals.
fn cats(agent: u32) -> usize {
    proc::all(|p| u32::try_from(p.parent) == Ok(agent) && p.command.contains("cat")).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_idle_sockets_hold_nobody_up() {
    steading::spawn::raise_open_files().unwrap();
    let site = Site::new();
    let server = measure::server(&site);
    let (files, before) = (open_files(server), resident_kib(server));
    let crowd = Crowd::of(IDLE);
    let beside = Beside::start(&site);
    let idle = async |_| {
        let place = crowd.enter().await;
        let mut socket = open(&site, "/api/v2/notifications/inbox/watch").await;
        drop(place);
        crowd.wait(&mut socket).await;
    };
    let sockets = futures_util::future::join_all((0..IDLE).map(idle));
    let look = crowd.see(|| (resident_kib(server), open_files(server)));
    let (_, (during, open)) = tokio::join!(sockets, look);
    eventually("their descriptors are back", || (open_files(server) <= files + 12).then_some(()));
    let (asked, longest) = beside.end();
    tell(&format!(
        "{IDLE} idle sockets: server {before} KiB before, {during} with them, {} after; \
         ready {asked} times, at most {longest:?}",
        resident_kib(server)
    ));
    // Some of the files from before may have been closed by then.
    assert!(open >= IDLE, "{open} of {IDLE} are open");
    let each = during.saturating_sub(before) / u64::try_from(IDLE).unwrap();
    assert!(each < IDLE_EACH, "{each} KiB a socket");
}

#[test]
fn a_crowd_of_logins_is_let_in_and_leaves_nothing() {
    let site = Site::new();
    site.create_here("kiln");
    assert_eq!(site.ssh("kiln", "echo here").ok(), "here\n");
    let server = measure::server(&site);
    let (files, before) = (open_files(server), resident_kib(server));
    let many = std::env::var_os("STEADING_ROUNDS").is_some();
    let (all, next) = (if many { MANY_LOGINS } else { LOGINS }, AtomicUsize::new(0));
    let beside = Beside::start(&site);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < all {
                    let mut ssh = site.ssh_command("kiln");
                    // What a login costs the server is the point, not the client's key exchange.
                    let ran = Ran::new(ssh.args(["-o", "KexAlgorithms=curve25519-sha256", "true"]));
                    assert_eq!(ran.code, Some(0), "{ran:?}");
                }
            });
        }
    });
    let during = resident_kib(server);
    let (asked, longest) = beside.end();
    eventually("no session is left", || (measure::sessions(&site) == 0).then_some(()));
    eventually("their descriptors are back", || (open_files(server) <= files + 12).then_some(()));
    tell(&format!(
        "{all} logins, {AT_ONCE} at once: server {before} KiB before, {during} at their end, {} \
         after; ready {asked} times, at most {longest:?}",
        resident_kib(server)
    ));
}

#[test]
fn a_server_without_open_files_says_so_and_goes_on_when_there_are_some() {
    let site = Site::new();
    let api = Api::of(&site);
    let pid = Pid::from_child(site.server.as_ref().unwrap());
    let room = u64::try_from(open_files(measure::server(&site))).unwrap() + 12;
    let few = Rlimit { current: Some(room), maximum: Some(room) };
    prlimit(Some(pid), Resource::Nofile, few).unwrap();
    let crowd: Vec<_> =
        (0..40).map(|_| TcpStream::connect(measure::address(&site)).unwrap()).collect();
    let said = |what: &str| {
        let line = format!("{what} connections wait: the limit of open files is reached");
        site.server_log().matches(&line).count()
    };
    eventually("the log says why nobody comes in", || (said("HTTP") > 0).then_some(()));
    let ssh = TcpStream::connect(("127.0.0.1", site.ssh_port)).unwrap();
    eventually("the log says it of SSH", || (said("SSH") > 0).then_some(()));
    drop((crowd, ssh));
    assert_eq!(api.get("/users/me")["username"], "ada");
    assert_eq!((said("HTTP"), said("SSH")), (1, 1), "{}", site.server_log());
}

#[test]
fn a_server_raises_its_limit_of_open_files() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data").display().to_string();
    let mut server = Command::new("sh");
    server.args(["-c", "ulimit -Sn 300 && exec \"$0\" server \"$@\"", STEADING, "--data", &data]);
    server.args(["--http-address", "127.0.0.1:0", "--ssh-address", "127.0.0.1:0"]);
    server.args(["--wireguard-address", "127.0.0.1:0"]).stdout(Stdio::piped());
    let mut server = server.stderr(Stdio::null()).spawn().unwrap();
    Said::by(server.stdout.take().unwrap()).until("http ");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
    let files = limits.lines().find_map(|l| l.strip_prefix("Max open files")).unwrap();
    let files: Vec<&str> = files.split_whitespace().collect();
    assert_eq!(files[0], files[1], "{limits}");
}
