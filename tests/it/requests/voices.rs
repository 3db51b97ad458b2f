//! Which answers count: each is heard as it was said, and for as long as the right to it stands.

use serde_json::json;
use steading::server::app::Actor;

use super::{REQUESTS, World, said};
use crate::harness::{Client, person};
use crate::workspaces::id;

impl World {
    /// Lets someone share the workspace from one network only. The grant's id.
    async fn shares_from(&self, name: &str, network: &str) -> String {
        let path = format!("/api/v2/workspaces/{}/grants", self.kiln);
        let body = json!({ "users": [name], "verbs": ["admin"], "networks": [network] });
        let made = self.all.server.post(&self.all.ada, &path, body).await.expect(201).json();
        id(&made[0])
    }
}

fn at(who: &Client, peer: &str) -> Client {
    Client { peer: Some(peer.parse().unwrap()), ..who.clone() }
}

#[tokio::test]
async fn who_may_answer_from_one_network_is_counted_when_the_last_one_answers_from_elsewhere() {
    let world = World::new().await;
    let (ada, ben) = (&world.all.ada, &world.all.ben);
    world.set_rules(ada, json!({ "approvals": 2 })).await.expect(200);
    let hers = world.shares_from("cora", "203.0.113.0/24").await;
    let (inside, outside) = (at(&world.cora, "203.0.113.7:1"), at(&world.cora, "192.0.2.7:1"));
    let request = world.asked(ben).await;
    world.answer(&outside, &request, "approve").await.expect(404);
    world.answer(&inside, &request, "approve").await.expect(200);
    let done = world.answer(ada, &request, "approve").await.expect(200).json();
    assert_eq!(done["state"], "approved");
    assert_eq!(world.sees(ben).await, 200);
    world.revoked(world.grants().await[1]["id"].as_str().unwrap()).await;

    // Where that right is gone meanwhile, it is not counted, whatever she has instead.
    let request = world.asked(ben).await;
    world.answer(&inside, &request, "approve").await.expect(200);
    world.revoked(&hers).await;
    world.shares_from("cora", "198.51.100.0/24").await;
    let one = world.answer(ada, &request, "approve").await.expect(200).json();
    assert_eq!(one["state"], "pending", "{one}");
}

#[tokio::test]
async fn what_waits_is_listed_where_someone_belongs_and_while_it_can_be_answered() {
    let world = World::new().await;
    let (server, olga) = (&world.all.server, &world.all.olga);
    // Eve belongs to another organization only.
    server.app.create_user(&Actor::System, person("eve")).await.unwrap();
    let path = "/api/v2/organizations";
    server.post(olga, path, json!({ "name": "orchard" })).await.expect(201);
    let path = "/api/v2/organizations/orchard/members/eve";
    server.post(olga, path, json!({})).await.expect(200);
    server.delete(olga, "/api/v2/organizations/default/members/eve").await.expect(204);
    let eve = server.sign_in("eve").await;
    let request = world.asked(&world.all.ben).await;
    assert_eq!(world.to_decide(&world.all.ada).await.len(), 1);
    // By a role on the site, wherever it is; oneself, and who is elsewhere, never.
    assert_eq!(world.to_decide(olga).await.len(), 1);
    assert!(world.to_decide(&world.all.ben).await.is_empty());
    assert!(world.to_decide(&eve).await.is_empty());
    server.get(&eve, &format!("{REQUESTS}/{request}")).await.expect(404);
    world.wait(3_600);
    assert!(world.to_decide(&world.all.ada).await.is_empty());
    assert!(world.to_decide(olga).await.is_empty());
}

#[tokio::test]
async fn wrong_links_are_counted_for_each_alone() {
    let world = World::new().await;
    let server = &world.all.server;
    let page = |who: &Client| {
        who.in_browser(&[("accept", "text/html"), ("sec-fetch-site", "same-origin")])
    };
    let (ben, cora) = (page(&world.all.ben), page(&world.cora));
    let wrong = "/requests/link/stAAAAAAAA-AAAAAAAAAAAAAAAAAAAAAA";
    let mut tried = 0;
    while server.get(&ben, wrong).await.status == 404 {
        tried += 1;
        assert!(tried < 50, "nobody guesses on and on");
    }
    let locked = server.get(&ben, wrong).await;
    assert_eq!(locked.status, 409, "{}", locked.text);
    assert_eq!(server.get(&cora, wrong).await.status, 404, "others are not locked out by it");
    // Nor is a right one read then, and it is good afterwards.
    let request = world.asked(&world.cora).await;
    let made = server.post(&world.cora, &format!("{REQUESTS}/{request}/link"), json!({})).await;
    let url = made.expect(201).json()["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("http://127.0.0.1:7080").unwrap().to_owned();
    world.granted("ben", "admin").await;
    assert_eq!(server.get(&ben, &path).await.status, 409);
    world.wait(16 * 60);
    server.get(&ben, &path).await.expect(200);
}

#[tokio::test]
async fn three_emergencies_into_which_nobody_looked_refuse_a_fourth() {
    let world = World::new().await;
    let (server, ben) = (&world.all.server, &world.all.ben);
    world.firefighter().await;
    for name in ["oven", "wheel", "shelf"] {
        world.all.adas(name).await;
        world.all.done(crate::workspaces::made(&format!("token-{name}"), 1)).await;
    }
    let take = |name: &str| {
        let body = json!({ "workspace": format!("ada/{name}"), "reason": "the alarm" });
        async move { server.post(ben, "/api/v2/break-glass", body).await }
    };
    let first = take("kiln").await.expect(201).json();
    take("oven").await.expect(201);
    take("wheel").await.expect(201);
    let refused = take("shelf").await.expect(409);
    assert!(said(&refused).contains("the last 3 emergencies"), "{}", said(&refused));
    let review = format!("/api/v2/break-glass/{}/review", id(&first));
    let note = json!({ "note": "it was the valve" });
    server.post(&world.all.ada, &review, note).await.expect(200);
    take("shelf").await.expect(201);
}
