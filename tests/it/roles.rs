//! Roles in organizations: built-in ones, custom ones, and what ends with a membership.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, person};
use crate::workspaces::{World, id, made};

const ROLES: &str = "/api/v2/organizations/default/members/roles";

fn roles_of(user: &str) -> String {
    format!("/api/v2/organizations/default/members/{user}/roles")
}

fn role(name: &str, permissions: &[&str]) -> Value {
    let permissions: Vec<Value> = permissions
        .iter()
        .map(|p| p.split_once(':').unwrap())
        .map(|(kind, action)| json!({ "resource_type": kind, "action": action }))
        .collect();
    json!({ "name": name, "organization_permissions": permissions })
}

async fn give(server: &TestServer, by: &Client, user: &str, role: &str) {
    server.put(by, &roles_of(user), json!({ "roles": [role] })).await.expect(200);
}

#[tokio::test]
async fn a_custom_role_gives_what_it_says_to_who_holds_it() {
    let world = World::new().await;
    let (server, olga, ben) = (&world.server, &world.olga, &world.ben);
    let kiln = world.adas("kiln").await;
    world.done(made("agent", 1)).await;
    let page = format!("/api/v2/workspaces/{}", id(&kiln));
    let builds = format!("{page}/builds");
    server.get(ben, &page).await.expect(404);
    server
        .post(olga, ROLES, role("operator", &["workspace:read", "workspace:start"]))
        .await
        .expect(200);
    give(server, olga, "ben", "operator").await;
    server.get(ben, &page).await.expect(200);
    server.post(ben, &builds, json!({ "transition": "stop" })).await.expect(201);
    server.patch(ben, &page, json!({ "name": "mine" })).await.expect(403);
    let list = server.get(ben, "/api/v2/workspaces").await.expect(200).json();
    assert_eq!(list["count"], 1);
    // Less of the role is less for who holds it, at once.
    server.put(olga, ROLES, role("operator", &["workspace:read"])).await.expect(200);
    world.done(made("agent", 2)).await;
    server.post(ben, &builds, json!({ "transition": "start" })).await.expect(403);
    server.delete(olga, &format!("{ROLES}/operator")).await.expect(204);
    server.get(ben, &page).await.expect(404);
    let shown = server.get(olga, "/api/v2/users/ben/roles").await.expect(200).json();
    assert!(shown["organization_roles"].as_object().unwrap().values().all(|r| r == &json!([])));
}

#[tokio::test]
async fn nobody_gives_what_they_do_not_hold() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    give(&server, &olga, "ben", "organization-user-admin").await;
    let ben = server.sign_in("ben").await;
    let path = roles_of("ada");
    for wide in ["organization-admin", "organization-template-admin", "organization-auditor"] {
        let reply = server.put(&ben, &path, json!({ "roles": [wide] })).await.expect(403);
        assert!(reply.text.contains("do not hold"), "{}", reply.text);
    }
    give(&server, &ben, "ada", "organization-user-admin").await;
    // Nor do they take it: an admin above them keeps what they have.
    give(&server, &olga, "ada", "organization-admin").await;
    server.put(&ben, &path, json!({ "roles": [] })).await.expect(403);
    server.put(&ben, &path, json!({ "roles": ["organization-wizard"] })).await.expect(400);
    server.put(&ben, &roles_of("ben"), json!({ "roles": [] })).await.expect(409);
    let ada = server.sign_in("ada").await;
    let wide = role("wide", &["user:update_personal"]);
    let reply = server.post(&ada, ROLES, wide).await.expect(403);
    assert!(reply.text.contains("user:update_personal"), "{}", reply.text);
}

#[tokio::test]
async fn nobody_changes_the_role_they_stand_on() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let keeper = ["assign_org_role:*", "organization:read"];
    server.post(&olga, ROLES, role("keeper", &keeper)).await.expect(200);
    give(&server, &olga, "ben", "keeper").await;
    let ben = server.sign_in("ben").await;
    server.put(&ben, ROLES, role("keeper", &["organization:read"])).await.expect(409);
    server.delete(&ben, &format!("{ROLES}/keeper")).await.expect(409);
    server.post(&ben, ROLES, role("reader", &["organization:read"])).await.expect(200);
}

#[tokio::test]
async fn a_role_that_does_not_fit_names_the_field() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    for (body, field) in [
        (role("organization-king", &["workspace:read"]), "name"),
        (role("owner", &["workspace:read"]), "name"),
        (role("two words", &["workspace:read"]), "name"),
        (role("odd", &["workspace:fly"]), "organization_permissions"),
        (
            json!({ "name": "odd", "site_permissions": [{ "resource_type": "user", "action": "read" }] }),
            "site_permissions",
        ),
        (
            json!({ "name": "odd", "organization_permissions":
            [{ "resource_type": "user", "action": "read", "negate": true }] }),
            "organization_permissions",
        ),
    ] {
        let refused = server.post(&olga, ROLES, body).await.expect(400).json();
        assert_eq!(refused["validations"][0]["field"], field, "{refused}");
    }
    server.post(&olga, ROLES, role("twice", &["workspace:read"])).await.expect(200);
    server.post(&olga, ROLES, role("Twice", &["workspace:read"])).await.expect(409);
    server.put(&olga, ROLES, role("never", &["workspace:read"])).await.expect(404);
}

