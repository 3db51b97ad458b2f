//! What clients ask first, and the log of what was done.

use http::Method;
use serde_json::json;

use super::Caller;
use super::shapes::{
    APPEARANCE, AUDIT_LOGS, AUTH_METHODS, BUILD_INFO, DEPLOYMENT_CONFIG, ENTITLEMENTS, Is, REGIONS,
    RESPONSE, SSH_CONFIG, UPDATE_CHECK,
};
use crate::harness::TestServer;

#[tokio::test]
async fn a_deployment_says_what_it_is() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    let info = olga.get("/buildinfo", &BUILD_INFO).await;
    assert!(info["version"].as_str().unwrap().starts_with("v2."), "{info}");
    olga.get("", &RESPONSE).await;
    olga.get("/", &RESPONSE).await;
    olga.get("/users/first", &RESPONSE).await;
    olga.get("/users/authmethods", &AUTH_METHODS).await;
    olga.get("/appearance", &APPEARANCE).await;
    olga.get("/regions", &REGIONS).await;
    olga.get("/deployment/ssh", &SSH_CONFIG).await;
    olga.get("/deployment/config", &DEPLOYMENT_CONFIG).await;
    olga.get("/updatecheck", &UPDATE_CHECK).await;
    assert_eq!(olga.get("/experiments", &Is::List(&Is::Text)).await, json!([]));
    olga.get("/experiments/available", &Is::Object(&[("safe", Is::List(&Is::Text))])).await;
    olga.get("/applications/host", &Is::Object(&[("host", Is::Text)])).await;
    let entitlements = olga.get("/entitlements", &ENTITLEMENTS).await;
    for (name, enabled) in [
        ("template_rbac", true),
        ("multiple_organizations", true),
        ("custom_roles", true),
        ("audit_log", true),
        ("scim", true),
        ("browser_only", false),
        ("workspace_proxy", false),
    ] {
        assert_eq!(entitlements["features"][name]["enabled"], enabled, "{name}");
    }
    let may = json!({ "checks": { "a": { "object": { "resource_type": "user" }, "action": "create" },
        "b": { "object": { "resource_type": "ghost" }, "action": "create" } } });
    let may =
        olga.call((Method::POST, "/authcheck"), Some(may), (200, &Is::Each(&Is::Truth))).await;
    assert_eq!(may, json!({ "a": true, "b": false }));
}

#[tokio::test]
async fn what_is_not_here_is_not_found_in_coders_shape() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    for path in [
        "/licenses",
        "/workspaceproxies",
        "/replicas",
        "/insights/daus",
        "/prebuilds/settings",
        "/notifications/settings",
        "/oauth2-provider/apps",
        "/organizations/default/provisionerkeys",
        "/users/me/quiet-hours",
        "/no/such/route",
    ] {
        olga.refused((Method::GET, path), None, (404, None)).await;
    }
    olga.refused((Method::POST, "/buildinfo"), None, (405, None)).await;
}

#[tokio::test]
async fn the_log_is_read_in_pages_with_whole_people() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    let all = olga.get("/audit?limit=3", &AUDIT_LOGS).await;
    assert_eq!(all["audit_logs"].as_array().unwrap().len(), 3);
    assert!(all["count"].as_i64().unwrap() > 3 && all["count_cap"] == 0);
    let login = olga.get("/audit?limit=1&q=action:login+username:olga", &AUDIT_LOGS).await;
    let user = &login["audit_logs"][0]["user"];
    assert_eq!((&user["username"], &user["roles"][0]["name"]), (&json!("olga"), &json!("owner")));
    let none = olga.get("/audit?limit=10&q=username:nobody", &AUDIT_LOGS).await;
    assert_eq!((&none["audit_logs"], &none["count"]), (&json!([]), &json!(0)));
    olga.refused((Method::GET, "/audit?limit=x"), None, (400, Some("limit"))).await;
    olga.refused((Method::GET, "/audit?q=colour:red"), None, (400, Some("q"))).await;
    let ada = Caller::new(&server, "ada").await;
    ada.refused((Method::GET, "/audit"), None, (403, None)).await;
}
