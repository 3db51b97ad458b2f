//! The entries for editors on a workspace's page: each leads to its editor, signed in by a token that holds
//! for this once.

use std::collections::BTreeMap;
use std::time::Duration;

use super::caller::Caller;
use super::world::World;
use crate::harness::Reply;
use crate::workspaces::{World as Pottery, made};

/// The link that a page leads to, in parts: what stands before its query, and that.
fn link(refresh: &str) -> (String, BTreeMap<String, String>) {
    let link = url::Url::parse(refresh.strip_prefix("0;url=").unwrap()).unwrap();
    let query = link.query_pairs().into_owned().collect();
    (refresh["0;url=".len()..].split('?').next().unwrap().to_owned(), query)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_opens_in_each_editor_with_a_token_of_its_own() {
    let world = World::new().await;
    let page = world.caller.get("/@ada/kiln").await.expect(200).body;
    let page = String::from_utf8(page.to_vec()).unwrap();
    for editor in ["VS Code", "Cursor", "Windsurf", "JetBrains Toolbox", "Zed"] {
        assert!(page.contains(editor), "{editor}");
    }
    let zed = format!("href=\"zed://ssh/kiln@127.0.0.1:{}/", world.site.ssh_port);
    assert!(page.contains(&zed), "{zed}");
    let config = format!("Host kiln.coder\n  HostName 127.0.0.1\n  Port {}\n", world.site.ssh_port);
    assert!(page.contains(&config) && page.contains("steading config-ssh"), "{config}");
    let mut seen = Vec::new();
    for (editor, before) in [
        ("vscode", "vscode://coder.coder-remote/open"),
        ("vscode-insiders", "vscode-insiders://coder.coder-remote/open"),
        ("cursor", "cursor://coder.coder-remote/open"),
        ("windsurf", "windsurf://coder.coder-remote/open"),
        ("jetbrains", "jetbrains://gateway/com.coder.toolbox"),
    ] {
        let form = format!("in={editor}&agent=main");
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let said =
            world.caller.call(("POST", "/@ada/kiln/open"), Some(form.into()), &headers).await;
        let said = said.expect(200);
        assert_eq!(said.headers["cache-control"], "no-store");
        let (place, query) = link(said.headers["refresh"].to_str().unwrap());
        assert_eq!(place, before);
        let agent = if editor == "jetbrains" { "agent_name" } else { "agent" };
        let names = [("owner", "ada"), ("workspace", "kiln"), (agent, "main")];
        for (name, value) in names {
            assert_eq!(query[name], value, "{editor} {name}");
        }
        assert_eq!(query["url"], world.caller.url);
        assert!(query["folder"].starts_with('/'), "{query:?}");
        let me = Caller::new(&world.caller.url, &query["token"]).get("/api/v2/users/me").await;
        assert_eq!(me.expect(200).json()["username"], "ada");
        assert!(!seen.contains(&query["token"]), "each hand-over has a token of its own");
        seen.push(query["token"].clone());
    }
    for form in ["in=zed&agent=main", "in=ed&agent=main", "in=cursor&agent=none"] {
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let said =
            world.caller.call(("POST", "/@ada/kiln/open"), Some(form.into()), &headers).await;
        assert!(said.status.is_client_error(), "{form}");
    }
}

#[tokio::test]
async fn a_link_that_nobody_followed_opens_nothing_later() {
    let world = Pottery::new().await;
    world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    let hand_over = async || {
        let fields = [("in", "cursor"), ("agent", "main")];
        let said: Reply =
            world.server.form(&world.ada, "/@ada/kiln/open", &fields).await.expect(200);
        let (_, query) = link(said.headers["refresh"].to_str().unwrap());
        crate::harness::Client { token: Some(query["token"].clone()), ..Default::default() }
    };
    let (used, unused) = (hand_over().await, hand_over().await);
    let me = "/api/v2/users/me";
    world.server.get(&used, me).await.expect(200);
    world.server.app.save_uses_pass().await.unwrap();
    world.server.clock.advance(Duration::from_mins(6));
    world.server.get(&used, me).await.expect(200);
    world.server.get(&unused, me).await.expect(401);
    let page = world.server.get(&world.ada, "/settings/security").await.text;
    assert!(page.contains("Cursor"), "the session is among one's own");
}
