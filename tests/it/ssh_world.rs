//! A workspace behind an SSH server on a loopback port, and stock OpenSSH in front of it.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use steading::agent::sessions::{Outside, Peer, Sessions, SessionsConfig, Settings};
use steading::clock::{Clock, Entropy};
use steading::model::id::{SessionId, TerminalId, UserId};
use steading::model::peer::PeerKey;
use steading::model::session::SessionKind;
use steading::model::user::UserRef;
use steading::ssh::keys::{KeyPair, PublicKey};
use steading::ssh::{
    self, Auth, Began, BoxFuture, BoxStream, Config, Ended, Gate, Link, Opening, Say, Who, opening,
};
use steading::tasks::{OnPanic, Tasks};
use steading::wire::session::{Back, Kind, Open, OpenBack};
use tokio::process::Command;
use tokio::sync::mpsc;

/// What the in-memory stream between server and agent holds, like a stream's window.
const STREAM_BYTES: usize = 256 << 10;

/// How long anything may take before a test gives up.
pub const LIMIT: Duration = Duration::from_secs(60);

type Backs = Arc<Mutex<BTreeMap<SessionId, mpsc::Sender<(Back, BoxStream)>>>>;

/// The workspace, its server and its client.
pub struct World {
    pub dir: tempfile::TempDir,
    pub sessions: Sessions,
    pub record: Arc<Record>,
    pub tasks: Tasks,
    /// Where the server listens.
    pub address: SocketAddr,
    door: Arc<Door>,
}

/// What the gate was told.
#[derive(Default)]
pub struct Record {
    pub began: Mutex<Vec<Began>>,
    pub ended: Mutex<Vec<Ended>>,
    /// Whether a way to the agent was asked for and given.
    pub linked: AtomicBool,
    /// What the server took from the agent.
    pub from_agent: AtomicU64,
}

struct Door {
    keys: Mutex<Vec<PublicKey>>,
    link: Arc<Wire>,
    record: Arc<Record>,
}

impl Gate for Door {
    async fn authenticate(&self, login: &str, key: &PublicKey) -> Option<Who> {
        let is_known = self.keys.lock().unwrap().contains(key);
        (is_known && login != "nobody").then(|| Who { user: user(), key: None })
    }

    async fn link(&self, _: &Who, login: &str, say: Say) -> Result<Arc<dyn Link>, String> {
        self.record.linked.store(login != "missing", Ordering::Relaxed);
        match login {
            "missing" => Err("There is no workspace missing.".to_owned()),
            "stopped" => {
                say.say("Starting the workspace stopped …");
                Ok(Arc::clone(&self.link) as Arc<dyn Link>)
            }
            _ => Ok(Arc::clone(&self.link) as Arc<dyn Link>),
        }
    }

    fn began(&self, began: &Began) {
        assert!(self.record.linked.load(Ordering::Relaxed), "a session without a link");
        self.record.began.lock().unwrap().push(began.clone());
    }

    fn ended(&self, ended: &Ended) {
        self.record.ended.lock().unwrap().push(*ended);
    }
}

/// A link through memory: the real code on both sides.
struct Wire {
    sessions: Sessions,
    backs: Backs,
    tasks: Tasks,
    record: Arc<Record>,
}

impl Link for Wire {
    fn open(
        &self,
        kind: Kind,
        recorded_as: SessionKind,
        session: SessionId,
    ) -> BoxFuture<'_, anyhow::Result<Opening>> {
        Box::pin(async move {
            let (near, far) = tokio::io::duplex(STREAM_BYTES);
            let sessions = self.sessions.clone();
            self.tasks.spawn("agent", OnPanic::Lose, async move {
                sessions.serve(Box::new(far), Peer { key: PeerKey([7; 32]), user: None }).await;
            });
            let mut stream: BoxStream =
                Box::new(Tap { inner: near, record: Arc::clone(&self.record) });
            let open = Open { session, user: Some(user()), recorded_as, marks: None, kind };
            let port = opening::open(&mut stream, &open).await?;
            Ok(Opening { stream, port })
        })
    }

    fn backs(&self, session: SessionId) -> mpsc::Receiver<(Back, BoxStream)> {
        let (tx, rx) = mpsc::channel(16);
        self.backs.lock().unwrap().insert(session, tx);
        rx
    }
}

