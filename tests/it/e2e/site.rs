//! A server process in a directory of its own, with Ada as its owner and her SSH key on file.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::ports;
use super::said::Said;

/// How long anything here may take: builds on a busy machine are slow, a hang is longer.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Where a server is reached, unless a test says otherwise.
const HERE: &str = "127.0.0.1";

/// The program under test.
pub const STEADING: &str = env!("CARGO_BIN_EXE_steading");

/// Waits until `ready` gives something.
///
/// # Panics
/// When it does not in [`PATIENCE`].
pub fn eventually<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    #[expect(clippy::disallowed_methods, reason = "a deadline for real processes")]
    let start = Instant::now();
    loop {
        if let Some(it) = ready() {
            return it;
        }
        assert!(start.elapsed() < PATIENCE, "{what} did not happen in {} s", PATIENCE.as_secs());
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// A server process and everything of it on disk.
pub struct Site {
    pub dir: tempfile::TempDir,
    pub url: String,
    pub ssh_port: u16,
    udp: String,
    pub server: Option<Child>,
    /// What the server is started from.
    pub program: PathBuf,
    pub extra: Vec<String>,
    pub env: Vec<(String, String)>,
}

impl Site {
    /// A fresh server with the owner `ada`, signed in on the command line, her key on file.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// A fresh server with nobody on it.
    pub fn empty() -> Self {
        Self::started(STEADING.into(), &[], HERE)
    }

    /// A server of this program at another address of its machine than its own loop, with its owner.
    pub fn at(program: PathBuf, host: &str) -> Self {
        Self::started(program, &[], host).with_owner()
    }

    /// A server of another program, with its owner.
    pub fn of(program: PathBuf) -> Self {
        Self::started(program, &[], HERE).with_owner()
    }

    /// A server with its owner and further arguments.
    pub fn with(extra: &[&str]) -> Self {
        Self::started(STEADING.into(), extra, HERE).with_owner()
    }

    fn with_owner(self) -> Self {
        self.cli(&[
            "login",
            &self.url,
            "--first-user-username",
            "ada",
            "--first-user-email",
            "ada@example.test",
            "--first-user-full-name",
            "Ada Lovelace",
            "--first-user-password",
            "correct horse 7",
        ])
        .ok();
        self.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &self.path("id")]).ok();
        self.cli(&["ssh-keys", "add", &self.path("id.pub")]).ok();
        self
    }

    fn started(program: PathBuf, extra: &[&str], host: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Workspaces' users must come through here.
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut site = Self {
            dir,
            url: format!("http://{host}:{}", ports::free()),
            ssh_port: ports::free(),
            udp: format!("127.0.0.1:{}", ports::free()),
            server: None,
            program,
            extra: extra.iter().map(|s| (*s).to_owned()).collect(),
            env: vec![],
        };
        site.start();
        site
    }

    /// A path in the site's directory.
    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// Starts the server, at the same addresses each time.
    pub fn start(&mut self) {
        let http = self.url.trim_start_matches("http://").to_owned();
        let mut command = Command::new(&self.program);
        command
            .args(["server", "--data", &self.path("data"), "--http-address", &http])
            .args(["--ssh-address", &format!("127.0.0.1:{}", self.ssh_port)])
            .args(["--wireguard-address", &self.udp])
            .args(&self.extra)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.log());
        let mut server = command.spawn().unwrap();
        let mut said = Said::by(server.stdout.take().unwrap());
        let mut next = |name: &str| {
            let line = said.line().expect("the server prints its addresses");
            let (key, value) = line.split_once(' ').unwrap();
            assert_eq!(key, name, "in {line:?}");
            value.trim().to_owned()
        };
        self.url = next("http");
        self.ssh_port = next("ssh").rsplit_once(':').unwrap().1.parse().unwrap();
        self.udp = next("udp");
        self.server = Some(server);
    }

    /// Removes the directory of homes when none is in it. The server keeps it, for the uids that it
    /// gave away are not given again.
    fn remove_homes(&self, data: &str) {
        let database = rusqlite::Connection::open(self.path(&format!("{data}/steading.db")));
        let id = database.and_then(|database| {
            let sql = "SELECT CAST(value AS TEXT) FROM settings WHERE key = 'deployment_id'";
            database.query_row(sql, [], |row| row.get::<_, String>(0))
        });
        let Ok(id) = id else { return };
        let homes = Path::new("/var/lib/steading-homes").join(id);
        let names = std::fs::read_dir(&homes).into_iter().flatten().flatten();
        if names.map(|entry| entry.file_name()).all(|name| name == ".last-uid") {
            let _ = std::fs::remove_dir_all(&homes);
        }
    }

    fn log(&self) -> std::fs::File {
        let path = self.path("server.log");
        std::fs::File::options().create(true).append(true).open(path).unwrap()
    }

    /// What the server has logged.
    pub fn server_log(&self) -> String {
        std::fs::read_to_string(self.path("server.log")).unwrap_or_default()
    }

    /// Ends the server as a power cut would.
    pub fn kill(&mut self) {
        let mut server = self.server.take().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Asks the server to stop, and waits until it has.
    pub fn stop(&mut self) {
        let mut server = self.server.take().unwrap();
        let pid = rustix::process::Pid::from_child(&server);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(server.wait().unwrap().success(), "the server did not stop well");
    }

    /// A command with the site's directory as its home.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env("HOME", self.dir.path())
            .env("CODER_CONFIG_DIR", self.path("cli"))
            .env_remove("CODER_URL")
            .env_remove("CODER_SESSION_TOKEN")
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a program to its end.
    pub fn run(&self, program: &str, args: &[&str]) -> Ran {
        Ran::new(self.command(program).args(args))
    }

    /// Runs the command line to its end.
    pub fn cli(&self, args: &[&str]) -> Ran {
        self.run(STEADING, args)
    }

    /// Pushes a starter under its own name.
    pub fn push_starter(&self, id: &str) {
        let dir = self.path(id);
        self.cli(&["templates", "init", "--id", id, &dir]).ok();
        self.cli(&["templates", "push", id, "-d", &dir, "--yes"]).ok();
    }

    /// A workspace of the starter `this-machine`, running.
    pub fn create_here(&self, name: &str) {
        self.push_starter("this-machine");
        self.cli(&["create", name, "--template", "this-machine", "--yes"]).ok();
    }

    /// Options of every stock OpenSSH client.
    pub fn ssh_options(&self) -> Vec<String> {
        let options = [
            "StrictHostKeyChecking=accept-new".to_owned(),
            format!("UserKnownHostsFile={}", self.path("known_hosts")),
            format!("IdentityFile={}", self.path("id")),
            "IdentitiesOnly=yes".to_owned(),
            "BatchMode=yes".to_owned(),
            "LogLevel=ERROR".to_owned(),
        ];
        options.into_iter().flat_map(|o| ["-o".to_owned(), o]).collect()
    }

    /// `ssh` to a login name, as a command to add to.
    pub fn ssh_command(&self, login: &str) -> Command {
        let mut command = self.command("ssh");
        command
            .args(["-F", "none", "-p", &self.ssh_port.to_string()])
            .args(self.ssh_options())
            .arg(format!("{login}@127.0.0.1"));
        command
    }

    /// Runs one command by `ssh`.
    pub fn ssh(&self, login: &str, remote: &str) -> Ran {
        Ran::new(self.ssh_command(login).arg(remote))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Agents of this-machine outlive the server on purpose; end them by deleting.
        if let Some(mut server) = self.server.take() {
            let list = self.cli(&["list", "--all", "-o", "json"]);
            let all: Vec<serde_json::Value> = serde_json::from_str(&list.out).unwrap_or_default();
            for one in &all {
                let [owner, name] = ["owner_name", "name"].map(|key| one[key].as_str());
                let name = format!("{}/{}", owner.unwrap_or_default(), name.unwrap_or_default());
                self.cli(&["delete", &name, "--yes"]);
            }
            let _ = rustix::process::kill_process(
                rustix::process::Pid::from_child(&server),
                rustix::process::Signal::TERM,
            );
            let _ = server.wait();
        }
        // That of `up`, too, where a test has run it here.
        for data in ["data", "first-minute"] {
            self.remove_homes(data);
        }
        #[expect(clippy::print_stderr, reason = "the log of a server that a failed test ran")]
        if std::thread::panicking() {
            let log = self.server_log();
            let tail: Vec<&str> = log.lines().rev().take(40).collect();
            for line in tail.iter().rev() {
                eprintln!("server: {line}");
            }
        }
    }
}

/// What a program did.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
    what: String,
}

impl Ran {
    /// Runs a command to its end.
    pub fn new(command: &mut Command) -> Self {
        let what = format!("{command:?}");
        let Output { status, stdout, stderr } = command.output().expect("the program is installed");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: status.code(), out: text(stdout), err: text(stderr), what }
    }

    /// Expects success and gives what was printed.
    #[track_caller]
    pub fn ok(self) -> String {
        let Self { code, out, err, what } = self;
        assert_eq!(code, Some(0), "{what}\n{out}\n{err}");
        out
    }
}

/// The SHA-256 of a file, in hex.
pub fn sha256(path: impl AsRef<Path>) -> String {
    use sha2::Digest as _;
    let mut file = std::fs::File::open(path).unwrap();
    let mut hash = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer).unwrap();
        if n == 0 {
            return hex::encode(hash.finalize());
        }
        hash.update(&buffer[..n]);
    }
}

/// Where compiled peers are kept.
pub fn peers() -> PathBuf {
    let given = std::env::var_os("STEADING_PEERS").map(PathBuf::from);
    given.unwrap_or_else(|| {
        PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/steading-peers")
    })
}
