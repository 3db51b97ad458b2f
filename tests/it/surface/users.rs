//! `/users`: made, read, searched, changed, suspended and deleted as a client does it.

use http::Method;
use serde_json::{Value, json};

use super::shapes::{Is, ORGANIZATION, RESPONSE, USER, USER_ROLES, USERS};
use super::{Caller, each, text};
use crate::harness::{PASSWORD, TestServer};

async fn made(olga: &Caller<'_>, name: &str) -> Value {
    let body = json!({ "username": name, "email": format!("{name}@example.org"),
        "password": PASSWORD, "login_type": "password", "organization_ids": [], "user_status": null });
    olga.call((Method::POST, "/users"), Some(body), (201, &USER)).await
}

#[tokio::test]
async fn an_account_is_kept_from_its_making_to_its_end() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    let cy = made(&olga, "cy").await;
    assert_eq!((&cy["status"], &cy["roles"]), (&json!("dormant"), &json!([])));
    assert_eq!(cy["last_seen_at"], "0001-01-01T00:00:00Z");
    let id = text(&cy, "id");
    for key in [id.as_str(), "cy", "CY"] {
        assert_eq!(olga.get(&format!("/users/{key}"), &USER).await["id"], cy["id"]);
    }
    assert_eq!(olga.get("/users/me", &USER).await["username"], "olga");

    let profile = format!("/users/{id}/profile");
    let body = json!({ "username": "cyra", "name": "Cyra Reed", "avatar_url": "" });
    let named = olga.call((Method::PUT, &profile), Some(body), (200, &USER)).await;
    assert_eq!((&named["username"], &named["name"]), (&json!("cyra"), &json!("Cyra Reed")));

    let roles = format!("/users/{id}/roles");
    let body = json!({ "roles": ["auditor", "member"] });
    let given = olga.call((Method::PUT, &roles), Some(body), (200, &USER)).await;
    assert_eq!(given["roles"][0]["name"], "auditor");
    let shown = olga.get(&roles, &USER_ROLES).await;
    assert_eq!(shown["roles"], json!(["auditor"]));
    // Go writes an empty list as null.
    let none = olga.call((Method::PUT, &roles), Some(json!({ "roles": null })), (200, &USER)).await;
    assert_eq!(none["roles"], json!([]));

    let password = (Method::PUT, format!("/users/{id}/password"));
    let body = json!({ "password": "glaze-and-ash-and-clay" });
    olga.call((password.0, &password.1), Some(body), (204, &Is::Nothing)).await;
    for (path, status) in [("suspend", "suspended"), ("activate", "active")] {
        let path = format!("/users/{id}/status/{path}");
        let now = olga.call((Method::PUT, &path), None, (200, &USER)).await;
        assert_eq!(now["status"], status);
    }
    let there = olga.get(&format!("/users/{id}/organizations"), &Is::List(&ORGANIZATION)).await;
    let place = text(&there[0], "name");
    olga.get(&format!("/users/{id}/organizations/{place}"), &ORGANIZATION).await;
    let by = Is::Object(&[("login_type", Is::Text)]);
    let by = olga.get(&format!("/users/{id}/login-type"), &by).await;
    assert_eq!(by["login_type"], "password");

    let path = format!("/users/{id}");
    olga.call((Method::DELETE, &path), None, (200, &RESPONSE)).await;
    olga.refused((Method::GET, &path), None, (404, None)).await;
    olga.refused((Method::DELETE, &path), None, (404, None)).await;
}

