//! VS Code's extension from its download to a remote editor, each step as its source has it (section by
//! section: fetch, sign in, look, start, connect, unpack a server, forward, find faults, sign out).

use std::process::Stdio;

use base64::Engine as _;
use serde_json::{Value, json};

use super::plugin::{
    Fetch, PlugIn, Running, by_socks, fetched, free_port, is_network_info, network_info, scripted,
};
use crate::e2e::site::Ran;

/// The host names that the extension gives out for this server.
const PREFIX: &str = "coder-vscode.127.0.0.1--";
const HOST: &str = "coder-vscode.127.0.0.1--ada--kiln.main";

/// What Remote-SSH sends to a shell: unpack a server, start it, say where it listens, live on.
const UNPACK: &str = r#"
set -e
dir="$HOME/.vscode-server/bin/5a1b"
mkdir -p "$dir"
echo "@ARCHIVE@" | base64 -d | tar -xz -C "$dir"
chmod +x "$dir/server.py"
python3 "$dir/server.py" &
server=$!
trap "kill $server" EXIT HUP TERM
wait
"#;

/// What it unpacks: something that listens on a port of its own choice, and says so.
const SERVER: &str = r#"
import http.server, sys
class Here(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"vscode-server")
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Here)
print("listeningOn==%d==" % server.server_port, flush=True)
server.serve_forever()
"#;

impl PlugIn {
    /// `ProxyCommand` of the extension for programs from 2.19 on.
    fn proxy(&self, network: &str, logs: &str) -> String {
        format!(
            "\"{}\" --global-config \"{}\" ssh --disable-autostart --stdio --usage-app=vscode \
             --network-info-dir \"{network}\" --log-dir \"{logs}\" -v --ssh-host-prefix {PREFIX} %h",
            self.program, self.config
        )
    }

    fn signs_in(&self) {
        let token = &self.world.caller.token;
        let url = &self.world.caller.url;
        let mut login = self.command(&["--global-config", &self.config, "login"]);
        login.args(["--use-token-as-session", url]).env("CODER_SESSION_TOKEN", token);
        Ran::new(&mut login).ok();
        assert_eq!((&self.kept("url"), &self.kept("session")), (url, token));
        let read = ["--global-config", &self.config, "login", "token", "--url", url];
        assert_eq!(self.run(&read).ok().trim(), token);
    }

