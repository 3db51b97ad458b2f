//! Two boards with one copied disk: the second is refused, and both are told which they are.

use serde_json::{Value, json};
use steading::model::peer::PeerKey;
use steading::wire::agent::ToAgent;

use super::api::Api;
use super::liar::{Channel, Identity, hello};
use crate::e2e::site::Site;

/// A hello of a machine with this name and print.
fn from(key: u8, name: &str, print: &str) -> Value {
    let mut hello = hello(PeerKey([key; 32]));
    hello["machine"] = json!({ "name": name, "print": print });
    hello
}

fn why(answer: ToAgent) -> String {
    match answer {
        ToAgent::Refused { why } => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn two_machines_with_one_token_are_named_to_each_other() {
    let site = Site::new();
    site.push_starter("external");
    site.cli(&["create", "pi", "--template", "external", "--yes"]).ok();
    let instructions = ["external-workspaces", "agent-instructions", "pi", "-o", "json"];
    let told: Value = serde_json::from_str(&site.cli(&instructions).ok()).unwrap();
    let token = told["auth_token"].as_str().unwrap().to_owned();
    let who = Identity { agent: String::new(), app: String::new(), token };

    let (mut first, answer) = Channel::greeted(&site, &who, &from(1, "garden-pi", "aa")).await;
    assert!(matches!(answer, ToAgent::Manifest { .. }), "{answer:?}");
    let (_, answer) = Channel::greeted(&site, &who, &from(2, "green<b>house", "bb")).await;
    let why = why(answer);
    let says =
        "this is greenbhouse at 127.0.0.1, and garden-pi at 127.0.0.1 is here with the same token";
    assert!(why.starts_with(says), "{why}");
    let text = loop {
        if let ToAgent::Told { text } = first.heard().await.expect("the first one stays") {
            break text;
        }
    };
    assert!(text.contains("was refused: greenbhouse at 127.0.0.1. Was the disk copied?"), "{text}");

    let cookie = format!("Coder-Session-Token: {}", site.cli(&["login", "token"]).ok().trim());
    for page in ["/@ada/pi", "/@ada/pi/attach"] {
        let page = site.run("curl", &["-fsS", "-H", &cookie, &format!("{}{page}", site.url)]).ok();
        assert!(page.contains("Two machines have one token"), "{page}");
        assert!(page.contains("greenbhouse at 127.0.0.1"), "{page}");
    }

    // The same machine may begin again at once, whether or not its last life is known to be over.
    let (_again, answer) = Channel::greeted(&site, &who, &from(3, "garden-pi", "aa")).await;
    assert!(matches!(answer, ToAgent::Manifest { .. }), "{answer:?}");
    assert_eq!(Api::of(&site).get("/users/me/workspace/pi")["latest_build"]["status"], "running");
}
