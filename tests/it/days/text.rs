//! Text that moves the cursor, turns lines round or hides: refused by name, or shown written out.

use serde_json::{Value, json};

use super::api::Api;
use super::builds::Builds;
use super::liar::{Channel, Identity, hello};
use crate::e2e::site::{STEADING, Site};

/// A title for the window, an empty screen, a C1 sequence, a line turned round, a hidden gap.
/// What a browser must not take for ours.
const MARKUP: &str = "<img src=x onerror=alert(1)>";
const NASTY: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}txt\u{200b}end";

/// The same in a template, in every text that it shows.
const TEMPLATE: &str = r#"
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_parameter" "size" {
  name         = "size"
  display_name = "size NASTY"
  description  = "how big NASTY"
  default      = "plain"
  mutable      = true
}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
  metadata {
    key          = "load"
    display_name = "Load NASTY"
    script       = "true"
    interval     = 60
    timeout      = 5
  }
}
resource "coder_app" "web" {
  agent_id     = coder_agent.main.id
  slug         = "web"
  display_name = "Web NASTY"
  url          = "http://localhost:1"
  healthcheck {
    url       = "http://localhost:1/"
    interval  = 5
    threshold = 3
  }
}
resource "terraform_data" "machine" {
  input = coder_agent.main.id
  provisioner "local-exec" {
    command = "printf '%s\n' \"$LOUD\""
    environment = { LOUD = "said NASTY" }
  }
}
resource "coder_metadata" "machine" {
  resource_id = terraform_data.machine.id
  item {
    key   = "fact"
    value = "true NASTY"
  }
}
"#;

/// Whether anything here reaches for the terminal or hides.
fn is_plain(text: &str) -> bool {
    let is_bad = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}')
    };
    !text.contains(is_bad)
}

