//! Testing providers from their page: real ones, set up rightly and wrongly.

use serde_json::json;
use steading::server::identity::ldap::settings::People;
use steading::server::identity::{github, ldap};

use super::peer::Peer;
use super::slapd::{BASE, Slapd, certificates};
use super::{REFRESH, World, rules};
use crate::harness::{Client, TestServer, URL, person};

const PAGE: &str = "/deployment/sign-in";

/// The page after a test of a provider by Olga, who owns the server.
pub async fn tested(server: &TestServer, name: &str, fields: &[(&str, &str)]) -> String {
    let olga = server.sign_in("olga").await;
    let page = server.form(&olga, &format!("{PAGE}/{name}/test"), fields).await.expect(200).text;
    assert!(!page.contains("a secret for tests"), "{page}");
    page
}

#[track_caller]
pub fn says(page: &str, all: &[&str]) {
    for text in all {
        assert!(page.contains(text), "no {text:?} in {page}");
    }
}

#[tokio::test]
async fn a_provider_that_is_set_up_rightly_passes_up_to_the_person() {
    let world = World::start(REFRESH, rules()).await;
    let olga = world.server.sign_in("olga").await;
    let page = world.server.get(&olga, PAGE).await.expect(200).text;
    let callback = format!("{}/login/oidc/sso/callback", world.url);
    says(
        &page,
        &[world.peer.issuer.as_str(), &callback, "nobody came by it", "group_regex_filter"],
    );
    assert!(!page.contains("a secret for tests"), "{page}");
    let page = tested(&world.server, "sso", &[]).await;
    says(&page, &["Nothing is wrong", "takes client_id and client_secret", "S256", "RS256"]);
    says(&page, &[&format!("it leads back to {callback}")]);
    world.peer.put("ada", super::ada()).await;
    world.sign_in("ada").await;
    let page = world.server.get(&olga, PAGE).await.expect(200).text;
    assert_eq!(page.matches("1 person").count(), 2, "Olga by password, Ada by sso: {page}");

    // What was tested is on record.
    let log = world.server.get(&olga, "/api/v2/audit?limit=50").await.expect(200).json();
    let entries = log["audit_logs"].as_array().unwrap();
    let entry = entries.iter().find(|e| e["resource_target"] == "sign-in by sso").unwrap();
    assert_eq!(entry["diff"]["test"]["new"], "nothing is wrong");
}

#[tokio::test]
async fn what_is_wrong_with_a_provider_is_said_with_what_to_do() {
    let world = World::told(REFRESH, rules(), |s| {
        s.client_secret = Some("another secret".to_owned().into());
    })
    .await;
    let page = tested(&world.server, "sso", &[]).await;
    says(&page, &["Something is wrong", "does not take client_id and client_secret"]);
    assert!(!page.contains("another secret"), "{page}");

    let world = World::told(REFRESH, rules(), |s| s.client_id = "nobody".to_owned()).await;
    let page = tested(&world.server, "sso", &[]).await;
    says(&page, &["does not take client_id and client_secret"]);

    let world = World::told(REFRESH, rules(), |s| s.issuer.set_path("/realms/none")).await;
    let page = tested(&world.server, "sso", &[]).await;
    says(&page, &["Something is wrong", "answered 404 Not Found; is issuer right?"]);

    let world = World::told(REFRESH, rules(), |s| s.name = "other".to_owned()).await;
    let page = tested(&world.server, "other", &[]).await;
    let callback = format!("register {}/login/oidc/other/callback there", world.url);
    says(&page, &["takes client_id and client_secret", &callback]);

    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let world = World::told(REFRESH, rules(), |s| {
        s.issuer = format!("http://{away}").parse().unwrap();
    })
    .await;
    says(&tested(&world.server, "sso", &[]).await, &["cannot be reached"]);
}

