//! Reviews of access: what speaks against a grant, why someone is in, and taking back in bulk.

use std::time::Duration;

use serde_json::{Value, json};
use steading::model::session::{EndReason, Shown};
use steading::server::app::Actor;

use super::World;
use crate::harness::Client;

async fn review(world: &World, by: &Client, show: &str) -> Value {
    let path = format!("/api/v2/access-review?show={show}");
    world.all.server.get(by, &path).await.expect(200).json()
}

fn names(review: &Value) -> Vec<&str> {
    let all = review["grants"].as_array().unwrap().iter();
    all.map(|one| one["grant"]["subject"]["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_grant_says_what_speaks_against_it() {
    let world = World::new().await;
    let (server, ada) = (&world.all.server, &world.all.ada);
    let aude = server.sign_in("aude").await;
    server.get(ada, "/api/v2/access-review").await.expect(403);
    world.group("potters", &["dora"]).await;
    world.granted(ada, json!({ "users": ["ben"] })).await;
    world.granted(ada, json!({ "groups": ["potters"], "until": "365d", "verbs": ["admin"] })).await;
    let dora = server.sign_in("dora").await;
    world.granted(&dora, json!({ "users": ["cora"], "until": "365d", "verbs": ["view"] })).await;
    assert_eq!(names(&review(&world, &aude, "all").await), ["ben", "potters", "cora"]);
    assert_eq!(names(&review(&world, &aude, "endless").await), ["ben"]);
    assert!(names(&review(&world, &aude, "stale").await).is_empty());

    // Ninety days later nobody was there but one of the group.
    server.clock.advance(Duration::from_hours(24 * 91));
    let live = world.live("dora", Shown::default()).await;
    server.state.fleet.end(live.id, EndReason::Closed).await;
    let aude = server.sign_in("aude").await;
    assert_eq!(names(&review(&world, &aude, "stale").await), ["ben", "cora"]);
    server.app.set_user_status(&Actor::System, "dora", false).await.unwrap();
    let said = review(&world, &aude, "departed").await;
    assert_eq!(names(&said), ["cora"]);
    assert_eq!(said["grants"][0]["grant"]["holds"], false, "what she held by is gone with her");
    assert_eq!((&said["count"], &said["without_end"]), (&json!(3), &json!(1)));
    server.get(&aude, "/api/v2/access-review?show=some").await.expect(400);
}

#[tokio::test]
async fn grants_are_taken_back_in_bulk_by_who_may_and_access_is_signed_off() {
    let world = World::new().await;
    let (server, ada) = (&world.all.server, &world.all.ada);
    let aude = server.sign_in("aude").await;
    let bens = world.granted(ada, json!({ "users": ["ben"] })).await;
    let coras = world.granted(ada, json!({ "users": ["cora"] })).await;
    let body = json!({ "grants": [bens, coras] });
    let revoke = "/api/v2/access-review/revoke";
    // An auditor looks, and changes nothing.
    server.post(&aude, revoke, body.clone()).await.expect(404);
    world.get(&world.all.ben, "").await.expect(200);
    server.post(&world.all.olga, revoke, body.clone()).await.expect(204);
    world.get(&world.all.ben, "").await.expect(404);
    world.get(&world.cora, "").await.expect(404);
    server.post(&world.all.olga, revoke, body).await.expect(204);

    let sign = "/api/v2/access-review/sign-off";
    server.post(&aude, sign, json!({ "note": "2026 Q4" })).await.expect(204);
    let said = review(&world, &aude, "all").await;
    assert_eq!(said["signed_off_by"], "aude");
    let log = server.get(&aude, "/api/v2/audit?limit=1").await.expect(200).text;
    assert!(log.contains("2026 Q4") && log.contains("0 grants"), "{log}");
    server.post(ada, sign, json!({})).await.expect(403);
    let long = json!({ "note": "x".repeat(513) });
    server.post(&aude, sign, long).await.expect(400);
}

#[tokio::test]
async fn access_is_explained_to_whom_it_concerns() {
    let world = World::new().await;
    let (server, ada) = (&world.all.server, &world.all.ada);
    let aude = server.sign_in("aude").await;
    world.group("potters", &["ben"]).await;
    let body = json!({ "groups": ["potters"], "verbs": ["viewer"], "reason": "the open day" });
    world.granted(ada, body).await;
    let later = server.clock.now().plus(Duration::from_hours(5)).rfc3339();
    world.granted(ada, json!({ "users": ["ben"], "from": later, "verbs": ["use"] })).await;
    let why = |user: &str| world.path(&format!("/access/{user}"));
    let said = server.get(&aude, &why("ben")).await.expect(200).json();
    assert_eq!((&said[0]["reason"], &said[0]["closed"]), (&json!("group"), &json!("")));
    assert_eq!(said[0]["said"], "ben is in potters, to which ada granted it: the open day");
    assert_eq!(said[1]["closed"], "it has not begun");
    let said = server.get(&aude, &why("ada")).await.expect(200).json();
    assert_eq!(said[0]["said"], "ada owns it");
    let said = server.get(&aude, &why("olga")).await.expect(200).json();
    assert_eq!(said[0]["said"], "olga is owner");
    assert_eq!(server.get(&aude, &why("cora")).await.expect(200).json(), json!([]));
    // Ben asks about himself; of others he is told nothing.
    server.get(&world.all.ben, &why("me")).await.expect(200);
    server.get(&world.all.ben, &why("ada")).await.expect(404);
    server.get(&world.cora, &why("me")).await.expect(404);
    let browser = &aude;
    let page = server.get(browser, "/access?show=endless").await.expect(200).text;
    assert!(page.contains("ada/kiln") && page.contains("potters"), "{page}");
    // An auditor sees no workspace of others by its page.
    server.get(browser, "/@ada/kiln/access/ben").await.expect(404);
    let olga = &world.all.olga;
    let page = server.get(olga, "/@ada/kiln/access/ben").await.expect(200).text;
    assert!(page.contains("the open day") && page.contains("it has not begun"), "{page}");
}
