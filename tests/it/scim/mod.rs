//! An identity provider keeps users and groups by SCIM: the compliance checker, Entra's and Okta's requests, and what must not be possible.

mod providers;

use std::time::Duration;

use serde_json::{Value, json};
use steading::clock::Clock;
use steading::model::session::{NewSession, SessionKind, Shown};
use steading::server::app::Actor;
use steading::server::app::groups::CreateGroup;
use steading::tasks::{OnPanic, Tasks};
use tokio::process::Command;

use crate::e2e::site::peers;
use crate::harness::{Client, Reply, SCIM_TOKEN, TestServer};
use crate::workspaces::{World, id, made};

const USERS: &str = "/scim/v2/Users";
const GROUPS: &str = "/scim/v2/Groups";

/// A provider with a token.
fn with(token: &str) -> Client {
    Client { headers: vec![("authorization", format!("Bearer {token}"))], ..Client::default() }
}

fn keeper() -> Client {
    with(SCIM_TOKEN)
}

async fn make(server: &TestServer, body: Value) -> Value {
    let reply = server.post(&keeper(), USERS, body).await.expect(201);
    assert_eq!(reply.headers["content-type"], "application/scim+json");
    let made = reply.json();
    assert_eq!(reply.headers["location"].to_str().unwrap(), made["meta"]["location"]);
    made
}

fn place(user: &Value) -> String {
    format!("{USERS}/{}", id(user))
}

async fn patch(server: &TestServer, path: &str, operations: Value) -> Reply {
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations });
    server.patch(&keeper(), path, body).await
}

async fn found(server: &TestServer, path: &str, filter: &str) -> Vec<Value> {
    let query = serde_urlencoded::to_string([("filter", filter)]).unwrap();
    let list = server.get(&keeper(), &format!("{path}?{query}")).await.expect(200).json();
    let found = list["Resources"].as_array().unwrap().clone();
    assert_eq!(list["totalResults"], found.len());
    found
}

/// What the owner sees of an account.
async fn status(server: &TestServer, user: &Value) -> String {
    let user = server.app.user(&Actor::System, &id(user)).await.unwrap();
    user.status.to_string()
}

#[tokio::test]
async fn the_compliance_checker_passes_whole() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = TestServer::with(|_| {}, |config| config.access_url = Some(url.clone())).await;
    server.app.create_first_user(crate::harness::person("olga")).await.unwrap();
    let (router, tasks) = (steading::server::web::router(server.state.clone()), Tasks::new());
    server.state.tasks.spawn("test-http", OnPanic::Lose, async move {
        let _ = steading::server::listen::plain(listener, router, &tasks).await;
    });
    let python = peers().join("python");
    assert!(python.join("bin/scim2").is_file(), "run .ci/peers first");
    let ran = Command::new(python.join("bin/scim2"))
        .args(["--url", &format!("{url}/scim/v2"), "test", "--verbose"])
        .env("PYTHONPATH", &python)
        .env("SCIM_CLI_HEADERS", format!("Authorization: Bearer {SCIM_TOKEN}"))
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let complained = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}{complained}");
    let passed = said.lines().filter(|line| line.contains("SUCCESS")).count();
    assert!(passed > 60, "{passed} checks: {said}");
    // It leaves nothing behind, and nobody it did not make has gone.
    let left = server.get(&keeper(), USERS).await.expect(200).json();
    assert_eq!(left["totalResults"], 0);
    server.app.user(&Actor::System, "olga").await.unwrap();
}

