//! Who may use and keep a template: lists of people and groups, and what nobody learns from them.

use http::Method;
use serde_json::{Value, json};
use steading::model::build::{BuildReason, Transition};
use steading::model::id::{TemplateId, UserId, WorkspaceId};
use steading::server::app::build_requests::BuildRequest;
use steading::server::app::jobs::BuildOutcome;
use steading::server::app::{Actor, Error};
use steading::server::db::template_grants;

use crate::harness::{Client, person};
use crate::workspaces::{World, id, imported, made};

const ORGANIZATION: &str = "/api/v2/organizations/default";

async fn user_id(world: &World, name: &str) -> String {
    id(&world.server.get(&world.olga, &format!("/api/v2/users/{name}")).await.expect(200).json())
}

async fn change(world: &World, by: &Client, body: Value) -> crate::harness::Reply {
    let path = format!("/api/v2/templates/{}/acl", id(&world.template));
    world.server.patch(by, &path, body).await
}

/// Takes Everyone off the template's list, as Coder's clients do.
async fn make_private(world: &World) {
    let everyone = world.template["organization_id"].as_str().unwrap();
    change(world, &world.tess, json!({ "group_perms": { everyone: "" } })).await.expect(200);
}

/// A group with these members.
async fn group(world: &World, name: &str, members: &[&str]) -> String {
    let path = format!("{ORGANIZATION}/groups");
    let made = world.server.post(&world.olga, &path, json!({ "name": name })).await.expect(201);
    let made = id(&made.json());
    let body = json!({ "add_users": members });
    world.server.patch(&world.olga, &format!("/api/v2/groups/{made}"), body).await.expect(200);
    made
}

/// Every way to learn of the template and its version, and what it answers.
async fn answers(world: &World, who: &Client) -> Vec<u16> {
    let template = id(&world.template);
    let version = world.template["active_version_id"].as_str().unwrap();
    let ways = [
        format!("/api/v2/templates/{template}"),
        format!("/api/v2/templates/{template}/versions"),
        format!("/api/v2/templates/{template}/versions/v1"),
        format!("{ORGANIZATION}/templates/kiln"),
        format!("{ORGANIZATION}/templates/kiln/versions/v1"),
        format!("/api/v2/templateversions/{version}"),
        format!("/api/v2/templateversions/{version}/rich-parameters"),
        format!("/api/v2/templateversions/{version}/resources"),
        format!("/api/v2/templateversions/{version}/presets"),
        format!("/api/v2/templateversions/{version}/logs"),
        "/templates/kiln".to_owned(),
        "/templates/kiln/versions/v1".to_owned(),
        "/templates/kiln/workspace".to_owned(),
    ];
    let mut all = Vec::new();
    for way in ways {
        all.push(world.server.get(who, &way).await.status.as_u16());
    }
    all
}

async fn listed(world: &World, who: &Client) -> usize {
    let list = world.server.get(who, "/api/v2/templates").await.expect(200).json();
    let there =
        world.server.get(who, &format!("{ORGANIZATION}/templates")).await.expect(200).json();
    assert_eq!(list, there);
    list.as_array().unwrap().len()
}

async fn create(world: &World, who: &Client, name: &str) -> u16 {
    let body = json!({ "name": name, "template_id": world.template["id"] });
    world.create(who, body).await.status.as_u16()
}

#[tokio::test]
async fn a_template_is_known_to_who_is_on_its_list_and_to_nobody_else() {
    let world = World::new().await;
    let (ada, ben) = (&world.ada, &world.ben);
    assert!(answers(&world, ada).await.iter().all(|status| *status == 200));
    assert_eq!(listed(&world, ada).await, 1);
    make_private(&world).await;
    let unknown = answers(&world, ada).await;
    assert!(unknown.iter().all(|status| *status == 404), "{unknown:?}");
    assert_eq!((listed(&world, ada).await, create(&world, ada, "kiln").await), (0, 404));
    assert!(answers(&world, &world.tess).await.iter().all(|status| *status == 200));
    // By a group, and by name.
    let potters = group(&world, "potters", &["ada"]).await;
    change(&world, &world.tess, json!({ "group_perms": { potters: "use" } })).await.expect(200);
    assert!(answers(&world, ada).await.iter().all(|status| *status == 200));
    assert_eq!((listed(&world, ada).await, listed(&world, ben).await), (1, 0));
    assert_eq!((create(&world, ada, "kiln").await, create(&world, ben, "kiln").await), (201, 404));
    let me = user_id(&world, "ben").await;
    change(&world, &world.tess, json!({ "user_perms": { &me: "use" } })).await.expect(200);
    assert_eq!((listed(&world, ben).await, create(&world, ben, "kiln").await), (1, 201));
    change(&world, &world.tess, json!({ "user_perms": { &me: "" } })).await.expect(200);
    assert!(answers(&world, ben).await.iter().all(|status| *status == 404));
    let path = format!("/api/v2/templates/{}/acl", id(&world.template));
    world.server.get(ada, &path).await.expect(403);
    world.server.get(ben, &path).await.expect(404);
    let log = world.server.get(&world.olga, "/api/v2/audit?q=resource_type:template").await;
    assert!(log.text.contains("user_acl") && log.text.contains("ben:use"), "{}", log.text);
}

