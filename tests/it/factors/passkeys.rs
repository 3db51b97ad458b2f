//! Passkeys: as a second factor, alone, and with something wrong.

use std::time::Duration;

use serde_json::json;

use super::authenticator::Authenticator;
use super::{Browser, ORIGIN, audit, field, login, options, server};
use crate::harness::{PASSWORD, TestServer};

async fn with_passkey<'s>(server: &'s TestServer, name: &str) -> (Browser<'s>, Authenticator) {
    let browser = Browser::signed_in(server, name).await;
    let page = browser.get("/settings/security/passkeys").await.expect(200).text;
    let mut key = Authenticator::new(&format!("key-of-{name}"), ORIGIN);
    let made = key.make(&options(&page));
    let fields = [("name", "laptop"), ("password_now", PASSWORD), ("passkey", made.as_str())];
    let done = browser.post("/settings/security/passkeys", &fields).await.expect(200).text;
    assert!(done.contains("Recovery codes"), "{done}");
    (browser, key)
}

async fn sign_in_alone(server: &TestServer, key: &mut Authenticator) -> (u16, String) {
    let browser = Browser::new(server);
    let page = browser.get("/login").await.expect(200).text;
    let answer = key.answer(&options(&page));
    let reply = browser.post("/login/passkey", &[("passkey", &answer)]).await;
    (reply.status.as_u16(), reply.text)
}

#[tokio::test]
async fn a_passkey_signs_in_alone_and_after_the_password() {
    let server = server(&["member"]).await;
    let (ada, mut key) = with_passkey(&server, "ada").await;
    let page = ada.get("/settings/security").await.expect(200).text;
    assert!(page.contains("laptop") && page.contains("never used"), "{page}");
    assert_eq!(login(&server, "ada", None).await.expect(401).json()["detail"], "mfa_code_required");

    let there = Browser::new(&server);
    let step = there.password("ada").await.expect(200).text;
    let ticket = field(&step, "ticket");
    let answer = key.answer(&options(&step));
    let fields = [("ticket", ticket.as_str()), ("passkey", answer.as_str())];
    there.post("/login/second", &fields).await.expect(303);
    there.get("/workspaces").await.expect(200);
    let again = Browser::new(&server).post("/login/second", &fields).await.expect(200).text;
    assert!(again.contains("counter went back"), "{again}");

    let (status, _) = sign_in_alone(&server, &mut key).await;
    assert_eq!(status, 303);
    // Everyone must have a second factor here: a passkey that knows who uses it is one.
    let alone = Browser::new(&server);
    let page = alone.get("/login").await.expect(200).text;
    let answer = key.answer(&options(&page));
    alone.post("/login/passkey", &[("passkey", &answer)]).await.expect(303);
    alone.get("/workspaces").await.expect(200);

    server.clock.advance(Duration::from_mins(16));
    let asked = alone.get("/settings/confirm?next=/settings/tokens").await.expect(200).text;
    let answer = key.answer(&options(&asked));
    let fields = [("next", "/settings/tokens"), ("passkey", answer.as_str())];
    let led = alone.post("/settings/confirm", &fields).await.expect(303);
    assert_eq!(led.headers["location"], "/settings/tokens");
    alone.post("/settings/tokens", &[("name", "ci"), ("days", "1")]).await.expect(200);
}

