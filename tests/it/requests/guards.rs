//! Nobody lets themselves in by a request: not by a program, an account or a right that they lost.

use serde_json::{Value, json};
use steading::server::app::Actor;

use super::{REQUESTS, World, said};
use crate::harness::{Client, Reply};
use crate::workspaces::id;

const HOOK: &str = "/api/v2/organizations/default/settings/request-hook";

impl World {
    pub(super) async fn roles(&self, of: &str, roles: &[&str]) {
        let path = format!("/api/v2/organizations/default/members/{of}/roles");
        self.all.server.put(&self.all.olga, &path, json!({ "roles": roles })).await.expect(200);
    }

    /// Lets Ben let himself in.
    pub(super) async fn firefighter(&self) {
        let role = json!({ "name": "firefighter", "organization_permissions":
            [{ "resource_type": "workspace", "action": "break_glass" }] });
        let path = "/api/v2/organizations/default/members/roles";
        self.all.server.post(&self.all.olga, path, role).await.expect(200);
        self.roles("ben", &["firefighter"]).await;
    }

    async fn take(&self, who: &Client) -> Reply {
        let body = json!({ "workspace": "ada/kiln", "reason": "the alarm" });
        self.all.server.post(who, "/api/v2/break-glass", body).await
    }

    /// A token of someone, made by Olga.
    async fn token(&self, of: &str) -> Client {
        let path = format!("/api/v2/users/{of}/keys/tokens");
        let made = self.all.server.post(&self.all.olga, &path, json!({ "token_name": "t" })).await;
        let key = made.expect(201).json()["key"].as_str().unwrap().to_owned();
        Client { token: Some(key), ..Client::default() }
    }

    /// Has a program say yes for someone.
    pub(super) async fn brings(&self, secret: &str, request: &str, email: &str) -> Reply {
        let body = json!({ "request": request, "email": email, "verdict": "approve" });
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        let tag = ring::hmac::sign(&key, body.to_string().as_bytes());
        let signature = format!("v1={}", hex::encode(tag));
        let program =
            Client { headers: vec![("x-steading-signature", signature)], ..Client::default() };
        self.all.server.post(&program, &format!("{REQUESTS}/{request}/webhook"), body).await
    }

    pub(super) async fn set_hook(&self, by: &Client) -> String {
        let body = json!({ "url": "https://hooks.example.org/" });
        let set = self.all.server.put(by, HOOK, body).await.expect(201).json();
        set["secret"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn the_program_of_who_may_not_answer_brings_no_answers() {
    let world = World::new().await;
    world.roles("dora", &["organization-admin"]).await;
    let secret = world.set_hook(&world.dora).await;
    let body = json!({ "workspace": "ada/kiln", "verbs": ["connect"], "reason": "the glaze" });
    for by in [&world.dora, &world.all.ben] {
        let request = id(&world.ask(by, body.clone()).await.expect(201).json());
        let refused = world.brings(&secret, &request, "ada@example.org").await.expect(403);
        assert!(said(&refused).starts_with("Who set this program"), "{}", said(&refused));
    }
    assert!(world.grants().await.is_empty());
    assert_eq!(world.sees(&world.all.ben).await, 404);
}

#[tokio::test]
async fn all_that_a_program_brings_is_one_yes() {
    let world = World::new().await;
    world.group("potters", &["cora", "dora"]).await;
    let rule = json!({ "approvals": 2, "group": "potters" });
    world.set_rules(&world.all.ada, rule).await.expect(200);
    let secret = world.set_hook(&world.all.olga).await;
    let request = world.asked(&world.all.ben).await;
    for email in ["cora@example.org", "dora@example.org"] {
        world.brings(&secret, &request, email).await.expect(200);
    }
    assert_eq!(world.sees(&world.all.ben).await, 404);
    // Another secret is another program: what the one before signs is not heard.
    world.set_hook(&world.all.olga).await;
    world.brings(&secret, &request, "ada@example.org").await.expect(401);
    let own = world.answer(&world.all.ada, &request, "approve").await.expect(200).json();
    assert_eq!(own["state"], "approved");
}

#[tokio::test]
async fn accounts_neither_ask_nor_let_themselves_in_and_tokens_break_no_glass() {
    let world = World::new().await;
    let (server, olga) = (&world.all.server, &world.all.olga);
    let body = json!({ "username": "nightly", "service_account": true, "responsible": "ada" });
    server.post(olga, "/api/v2/users", body).await.expect(201);
    let bot = world.token("nightly").await;
    let body = json!({ "workspace": "ada/kiln", "reason": "the glaze" });
    let refused = world.ask(&bot, body).await.expect(403);
    assert!(said(&refused).starts_with("Only people"), "{}", said(&refused));
    let token = world.token("olga").await;
    let refused = world.take(&token).await.expect(403);
    assert!(said(&refused).contains("by a session"), "{}", said(&refused));
    world.take(olga).await.expect(201);
}

#[tokio::test]
async fn what_was_taken_or_given_ends_with_the_right_to_it() {
    let world = World::new().await;
    let ben = &world.all.ben;
    world.firefighter().await;
    world.take(ben).await.expect(201);
    assert_eq!(world.sees(ben).await, 200);
    world.roles("ben", &[]).await;
    assert_eq!(world.sees(ben).await, 404, "who lost the permission is out");

    world.group("potters", &["cora"]).await;
    let rule = json!({ "approvals": 1, "group": "potters" });
    world.set_rules(&world.all.ada, rule).await.expect(200);
    let request = world.asked(ben).await;
    world.answer(&world.cora, &request, "approve").await.expect(200);
    assert_eq!(world.sees(ben).await, 200);
    let app = &world.all.server.app;
    app.set_user_status(&Actor::System, "ada", false).await.unwrap();
    assert_eq!(world.sees(ben).await, 404, "by whose right it was given may give nothing");
}

#[tokio::test]
async fn the_glass_is_broken_again_when_someone_has_looked_into_the_last_time() {
    let world = World::new().await;
    let ben = &world.all.ben;
    world.firefighter().await;
    let taken = world.take(ben).await.expect(201).json();
    world.wait(3_600);
    assert_eq!(world.sees(ben).await, 404);
    let refused = world.take(ben).await.expect(409);
    assert!(said(&refused).contains("looked into the last time"), "{}", said(&refused));
    let review = format!("/api/v2/break-glass/{}/review", id(&taken));
    let note = json!({ "note": "it was the valve" });
    world.all.server.post(&world.all.ada, &review, note).await.expect(200);
    world.take(ben).await.expect(201);
    let open = world.all.server.get(&world.cora, "/api/v2/break-glass").await.expect(200);
    assert_eq!(open.json(), Value::Array(vec![]));
}
