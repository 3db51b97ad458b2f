//! Ways in that people add to their own accounts at a real provider, and take off them.

use http::Method;
use serde_json::json;
use steading::server::app::Actor;

use super::peer::Browser;
use super::{REFRESH, World, ada, rules, session};
use crate::harness::{Client, PASSWORD, Reply, person};

const WAYS: &str = "/settings/security/ways";
const SECURITY: &str = "/settings/security";

impl World {
    /// A server with Ada, who has a password here, and is someone at the provider.
    async fn with_ada() -> (Self, Client) {
        let world = Self::start(REFRESH, rules()).await;
        world.server.app.create_user(&Actor::System, person("ada")).await.unwrap();
        world.peer.put("ada", ada()).await;
        let client = world.server.sign_in("ada").await;
        (world, client)
    }

    /// Begins to add the provider; where the page leads, and the cookie that the browser keeps.
    async fn begin_to_add(&self, client: &Client) -> (String, String) {
        let fields = [("provider", "sso"), ("password_now", PASSWORD)];
        let page = self.server.form(client, WAYS, &fields).await.expect(200);
        let cookie = page.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap();
        let (_, rest) = page.text.split_once("class=\"button primary wide\" href=\"").unwrap();
        let href = rest.split('"').next().unwrap().replace("&amp;", "&");
        (href, cookie.to_owned())
    }

    /// Signs in at the provider and comes back as whoever `client` is.
    async fn comes_back(&self, begun: &(String, String), subject: &str, client: &Client) -> Reply {
        let to = Browser::default().sign_in(&begun.0, subject, &self.url).await;
        let client = Client { cookie: Some(begun.1.clone()), ..client.clone() };
        self.server.call(&client, Method::GET, &to[self.url.len()..], None).await
    }

    async fn add(&self, client: &Client, subject: &str) -> Reply {
        let begun = self.begin_to_add(client).await;
        self.comes_back(&begun, subject, client).await
    }

    async fn security(&self, client: &Client) -> String {
        self.server.get(client, SECURITY).await.expect(200).text
    }
}

/// What the next page is to say, when it is led to the page of one's sign-in.
fn told(reply: Reply) -> String {
    let reply = reply.expect(303);
    assert_eq!(reply.headers["location"], SECURITY);
    let all = reply.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap());
    all.filter_map(|v| v.strip_prefix("steading_flash=")).next().unwrap().replace("%20", " ")
}

#[tokio::test]
async fn a_person_with_a_password_adds_a_provider_and_comes_by_both() {
    let (world, client) = World::with_ada().await;
    let page = world.security(&client).await;
    assert!(page.contains("<option value=\"sso\">"), "{page}");
    let wrong = [("provider", "sso"), ("password_now", "a guess")];
    let again = world.server.form(&client, WAYS, &wrong).await.expect(200);
    assert!(again.text.contains("Is not your password."), "{}", again.text);
    assert!(told(world.add(&client, "ada").await).starts_with("gYou can sign in this way"));
    let page = world.security(&client).await;
    assert!(page.contains("ada.l@example.org") && !page.contains("<option value=\"sso\">"));
    // The groups there follow with the first sign-in, which can take them away again.
    assert!(world.groups("ada").await.is_empty());

    let (_, by_provider) = world.sign_in("ada").await;
    let me = world.server.get(&by_provider, "/api/v2/users/me").await.expect(200).json();
    assert_eq!((&me["username"], &me["login_type"]), (&json!("ada"), &json!("password")));
    assert_eq!(world.groups("ada").await, ["glaze", "potters"]);
    world.server.sign_in("ada").await;
    let log = world.server.sign_in("olga").await;
    let log = world.server.get(&log, "/api/v2/audit?limit=50").await.expect(200).json();
    let entries = log["audit_logs"].as_array().unwrap();
    let entry = entries.iter().find(|e| e["diff"]["identity"]["new"] == "ada at sso").unwrap();
    assert_eq!(entry["user"]["username"], "ada", "who did it is on record: {entry:#}");

    // It is taken off again, and what began with it ends.
    let (_, rest) = page.split_once(&format!("action=\"{WAYS}/")).unwrap();
    let path = format!("{WAYS}/{}", rest.split('"').next().unwrap());
    let olga = world.server.sign_in("olga").await;
    world.server.form(&olga, &path, &[]).await.expect(404);
    assert!(told(world.server.form(&client, &path, &[]).await).starts_with("gThis way in"));
    world.server.get(&by_provider, "/api/v2/users/me").await.expect(401);
    assert!(world.groups("ada").await.is_empty());
    world.server.get(&client, "/api/v2/users/me").await.expect(200);
    let (_, refused) = world.arrive("ada").await;
    assert!(refused.status.is_redirection(), "someone new, by the address they have there");
}