#[tokio::test]
async fn who_is_no_longer_active_is_out_within_two_seconds() {
    let world = World::new().await;
    let server = &world.server;
    let user = make(server, json!({ "userName": "dora@example.org", "active": true })).await;
    let name = server.app.user(&Actor::System, &id(&user)).await.unwrap().username.to_string();
    let token = json!({ "token_name": "t" });
    let path = format!("/api/v2/users/{name}/keys/tokens");
    let token = server.post(&world.olga, &path, token).await.expect(201).json();
    let dora = Client { token: Some(token["key"].as_str().unwrap().into()), ..Client::default() };
    let body = json!({ "name": "kiln", "template_id": world.template["id"] });
    let workspace = world.create(&dora, body).await.expect(201).json();
    world.done(made("token-a", 1)).await;
    let path = format!("/api/v2/workspaces/{}", id(&workspace));
    let built = server.get(&dora, &path).await.expect(200).json();
    let fleet = &server.state.fleet;
    let new = NewSession {
        shown: Shown::default(),
        is_recorded: false,
        user_id: id(&user).parse().unwrap(),
        workspace_id: id(&workspace).parse().unwrap(),
        agent_id: id(&built["latest_build"]["resources"][0]["agents"][0]).parse().unwrap(),
        kind: SessionKind::Terminal,
        address: "192.0.2.10".to_owned(),
        client: String::new(),
    };
    let live = fleet.begin(fleet.fresh_session(), new);
    assert!(live.recorded().await);

    let machine = Clock::machine();
    let began = machine.instant();
    let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    let reply = patch(server, &place(&user), off).await.expect(200);
    assert_eq!(reply.json()["active"], false);
    tokio::time::timeout(Duration::from_secs(2), live.cut.cancelled()).await.unwrap();
    server.get(&dora, &path).await.expect(401);
    assert!(machine.instant().duration_since(began) < Duration::from_secs(2));
    assert_eq!(status(server, &user).await, "suspended");

    // Who has workspaces is not deleted, and is told so.
    let kept = server.delete(&keeper(), &place(&user)).await.expect(409).json();
    assert!(kept["detail"].as_str().unwrap().contains("suspended instead of deleted"), "{kept}");
    server.get(&keeper(), &place(&user)).await.expect(200);
    // What the provider took away it gives back.
    let on = json!([{ "op": "replace", "value": { "active": true } }]);
    patch(server, &place(&user), on).await.expect(200);
    server.get(&dora, &path).await.expect(200);
}

#[tokio::test]
async fn a_provider_does_not_lift_what_someone_here_has_suspended() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let user = make(&server, json!({ "userName": "dora@example.org", "active": true })).await;
    let path = format!("/api/v2/users/{}/status/suspend", id(&user));
    server.put(&olga, &path, json!({})).await.expect(200);
    let whole = json!({ "userName": "dora@example.org", "displayName": "Dora", "active": true });
    let kept = server.put(&keeper(), &place(&user), whole).await.expect(200).json();
    assert_eq!((&kept["active"], &kept["displayName"]), (&json!(false), &json!("Dora")));
    assert_eq!(status(&server, &user).await, "suspended");
    // Nor by ending it and beginning it again: it was not the one that ended it.
    let say = async |active: bool| {
        let change = json!([{ "op": "replace", "path": "active", "value": active }]);
        patch(&server, &place(&user), change).await.expect(200).json()["active"].clone()
    };
    assert_eq!((say(false).await, say(true).await), (json!(false), json!(false)));
    assert_eq!(status(&server, &user).await, "suspended");
    // What it has ended itself it begins again, also when it says nothing of it in between.
    server.put(&olga, &path.replace("suspend", "activate"), json!({})).await.expect(200);
    assert_eq!(say(false).await, json!(false));
    let silent = json!({ "userName": "dora@example.org" });
    server.put(&keeper(), &place(&user), silent).await.expect(200);
    assert_eq!(status(&server, &user).await, "suspended");
    assert_eq!(say(true).await, json!(true));
    // Whom someone here has let in again meanwhile it sees as they are.
    assert_eq!(say(false).await, json!(false));
    server.put(&olga, &path.replace("suspend", "activate"), json!({})).await.expect(200);
    let seen = server.get(&keeper(), &place(&user)).await.expect(200).json();
    assert_eq!(seen["active"], json!(true));
}

