//! The language of searches at the API: each key that Coder documents for workspaces, templates, users and
//! the log of connections, and what is said of a key that there is not.

use std::time::Duration;

use serde_json::{Value, json};
use steading::model::parameter::Parameter;
use steading::model::template::Imported;
use steading::server::app::jobs::BuildOutcome;

use crate::harness::Client;
use crate::workspaces::{World, cores, id, imported, made};

/// Asks, and checks what is found, by the names of its entries.
struct Asker<'w> {
    world: &'w World,
    who: &'w Client,
    /// The list's path, where in the answer it stands, and what its entries are told apart by.
    list: (&'static str, &'static str, &'static str),
}

impl Asker<'_> {
    async fn found(&self, query: &str) -> Value {
        let q = serde_urlencoded::to_string([("q", query)]).unwrap();
        let path = format!("/api/v2/{}?{q}", self.list.0);
        self.world.server.get(self.who, &path).await.expect(200).json()
    }

    async fn finds(&self, query: &str, names: &[&str]) {
        let said = self.found(query).await;
        let list = said.pointer(self.list.1).unwrap().as_array().unwrap();
        let mut found: Vec<&str> = list.iter().map(|e| e[self.list.2].as_str().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, names, "{query}");
        let n = i64::try_from(found.len()).unwrap();
        assert_eq!(said.get("count").and_then(Value::as_i64).unwrap_or(n), n, "{query}");
    }

    /// It is refused, and the validation is on `q`.
    async fn refused(&self, query: &str, named: &str) {
        let q = serde_urlencoded::to_string([("q", query)]).unwrap();
        let path = format!("/api/v2/{}?{q}", self.list.0);
        let said = self.world.server.get(self.who, &path).await.expect(400).json();
        assert!(said["message"].is_string() && said["detail"].is_string(), "{said}");
        assert_eq!(said["validations"][0]["field"], "q", "{query}: {said}");
        let why = said["validations"][0]["detail"].as_str().unwrap();
        assert!(why.contains(named), "{query}: {why}");
    }
}

/// `ada/kiln` runs and is shared with Ben, `ada/oven` is stopped; `ben/press` runs, of the template `wheel`.
async fn world() -> World {
    let world = World::new().await;
    let kiln = world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    world.server.clock.advance(Duration::from_hours(2));
    let body = json!({ "name": "oven", "template_id": world.template["id"],
        "rich_parameter_values": [{ "name": "cores", "value": "4" }] });
    let oven = world.create(&world.ada, body).await.expect(201).json();
    world.done(made("token-b", 1)).await;
    world.build(&world.ada, &oven, json!({ "transition": "stop" })).await.expect(201);
    world.done(BuildOutcome { resources: vec![], ..made("token-b", 2) }).await;
    let region = Parameter { name: "region".into(), ..cores() };
    let more = Imported { parameters: vec![cores(), region], ..imported() };
    let version = world.push(None, Ok(more)).await;
    let body = json!({ "name": "wheel", "display_name": "Potter's wheel",
        "template_version_id": version["id"] });
    let path = "/api/v2/organizations/default/templates";
    let wheel = world.server.post(&world.olga, path, body).await.expect(201).json();
    let body = json!({ "name": "press", "template_id": wheel["id"] });
    world.create(&world.ben, body).await.expect(201);
    world.done(made("token-c", 1)).await;
    let ben = world.server.get(&world.ben, "/api/v2/users/me").await.json();
    let body = json!({ "user_roles": { ben["id"].as_str().unwrap(): "use" } });
    let path = format!("/api/v2/workspaces/{}/acl", id(&kiln));
    world.server.patch(&world.ada, &path, body).await.expect(204);
    let newer = world.push(Some(&world.template["id"]), Ok(imported())).await;
    let path = format!("/api/v2/templates/{}/versions", id(&world.template));
    world.server.patch(&world.tess, &path, json!({ "id": newer["id"] })).await.expect(200);
    world
}

/// Every workspace of the world.
const ALL: [&str; 3] = ["kiln", "oven", "press"];

/// What an owner searches for, and what is found.
const WORKSPACES: &[(&str, &[&str])] = &[
    ("", &ALL),
    ("owner:me", &[]),
    ("owner:ada", &["kiln", "oven"]),
    ("owner:nobody", &[]),
    ("ada/kiln", &["kiln"]),
    ("name:ov", &["oven"]),
    ("pre", &["press"]),
    ("template:wheel", &["press"]),
    ("status:running", &["kiln", "press"]),
    ("status:stopped owner:ada", &["oven"]),
    ("status:failed", &[]),
    ("outdated:true", &["kiln", "oven"]),
    ("outdated:false", &["press"]),
    ("dormant:false", &ALL),
    ("dormant:true", &[]),
    ("is-dormant:true", &[]),
    ("deleting_by:2030-01-31", &[]),
    ("has-ai-task:true", &[]),
    ("has-ai-task:false", &ALL),
    ("has_external_agent:true", &[]),
    ("has_external_agent:false", &ALL),
    ("has-agent:connecting", &["press"]),
    ("has-agent:timeout", &["kiln"]),
    ("has-agent:connected", &[]),
    ("healthy:true", &["press"]),
    ("healthy:false", &["kiln", "oven"]),
    ("healthy:false status:running", &["kiln"]),
    ("param:region", &["press"]),
    ("param:cores=4", &["oven"]),
    ("param:\"cores=2\" param:region=2", &["press"]),
    ("param:absent", &[]),
    ("shared:true", &["kiln"]),
    ("shared:false", &["oven", "press"]),
    ("shared_with_user:ben", &["kiln"]),
    ("shared_with_user:me", &[]),
    ("shared_with_group:nobody", &[]),
    ("organization:default", &ALL),
    ("organization:elsewhere", &[]),
    ("last_used_before:2000-01-01T00:00:00Z", &[]),
    ("last_used_after:2000-01-01T00:00:00Z", &ALL),
];

