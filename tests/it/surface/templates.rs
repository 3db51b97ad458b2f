//! A template's list of who may use it, and the quota of a member.

use http::Method;
use serde_json::{Value, json};

use super::shapes::{ACL_AVAILABLE, GROUP, QUOTA, RESPONSE, TEMPLATE_ACL, USER};
use super::{Caller, each, text};
use crate::workspaces::{World, id};

#[tokio::test]
async fn a_templates_list_is_read_changed_and_emptied() {
    let world = World::new().await;
    let tess = Caller { server: &world.server, who: world.tess.clone() };
    let olga = Caller { server: &world.server, who: world.olga.clone() };
    let acl = format!("/templates/{}/acl", id(&world.template));
    let everyone = text(&world.template, "organization_id");
    let first = tess.get(&acl, &TEMPLATE_ACL).await;
    assert_eq!((&first["users"], &first["group"][0]["id"]), (&json!([]), &json!(everyone)));
    assert_eq!(
        (&first["group"][0]["role"], &first["group"][0]["name"]),
        (&json!("use"), &json!("Everyone"))
    );
    let ada = text(&olga.get("/users/ada", &USER).await, "id");
    let groups = "/organizations/default/groups";
    let potters =
        olga.call((Method::POST, groups), Some(json!({ "name": "potters" })), (201, &GROUP));
    let potters = text(&potters.await, "id");
    let change = |body: Value| tess.call((Method::PATCH, &acl), Some(body), (200, &RESPONSE));
    change(json!({ "user_perms": { &ada: "admin" }, "group_perms": { &potters: "use", &everyone: "" } })).await;
    let now = tess.get(&acl, &TEMPLATE_ACL).await;
    assert_eq!(
        (each(&now["users"], "username"), each(&now["users"], "role")),
        (vec!["ada".to_owned()], vec!["admin".to_owned()])
    );
    assert_eq!(
        (each(&now["group"], "name"), each(&now["group"], "role")),
        (vec!["potters".to_owned()], vec!["use".to_owned()])
    );
    // What is not named stays.
    change(json!({ "user_perms": { &ada: "" }, "group_perms": null })).await;
    let now = tess.get(&acl, &TEMPLATE_ACL).await;
    assert_eq!(
        (&now["users"], each(&now["group"], "name")),
        (&json!([]), vec!["potters".to_owned()])
    );
    let offered = tess.get(&format!("{acl}/available?q=ben&limit=10"), &ACL_AVAILABLE).await;
    assert_eq!(each(&offered["users"], "username"), ["ben"]);
    for (body, field) in [
        (json!({ "user_perms": { "7": "use" } }), "user_perms"),
        (json!({ "group_perms": { &potters: "king" } }), "group_perms"),
    ] {
        tess.refused((Method::PATCH, &acl), Some(body), (400, Some(field))).await;
    }
    let ben = Caller { server: &world.server, who: world.ben.clone() };
    ben.refused((Method::GET, &acl), None, (404, None)).await;
}

#[tokio::test]
async fn a_quota_is_told_at_both_addresses() {
    let world = World::new().await;
    let ada = Caller { server: &world.server, who: world.ada.clone() };
    let place = text(&world.template, "organization_id");
    let there =
        ada.get(&format!("/organizations/{place}/members/me/workspace-quota"), &QUOTA).await;
    assert_eq!(there, json!({ "credits_consumed": 0, "budget": -1 }));
    assert_eq!(ada.get("/workspace-quota/me", &QUOTA).await, there);
    ada.refused((Method::GET, "/workspace-quota/ben"), None, (404, None)).await;
}