#[tokio::test]
async fn the_last_owner_stays_whatever_a_provider_says() {
    let server = TestServer::start().await;
    let system = Actor::System;
    let user = make(&server, json!({ "userName": "dora@example.org", "active": true })).await;
    let owner = vec![steading::model::user::SiteRole::Owner];
    server.app.set_user_roles(&system, &id(&user), owner).await.unwrap();
    server.app.set_user_status(&system, "olga", false).await.unwrap();
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    let refused = patch(&server, &place(&user), off).await.expect(409).json();
    assert!(refused["detail"].as_str().unwrap().contains("There must be an owner"), "{refused}");
    let whole = json!({ "userName": "dora@example.org", "active": false });
    server.put(&keeper(), &place(&user), whole).await.expect(409);
    server.delete(&keeper(), &place(&user)).await.expect(409);
    assert_eq!(status(&server, &user).await, "dormant");
}

#[tokio::test]
async fn wrong_tokens_are_counted_and_told_and_no_person_s_token_opens_anything() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let guess =
        |token: &str| Client { peer: Some("198.51.100.7:4711".parse().unwrap()), ..with(token) };
    server.get(&olga, USERS).await.expect(401);
    server.get(&with(olga.token.as_ref().unwrap()), USERS).await.expect(401);
    server.get(&keeper(), "/api/v2/users").await.expect(401);
    for n in 0..10 {
        let reply = server.get(&guess(&format!("a-wrong-token-{n}")), USERS).await.expect(401);
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
        let body = reply.json();
        assert_eq!(body["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
        assert_eq!(body["status"], "401");
    }
    // No other counts from there for a while; the right one is not kept out by who is beside it.
    let reply = server.get(&guess("a-wrong-token-once-more"), USERS).await.expect(429);
    assert!(reply.headers.contains_key("retry-after"));
    server.get(&guess(SCIM_TOKEN), USERS).await.expect(200);
    server.get(&keeper(), USERS).await.expect(200);
    server.app.write_refusals().await.unwrap();
    let log = server.get(&olga, "/api/v2/audit?limit=50&q=action:login").await.expect(200).json();
    let told = log["audit_logs"].as_array().unwrap().iter();
    let wrong: Vec<&Value> = told.filter(|e| e["resource_target"] == "scim").collect();
    assert!(wrong.len() >= 2, "{log}");
    assert!(wrong.iter().all(|e| e["status_code"] == 401), "{wrong:?}");

    let off = TestServer::with(|_| {}, |config| config.scim = None).await;
    off.get(&keeper(), USERS).await.expect(404);
}

#[tokio::test]
async fn what_a_provider_does_is_in_the_audit_log_as_its_own() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let user = make(&server, json!({ "userName": "dora@example.org", "active": true })).await;
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    patch(&server, &place(&user), off).await.expect(200);
    server.delete(&keeper(), &place(&user)).await.expect(204);
    server.get(&keeper(), &place(&user)).await.expect(404);
    let path = "/api/v2/audit/export?format=jsonl";
    let log = server.get(&olga, path).await.expect(200);
    let entries: Vec<Value> =
        log.text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
    let theirs: Vec<String> = entries
        .iter()
        .filter(|e| e["actor"] == "scim")
        .map(|e| format!("{} {} {}", e["action"], e["resource_type"], e["diff"]["status"]["new"]))
        .collect();
    let user = "\"user\"";
    let expected = [
        format!("\"create\" {user} null"),
        format!("\"write\" {user} null"),
        format!("\"write\" {user} \"suspended\""),
        format!("\"delete\" {user} null"),
    ];
    assert_eq!(theirs, expected, "{}", log.text);
}