    fn archive() -> String {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut tar = tar::Builder::new(&mut packed);
        let mut head = tar::Header::new_gnu();
        head.set_size(SERVER.len() as u64);
        head.set_mode(0o644);
        tar.append_data(&mut head, "server.py", SERVER.as_bytes()).unwrap();
        tar.finish().unwrap();
        drop(tar);
        base64::engine::general_purpose::STANDARD.encode(packed.finish().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vs_code_comes_from_its_download_to_a_remote_editor() {
    let plug_in = PlugIn::install(Fetch::Plain).await;
    plug_in.signs_in();
    let world = &plug_in.world;
    let me = world.caller.get("/api/v2/users/me").await.expect(200).json();
    assert_eq!(me["username"], "ada");
    let shared = format!("/api/v2/workspaces?q=shared_with_user:{}", me["id"].as_str().unwrap());
    assert_eq!(world.caller.get(&shared).await.expect(200).json()["count"], 0);
    world.caller.get("/api/v2/users/ada/workspace/gone").await.expect(404);

    // A stopped workspace: a connection alone does not start it, the extension does.
    let (network, logs) = (world.site.path("network"), world.site.path("logs"));
    std::fs::create_dir(&network).unwrap();
    std::fs::create_dir(&logs).unwrap();
    plug_in.configure(&format!("{PREFIX}*"), &plug_in.proxy(&network, &logs), "vscode");
    plug_in.stop(json!({ "transition": "stop" })).await;
    let refused = Ran::new(plug_in.ssh(&[HOST, "true"]).stdin(Stdio::null()));
    assert_eq!(refused.code, Some(255), "{refused:?}");
    let start = ["start", "--yes", "--reason", "vscode_connection", "ada/kiln"];
    plug_in.run(&[&["--global-config", &plug_in.config][..], &start[..]].concat()).ok();
    let build = plug_in.build().await;
    assert_eq!(
        (&build["reason"], &build["status"]),
        (&json!("vscode_connection"), &json!("running"))
    );

    // What it waits for: an agent that is there and ready.
    let ready =
        Ran::new(plug_in.ssh(&["-T", HOST, "echo $CODER_WORKSPACE_NAME"]).stdin(Stdio::null()));
    assert_eq!(ready.ok(), "kiln\n");
    let agent = &plug_in.build().await["resources"][0]["agents"][0];
    assert_eq!(
        (&agent["status"], &agent["lifecycle_state"]),
        (&json!("connected"), &json!("ready"))
    );

    // Remote-SSH: one connection with SOCKS, a script into a shell, a server that it unpacks.
    let socks = free_port();
    let script = UNPACK.replace("@ARCHIVE@", &PlugIn::archive());
    let ssh = plug_in.ssh(&["-T", "-D", &socks.to_string(), HOST, "sh"]);
    let (ssh, said) = scripted(ssh, script.as_bytes(), "listeningOn==");
    let port: u16 = said.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
    let answer = fetched(|| by_socks(socks, port));
    assert!(answer.ends_with("vscode-server"), "{answer}");
    is_network_info(&network_info(&network, &ssh.0));
    let here = plug_in.connections("type:vscode status:ongoing username:ada").await;
    assert_eq!(here[0]["workspace_name"], "kiln", "{here:?}");
    assert_eq!(here[0]["ssh_info"]["disconnect_time"], Value::Null);

    // A port that the editor forwards by a connection of its own.
    let local = free_port();
    let forward = format!("{local}:127.0.0.1:{port}");
    let mut second = plug_in.ssh(&["-N", "-L", &forward, HOST]);
    let _second = Running(second.stdin(Stdio::null()).spawn().unwrap());
    let answer = fetched(|| std::net::TcpStream::connect(("127.0.0.1", local)).ok());
    assert!(answer.ends_with("vscode-server"), "{answer}");
    drop(ssh);
    let logs = std::fs::read_dir(&logs).unwrap().map(|log| log.unwrap());
    let sizes: Vec<u64> = logs.map(|log| log.metadata().unwrap().len()).collect();
    assert!(sizes.iter().any(|size| *size > 0), "a log was written: {sizes:?}");
    finds_faults(&plug_in);
    signs_out(&plug_in).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_vs_code_connects_by_files_of_its_own() {
    let plug_in = PlugIn::install(Fetch::Plain).await;
    let world = &plug_in.world;
    let (session, url) = (world.site.path("session"), world.site.path("url"));
    std::fs::write(&session, &world.caller.token).unwrap();
    std::fs::write(&url, &world.caller.url).unwrap();
    let network = world.site.path("network");
    std::fs::create_dir(&network).unwrap();
    let proxy = format!(
        "\"{}\" vscodessh --network-info-dir \"{network}\" --session-token-file \"{session}\" \
         --url-file \"{url}\" %h",
        plug_in.program
    );
    plug_in.configure(&format!("{PREFIX}*"), &proxy, "vscode");
    for host in [HOST, "coder-vscode.127.0.0.1--ada--kiln"] {
        let said = Ran::new(plug_in.ssh(&["-T", host, "cat"]).stdin(Stdio::null()));
        assert_eq!(said.ok(), "", "{host}");
    }
    let mut held = plug_in.ssh(&["-T", HOST, "cat"]);
    let held = Running(held.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap());
    is_network_info(&network_info(&network, &held.0));
}

/// The commands that its menu has for who looks for a fault.
fn finds_faults(plug_in: &PlugIn) {
    let config = ["--global-config", &*plug_in.config];
    let run = |args: &[&str]| plug_in.run(&[&config[..], args].concat()).ok();
    let speed: Value =
        serde_json::from_str(&run(&["speedtest", "ada/kiln", "--output", "json", "-t", "1s"]))
            .unwrap();
    assert!(speed.is_object(), "{speed}");
    assert!(run(&["ping", "ada/kiln", "-n", "1"]).contains("kiln"));
    let net: Value = serde_json::from_str(&run(&["netcheck"])).unwrap();
    assert!(net.is_object(), "{net}");
    let file = plug_in.world.site.path("bundle.zip");
    run(&["support", "bundle", "ada/kiln", "--output-file", &file, "--yes"]);
    let read = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\n\
                print(*[z.read(n) for n in z.namelist()])";
    let all = plug_in.world.site.run("python3", &["-c", read, &file]).ok();
    assert!(all.contains("kiln") && !all.contains(&plug_in.world.caller.token), "{all}");
}

async fn signs_out(plug_in: &PlugIn) {
    let world = &plug_in.world;
    // The session of the site's own owner stays: the extension ends its own.
    let own =
        world.caller.send("POST", "/api/v2/users/me/keys", json!({})).await.expect(201).json();
    let own = own["key"].as_str().unwrap();
    let config = world.site.path("plug-in/other");
    let mut login = plug_in.command(&["--global-config", &config, "login"]);
    login.args(["--use-token-as-session", &world.caller.url]).env("CODER_SESSION_TOKEN", own);
    Ran::new(&mut login).ok();
    let url = &world.caller.url;
    plug_in.run(&["--global-config", &config, "logout", "--url", url, "--yes"]).ok();
    assert!(!std::path::Path::new(&format!("{config}/session")).exists());
    super::caller::Caller::new(url, own).get("/api/v2/users/me").await.expect(401);
    world.caller.get("/api/v2/users/me").await.expect(200);
}
