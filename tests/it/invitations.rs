//! Invitations: what a link gives, to whom, how often, and what ends it; and tokens that leaked.

use std::time::Duration;

use serde_json::{Value, json};
use steading::server::app::Actor;
use steading::server::app::groups::CreateGroup;

use crate::harness::{Client, PASSWORD, Reply, TestServer};

const INVITATIONS: &str = "/api/v2/invitations";
const LEAKED: &str = "/leaked-token";

/// A browser of nobody's.
fn guest() -> Client {
    let headers = vec![("sec-fetch-site", "same-origin".to_owned())];
    Client { headers, ..Client::default() }
}

async fn invite(server: &TestServer, by: &Client, body: Value) -> (Value, String) {
    let made = server.post(by, INVITATIONS, body).await.expect(201).json();
    let url = made["url"].as_str().unwrap();
    let path = url.strip_prefix(crate::harness::URL).unwrap().to_owned();
    (made, path)
}

fn for_someone() -> Value {
    json!({ "email": "someone@example.org" })
}

async fn accept(server: &TestServer, path: &str, name: &str) -> Reply {
    let fields = [("username", name), ("email", "other@example.org"), ("password", PASSWORD)];
    server.form(&guest(), path, &fields).await
}

#[tokio::test]
async fn a_link_makes_one_account_with_what_was_preset() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let potters = CreateGroup { name: "potters".to_owned(), ..CreateGroup::default() };
    server.app.create_group(&Actor::System, "default", potters).await.unwrap();
    let body = json!({ "email": "dora@example.org", "roles": ["template-admin"],
        "groups": ["potters"] });
    let (made, path) = invite(&server, &olga, body).await;
    assert_eq!(made["made_by"]["username"], "olga");
    let listed = server.get(&olga, INVITATIONS).await.expect(200).json();
    assert_eq!((&listed[0]["id"], listed[0].get("url")), (&made["id"], None));
    let page = server.get(&guest(), &path).await.expect(200);
    assert!(page.text.contains("dora@example.org") && page.text.contains("olga"), "{}", page.text);
    // A look uses nothing up, and another address is not taken.
    let come = accept(&server, &path, "dora").await.expect(303);
    assert_eq!(come.headers["location"], "/workspaces");
    assert!(come.headers.contains_key("set-cookie"));
    let dora = server.app.user(&Actor::System, "dora").await.unwrap();
    assert_eq!(dora.email, "dora@example.org");
    assert_eq!(dora.roles, [steading::model::user::SiteRole::TemplateAdmin]);
    let group = server.app.group_named(&Actor::System, "default", "potters").await.unwrap();
    assert!(group.members.iter().any(|user| user.id == dora.id));
    // It is used up.
    server.get(&guest(), &path).await.expect(404);
    assert_eq!(accept(&server, &path, "eve").await.status, 404);
    assert_eq!(server.get(&olga, INVITATIONS).await.expect(200).json(), json!([]));
    server.sign_in("dora").await;
}

#[tokio::test]
async fn two_guests_at_once_are_one_account() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let (_, path) = invite(&server, &olga, for_someone()).await;
    let (one, other) = tokio::join!(accept(&server, &path, "dora"), accept(&server, &path, "eve"));
    let statuses = [one.status.as_u16(), other.status.as_u16()];
    assert!(statuses.contains(&303) && statuses.contains(&404), "{statuses:?}");
}

