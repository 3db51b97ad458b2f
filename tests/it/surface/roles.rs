//! Roles: those of the site, those of an organization, and custom ones.

use http::Method;
use serde_json::json;

use super::shapes::{Is, MEMBER, ROLE};
use super::{Caller, each};
use crate::harness::TestServer;

const ROLES: &str = "/organizations/default/members/roles";

#[tokio::test]
async fn roles_are_listed_with_what_they_hold() {
    let server = TestServer::start().await;
    let (olga, ada) = (Caller::new(&server, "olga").await, Caller::new(&server, "ada").await);
    let site = olga.get("/users/roles", &Is::List(&ROLE)).await;
    for name in ["owner", "user-admin", "template-admin", "auditor"] {
        let role = site.as_array().unwrap().iter().find(|role| role["name"] == name).unwrap();
        assert_eq!((&role["built_in"], &role["assignable"]), (&json!(true), &json!(true)));
        assert!(role.get("organization_id").is_none(), "it is of the site");
    }
    let there = olga.get(ROLES, &Is::List(&ROLE)).await;
    assert!(each(&there, "name").contains(&"organization-admin".to_owned()));
    assert!(there[0]["organization_id"].is_string());
    let mine = ada.get("/users/roles", &Is::List(&ROLE)).await;
    assert!(mine.as_array().unwrap().iter().all(|role| role["assignable"] == false));
}

#[tokio::test]
async fn a_custom_role_is_kept_from_its_making_to_its_end() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    let body = |actions: &[&str]| {
        let all: Vec<_> = actions
            .iter()
            .map(
                |action| json!({ "negate": false, "resource_type": "workspace", "action": action }),
            )
            .collect();
        Some(json!({ "name": "operator", "display_name": "Operator", "site_permissions": null,
            "organization_permissions": all, "organization_member_permissions": [],
            "user_permissions": [] }))
    };
    let made = olga.call((Method::POST, ROLES), body(&["read"]), (200, &ROLE)).await;
    assert_eq!((&made["built_in"], &made["display_name"]), (&json!(false), &json!("Operator")));
    olga.refused((Method::POST, ROLES), body(&["read"]), (409, None)).await;
    let wider = olga.call((Method::PUT, ROLES), body(&["read", "start"]), (200, &ROLE)).await;
    assert_eq!(wider["organization_permissions"].as_array().unwrap().len(), 2);
    let give = Some(json!({ "roles": ["operator"] }));
    let path = "/organizations/default/members/ada/roles";
    let given = olga.call((Method::PUT, path), give, (200, &MEMBER)).await;
    assert_eq!(given["roles"][0]["name"], "operator");
    let elsewhere = Some(json!({ "name": "odd", "organization_member_permissions":
        [{ "resource_type": "workspace", "action": "read" }] }));
    let field = Some("organization_member_permissions");
    olga.refused((Method::POST, ROLES), elsewhere, (400, field)).await;
    let one = format!("{ROLES}/operator");
    olga.call((Method::DELETE, &one), None, (204, &Is::Nothing)).await;
    olga.refused((Method::DELETE, &one), None, (404, None)).await;
    let shown = olga.get("/organizations/default/members/ada", &MEMBER).await;
    assert_eq!(shown["roles"], json!([]));
}
