//! Signing in at a real `OpenID` provider: groups follow it, and leaving there ends sessions here.

mod editing;
mod github;
mod joining;
mod ldap;
mod made;
mod owners;
pub mod peer;
mod places;
pub mod slapd;
mod strength;
mod syncs;
mod trial;
mod words;

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use steading::clock::Clock;
use steading::model::group_sync::GroupSync;
use steading::model::id::IdentityGrantId;
use steading::model::identity::{Fields, LinkByEmail, Rules};
use steading::model::session::{NewSession, SessionKind, Shown};
use steading::server::app::Actor;
use steading::server::fleet::register::Live;
use steading::server::identity::oidc::Settings;
use steading::tasks::{OnPanic, Tasks};
use zeroize::Zeroizing;

use self::peer::{Browser, Peer};
use crate::harness::{Client, Reply, SCIM_TOKEN, TestServer};
use crate::workspaces::id;

/// A server that people sign in to at a provider.
struct World {
    server: TestServer,
    peer: Peer,
    url: String,
}

fn rules() -> Rules {
    Rules {
        fields: Fields {
            email: "email".to_owned(),
            username: "preferred_username".to_owned(),
            name: "name".to_owned(),
        },
        domains: vec![],
        ignore_email_verified: false,
        allow_signups: true,
        link_by_email: LinkByEmail::Members,
        groups: Some(GroupSync {
            field: "groups".to_owned(),
            mapping: [("potters-at-sso".to_owned(), vec!["potters".to_owned()])].into(),
            filter: Some(regex::Regex::new("^(potters|glaze|kiln)$").unwrap()),
            only_mapped: false,
            auto_create: true,
        }),
        roles: None,
        organizations: None,
        allowed: None,
    }
}

fn settings(peer: &Peer, rules: Rules) -> Settings {
    Settings {
        name: "sso".to_owned(),
        issuer: peer.issuer.clone(),
        client_id: "steading".to_owned(),
        client_secret: Some(Zeroizing::new("a secret for tests".to_owned())),
        scopes: ["openid", "profile", "email"].map(str::to_owned).into(),
        rules: Arc::new(rules),
        sign_in_text: "Continue with Hearth SSO".to_owned(),
        icon_url: String::new(),
        auth_url_params: [].into(),
        ignore_user_info: false,
        trust_amr: false,
        acr_values: vec![],
        trusted_hosts: [].into(),
    }
}

/// What the provider says of Ada.
fn ada() -> Value {
    json!({
        "email": "ada.l@example.org", "email_verified": true, "name": "Ada Lovelace",
        "preferred_username": "ada.lovelace", "groups": ["potters-at-sso", "glaze", "staff"],
    })
}

impl World {
    async fn start(grants: &[&str], rules: Rules) -> Self {
        Self::told(grants, rules, |_| {}).await
    }

