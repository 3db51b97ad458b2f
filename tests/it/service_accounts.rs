//! Service accounts: a person answers for each, and while nobody does it is stopped.

use serde_json::{Value, json};
use steading::model::user::SiteRole;
use steading::server::app::Actor;

use crate::harness::{Client, Reply, TestServer, person};

const USERS: &str = "/api/v2/users";

async fn make(server: &TestServer, by: &Client, name: &str, who: &str) -> Reply {
    let body = json!({ "username": name, "service_account": true, "responsible": who });
    server.post(by, USERS, body).await
}

async fn token(server: &TestServer, by: &Client, of: &str) -> Client {
    let path = format!("{USERS}/{of}/keys/tokens");
    let made = server.post(by, &path, json!({ "token_name": "t" })).await.expect(201).json();
    Client { token: Some(made["key"].as_str().unwrap().to_owned()), ..Client::default() }
}

async fn account(server: &TestServer, name: &str) -> (Value, Value) {
    let olga = server.sign_in("olga").await;
    let user = server.get(&olga, &format!("{USERS}/{name}")).await.expect(200).json();
    (user["status"].clone(), user["responsible"]["username"].clone())
}

#[tokio::test]
async fn a_living_human_answers_for_each_from_the_start() {
    let server = TestServer::start().await;
    let (olga, urs) = (server.sign_in("olga").await, server.sign_in("urs").await);
    let made = make(&server, &urs, "nightly", "ada").await.expect(201).json();
    assert_eq!(
        (&made["responsible"]["username"], &made["is_service_account"]),
        (&json!("ada"), &json!(true))
    );
    // A client that knows nothing of it answers itself.
    let body = json!({ "username": "plain", "login_type": "none", "service_account": true });
    let made = server.post(&urs, USERS, body).await.expect(201).json();
    assert_eq!(made["responsible"]["username"], "urs");
    server.app.set_user_status(&Actor::System, "ben", false).await.unwrap();
    for nobody in ["nobody", "nightly", "ben"] {
        let refused = make(&server, &olga, "other", nobody).await.expect(400).json();
        assert_eq!(refused["validations"][0]["field"], "responsible", "{nobody}");
    }
    let ada = server.sign_in("ada").await;
    make(&server, &ada, "other", "ada").await.expect(403);
    let listed = server.get(&olga, "/api/v2/service-accounts").await.expect(200).json();
    let listed = listed.as_array().unwrap().iter().map(|a| a["username"].as_str().unwrap());
    let names: std::collections::BTreeSet<&str> = listed.collect();
    assert_eq!(names, ["nightly", "plain"].into());
    // Owners make its tokens; it has no password and no pages.
    server.post(&urs, &format!("{USERS}/nightly/keys/tokens"), json!({})).await.expect(403);
    let bot = token(&server, &olga, "nightly").await;
    server.get(&bot, &format!("{USERS}/me")).await.expect(200);
    let page = bot.in_browser(&[("sec-fetch-site", "same-origin")]);
    let refused = server.get(&page, "/workspaces").await.expect(403);
    assert!(refused.text.contains("service account"), "{}", refused.text);
    let password = json!({ "password": "kiln-and-clay-2" });
    server.put(&olga, &format!("{USERS}/nightly/password"), password).await.expect(409);
}

#[tokio::test]
async fn its_tokens_stop_while_nobody_answers() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    make(&server, &olga, "nightly", "ada").await.expect(201);
    let bot = token(&server, &olga, "nightly").await;
    let me = format!("{USERS}/me");
    server.get(&bot, &me).await.expect(200);
    // Who answers is suspended, and comes back.
    server.app.set_user_status(&Actor::System, "ada", false).await.unwrap();
    server.get(&bot, &me).await.expect(401);
    assert_eq!(account(&server, "nightly").await, (json!("suspended"), json!("ada")));
    let activate = format!("{USERS}/nightly/status/activate");
    let refused = server.put(&olga, &activate, json!({})).await.expect(409).json();
    assert!(refused["message"].as_str().unwrap().contains("answers for"), "{refused}");
    server.app.set_user_status(&Actor::System, "ada", true).await.unwrap();
    server.get(&bot, &me).await.expect(200);
    // Who answers is deleted: someone else has to be named.
    server.delete(&olga, &format!("{USERS}/ada")).await.expect(200);
    server.get(&bot, &me).await.expect(401);
    let name = |who: &str| json!({ "responsible": who });
    let path = format!("{USERS}/nightly/responsible");
    server.put(&olga, &path, name("ada")).await.expect(400);
    let ben = server.sign_in("ben").await;
    server.put(&ben, &path, name("ben")).await.expect(403);
    server.put(&olga, &path, name("ben")).await.expect(200);
    server.get(&bot, &me).await.expect(200);
    assert_eq!(account(&server, "nightly").await, (json!("active"), json!("ben")));
    server.put(&olga, &format!("{USERS}/ben/responsible"), name("ben")).await.expect(409);
}