#[tokio::test]
async fn nobody_invites_with_more_than_they_give_themselves() {
    let server = TestServer::start().await;
    let (olga, urs) = (server.sign_in("olga").await, server.sign_in("urs").await);
    let (ada, body) = (server.sign_in("ada").await, for_someone());
    server.post(&ada, INVITATIONS, body.clone()).await.expect(403);
    server.get(&ada, INVITATIONS).await.expect(403);
    server
        .post(&urs, INVITATIONS, json!({ "email": "x@example.org", "roles": ["owner"] }))
        .await
        .expect(403);
    server.post(&urs, INVITATIONS, body).await.expect(201);
    for wrong in [
        json!({ "email": "x@example.org", "roles": ["king"] }),
        json!({ "email": "x@example.org", "groups": ["nobody"] }),
        json!({ "email": "none" }),
        json!({ "roles": [] }),
        json!({ "email": "x@example.org", "lifetime": 40_i64 * 86_400_000_000_000 }),
        json!({ "email": "x@example.org", "lifetime": 5 }),
    ] {
        server.post(&olga, INVITATIONS, wrong).await.expect(400);
    }
    server.post(&olga, INVITATIONS, json!({ "email": "ada@example.org" })).await.expect(409);
    // Who made it is no longer an admin: the link gives nothing.
    let (_, path) = invite(&server, &urs, for_someone()).await;
    server.get(&guest(), &path).await.expect(200);
    server.app.set_user_roles(&Actor::System, "urs", vec![]).await.unwrap();
    server.get(&guest(), &path).await.expect(404);
    assert_eq!(accept(&server, &path, "dora").await.status, 404);
    // Nor does that of an owner who was suspended.
    let (_, path) =
        invite(&server, &olga, json!({ "email": "x@example.org", "roles": ["owner"] })).await;
    let owner = vec![steading::model::user::SiteRole::Owner];
    server.app.set_user_roles(&Actor::System, "ben", owner).await.unwrap();
    server.app.set_user_status(&Actor::System, "olga", false).await.unwrap();
    server.get(&guest(), &path).await.expect(404);
}

#[tokio::test]
async fn a_link_ends_by_time_by_revocation_and_by_guessing() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let (_, late) =
        invite(&server, &olga, json!({ "email": "x@example.org", "lifetime": 60_000_000_000_i64 }))
            .await;
    let (made, revoked) = invite(&server, &olga, for_someone()).await;
    server.get(&guest(), &late).await.expect(200);
    server.clock.advance(Duration::from_secs(61));
    server.get(&guest(), &late).await.expect(404);
    let path = format!("{INVITATIONS}/{}", made["id"].as_str().unwrap());
    server.delete(&olga, &path).await.expect(204);
    server.delete(&olga, &path).await.expect(404);
    server.get(&guest(), &revoked).await.expect(404);
    let (_, good) = invite(&server, &olga, for_someone()).await;
    let stranger = Client { peer: Some("198.51.100.7:1".parse().unwrap()), ..guest() };
    for _ in 0..10 {
        server.get(&stranger, "/invite/stAAAAAAAA-BBBBBBBBBBBBBBBBBBBBBB").await.expect(404);
    }
    server.get(&stranger, &good).await.expect(409);
    server.get(&guest(), &good).await.expect(200);
    let bad = [("username", "me"), ("email", "x"), ("password", "short")];
    let again = server.form(&guest(), &good, &bad).await.expect(200);
    assert!(
        again.text.contains("is reserved") || again.text.contains("reserved"),
        "{}",
        again.text
    );
}

#[tokio::test]
async fn the_page_makes_a_link_and_revokes_it() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let browser = olga.in_browser(&[("sec-fetch-site", "same-origin")]);
    let page = server.get(&browser, "/invitations").await.expect(200);
    let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
    let fields =
        [("csrf", csrf.as_str()), ("email", "x@example.org"), ("days", "2"), ("role", "auditor")];
    let made = server.form(&browser, "/invitations", &fields).await.expect(200);
    assert!(made.text.contains("/invite/st") && made.text.contains("auditor"), "{}", made.text);
    let id = server.get(&olga, INVITATIONS).await.json()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/invitations/{id}/revoke");
    server.form(&browser, &path, &[("csrf", &csrf)]).await.expect(303);
    let fields = [("csrf", csrf.as_str()), ("days", "many")];
    let wrong = server.form(&browser, "/invitations", &fields).await.expect(200);
    assert!(wrong.text.contains("Is not a number of days"), "{}", wrong.text);
}