    /// One whose settings are changed.
    async fn told(grants: &[&str], rules: Rules, change: impl Fn(&mut Settings)) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let peer = Peer::start(&url, grants).await;
        let mut settings = settings(&peer, rules);
        change(&mut settings);
        let name = settings.name.clone();
        let server = TestServer::with(
            |policy| policy.access_url.clone_from(&url),
            |config| {
                config.access_url = Some(url.clone());
                config.oidc = vec![settings.clone()];
                config.scim = steading::server::identity::scim::Settings::new(SCIM_TOKEN, &name);
            },
        )
        .await;
        // The provider's tokens are of today.
        server.clock.advance(Clock::machine().now().since(server.clock.now()));
        server.app.create_first_user(crate::harness::person("olga")).await.unwrap();
        // The provider itself calls the server, too.
        let (router, tasks) = (steading::server::web::router(server.state.clone()), Tasks::new());
        server.state.tasks.spawn("test-http", OnPanic::Lose, async move {
            let _ = steading::server::listen::plain(listener, router, &tasks).await;
        });
        Self { server, peer, url }
    }

    /// Begins in a browser; where it is sent, and the cookie it keeps.
    async fn begin(&self) -> (String, String) {
        let path = "/login/oidc/sso?next=/templates";
        let reply = self.server.get(&Client::default(), path).await.expect(303);
        let cookie = reply.headers["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        (reply.headers["location"].to_str().unwrap().to_owned(), cookie)
    }

    /// Comes back with a cookie to where the provider led.
    async fn come_back(&self, to: &str, cookie: &str) -> Reply {
        let client = Client { cookie: Some(cookie.to_owned()), ..Client::default() };
        self.server.call(&client, Method::GET, &to[self.url.len()..], None).await
    }

    /// Signs someone in; their browser at the provider, and what came of it here.
    async fn arrive(&self, subject: &str) -> (Browser, Reply) {
        let (sent_to, cookie) = self.begin().await;
        let mut browser = Browser::default();
        let to = browser.sign_in(&sent_to, subject, &self.url).await;
        let reply = self.come_back(&to, &cookie).await;
        (browser, reply)
    }

    /// Signs someone in who may.
    async fn sign_in(&self, subject: &str) -> (Browser, Client) {
        let (browser, reply) = self.arrive(subject).await;
        let reply = reply.expect(303);
        assert_eq!(reply.headers["location"], "/templates");
        (browser, Client { token: Some(session(&reply)), ..Client::default() })
    }

    async fn groups(&self, name: &str) -> Vec<String> {
        let all = self.server.app.groups(&Actor::System, "default").await.unwrap();
        let of = |g: &steading::server::app::groups::GroupView| {
            g.group.name != "Everyone" && g.members.iter().any(|u| u.username.as_str() == name)
        };
        all.iter().filter(|g| of(g)).map(|g| g.group.name.clone()).collect()
    }

    async fn renew_later(&self) {
        self.server.clock.advance(Duration::from_mins(6));
        self.server.state.providers.renew_pass().await.unwrap();
    }
}

/// The session that a browser was given.
fn session(reply: &Reply) -> String {
    let all = reply.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap());
    let found = all.filter_map(|v| v.strip_prefix("coder_session_token=")).next().unwrap();
    found.split(';').next().unwrap().to_owned()
}

const CODE: &[&str] = &["authorization_code"];
const REFRESH: &[&str] = &["authorization_code", "refresh_token"];

#[tokio::test]
async fn a_person_signs_in_at_a_provider_and_their_groups_follow_it() {
    let world = World::start(REFRESH, rules()).await;
    world.peer.put("ada", ada()).await;
    let (_, client) = world.sign_in("ada").await;
    let me = world.server.get(&client, "/api/v2/users/me").await.expect(200).json();
    assert_eq!(me["username"], "ada-lovelace");
    assert_eq!((&me["email"], &me["name"]), (&json!("ada.l@example.org"), &json!("Ada Lovelace")));
    assert_eq!(me["login_type"], "oidc");
    assert_eq!(world.groups("ada-lovelace").await, ["glaze", "potters"]);

    // Someone here adds her to a group, which is not the provider's to take away.
    let system = Actor::System;
    let hands = steading::server::app::groups::CreateGroup {
        name: "hands".to_owned(),
        ..Default::default()
    };
    world.server.app.create_group(&system, "default", hands).await.unwrap();
    let hands = world.server.app.group_named(&system, "default", "hands").await.unwrap();
    let add = steading::server::app::groups::UpdateGroup {
        add_users: vec!["ada-lovelace".to_owned()],
        ..Default::default()
    };
    world.server.app.update_group(&system, hands.group.id, add).await.unwrap();

    let mut changed = ada();
    changed["groups"] = json!(["kiln"]);
    changed["preferred_username"] = json!("countess");
    world.peer.put("ada", changed).await;
    let (_, again) = world.sign_in("ada").await;
    let same = world.server.get(&again, "/api/v2/users/me").await.expect(200).json();
    assert_eq!((&same["id"], &same["username"]), (&me["id"], &me["username"]));
    assert_eq!(world.groups("ada-lovelace").await, ["hands", "kiln"]);
    let made = world.server.app.group_named(&system, "default", "kiln").await.unwrap();
    assert_eq!(made.group.source.as_str(), "oidc");

    // A renewal brings what has changed without anyone signing in.
    world.peer.put("ada", ada()).await;
    world.renew_later().await;
    assert_eq!(world.groups("ada-lovelace").await, ["glaze", "hands", "potters"]);
    world.server.get(&again, "/api/v2/users/me").await.expect(200);
}

