//! Someone who signed in elsewhere, at work in a terminal of a workspace of theirs.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::site::{PATIENCE, Ran, STEADING, Site};

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// A terminal in a workspace named `kiln`.
pub struct AtWork(Socket);

impl AtWork {
    /// Makes the workspace with this session, and opens the terminal.
    pub async fn begin(site: &Site, token: &str) -> Self {
        cli(site, token, &["create", "kiln", "--template", "this-machine", "--yes"]).ok();
        let shown = cli(site, token, &["show", "kiln", "-o", "json"]).ok();
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let resources = shown["latest_build"]["resources"].as_array().unwrap();
        let agent = resources.iter().find_map(|r| r["agents"][0]["id"].as_str()).unwrap();
        Self(terminal(site, agent, token).await)
    }

    /// Waits until the terminal ends.
    pub async fn is_cut(&mut self) -> bool {
        let said = read_until(&mut self.0, "nobody types this");
        tokio::time::timeout(PATIENCE, said).await == Ok(false)
    }
}

/// The command line as someone with this session.
fn cli(site: &Site, token: &str, args: &[&str]) -> Ran {
    let mut command = site.command(STEADING);
    let own = site.path("theirs");
    command.env("CODER_CONFIG_DIR", own).env("CODER_URL", &site.url);
    Ran::new(command.env("CODER_SESSION_TOKEN", token).args(args))
}

/// A terminal that answers.
async fn terminal(site: &Site, agent: &str, token: &str) -> Socket {
    let url = format!(
        "{}/api/v2/workspaceagents/{agent}/pty?reconnect={}&width=80&height=24",
        site.url.replace("http://", "ws://"),
        uuid::Uuid::new_v4(),
    );
    let opened = async {
        loop {
            let mut request = url.as_str().into_client_request().unwrap();
            request.headers_mut().insert("Coder-Session-Token", token.parse().unwrap());
            if let Ok((mut socket, _)) = tokio_tungstenite::connect_async(request).await {
                let keys = serde_json::json!({ "data": "echo at-wo''rk\n" }).to_string();
                let _ = socket.send(Message::Text(keys.into())).await;
                if read_until(&mut socket, "at-work").await {
                    return socket;
                }
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, opened).await.expect("the terminal opens")
}

/// Reads until this is said; false when the terminal ends before.
async fn read_until(socket: &mut Socket, mark: &str) -> bool {
    let mut all = String::new();
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Binary(bytes) => all.push_str(&String::from_utf8_lossy(&bytes)),
            Message::Close(_) => return false,
            _ => {}
        }
        if all.contains(mark) {
            return true;
        }
    }
    false
}
