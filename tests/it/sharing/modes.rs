//! Whose workspaces may be shared in an organization, and the page that shares one.

use serde_json::{Value, json};
use steading::model::session::Shown;

use super::{World, cut};
use crate::harness::Client;

const MODE: &str = "/api/v2/organizations/default/settings/workspace-sharing";

async fn set(world: &World, mode: &str) -> Value {
    let body = json!({ "shareable_workspace_owners": mode });
    world.all.server.patch(&world.all.olga, MODE, body).await.expect(200).json()
}

#[tokio::test]
async fn a_change_says_first_what_it_ends_and_what_it_ended_can_be_restored() {
    let world = World::new().await;
    let (server, olga, ada) = (&world.all.server, &world.all.olga, &world.all.ada);
    let now = server.get(ada, MODE).await.expect(200).json();
    assert_eq!(
        now,
        json!({ "sharing_globally_disabled": false, "sharing_disabled": false,
            "shareable_workspace_owners": "everyone", "restorable_grants": 0 })
    );
    server.patch(ada, MODE, json!({ "sharing_disabled": true })).await.expect(403);
    world.granted(ada, json!({ "users": ["ben"], "until": "30d" })).await;
    let short = json!({ "users": ["cora"], "until": "1h" });
    world.granted(ada, short).await;
    let live = world.live("ben", Shown::default()).await;
    let ends = |mode: &str| format!("{MODE}/ends?shareable_workspace_owners={mode}");
    let ends = server.get(olga, &ends("service_accounts")).await.expect(200).json();
    let named: Vec<_> = ends.as_array().unwrap().iter().collect();
    assert_eq!(named.len(), 2, "{ends}");
    assert_eq!(
        (&named[0]["workspace"], &named[0]["grant"]["subject"]["name"]),
        (&json!("ada/kiln"), &json!("ben"))
    );
    world.get(&world.all.ben, "").await.expect(200);

    let said = set(&world, "service_accounts").await;
    assert_eq!(said["restorable_grants"], 0, "they would not stand: {said}");
    cut(&live).await;
    world.get(&world.all.ben, "").await.expect(404);
    let refused = world.grant(ada, json!({ "users": ["ben"] })).await.expect(403).json();
    assert!(refused["message"].as_str().unwrap().contains("service accounts"), "{refused}");
    set(&world, "none").await;
    let refused = world.grant(ada, json!({ "users": ["ben"] })).await.expect(403).json();
    assert!(refused["message"].as_str().unwrap().contains("not shared"), "{refused}");

    // What ran out meanwhile stays ended.
    server.clock.advance(std::time::Duration::from_hours(2));
    let said = set(&world, "everyone").await;
    assert_eq!(said["restorable_grants"], 1, "{said}");
    world.get(&world.all.ben, "").await.expect(404);
    let restore = format!("{MODE}/restore");
    let said = server.post(olga, &restore, json!({})).await.expect(200).json();
    assert_eq!(said["restorable_grants"], 0);
    world.get(&world.all.ben, "").await.expect(200);
    world.get(&world.cora, "").await.expect(404);
    let path = "/api/v2/audit?q=resource_type%3Aorganization&limit=10";
    let log = server.get(olga, path).await.expect(200).text;
    assert!(log.contains("ada/kiln: ben, use until"), "{log}");
    for body in [json!({}), json!({ "shareable_workspace_owners": "some" })] {
        let refused = server.patch(olga, MODE, body).await.expect(400).json();
        assert_eq!(refused["validations"][0]["field"], "shareable_workspace_owners");
    }
}

#[tokio::test]
async fn what_ended_with_a_mode_is_forgotten_after_thirty_days() {
    let world = World::new().await;
    let server = &world.all.server;
    world.granted(&world.all.ada, json!({ "users": ["ben"] })).await;
    set(&world, "none").await;
    let days = |n: u64| std::time::Duration::from_hours(24 * n);
    for (passed, left) in [(29, 1), (2, 0)] {
        server.clock.advance(days(passed));
        server.app.forget_step(steading::server::app::retention::Old::Grants).await.unwrap();
        let conn = rusqlite::Connection::open(&server.db_path).unwrap();
        let n: i64 = conn.query_row("SELECT count(*) FROM grants", [], |row| row.get(0)).unwrap();
        assert_eq!(n, left);
    }
}