#[tokio::test]
async fn who_is_removed_at_the_provider_is_put_out_here() {
    let world = World::start(REFRESH, rules()).await;
    world.peer.put("ada", ada()).await;
    let (_, browser) = world.sign_in("ada").await;
    let reply = world.server.post(&browser, "/api/v2/users/me/keys", json!({})).await.expect(201);
    let key = reply.json()["key"].as_str().unwrap().to_owned();
    let cli = Client { token: Some(key), ..Client::default() };
    world.renew_later().await;
    world.server.get(&browser, "/api/v2/users/me").await.expect(200);

    world.peer.remove("ada").await;
    world.server.get(&cli, "/api/v2/users/me").await.expect(200);
    world.renew_later().await;
    world.server.get(&browser, "/api/v2/users/me").await.expect(401);
    // What was made from that sign-in ends with it.
    world.server.get(&cli, "/api/v2/users/me").await.expect(401);
}

#[tokio::test]
async fn ghsa_3rw9_wmc8_8948_a_session_ends_with_a_token_that_cannot_be_renewed() {
    let world = World::start(CODE, rules()).await;
    world.peer.put("ada", ada()).await;
    let (_, client) = world.sign_in("ada").await;
    world.server.clock.advance(Duration::from_mins(9));
    world.server.get(&client, "/api/v2/users/me").await.expect(200);
    // Nothing has to look for it: the token is over at its time, however much it was used.
    world.server.clock.advance(Duration::from_mins(2));
    world.server.get(&client, "/api/v2/users/me").await.expect(401);
}

#[tokio::test]
async fn who_signs_out_at_the_provider_is_signed_out_here() {
    let world = World::start(REFRESH, rules()).await;
    world.peer.put("ada", ada()).await;
    let (mut laptop, client) = world.sign_in("ada").await;
    let (_phone, other) = world.sign_in("ada").await;
    laptop.sign_out(&world.peer).await;
    world.server.get(&client, "/api/v2/users/me").await.expect(401);
    world.server.get(&other, "/api/v2/users/me").await.expect(200);
    let forged = [("logout_token", "eyJhbGciOiJub25lIn0.e30.")];
    let path = "/login/oidc/sso/backchannel-logout";
    world.server.form(&Client::default(), path, &forged).await.expect(400);
}

#[tokio::test]
async fn nobody_is_signed_in_as_someone_else_by_a_link() {
    let world = World::start(REFRESH, rules()).await;
    world.peer.put("eve", ada()).await;
    let (sent_to, own) = world.begin().await;
    let to = Browser::default().sign_in(&sent_to, "eve", &world.url).await;
    // Ada opens Eve's link: with no sign-in of her own, and with one.
    let (_, adas) = world.begin().await;
    for cookie in ["", adas.as_str()] {
        let reply = world.come_back(&to, cookie).await.expect(400);
        assert!(reply.text.contains("begun in another browser"), "{}", reply.text);
        assert!(
            !reply
                .headers
                .get_all("set-cookie")
                .iter()
                .any(|v| { v.to_str().unwrap().starts_with("coder_session_token=") })
        );
    }
    world.come_back(&to, &own).await.expect(303);
    // A code is good once.
    let again = world.come_back(&to, &own).await;
    assert_eq!(again.status, 502);
}