#[tokio::test]
async fn nobody_adds_a_way_in_to_someone_else_s_account() {
    let (world, client) = World::with_ada().await;
    world.server.app.create_user(&Actor::System, person("eve")).await.unwrap();
    let eve = world.server.sign_in("eve").await;
    // Ada's answer in Eve's session, in no session, and in another session of Ada's own.
    for other in [eve.clone(), world.server.sign_in("ada").await] {
        let begun = world.begin_to_add(&client).await;
        let said = told(world.comes_back(&begun, "ada", &other).await);
        assert!(said.starts_with("bThis was begun in another session"), "{said}");
    }
    let begun = world.begin_to_add(&client).await;
    world.comes_back(&begun, "ada", &Client::default()).await.expect(400);
    assert!(world.security(&client).await.contains("<option value=\"sso\">"));

    // Who is someone's already is nobody else's, and nobody is two people at one provider.
    assert!(told(world.add(&client, "ada").await).starts_with('g'));
    let said = told(world.add(&eve, "ada").await);
    assert!(said.starts_with("bSomeone else here comes by"), "{said}");
    world.peer.put("second", ada()).await;
    let said = told(world.add(&client, "second").await);
    assert!(said.starts_with("bYou come by another account"), "{said}");
    // A sign-in that was begun before is none for who is signed in.
    let (sent_to, cookie) = world.begin().await;
    let back = world.comes_back(&(sent_to, cookie), "ada", &client).await.expect(303);
    assert_eq!(back.headers["location"], "/");
}

#[tokio::test]
async fn who_came_by_a_provider_keeps_a_way_in() {
    let world = World::start(REFRESH, rules()).await;
    world.peer.put("ada", ada()).await;
    let (_, client) = world.sign_in("ada").await;
    let fields = [("provider", "sso"), ("password_now", PASSWORD)];
    let said = told(world.server.form(&client, WAYS, &fields).await);
    assert!(said.starts_with("bA way in is added by who signs in by a password"), "{said}");
    let page = world.security(&client).await;
    let (_, rest) = page.split_once(&format!("action=\"{WAYS}/")).unwrap();
    let path = format!("{WAYS}/{}", rest.split('"').next().unwrap());
    let said = told(world.server.form(&client, &path, &[]).await);
    assert!(said.starts_with("bIt is the only way in"), "{said}");
    world.server.get(&client, "/api/v2/users/me").await.expect(200);
}

#[tokio::test]
async fn coder_s_clients_add_a_provider_too() {
    let (world, client) = World::with_ada().await;
    let olga = world.server.sign_in("olga").await;
    let body = json!({ "to_type": "oidc", "password": PASSWORD });
    world.server.post(&olga, "/api/v2/users/ada/convert-login", body.clone()).await.expect(403);
    let path = "/api/v2/users/me/convert-login";
    let wrong = json!({ "to_type": "oidc", "password": "a guess" });
    let wrong = world.server.post(&client, path, wrong).await.expect(400).json();
    assert_eq!(wrong["validations"][0]["field"], "password", "{wrong:#}");
    let none = json!({ "to_type": "github", "password": PASSWORD });
    world.server.post(&client, path, none).await.expect(400);

    let begun = world.server.post(&client, path, body).await.expect(201).json();
    let me = world.server.get(&client, "/api/v2/users/me").await.expect(200).json();
    assert_eq!((&begun["to_type"], &begun["user_id"]), (&json!("oidc"), &me["id"]));
    let state = begun["state_string"].as_str().unwrap();
    let path = format!("/api/v2/users/oidc/callback?oidc_merge_state={state}");
    world.server.get(&olga, &path).await.expect(401);
    let sent = world.server.get(&client, &path).await.expect(303);
    let cookie = sent.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let sent_to = sent.headers["location"].to_str().unwrap();
    let begun = (sent_to.to_owned(), cookie.to_owned());
    assert!(told(world.comes_back(&begun, "ada", &client).await).starts_with('g'));
    let (_, reply) = world.arrive("ada").await;
    let by_provider = Client { token: Some(session(&reply.expect(303))), ..Client::default() };
    let same = world.server.get(&by_provider, "/api/v2/users/me").await.expect(200).json();
    assert_eq!(same["id"], me["id"]);
}
