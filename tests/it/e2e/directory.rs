//! Someone from a directory at work in a terminal, until the directory lets them go.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::site::{PATIENCE, Ran, STEADING, Site};
use crate::identity::slapd::Slapd;

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// The command line as someone with this session.
fn cli(site: &Site, token: &str, args: &[&str]) -> Ran {
    let mut command = site.command(STEADING);
    let own = site.path("lin");
    command.env("CODER_CONFIG_DIR", own).env("CODER_URL", &site.url);
    Ran::new(command.env("CODER_SESSION_TOKEN", token).args(args))
}

fn sign_in(site: &Site, name: &str, password: &str) -> Option<String> {
    let body = serde_json::json!({ "email": name, "password": password }).to_string();
    let url = format!("{}/api/v2/users/login", site.url);
    let kind = "Content-Type: application/json";
    let said = site.run("curl", &["-s", "-H", kind, "-d", &body, &url]).ok();
    let said: serde_json::Value = serde_json::from_str(&said).ok()?;
    said["session_token"].as_str().map(str::to_owned)
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

#[tokio::test(flavor = "multi_thread")]
async fn a_live_terminal_is_cut_when_the_directory_lets_its_person_go() {
    let slapd = Slapd::start();
    let settings = tempfile::NamedTempFile::new().unwrap();
    let table = slapd.table() + "allowed_groups = [\"potters\"]\ncheck_every = \"15s\"\n";
    std::fs::write(settings.path(), table).unwrap();
    let site = Site::with(&["--config", settings.path().to_str().unwrap()]);
    site.push_starter("this-machine");
    let token = sign_in(&site, "lin", "lin's password").expect("Lin is let in");
    cli(&site, &token, &["create", "kiln", "--template", "this-machine", "--yes"]).ok();
    let shown = cli(&site, &token, &["show", "kiln", "-o", "json"]).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let agents = &shown["latest_build"]["resources"].as_array().unwrap();
    let agent = agents.iter().find_map(|r| r["agents"][0]["id"].as_str()).unwrap().to_owned();
    let mut open = terminal(&site, &agent, &token).await;

    slapd.member("add", "potters", "max");
    slapd.member("delete", "potters", "lin");
    let cut = tokio::time::timeout(PATIENCE, read_until(&mut open, "nobody types this")).await;
    let deleted = site.cli(&["delete", "lin/kiln", "--yes"]);
    assert_eq!(cut, Ok(false), "the terminal stays open");
    assert!(sign_in(&site, "lin", "lin's password").is_none());
    deleted.ok();
}
