//! Everything that somebody can have open in a workspace, one of each, and how its end is seen.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite;
use tungstenite::Message;
use tungstenite::client::IntoClientRequest as _;

use super::person::{KILN, LOGIN, Person, Place, ask, cookie, fresh, get, header};
use crate::e2e::ports;
use crate::e2e::site::{PATIENCE, Ran, Site, eventually};

/// What can be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The terminal page's socket.
    Terminal,
    /// A shell by `ssh`.
    Shell,
    /// A terminal of the workspace by `ssh`, drawn for its window.
    Joined,
    /// A command by `ssh`.
    Exec,
    /// A file on its way by `sftp`.
    Sftp,
    /// A connection through `ssh -L`.
    Forward,
    /// The command line's own tunnel.
    Tunnel,
    /// The stream of the workspace's page.
    Page,
    /// An API token that its person made.
    Token,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Terminal,
        Self::Shell,
        Self::Joined,
        Self::Exec,
        Self::Sftp,
        Self::Forward,
        Self::Tunnel,
        Self::Page,
        Self::Token,
    ];
    /// Those that a token lets in.
    pub const BY_TOKEN: [Self; 4] = [Self::Terminal, Self::Tunnel, Self::Page, Self::Token];
    /// Those that a key lets in.
    pub const BY_KEY: [Self; 5] =
        [Self::Shell, Self::Joined, Self::Exec, Self::Sftp, Self::Forward];

    /// Whether it has room for words about its end.
    const fn is_told(self) -> bool {
        !matches!(self, Self::Forward | Self::Page | Self::Token)
    }
}

/// Something that is open.
pub struct Open {
    pub kind: Kind,
    ended: Receiver<(Instant, String)>,
    /// Processes that are kept until it is dropped, and what is typed to them.
    kept: Vec<Child>,
    _typed: Option<ChildStdin>,
}