#[test]
fn names_with_what_is_not_seen_are_refused_with_the_field() {
    let site = Site::new();
    let api = Api::of(&site);
    let builds = Builds::new(&site, "kiln", super::terraform::TEMPLATE);
    let template = api.get("/users/me/workspace/kiln")["template_id"].clone();
    let template = format!("/templates/{}", template.as_str().unwrap());
    let key = std::fs::read_to_string(site.path("id.pub")).unwrap();
    let workspace = format!("/workspaces/{}", builds.workspace);
    for bad in ["a\u{1b}[2Jb", "a\u{202e}b", "a\u{200b}b", "a\nb", "\u{feff}a\u{9b}31m"] {
        let asked: [(&str, &str, Value, &str); 8] = [
            ("PUT", "/users/me/profile", json!({ "username": "ada", "name": bad }), "name"),
            ("PUT", "/users/me/profile", json!({ "username": bad, "name": "Ada" }), "username"),
            ("PATCH", &template, json!({ "display_name": bad }), "display_name"),
            ("PATCH", &template, json!({ "icon": bad }), "icon"),
            (
                "POST",
                "/organizations/default/groups",
                json!({ "name": "g", "display_name": bad }),
                "display_name",
            ),
            ("POST", "/users/me/ssh-keys", json!({ "name": bad, "public_key": key }), "name"),
            ("POST", "/users/me/keys/tokens", json!({ "token_name": bad }), "token_name"),
            ("PATCH", &workspace, json!({ "name": bad }), "name"),
        ];
        for (method, path, body, field) in asked {
            let reply = api.ask(method, path, &body);
            assert_eq!(reply.status, 400, "{path} {body}: {}", reply.body);
            let said: Value = serde_json::from_str(&reply.body).unwrap();
            assert_eq!(said["validations"][0]["field"], field, "{path}: {said}");
            assert!(is_plain(&reply.body), "{}", reply.body);
        }
    }
    // A text of several lines may have lines, and nothing else of these.
    let reply = api.ask("PATCH", &template, &json!({ "description": "one\n\u{202e}two" }));
    assert!(reply.status == 400 && reply.body.contains("U+202E"), "{}", reply.body);
    api.ask("PATCH", &template, &json!({ "description": "one\ntwo · größer 女 👩\u{200d}💻" }))
        .expect(200);
    assert_eq!(api.get("/users/me")["name"], "Ada Lovelace");
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_templates_builds_and_agents_are_shown_written_out() {
    let site = Site::new();
    let hcl: String = NASTY
        .chars()
        .map(|c| match c {
            c if c.is_ascii_graphic() => c.to_string(),
            c => format!("\\u{:04x}", u32::from(c)),
        })
        .collect();
    let template = TEMPLATE.replace("NASTY", &hcl);
    Builds::new(&site, "kiln", &template);
    let api = Api::of(&site);
    // A value is a person's, and is refused by the name of its parameter.
    let workspace = api.get("/users/me/workspace/kiln");
    let body = json!({ "transition": "start",
        "rich_parameter_values": [{ "name": "size", "value": NASTY }] });
    let path = format!("/workspaces/{}/builds", workspace["id"].as_str().unwrap());
    let reply = api.ask("POST", &path, &body);
    assert!(reply.status == 400 && reply.body.contains("size"), "{}", reply.body);
    assert!(is_plain(&reply.body), "{}", reply.body);

    let who = Identity::of(&api, "kiln");
    let key = steading::model::peer::PeerKey([9; 32]);
    let mut wrong = hello(key);
    wrong["version"] = json!(format!("9 {NASTY}"));
    wrong["expanded_directory"] = json!(format!("/home/{NASTY}"));
    let (mut channel, _) = Channel::greeted(&site, &who, &wrong).await;
    channel
        .say(&json!({ "type": "metadata", "values": [
        { "key": "load", "value": NASTY, "error": NASTY, "collected_at": 1_700_000_000 } ] }))
        .await;
    channel.say_text(NASTY.to_owned()).await;
    channel.logs(1, &[&format!("agent says {NASTY}"), MARKUP]).await;

    let mut written = 0;
    for page in [
        "/workspaces",
        "/@ada/kiln",
        "/@ada/kiln/builds",
        "/@ada/kiln/builds/1",
        "/@ada/kiln/builds/1/log",
        "/@ada/kiln/settings",
        "/templates",
        "/templates/kiln",
        "/templates/kiln/workspace",
    ] {
        let html = api.page(page);
        assert!(is_plain(&html), "{page} holds what is not seen");
        assert!(!html.contains(MARKUP), "{page} holds an agent's markup");
        written += html.matches(r"\u{202e}txt\u{200b}end").count();
    }
    assert!(written >= 6, "{written} texts are shown");

    shown_by_commands(&site);
    assert!(is_plain(&site.server_log()), "the server's log holds what is not seen");
}

fn shown_by_commands(site: &Site) {
    let commands: [&[&str]; 5] = [
        &["logs", "kiln"],
        &["show", "kiln"],
        &["list"],
        &["show", "kiln", "-o", "json"],
        &["templates", "versions", "list", "kiln"],
    ];
    for command in commands {
        let ran = site.cli(command);
        assert!(is_plain(&ran.out) && is_plain(&ran.err), "{command:?}: {:?}", ran.out);
        assert_eq!(ran.code, Some(0), "{command:?}: {}", ran.err);
    }
    let logs = site.cli(&["logs", "kiln"]).ok();
    for said in [r"said \u{1b}]0;owned", r"agent says \u{1b}]0;owned"] {
        assert!(logs.contains(said), "{logs}");
    }
    // The JSON means what it meant.
    let shown: Value =
        serde_json::from_str(&site.cli(&["logs", "kiln", "-o", "json"]).ok()).unwrap();
    assert!(shown["agents"].to_string().contains("owned"), "{shown}");
    assert_eq!(shown["agents"]["main"][0]["output"], format!("agent says {NASTY}"));

    // On a terminal our own colours pass, and nothing else.
    let on_terminal = format!("{STEADING} logs kiln");
    let ran = site.run("script", &["-qec", &on_terminal, "/dev/null"]);
    assert!(ran.out.contains("agent says"), "{}", ran.out);
    for sequence in ["\u{1b}]0", "\u{1b}[2J", "\u{9b}", "\u{202e}", "\u{7}"] {
        assert!(!ran.out.contains(sequence), "{sequence:?} reached the terminal");
    }
}