/// Coder's CVE-2026-111928: someone who was removed kept what they had there.
#[tokio::test]
async fn who_is_removed_keeps_nothing_of_the_organization() {
    let world = World::new().await;
    let (server, olga, ada) = (&world.server, &world.olga, &world.ada);
    let kiln = world.adas("kiln").await;
    world.done(made("agent", 1)).await;
    let groups = "/api/v2/organizations/default/groups";
    let group = server.post(olga, groups, json!({ "name": "potters" })).await.expect(201).json();
    let group = format!("/api/v2/groups/{}", id(&group));
    server.patch(olga, &group, json!({ "add_users": ["ada"] })).await.expect(200);
    give(server, olga, "ada", "organization-template-admin").await;
    let page = format!("/api/v2/workspaces/{}", id(&kiln));
    let template = format!("/api/v2/templates/{}", id(&world.template));
    for path in [&page, &template, &group] {
        server.get(ada, path).await.expect(200);
    }
    server.delete(olga, "/api/v2/organizations/default/members/ada").await.expect(204);
    for path in [&page, &template, &group] {
        server.get(ada, path).await.expect(404);
    }
    let list = server.get(ada, "/api/v2/workspaces").await.expect(200).json();
    assert_eq!(list["count"], 0);
    // Who comes back begins anew: neither groups nor roles are there.
    server.post(olga, "/api/v2/organizations/default/members/ada", json!({})).await.expect(200);
    server.get(ada, &page).await.expect(200);
    server.get(ada, &group).await.expect(404);
    server.patch(ada, &template, json!({ "description": "mine" })).await.expect(403);
}

/// Coder's CVE-2026-111929: an admin of one organization read files of another.
#[tokio::test]
async fn who_keeps_templates_of_one_organization_reads_no_files_of_another() {
    let world = World::new().await;
    let (server, olga) = (&world.server, &world.olga);
    let system = steading::server::app::Actor::System;
    server.app.create_user(&system, person("otto")).await.unwrap();
    server.post(olga, "/api/v2/organizations", json!({ "name": "orchard" })).await.expect(201);
    let member = "/api/v2/organizations/orchard/members/otto";
    server.post(olga, member, json!({})).await.expect(200);
    let roles = json!({ "roles": ["organization-template-admin"] });
    server.put(olga, &format!("{member}/roles"), roles).await.expect(200);
    let otto = server.sign_in("otto").await;
    let version = world.template["active_version_id"].as_str().unwrap();
    let version = server.get(olga, &format!("/api/v2/templateversions/{version}")).await.json();
    let file = version["job"]["file_id"].as_str().unwrap();
    server.get(olga, &format!("/api/v2/files/{file}")).await.expect(200);
    server.get(&otto, &format!("/api/v2/files/{file}")).await.expect(404);
    let template = format!("/api/v2/templates/{}", id(&world.template));
    server.patch(&otto, &template, json!({ "description": "mine" })).await.expect(403);
    // Nor do they take what is there by its id, into a version or a template of their own.
    let versions = "/api/v2/organizations/orchard/templateversions";
    let body = json!({ "file_id": file, "storage_method": "file", "provisioner": "terraform" });
    server.post(&otto, versions, body.clone()).await.expect(404);
    let loose = world.push(None, Ok(crate::workspaces::imported())).await;
    let body = json!({ "name": "taken", "template_version_id": loose["id"] });
    let templates = "/api/v2/organizations/orchard/templates";
    server.post(&otto, templates, body).await.expect(404);
    // Who may do both keeps them apart too.
    let body = json!({ "example_id": "docker", "storage_method": "file",
        "provisioner": "terraform", "template_id": id(&world.template) });
    let refused = server.post(olga, versions, body).await.expect(400).json();
    assert_eq!(refused["validations"][0]["field"], "template_id");
}

/// A new password is a way to all that an account holds.
#[tokio::test]
async fn a_user_admin_gives_no_password_to_who_holds_more() {
    let server = TestServer::start().await;
    let (olga, urs) = (server.sign_in("olga").await, server.sign_in("urs").await);
    server.post(&olga, ROLES, role("pusher", &["template:create"])).await.expect(200);
    give(&server, &olga, "ada", "organization-admin").await;
    give(&server, &olga, "ben", "pusher").await;
    let body = json!({ "password": "another-kiln-and-clay" });
    for name in ["ada", "ben", "tess", "olga"] {
        let path = format!("/api/v2/users/{name}/password");
        let refused = server.put(&urs, &path, body.clone()).await.expect(403);
        assert!(refused.text.contains("do not hold"), "{}", refused.text);
    }
    // To shut them out is what a user admin is for, but for owners.
    for (name, status) in [("ada", 200), ("tess", 200), ("olga", 403)] {
        let path = format!("/api/v2/users/{name}/status/suspend");
        server.put(&urs, &path, json!({})).await.expect(status);
    }
    give(&server, &olga, "ben", "organization-workspace-creation-ban").await;
    server.put(&urs, "/api/v2/users/ben/password", body).await.expect(204);
}

#[tokio::test]
async fn organizations_are_made_filled_and_removed() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let path = "/api/v2/organizations";
    for body in [json!({}), json!({ "name": "" }), json!({ "name": "two words" })] {
        let refused = server.post(&olga, path, body).await.expect(400).json();
        assert_eq!(refused["validations"][0]["field"], "name");
    }
    let orchard = server.post(&olga, path, json!({ "name": "orchard" })).await.expect(201).json();
    server.post(&olga, path, json!({ "name": "Orchard" })).await.expect(409);
    let orchard = format!("{path}/{}", id(&orchard));
    let ada = server.sign_in("ada").await;
    server.get(&ada, &orchard).await.expect(404);
    server.post(&olga, &format!("{orchard}/members/ada"), json!({})).await.expect(200);
    server.post(&olga, &format!("{orchard}/members/ada"), json!({})).await.expect(409);
    server.get(&ada, &orchard).await.expect(200);
    server.delete(&ada, &orchard).await.expect(403);
    server.delete(&olga, &format!("{path}/default")).await.expect(409);
    server.delete(&olga, &orchard).await.expect(200);
    server.get(&ada, &orchard).await.expect(404);
}