impl Drop for Open {
    fn drop(&mut self) {
        for child in &mut self.kept {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Open {
    /// Whether it is still open.
    pub fn lasts(&self) -> bool {
        self.ended.try_recv().is_err()
    }

    /// When it ended, and its last words.
    pub fn end(&self) -> (Instant, String) {
        let ended = self.ended.recv_timeout(PATIENCE);
        ended.unwrap_or_else(|_| panic!("{:?} did not end in {} s", self.kind, PATIENCE.as_secs()))
    }

    /// Checks that it ended no later than `within` after `since`, and was told why. Gives how long it
    /// took.
    pub fn was_cut(&self, since: Instant, within: Duration) -> Result<Duration, String> {
        let (at, words) = self.end();
        let took = at.saturating_duration_since(since);
        let is_told = ["ended", "gone", "no longer"].iter().any(|word| words.contains(word));
        if self.kind.is_told() && !is_told {
            return Err(format!("{:?} was not told why: {words:?}", self.kind));
        }
        if took > within {
            return Err(format!("{:?} took {took:?}", self.kind));
        }
        Ok(took)
    }
}

#[expect(clippy::disallowed_methods, reason = "how long it takes is the point")]
pub fn now() -> Instant {
    Instant::now()
}

/// Opens one of a kind, and waits until something has passed.
pub fn open(site: &Site, place: &Place, who: &Person, kind: Kind) -> Open {
    match kind {
        Kind::Terminal => terminal(site, place, who),
        Kind::Shell => shell(site, who, kind, &[]),
        // Each in one of its own: by its beginning nobody finds another's.
        Kind::Joined => shell(site, who, kind, &["steading:join"]),
        Kind::Exec => {
            let mut ssh = who.open_ssh(site, "ssh");
            ssh.args(["-T", &format!("{LOGIN}@127.0.0.1"), "echo up; exec sleep 600"]);
            process(kind, &mut ssh, None)
        }
        Kind::Sftp => sftp(site, who),
        Kind::Forward => forward(site, who),
        Kind::Tunnel => {
            let mut ssh = who.command(site);
            ssh.args(["ssh", KILN, "--", "echo up; exec sleep 600"]);
            process(kind, &mut ssh, None)
        }
        Kind::Page => page(site, who),
        Kind::Token => token(site, place, who),
    }
}

/// Tries to open one of a kind again. Whether it is refused.
pub fn is_refused(site: &Site, place: &Place, who: &Person, kind: Kind) -> bool {
    let path = format!("/api/v2/workspaces/{}", place.workspace);
    match kind {
        Kind::Terminal => connect(site, place, who).is_err(),
        Kind::Shell | Kind::Exec => who.ssh(site, "true").code != Some(0),
        Kind::Joined => {
            let mut ssh = who.open_ssh(site, "ssh");
            ssh.args(["-tt", &format!("{LOGIN}@127.0.0.1"), "steading:join --watch"]);
            Ran::new(&mut ssh).code != Some(0)
        }
        Kind::Sftp => {
            let mut sftp = who.open_ssh(site, "sftp");
            let batch = site.path(&format!("refused-{}", fresh()));
            std::fs::write(&batch, "ls\n").unwrap();
            sftp.args(["-b", &batch, &format!("{LOGIN}@127.0.0.1")]);
            !sftp.output().unwrap().status.success()
        }
        Kind::Forward => {
            let inside = TcpListener::bind("127.0.0.1:0").unwrap();
            let mut ssh = who.open_ssh(site, "ssh");
            let there = inside.local_addr().unwrap().to_string();
            ssh.args(["-W", &there, &format!("{LOGIN}@127.0.0.1")]).stdin(Stdio::null());
            std::thread::spawn(move || {
                let (mut stream, _) = inside.accept().unwrap();
                let _ = stream.write_all(b"inside");
            });
            ssh.output().unwrap().stdout.is_empty()
        }
        Kind::Tunnel => who.cli(site, &["ssh", KILN, "--", "true"]).code != Some(0),
        Kind::Page => get(&site.url, "/@ops/kiln", &cookie(&who.token)).0 != 200,
        Kind::Token => who.status(site, &path) != 200,
    }
}

/// Reads both outputs of a process to their end, and says when that was.
fn process(kind: Kind, command: &mut Command, types: Option<&str>) -> Open {
    let stdin = if types.is_some() { Stdio::piped() } else { Stdio::null() };
    let command = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut typed = child.stdin.take();
    if let (Some(stdin), Some(text)) = (&mut typed, types) {
        stdin.write_all(text.as_bytes()).unwrap();
    }
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let errors = child.stderr.take().unwrap();
    let mut before = String::new();
    // What is drawn has no lines.
    while !before.contains("up") {
        let part = String::from_utf8_lossy(out.fill_buf().unwrap()).into_owned();
        out.consume(out.buffer().len());
        before.push_str(&part);
        if part.is_empty() {
            let mut why = String::new();
            let _ = { errors }.read_to_string(&mut why);
            panic!("{kind:?} did not open: {before}{why}");
        }
    }
    let (sender, ended) = channel();
    std::thread::spawn(move || {
        let told = std::thread::spawn(move || read_all(errors));
        let shown = read_all(out);
        let words = told.join().unwrap() + &shown;
        let _ = sender.send((now(), words));
    });
    Open { kind, ended, kept: vec![child], _typed: typed }
}

fn read_all(mut from: impl Read) -> String {
    let mut all = Vec::new();
    let _ = from.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

fn shell(site: &Site, who: &Person, kind: Kind, words: &[&str]) -> Open {
    let mut ssh = who.open_ssh(site, "ssh");
    ssh.args(["-tt", &format!("{LOGIN}@127.0.0.1")]).args(words);
    process(kind, &mut ssh, Some("echo u''p\n"))
}

fn sftp(site: &Site, who: &Person) -> Open {
    let mut sftp = who.open_ssh(site, "sftp");
    let name = site.path(&format!("got-{}", fresh()));
    std::fs::write(format!("{name}.batch"), format!("get big {name}\n")).unwrap();
    // Slower than it could, so that it is under way for long; and with little asked for ahead, which it
    // takes its time over when all is cut.
    sftp.args([
        "-R",
        "4",
        "-l",
        "8000",
        "-b",
        &format!("{name}.batch"),
        &format!("{LOGIN}@127.0.0.1"),
    ]);
    let command = sftp.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    eventually("a part of the file", || std::fs::metadata(&name).ok().filter(|m| m.len() > 0));
    let errors = child.stderr.take().unwrap();
    let (sender, ended) = channel();
    std::thread::spawn(move || {
        let words = read_all(errors);
        let _ = sender.send((now(), words));
    });
    Open { kind: Kind::Sftp, ended, kept: vec![child], _typed: None }
}

fn forward(site: &Site, who: &Person) -> Open {
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    let (there, local) = (inside.local_addr().unwrap().port(), ports::free());
    let mut ssh = who.open_ssh(site, "ssh");
    ssh.args(["-N", "-o", "ExitOnForwardFailure=yes", "-L", &format!("{local}:127.0.0.1:{there}")]);
    let child = ssh.arg(format!("{LOGIN}@127.0.0.1")).stdin(Stdio::null()).spawn().unwrap();
    let held = std::thread::spawn(move || {
        let (mut stream, _) = inside.accept().unwrap();
        stream.write_all(b"up").unwrap();
        stream
    });
    let mut stream =
        eventually("the forwarded port", || TcpStream::connect(("127.0.0.1", local)).ok());
    stream.read_exact(&mut [0; 2]).unwrap();
    let held = held.join().unwrap();
    let (sender, ended) = channel();
    std::thread::spawn(move || {
        let words = read_all(stream);
        let _ = sender.send((now(), words));
        drop(held);
    });
    Open { kind: Kind::Forward, ended, kept: vec![child], _typed: None }
}

type Socket = tungstenite::WebSocket<TcpStream>;

fn connect(site: &Site, place: &Place, who: &Person) -> Result<Socket, String> {
    terminal_socket(site, place, who, uuid::Uuid::new_v4())
}

/// A socket of the terminal page.
pub fn terminal_socket(
    site: &Site,
    place: &Place,
    who: &Person,
    terminal: uuid::Uuid,
) -> Result<Socket, String> {
    let address = site.url.trim_start_matches("http://");
    let path = format!("/api/v2/workspaceagents/{}/pty?reconnect={terminal}", place.agent);
    let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
    request.headers_mut().insert("Coder-Session-Token", who.token.parse().unwrap());
    let stream = TcpStream::connect(address).map_err(|e| e.to_string())?;
    let connected = tungstenite::client::client(request, stream);
    connected.map(|(socket, _)| socket).map_err(|e| e.to_string())
}

fn terminal(site: &Site, place: &Place, who: &Person) -> Open {
    let mut socket = connect(site, place, who).unwrap();
    while !matches!(socket.read().unwrap(), Message::Binary(_)) {}
    let (sender, ended) = channel();
    std::thread::spawn(move || read_socket(&mut socket, &sender));
    Open { kind: Kind::Terminal, ended, kept: vec![], _typed: None }
}

fn read_socket(socket: &mut Socket, sender: &Sender<(Instant, String)>) {
    let words = loop {
        match socket.read() {
            Ok(Message::Close(why)) => {
                break why.map(|why| why.reason.to_string()).unwrap_or_default();
            }
            Ok(_) => {}
            Err(_) => break String::new(),
        }
    };
    let _ = sender.send((now(), words));
}

fn page(site: &Site, who: &Person) -> Open {
    let stream = ask(&site.url, "/@ops/kiln/live", &cookie(&who.token)).unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let status = lines.next().unwrap();
    assert!(status.contains(" 200 "), "{status}");
    assert!(lines.any(|line| line.starts_with("data:")), "the page's first parts");
    let (sender, ended) = channel();
    std::thread::spawn(move || {
        let words: String = lines.collect();
        let _ = sender.send((now(), words));
    });
    Open { kind: Kind::Page, ended, kept: vec![], _typed: None }
}

/// A token that is used again and again until it opens nothing.
fn token(site: &Site, place: &Place, who: &Person) -> Open {
    let name = format!("matrix-{}", fresh());
    let made = who.cli(site, &["tokens", "create", "--name", &name]).ok();
    let head = header(made.trim());
    let path = format!("/api/v2/workspaces/{}", place.workspace);
    assert_eq!(get(&site.url, &path, &head).0, 200);
    let (sender, ended) = channel();
    let url = site.url.clone();
    std::thread::spawn(move || {
        loop {
            std::thread::park_timeout(Duration::from_millis(200));
            let (status, answer) = get(&url, &path, &head);
            if !matches!(status, 0 | 200) {
                let _ = sender.send((now(), answer));
                return;
            }
        }
    });
    Open { kind: Kind::Token, ended, kept: vec![], _typed: None }
}