#[tokio::test]
async fn people_of_this_place_are_not_the_provider_s() {
    let server = TestServer::start().await;
    let list = server.get(&keeper(), USERS).await.expect(200).json();
    assert_eq!(list["totalResults"], 0);
    assert!(found(&server, USERS, "userName eq \"ada\"").await.is_empty());
    let ada = server.app.user(&Actor::System, "ada").await.unwrap();
    let path = format!("{USERS}/{}", ada.id);
    server.get(&keeper(), &path).await.expect(404);
    server.delete(&keeper(), &path).await.expect(404);
    server.put(&keeper(), &path, json!({ "userName": "x" })).await.expect(404);
    let taken = json!({ "userName": "newcomer", "emails": [{ "value": "ADA@example.org" }] });
    let refused = server.post(&keeper(), USERS, taken).await.expect(409).json();
    assert_eq!(refused["scimType"], "uniqueness");
    // Nor is an address taken later.
    let user = make(&server, json!({ "userName": "dora" })).await;
    let change = json!([{ "op": "add", "path": "emails", "value": "ada@example.org" }]);
    patch(&server, &place(&user), change).await.expect(409);
    // A group of this place keeps its people, and lends its name to no other.
    let system = Actor::System;
    let potters = CreateGroup { name: "potters".to_owned(), ..CreateGroup::default() };
    server.app.create_group(&system, "default", potters).await.unwrap();
    let ours = server.app.group_named(&system, "default", "potters").await.unwrap();
    let path = format!("{GROUPS}/{}", ours.group.id);
    server.get(&keeper(), &path).await.expect(404);
    let group = json!({ "displayName": "potters", "members": [{ "value": id(&user) }] });
    let theirs = server.post(&keeper(), GROUPS, group).await.expect(201).json();
    assert_ne!(theirs["id"], ours.group.id.to_string());
    let with_ada = json!([{ "op": "add", "path": "members", "value": [{ "value": ada.id }] }]);
    let refused = patch(&server, &format!("{GROUPS}/{}", id(&theirs)), with_ada).await;
    assert_eq!(refused.expect(400).json()["scimType"], "invalidValue");
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_in_the_standard_s_words() {
    let server = TestServer::start().await;
    let user = make(&server, json!({ "userName": "dora" })).await;
    let kind = async |reply: Reply| {
        let body = reply.json();
        assert_eq!(body["status"], reply.status.as_u16().to_string(), "{body}");
        (reply.status.as_u16(), body["scimType"].as_str().unwrap_or_default().to_owned())
    };
    let twice = server.post(&keeper(), USERS, json!({ "userName": "DORA" })).await;
    assert_eq!(kind(twice).await, (409, "uniqueness".to_owned()));
    let empty = server.post(&keeper(), USERS, json!({})).await;
    assert_eq!(kind(empty).await, (400, "invalidValue".to_owned()));
    let list = server.post(&keeper(), USERS, json!([])).await;
    assert_eq!(kind(list).await, (400, "invalidSyntax".to_owned()));
    let filter = server.get(&keeper(), &format!("{USERS}?filter=userName%20co%20%22a%22")).await;
    assert_eq!(kind(filter).await, (400, "invalidFilter".to_owned()));
    let count = server.get(&keeper(), &format!("{USERS}?count=many")).await;
    assert_eq!(kind(count).await, (400, "invalidValue".to_owned()));
    let fixed = json!([{ "op": "add", "path": "id", "value": "1" }]);
    let fixed = patch(&server, &place(&user), fixed).await;
    assert_eq!(kind(fixed).await, (400, "mutability".to_owned()));
    let nowhere = server.get(&keeper(), &format!("{USERS}/none")).await;
    assert_eq!(kind(nowhere).await, (404, String::new()));
    let page = Client { headers: vec![("accept", "text/html".to_owned())], ..keeper() };
    let unknown = server.get(&page, "/scim/v2/Nothing").await;
    assert_eq!(kind(unknown).await, (404, String::new()));
    let huge = json!({ "userName": "x", "displayName": "y".repeat(2 << 20) });
    assert_eq!(kind(server.post(&keeper(), USERS, huge).await).await.0, 413);
    let none = server.get(&keeper(), &format!("{USERS}?count=0")).await.expect(200).json();
    assert_eq!((&none["totalResults"], &none["Resources"]), (&json!(1), &json!([])));
}