#[tokio::test]
async fn an_address_that_is_taken_is_linked_once_and_never_an_owner_s() {
    let world = World::start(REFRESH, rules()).await;
    let system = Actor::System;
    world.server.app.create_user(&system, crate::harness::person("ada")).await.unwrap();
    let with = |email: &str, verified: Value| {
        let mut claims = ada();
        (claims["email"], claims["email_verified"]) = (json!(email), verified);
        claims
    };
    world.peer.put("ada", with("ada@example.org", json!("true"))).await;
    let (_, refused) = world.arrive("ada").await;
    assert!(refused.expect(403).text.contains("does not say that"));
    world.peer.put("ada", with("ADA@example.org", json!(true))).await;
    let (_, client) = world.sign_in("ada").await;
    let me = world.server.get(&client, "/api/v2/users/me").await.expect(200).json();
    assert_eq!((&me["username"], &me["login_type"]), (&json!("ada"), &json!("password")));

    // The address goes to someone else at the provider: they are not Ada.
    world.peer.put("eve", with("ada@example.org", json!(true))).await;
    let (_, refused) = world.arrive("eve").await;
    assert!(refused.expect(403).text.contains("already"));
    world.peer.put("eve", with("olga@example.org", json!(true))).await;
    let (_, refused) = world.arrive("eve").await;
    assert!(refused.expect(403).text.contains("already"), "an owner's account was taken over");

    world.server.app.set_user_status(&system, "ada", false).await.unwrap();
    let (_, refused) = world.arrive("ada").await;
    assert!(refused.expect(403).text.contains("suspended"));
}

#[tokio::test]
async fn who_was_sent_by_scim_signs_in_as_that_account_and_as_no_other() {
    let world = World::start(REFRESH, rules()).await;
    let keeper = Client {
        headers: vec![("authorization", format!("Bearer {SCIM_TOKEN}"))],
        ..Client::default()
    };
    let send = async |body: Value| {
        world.server.post(&keeper, "/scim/v2/Users", body).await.expect(201).json()
    };
    // By the address that the provider vouches for; by its own id of the person.
    let by_address = send(json!({ "userName": "ada.l@example.org", "externalId": "0a" })).await;
    let by_id = send(json!({ "userName": "ben@sso.test", "externalId": "ben" })).await;
    let mut vouched = ada();
    world.peer.put("ada", vouched.clone()).await;
    let (_, client) = world.sign_in("ada").await;
    let me = world.server.get(&client, "/api/v2/users/me").await.expect(200).json();
    assert_eq!((&me["id"], &me["login_type"]), (&by_address["id"], &json!("oidc")));
    vouched["email"] = json!("another@example.org");
    world.peer.put("ben", vouched.clone()).await;
    let (_, client) = world.sign_in("ben").await;
    let me = world.server.get(&client, "/api/v2/users/me").await.expect(200).json();
    assert_eq!(me["id"], by_id["id"]);

    // An address that nobody vouches for gives away nothing.
    send(json!({ "userName": "eve@example.org", "externalId": "0e" })).await;
    vouched["email"] = json!("eve@example.org");
    vouched["email_verified"] = json!(false);
    world.peer.put("mallory", vouched).await;
    let (_, refused) = world.arrive("mallory").await;
    refused.expect(403);

    // Who signed in there before is taken over when the provider sends them; others are not.
    let mut grace = ada();
    grace["email"] = json!("grace@example.org");
    world.peer.put("grace", grace).await;
    let (_, client) = world.sign_in("grace").await;
    let me = world.server.get(&client, "/api/v2/users/me").await.expect(200).json();
    let taken = send(json!({ "userName": "grace@example.org", "active": true })).await;
    assert_eq!(taken["id"], me["id"]);
    let theirs = json!({ "userName": "olga@example.org" });
    let refused = world.server.post(&keeper, "/scim/v2/Users", theirs).await.expect(409).json();
    assert_eq!(refused["scimType"], "uniqueness");
}

#[tokio::test]
async fn the_sign_in_page_and_the_api_tell_which_ways_there_are() {
    let world = World::start(CODE, rules()).await;
    let page = world.server.get(&Client::default(), "/login?next=/templates").await.expect(200);
    assert!(page.text.contains("href=\"/login/oidc/sso?next=%2Ftemplates\""), "{}", page.text);
    assert!(page.text.contains("Continue with Hearth SSO"));
    let path = "/api/v2/users/authmethods";
    let ways = world.server.get(&Client::default(), path).await.expect(200).json();
    assert_eq!(ways["oidc"]["enabled"], true);
    assert_eq!(ways["oidc"]["signInText"], "Continue with Hearth SSO");
    let plain = TestServer::start().await;
    let ways = plain.get(&Client::default(), path).await.expect(200).json();
    assert_eq!(ways["oidc"]["enabled"], false);
    let page = plain.get(&Client::default(), "/login").await.expect(200);
    assert!(!page.text.contains("/login/oidc"));
    plain.get(&Client::default(), "/login/oidc/sso").await.expect(404);
}