#[tokio::test]
async fn workspaces_are_found_by_each_key() {
    let world = world().await;
    let of = |who| Asker { world: &world, who, list: ("workspaces", "/workspaces", "name") };
    let (olga, ada, ben) = (of(&world.olga), of(&world.ada), of(&world.ben));
    for (query, names) in WORKSPACES {
        olga.finds(query, names).await;
    }
    let kiln = olga.found("name:kiln").await["workspaces"][0].clone();
    olga.finds(&format!("id:{}", id(&kiln)), &["kiln"]).await;
    let home = kiln["organization_id"].as_str().unwrap();
    olga.finds(&format!("organization:{home} owner:ben"), &["press"]).await;
    let used = kiln["last_used_at"].as_str().unwrap();
    olga.finds(&format!("last_used_before:{used}"), &[]).await;
    olga.finds(&format!("last_used_after:{used}"), &["oven", "press"]).await;
    ada.finds("owner:me", &["kiln", "oven"]).await;
    ada.finds("owner:ben", &[]).await;
    ben.finds("", &["kiln", "press"]).await;
    ben.finds("shared_with_user:me", &["kiln"]).await;
    for (query, named) in [
        ("colour:red", "last_used_after"),
        ("outdated:perhaps", "perhaps"),
        ("healthy:so-so", "so-so"),
        ("last_used_after:july", "2026-01-31"),
        ("deleting_by:soon", "2026-01-31"),
        ("id:7", "UUID"),
    ] {
        olga.refused(query, named).await;
    }
}

#[tokio::test]
async fn templates_are_found_by_each_key() {
    let world = world().await;
    let olga = Asker { world: &world, who: &world.olga, list: ("templates", "", "name") };
    let path = format!("/api/v2/templates/{}", id(&world.template));
    let body = json!({ "deprecation_message": "Cracked" });
    world.server.patch(&world.tess, &path, body).await.expect(200);
    for (query, names) in [
        ("", &["kiln", "wheel"][..]),
        ("whe", &["wheel"]),
        ("name:kil", &["kiln"]),
        ("search:potter", &["wheel"]),
        ("exact_name:kil", &[]),
        ("exact_name:Kiln", &["kiln"]),
        ("display_name:potter", &["wheel"]),
        ("author:me", &["wheel"]),
        ("author:tess", &["kiln"]),
        ("deprecated:true", &["kiln"]),
        ("deprecated:false", &["wheel"]),
        ("organization:default", &["kiln", "wheel"]),
        ("organization:elsewhere", &[]),
        ("has-ai-task:true", &[]),
        ("has_external_agent:true", &[]),
        ("has_external_agent:false", &["kiln", "wheel"]),
    ] {
        olga.finds(query, names).await;
    }
    olga.refused("colour:red", "exact_name").await;
    olga.refused("deprecated:perhaps", "perhaps").await;
    let ada = Asker { world: &world, who: &world.ada, list: ("templates", "", "name") };
    ada.finds("", &["wheel"]).await;
}

#[tokio::test]
async fn users_are_found_by_each_key() {
    let world = World::new().await;
    let olga = Asker { world: &world, who: &world.olga, list: ("users", "/users", "username") };
    let all = ["ada", "aude", "ben", "olga", "tess", "urs"];
    world.server.put(&world.olga, "/api/v2/users/ben/status/suspend", json!({})).await.expect(200);
    for (query, names) in [
        ("", &all[..]),
        ("ad", &["ada"]),
        ("search:\"example.org\"", &all),
        ("status:suspended", &["ben"]),
        ("status:active,suspended", &["ada", "ben", "olga", "tess"]),
        ("role:owner", &["olga"]),
        ("role:user-admin,template-admin", &["tess", "urs"]),
        ("login_type:password", &all),
        ("login_type:github", &[]),
        ("created_before:2000-01-01T00:00:00Z", &[]),
        ("created_after:2000-01-01T00:00:00Z", &all),
        ("last_seen_before:2000-01-01T00:00:00Z", &["aude", "urs"]),
        ("last_seen_after:2000-01-01T00:00:00Z", &["ada", "ben", "olga", "tess"]),
        ("service_account:true", &[]),
    ] {
        olga.finds(query, names).await;
    }
    olga.refused("colour:red", "last_seen_before").await;
    olga.refused("status:asleep", "asleep").await;
}
