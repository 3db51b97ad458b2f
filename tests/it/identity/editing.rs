//! Setting up ways to sign in on their page, with real providers: in force at once, and gone at once.

use serde_json::{Value, json};
use steading::clock::Clock;
use steading::model::user::SiteRole;
use steading::server::app::Actor;

use super::peer::Peer;
use super::slapd::{BASE, Slapd};
use super::trial::says;
use super::{REFRESH, World, ada};
use crate::factors::Browser;
use crate::harness::{Client, TestServer, URL, person};

pub(super) const PAGE: &str = "/deployment/sign-in";
const ADD: &str = "/deployment/add-sign-in/oidc";
const SECRET: &str = "a secret for tests";

/// A server that Olga owns, without any provider, and a provider that knows it.
pub(super) async fn empty() -> (World, Client) {
    let peer = Peer::start(URL, REFRESH).await;
    let server = TestServer::with(|_| {}, |_| {}).await;
    server.clock.advance(Clock::machine().now().since(server.clock.now()));
    server.app.create_first_user(person("olga")).await.unwrap();
    let olga = server.sign_in("olga").await;
    (World { server, peer, url: URL.to_owned() }, olga)
}

/// What is typed for the provider: what it needs and no more.
pub(super) fn least(peer: &Peer) -> Vec<(&'static str, String)> {
    vec![
        ("name", "sso".to_owned()),
        ("issuer", peer.issuer.to_string()),
        ("client_id", "steading".to_owned()),
        ("secret", SECRET.to_owned()),
        ("allow_signups", "yes".to_owned()),
        ("organization_assign_default", "yes".to_owned()),
        ("link_by_email", "members".to_owned()),
    ]
}