/// Enters a session of a person's in their workspace, and waits until it is on record.
async fn live(
    world: &crate::workspaces::World,
    (workspace, agent): (&Value, &Value),
    (user, grant): (&str, Option<IdentityGrantId>),
) -> Arc<Live> {
    let fleet = &world.server.state.fleet;
    let new = NewSession {
        shown: Shown { identity_grant: grant, ..Shown::default() },
        is_recorded: false,
        user_id: user.parse().unwrap(),
        workspace_id: id(workspace).parse().unwrap(),
        agent_id: id(agent).parse().unwrap(),
        kind: SessionKind::Terminal,
        address: "192.0.2.10".to_owned(),
        client: String::new(),
    };
    let live = fleet.begin(fleet.fresh_session(), new);
    assert!(live.recorded().await);
    live
}

/// Someone who came by a provider, in a workspace that runs.
struct AtWork {
    world: crate::workspaces::World,
    peer: Peer,
    client: Client,
    user: String,
    grant: Option<IdentityGrantId>,
    workspace: Value,
    agent: Value,
}

impl AtWork {
    /// `client` signed in at the provider; the workspace is of `owner`.
    async fn begin(world: World, client: Client, owner: Client) -> Self {
        let token = client.token.clone().unwrap();
        let actor = world.server.app.authenticate(&token, "192.0.2.10").await.unwrap().unwrap();
        let olga = world.server.sign_in("olga").await;
        let World { server, peer, .. } = world;
        let (tess, ben, template) = (olga.clone(), client.clone(), Value::Null);
        let mut world = crate::workspaces::World { server, tess, ada: owner, ben, olga, template };
        let version = world.push(None, Ok(crate::workspaces::imported())).await;
        let body = json!({ "name": "kiln", "template_version_id": version["id"] });
        let path = "/api/v2/organizations/default/templates";
        world.template = world.server.post(&world.olga, path, body).await.expect(201).json();
        let workspace = world.adas("kiln").await;
        world.done(crate::workspaces::made("token-a", 1)).await;
        let path = format!("/api/v2/workspaces/{}", id(&workspace));
        let built = world.server.get(&client, &path).await.expect(200).json();
        let agent = built["latest_build"]["resources"][0]["agents"][0].clone();
        let (user, grant) = (actor.user_id().unwrap().to_string(), actor.identity_grant());
        Self { world, peer, client, user, grant, workspace, agent }
    }

    /// A session of theirs that began with a provider's word, or with none.
    async fn live(&self, grant: Option<IdentityGrantId>) -> Arc<Live> {
        live(&self.world, (&self.workspace, &self.agent), (&self.user, grant)).await
    }

    /// Lets the provider be asked again.
    async fn renew_later(&self) {
        self.world.server.clock.advance(Duration::from_mins(6));
        self.world.server.state.providers.renew_pass().await.unwrap();
    }

    /// What they see of the workspace.
    async fn look(&self) -> Reply {
        let path = format!("/api/v2/workspaces/{}", id(&self.workspace));
        self.world.server.get(&self.client, &path).await
    }
}

#[tokio::test]
async fn what_is_open_is_cut_when_its_person_is_removed_at_the_provider() {
    let world = World::start(REFRESH, rules()).await;
    world.peer.put("ada", ada()).await;
    let (_, client) = world.sign_in("ada").await;
    let work = AtWork::begin(world, client.clone(), client).await;
    let by_provider = work.live(work.grant).await;
    // Opened by a key of hers, which no provider has given.
    let by_key = work.live(None).await;
    work.peer.remove("ada").await;
    work.renew_later().await;
    tokio::time::timeout(Duration::from_secs(20), by_provider.cut.cancelled()).await.unwrap();
    assert!(!by_key.cut.is_cancelled());
    work.look().await.expect(401);
}
