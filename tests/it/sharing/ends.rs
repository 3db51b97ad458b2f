//! How a share ends: by its time, its hours, its giver, and whom it is to.

use std::time::Duration;

use http::Method;
use serde_json::json;
use steading::model::session::Shown;
use steading::server::app::Actor;

use super::{World, cut};
use crate::harness::person;

#[tokio::test]
async fn its_end_cuts_what_is_open_and_a_server_that_slept_lets_nobody_in() {
    let world = World::new().await;
    let (server, ada, ben) = (&world.all.server, &world.all.ada, &world.all.ben);
    let body = json!({ "users": ["ben"], "until": "2h", "reason": "the night firing" });
    world.granted(ada, body).await;
    let live = world.live("ben", Shown::default()).await;
    server.clock.advance(Duration::from_secs(7_190));
    world.get(ben, "").await.expect(200);
    assert!(!live.cut.is_cancelled());
    // The same database opened after the end, by a server that did not see it pass.
    let slept = server.copy().await;
    server.clock.advance(Duration::from_secs(11));
    cut(&live).await;
    world.get(ben, "").await.expect(404);
    assert!(world.found(ben, "").await.is_empty());
    assert_eq!(world.get(ada, "/grants").await.expect(200).json(), json!([]));
    slept.clock.advance(server.clock.now().since(slept.clock.now()));
    slept.get(ben, &world.path("")).await.expect(404);
}

#[tokio::test]
async fn it_begins_when_it_says() {
    let world = World::new().await;
    let server = &world.all.server;
    let from = server.clock.now().plus(Duration::from_hours(3)).rfc3339();
    let body = json!({ "users": ["ben"], "from": from, "until": "1h" });
    world.granted(&world.all.ada, body).await;
    world.get(&world.all.ben, "").await.expect(404);
    assert!(world.found(&world.all.ben, "").await.is_empty());
    server.clock.advance(Duration::from_hours(3));
    world.get(&world.all.ben, "").await.expect(200);
    server.clock.advance(Duration::from_hours(1));
    world.get(&world.all.ben, "").await.expect(404);
}

#[tokio::test]
async fn outside_its_hours_it_says_when_and_what_is_open_is_cut() {
    let world = World::new().await;
    let server = &world.all.server;
    // Wednesday, 2026-11-18, a quarter past six in the morning: see the harness's clock.
    let now = server.clock.now().rfc3339();
    let hour: i64 = now[11..13].parse().unwrap();
    let window = format!("mon-sun {hour:02}:00-{:02}:00 UTC", (hour + 2) % 24);
    world.granted(&world.all.ada, json!({ "users": ["ben"], "window": window })).await;
    let live = world.live("ben", Shown::default()).await;
    assert_eq!(world.found(&world.all.ben, "").await, ["kiln"]);
    server.clock.advance(Duration::from_hours(2));
    cut(&live).await;
    let refused = world.get(&world.all.ben, "").await.expect(403).json();
    assert!(refused["message"].as_str().unwrap().contains("may be done from"), "{refused}");
    assert!(world.found(&world.all.ben, "").await.is_empty());
    server.clock.advance(Duration::from_hours(22));
    let ben = server.sign_in("ben").await;
    world.get(&ben, "").await.expect(200);
}

#[tokio::test]
async fn networks_and_second_factors_are_asked_for_of_each_way_in() {
    let world = World::new().await;
    let (ada, ben) = (&world.all.ada, &world.all.ben);
    let far = world.granted(ada, json!({ "users": ["ben"], "networks": ["203.0.113.0/24"] })).await;
    let refused = world.get(ben, "").await.expect(403).json();
    assert!(refused["message"].as_str().unwrap().contains("may not be done from"), "{refused}");
    // From there he is let in, and what he opened from elsewhere by another grant ends with that.
    let inside = Shown { ip: Some("203.0.113.7".parse().unwrap()), ..Shown::default() };
    let here = Shown { ip: Some("192.0.2.10".parse().unwrap()), ..Shown::default() };
    let wide = world.granted(ada, json!({ "users": ["ben"] })).await;
    let (by_network, by_other) = (world.live("ben", inside).await, world.live("ben", here).await);
    world.end(ada, &wide).await.expect(204);
    // One look at all that is open cut the one and left the other.
    cut(&by_other).await;
    assert!(!by_network.cut.is_cancelled());
    world.end(ada, &far).await.expect(204);
    cut(&by_network).await;

    world.granted(ada, json!({ "users": ["ben"], "require_mfa": true })).await;
    let refused = world.get(ben, "").await.expect(403).json();
    assert!(refused["message"].as_str().unwrap().contains("second factor"), "{refused}");
}

