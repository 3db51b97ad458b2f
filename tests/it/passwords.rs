//! Passwords that are chosen: weak ones and leaked ones are refused everywhere, and forms say how strong one is.

use std::sync::Arc;

use serde_json::json;
use sha1::{Digest as _, Sha1};
use steading::server::app::breached::Breached;

use crate::harness::{Client, PASSWORD, Reply, TestServer};

/// Long enough, and guessed early.
const WEAK: &str = "password2020";

fn refused(reply: Reply, why: &str) {
    let said = reply.expect(400).json();
    assert_eq!(said["validations"][0]["field"], "password", "{said:#}");
    let detail = said["validations"][0]["detail"].as_str().unwrap();
    assert!(detail.contains(why), "{detail}");
}

#[tokio::test]
async fn a_weak_password_is_refused_wherever_one_is_set() {
    let server = TestServer::empty().await;
    let nobody = Client::default();
    let first = json!({ "username": "olga", "email": "olga@example.org", "password": WEAK });
    refused(server.post(&nobody, "/api/v2/users/first", first.clone()).await, "easy to guess");
    let page = server.form(&nobody, "/setup", &fields("olga", WEAK)).await.expect(200);
    assert!(page.text.contains("Is easy to guess:") && !page.text.contains(WEAK), "{}", page.text);
    let mut good = first;
    good["password"] = json!(PASSWORD);
    server.post(&nobody, "/api/v2/users/first", good).await.expect(201);

    let olga = server.sign_in("olga").await;
    let user = json!({ "username": "ada", "email": "ada@example.org", "password": WEAK });
    refused(server.post(&olga, "/api/v2/users", user.clone()).await, "easy to guess");
    let mut good = user;
    good["password"] = json!(PASSWORD);
    server.post(&olga, "/api/v2/users", good).await.expect(201);
    // Set for someone else, by oneself, and on the server's machine.
    let set = json!({ "password": WEAK, "old_password": PASSWORD });
    refused(server.put(&olga, "/api/v2/users/ada/password", set.clone()).await, "easy to guess");
    refused(server.put(&olga, "/api/v2/users/me/password", set).await, "easy to guess");
    let said = server.app.reset_password("ada", WEAK).await.unwrap_err().to_string();
    assert!(said.starts_with("password: is easy to guess"), "{said}");
    server.sign_in("ada").await;

    // By who comes by an invitation.
    let body = json!({ "email": "ben@example.org" });
    let made = server.post(&olga, "/api/v2/invitations", body).await.expect(201).json();
    let path = made["url"].as_str().unwrap().strip_prefix(crate::harness::URL).unwrap().to_owned();
    let headers = vec![("sec-fetch-site", "same-origin".to_owned())];
    let guest = Client { headers, ..Client::default() };
    let page = server.form(&guest, &path, &fields("ben", WEAK)).await.expect(200);
    assert!(page.text.contains("Is easy to guess:"), "{}", page.text);
    server.form(&guest, &path, &fields("ben", PASSWORD)).await.expect(303);
}

fn fields<'a>(name: &'a str, password: &'a str) -> [(&'static str, &'a str); 3] {
    [("username", name), ("email", "someone@example.org"), ("password", password)]
}

#[tokio::test]
async fn a_password_of_one_s_own_names_is_weak() {
    let server = TestServer::start().await;
    let ada = server.sign_in("ada").await;
    let profile = json!({ "username": "ada", "name": "Augusta Byronovna" });
    server.put(&ada, "/api/v2/users/me/profile", profile).await.expect(200);
    let path = "/api/v2/users/me/password";
    let set = json!({ "old_password": PASSWORD, "password": "byronovnaaugusta" });
    let others = server.app.reset_password("ben", "byronovnaaugusta").await;
    assert!(others.is_ok(), "{others:?}");
    refused(server.put(&ada, path, set).await, "easy to guess");
}

#[tokio::test]
async fn clients_and_forms_learn_how_strong_a_password_would_be() {
    let server = TestServer::start().await;
    let nobody = Client::default();
    let ask = async |password: &str| {
        let body = json!({ "password": password });
        let path = "/api/v2/users/validate-password";
        server.post(&nobody, path, body).await.expect(200).json()
    };
    assert_eq!(ask(PASSWORD).await, json!({ "valid": true, "details": "" }));
    let weak = ask(WEAK).await;
    assert_eq!(weak["valid"], false);
    assert!(weak["details"].as_str().unwrap().starts_with("The password is easy"), "{weak}");
    assert_eq!(ask("short").await["details"], "The password must have at least 8 characters.");
    // Whatever is sent, only its beginning is judged.
    assert_eq!(ask(&"x9-".repeat(100_000)).await["valid"], false);

    let part = async |password: &str| {
        let reply = server.form(&nobody, "/password-strength", &fields("ada", password)).await;
        reply.expect(200).text
    };
    let weak = part(WEAK).await;
    assert!(weak.starts_with("<meter") && weak.contains("value=\"1\""), "{weak}");
    assert!(weak.contains("This password is easy to guess:") && !weak.contains(WEAK), "{weak}");
    let good = part("kiln-and-clay-by-the-river").await;
    assert!(good.contains("value=\"4\"") && good.contains("is strong"), "{good}");
    assert_eq!(part("").await, "");
    let headers = vec![("sec-fetch-site", "cross-site".to_owned())];
    let foreign = Client { headers, ..Client::default() };
    server.form(&foreign, "/password-strength", &fields("ada", WEAK)).await.expect(403);
}

#[tokio::test]
async fn a_password_that_has_leaked_is_refused() {
    let leaked = "a-strong-one-that-got-out";
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut lines: Vec<String> = [leaked, "another", "a third"]
        .map(|text| format!("{}:3\r\n", hex::encode_upper(Sha1::digest(text.as_bytes()))))
        .to_vec();
    lines.sort();
    std::fs::write(file.path(), lines.concat()).unwrap();
    let list = Arc::new(Breached::open(file.path()).unwrap());
    let server = TestServer::with(|policy| policy.breached = Some(Arc::clone(&list)), |_| {}).await;
    server.app.create_first_user(crate::harness::person("olga")).await.unwrap();
    let olga = server.sign_in("olga").await;
    let set = json!({ "old_password": PASSWORD, "password": leaked });
    refused(server.put(&olga, "/api/v2/users/me/password", set).await, "has leaked");
    let set = json!({ "old_password": PASSWORD, "password": format!("{leaked}-not") });
    server.put(&olga, "/api/v2/users/me/password", set).await.expect(204);
}
