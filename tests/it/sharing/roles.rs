//! Coder's lists of roles, its search, and workspaces of service accounts.

use serde_json::json;
use steading::model::session::Shown;

use super::{World, cut};
use crate::harness::Client;
use crate::workspaces::{id, made};

#[tokio::test]
async fn coder_s_list_is_read_merged_and_cleared() {
    let world = World::new().await;
    let (server, ada) = (&world.all.server, &world.all.ada);
    let (ben, cora) = (world.user_id("ben").await, world.user_id("cora").await);
    let group = world.group("potters", &["dora"]).await;
    let acl = world.path("/acl");
    let body = json!({ "user_roles": { &ben: "use" }, "group_roles": { &group: "admin" } });
    server.patch(ada, &acl, body).await.expect(204);
    server.patch(ada, &acl, json!({ "user_roles": { &cora: "admin" } })).await.expect(204);
    let said = server.get(ada, &acl).await.expect(200).json();
    let users: Vec<_> = said["users"].as_array().unwrap().iter().collect();
    let role = |name: &str| users.iter().find(|u| u["username"] == name).unwrap()["role"].clone();
    assert_eq!((role("ben"), role("cora")), (json!("use"), json!("admin")));
    assert_eq!(said["groups"][0]["role"], "admin");
    assert_eq!(said["groups"][0]["name"], "potters");
    assert!(!said.to_string().contains('@'), "an address is told: {said}");
    // The same again changes nothing; another role replaces the one before.
    let before = world.get(ada, "/grants").await.expect(200).json();
    server.patch(ada, &acl, json!({ "user_roles": { &ben: "use" } })).await.expect(204);
    assert_eq!(world.get(ada, "/grants").await.expect(200).json(), before);
    server.patch(ada, &acl, json!({ "user_roles": { &cora: "use", &ben: "" } })).await.expect(204);
    let said = server.get(ada, &acl).await.expect(200).json();
    assert_eq!(said["users"].as_array().unwrap().len(), 1);
    assert_eq!(said["users"][0]["role"], "use");
    world.get(&world.all.ben, "").await.expect(404);
    for (field, body) in [
        ("user_roles", json!({ "user_roles": { &ben: "owner" } })),
        ("group_roles", json!({ "group_roles": { "potters": "use" } })),
        ("user", json!({ "user_roles": { (uuid::Uuid::max().to_string()): "use" } })),
    ] {
        let refused = server.patch(ada, &acl, body).await.expect(400).json();
        assert_eq!(refused["validations"][0]["field"], field, "{refused}");
    }
    let everyone = world.all.template["organization_id"].as_str().unwrap();
    server.patch(ada, &acl, json!({ "group_roles": { everyone: "use" } })).await.expect(204);
    world.get(&world.all.ben, "").await.expect(200);
    server.delete(ada, &acl).await.expect(204);
    world.get(&world.all.ben, "").await.expect(404);
    let said = server.get(ada, &acl).await.expect(200).json();
    assert_eq!(said, json!({ "users": [], "groups": [] }));
}

#[tokio::test]
async fn searches_find_what_is_shared() {
    let world = World::new().await;
    let (ada, ben) = (&world.all.ada, &world.all.ben);
    assert!(world.found(ada, "shared:true").await.is_empty());
    assert_eq!(world.found(ada, "shared:false").await, ["kiln"]);
    let me = format!("shared_with_user:{}", world.user_id("ben").await);
    assert!(world.found(ben, &me).await.is_empty());
    world.group("potters", &["ben"]).await;
    world.granted(ada, json!({ "groups": ["potters"] })).await;
    assert_eq!(world.found(ada, "shared:true").await, ["kiln"]);
    for search in ["shared_with_user:me", "shared_with_user:ben", &me] {
        assert_eq!(world.found(ben, search).await, ["kiln"], "{search}");
    }
    assert_eq!(world.found(ada, "shared_with_group:potters").await, ["kiln"]);
    assert!(world.found(ada, "shared_with_group:glazers").await.is_empty());
    // What is one's own is not shared with oneself.
    world.granted(ada, json!({ "groups": ["Everyone"] })).await;
    assert!(world.found(ada, "shared_with_user:me").await.is_empty());
    assert_eq!(world.found(ada, "shared_with_group:everyone").await, ["kiln"]);
}

#[tokio::test]
async fn a_service_account_s_workspace_is_shared_by_who_answers_for_it() {
    let world = World::new().await;
    let (server, olga, ada) = (&world.all.server, &world.all.olga, &world.all.ada);
    let body = json!({ "username": "nightly", "service_account": true, "responsible": "ada" });
    server.post(olga, "/api/v2/users", body).await.expect(201);
    let path = "/api/v2/users/nightly/keys/tokens";
    let token = server.post(olga, path, json!({ "token_name": "t" })).await.expect(201).json();
    let token = Some(token["key"].as_str().unwrap().to_owned());
    let bot = Client { token, ..Client::default() };
    let body = json!({ "name": "fleet", "template_id": world.all.template["id"] });
    let path = "/api/v2/organizations/default/members/nightly/workspaces";
    let fleet = server.post(olga, path, body).await.expect(201).json();
    world.all.done(made("token-n", 1)).await;
    let grants = format!("/api/v2/workspaces/{}/grants", id(&fleet));
    let share = json!({ "users": ["ben"], "verbs": ["use"] });
    server.get(&bot, &format!("/api/v2/workspaces/{}", id(&fleet))).await.expect(200);
    server.post(&bot, &grants, share.clone()).await.expect(403);
    server.post(&world.cora, &grants, share.clone()).await.expect(404);
    server.post(ada, &grants, share).await.expect(201);
    server.get(&world.all.ben, &format!("/api/v2/workspaces/{}", id(&fleet))).await.expect(200);
    // Nor does an account share by a grant of its own.
    world.granted(ada, json!({ "users": ["nightly"], "verbs": ["admin"] })).await;
    world.get(&bot, "").await.expect(200);
    let refused = world.grant(&bot, json!({ "users": ["ben"] })).await.expect(403).json();
    assert_eq!(refused["message"], "You may see this workspace, not share it.");
    // Who answers for it no more has nothing there.
    let path = "/api/v2/users/nightly/responsible";
    server.put(olga, path, json!({ "responsible": "cora" })).await.expect(200);
    server.get(ada, &format!("/api/v2/workspaces/{}", id(&fleet))).await.expect(404);
    server.get(&world.cora, &format!("/api/v2/workspaces/{}", id(&fleet))).await.expect(200);
}

#[tokio::test]
async fn five_hundred_live_sessions_end_at_once() {
    let world = World::new().await;
    let ada = &world.all.ada;
    let grant = world.granted(ada, json!({ "users": ["ben"] })).await;
    let mut all = Vec::new();
    for _ in 0..500 {
        all.push(world.live("ben", Shown::default()).await);
    }
    let adas = world.live("ada", Shown::default()).await;
    world.end(ada, &grant).await.expect(204);
    // All of them in the time that one has.
    let each = all.iter().map(|live| cut(live));
    futures_util::future::join_all(each).await;
    assert!(!adas.cut.is_cancelled());
}
