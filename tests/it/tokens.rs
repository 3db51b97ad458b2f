//! Tokens with limits: what they may do, to what, from where, and what they hand on.

use serde_json::{Value, json};

use crate::harness::{Client, Reply, TestServer};
use crate::workspaces::{World, id, made};

const TOKENS: &str = "/api/v2/users/me/keys/tokens";

async fn mint(server: &TestServer, by: &Client, body: Value) -> Client {
    let reply = server.post(by, TOKENS, body).await.expect(201);
    let token = reply.json()["key"].as_str().unwrap().to_owned();
    Client { token: Some(token), ..Client::default() }
}

/// Two workspaces of Ada's that have been built.
async fn two_workspaces() -> (World, Value, Value) {
    let world = World::new().await;
    let mut both = Vec::new();
    for name in ["kiln", "loom"] {
        let made_one = world.adas(name).await;
        world.done(made(&format!("agent-{name}"), 1)).await;
        both.push(made_one);
    }
    let second = both.pop().unwrap();
    (world, both.pop().unwrap(), second)
}

fn builds(workspace: &Value) -> String {
    format!("/api/v2/workspaces/{}/builds", id(workspace))
}

fn why(reply: &Reply) -> String {
    reply.json()["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_does_what_its_scope_says_and_no_more() {
    let (world, kiln, _) = two_workspaces().await;
    let server = &world.server;
    let scopes = json!(["workspace:read", "workspace:stop"]);
    let token =
        mint(server, &world.ada, json!({ "token_name": "stopper", "scopes": scopes })).await;
    server.get(&token, &format!("/api/v2/workspaces/{}", id(&kiln))).await.expect(200);
    let reply = server.post(&token, &builds(&kiln), json!({ "transition": "delete" })).await;
    assert!(why(&reply.expect(403)).contains("workspace:delete"));
    let reply = server.post(&token, &builds(&kiln), json!({ "transition": "start" })).await;
    assert!(why(&reply.expect(403)).contains("workspace:start"));
    server.get(&token, "/api/v2/users/me").await.expect(403);
    server.get(&token, "/api/v2/templates").await.expect(403);
    server.post(&token, TOKENS, json!({})).await.expect(403);
    server.post(&token, "/api/v2/users/me/keys", json!({})).await.expect(403);
    // Pages do more than one thing.
    server.get(&token, "/workspaces").await.expect(403);
    server.post(&token, &builds(&kiln), json!({ "transition": "stop" })).await.expect(201);
}

#[tokio::test]
async fn a_token_for_one_workspace_does_not_know_the_other() {
    let (world, kiln, loom) = two_workspaces().await;
    let server = &world.server;
    let allow = json!([format!("workspace:{}", id(&kiln))]);
    let body = json!({ "token_name": "one", "scopes": ["workspace:*"], "allow_list": allow });
    let token = mint(server, &world.ada, body).await;
    server.get(&token, &format!("/api/v2/workspaces/{}", id(&kiln))).await.expect(200);
    server.get(&token, &format!("/api/v2/workspaces/{}", id(&loom))).await.expect(404);
    server.post(&token, &builds(&loom), json!({ "transition": "stop" })).await.expect(404);
    let list = server.get(&token, "/api/v2/workspaces").await.expect(200).json();
    let names: Vec<&str> = list["workspaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| w["name"].as_str().unwrap())
        .collect();
    assert_eq!((names, &list["count"]), (vec!["kiln"], &json!(1)));
    let body = json!({ "name": "third", "template_id": world.template["id"] });
    server.post(&token, "/api/v2/users/me/workspaces", body).await.expect(403);
}

#[tokio::test]
async fn a_token_is_of_no_use_outside_its_networks() {
    let server = TestServer::start().await;
    let ada = server.sign_in("ada").await;
    let body = json!({ "token_name": "home", "allow_cidrs": ["192.0.2.0/24"] });
    let token = mint(&server, &ada, body).await;
    server.get(&token, "/api/v2/users/me").await.expect(200);
    let away = Client { peer: Some("203.0.113.9:4711".parse().unwrap()), ..token };
    let refused = server.get(&away, "/api/v2/users/me").await.expect(403);
    assert!(why(&refused).contains("203.0.113.9"), "{}", refused.text);
    let bad = json!({ "token_name": "bad", "allow_cidrs": ["home"] });
    let bad = server.post(&ada, TOKENS, bad).await.expect(400).json();
    assert_eq!(bad["validations"][0]["field"], "allow_cidrs");
}

#[tokio::test]
async fn a_token_with_limits_makes_no_way_in_without_them() {
    let server = TestServer::start().await;
    let ada = server.sign_in("ada").await;
    let near = json!({ "token_name": "near", "allow_cidrs": ["192.0.2.0/24"] });
    let scopes = json!(["api_key:*", "user:*"]);
    for body in [near, json!({ "token_name": "some", "scopes": scopes })] {
        let token = mint(&server, &ada, body).await;
        server.post(&token, "/api/v2/users/me/keys", json!({})).await.expect(403);
        let key = json!({ "public_key": crate::access::bodies::ssh_key("ada") });
        let refused = server.post(&token, "/api/v2/users/me/ssh-keys", key).await.expect(403);
        assert!(why(&refused).contains("limits"), "{}", refused.text);
    }
}

#[tokio::test]
async fn a_token_hands_on_a_part_of_itself_for_a_while_and_not_for_ever() {
    let server = TestServer::start().await;
    let ada = server.sign_in("ada").await;
    let scopes = json!(["api_key:*", "workspace:*"]);
    let body = json!({ "token_name": "a", "scopes": scopes, "allow_cidrs": ["192.0.2.0/24"] });
    let first = mint(&server, &ada, body).await;
    for (body, field) in [
        (json!({ "scopes": ["all"] }), "more than it has"),
        (json!({ "scopes": ["user:read"] }), "more than it has"),
        (json!({ "allow_cidrs": ["192.0.0.0/16"] }), "nearer"),
    ] {
        let refused = server.post(&first, TOKENS, body).await.expect(403);
        assert!(why(&refused).contains(field), "{}", refused.text);
    }
    let long = json!({ "lifetime": 7_200_000_000_000_i64 });
    server.post(&first, TOKENS, long).await.expect(400);
    let second = mint(&server, &first, json!({ "scopes": ["api_key:*"] })).await;
    let third = mint(&server, &second, json!({})).await;
    let fourth = mint(&server, &third, json!({})).await;
    let refused = server.post(&fourth, TOKENS, json!({})).await.expect(403);
    assert!(why(&refused).contains("hands nothing on"), "{}", refused.text);
    server.get(&fourth, TOKENS).await.expect(200);
    let away = Client { peer: Some("203.0.113.9:4711".parse().unwrap()), ..fourth.clone() };
    server.get(&away, TOKENS).await.expect(403);
    // It ends with whoever made it.
    server.delete(&ada, &format!("{}/a", TOKENS.replace("/tokens", ""))).await.expect(204);
    for token in [&first, &second, &third, &fourth] {
        server.get(token, TOKENS).await.expect(401);
    }
}

#[tokio::test]
async fn scopes_are_listed_and_what_is_none_is_named() {
    let server = TestServer::start().await;
    let ada = server.sign_in("ada").await;
    let words = server.get(&ada, "/api/v2/auth/scopes").await.expect(200).json();
    let words = words["external"].as_array().unwrap();
    for word in ["all", "application_connect", "workspace:*", "workspace:ssh", "template:read"] {
        assert!(words.contains(&json!(word)), "{word}");
    }
    let body = json!({ "scopes": ["workspace:fly"] });
    let refused = server.post(&ada, TOKENS, body).await.expect(400).json();
    assert_eq!(refused["validations"][0]["field"], "scopes");
    let token = mint(&server, &ada, json!({ "token_name": "t", "scope": "all" })).await;
    let entry = server.get(&token, &format!("{TOKENS}/t")).await.expect(200).json();
    assert_eq!(entry["scopes"], json!(["all"]));
    assert_eq!(entry["allow_list"], json!(["*:*"]));
}