#[tokio::test]
async fn the_form_offers_the_groups_that_may_be_given() {
    let server = TestServer::start().await;
    let system = Actor::System;
    let make = async |name: String| {
        let group = CreateGroup { name, ..CreateGroup::default() };
        server.app.create_group(&system, "default", group).await.unwrap();
    };
    make("potters".to_owned()).await;
    make("glaze".to_owned()).await;
    let urs = server.sign_in("urs").await;
    let browser = urs.in_browser(&[("sec-fetch-site", "same-origin")]);
    let page = server.get(&browser, "/invitations").await.expect(200).text;
    let is_box =
        |page: &str, name: &str| page.contains(&format!("name=\"group\" value=\"{name}\""));
    assert!(is_box(&page, "potters") && is_box(&page, "glaze"), "{page}");
    assert!(!is_box(&page, "Everyone") && !page.contains("name=\"groups\""), "{page}");
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"");
    let fields = [("csrf", csrf.as_str()), ("email", "none"), ("days", "2"), ("group", "glaze")];
    let again = server.form(&browser, "/invitations", &fields).await.expect(200).text;
    assert!(again.contains("value=\"glaze\" checked"), "{again}");
    let fields = [
        ("csrf", csrf.as_str()),
        ("email", "x@example.org"),
        ("days", "2"),
        ("group", "glaze"),
        ("group", "potters"),
    ];
    server.form(&browser, "/invitations", &fields).await.expect(200);
    let made = server.get(&urs, INVITATIONS).await.expect(200).json();
    assert_eq!(made[0]["groups"].as_array().unwrap().len(), 2, "{made:#}");

    // Of many some are typed.
    for n in 0..60 {
        make(format!("kiln-{n}")).await;
    }
    let page = server.get(&browser, "/invitations").await.expect(200).text;
    assert_eq!(page.matches("name=\"group\"").count(), 60);
    assert!(page.contains("name=\"groups\""), "{page}");
    let fields =
        [("csrf", csrf.as_str()), ("email", "y@example.org"), ("days", "2"), ("groups", "potters")];
    server.form(&browser, "/invitations", &fields).await.expect(200);
    let made = server.get(&urs, INVITATIONS).await.expect(200).json();
    assert_eq!(made.as_array().unwrap().len(), 2, "{made:#}");
}

fn between(text: &str, before: &str, after: &str) -> String {
    let start = text.find(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    text[start + before.len()..].split(after).next().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_that_leaked_is_ended_by_whoever_shows_it_and_nobody_is_told_whose() {
    let server = TestServer::start().await;
    let (olga, ada) = (server.sign_in("olga").await, server.sign_in("ada").await);
    let body = json!({ "token_name": "ci" });
    let made = server.post(&ada, "/api/v2/users/me/keys/tokens", body).await.expect(201).json();
    let token = made["key"].as_str().unwrap().to_owned();
    let leaked = Client { token: Some(token.clone()), ..Client::default() };
    server.get(&leaked, "/api/v2/users/me").await.expect(200);
    let show = async |text: &str| server.form(&guest(), LEAKED, &[("token", text)]).await;
    // The part that lists show ends nothing.
    let public = token.split('-').next().unwrap();
    let half = show(&format!("{public}-BBBBBBBBBBBBBBBBBBBBBB")).await.expect(200);
    assert!(half.text.contains("No such token"));
    server.get(&leaked, "/api/v2/users/me").await.expect(200);
    let ended = show(&format!("  {token}\n")).await.expect(200);
    assert!(ended.text.contains("It is revoked") && !ended.text.contains("ada"), "{}", ended.text);
    server.get(&leaked, "/api/v2/users/me").await.expect(401);
    assert!(show(&token).await.expect(200).text.contains("No such token"));
    let log = server.get(&olga, "/api/v2/audit?limit=5").await.expect(200).json();
    let entry = &log["audit_logs"][0];
    assert_eq!((&entry["action"], &entry["resource_type"]), (&json!("delete"), &json!("api_key")));
    assert!(entry["resource_target"].as_str().unwrap().ends_with("of ada"), "{entry}");
    assert_eq!(entry["diff"]["leaked"]["new"], true);

    // An invitation is one, too.
    let (_, path) = invite(&server, &olga, for_someone()).await;
    let ended = show(path.strip_prefix("/invite/").unwrap()).await.expect(200);
    assert!(ended.text.contains("It is revoked"));
    server.get(&guest(), &path).await.expect(404);

    // Guesses are counted, and another site's form is not taken.
    for _ in 0..7 {
        show("not a token").await;
    }
    assert_eq!(show("not a token").await.status, 429);
    let foreign = Client {
        headers: vec![("sec-fetch-site", "cross-site".to_owned())],
        peer: Some("198.51.100.9:1".parse().unwrap()),
        ..Client::default()
    };
    server.form(&foreign, LEAKED, &[("token", "x")]).await.expect(403);
    let large = "x".repeat(5000);
    assert_eq!(server.form(&guest(), LEAKED, &[("token", &large)]).await.status, 413);
    // The guesses of one network keep nobody there from signing in.
    server.sign_in("ben").await;
}
