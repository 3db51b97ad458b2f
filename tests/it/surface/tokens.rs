//! `/users/{user}/keys`: sessions of programs and API tokens.

use http::Method;
use serde_json::{Value, json};

use super::shapes::{API_KEY, Is, NEW_KEY, USER};
use super::{Caller, each, text};
use crate::harness::{Client, TestServer};

const TOKENS: &str = "/users/me/keys/tokens";
const KEYS: Is = Is::List(&API_KEY);
const HOUR: i64 = 3_600_000_000_000;

async fn mint(by: &Caller<'_>, body: Value) -> Client {
    let made = by.call((Method::POST, TOKENS), Some(body), (201, &NEW_KEY)).await;
    Client { token: Some(text(&made, "key")), ..Client::default() }
}

#[tokio::test]
async fn a_token_is_kept_from_its_making_to_its_end() {
    let server = TestServer::start().await;
    let ada = Caller::new(&server, "ada").await;
    assert_eq!(ada.get(TOKENS, &KEYS).await, json!([]));
    let body = json!({ "token_name": "ci", "lifetime": HOUR, "scope": "all", "scopes": null });
    let ci = mint(&ada, body.clone()).await;
    let (public, _) = ci.token.as_ref().unwrap().split_once('-').unwrap();
    let shown = ada.get(&format!("{TOKENS}/ci"), &API_KEY).await;
    assert_eq!((&shown["id"], &shown["lifetime_seconds"]), (&json!(public), &json!(3600)));
    assert_eq!((&shown["scope"], &shown["login_type"]), (&json!("all"), &json!("token")));
    assert_eq!(shown["allow_list"], json!(["*:*"]));
    let one = format!("/users/me/keys/{public}");
    assert_eq!(ada.get(&one, &API_KEY).await["token_name"], "ci");
    ada.refused((Method::POST, TOKENS), Some(body), (409, None)).await;
    let program = Caller { server: &server, who: ci };
    assert_eq!(program.get("/users/me", &USER).await["username"], "ada");

    // Ended, it is of no use and still listed to who asks for those that have ended.
    ada.call((Method::PUT, &format!("{one}/expire")), None, (204, &Is::Nothing)).await;
    program.refused((Method::GET, "/users/me"), None, (401, None)).await;
    assert_eq!(ada.get(TOKENS, &KEYS).await, json!([]));
    let ended = ada.get(&format!("{TOKENS}?include_expired=true"), &KEYS).await;
    assert_eq!(each(&ended, "token_name"), ["ci"]);
    assert!(text(&ended[0], "expires_at") < text(&shown, "expires_at"));
    ada.call((Method::DELETE, &one), None, (204, &Is::Nothing)).await;
    ada.refused((Method::GET, &one), None, (404, None)).await;
    ada.refused((Method::PUT, &format!("{one}/expire")), None, (404, None)).await;
    assert_eq!(ada.get(&format!("{TOKENS}?include_expired=true"), &KEYS).await, json!([]));
}

#[tokio::test]
async fn a_token_that_is_ended_ends_those_that_came_from_it() {
    let server = TestServer::start().await;
    let ada = Caller::new(&server, "ada").await;
    let some = json!({ "token_name": "a", "scopes": ["coder:apikeys.manage_self", "user:read"] });
    let first = Caller { server: &server, who: mint(&ada, some).await };
    let second = Caller { server: &server, who: mint(&first, json!({ "token_name": "b" })).await };
    second.get(TOKENS, &KEYS).await;
    let path = "/users/me/keys/a/expire";
    ada.call((Method::PUT, path), None, (204, &Is::Nothing)).await;
    second.refused((Method::GET, TOKENS), None, (401, None)).await;
    // A session slides while it is used: what is ended of it is gone.
    let made = ada.call((Method::POST, "/users/me/keys"), None, (201, &NEW_KEY)).await;
    let who = Client { token: Some(text(&made, "key")), ..Client::default() };
    let session = Caller { server: &server, who };
    let key = text(&made, "key");
    let one = format!("/users/me/keys/{}", key.split_once('-').unwrap().0);
    assert_eq!(ada.get(&one, &API_KEY).await["login_type"], "password");
    ada.call((Method::PUT, &format!("{one}/expire")), None, (204, &Is::Nothing)).await;
    session.refused((Method::GET, "/users/me"), None, (401, None)).await;
    ada.refused((Method::GET, &one), None, (404, None)).await;
}

