//! A network with a proxy as its only way out: command line and agent go through it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use super::site::{Ran, STEADING, Site, eventually};

/// A name that only the proxy knows: it stands for this machine.
const NAME: &str = "steading.test";

/// A proxy that makes connections, and remembers what it was asked.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let heard = Arc::clone(&heard);
                std::thread::spawn(move || serve(client, &heard));
            }
        });
        Self { port, asked }
    }

    fn heard(&self, text: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|head| head.contains(text)).count()
    }
}

fn serve(client: TcpStream, heard: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    heard.lock().unwrap().push(head.clone());
    let mut client = client;
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    let Some((NAME, port)) = target.and_then(|target| target.rsplit_once(':')) else {
        client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").ok()?;
        return None;
    };
    let mut server = TcpStream::connect(("127.0.0.1", port.parse().ok()?)).ok()?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    let mut back = (server.try_clone().ok()?, client);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut back.0, &mut back.1);
        let _ = back.1.shutdown(std::net::Shutdown::Write);
    });
    let _ = std::io::copy(&mut reader, &mut server);
    server.shutdown(std::net::Shutdown::Write).ok()
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.0.wait();
    }
}

#[test]
fn the_command_line_goes_through_a_proxy() {
    let site = Site::new();
    site.create_here("kiln");
    let proxy = Proxy::start();
    let token = site.cli(&["login", "token"]).ok();
    let url = site.url.replace("127.0.0.1", NAME);
    let through = |variables: &[(&str, &str)], args: &[&str]| {
        let mut cli = site.command(STEADING);
        cli.env("CODER_URL", &url).env("CODER_SESSION_TOKEN", token.trim());
        Ran::new(cli.envs(variables.iter().copied()).args(args))
    };
    let address = format!("http://ada:s%20cret@127.0.0.1:{}", proxy.port);
    let proxied = [("HTTP_PROXY", &*address)];
    assert!(through(&proxied, &["list"]).ok().contains("ada/kiln"));
    assert_eq!(through(&proxied, &["ssh", "kiln", "--", "echo in"]).ok(), "in\n");
    assert!(proxy.heard(&format!("CONNECT {NAME}:")) > 2, "{:?}", proxy.asked);
    assert_eq!(proxy.heard("Proxy-Authorization: Basic YWRhOnMgY3JldA=="), proxy.heard("CONNECT"));
    let before = proxy.heard("CONNECT");
    let refused = through(&[("http_proxy", &*address), ("NO_PROXY", ".test")], &["list"]);
    assert_eq!(refused.code, Some(1), "the name leads nowhere without the proxy");
    site.cli(&["list"]).ok();
    let mut here = site.command(STEADING);
    Ran::new(here.env("HTTP_PROXY", &address).arg("list")).ok();
    assert_eq!(proxy.heard("CONNECT"), before, "this machine is reached straight");
    let elsewhere = ["list", "--url", "http://elsewhere.test"];
    let denied = through(&proxied, &elsewhere);
    assert!(
        denied.err.contains("the proxy 127.0.0.1:") && denied.err.contains("403"),
        "{denied:?}"
    );
    let socks = through(&[("HTTP_PROXY", "socks5://127.0.0.1:1")], &["list"]);
    assert!(socks.err.contains("HTTP_PROXY is \"socks5://127.0.0.1:1\""), "{socks:?}");
}

#[test]
fn an_agent_comes_in_through_a_proxy() {
    let site = Site::new();
    site.push_starter("external");
    site.cli(&["create", "kiln", "--template", "external", "--yes"]).ok();
    let shown = site.cli(&["show", "kiln", "-o", "json"]).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let id = shown["id"].as_str().unwrap();
    let session = format!("Coder-Session-Token: {}", site.cli(&["login", "token"]).ok().trim());
    let path = format!("{}/api/v2/workspaces/{id}/external-agent/main/credentials", site.url);
    let credentials = site.run("curl", &["-fsS", "-H", &session, &path]).ok();
    let credentials: serde_json::Value = serde_json::from_str(&credentials).unwrap();
    let proxy = Proxy::start();
    let home = site.path("far");
    std::fs::create_dir(&home).unwrap();
    let mut agent = site.command(STEADING);
    agent.env("CODER_AGENT_TOKEN", credentials["agent_token"].as_str().unwrap());
    agent.env("CODER_AGENT_URL", site.url.replace("127.0.0.1", NAME));
    agent.env("HTTP_PROXY", format!("127.0.0.1:{}", proxy.port)).env("HOME", &home);
    let agent = agent.arg("agent").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let _agent = Ended(agent);
    eventually("the agent is connected", || {
        site.cli(&["show", "kiln", "-c", "status"]).ok().contains("connected").then_some(())
    });
    assert!(proxy.heard(&format!("CONNECT {NAME}:")) > 0);
    assert_eq!(site.ssh("kiln", "echo $CODER_WORKSPACE_NAME").ok(), "kiln\n");
}