#[tokio::test]
async fn people_are_searched_in_the_documented_words() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    server.clock.advance(std::time::Duration::from_hours(1));
    made(&olga, "cy").await;
    let body = json!({ "username": "robot", "service_account": true, "login_type": "none" });
    olga.call((Method::POST, "/users"), Some(body), (201, &USER)).await;
    let cy = text(&olga.get("/users/cy", &USER).await, "created_at");
    for (q, names) in [
        ("", vec!["ada", "aude", "ben", "cy", "olga", "robot", "tess", "urs"]),
        ("status:active", vec!["olga"]),
        ("status:dormant+role:auditor", vec!["aude"]),
        ("role:owner,user-admin", vec!["olga", "urs"]),
        ("role:admin", vec!["olga"]),
        ("role:member+cy", vec!["cy"]),
        ("CY@example", vec!["cy"]),
        ("login_type:none", vec!["robot"]),
        ("service_account:true", vec!["robot"]),
        ("service_account:false+b", vec!["ben"]),
        ("status:suspended", vec![]),
        ("last_seen_after:\"2020-01-01T00:00:00Z\"", vec!["olga"]),
    ] {
        let q = q.replace('"', "%22");
        let found = olga.get(&format!("/users?q={q}"), &USERS).await;
        assert_eq!(each(&found["users"], "username"), names, "{q}");
        assert_eq!(found["count"], names.len(), "{q}");
    }
    let since = format!("/users?q=created_after:%22{cy}%22");
    assert_eq!(each(&olga.get(&since, &USERS).await["users"], "username"), ["cy", "robot"]);
    let before = format!("/users?q=created_before:{cy}+role:user-admin");
    assert_eq!(each(&olga.get(&before, &USERS).await["users"], "username"), ["urs"]);
    for q in ["colour:red", "status:asleep", "role:king", "login_type:magic", "created_after:soon"]
    {
        olga.refused((Method::GET, &format!("/users?q={q}")), None, (400, Some("q"))).await;
    }
}

#[tokio::test]
async fn a_list_of_people_comes_in_pages() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    let all = olga.get("/users?limit=0", &USERS).await;
    let names = each(&all["users"], "username");
    assert_eq!((names.len(), &all["count"]), (6, &json!(6)));
    let second = olga.get("/users?limit=2&offset=2&other=1", &USERS).await;
    assert_eq!(each(&second["users"], "username"), names[2..4]);
    assert_eq!(second["count"], 6);
    let (mut seen, mut after) = (vec![], "00000000-0000-0000-0000-000000000000".to_owned());
    loop {
        let part = olga.get(&format!("/users?limit=4&after_id={after}"), &USERS).await;
        let Some(last) = part["users"].as_array().unwrap().last() else { break };
        after = text(last, "id");
        seen.extend(each(&part["users"], "username"));
    }
    assert_eq!(seen, names);
    assert_eq!(olga.get("/users?offset=9", &USERS).await["users"], json!([]));
    for (query, field) in
        [("limit=-1", "limit"), ("offset=x", "offset"), ("after_id=7", "after_id")]
    {
        let path = format!("/users?{query}");
        olga.refused((Method::GET, &path), None, (400, Some(field))).await;
    }
}

#[tokio::test]
async fn a_refusal_has_coders_shape_and_code() {
    let server = TestServer::start().await;
    let (olga, ada) = (Caller::new(&server, "olga").await, Caller::new(&server, "ada").await);
    let create =
        |body: Value| olga.refused((Method::POST, "/users"), Some(body), (400, Some("username")));
    create(json!({ "email": "x@example.org", "password": PASSWORD })).await;
    create(json!({ "username": "two words", "email": "x@example.org", "password": PASSWORD }))
        .await;
    let taken = json!({ "username": "ADA", "email": "x@example.org", "password": PASSWORD });
    olga.refused((Method::POST, "/users"), Some(taken), (409, None)).await;
    olga.refused((Method::GET, "/users/nobody"), None, (404, None)).await;
    ada.refused((Method::GET, "/users/ben"), None, (404, None)).await;
    ada.refused((Method::POST, "/users"), Some(json!({})), (403, None)).await;
    let nobody = Caller { server: &server, who: crate::harness::Client::default() };
    nobody.refused((Method::GET, "/users/me"), None, (401, None)).await;
    let body = json!({ "roles": ["king"] });
    olga.refused((Method::PUT, "/users/ada/roles"), Some(body), (400, Some("roles"))).await;
    let own = json!({ "password": "glaze-and-ash-and-clay" });
    let own =
        ada.refused((Method::PUT, "/users/me/password"), Some(own), (400, Some("old_password")));
    own.await;
}
