//! Second factors: codes, passkeys, recovery codes, and what asks for them.

mod authenticator;
mod passkeys;
mod required;
mod roles;

use std::cell::RefCell;
use std::time::Duration;

use serde_json::{Value, json};
use steading::model::factor::MfaRoles;
use steading::model::totp;
use steading::model::user::SiteRole;
use steading::server::app::Actor;

use crate::harness::{Client, PASSWORD, Reply, TestServer, person};

/// Where browsers reach the server: they make passkeys for `localhost`.
const ORIGIN: &str = "http://localhost:7080";

/// A server with people, reached by a name. Holders of `roles` must have a second factor.
async fn server(roles: &[&str]) -> TestServer {
    let server = TestServer::with(
        |policy| {
            policy.access_url = ORIGIN.to_owned();
            policy.mfa_roles = MfaRoles::parse(roles.iter().copied()).unwrap();
        },
        |config| config.access_url = Some(ORIGIN.to_owned()),
    )
    .await;
    server.app.create_first_user(person("olga")).await.unwrap();
    for name in ["ada", "ben", "urs"] {
        server.app.create_user(&Actor::System, person(name)).await.unwrap();
    }
    let roles = vec![SiteRole::UserAdmin];
    server.app.set_user_roles(&Actor::System, "urs", roles).await.unwrap();
    server
}

/// Someone at a browser, who keeps its cookie.
pub struct Browser<'s> {
    server: &'s TestServer,
    cookie: RefCell<Option<String>>,
}

impl<'s> Browser<'s> {
    pub fn new(server: &'s TestServer) -> Self {
        Self { server, cookie: RefCell::new(None) }
    }

    async fn signed_in(server: &'s TestServer, name: &str) -> Self {
        let browser = Self::new(server);
        browser.password(name).await.expect(303);
        browser
    }

    fn client(&self) -> Client {
        let headers = [("sec-fetch-site", "same-origin"), ("accept", "text/html")];
        let headers = headers.map(|(name, value)| (name, value.to_owned())).to_vec();
        Client { cookie: self.cookie.borrow().clone(), headers, ..Client::default() }
    }

    fn keep(&self, reply: Reply) -> Reply {
        for value in reply.headers.get_all("set-cookie") {
            let value = value.to_str().unwrap().split(';').next().unwrap();
            if value.starts_with("coder_session_token=") {
                *self.cookie.borrow_mut() = Some(value.to_owned());
            }
        }
        reply
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.keep(self.server.get(&self.client(), path).await)
    }

    /// Sends a form; with the token of a page, where someone is signed in.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut fields = fields.to_vec();
        let signed_in = self.cookie.borrow().is_some();
        let csrf = if signed_in {
            field(&self.server.get(&self.client(), "/settings/security").await.text, "csrf")
        } else {
            String::new()
        };
        fields.push(("csrf", &csrf));
        self.keep(self.server.form(&self.client(), path, &fields).await)
    }

    async fn password(&self, name: &str) -> Reply {
        self.post("/login", &[("username", name), ("password", PASSWORD)]).await
    }

    /// Sets up an app; gives its secret and the recovery codes.
    pub async fn set_up_app(&self) -> (Vec<u8>, Vec<String>) {
        let begun = self.post("/settings/security/totp", &[("password_now", PASSWORD)]).await;
        begun.expect(303);
        let page = self.get("/settings/security/totp").await.expect(200).text;
        assert!(page.contains("<svg class=\"qr\""), "{page}");
        let secret = base32(&between(&page, "id=\"secret\">", "<"));
        let code = self.code(&secret);
        let done = self.post("/settings/security/totp/confirm", &[("code", &code)]).await;
        let codes = between(&done.expect(200).text, "id=\"codes\">", "<");
        (secret, codes.lines().map(str::to_owned).collect())
    }

    /// The code that is shown now.
    fn code(&self, secret: &[u8]) -> String {
        totp::code_at(secret, self.server.clock.now())
    }
}

/// The next code: one counts once.
fn next_code(server: &TestServer, secret: &[u8]) -> String {
    server.clock.advance(Duration::from_secs(30));
    totp::code_at(secret, server.clock.now())
}

fn between(text: &str, from: &str, to: &str) -> String {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}"));
    let found = rest.split(to).next().unwrap();
    found.replace("&quot;", "\"").replace("&amp;", "&")
}

fn field(page: &str, name: &str) -> String {
    between(page, &format!("name=\"{name}\" value=\""), "\"")
}

fn options(page: &str) -> String {
    between(page, "data-options=\"", "\"")
}

fn base32(text: &str) -> Vec<u8> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().filter(|b| *b != b' ') {
        let value = if letter.is_ascii_digit() { letter - b'2' + 26 } else { letter - b'A' };
        held = (held << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).unwrap());
        }
    }
    bytes
}