#[tokio::test]
async fn the_operator_s_switch_closes_every_share_and_opens_them_again() {
    let world = World::new().await;
    let server = &world.all.server;
    world.granted(&world.all.ada, json!({ "users": ["ben"] })).await;
    let live = world.live("ben", Shown::default()).await;
    server.app.set_sharing_off(true).await.unwrap();
    cut(&live).await;
    world.get(&world.all.ben, "").await.expect(404);
    world.get(&world.all.ada, "").await.expect(200);
    world.grant(&world.all.ada, json!({ "users": ["cora"] })).await.expect(403);
    let said = server.get(&world.all.ada, MODE).await.expect(200).json();
    assert_eq!(said["sharing_globally_disabled"], true);
    assert_eq!(said["shareable_workspace_owners"], "none");
    server.app.set_sharing_off(false).await.unwrap();
    world.get(&world.all.ben, "").await.expect(200);
}

async fn browser(world: &World, name: &str) -> Client {
    world.all.server.sign_in(name).await
}

#[tokio::test]
async fn a_workspace_is_shared_taken_back_and_shared_again_on_its_page() {
    let world = World::new().await;
    let server = &world.all.server;
    let (ada, ben) = (browser(&world, "ada").await, browser(&world, "ben").await);
    let path = "/@ada/kiln/sharing";
    let page = server.get(&ada, "/@ada/kiln").await.expect(200).text;
    assert!(page.contains(path), "the workspace's page leads there");
    server.get(&ben, path).await.expect(404);
    let page = server.get(&ada, path).await.expect(200).text;
    assert!(page.contains("shared with nobody"), "{page}");
    let least = [("who", "ben"), ("preset", "custom"), ("ends", "8h"), ("record", "yes")];
    let refused = server.form(&ada, path, &least).await.expect(200).text;
    assert!(refused.contains("mark at least one"), "{refused}");
    let verbs = [("who", "ben"), ("preset", "custom"), ("v.connect", "yes"), ("ends", "8h")];
    server.form(&ada, path, &verbs).await.expect(303);
    let page = server.get(&ada, path).await.expect(200).text;
    assert!(page.contains("view, connect") && page.contains("Revoke"), "{page}");
    let seen = server.get(&ben, "/@ada/kiln").await.expect(200).text;
    assert!(seen.contains("Shared with you: view, connect") && seen.contains("Leave"), "{seen}");
    assert!(!seen.contains(path), "he does not share it");
    let grant = world.get(&world.all.ada, "/grants").await.expect(200).json();
    let grant = grant[0]["id"].as_str().unwrap().to_owned();
    server.form(&ada, &format!("{path}/{grant}/revoke"), &[]).await.expect(303);
    let page = server.get(&ada, path).await.expect(200).text;
    assert!(page.contains("Taken back just now") && page.contains("Undo"), "{page}");
    server.form(&ada, &format!("{path}/{grant}/restore"), &[]).await.expect(303);
    server.form(&ben, "/@ada/kiln/leave", &[]).await.expect(303);
    server.get(&ben, "/@ada/kiln").await.expect(404);

    // A date that is over is said beside the field, and nothing that was typed is lost.
    let past = [
        ("who", "ben"),
        ("preset", "use"),
        ("ends", "at"),
        ("until_at", "2020-01-01T00:00"),
        ("reason", "the kiln is hot"),
    ];
    let refused = server.form(&ada, path, &past).await.expect(200).text;
    assert!(
        refused.contains("not in the future") && refused.contains("the kiln is hot"),
        "{refused}"
    );
}

#[tokio::test]
async fn the_page_of_modes_asks_before_it_ends_anything() {
    let world = World::new().await;
    let server = &world.all.server;
    let olga = browser(&world, "olga").await;
    world.granted(&world.all.ada, json!({ "users": ["ben"] })).await;
    let path = "/organizations/default/sharing";
    let asked = server.form(&olga, path, &[("mode", "none")]).await.expect(200).text;
    assert!(asked.contains("Grants that end") && asked.contains("ada/kiln"), "{asked}");
    world.get(&world.all.ben, "").await.expect(200);
    server.form(&olga, path, &[("mode", "none"), ("confirm", "yes")]).await.expect(303);
    world.get(&world.all.ben, "").await.expect(404);
    server.form(&olga, path, &[("mode", "everyone")]).await.expect(303);
    let page = server.get(&olga, path).await.expect(200).text;
    assert!(page.contains("Restore them"), "{page}");
    server.form(&olga, &format!("{path}/restore"), &[]).await.expect(303);
    world.get(&world.all.ben, "").await.expect(200);
}