#[tokio::test]
async fn a_template_can_be_private_from_its_first_moment_and_be_opened() {
    let world = World::new().await;
    let version = world.push(None, Ok(imported())).await;
    let body = json!({ "name": "secret", "template_version_id": version["id"],
        "disable_everyone_group_access": true });
    let path = format!("{ORGANIZATION}/templates");
    let made = world.server.post(&world.tess, &path, body).await.expect(201).json();
    let path = format!("/api/v2/templates/{}", id(&made));
    world.server.get(&world.ada, &path).await.expect(404);
    // Coder's clients send false with every change: it opens nothing.
    let change = json!({ "disable_everyone_group_access": false, "description": "New." });
    world.server.patch(&world.tess, &path, change).await.expect(200);
    world.server.get(&world.ada, &path).await.expect(404);
    let everyone = made["organization_id"].as_str().unwrap();
    let open = json!({ "group_perms": { everyone: "use" } });
    world.server.patch(&world.tess, &format!("{path}/acl"), open).await.expect(200);
    world.server.get(&world.ada, &path).await.expect(200);
    let close = json!({ "disable_everyone_group_access": true });
    world.server.patch(&world.tess, &path, close).await.expect(200);
    world.server.get(&world.ada, &path).await.expect(404);
    let open = json!({ "group_perms": { everyone: "use" } });
    world.server.patch(&world.tess, &format!("{path}/acl"), open).await.expect(200);
    let acl = world.server.get(&world.tess, &format!("{path}/acl")).await.expect(200).json();
    assert_eq!(acl["group"][0]["name"], "Everyone");
    assert_eq!((&acl["group"][0]["role"], &acl["users"]), (&json!("use"), &json!([])));
}

/// Coder's CVE-2026-111928: someone who was removed kept what they had there.
#[tokio::test]
async fn who_is_removed_suspended_or_deleted_loses_templates_by_construction() {
    let world = World::new().await;
    make_private(&world).await;
    let potters = group(&world, "potters", &["ada", "ben"]).await;
    let (ada, ben) = (user_id(&world, "ada").await, user_id(&world, "ben").await);
    let both = json!({ "group_perms": { potters: "use" },
        "user_perms": { &ada: "admin", &ben: "admin" } });
    change(&world, &world.tess, both).await.expect(200);
    let template: TemplateId = id(&world.template).parse().unwrap();
    let held = async |user: &str| -> usize {
        let user: UserId = user.parse().unwrap();
        let read = world.server.db.read(move |tx| {
            let by_one = template_grants::held(tx, user, template)?;
            let by_all = template_grants::held_by(tx, user)?;
            assert_eq!(by_one.is_empty(), by_all.is_empty());
            Ok::<_, Error>(by_one.len())
        });
        read.await.unwrap()
    };
    assert_eq!((held(&ada).await, held(&ben).await), (2, 2));
    let suspend = "/api/v2/users/ada/status/suspend";
    world.server.put(&world.olga, suspend, json!({})).await.expect(200);
    assert_eq!(held(&ada).await, 0);
    let activate = "/api/v2/users/ada/status/activate";
    world.server.put(&world.olga, activate, json!({})).await.expect(200);
    assert_eq!(held(&ada).await, 2);
    let member = format!("{ORGANIZATION}/members/ben");
    world.server.delete(&world.olga, &member).await.expect(204);
    assert_eq!(held(&ben).await, 0);
    // Who comes back begins anew.
    world.server.post(&world.olga, &member, json!({})).await.expect(200);
    assert_eq!(held(&ben).await, 0);
    world.server.delete(&world.olga, "/api/v2/users/ada").await.expect(200);
    assert_eq!(held(&ada).await, 0);
    let path = format!("/api/v2/templates/{}/acl", id(&world.template));
    let acl = world.server.get(&world.tess, &path).await.expect(200).json();
    assert_eq!(acl["users"], json!([]));
}

