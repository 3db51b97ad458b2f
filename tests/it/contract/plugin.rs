//! What both plug-ins do before and beside a connection: their program, its files, and OpenSSH.

use std::io::Read as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use sha1::Digest as _;

use super::world::World;
use crate::e2e::ports;
use crate::e2e::site::{Ran, eventually};

/// A plug-in on someone's machine.
pub struct PlugIn {
    pub world: World,
    /// The program that it has downloaded.
    pub program: String,
    /// Where that program keeps address and token for this server.
    pub config: String,
    /// The configuration of OpenSSH that the plug-in writes.
    pub ssh_config: String,
}

/// How a program is fetched: which packing the plug-in takes.
pub enum Fetch {
    /// VS Code's: not packed.
    Plain,
    /// JetBrains': packed by gzip.
    Packed,
}

impl PlugIn {
    /// Fetches the program as the plug-in does: it is told apart by its hash, has no signature, and says the
    /// same version as the server.
    pub async fn install(how: Fetch) -> Self {
        let world = World::new().await;
        let info = world.caller.get("/api/v2/buildinfo").await.expect(200).json();
        let path = world.filled("/bin/coder-linux-{arch}").unwrap();
        let coding = match how {
            Fetch::Plain => "identity",
            Fetch::Packed => "gzip",
        };
        let headers = [("If-None-Match", "\"\""), ("Accept-Encoding", coding)];
        let got = world.caller.call(("GET", &path), None, &headers).await.expect(200);
        assert_eq!(got.headers["content-type"], "application/octet-stream");
        let program = world.site.path("plug-in/coder");
        std::fs::create_dir_all(world.site.path("plug-in/config")).unwrap();
        let original = got.headers["x-original-content-length"].to_str().unwrap().to_owned();
        match how {
            Fetch::Plain => {
                assert_eq!(got.headers["content-length"], *original);
                std::fs::write(&program, &got.body).unwrap();
            }
            Fetch::Packed => {
                assert_eq!(got.headers["content-encoding"], "gzip");
                std::fs::write(format!("{program}.gz"), &got.body).unwrap();
                world.site.run("gunzip", &[&format!("{program}.gz")]).ok();
            }
        }
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let bytes = std::fs::read(&program).unwrap();
        assert_eq!(bytes.len().to_string(), original);
        let etag = format!("\"{}\"", hex::encode(sha1::Sha1::digest(&bytes)));
        assert_eq!(got.headers["etag"], *etag);
        let again = [("If-None-Match", &*etag), ("Accept-Encoding", coding)];
        let same = world.caller.call(("GET", &path), None, &again).await.expect(304);
        assert!(same.body.is_empty());
        world.caller.get(&format!("{path}.asc")).await.expect(404);
        let plug_in = Self {
            program,
            config: world.site.path("plug-in/config"),
            ssh_config: world.site.path("plug-in/ssh_config"),
            world,
        };
        let said: Value =
            serde_json::from_str(&plug_in.run(&["version", "--output", "json"]).ok()).unwrap();
        assert_eq!(said["version"], info["version"]);
        let newest = said["version"].as_str().unwrap().trim_start_matches('v').split('.');
        let parts: Vec<u32> = newest.take(2).map(|part| part.parse().unwrap()).collect();
        assert!(parts >= vec![2, 31], "gates of features are open from 2.31 on: {said}");
        plug_in
    }

