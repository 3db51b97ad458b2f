//! A build that prints ten thousand lines a second: all are kept, and nobody else waits for them.

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::api::Api;
use super::builds::Builds;
use crate::e2e::site::{PATIENCE, Site};

/// Lines that the build prints: within the bound of a build's log.
const LINES: usize = 30_000;

/// Five hundred lines, twenty times a second.
const TEMPLATE: &str = r#"
resource "terraform_data" "loud" {
  provisioner "local-exec" {
    command = "i=0; while [ $i -lt 60 ]; do seq -f 'flood-%06.0f' $((i*500+1)) $((i*500+500)); i=$((i+1)); sleep 0.05; done"
  }
}
"#;

/// What the flood says in lines of a log, without their ends: Terraform ends a line early when the
/// rest of it is late.
fn flood<'a>(lines: impl Iterator<Item = &'a String>) -> String {
    let said = lines.filter_map(|line| Some(line.split_once("(local-exec): ")?.1));
    said.filter(|said| !said.contains("Executing")).collect()
}

/// The lines of a build as they come, to the last.
async fn follow(site: &Site, build: &str) -> Vec<String> {
    let url = site.url.replace("http://", "ws://");
    let url = format!("{url}/api/v2/workspacebuilds/{build}/logs?follow=true");
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("Coder-Session-Token", Api::of(site).token.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let mut lines = vec![];
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            let line: Value = serde_json::from_str(&text).unwrap();
            lines.push(line["output"].as_str().unwrap().to_owned());
        }
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_lines_a_second_are_kept_and_hold_nobody_up() {
    let site = Site::new();
    let (builds, build) = Builds::begin(&site, "kiln", TEMPLATE);
    let (api, path) = (Api::of(&site), format!("/workspacebuilds/{build}"));
    let meanwhile = std::thread::spawn(move || {
        // Each is answered while the flood goes on, or there would be no other.
        let mut made = 0;
        while !api.get(&path)["job"]["completed_at"].is_string() {
            let token = json!({ "token_name": format!("t{made}") });
            api.made("/users/me/keys/tokens", &token);
            assert!(api.page("/@ada/kiln/builds/1").contains("kiln"));
            made += 1;
        }
        made
    });
    let streamed = tokio::time::timeout(PATIENCE, follow(&site, &build)).await;
    let streamed = streamed.expect("the flood ends");
    let made = meanwhile.join().unwrap();
    let all: String = (1..=LINES).map(|n| format!("flood-{n:06}")).collect();
    let end = builds.end_of(&build);
    assert_eq!(end.status, "succeeded");
    assert!(flood(streamed.iter()) == all, "the stream lost or moved a line");
    assert!(flood(end.log.iter()) == all, "the log lost or moved a line");
    assert!(!end.says("left out") && !end.says("not kept"));
    assert!(made >= 5, "only {made} others were answered meanwhile");
}