/// Counts what the server took from the agent.
struct Tap {
    inner: tokio::io::DuplexStream,
    record: Arc<Record>,
}

impl tokio::io::AsyncRead for Tap {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = std::pin::Pin::new(&mut self.inner).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        self.record.from_agent.fetch_add(read as u64, Ordering::Relaxed);
        polled
    }
}

impl tokio::io::AsyncWrite for Tap {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        data: &[u8],
    ) -> std::task::Poll<io::Result<usize>> {
        std::pin::Pin::new(&mut self.inner).poll_write(cx, data)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

struct Around {
    backs: Backs,
}

impl Outside for Around {
    fn open_back(&self, _: PeerKey, back: OpenBack) -> BoxFuture<'_, io::Result<BoxStream>> {
        Box::pin(async move {
            let (mut near, far) = tokio::io::duplex(STREAM_BYTES);
            let mut far: BoxStream = Box::new(far);
            opening::write_back(&mut near, &back).await?;
            let said = opening::read_back(&mut far).await?;
            let to = self.backs.lock().unwrap().get(&said.session).cloned();
            let to = to.ok_or(io::ErrorKind::NotFound)?;
            to.send((said.back, far)).await.map_err(|_| io::ErrorKind::NotFound)?;
            Ok(Box::new(near) as BoxStream)
        })
    }

    fn began(&self, _: SessionId, _: PeerKey, _: SessionKind) {}

    fn ended(&self, _: SessionId, _: u64, _: u64) {}

    fn terminal_ended(&self, _: TerminalId) {}
}

fn user() -> UserRef {
    let id = UserId(uuid::Uuid::from_u128(1));
    UserRef { id, username: "ada".parse().unwrap() }
}