    /// The program, with an environment like an editor's.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.world.site.command(&self.program);
        command.env_remove("CODER_CONFIG_DIR").args(args);
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::new(&mut self.command(args))
    }

    /// What a file of the program's own directory holds.
    pub fn kept(&self, name: &str) -> String {
        let text = std::fs::read_to_string(format!("{}/{name}", self.config)).unwrap();
        text.trim().to_owned()
    }

    /// Writes the plug-in's block for hosts.
    pub fn configure(&self, host: &str, proxy: &str, session_type: &str) {
        let block = format!(
            "Host {host}\n  ConnectTimeout 0\n  StrictHostKeyChecking no\n  \
             UserKnownHostsFile /dev/null\n  LogLevel ERROR\n  ServerAliveInterval 10\n  \
             ServerAliveCountMax 3\n  ProxyCommand {proxy}\n  SetEnv CODER_SSH_SESSION_TYPE={session_type}\n"
        );
        let before = std::fs::read_to_string(&self.ssh_config).unwrap_or_default();
        std::fs::write(&self.ssh_config, before + &block).unwrap();
    }

    /// OpenSSH as the editor starts it.
    pub fn ssh(&self, args: &[&str]) -> Command {
        let mut command = self.world.site.command("ssh");
        command.env_remove("CODER_CONFIG_DIR").args(["-F", &self.ssh_config]).args(args);
        command
    }

    /// The newest build of the workspace.
    pub async fn build(&self) -> Value {
        let path = format!("/api/v2/workspaces/{}", self.world.names["workspace"]);
        let found = self.world.caller.get(&path).await.expect(200).json();
        found["latest_build"].clone()
    }

    /// Stops the workspace as the plug-in asks for it.
    pub async fn stop(&self, body: Value) {
        let path = format!("/api/v2/workspaces/{}/builds", self.world.names["workspace"]);
        self.world.caller.send("POST", &path, body).await.expect(201);
        self.world.until("stopped").await;
    }

    /// What the log of connections holds for a search.
    pub async fn connections(&self, query: &str) -> Vec<Value> {
        let path =
            format!("/api/v2/connectionlog?q={}", query.replace(':', "%3A").replace(' ', "+"));
        let found = self.world.caller.get(&path).await.expect(200).json();
        found["connection_logs"].as_array().unwrap().clone()
    }
}

/// A process that is ended with the test.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the file that a plug-in polls says of this `ssh`.
pub fn network_info(dir: &str, ssh: &Child) -> Value {
    let file = format!("{dir}/{}.json", ssh.id());
    let text = eventually("the file about the network", || std::fs::read_to_string(&file).ok());
    serde_json::from_str(&text).unwrap()
}

/// Checks the fields that both plug-ins read of it.
pub fn is_network_info(info: &Value) {
    assert!(info["p2p"].is_boolean() && info["using_coder_connect"].is_boolean(), "{info}");
    assert!(info["latency"].is_number() && info["preferred_derp"].is_string(), "{info}");
    assert!(info["derp_latency"].is_object(), "{info}");
    assert!(info["upload_bytes_sec"].is_u64() && info["download_bytes_sec"].is_u64(), "{info}");
}

/// What a port says that an editor's server listens on, through a forward.
pub fn fetched(through: impl Fn() -> Option<TcpStream>) -> String {
    eventually("an answer through the forward", || {
        let mut stream = through()?;
        let ask = b"GET / HTTP/1.0\r\n\r\n";
        std::io::Write::write_all(&mut stream, ask).ok()?;
        let mut all = String::new();
        stream.read_to_string(&mut all).ok()?;
        (!all.is_empty()).then_some(all)
    })
}

/// A connection by SOCKS 5, as an editor makes it to the port of `ssh -D`.
pub fn by_socks(socks: u16, port: u16) -> Option<TcpStream> {
    use std::io::Write as _;
    let mut stream = TcpStream::connect(("127.0.0.1", socks)).ok()?;
    stream.write_all(&[5, 1, 0]).ok()?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).ok()?;
    let [high, low] = port.to_be_bytes();
    stream.write_all(&[5, 1, 0, 1, 127, 0, 0, 1, high, low]).ok()?;
    let mut granted = [0; 10];
    stream.read_exact(&mut granted).ok()?;
    (granted[1] == 0).then_some(stream)
}

/// Starts `ssh` with a script on its standard input, and gives what it prints up to a line that begins so.
pub fn scripted(mut ssh: Command, script: &[u8], until: &str) -> (Running, String) {
    use std::io::{BufRead as _, Write as _};
    ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = ssh.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let script = script.to_vec();
    // Kept open: the editor's script lives as long as what feeds it.
    std::thread::spawn(move || {
        let _ = input.write_all(&script);
        std::thread::park();
        drop(input);
    });
    let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let found = lines.map_while(Result::ok).find(|line| line.starts_with(until));
    (Running(child), found.unwrap_or_else(|| panic!("{until} is not said")))
}

/// A port of this machine that nothing listens on.
pub fn free_port() -> u16 {
    ports::free()
}