/// Coder's CVE-2026-111930: who saw a list of access read the addresses of groups' members.
#[tokio::test]
async fn a_list_does_not_tell_the_addresses_of_its_members() {
    let world = World::new().await;
    let potters = group(&world, "potters", &["ada", "urs"]).await;
    let (ben, urs) = (user_id(&world, "ben").await, user_id(&world, "urs").await);
    let body = json!({ "user_perms": { &ben: "admin", &urs: "use" },
        "group_perms": { potters: "use" } });
    change(&world, &world.tess, body).await.expect(200);
    let template = id(&world.template);
    for path in [
        format!("/api/v2/templates/{template}/acl"),
        format!("/api/v2/templates/{template}/acl/available"),
        "/templates/kiln/permissions".to_owned(),
    ] {
        let seen = world.server.get(&world.ben, &path).await.expect(200).text;
        for name in ["ada", "urs", "olga", "tess"] {
            assert!(!seen.contains(&format!("{name}@example.org")), "{path}: {seen}");
        }
        assert!(seen.contains("urs") && seen.contains("potters"), "{path}: {seen}");
        let seen = world.server.get(&world.tess, &path).await.expect(200).text;
        assert!(path.ends_with("available") || seen.contains("urs@example.org"), "{path}: {seen}");
    }
}

#[tokio::test]
async fn whoever_is_looked_for_is_found_among_thousands() {
    let world = World::new().await;
    let conn = rusqlite::Connection::open(&world.server.db_path).unwrap();
    let people = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
        INSERT INTO users (id, username, name, email, kind, status, login_type, created_at, updated_at)
        SELECT printf('01890000-0000-7000-8000-%012d', i), printf('aa-%d', i), '',
               printf('aa-%d@example.org', i), 'person', 'active', 'none', 0, 0 FROM n";
    assert_eq!(conn.execute(people, []), Ok(1500));
    let belong = "INSERT INTO memberships (organization_id, user_id, created_at)
        SELECT o.id, u.id, 0 FROM organizations o, users u WHERE u.username LIKE 'aa-%'";
    assert_eq!(conn.execute(belong, []), Ok(1500));
    let path = format!("/api/v2/templates/{}/acl/available", id(&world.template));
    let found = async |words: &str| {
        let path = format!("{path}?q={words}");
        world.server.get(&world.tess, &path).await.expect(200).json()
    };
    let all = found("").await;
    assert_eq!(all["users"].as_array().unwrap().len(), 1000);
    assert_eq!(all["groups"][0]["name"], "Everyone");
    // By name these come after the first thousand.
    let urs = found("URS").await;
    assert_eq!(urs["users"].as_array().unwrap().len(), 1, "{urs:#}");
    assert_eq!((&urs["users"][0]["username"], &urs["groups"]), (&json!("urs"), &json!([])));
    let potters = json!({ "name": "potters" });
    let groups = format!("{ORGANIZATION}/groups");
    world.server.post(&world.olga, &groups, potters).await.expect(201);
    let potters = found("pott").await;
    assert_eq!(potters["groups"][0]["name"], "potters", "{potters:#}");
    world.server.app.set_user_status(&Actor::System, "urs", false).await.unwrap();
    assert_eq!(found("urs").await["users"], json!([]));
}

