//! `/groups`: made, read, filled, listed and deleted as a client does it.

use http::Method;
use serde_json::{Value, json};

use super::shapes::{GROUP, GROUP_MEMBERS, Is, ORGANIZATION, RESPONSE, USER};
use super::{Caller, each, text};
use crate::harness::TestServer;

const GROUPS: Is = Is::List(&GROUP);
const THERE: &str = "/organizations/default/groups";

async fn made(olga: &Caller<'_>, body: Value) -> Value {
    olga.call((Method::POST, THERE), Some(body), (201, &GROUP)).await
}

async fn id_of(olga: &Caller<'_>, name: &str) -> String {
    text(&olga.get(&format!("/users/{name}"), &USER).await, "id")
}

#[tokio::test]
async fn a_group_is_kept_from_its_making_to_its_end() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    let place = olga.get("/organizations/default", &ORGANIZATION).await;
    let body = json!({ "name": "potters", "display_name": "", "avatar_url": "/icon/pot.svg",
        "quota_allowance": 5 });
    let potters = made(&olga, body).await;
    assert_eq!((&potters["source"], &potters["members"]), (&json!("user"), &json!([])));
    assert_eq!(
        (&potters["avatar_url"], &potters["quota_allowance"]),
        (&json!("/icon/pot.svg"), &json!(5))
    );
    assert_eq!(potters["organization_id"], place["id"]);
    let path = format!("/groups/{}", text(&potters, "id"));
    let (ada, ben) = (id_of(&olga, "ada").await, id_of(&olga, "ben").await);

    let add = json!({ "add_users": [ada, ben], "remove_users": null, "name": "" });
    let filled = olga.call((Method::PATCH, &path), Some(add), (200, &GROUP)).await;
    assert_eq!(each(&filled["members"], "username"), ["ada", "ben"]);
    assert_eq!((&filled["name"], &filled["quota_allowance"]), (&json!("potters"), &json!(5)));
    // Who is in it may be added again; what is not named stays.
    let again = json!({ "add_users": [ada], "remove_users": [ben], "display_name": "Potters" });
    let changed = olga.call((Method::PATCH, &path), Some(again), (200, &GROUP)).await;
    assert_eq!(each(&changed["members"], "username"), ["ada"]);
    assert_eq!(changed["total_member_count"], 1);
    assert_eq!(changed["avatar_url"], "/icon/pot.svg");
    let named =
        json!({ "name": "glazers", "quota_allowance": 0, "avatar_url": "", "display_name": "" });
    let named = olga.call((Method::PATCH, &path), Some(named), (200, &GROUP)).await;
    assert_eq!((&named["name"], &named["quota_allowance"]), (&json!("glazers"), &json!(0)));
    assert_eq!((&named["avatar_url"], &named["display_name"]), (&json!(""), &json!("")));
    for key in ["default", &text(&place, "id"), &text(&place, "name")] {
        let by_name = olga.get(&format!("/organizations/{key}/groups/glazers"), &GROUP).await;
        assert_eq!(by_name, olga.get(&path, &GROUP).await);
    }
    let bare = olga.get(&format!("{path}?exclude_members=true"), &GROUP).await;
    assert_eq!((&bare["members"], &bare["total_member_count"]), (&json!([]), &json!(1)));

    olga.call((Method::DELETE, &path), None, (200, &RESPONSE)).await;
    olga.refused((Method::GET, &path), None, (404, None)).await;
}

#[tokio::test]
async fn groups_are_listed_by_place_member_and_id() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    let other = json!({ "name": "orchard" });
    let other =
        olga.call((Method::POST, "/organizations"), Some(other), (201, &ORGANIZATION)).await;
    let potters = made(&olga, json!({ "name": "potters" })).await;
    let add = json!({ "add_users": [id_of(&olga, "ada").await] });
    let path = format!("/groups/{}", text(&potters, "id"));
    olga.call((Method::PATCH, &path), Some(add), (200, &GROUP)).await;
    assert_eq!(each(&olga.get(THERE, &GROUPS).await, "name"), ["Everyone", "potters"]);
    let all = olga.get("/groups", &GROUPS).await;
    assert_eq!(all.as_array().unwrap().len(), 3, "of every organization");
    let there = olga.get("/groups?organization=orchard", &GROUPS).await;
    // Everyone of an organization has its id.
    assert_eq!(there[0]["id"], other["id"]);
    let hers = olga.get("/groups?has_member=ada&organization=default", &GROUPS).await;
    assert_eq!(each(&hers, "name"), ["Everyone", "potters"]);
    let ids = format!("/groups?group_ids={},{}", text(&potters, "id"), text(&other, "id"));
    let both = olga.get(&ids, &GROUPS).await;
    assert_eq!(both.as_array().unwrap().len(), 2);
    olga.refused((Method::GET, "/groups?group_ids=7"), None, (400, Some("group_ids"))).await;
    olga.refused((Method::GET, "/groups?organization=elsewhere"), None, (404, None)).await;
}