#[tokio::test]
async fn limits_are_written_as_documented() {
    let server = TestServer::start().await;
    let ada = Caller::new(&server, "ada").await;
    let id = "01890000-0000-7000-8000-000000000001";
    let things = json!([{ "type": "workspace", "id": id }, format!("template:*")]);
    let body = json!({ "token_name": "one", "scopes": ["coder:workspaces.access"],
        "allow_list": things });
    mint(&ada, body).await;
    let shown = ada.get(&format!("{TOKENS}/one"), &API_KEY).await;
    let things = json!(["template:*", format!("workspace:{id}")]);
    assert_eq!((&shown["scope"], &shown["allow_list"]), (&json!(""), &things));
    assert!(shown["scopes"].as_array().unwrap().contains(&json!("workspace:ssh")));
    let all = ada.get("/auth/scopes", &Is::Object(&[("external", Is::List(&Is::Text))])).await;
    for word in all["external"].as_array().unwrap() {
        let body = json!({ "scopes": [word], "lifetime": HOUR });
        mint(&ada, body).await;
    }
    for (body, field) in [
        (json!({ "scopes": ["workspace:fly"] }), "scopes"),
        (json!({ "lifetime": HOUR * 24 * 366 }), "lifetime"),
        (json!({ "lifetime": -1 }), "lifetime"),
        (json!({ "token_name": "two words" }), "token_name"),
    ] {
        ada.refused((Method::POST, TOKENS), Some(body), (400, Some(field))).await;
    }
    let config = Is::Object(&[("max_token_lifetime", Is::Number)]);
    let config = ada.get(&format!("{TOKENS}/tokenconfig"), &config).await;
    assert_eq!(config["max_token_lifetime"], HOUR * 24 * 365);
}

#[tokio::test]
async fn an_owner_makes_and_sees_tokens_of_others() {
    let server = TestServer::start().await;
    let (olga, ada) = (Caller::new(&server, "olga").await, Caller::new(&server, "ada").await);
    let path = "/users/ada/keys/tokens";
    let body = json!({ "token_name": "robot", "lifetime": HOUR });
    olga.call((Method::POST, path), Some(body), (201, &NEW_KEY)).await;
    assert_eq!(each(&olga.get(path, &KEYS).await, "username"), ["ada"]);
    let all = olga.get(&format!("{TOKENS}?include_all=true"), &KEYS).await;
    assert_eq!(each(&all, "token_name"), ["robot"]);
    ada.refused((Method::GET, &format!("{TOKENS}?include_all=true")), None, (403, None)).await;
    ada.refused((Method::GET, "/users/ben/keys/tokens"), None, (404, None)).await;
    ada.refused((Method::GET, &format!("{TOKENS}/none")), None, (404, None)).await;
}

#[tokio::test]
async fn tokens_come_in_parts_whatever_sessions_there_are_besides() {
    let server = TestServer::start().await;
    let ada = Caller::new(&server, "ada").await;
    for n in 0..5 {
        server.clock.advance(std::time::Duration::from_secs(1));
        mint(&ada, json!({ "token_name": format!("t{n}") })).await;
        server.sign_in("ada").await;
    }
    let part = async |query: &str| {
        let path = format!("{TOKENS}?{query}");
        each(&ada.get(&path, &KEYS).await, "token_name")
    };
    assert_eq!(part("limit=2").await, ["t4", "t3"]);
    assert_eq!(part("limit=2&offset=2").await, ["t2", "t1"]);
    assert_eq!(part("limit=2&offset=4").await, ["t0"]);
    assert_eq!(part("").await.len(), 5);
    let olga = Caller::new(&server, "olga").await;
    let path = format!("{TOKENS}?include_all=true&limit=3&offset=1");
    assert_eq!(each(&olga.get(&path, &KEYS).await, "token_name"), ["t3", "t2", "t1"]);
}