#[tokio::test]
async fn nobody_gives_more_than_they_hold_or_changes_the_entry_they_stand_on() {
    let world = World::new().await;
    let server = &world.server;
    let (ada, ben) = (user_id(&world, "ada").await, user_id(&world, "ben").await);
    let roles = format!("{ORGANIZATION}/members/roles");
    let writer = json!({ "name": "writer", "organization_permissions":
        [{ "resource_type": "template", "action": "read" },
         { "resource_type": "template", "action": "use" },
         { "resource_type": "template", "action": "update" }] });
    server.post(&world.olga, &roles, writer).await.expect(200);
    let theirs = format!("{ORGANIZATION}/members/ben/roles");
    server.put(&world.olga, &theirs, json!({ "roles": ["writer"] })).await.expect(200);
    let reply = change(&world, &world.ben, json!({ "user_perms": { &ada: "admin" } })).await;
    assert!(reply.expect(403).text.contains("template:delete"));
    change(&world, &world.ben, json!({ "user_perms": { &ada: "use" } })).await.expect(200);
    server.put(&world.olga, &theirs, json!({ "roles": [] })).await.expect(200);
    change(&world, &world.tess, json!({ "user_perms": { &ben: "admin" } })).await.expect(200);
    for role in ["", "use"] {
        change(&world, &world.ben, json!({ "user_perms": { &ben: role } })).await.expect(409);
    }
    change(&world, &world.ben, json!({ "user_perms": { &ada: "admin" } })).await.expect(200);
    change(&world, &world.ada, json!({ "user_perms": { &ben: "" } })).await.expect(200);
    // What names nobody says so.
    let nobody = world.server.app.entropy().uuid4().to_string();
    for (field, key, role) in [
        ("user_perms", nobody.as_str(), "use"),
        ("group_perms", nobody.as_str(), "use"),
        ("user_perms", ada.as_str(), "king"),
        ("user_perms", "ada", "use"),
    ] {
        let reply = change(&world, &world.tess, json!({ field: { key: role } })).await;
        assert_eq!(reply.expect(400).json()["validations"][0]["field"], field, "{key} {role}");
    }
}

#[tokio::test]
async fn who_keeps_a_template_by_its_list_pushes_versions_of_it_and_of_no_other() {
    let world = World::new().await;
    let ada = user_id(&world, "ada").await;
    let archive = steading::provision::starters::ALL[0].archive();
    let upload = || async {
        let request = world.ada.request(Method::POST, "/api/v2/files");
        let request = request.header("content-type", "application/x-tar");
        world.server.send(request.body(archive.clone().into()).unwrap()).await
    };
    upload().await.expect(403);
    change(&world, &world.tess, json!({ "user_perms": { &ada: "admin" } })).await.expect(200);
    let file = upload().await.expect(201).json()["hash"].clone();
    let push = |template: Value| {
        json!({ "file_id": file, "storage_method": "file", "provisioner": "terraform",
            "template_id": template })
    };
    let path = format!("{ORGANIZATION}/templateversions");
    let own = push(world.template["id"].clone());
    world.server.post(&world.ada, &path, own).await.expect(201);
    // And has the files of those there are, as `templates pull` does.
    let version = world.template["active_version_id"].as_str().unwrap();
    let version =
        world.server.get(&world.ada, &format!("/api/v2/templateversions/{version}")).await;
    let file = version.expect(200).json()["job"]["file_id"].as_str().unwrap().to_owned();
    world.server.get(&world.ada, &format!("/api/v2/files/{file}")).await.expect(200);
    world.server.get(&world.ben, &format!("/api/v2/files/{file}")).await.expect(404);
    world.server.post(&world.ada, &path, push(Value::Null)).await.expect(403);
    let page = world.server.get(&world.ada, "/templates/kiln").await.expect(200).text;
    assert!(page.contains("/templates/kiln/permissions"), "{page}");
    let page = world.server.get(&world.ben, "/templates/kiln").await.expect(200).text;
    assert!(!page.contains("/templates/kiln/permissions"), "{page}");
}

#[tokio::test]
async fn who_keeps_groups_lets_nobody_keep_a_template_by_one() {
    let world = World::new().await;
    let (server, urs) = (&world.server, world.server.sign_in("urs").await);
    let potters = group(&world, "potters", &[]).await;
    let add = async |by: &Client, name: &str| {
        let path = format!("/api/v2/groups/{potters}");
        server.patch(by, &path, json!({ "add_users": [name] })).await
    };
    change(&world, &world.tess, json!({ "group_perms": { &potters: "use" } })).await.expect(200);
    add(&urs, "ben").await.expect(200);
    change(&world, &world.tess, json!({ "group_perms": { &potters: "admin" } })).await.expect(200);
    let refused = add(&urs, "urs").await.expect(403);
    assert!(refused.text.contains("keeps the template kiln"), "{}", refused.text);
    let invited = json!({ "email": "guest@example.org", "groups": ["potters"] });
    server.post(&urs, "/api/v2/invitations", invited).await.expect(403);
    add(&world.olga, "ada").await.expect(200);
    // Who keeps the groups may still take people out.
    let path = format!("/api/v2/groups/{potters}");
    server.patch(&urs, &path, json!({ "remove_users": ["ada"] })).await.expect(200);
}