async fn login(server: &TestServer, name: &str, code: Option<&str>) -> Reply {
    let body = json!({ "email": name, "password": PASSWORD, "code": code.unwrap_or_default() });
    server.post(&Client::default(), "/api/v2/users/login", body).await
}

fn with_token(reply: &Reply) -> Client {
    let token = reply.json()["session_token"].as_str().unwrap().to_owned();
    Client { token: Some(token), ..Client::default() }
}

/// What the audit log says of someone, newest first.
async fn audit(server: &TestServer, query: &str) -> Vec<Value> {
    server.app.write_refusals().await.unwrap();
    let olga = server.sign_in("olga").await;
    let path = format!("/api/v2/audit?limit=50&q={query}");
    server.get(&olga, &path).await.expect(200).json()["audit_logs"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_code_is_asked_for_after_the_password() {
    let server = server(&[]).await;
    let ada = Browser::signed_in(&server, "ada").await;
    let before = ada.cookie.borrow().clone();
    let (secret, codes) = ada.set_up_app().await;
    assert_eq!(codes.len(), 10);
    assert_ne!(before, *ada.cookie.borrow(), "the session has another secret");
    ada.get("/workspaces").await.expect(200);
    let old = Client { cookie: before, ..ada.client() };
    server.get(&old, "/workspaces").await.expect(303);

    let asked = login(&server, "ada", None).await.expect(401).json();
    assert_eq!(asked["detail"], "mfa_code_required");
    let code = next_code(&server, &secret);
    let wrong = login(&server, "ada", Some("000000")).await.expect(401).json();
    assert_eq!(wrong["detail"], "mfa_code_wrong");
    let signed_in = login(&server, "ada", Some(&code)).await.expect(201);
    server.get(&with_token(&signed_in), "/api/v2/users/me").await.expect(200);
    let again = login(&server, "ada", Some(&code)).await.expect(401).json();
    assert_eq!(again["detail"], "mfa_code_wrong", "a code is good once");

    let there = Browser::new(&server);
    let step = there.password("ada").await.expect(200).text;
    assert!(step.contains("Second step") && there.cookie.borrow().is_none(), "{step}");
    let ticket = field(&step, "ticket");
    let second = async |browser: &Browser<'_>, code: &str| {
        browser.post("/login/second", &[("ticket", &ticket), ("code", code)]).await
    };
    assert!(second(&there, "123456").await.expect(200).text.contains("The code is wrong"));
    let code = next_code(&server, &secret);
    second(&there, &code).await.expect(303);
    there.get("/workspaces").await.expect(200);
    let late = Browser::new(&server);
    server.clock.advance(Duration::from_mins(6));
    let code = next_code(&server, &secret);
    assert!(second(&late, &code).await.expect(200).text.contains("took too long"));

    let recovered = login(&server, "ada", Some(&codes[3].to_uppercase())).await;
    let recovered = with_token(&recovered.expect(201));
    let left = server.get(&recovered, "/api/v2/users/me/factors").await.expect(200).json();
    assert_eq!(
        (left["totp"].clone(), left["recovery_codes_left"].clone()),
        (json!(true), json!(9))
    );
    login(&server, "ada", Some(&codes[3])).await.expect(401);
    let rows = audit(&server, "username:ada%20action:login").await;
    let kinds: Vec<&str> =
        rows.iter().filter_map(|row| row["diff"]["second_factor"]["new"].as_str()).collect();
    assert!(kinds.contains(&"totp") && kinds.contains(&"recovery_code"), "{kinds:?}");
}

#[tokio::test]
async fn whoever_knows_the_password_does_not_guess_codes_for_ever() {
    let server = server(&[]).await;
    let ada = Browser::signed_in(&server, "ada").await;
    ada.set_up_app().await;
    for _ in 0..2 {
        login(&server, "ada", Some("000000")).await.expect(401);
        login(&server, "ada", None).await.expect(401);
    }
    login(&server, "ada", Some("111111")).await.expect(401);
    login(&server, "ada", Some("222222")).await.expect(429);
    login(&server, "ada", None).await.expect(429);
    let rows = audit(&server, "resource_type:user%20action:login").await;
    let refused = |row: &Value| row.to_string().contains("the code is wrong");
    assert!(rows.iter().any(refused), "{rows:?}");
}

#[tokio::test]
async fn the_first_factor_needs_the_password() {
    let server = server(&[]).await;
    let ada = Browser::signed_in(&server, "ada").await;
    let begin = async |password: &str| {
        ada.post("/settings/security/totp", &[("password_now", password)]).await
    };
    assert!(begin("guess").await.expect(200).text.contains("Is not your password"));
    assert!(ada.get("/settings/security/totp").await.expect(200).text.contains("Make a secret"));
    begin(PASSWORD).await.expect(303);
    let wrong = ada.post("/settings/security/totp/confirm", &[("code", "123456")]).await;
    assert!(wrong.expect(200).text.contains("The code is wrong"));
    login(&server, "ada", None).await.expect(201);
}

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

#[tokio::test]
async fn what_is_dangerous_asks_again_after_a_quarter_of_an_hour() {
    let server = server(&[]).await;
    let olga = Browser::signed_in(&server, "olga").await;
    let (secret, _) = olga.set_up_app().await;
    let code = next_code(&server, &secret);
    let session = with_token(&login(&server, "olga", Some(&code)).await.expect(201));
    let tokens = "/api/v2/users/me/keys/tokens";
    let made = server.post(&session, tokens, json!({ "token_name": "ci" })).await.expect(201);
    let key = made.json()["key"].as_str().unwrap().to_owned();
    let program = Client { token: Some(key), ..Client::default() };
    server.clock.advance(Duration::from_mins(16));

    for (method, path, body) in [
        (http::Method::POST, tokens, json!({ "token_name": "second" })),
        (http::Method::POST, "/api/v2/users/me/keys", json!({})),
        (http::Method::PUT, "/api/v2/users/ada/roles", json!({ "roles": ["auditor"] })),
        (http::Method::PUT, "/api/v2/users/ada/password", json!({ "password": "glaze-and-ash" })),
        (http::Method::DELETE, "/api/v2/users/ada/factors", json!({})),
        (http::Method::DELETE, "/api/v2/users/ben", json!({})),
        (http::Method::POST, "/api/v2/invitations", json!({ "email": "x@example.org" })),
        (http::Method::POST, "/api/v2/users/me/ssh-keys", json!({ "public_key": KEY })),
    ] {
        let refused = server.call(&session, method, path, Some(body)).await.expect(403).json();
        assert_eq!(refused["detail"], "mfa_required", "{path}");
    }
    server.get(&session, "/api/v2/users").await.expect(200);
    // A program's token has limits of its own.
    let roles = json!({ "roles": ["auditor"] });
    server.put(&program, "/api/v2/users/ada/roles", roles.clone()).await.expect(200);

    let confirm = "/api/v2/users/confirm";
    let code = next_code(&server, &secret);
    server.post(&session, confirm, json!({ "code": "000000" })).await.expect(400);
    server.post(&program, confirm, json!({ "code": code })).await.expect(403);
    let fresh = server.post(&session, confirm, json!({ "code": code })).await.expect(201);
    server.get(&session, "/api/v2/users/me").await.expect(401);
    let fresh = with_token(&fresh);
    server.put(&fresh, "/api/v2/users/ada/roles", roles).await.expect(200);
    server.delete(&fresh, "/api/v2/users/ben").await.expect(200);

    let form = [("role", "auditor"), ("role", "template-admin")];
    let asked = olga.post("/people/ada/roles", &form).await.expect(200).text;
    assert!(asked.contains("Is it still you?") && asked.contains("/people/ada/roles"), "{asked}");
    let kept = [("kept_to", field(&asked, "kept_to")), ("kept", field(&asked, "kept"))];
    let code = next_code(&server, &secret);
    let mut fields: Vec<(&str, &str)> = kept.iter().map(|(n, v)| (*n, v.as_str())).collect();
    fields.push(("code", &code));
    let before = olga.cookie.borrow().clone();
    let resume = olga.post("/settings/confirm", &fields).await.expect(200).text;
    assert_ne!(before, *olga.cookie.borrow());
    assert!(resume.contains("Send it now") && resume.contains("value=\"template-admin\""));
    olga.post("/people/ada/roles", &form).await.expect(303);
    let page = olga.get("/people/ada").await.expect(200).text;
    assert!(page.contains("value=\"template-admin\" checked"), "{page}");

    // A page that shows a secret asks as well, and leads back.
    server.clock.advance(Duration::from_mins(16));
    let led = olga.get("/settings/security/passkeys").await.expect(303);
    assert_eq!(led.headers["location"], "/settings/confirm?next=%2Fsettings%2Fsecurity%2Fpasskeys");
    // Passwords are not carried over.
    let typed = [("old", PASSWORD), ("password", "glaze-and-ash")];
    let led = olga.post("/settings/security", &typed).await.expect(303);
    assert_eq!(led.headers["location"], "/settings/confirm?next=%2Fsettings%2Fsecurity");
}

#[tokio::test]
async fn other_sessions_are_named_and_ended() {
    let server = server(&[]).await;
    let here = Browser::signed_in(&server, "ada").await;
    let (there, program) =
        (Browser::signed_in(&server, "ada").await, with_token(&login(&server, "ada", None).await));
    let page = here.get("/settings/security").await.expect(200).text;
    assert!(page.contains("End all others"), "{page}");
    here.post("/settings/security/sessions/end", &[]).await.expect(303);
    there.get("/workspaces").await.expect(303);
    server.get(&program, "/api/v2/users/me").await.expect(401);
    let page = here.get("/settings/security").await.expect(200).text;
    assert!(page.contains("this one, ") && !page.contains("End all others"), "{page}");
}