/// The same with more typed, or something else.
pub(super) fn with(
    mut fields: Vec<(&'static str, String)>,
    more: &[(&'static str, &str)],
) -> Vec<(&'static str, String)> {
    fields.retain(|(key, _)| more.iter().all(|(other, _)| other != key));
    fields.extend(more.iter().map(|(key, text)| (*key, (*text).to_owned())));
    fields
}

pub(super) async fn send(
    server: &TestServer,
    client: &Client,
    path: &str,
    fields: &[(&'static str, String)],
) -> crate::harness::Reply {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let reply = server.form(client, path, &fields).await;
    assert!(!reply.text.contains(SECRET), "a secret is shown: {}", reply.text);
    reply
}

/// The secret that a form carries on.
fn kept(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"kept\" value=\"").expect("it is carried on");
    rest.split_once('"').unwrap().0.to_owned()
}

/// The newest entry of the log about the provider.
async fn logged(server: &TestServer, olga: &Client) -> Value {
    let log = server.get(olga, "/api/v2/audit?limit=50").await.expect(200).json();
    assert!(!log.to_string().contains(SECRET), "{log}");
    let entries = log["audit_logs"].as_array().unwrap();
    entries.iter().find(|e| e["resource_target"] == "sign-in by sso").unwrap().clone()
}

#[tokio::test]
async fn a_provider_set_up_on_the_page_is_in_force_at_once_and_removed_at_once() {
    let (world, olga) = empty().await;
    let server = &world.server;
    let form = server.get(&olga, ADD).await.expect(200).text;
    says(&form, &[&format!("{URL}/login/oidc/sso/callback"), "Client secret", "<summary>More"]);
    send(server, &olga, ADD, &least(&world.peer)).await.expect(303);
    let page = server.get(&olga, PAGE).await.expect(200).text;
    says(&page, &[world.peer.issuer.as_str(), "this page", "Set up here", "by olga"]);
    assert!(!page.contains(SECRET), "{page}");
    let entry = logged(server, &olga).await;
    assert_eq!(entry["action"], "create");
    assert_eq!(entry["diff"]["client_secret"], json!({ "old": "", "new": "", "secret": true }));
    assert_eq!(entry["diff"]["issuer"]["new"], world.peer.issuer.as_str());

    // No restart: the button is there, and it leads in.
    let door = server.get(&Client::default(), "/login").await.expect(200).text;
    says(&door, &["/login/oidc/sso"]);
    world.peer.put("ada", ada()).await;
    let (_, client) = world.sign_in("ada").await;
    assert!(world.groups("ada-lovelace").await.is_empty());

    // With another mapping who is signed in is looked at again, and the secret stays.
    let groups = [
        ("secret", ""),
        ("groups_field", "groups"),
        ("group_mapping", "potters-at-sso = potters\nglaze = glazers"),
        ("group_regex_filter", "^(potters|glazers)$"),
        ("group_auto_create", "yes"),
    ];
    let path = format!("{PAGE}/sso");
    send(server, &olga, &path, &with(least(&world.peer), &groups)).await.expect(303);
    server.state.providers.renew_pass().await.unwrap();
    assert_eq!(world.groups("ada-lovelace").await, ["glazers", "potters"]);
    let entry = logged(server, &olga).await;
    assert_eq!(entry["diff"]["group_mapping"]["new"]["glaze"], "glazers");
    assert!(entry["diff"].get("client_secret").is_none(), "{entry}");
    let form = server.get(&olga, &path).await.expect(200).text;
    says(&form, &["potters-at-sso = potters", "1 person came by it", "One of them has no other"]);
    server.get(&client, "/api/v2/users/me").await.expect(200);

    let sync = "/api/v2/organizations/default/settings/idpsync/roles";
    let lead = json!({ "field": "jobs", "mapping": { "boss": ["organization-admin"] } });
    server.patch(&olga, sync, lead).await.expect(200);

    // A mistyped name removes nothing; the right one ends what began with it.
    let remove = format!("{path}/remove");
    server.form(&olga, &remove, &[("confirm", "so")]).await.expect(303);
    server.get(&client, "/api/v2/users/me").await.expect(200);
    server.form(&olga, &remove, &[("confirm", "sso")]).await.expect(303);
    server.get(&client, "/api/v2/users/me").await.expect(401);
    server.get(&Client::default(), "/login/oidc/sso").await.expect(404);
    server.get(&olga, &path).await.expect(404);
    assert_eq!(logged(server, &olga).await["action"], "delete");

    // Another one of the same name is led by nothing that was set for the first, and knows its people
    // by issuer and subject alone.
    let conn = rusqlite::Connection::open(&server.db_path).unwrap();
    let left = "SELECT count(*) FROM identities WHERE provider = 'sso'";
    assert_eq!(conn.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    send(server, &olga, ADD, &least(&world.peer)).await.expect(303);
    let set = server.get(&olga, sync).await.expect(200).json();
    assert_eq!((&set["source"], &set["field"]), (&json!("file"), &json!("")));
    let (_, again) = world.sign_in("ada").await;
    let me = server.get(&again, "/api/v2/users/me").await.expect(200).json();
    assert_eq!(me["username"], "ada-lovelace");
}

#[tokio::test]
async fn what_is_stored_survives_a_restart_and_gives_way_to_the_file() {
    let (world, olga) = empty().await;
    send(&world.server, &olga, ADD, &least(&world.peer)).await.expect(303);
    world.peer.put("ada", ada()).await;
    let conn = rusqlite::Connection::open(&world.server.db_path).unwrap();
    let sealed: (String, Vec<u8>) = conn
        .query_row("SELECT settings, secret FROM providers", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let bytes = SECRET.as_bytes();
    assert!(!sealed.0.contains(SECRET) && !sealed.1.windows(bytes.len()).any(|w| w == bytes));

    let again = world.server.copy().await;
    again.clock.advance(Clock::machine().now().since(again.clock.now()));
    let world = World { server: again, ..world };
    world.sign_in("ada").await;

    let mut in_file = super::settings(&world.peer, super::rules());
    in_file.client_id = "of-the-file".to_owned();
    let server = world.server.copy_with(|config| config.oidc = vec![in_file.clone()]).await;
    server.clock.advance(Clock::machine().now().since(server.clock.now()));
    let olga = server.sign_in("olga").await;
    let page = server.get(&olga, PAGE).await.expect(200).text;
    says(&page, &["of-the-file", "Those of the file are in force"]);
    let path = format!("{PAGE}/sso");
    let refused = send(&server, &olga, &path, &least(&world.peer)).await.expect(200).text;
    says(&refused, &["which are in force"]);
    let taken = send(&server, &olga, ADD, &least(&world.peer)).await.expect(200).text;
    says(&taken, &["The settings' file has a way to sign in of this name"]);
    server.form(&olga, &format!("{path}/remove"), &[("confirm", "sso")]).await.expect(303);
    let page = server.get(&olga, PAGE).await.expect(200).text;
    says(&page, &["of-the-file"]);
    assert!(!page.contains("Those of the file"), "{page}");
}

#[tokio::test]
async fn another_provider_of_the_same_name_in_the_file_inherits_nobody() {
    let (world, olga) = empty().await;
    send(&world.server, &olga, ADD, &least(&world.peer)).await.expect(303);
    world.peer.put("ada", ada()).await;
    let (_, client) = world.sign_in("ada").await;
    let sync = "/api/v2/organizations/default/settings/idpsync/roles";
    let lead = json!({ "field": "jobs", "mapping": { "boss": ["organization-admin"] } });
    world.server.patch(&olga, sync, lead).await.expect(200);

    // The same one by the file: nothing is lost.
    let own = super::settings(&world.peer, super::rules());
    let server = world.server.copy_with(|config| config.oidc = vec![own.clone()]).await;
    server.clock.advance(Clock::machine().now().since(server.clock.now()));
    server.get(&client, "/api/v2/users/me").await.expect(200);
    let olga = server.sign_in("olga").await;
    assert_eq!(server.get(&olga, sync).await.expect(200).json()["field"], "jobs");

    let other = Peer::start(URL, REFRESH).await;
    let others = super::settings(&other, super::rules());
    let server = server.copy_with(|config| config.oidc = vec![others.clone()]).await;
    server.clock.advance(Clock::machine().now().since(server.clock.now()));
    server.get(&client, "/api/v2/users/me").await.expect(401);
    let olga = server.sign_in("olga").await;
    assert_eq!(server.get(&olga, sync).await.expect(200).json()["field"], "");
    let conn = rusqlite::Connection::open(&server.db_path).unwrap();
    let left = "SELECT count(*) FROM identities WHERE provider = 'sso'";
    assert_eq!(conn.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    let said = logged(&server, &olga).await;
    assert_eq!(said["action"], "write", "{said}");
}

#[tokio::test]
async fn what_was_typed_is_tried_before_it_is_saved_and_typed_once() {
    let (world, olga) = empty().await;
    let (server, peer) = (&world.server, &world.peer);
    let wrong = with(least(peer), &[("secret", "another secret")]);
    let trial = format!("{ADD}/try");
    let page = send(server, &olga, &trial, &wrong).await.expect(200).text;
    says(&page, &["Something is wrong", "does not take client_id and client_secret"]);
    assert!(!page.contains("another secret"), "{page}");
    server.get(&Client::default(), "/login/oidc/sso").await.expect(404);

    // The secret is not typed again, and is of no use in another session.
    let page = send(server, &olga, &trial, &least(peer)).await.expect(200).text;
    says(&page, &["Nothing is wrong", "Typed already"]);
    let kept = kept(&page);
    let carried = with(least(peer), &[("secret", ""), ("kept", &kept)]);
    let other = server.sign_in("olga").await;
    let refused = send(server, &other, ADD, &carried).await.expect(200).text;
    says(&refused, &["Client secret is empty"]);
    send(server, &olga, ADD, &carried).await.expect(303);
    world.peer.put("ada", ada()).await;
    world.sign_in("ada").await;

    // What does not fit is said beside its field, in its name on the page.
    for (key, text, why) in [
        ("issuer", "sso.test", "Issuer is"),
        ("client_id", "", "Client ID is empty"),
        ("group_regex_filter", "(", "Only groups that match is no expression"),
        ("role_mapping", "admins", "write WORD = NAME"),
        ("name", "Bad Name", "small letters"),
        ("name", "github", "another way to sign in"),
        ("name", "sso", "has this name"),
    ] {
        let fields = with(least(peer), &[(key, text), ("name", "second")]);
        let page = send(server, &olga, ADD, &fields).await.expect(200).text;
        assert!(page.contains(why), "{key}: no {why:?} in {page}");
    }

    // A stored secret goes nowhere but where it went before.
    let elsewhere = [("issuer", "https://127.0.0.1:1"), ("secret", "")];
    let moved = with(least(peer), &elsewhere);
    for path in ["", "/try"] {
        let path = format!("{PAGE}/sso{path}");
        let page = send(server, &olga, &path, &moved).await.expect(200).text;
        says(&page, &["Type it again: it would be sent to another address"]);
    }
}

#[tokio::test]
async fn the_last_owner_who_could_sign_in_is_not_locked_out() {
    let (world, olga) = empty().await;
    let (server, system) = (&world.server, Actor::System);
    send(server, &olga, ADD, &least(&world.peer)).await.expect(303);
    world.peer.put("ada", ada()).await;
    let (_, client) = world.sign_in("ada").await;
    server.app.set_user_roles(&system, "ada-lovelace", vec![SiteRole::Owner]).await.unwrap();
    server.app.set_user_status(&system, "olga", false).await.unwrap();
    let remove = format!("{PAGE}/sso/remove");
    let refused = server.form(&client, &remove, &[("confirm", "sso")]).await.expect(303);
    assert_eq!(refused.headers["location"], format!("{PAGE}/sso"));
    server.get(&client, "/api/v2/users/me").await.expect(200);
    // Nor by another issuer, which would know nobody of here.
    let other = with(least(&world.peer), &[("issuer", "https://127.0.0.1:1")]);
    let page = send(server, &client, &format!("{PAGE}/sso"), &other).await.expect(200).text;
    says(&page, &["no owner of this server could sign in any more"]);
    server.app.set_user_status(&system, "olga", true).await.unwrap();
    server.form(&client, &remove, &[("confirm", "sso")]).await.expect(303);
    server.get(&client, "/api/v2/users/me").await.expect(401);
}

#[tokio::test]
async fn a_directory_and_scim_are_set_up_on_the_page() {
    let slapd = Slapd::start();
    let server = TestServer::with(|_| {}, |config| config.scim = None).await;
    server.app.create_first_user(person("olga")).await.unwrap();
    let olga = server.sign_in("olga").await;
    let settings = slapd.settings();
    let fields = vec![
        ("url", format!("ldap://127.0.0.1:{}", settings.port)),
        ("base", BASE.to_owned()),
        ("bind_dn", settings.bind_dn.clone()),
        ("secret", settings.bind_password.to_string()),
        ("ca", String::from_utf8(settings.authorities.clone().unwrap()).unwrap()),
        ("start_tls", "yes".to_owned()),
        ("group_sync", "yes".to_owned()),
        ("group_auto_create", "yes".to_owned()),
        ("allow_signups", "yes".to_owned()),
        ("try_username", "lin".to_owned()),
    ];
    let path = "/deployment/add-sign-in/ldap";
    let page = send(&server, &olga, &format!("{path}/try"), &fields).await.expect(200).text;
    says(&page, &["Nothing is wrong", "comes in as lin, lin@example.test"]);
    send(&server, &olga, path, &fields).await.expect(303);
    let body = json!({ "email": "lin", "password": "lin's password" });
    let login = server.post(&Client::default(), "/api/v2/users/login", body.clone()).await;
    let token = login.expect(201).json()["session_token"].as_str().unwrap().to_owned();
    let lin = Client { token: Some(token), ..Client::default() };
    server.get(&lin, "/api/v2/users/me").await.expect(200);
    server.form(&olga, &format!("{PAGE}/ldap/remove"), &[("confirm", "ldap")]).await.expect(303);
    server.get(&lin, "/api/v2/users/me").await.expect(401);
    server.post(&Client::default(), "/api/v2/users/login", body).await.expect(401);

    server.get(&lin, "/scim/v2/Users").await.expect(404);
    let token = "0123456789abcdef0123456789abcdef";
    let path = "/deployment/add-sign-in/scim";
    let short = send(&server, &olga, path, &[("secret", "short".to_owned())]).await.expect(200);
    says(&short.text, &["Token has less than 32 characters"]);
    send(&server, &olga, path, &[("secret", token.to_owned())]).await.expect(303);
    let keeper = |token: &str| Client {
        headers: vec![("authorization", format!("Bearer {token}"))],
        ..Client::default()
    };
    server.get(&keeper(token), "/scim/v2/Users").await.expect(200);
    server.get(&keeper("another"), "/scim/v2/Users").await.expect(401);
}

#[tokio::test]
async fn github_is_set_up_on_the_page() {
    let peer = Peer::github(URL).await;
    let server = TestServer::with(|_| {}, |_| {}).await;
    server.app.create_first_user(person("olga")).await.unwrap();
    let olga = server.sign_in("olga").await;
    let path = "/deployment/add-sign-in/github";
    let fields = vec![
        ("client_id", "steading".to_owned()),
        ("secret", SECRET.to_owned()),
        ("enterprise_base_url", peer.issuer.to_string()),
    ];
    let page = send(&server, &olga, path, &fields).await.expect(200).text;
    says(&page, &["Say who may sign in"]);
    let fields = with(fields, &[("allowed_orgs", "hearth\nkiln")]);
    let page = send(&server, &olga, &format!("{path}/try"), &fields).await.expect(200).text;
    says(&page, &["takes client_id and client_secret"]);
    send(&server, &olga, path, &fields).await.expect(303);
    let door = server.get(&Client::default(), "/login").await.expect(200).text;
    says(&door, &["Continue with GitHub"]);
}

#[tokio::test]
async fn who_has_a_second_factor_gives_it_before_a_provider_is_changed() {
    let (world, _) = empty().await;
    let browser = Browser::new(&world.server);
    let password = crate::harness::PASSWORD;
    browser.post("/login", &[("username", "olga"), ("password", password)]).await.expect(303);
    browser.set_up_app().await;
    browser.get(ADD).await.expect(200);
    world.server.clock.advance(std::time::Duration::from_mins(16));
    let asked = browser.get(ADD).await.expect(303);
    assert!(asked.headers["location"].to_str().unwrap().starts_with("/settings/confirm"));
    let fields = least(&world.peer);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let asked = browser.post(ADD, &fields).await.expect(303);
    assert!(asked.headers["location"].to_str().unwrap().starts_with("/settings/confirm"));
    world.server.get(&Client::default(), "/login/oidc/sso").await.expect(404);
}