#[tokio::test]
async fn what_an_admin_has_suspended_does_not_come_back_with_who_answers() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    make(&server, &olga, "nightly", "ada").await.expect(201);
    let system = Actor::System;
    server.app.set_user_status(&system, "nightly", false).await.unwrap();
    server.app.set_user_status(&system, "ada", false).await.unwrap();
    server.app.set_user_status(&system, "ada", true).await.unwrap();
    assert_eq!(account(&server, "nightly").await.0, "suspended");
    server.app.set_user_status(&system, "nightly", true).await.unwrap();
    assert_eq!(account(&server, "nightly").await.0, "active");
    // A deleted one is nobody's any more.
    server.app.delete_user(&system, "nightly").await.unwrap();
    server.app.set_user_status(&system, "ada", false).await.unwrap();
    assert!(server.app.service_accounts(&system).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_page_shows_who_answers_and_names_another() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    server.app.create_user(&Actor::System, person("dora")).await.unwrap();
    let browser = olga.in_browser(&[("sec-fetch-site", "same-origin")]);
    let page = server.get(&browser, "/service-accounts").await.expect(200);
    let csrf = page.text.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let fields = [("csrf", csrf), ("username", "nightly"), ("responsible", "dora")];
    server.form(&browser, "/service-accounts", &fields).await.expect(303);
    let page = server.get(&browser, "/service-accounts").await.expect(200);
    assert!(page.text.contains("/people/dora"), "{}", page.text);
    let path = "/people/nightly/responsible";
    server.form(&browser, path, &[("csrf", csrf), ("responsible", "nobody")]).await.expect(303);
    assert_eq!(account(&server, "nightly").await.1, "dora");
    server.form(&browser, path, &[("csrf", csrf), ("responsible", "olga")]).await.expect(303);
    assert_eq!(account(&server, "nightly").await.1, "olga");
    let shown = server.get(&browser, "/people/nightly").await.expect(200);
    assert!(shown.text.contains("Who answers for it"), "{}", shown.text);
    let owner = server.app.user(&Actor::System, "olga").await.unwrap();
    assert!(owner.has(SiteRole::Owner));
}

#[tokio::test]
async fn an_owner_makes_and_revokes_its_tokens_on_its_page() {
    let server = TestServer::start().await;
    let (olga, urs) = (server.sign_in("olga").await, server.sign_in("urs").await);
    make(&server, &olga, "nightly", "ada").await.expect(201);
    let site = [("sec-fetch-site", "same-origin")];
    let (olga, urs) = (olga.in_browser(&site), urs.in_browser(&site));
    let csrf = async |who: &Client| {
        let page = server.get(who, "/settings/account").await.expect(200).text;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap();
        csrf.split('"').next().unwrap().to_owned()
    };
    let (own, other) = (csrf(&olga).await, csrf(&urs).await);
    let path = "/people/nightly/tokens";
    let fields = [
        ("name", "images"),
        ("days", "7"),
        ("scopes", "user:read"),
        ("allow_cidrs", "192.0.2.0/24"),
    ];
    let send = async |who: &Client, csrf: &str, path: &str, fields: &[(&str, &str)]| {
        let all = [&[("csrf", csrf)], fields].concat();
        server.form(who, path, &all).await
    };
    let page = send(&olga, &own, path, &fields).await.expect(200).text;
    let secret = page.split("<code id=\"made\">").nth(1).unwrap().split('<').next().unwrap();
    let bot = Client { token: Some(secret.to_owned()), ..Client::default() };
    server.get(&bot, &format!("{USERS}/me")).await.expect(200);
    let away = Client { peer: Some("198.51.100.7:1".parse().unwrap()), ..bot.clone() };
    server.get(&away, &format!("{USERS}/me")).await.expect(403);
    let page = server.get(&olga, "/people/nightly").await.expect(200).text;
    assert!(page.contains("images") && page.contains("192.0.2.0/24"), "{page}");
    assert!(!page.contains(secret), "a token is shown once");
    for (field, value, why) in [
        ("days", "many", "Is not a number of days"),
        ("days", "9999", "May be at most"),
        ("scopes", "tea:brew", "tea"),
        ("allow_cidrs", "here", "f-networks-e"),
        ("name", "images", "There is a token named images"),
    ] {
        let mut wrong = vec![("name", "second"), ("days", "7")];
        wrong.retain(|(name, _)| *name != field);
        wrong.push((field, value));
        let page = send(&olga, &own, path, &wrong).await.expect(200).text;
        assert!(page.contains(why), "{field}: {page}");
    }
    // A user admin makes none, and sees none.
    let page = server.get(&urs, "/people/nightly").await.expect(200).text;
    assert!(!page.contains("New token") && !page.contains("images"), "{page}");
    send(&urs, &other, path, &fields).await.expect(403);
    let id = secret.split('-').next().unwrap();
    let revoke = format!("{path}/{id}/revoke");
    send(&urs, &other, &revoke, &[]).await.expect(404);
    // Nor are people's tokens made or revoked there.
    send(&olga, &own, "/people/ada/tokens", &fields).await.expect(409);
    send(&olga, &own, &format!("/people/ada/tokens/{id}/revoke"), &[]).await.expect(404);
    send(&olga, &own, &revoke, &[]).await.expect(303);
    server.get(&bot, &format!("{USERS}/me")).await.expect(401);
}
