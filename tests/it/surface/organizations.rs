//! `/organizations` and who belongs to them.

use http::Method;
use serde_json::{Value, json};

use super::shapes::{Is, MEMBER, ORGANIZATION, PAGE_OF_MEMBERS, RESPONSE};
use super::{Caller, each, text};
use crate::harness::TestServer;

async fn orchard(olga: &Caller<'_>) -> Value {
    let body = json!({ "name": "orchard", "display_name": "", "description": "", "icon": "" });
    olga.call((Method::POST, "/organizations"), Some(body), (201, &ORGANIZATION)).await
}

#[tokio::test]
async fn an_organization_is_kept_from_its_making_to_its_end() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    let made = orchard(&olga).await;
    assert_eq!((&made["display_name"], &made["is_default"]), (&json!("orchard"), &json!(false)));
    let path = format!("/organizations/{}", text(&made, "id"));
    assert_eq!(olga.get(&path, &ORGANIZATION).await["id"], made["id"]);
    assert_eq!(olga.get("/organizations/orchard", &ORGANIZATION).await["id"], made["id"]);
    assert_eq!(olga.get("/organizations/default", &ORGANIZATION).await["is_default"], true);
    let list = olga.get("/organizations", &Is::List(&ORGANIZATION)).await;
    assert!(each(&list, "name").contains(&"orchard".to_owned()));

    let body = json!({ "description": "Apples." });
    let said = olga.call((Method::PATCH, &path), Some(body), (200, &ORGANIZATION)).await;
    assert_eq!((&said["name"], &said["display_name"]), (&json!("orchard"), &json!("orchard")));
    let body = json!({ "name": "grove", "display_name": "The Grove" });
    let named = olga.call((Method::PATCH, &path), Some(body), (200, &ORGANIZATION)).await;
    assert_eq!((&named["name"], &named["description"]), (&json!("grove"), &json!("Apples.")));
    let body = json!({ "name": "", "display_name": "", "description": "" });
    let bare = olga.call((Method::PATCH, &path), Some(body), (200, &ORGANIZATION)).await;
    assert_eq!((&bare["name"], &bare["description"]), (&json!("grove"), &json!("")));

    olga.call((Method::DELETE, &path), None, (200, &RESPONSE)).await;
    olga.refused((Method::GET, &path), None, (404, None)).await;
    olga.refused((Method::DELETE, "/organizations/default"), None, (409, None)).await;
}

#[tokio::test]
async fn members_come_stay_and_go() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    let place = text(&orchard(&olga).await, "id");
    server.clock.advance(std::time::Duration::from_hours(1));
    let of = |rest: &str| format!("/organizations/{place}/{rest}");
    let added = olga.call((Method::POST, &of("members/ada")), None, (200, &MEMBER)).await;
    let shown = olga.get(&of("members/ada"), &MEMBER).await;
    assert_eq!(shown["created_at"], added["created_at"], "since when they belong to it");
    assert_ne!(shown["created_at"], shown["user_created_at"]);
    olga.refused((Method::POST, &of("members/ada")), None, (409, None)).await;
    olga.refused((Method::POST, &of("members/nobody")), None, (404, None)).await;
    let list = olga.get(&of("members"), &Is::List(&MEMBER)).await;
    assert_eq!(each(&list, "username"), ["ada", "olga"]);

    let roles = of("members/ada/roles");
    let body = json!({ "roles": ["organization-auditor"] });
    let given = olga.call((Method::PUT, &roles), Some(body), (200, &MEMBER)).await;
    assert_eq!(given["roles"][0]["name"], "organization-auditor");
    assert_eq!(given["roles"][0]["organization_id"], place);
    assert_eq!(given["created_at"], added["created_at"]);
    let body = json!({ "roles": ["organization-king"] });
    olga.refused((Method::PUT, &roles), Some(body), (400, Some("roles"))).await;
    olga.call((Method::PUT, &roles), Some(json!({ "roles": [] })), (200, &MEMBER)).await;

    olga.call((Method::DELETE, &of("members/ada")), None, (204, &Is::Nothing)).await;
    olga.refused((Method::GET, &of("members/ada")), None, (404, None)).await;
    olga.refused((Method::DELETE, &of("members/ada")), None, (404, None)).await;
}

#[tokio::test]
async fn members_come_in_pages() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    let path = "/organizations/default/paginated-members";
    let all = olga.get(path, &PAGE_OF_MEMBERS).await;
    let names = each(&all["members"], "username");
    assert_eq!((names.len(), &all["count"]), (6, &json!(6)));
    let part = olga.get(&format!("{path}?limit=2&offset=1"), &PAGE_OF_MEMBERS).await;
    assert_eq!(
        (each(&part["members"], "username"), &part["count"]),
        (names[1..3].to_vec(), &json!(6))
    );
    let after = format!("{path}?after_id={}", text(&part["members"][1], "user_id"));
    assert_eq!(each(&olga.get(&after, &PAGE_OF_MEMBERS).await["members"], "username"), names[3..]);
    let found = olga.get(&format!("{path}?q=role:auditor"), &PAGE_OF_MEMBERS).await;
    assert_eq!(
        (each(&found["members"], "username"), &found["count"]),
        (vec!["aude".to_owned()], &json!(1))
    );
    olga.refused((Method::GET, &format!("{path}?q=colour:red")), None, (400, Some("q"))).await;
    // A member sees themselves.
    let ada = Caller::new(&server, "ada").await;
    let own = ada.get(path, &PAGE_OF_MEMBERS).await;
    assert_eq!(
        (each(&own["members"], "username"), &own["count"]),
        (vec!["ada".to_owned()], &json!(1))
    );
}

#[tokio::test]
async fn a_refusal_has_coders_shape_and_code() {
    let server = TestServer::start().await;
    let (olga, ada) = (Caller::new(&server, "olga").await, Caller::new(&server, "ada").await);
    let create = (Method::POST, "/organizations");
    olga.refused(create.clone(), Some(json!({})), (400, Some("name"))).await;
    orchard(&olga).await;
    olga.refused(create.clone(), Some(json!({ "name": "Orchard" })), (409, None)).await;
    ada.refused(create, Some(json!({ "name": "mine" })), (403, None)).await;
    ada.refused((Method::GET, "/organizations/orchard"), None, (404, None)).await;
    olga.refused((Method::GET, "/organizations/nowhere"), None, (404, None)).await;
}

#[tokio::test]
async fn who_sees_only_some_members_has_pages_of_these() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    let place = text(&orchard(&olga).await, "id");
    for name in ["ben", "tess"] {
        let path = format!("/organizations/{place}/members/{name}");
        olga.call((Method::POST, &path), None, (200, &MEMBER)).await;
    }
    let path = format!("/organizations/{place}/members/ben/roles");
    let body = json!({ "roles": ["organization-admin"] });
    olga.call((Method::PUT, &path), Some(body), (200, &MEMBER)).await;
    // Of the members of the start Ben sees himself, and whom he keeps in the orchard.
    let ben = Caller::new(&server, "ben").await;
    let path = "/organizations/default/paginated-members";
    for (part, names) in [
        ("limit=1", vec!["ben"]),
        ("limit=1&offset=1", vec!["olga"]),
        ("limit=5&offset=1", vec!["olga", "tess"]),
    ] {
        let page = ben.get(&format!("{path}?{part}"), &PAGE_OF_MEMBERS).await;
        assert_eq!(
            (each(&page["members"], "username"), &page["count"]),
            (names.into_iter().map(str::to_owned).collect(), &json!(3))
        );
    }
}