#[tokio::test]
async fn what_was_passed_on_ends_when_its_giver_loses_the_right() {
    let world = World::new().await;
    let (server, olga) = (&world.all.server, &world.all.olga);
    let group = world.group("potters", &["ben"]).await;
    world.granted(&world.all.ada, json!({ "groups": ["potters"], "verbs": ["admin"] })).await;
    world.granted(&world.all.ben, json!({ "users": ["cora"], "verbs": ["connect"] })).await;
    let bens = world.live("ben", Shown::default()).await;
    let coras = world.live("cora", Shown::default()).await;
    let path = format!("/api/v2/groups/{group}");
    server.patch(olga, &path, json!({ "remove_users": ["ben"] })).await.expect(200);
    cut(&bens).await;
    cut(&coras).await;
    world.get(&world.cora, "").await.expect(404);
    // The owner sees that it holds no more, and takes it back.
    let listed = world.get(&world.all.ada, "/grants").await.expect(200).json();
    let coras = listed.as_array().unwrap().iter().find(|g| g["subject"]["name"] == "cora").unwrap();
    assert_eq!(coras["holds"], false);
}

#[tokio::test]
async fn who_is_suspended_or_leaves_the_organization_has_it_no_more() {
    let world = World::new().await;
    let server = &world.all.server;
    world.granted(&world.all.ada, json!({ "users": ["ben", "cora"], "verbs": ["use"] })).await;
    let (bens, coras) =
        (world.live("ben", Shown::default()).await, world.live("cora", Shown::default()).await);
    server.app.set_user_status(&Actor::System, "ben", false).await.unwrap();
    cut(&bens).await;
    let path = "/api/v2/organizations/default/members/cora";
    server.call(&world.all.olga, Method::DELETE, path, None).await.expect(204);
    cut(&coras).await;
    // Back in the organization she has nothing by what she had there before.
    server.post(&world.all.olga, path, json!({})).await.expect(200);
    world.get(&world.cora, "").await.expect(404);
}

#[tokio::test]
async fn who_it_is_to_can_leave() {
    let world = World::new().await;
    let server = &world.all.server;
    world.granted(&world.all.ada, json!({ "users": ["ben"] })).await;
    server.post(&world.all.ben, &world.path("/leave"), json!({})).await.expect(204);
    world.get(&world.all.ben, "").await.expect(404);
    server.post(&world.all.ben, &world.path("/leave"), json!({})).await.expect(404);
    server.post(&world.all.ada, &world.path("/leave"), json!({})).await.expect(409);
    world.group("potters", &["ben"]).await;
    world.granted(&world.all.ada, json!({ "groups": ["potters"] })).await;
    server.post(&world.all.ben, &world.path("/leave"), json!({})).await.expect(409);
}

#[tokio::test]
async fn who_is_on_call_has_it_for_their_shift_and_nobody_else() {
    let world = World::new().await;
    let (server, olga) = (&world.all.server, &world.all.olga);
    let body = json!({ "name": "on-call", "zone": "UTC", "layers": [
        { "members": ["ben", "cora"], "handoff": "00:00", "length": "1d" }] });
    let path = "/api/v2/organizations/default/rotations";
    let made = server.post(olga, path, body).await.expect(201).json();
    let id = made["id"].as_str().unwrap().parse().unwrap();
    let grant = json!({ "rotations": ["on-call"], "verbs": ["admin"] });
    world.granted(&world.all.ada, grant).await;
    let on_call = || async {
        let found = server.app.on_call(&Actor::System, id, None).await.unwrap();
        found.unwrap().0.username.to_string()
    };
    let first = on_call().await;
    let second = if first == "ben" { "cora" } else { "ben" };
    world.get(&server.sign_in(&first).await, "").await.expect(200);
    world.get(&server.sign_in(second).await, "").await.expect(404);
    // A shift is for work, and gives nobody else anything.
    let on = server.sign_in(&first).await;
    world.grant(&on, json!({ "users": ["dora"], "verbs": ["view"] })).await.expect(403);
    let live = world.live(&first, Shown::default()).await;
    // The same database opened after the handoff, by a server that did not see it pass.
    let slept = server.copy().await;
    for server in [server, &slept] {
        server.clock.advance(Duration::from_hours(24));
    }
    cut(&live).await;
    assert_eq!(on_call().await, second);
    for server in [server, &slept] {
        let (first, second) = (server.sign_in(&first).await, server.sign_in(second).await);
        server.get(&first, &world.path("")).await.expect(404);
        server.get(&second, &world.path("")).await.expect(200);
    }
}

