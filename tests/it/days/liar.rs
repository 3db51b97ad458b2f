//! An agent's control channel in the hands of a test: a real token, and whatever is said over it.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use steading::model::peer::PeerKey;
use steading::wire::agent::ToAgent;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::api::Api;
use super::builds::Builds;
use crate::e2e::site::{PATIENCE, Site};

/// An agent with one of everything, and no program that runs it.
pub const TEMPLATE: &str = r#"
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
  metadata {
    key          = "load"
    display_name = "Load"
    script       = "true"
    interval     = 60
    timeout      = 5
  }
}
resource "coder_app" "web" {
  agent_id = coder_agent.main.id
  slug     = "web"
  url      = "http://localhost:1"
  healthcheck {
    url       = "http://localhost:1/"
    interval  = 5
    threshold = 3
  }
}
resource "coder_script" "setup" {
  agent_id     = coder_agent.main.id
  display_name = "Setup"
  script       = "true"
  run_on_start = true
}
resource "terraform_data" "machine" {
  input = coder_agent.main.id
}
"#;

/// Who an agent is.
pub struct Identity {
    pub agent: String,
    pub app: String,
    pub token: String,
}

impl Identity {
    /// Makes a workspace of [`TEMPLATE`]; its agent is whoever speaks for it.
    pub fn new(site: &Site, name: &str) -> Self {
        Builds::new(site, name, TEMPLATE);
        Self::of(&Api::of(site), name)
    }

    /// The agent of a workspace.
    pub fn of(api: &Api, name: &str) -> Self {
        let build = api.get(&format!("/users/me/workspace/{name}"))["latest_build"].clone();
        let state = api.get(&format!("/workspacebuilds/{}/state", build["id"].as_str().unwrap()));
        let resources = state["resources"].as_array().unwrap();
        let agent = resources.iter().find(|r| r["type"] == "coder_agent").unwrap();
        let token = agent["instances"][0]["attributes"]["token"].as_str().unwrap().to_owned();
        let resources = build["resources"].as_array().unwrap();
        let agent = resources.iter().find_map(|r| r["agents"].get(0)).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self { agent: text(&agent["id"]), app: text(&agent["apps"][0]["id"]), token }
    }

    /// What the API says of the agent.
    pub fn shown(&self, api: &Api) -> Value {
        api.get(&format!("/workspaceagents/{}", self.agent))
    }
}

/// A hello with this key.
pub fn hello(key: PeerKey) -> Value {
    json!({
        "type": "hello", "protocol": 1, "version": "1.0.0", "key": key.to_string(),
        "endpoints": [], "expanded_directory": "/home/x", "os": "linux", "arch": "amd64",
    })
}

/// A connection of an agent.
pub struct Channel(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Channel {
    /// Opens the socket and says nothing yet.
    pub async fn open(site: &Site, who: &Identity) -> Self {
        let url = site.url.replace("http://", "ws://") + "/api/v2/workspaceagents/me/rpc";
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("Coder-Session-Token", who.token.parse().unwrap());
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Self(socket)
    }

    /// Opens the socket and says hello; with what the server answers first.
    pub async fn greeted(site: &Site, who: &Identity, hello: &Value) -> (Self, ToAgent) {
        let mut channel = Self::open(site, who).await;
        channel.say(hello).await;
        let answer = channel.heard().await.expect("a hello is answered");
        (channel, answer)
    }

    /// Says something, true or not.
    pub async fn say(&mut self, what: &Value) {
        self.say_text(what.to_string()).await;
    }

    /// Says something that may be no JSON at all. The server may have hung up.
    pub async fn say_text(&mut self, what: String) {
        let _ = self.0.send(Message::Text(what.into())).await;
    }

    /// The next thing that the server says; none when it hangs up.
    pub async fn heard(&mut self) -> Option<ToAgent> {
        let next = async {
            loop {
                match self.0.next().await?.ok()? {
                    Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
                    Message::Close(_) => return None,
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("the server says something or hangs up")
    }

    /// Says log lines, and waits until the server has them and all that was said before.
    pub async fn logs(&mut self, seq: u64, lines: &[&str]) {
        self.say(&logs(seq, lines)).await;
        loop {
            match self.heard().await.expect("the server listens on") {
                ToAgent::LogsStored { seq: stored } if stored >= seq => return,
                _ => {}
            }
        }
    }
}

/// A batch of log lines.
pub fn logs(seq: u64, lines: &[&str]) -> Value {
    let line = |output: &&str| {
        json!({
            "at_ms": 1_700_000_000_000_i64, "level": "info", "output": output,
            "source": "00000000-0000-0000-0000-000000000000",
        })
    };
    json!({ "type": "logs", "seq": seq, "lines": lines.iter().map(line).collect::<Vec<_>>() })
}
