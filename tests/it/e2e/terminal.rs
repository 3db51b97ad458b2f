//! The terminal page's socket: keys there, bytes back, a late joiner's screen, and the server's death.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::site::{PATIENCE, Site, eventually};

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// A browser's view of one terminal, and what was read when it opened.
struct Tab(Socket, String);

impl Tab {
    async fn try_open(site: &Site, terminal: uuid::Uuid) -> Option<Self> {
        let agent = agent_of(site, "kiln");
        let url = format!(
            "{}/api/v2/workspaceagents/{agent}/pty?reconnect={terminal}&width=80&height=24",
            site.url.replace("http://", "ws://"),
        );
        let mut request = url.into_client_request().unwrap();
        let token = std::fs::read_to_string(site.path("cli/session")).unwrap();
        request.headers_mut().insert("Coder-Session-Token", token.trim().parse().unwrap());
        let (socket, _) = tokio_tungstenite::connect_async(request).await.ok()?;
        Some(Self(socket, String::new()))
    }

    async fn open(site: &Site, terminal: uuid::Uuid) -> Self {
        let opened = async {
            loop {
                if let Some(mut tab) = Self::try_open(site, terminal).await {
                    // A terminal that is reached says something at once: a prompt or its screen.
                    tab.keys("\n").await;
                    if let Some(first) = tab.next().await {
                        tab.1 = first;
                        return tab;
                    }
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, opened).await.expect("the terminal opens")
    }

    async fn keys(&mut self, keys: &str) {
        let said = serde_json::json!({ "data": keys }).to_string();
        let _ = self.0.send(Message::Text(said.into())).await;
    }

    async fn next(&mut self) -> Option<String> {
        loop {
            match self.0.next().await? {
                Ok(Message::Binary(bytes)) => {
                    return Some(String::from_utf8_lossy(&bytes).into_owned());
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    async fn until(&mut self, mark: &str) -> String {
        let mut all = std::mem::take(&mut self.1);
        let read = async {
            while !all.contains(mark) {
                let Some(more) = self.next().await else { break };
                all.push_str(&more);
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, read).await.is_ok();
        assert!(in_time && all.contains(mark), "no {mark:?} in {all:?}");
        all
    }
}

fn agent_of(site: &Site, workspace: &str) -> String {
    eventually("an agent", || {
        let shown = site.cli(&["show", workspace, "-o", "json"]);
        let shown: serde_json::Value = serde_json::from_str(&shown.out).ok()?;
        let resources = shown["latest_build"]["resources"].as_array()?;
        let agents = resources.iter().filter_map(|r| r["agents"].as_array()).flatten();
        agents.map(|a| a["id"].as_str().map(str::to_owned)).next()?
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_shared_survives_its_tabs_and_kill_9_of_the_server() {
    let mut site = Site::new();
    site.create_here("kiln");
    let terminal = uuid::Uuid::new_v4();
    let mut ada = Tab::open(&site, terminal).await;
    // What is typed before the prompt is thrown away by the shell.
    ada.until("$ ").await;
    ada.keys("export MARK=kept; echo fir''st-line\n").await;
    ada.until("first-line").await;

    // Someone joins late: the screen first, then the stream.
    let mut grace = Tab::open(&site, terminal).await;
    grace.until("first-line").await;
    grace.keys("echo by-gra''ce\n").await;
    ada.until("by-grace").await;
    drop((ada, grace));

    site.kill();
    site.start();
    let mut again = Tab::open(&site, terminal).await;
    again.until("by-grace").await;
    again.keys("echo still-$MARK\n").await;
    again.until("still-kept").await;
}