#[tokio::test]
async fn a_list_shows_also_who_is_suspended_and_is_on_record_once() {
    let world = World::new().await;
    let ben = user_id(&world, "ben").await;
    let entries = async || {
        let log = world.server.get(&world.olga, "/api/v2/audit?q=resource_type:template").await;
        log.expect(200).json()["count"].as_i64().unwrap()
    };
    let keeps = json!({ "user_perms": { &ben: "admin" } });
    change(&world, &world.tess, keeps.clone()).await.expect(200);
    let before = entries().await;
    change(&world, &world.tess, keeps).await.expect(200);
    assert_eq!(entries().await, before, "nothing changed");
    let suspend = format!("/api/v2/users/{ben}/status/suspend");
    world.server.put(&world.olga, &suspend, json!({})).await.expect(200);
    let path = format!("/api/v2/templates/{}/acl", id(&world.template));
    let acl = world.server.get(&world.tess, &path).await.expect(200).json();
    assert_eq!(acl["users"][0]["username"], "ben", "{acl:#}");
    assert_eq!(acl["users"][0]["status"], "suspended");
}

#[tokio::test]
async fn a_workspace_whose_owner_lost_the_template_is_stopped_and_deleted_and_not_started() {
    let world = World::new().await;
    let kiln = world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    make_private(&world).await;
    world.build(&world.ada, &kiln, json!({ "transition": "stop" })).await.expect(201);
    world.done(made("token-a", 2)).await;
    for who in [&world.ada, &world.olga] {
        let reply = world.build(who, &kiln, json!({ "transition": "start" })).await.expect(409);
        assert!(reply.text.contains("may not use the template"), "{}", reply.text);
    }
    // Nor does it start by itself.
    let workspace: WorkspaceId = id(&kiln).parse().unwrap();
    let start = BuildRequest::new(Transition::Start, BuildReason::Autostart);
    let asked = world.server.app.create_build(&Actor::System, workspace, start).await;
    assert!(matches!(asked, Err(Error::Conflict(_))), "{asked:?}");
    // Its owner still sees what it is made of; and it goes.
    for page in ["/@ada/kiln", "/@ada/kiln/builds/1", "/@ada/kiln/settings"] {
        world.server.get(&world.ada, page).await.expect(200);
    }
    let seen = world.server.get(&world.ada, &format!("/api/v2/workspaces/{}", id(&kiln))).await;
    assert_eq!(seen.expect(200).json()["template_name"], "kiln");
    world.build(&world.ada, &kiln, json!({ "transition": "delete" })).await.expect(201);
    world.done(BuildOutcome::default()).await;
    // Nor is one made for who may not use it.
    let system = Actor::System;
    world.server.app.create_user(&system, person("cas")).await.unwrap();
    let path = format!("{ORGANIZATION}/members/cas/workspaces");
    let body = json!({ "name": "kiln", "template_id": world.template["id"] });
    world.server.post(&world.olga, &path, body).await.expect(409);
}

#[tokio::test]
async fn the_page_adds_changes_and_removes() {
    let world = World::new().await;
    let browser = world.tess.in_browser(&[("sec-fetch-site", "same-origin")]);
    let page = "/templates/kiln/permissions";
    let shown = world.server.get(&browser, page).await.expect(200).text;
    let token = shown.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let ada = user_id(&world, "ada").await;
    assert!(shown.contains(&format!("value=\"user:{ada}\"")) && shown.contains("Everyone"));
    let who = format!("user:{ada}");
    let send = |role: &'static str, who: String| {
        let (browser, server) = (&browser, &world.server);
        async move {
            let fields = [("csrf", token), ("who", who.as_str()), ("role", role)];
            server.form(browser, page, &fields).await
        }
    };
    send("admin", who.clone()).await.expect(303);
    assert!(world.server.get(&browser, page).await.text.contains("use and keep"));
    send("", who).await.expect(303);
    let everyone = world.template["organization_id"].as_str().unwrap();
    send("", format!("group:{everyone}")).await.expect(303);
    assert!(world.server.get(&browser, page).await.text.contains("Private"));
    let wrong = send("use", "user:nobody".to_owned()).await.expect(200).text;
    assert!(wrong.contains("choose a group or a person"), "{wrong}");
    world.server.get(&world.ben, page).await.expect(404);
}