impl World {
    /// Everything running, with keys and a client configuration in place.
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (clock, entropy, tasks) = (Clock::machine(), Entropy::machine(), Tasks::new());
        let home = dir.path().join("home");
        std::fs::create_dir(&home).unwrap();
        let (backs, record) = (Backs::default(), Arc::<Record>::default());
        let config = SessionsConfig {
            outside: Arc::new(Around { backs: Arc::clone(&backs) }),
            run_dir: dir.path().join("run"),
        };
        let sessions = Sessions::new(config, &clock, entropy.clone(), tasks.clone());
        sessions.configure(settings(&home));
        let key = KeyPair::generate(&entropy, "ada@laptop");
        let host_key = KeyPair::generate(&entropy, "");
        let door = Arc::new(Door {
            keys: Mutex::new(vec![key.public()]),
            record: Arc::clone(&record),
            link: Arc::new(Wire {
                sessions: sessions.clone(),
                backs,
                tasks: tasks.clone(),
                record: Arc::clone(&record),
            }),
        });
        let config = Config::new(&host_key, Auth::PublicKey, clock, entropy, tasks.clone());
        let address = listen(Arc::new(config), Arc::clone(&door), &tasks).await;
        client_files(dir.path(), address, &key, &host_key);
        Self { dir, sessions, record, tasks, address, door }
    }

    /// Lets another key in.
    pub fn allow(&self, line: &str) {
        self.door.keys.lock().unwrap().push(PublicKey::parse(line).unwrap());
    }

    /// A second door, behind a tunnel that proved who comes. Returns its port.
    pub async fn tunnel_door(&self) -> u16 {
        let who = Who { user: user(), key: None };
        let (clock, entropy) = (Clock::machine(), Entropy::machine());
        let host_key = KeyPair::generate(&entropy, "");
        let tasks = self.tasks.clone();
        let config = Config::new(&host_key, Auth::Proven(who), clock, entropy, tasks);
        listen(Arc::new(config), Arc::clone(&self.door), &self.tasks).await.port()
    }

    /// The workspace's home directory.
    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// A path of the client's machine.
    pub fn local(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A client program with our configuration: `ssh`, `scp` or `sftp`.
    pub fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("-F").arg(self.local("config"));
        command.env_remove("SSH_AUTH_SOCK").current_dir(self.dir.path());
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs `ssh ws ARGS` and returns exit code, output and errors.
    pub async fn ssh(&self, args: &[&str]) -> (i32, String, String) {
        output(self.client("ssh").arg("ws").args(args)).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

/// What a command that does nothing may add to a count of bytes: its opening and its end.
const OF_A_COMMAND: u64 = 8 << 10;

/// Waits until a count of bytes is past `start` and stands still while a command of its own goes
/// there and back, thrice: what could still move has had its turn.
pub async fn settled(world: &World, start: u64, count: impl Fn() -> u64) -> u64 {
    until("bytes move", || count() >= start).await;
    let (mut last, mut still) = (count(), 0);
    while still < 3 {
        assert_eq!(world.ssh(&["true"]).await.0, 0);
        let now = count();
        still = if now < last + OF_A_COMMAND { still + 1 } else { 0 };
        last = now;
    }
    last
}

/// Runs a command to its end within the limit.
pub async fn output(command: &mut Command) -> (i32, String, String) {
    let ran = tokio::time::timeout(LIMIT, command.output()).await.expect("in time").unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.code().unwrap_or(-1), text(&ran.stdout), text(&ran.stderr))
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, waiting).await.is_ok(), "never came: {what}");
}

pub fn settings(home: &Path) -> Settings {
    let mut env = BTreeMap::from([
        ("HOME".to_owned(), home.to_str().unwrap().to_owned()),
        ("USER".to_owned(), "ada".to_owned()),
        ("SHELL".to_owned(), "/bin/bash".to_owned()),
        ("FROM_MANIFEST".to_owned(), "yes".to_owned()),
    ]);
    env.insert("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned());
    Settings { env, shell: "/bin/bash".into(), directory: home.to_owned(), motd_file: None }
}

async fn listen(config: Arc<Config>, door: Arc<Door>, tasks: &Tasks) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let spawner = tasks.clone();
    tasks.spawn("listener", OnPanic::Lose, async move {
        while let Ok((socket, _)) = listener.accept().await {
            socket.set_nodelay(true).unwrap();
            let (config, door) = (Arc::clone(&config), Arc::clone(&door));
            spawner.spawn("connection", OnPanic::Lose, async move {
                let _ = ssh::serve(socket, config, door).await;
            });
        }
    });
    address
}

fn client_files(dir: &Path, address: SocketAddr, key: &KeyPair, host_key: &KeyPair) {
    use std::os::unix::fs::PermissionsExt as _;
    let id = dir.join("id");
    std::fs::write(&id, key.to_openssh().as_str()).unwrap();
    std::fs::set_permissions(&id, std::fs::Permissions::from_mode(0o600)).unwrap();
    let known = format!("[127.0.0.1]:{} {}\n", address.port(), host_key.public().to_line());
    std::fs::write(dir.join("known"), known).unwrap();
    let config = format!(
        "Host ws stopped missing nobody\n  HostName 127.0.0.1\n  Port {}\n  User ws\n\
         Host *\n  IdentityFile {}\n  IdentitiesOnly yes\n  UserKnownHostsFile {}\n\
         StrictHostKeyChecking yes\n  LogLevel ERROR\n  BatchMode yes\n",
        address.port(),
        id.display(),
        dir.join("known").display(),
    );
    std::fs::write(dir.join("config"), config).unwrap();
}