#[tokio::test]
async fn what_began_unrecorded_ends_when_a_recording_is_demanded() {
    let world = World::new().await;
    let ada = &world.all.ada;
    let free = world.granted(ada, json!({ "users": ["ben"] })).await;
    world.granted(ada, json!({ "users": ["ben"], "record": true })).await;
    let unseen = world.live_as("ben", Shown::default(), false).await;
    let seen = world.live_as("ben", Shown::default(), true).await;
    world.end(ada, &free).await.expect(204);
    cut(&unseen).await;
    assert!(!seen.cut.is_cancelled());
    world.get(&world.all.ben, "").await.expect(200);
}

/// Who shares by a role alone shares as long as they have it, by whatever way; what an owner gave does not
/// depend on them.
#[tokio::test]
async fn what_was_given_by_a_role_ends_with_it_and_a_review_says_so() {
    let world = World::new().await;
    let (server, ada, olga) = (&world.all.server, &world.all.ada, &world.all.olga);
    let roles = "/api/v2/organizations/default/members/dora/roles";
    server.put(olga, roles, json!({ "roles": ["organization-admin"] })).await.expect(200);
    let dora = server.sign_in("dora").await;
    let given = json!({ "users": ["ben"], "verbs": ["view", "operate"] });
    let grant = world.granted(&dora, given).await;
    world.group("potters", &["cora"]).await;
    world.granted(ada, json!({ "groups": ["potters"], "verbs": ["use"] })).await;
    let code = json!({ "verbs": ["view"] });
    let code = server.post(&dora, &world.path("/codes"), code).await.expect(201).json();
    let redeem = json!({ "code": code["code"] });
    server.app.create_user(&Actor::System, person("fay")).await.unwrap();
    let fay = server.sign_in("fay").await;
    server.post(&fay, "/api/v2/codes/redeem", redeem).await.expect(201);
    world.get(&world.all.ben, "").await.expect(200);
    world.get(&fay, "").await.expect(200);

    server.put(olga, roles, json!({ "roles": [] })).await.expect(200);
    world.get(&world.all.ben, "").await.expect(404);
    world.get(&fay, "").await.expect(404);
    world.get(&world.cora, "").await.expect(200);
    let path = "/api/v2/access-review?show=departed";
    let said = server.get(olga, path).await.expect(200).json();
    let found: Vec<&str> = said["grants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["grant"]["subject"]["name"].as_str().unwrap())
        .collect();
    assert_eq!((found, &said["departed"]), (vec!["ben", "fay"], &json!(2)), "{said}");
    let listed = world.get(ada, "/grants").await.expect(200).json();
    let ben = listed.as_array().unwrap().iter().find(|g| g["id"] == grant.as_str()).unwrap();
    assert_eq!(ben["holds"], false);
    let why = server.get(olga, &world.path("/access/ben")).await.expect(200).json();
    assert!(why[0]["closed"].as_str().unwrap().contains("lost the right to"), "{why}");
    // Whoever gives the role back puts it in force again.
    server.put(olga, roles, json!({ "roles": ["organization-admin"] })).await.expect(200);
    world.get(&world.all.ben, "").await.expect(200);

    // An owner's grants stand without them, as before; also those of who owned it once.
    world.granted(ada, json!({ "users": ["cora"], "verbs": ["view"] })).await;
    let body = json!({ "to": "dora" });
    server.post(olga, &world.path("/handover"), body).await.expect(200);
    server.app.set_user_status(&Actor::System, "ada", false).await.unwrap();
    world.get(&world.cora, "").await.expect(200);
}

#[tokio::test]
async fn a_rotation_has_what_a_role_gave_it_as_long_as_that_lasts() {
    let world = World::new().await;
    let (server, olga) = (&world.all.server, &world.all.olga);
    let body = json!({ "name": "on-call", "zone": "UTC", "layers": [
        { "members": ["ben"], "handoff": "00:00", "length": "1d" }] });
    let path = "/api/v2/organizations/default/rotations";
    server.post(olga, path, body).await.expect(201);
    let path = "/api/v2/users/dora/roles";
    server.put(olga, path, json!({ "roles": ["owner"] })).await.expect(200);
    let dora = server.sign_in("dora").await;
    world.granted(&dora, json!({ "rotations": ["on-call"], "verbs": ["use"] })).await;
    let live = world.live("ben", Shown::default()).await;
    world.get(&world.all.ben, "").await.expect(200);
    server.put(olga, path, json!({ "roles": [] })).await.expect(200);
    cut(&live).await;
    world.get(&world.all.ben, "").await.expect(404);
}
