//! Signing in at GitHub: a real OAuth server, with GitHub's four answers after its documentation.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use steading::model::group_sync::GroupSync;
use steading::model::identity::{AllowedGroups, Fields, LinkByEmail, Rules};
use steading::model::sync::RoleSync;
use steading::server::app::Actor;
use steading::server::app::groups::CreateGroup;
use steading::server::identity::github::Settings;

use super::peer::{Browser, Peer};
use super::session;
use crate::harness::{Client, PASSWORD, Reply, TestServer, URL, person};

struct World {
    server: TestServer,
    peer: Peer,
}

fn rules(allowed: &[&str]) -> Rules {
    let names = allowed.iter().map(|name| (*name).to_owned()).collect();
    Rules {
        fields: Fields {
            email: "email".to_owned(),
            username: "login".to_owned(),
            name: "name".to_owned(),
        },
        domains: vec![],
        ignore_email_verified: false,
        allow_signups: true,
        link_by_email: LinkByEmail::Members,
        groups: None,
        roles: None,
        organizations: None,
        allowed: Some(AllowedGroups { field: "groups".to_owned(), names }),
    }
}

/// What GitHub says of someone: their number, name, first address, organizations and teams.
fn at_github(id: u64, login: &str, orgs: &[(&str, &str)], teams: &[(&str, &str)]) -> Value {
    let orgs = orgs.iter().map(|(login, state)| {
        json!({ "state": state, "role": "member", "organization": { "id": 7, "login": login } })
    });
    let teams = teams.iter().map(|(org, slug)| {
        json!({ "id": 8, "name": "A Team", "slug": slug, "organization": { "login": org } })
    });
    let email = |name: &str, primary: bool, verified: bool| {
        json!({
            "email": format!("{name}@example.org"), "primary": primary, "verified": verified,
            "visibility": null,
        })
    };
    json!({
        "user": { "id": id, "login": login, "name": "Ada Lovelace", "email": "shown@example.org" },
        "emails": [email("old", false, true), email(&format!("{login}.first"), true, true)],
        "orgs": orgs.collect::<Vec<_>>(),
        "teams": teams.collect::<Vec<_>>(),
    })
}

impl World {
    async fn start(allowed: &[&str], device_flow: bool) -> Self {
        Self::with(rules(allowed), device_flow).await
    }

    async fn with(rules: Rules, device_flow: bool) -> Self {
        let peer = Peer::github(URL).await;
        let settings = Settings {
            base: peer.issuer.clone(),
            api: peer.issuer.join("/api/v3").unwrap(),
            client_id: "steading".to_owned(),
            client_secret: "a secret for tests".to_owned().into(),
            rules: Arc::new(rules),
            device_flow,
        };
        let server = TestServer::with(|_| {}, |c| c.github = Some(settings.clone())).await;
        server.app.create_first_user(person("olga")).await.unwrap();
        Self { server, peer }
    }

    /// Begins in a browser; where it is sent, and the cookie it keeps.
    async fn begin(&self) -> (String, String) {
        let path = "/login/github?next=/templates";
        let reply = self.server.get(&Client::default(), path).await.expect(303);
        (reply.headers["location"].to_str().unwrap().to_owned(), cookie(&reply))
    }

    async fn come_back(&self, to: &str, cookie: &str) -> Reply {
        let client = Client { cookie: Some(cookie.to_owned()), ..Client::default() };
        self.server.call(&client, Method::GET, &to[URL.len()..], None).await
    }

    async fn arrive(&self, subject: &str) -> Reply {
        let (sent_to, cookie) = self.begin().await;
        let to = Browser::default().sign_in(&sent_to, subject, URL).await;
        self.come_back(&to, &cookie).await
    }

    async fn sign_in(&self, subject: &str) -> Client {
        let reply = self.arrive(subject).await.expect(303);
        assert_eq!(reply.headers["location"], "/templates");
        Client { token: Some(session(&reply)), ..Client::default() }
    }

    async fn me(&self, client: &Client) -> Value {
        self.server.get(client, "/api/v2/users/me").await.expect(200).json()
    }

    /// The groups that someone is in who came by GitHub.
    async fn groups(&self) -> Vec<String> {
        let all = self.server.app.groups(&Actor::System, "default").await.unwrap();
        let stored = all.iter().filter(|g| g.group.name != "Everyone" && !g.members.is_empty());
        stored.map(|g| g.group.name.clone()).collect()
    }

    async fn renew_later(&self) {
        self.server.clock.advance(Duration::from_mins(6));
        self.server.state.providers.renew_pass().await.unwrap();
    }
}