#[tokio::test]
async fn a_groups_members_come_in_pages() {
    let server = TestServer::start().await;
    let olga = Caller::new(&server, "olga").await;
    let potters = text(&made(&olga, json!({ "name": "potters" })).await, "id");
    let add = json!({ "add_users": ["ada", "ben", "tess"] });
    let path = format!("/groups/{potters}");
    olga.call((Method::PATCH, &path), Some(add), (200, &GROUP)).await;
    let members = format!("/groups/{potters}/members");
    let all = olga.get(&members, &GROUP_MEMBERS).await;
    assert_eq!((each(&all["users"], "username").len(), &all["count"]), (3, &json!(3)));
    let part = olga.get(&format!("{members}?limit=1&offset=1"), &GROUP_MEMBERS).await;
    assert_eq!(
        (each(&part["users"], "username"), &part["count"]),
        (vec!["ben".to_owned()], &json!(3))
    );
    let rest = format!("{THERE}/potters/members?after_id={}", text(&part["users"][0], "id"));
    assert_eq!(each(&olga.get(&rest, &GROUP_MEMBERS).await["users"], "username"), ["tess"]);
    let found = olga.get(&format!("{members}?q=role:template-admin"), &GROUP_MEMBERS).await;
    assert_eq!(
        (each(&found["users"], "username"), &found["count"]),
        (vec!["tess".to_owned()], &json!(1))
    );
    let everyone = olga.get(&format!("{THERE}/Everyone/members?limit=2"), &GROUP_MEMBERS).await;
    assert_eq!((each(&everyone["users"], "username").len(), &everyone["count"]), (2, &json!(6)));
    olga.refused((Method::GET, &format!("{members}?q=colour:red")), None, (400, Some("q"))).await;
    // Whoever is in it sees as many of the others as they may, and how many there are.
    let ada = Caller::new(&server, "ada").await;
    let seen = ada.get(&path, &GROUP).await;
    assert_eq!(
        (each(&seen["members"], "username"), &seen["total_member_count"]),
        (vec!["ada".to_owned()], &json!(3))
    );
    assert_eq!(each(&ada.get(&members, &GROUP_MEMBERS).await["users"], "username"), ["ada"]);
    let remove = json!({ "remove_users": ["ben"] });
    olga.call((Method::PATCH, &path), Some(remove), (200, &GROUP)).await;
    let ben = Caller::new(&server, "ben").await;
    ben.refused((Method::GET, &members), None, (404, None)).await;
}

#[tokio::test]
async fn a_refusal_has_coders_shape_and_code() {
    let server = TestServer::start().await;
    let (olga, ada) = (Caller::new(&server, "olga").await, Caller::new(&server, "ada").await);
    made(&olga, json!({ "name": "potters" })).await;
    let twice = json!({ "name": "Potters" });
    olga.refused((Method::POST, THERE), Some(twice), (409, None)).await;
    for (body, field) in [
        (json!({}), "name"),
        (json!({ "name": "everyone" }), "name"),
        (json!({ "name": "x", "quota_allowance": -1 }), "quota_allowance"),
    ] {
        olga.refused((Method::POST, THERE), Some(body), (400, Some(field))).await;
    }
    ada.refused((Method::POST, THERE), Some(json!({ "name": "x" })), (403, None)).await;
    let everyone = text(&olga.get("/organizations/default", &ORGANIZATION).await, "id");
    let everyone = format!("/groups/{everyone}");
    olga.refused((Method::DELETE, &everyone), None, (409, None)).await;
    let quota = json!({ "quota_allowance": 4 });
    olga.call((Method::PATCH, &everyone), Some(quota), (200, &GROUP)).await;
}