#[tokio::test]
async fn what_is_wrong_with_a_passkey_is_refused_and_on_record() {
    let server = server(&[]).await;
    let (_, mut key) = with_passkey(&server, "ada").await;
    let mut said = Vec::new();
    let mut refused = async |key: &mut Authenticator, what: &'static str| {
        let (status, text) = sign_in_alone(&server, key).await;
        assert_eq!(status, 200, "{what}");
        assert!(text.to_lowercase().contains(what), "{what}: {text}");
        said.push(what);
        // Many failures would have to wait.
        server.clock.advance(Duration::from_hours(25));
    };
    key.origin = "https://evil.example".to_owned();
    refused(&mut key, "asked for by another site").await;
    key.origin = ORIGIN.to_owned();
    key.site = "evil.example".to_owned();
    refused(&mut key, "is for another site").await;
    key.site = String::new();
    key.verifies = false;
    refused(&mut key, "did not ask for a finger").await;
    key.verifies = true;
    key.forges = true;
    refused(&mut key, "the signature is not").await;
    key.forges = false;
    assert_eq!(sign_in_alone(&server, &mut key).await.0, 303);
    key.counter = 0;
    refused(&mut key, "counter went back").await;
    key.counter = 1000;
    let mut unknown = Authenticator::new("key-of-nobody", ORIGIN);
    refused(&mut unknown, "not known here").await;

    let browser = Browser::new(&server);
    let page = browser.get("/login").await.expect(200).text;
    server.clock.advance(Duration::from_mins(6));
    let late = key.answer(&options(&page));
    let reply = browser.post("/login/passkey", &[("passkey", &late)]).await.expect(200);
    assert!(reply.text.contains("took too long"), "{}", reply.text);
    // A question for something else does not sign anyone in.
    let step = browser.password("ada").await.expect(200).text;
    let other = key.answer(&options(&step));
    let reply = browser.post("/login/passkey", &[("passkey", &other)]).await.expect(200);
    assert!(reply.text.contains("nother question was asked"), "{}", reply.text);

    let rows = audit(&server, "action:login%20resource_target:ada").await;
    let text = json!(rows).to_string();
    assert!(text.contains("counter went back") && text.contains("another site"), "{text}");
}

#[tokio::test]
async fn an_answer_counts_once() {
    let server = server(&[]).await;
    let (_, mut key) = with_passkey(&server, "ada").await;
    let page = Browser::new(&server).get("/login").await.expect(200).text;
    key.counts = false;
    let answer = key.answer(&options(&page));
    let send = async || Browser::new(&server).post("/login/passkey", &[("passkey", &answer)]).await;
    send().await.expect(303);
    let again = send().await.expect(200).text;
    assert!(again.contains("answered before"), "{again}");
}

#[tokio::test]
async fn passkeys_are_one_s_own_and_registered_once() {
    let server = server(&[]).await;
    let (ada, _) = with_passkey(&server, "ada").await;
    let (ben, _) = with_passkey(&server, "ben").await;
    let page = ada.get("/settings/security").await.expect(200).text;
    let id = super::between(&page, "/settings/security/passkeys/", "\"");
    let path = format!("/settings/security/passkeys/{id}");
    ben.post(&path, &[("name", "mine now")]).await.expect(404);
    ben.post(&format!("{path}/remove"), &[]).await.expect(404);
    ada.post(&path, &[("name", "")]).await.expect(400);
    ada.post(&path, &[("name", "old laptop")]).await.expect(303);
    assert!(ada.get("/settings/security").await.text.contains("old laptop"));

    let page = ben.get("/settings/security/passkeys").await.expect(200).text;
    let mut same = Authenticator::new("key-of-ada", ORIGIN);
    let made = same.make(&options(&page));
    let fields = [("name", "a copy"), ("passkey", made.as_str())];
    let taken = ben.post("/settings/security/passkeys", &fields).await.expect(200).text;
    assert!(taken.contains("This passkey is on file"), "{taken}");

    // Someone else's passkey is no second factor of mine.
    let step = Browser::new(&server).password("ada").await.expect(200).text;
    let ticket = field(&step, "ticket");
    let answer = same.answer(&options(&step));
    let fields = [("ticket", ticket.as_str()), ("passkey", answer.as_str())];
    let refused = Browser::new(&server).post("/login/second", &fields).await.expect(200).text;
    assert!(
        refused.contains("The signature is not") || refused.contains("someone else"),
        "{refused}"
    );

    ada.post(&format!("{path}/remove"), &[]).await.expect(303);
    login(&server, "ada", None).await.expect(201);
}