fn cookie(reply: &Reply) -> String {
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn people_are_who_their_number_says_and_not_their_name() {
    let world = World::start(&["kiln"], false).await;
    let ada = at_github(4711, "Ada-L", &[("Kiln", "active")], &[]);
    world.peer.put("first", ada).await;
    let client = world.sign_in("first").await;
    let me = world.me(&client).await;
    assert_eq!((&me["username"], &me["login_type"]), (&json!("Ada-L"), &json!("github")));
    assert_eq!(me["email"], "Ada-L.first@example.org");
    // She takes another name, and someone else takes hers.
    world.peer.put("first", at_github(4711, "countess", &[("kiln", "active")], &[])).await;
    let same = world.sign_in("first").await;
    assert_eq!(world.me(&same).await["id"], me["id"]);
    world.peer.put("second", at_github(12, "ada-l", &[("kiln", "active")], &[])).await;
    let refused = world.arrive("second").await;
    assert!(refused.expect(403).text.contains("already"), "an address gave her account away");
    world.renew_later().await;
    world.me(&client).await;
}

#[tokio::test]
async fn only_members_of_the_organization_or_team_come_in_with_a_proven_address() {
    let world = World::start(&["kiln/potters"], false).await;
    let potter = |orgs: &[(&str, &str)], teams: &[(&str, &str)]| at_github(1, "pat", orgs, teams);
    let mine = &[("kiln", "active")][..];
    for refused in [
        potter(&[], &[]),
        potter(mine, &[]),
        potter(mine, &[("kiln", "glaze"), ("other", "potters")]),
        potter(&[("kiln", "pending")], &[("kiln", "potters")]),
        potter(&[("other", "active")], &[("kiln", "potters")]),
    ] {
        world.peer.put("pat", refused).await;
        let page = world.arrive("pat").await.expect(403);
        assert!(page.text.contains("none of the groups"), "{}", page.text);
    }
    let mut unproven = potter(mine, &[("Kiln", "Potters")]);
    unproven["emails"][1]["verified"] = json!(false);
    world.peer.put("pat", unproven).await;
    assert!(world.arrive("pat").await.expect(403).text.contains("no e-mail address"));

    // Lists of several pages are read whole.
    let many: Vec<(String, &str)> = (0..230).map(|n| (format!("o{n}"), "active")).collect();
    let mut many: Vec<(&str, &str)> = many.iter().map(|(org, s)| (org.as_str(), *s)).collect();
    many.push(("kiln", "active"));
    world.peer.put("pat", potter(&many, &[("Kiln", "Potters")])).await;
    let client = world.sign_in("pat").await;
    world.renew_later().await;
    world.me(&client).await;
    world.peer.put("pat", potter(mine, &[])).await;
    world.renew_later().await;
    world.server.get(&client, "/api/v2/users/me").await.expect(401);
}

#[tokio::test]
async fn who_takes_their_grant_back_is_signed_out() {
    let world = World::start(&["kiln"], false).await;
    world.peer.put("ada", at_github(5, "ada", &[("kiln", "active")], &[])).await;
    let client = world.sign_in("ada").await;
    world.peer.remove("ada").await;
    world.renew_later().await;
    world.server.get(&client, "/api/v2/users/me").await.expect(401);
}

#[tokio::test]
async fn nobody_is_signed_in_as_someone_else_by_a_link_from_github() {
    let world = World::start(&["kiln"], false).await;
    world.peer.put("eve", at_github(6, "eve", &[("kiln", "active")], &[])).await;
    let (sent_to, own) = world.begin().await;
    let to = Browser::default().sign_in(&sent_to, "eve", URL).await;
    let (_, adas) = world.begin().await;
    for cookie in ["", adas.as_str()] {
        let reply = world.come_back(&to, cookie).await.expect(400);
        assert!(reply.text.contains("begun in another browser"), "{}", reply.text);
    }
    world.come_back(&to, &own).await.expect(303);
    assert_eq!(world.come_back(&to, &own).await.status, 502, "a code is good once");
    let declined = format!("{URL}/api/v2/users/oauth2/github/callback?error=access_denied");
    world.come_back(&declined, &own).await.expect(400);
}

#[tokio::test]
async fn the_sign_in_page_and_the_api_say_whether_github_is_on() {
    let world = World::start(&["kiln"], false).await;
    let page = world.server.get(&Client::default(), "/login?next=/templates").await.expect(200);
    assert!(page.text.contains("href=\"/login/github?next=%2Ftemplates\""), "{}", page.text);
    assert!(page.text.contains("Continue with GitHub"));
    let path = "/api/v2/users/authmethods";
    let ways = world.server.get(&Client::default(), path).await.expect(200).json();
    assert_eq!(ways["github"], json!({ "enabled": true, "default_provider_configured": false }));
    let begun = "/api/v2/users/oauth2/github/callback?redirect=/templates";
    let begun = world.server.get(&Client::default(), begun).await.expect(303);
    assert_eq!(begun.headers["location"], "/login/github?next=%2Ftemplates");
    let device = "/api/v2/users/oauth2/github/device";
    world.server.get(&Client::default(), device).await.expect(404);

    let plain = TestServer::start().await;
    let ways = plain.get(&Client::default(), path).await.expect(200).json();
    assert_eq!(ways["github"]["enabled"], false);
    assert!(!plain.get(&Client::default(), "/login").await.text.contains("GitHub"));
    plain.get(&Client::default(), "/login/github").await.expect(404);
}

#[tokio::test]
async fn a_code_that_is_entered_at_github_signs_in_the_browser_that_shows_it() {
    let world = World::start(&["kiln"], true).await;
    world.peer.put("ada", at_github(5, "ada", &[("kiln", "active")], &[])).await;
    let shown = world.server.get(&Client::default(), "/login/github?next=/templates").await;
    let shown = shown.expect(200);
    assert!(shown.headers["refresh"].to_str().unwrap().ends_with("url=/login/github/wait?every=6"));
    let own = Client { cookie: Some(cookie(&shown)), ..Client::default() };
    let waiting = world.server.get(&own, "/login/github/wait").await.expect(200);
    let code = |text: &str| {
        let rest = text.split("<code id=\"code\">").nth(1).expect("a code is shown");
        rest.split('<').next().unwrap().to_owned()
    };
    assert_eq!(code(&waiting.text), code(&shown.text));
    let at = world.peer.issuer.join("/login/device").unwrap();
    Browser::default().enter_code(at.as_str(), &code(&shown.text), "ada").await;
    world.server.get(&Client::default(), "/login/github/wait").await.expect(400);
    let done = world.server.get(&own, "/login/github/wait").await.expect(303);
    assert_eq!(done.headers["location"], "/templates");
    let client = Client { token: Some(session(&done)), ..Client::default() };
    assert_eq!(world.me(&client).await["username"], "ada");

    // A program does the same by the API.
    let path = "/api/v2/users/oauth2/github/device";
    let begun = world.server.get(&Client::default(), path).await.expect(200);
    let own = Client { cookie: Some(cookie(&begun)), ..Client::default() };
    let told = begun.json();
    let device = told["device_code"].as_str().unwrap();
    let callback = format!("/api/v2/users/oauth2/github/callback?code={device}&state=x");
    let pending = world.server.get(&own, &callback).await.expect(400).json();
    assert_eq!(pending["detail"], "authorization_pending");
    let code = told["user_code"].as_str().unwrap();
    Browser::default().enter_code(at.as_str(), code, "ada").await;
    let done = world.server.get(&own, &callback).await.expect(200);
    assert_eq!(done.json()["redirect_url"], "/");
    let client = Client { token: Some(session(&done)), ..Client::default() };
    assert_eq!(world.me(&client).await["username"], "ada");
}

#[tokio::test]
async fn teams_and_organizations_become_groups_and_roles() {
    let text = |text: &str| text.to_owned();
    let groups = GroupSync {
        field: text("groups"),
        mapping: [("kiln/potters", "potters"), ("kiln/glaze", "glazing"), ("clay", "clay")]
            .map(|(there, here)| (text(there), vec![text(here)]))
            .into(),
        only_mapped: true,
        filter: Some(regex::Regex::new("^(potters|glazing|clay)$").unwrap()),
        auto_create: true,
    };
    let roles = RoleSync {
        field: text("groups"),
        mapping: [(text("kiln/keepers"), vec![text("template-admin")])].into(),
        default: vec![],
    };
    // Everyone may come in: the groups are asked for all the same.
    let rules =
        Rules { groups: Some(groups), roles: Some(roles), allowed: None, ..rules(&["kiln"]) };
    let world = World::with(rules, false).await;
    // Anyone may make an organization there that is called as a group is here.
    let glazing = CreateGroup { name: "glazing".to_owned(), ..CreateGroup::default() };
    world.server.app.create_group(&Actor::System, "default", glazing).await.unwrap();
    let both = &[("Kiln", "active"), ("clay", "active"), ("glazing", "active")][..];
    let teams = &[("Kiln", "Potters"), ("kiln", "keepers"), ("kiln", "staff")][..];
    world.peer.put("ada", at_github(4711, "ada", both, teams)).await;
    let client = world.sign_in("ada").await;
    assert_eq!(world.groups().await, ["clay", "potters"]);
    assert_eq!(world.me(&client).await["roles"][0]["name"], "template-admin");

    world.peer.put("ada", at_github(4711, "ada", both, &[("kiln", "glaze")])).await;
    world.renew_later().await;
    assert_eq!(world.groups().await, ["clay", "glazing"]);
    assert_eq!(world.me(&client).await["roles"], json!([]));
    // Who leaves an organization leaves its teams.
    world.peer.put("ada", at_github(4711, "ada", &[], &[("kiln", "glaze")])).await;
    world.renew_later().await;
    assert!(world.groups().await.is_empty());
}

#[tokio::test]
async fn a_person_with_a_password_adds_github_and_comes_by_both() {
    const WAYS: &str = "/settings/security/ways";
    let world = World::start(&["kiln"], false).await;
    for name in ["ada", "eve"] {
        world.server.app.create_user(&Actor::System, person(name)).await.unwrap();
    }
    let kiln = [("kiln", "active")];
    world.peer.put("first", at_github(4711, "Ada-L", &kiln, &[])).await;
    world.peer.put("stranger", at_github(9, "stranger", &[], &[])).await;
    let (ada, eve) = (world.server.sign_in("ada").await, world.server.sign_in("eve").await);
    let begin = async |client: &Client| {
        let fields = [("provider", "github"), ("password_now", PASSWORD)];
        let page = world.server.form(client, WAYS, &fields).await.expect(200);
        let (_, rest) = page.text.split_once("class=\"button primary wide\" href=\"").unwrap();
        (rest.split('"').next().unwrap().replace("&amp;", "&"), cookie(&page))
    };
    let come_back = async |begun: &(String, String), subject: &str, client: &Client| {
        let to = Browser::default().sign_in(&begun.0, subject, URL).await;
        let client = Client { cookie: Some(begun.1.clone()), ..client.clone() };
        world.server.call(&client, Method::GET, &to[URL.len()..], None).await
    };
    let told = |reply: Reply| {
        let reply = reply.expect(303);
        assert_eq!(reply.headers["location"], "/settings/security");
        let mut all = reply.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap());
        let said = all.find_map(|v| v.strip_prefix("steading_flash=")).unwrap();
        said.replace("%20", " ")
    };
    // What Ada began is of no use to Eve, and whom GitHub's rules keep out adds nothing.
    let begun = begin(&ada).await;
    let said = told(come_back(&begun, "first", &eve).await);
    assert!(said.starts_with("bThis was begun in another session"), "{said}");
    let said = told(come_back(&begin(&ada).await, "stranger", &ada).await);
    assert!(said.starts_with("bYou are in none of the groups"), "{said}");
    let said = told(come_back(&begin(&ada).await, "first", &ada).await);
    assert!(said.starts_with("gYou can sign in this way"), "{said}");
    // It is hers alone, and she comes by both.
    let said = told(come_back(&begin(&eve).await, "first", &eve).await);
    assert!(said.starts_with("bSomeone else here comes by"), "{said}");
    let by_github = world.sign_in("first").await;
    let me = world.me(&by_github).await;
    assert_eq!((&me["username"], &me["login_type"]), (&json!("ada"), &json!("password")));
    assert_eq!(world.me(&world.server.sign_in("ada").await).await["id"], me["id"]);

    // A program of Coder's leads there as well, with a ticket of the same session.
    world.peer.put("second", at_github(4712, "eve", &kiln, &[])).await;
    let body = json!({ "to_type": "github", "password": PASSWORD });
    let path = "/api/v2/users/me/convert-login";
    let ticket = world.server.post(&eve, path, body).await.expect(201).json();
    let state = ticket["state_string"].as_str().unwrap();
    let path = format!("/api/v2/users/oauth2/github/callback?oidc_merge_state={state}");
    world.server.get(&ada, &path).await.expect(401);
    let sent = world.server.get(&eve, &path).await.expect(303);
    let begun = (sent.headers["location"].to_str().unwrap().to_owned(), cookie(&sent));
    assert!(told(come_back(&begun, "second", &eve).await).starts_with('g'));
    assert_eq!(world.me(&world.sign_in("second").await).await["username"], "eve");
}