#[tokio::test]
async fn a_directory_is_tested_up_to_what_a_person_becomes() {
    let slapd = Slapd::start();
    let server = |settings: ldap::Settings| async move {
        let server = TestServer::with(|_| {}, |c| c.ldap = Some(settings.clone())).await;
        server.app.create_first_user(person("olga")).await.unwrap();
        server
    };
    let right = server(slapd.settings()).await;
    let page = tested(&right, "ldap", &[("username", "lin")]).await;
    says(&page, &["Nothing is wrong", "begins TLS, and its certificate is right"]);
    says(&page, &["comes in as lin, lin@example.test", "groups here: glaze, potters"]);
    let page = tested(&right, "ldap", &[("username", "")]).await;
    says(&page, &["Nothing is wrong"]);
    assert!(!page.contains("comes in as"), "{page}");
    let page = tested(&right, "ldap", &[("username", "li*")]).await;
    says(&page, &["not exactly one entry is", "li*"]);

    let mut wrong = slapd.settings();
    wrong.bind_password = "another".to_owned().into();
    let page = tested(&server(wrong).await, "ldap", &[]).await;
    says(&page, &["does not let cn=reader,dc=example,dc=test in (bind_dn, bind_password)"]);

    let mut wrong = slapd.settings();
    let People::Search(_, filter) = wrong.people else { panic!("it is a search") };
    wrong.people = People::Search(format!("ou=nowhere,{BASE}"), filter);
    let page = tested(&server(wrong).await, "ldap", &[]).await;
    says(&page, &["there is no ou=nowhere,dc=example,dc=test (base)"]);

    let mut wrong = slapd.settings();
    wrong.authorities = Some(certificates().0.into_bytes());
    let page = tested(&server(wrong).await, "ldap", &[]).await;
    says(&page, &["the certificate of 127.0.0.1 is not taken"]);
}

#[tokio::test]
async fn github_is_tested_by_whether_it_knows_us() {
    let peer = Peer::github(URL).await;
    let server = |secret: &str| {
        let settings = github::Settings {
            base: peer.issuer.clone(),
            api: peer.issuer.join("/api/v3").unwrap(),
            client_id: "steading".to_owned(),
            client_secret: secret.to_owned().into(),
            rules: std::sync::Arc::new(rules()),
            device_flow: false,
        };
        async move {
            let server = TestServer::with(|_| {}, |c| c.github = Some(settings.clone())).await;
            server.app.create_first_user(person("olga")).await.unwrap();
            server
        }
    };
    let page = tested(&server("a secret for tests").await, "github", &[]).await;
    says(&page, &["Nothing is wrong", "takes client_id and client_secret", "/api/v3 answers"]);
    let page = tested(&server("another").await, "github", &[]).await;
    says(&page, &["Something is wrong", "does not take client_id and client_secret"]);
}

#[tokio::test]
async fn only_who_keeps_the_settings_sees_and_tests_and_not_without_end() {
    let world = World::start(REFRESH, rules()).await;
    let server = &world.server;
    let system = steading::server::app::Actor::System;
    server.app.create_user(&system, person("ada")).await.unwrap();
    let (olga, ada) = (server.sign_in("olga").await, server.sign_in("ada").await);
    server.get(&ada, PAGE).await.expect(403);
    server.form(&ada, &format!("{PAGE}/sso/test"), &[]).await.expect(403);
    // Who keeps an organization's settings does not keep the site's.
    let roles = json!({ "roles": ["organization-admin"] });
    let path = "/api/v2/organizations/default/members/ada/roles";
    server.put(&olga, path, roles).await.expect(200);
    server.get(&ada, PAGE).await.expect(403);
    server.form(&ada, &format!("{PAGE}/sso/test"), &[]).await.expect(403);
    server.get(&Client::default(), PAGE).await.expect(303);

    server.form(&olga, &format!("{PAGE}/none/test"), &[]).await.expect(404);
    for _ in 0..10 {
        server.form(&olga, &format!("{PAGE}/sso/test"), &[]).await.expect(200);
    }
    let many = server.form(&olga, &format!("{PAGE}/sso/test"), &[]).await.expect(409);
    assert!(many.text.contains("are enough"), "{}", many.text);
    server.clock.advance(std::time::Duration::from_mins(1));
    server.form(&olga, &format!("{PAGE}/sso/test"), &[]).await.expect(200);
}
