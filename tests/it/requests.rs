//! Requests for access: asked for, answered, granted for a time; and letting oneself in in an emergency.

mod guards;
mod hooks;
mod on_call;
mod voices;

use std::time::Duration;

use serde_json::{Value, json};
use steading::model::verb::{Verb, Verbs};
use steading::server::app::Actor;
use steading::tasks::{OnPanic, Tasks};

use crate::harness::{Client, Reply, person};
use crate::workspaces::{World as Workspaces, id, made};

const REQUESTS: &str = "/api/v2/requests";

/// Ada's workspace `kiln`, running; Ben, Cora and Dora are members of its organization and see nothing of
/// it.
pub struct World {
    pub all: Workspaces,
    pub kiln: String,
    pub cora: Client,
    pub dora: Client,
}

impl World {
    pub async fn new() -> Self {
        let all = Workspaces::new().await;
        for name in ["cora", "dora"] {
            all.server.app.create_user(&Actor::System, person(name)).await.unwrap();
        }
        let workspace = all.adas("kiln").await;
        all.done(made("token-a", 1)).await;
        let (cora, dora) = (all.server.sign_in("cora").await, all.server.sign_in("dora").await);
        Self { kiln: id(&workspace), cora, dora, all }
    }

    pub async fn ask(&self, by: &Client, body: Value) -> Reply {
        self.all.server.post(by, REQUESTS, body).await
    }

    /// Asks for `use` of Ada's kiln, and gives the request's id.
    pub async fn asked(&self, by: &Client) -> String {
        let body = json!({ "workspace": "ada/kiln", "reason": "the glaze" });
        id(&self.ask(by, body).await.expect(201).json())
    }

    pub async fn answer(&self, by: &Client, request: &str, verdict: &str) -> Reply {
        self.all.server.post(by, &format!("{REQUESTS}/{request}/{verdict}"), json!({})).await
    }

    async fn request(&self, by: &Client, request: &str) -> Reply {
        self.all.server.get(by, &format!("{REQUESTS}/{request}")).await
    }

    async fn to_decide(&self, by: &Client) -> Vec<Value> {
        let path = format!("{REQUESTS}?show=to-decide");
        let found = self.all.server.get(by, &path).await.expect(200).json();
        found.as_array().unwrap().clone()
    }

    async fn sees(&self, who: &Client) -> u16 {
        let path = format!("/api/v2/workspaces/{}", self.kiln);
        self.all.server.get(who, &path).await.status.as_u16()
    }

    async fn grants(&self) -> Vec<Value> {
        let path = format!("/api/v2/workspaces/{}/grants", self.kiln);
        let found = self.all.server.get(&self.all.ada, &path).await.expect(200).json();
        found.as_array().unwrap().clone()
    }

    /// Grants something, and gives the grant's id.
    async fn granted(&self, to: &str, verbs: &str) -> String {
        let path = format!("/api/v2/workspaces/{}/grants", self.kiln);
        let body = json!({ "users": [to], "verbs": verbs.split(',').collect::<Vec<_>>() });
        let made = self.all.server.post(&self.all.ada, &path, body).await.expect(201).json();
        id(&made[0])
    }

    async fn revoked(&self, grant: &str) {
        let path = format!("/api/v2/workspaces/{}/grants/{grant}", self.kiln);
        self.all.server.delete(&self.all.ada, &path).await.expect(204);
    }

    async fn set_rules(&self, by: &Client, body: Value) -> Reply {
        let path = format!("/api/v2/workspaces/{}/request-rules", self.kiln);
        self.all.server.put(by, &path, body).await
    }

    async fn group(&self, name: &str, members: &[&str]) {
        let (server, olga) = (&self.all.server, &self.all.olga);
        let path = "/api/v2/organizations/default/groups";
        let made = server.post(olga, path, json!({ "name": name })).await.expect(201).json();
        let path = format!("/api/v2/groups/{}", id(&made));
        server.patch(olga, &path, json!({ "add_users": members })).await.expect(200);
    }

    async fn rotation(&self, members: &[&str]) {
        let body = json!({ "name": "on-call", "zone": "UTC", "layers": [
            { "members": members, "handoff": "mon 09:00", "length": "1w" } ] });
        let path = "/api/v2/organizations/default/rotations";
        self.all.server.post(&self.all.olga, path, body).await.expect(201);
    }

    fn wait(&self, for_s: u64) {
        self.all.server.clock.advance(Duration::from_secs(for_s));
    }
}

fn said(reply: &Reply) -> String {
    reply.json()["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_member_asks_the_owner_lets_them_in_and_it_ends_by_itself() {
    let world = World::new().await;
    let (ada, ben) = (&world.all.ada, &world.all.ben);
    assert_eq!(world.sees(ben).await, 404);
    let body = json!({ "workspace": "ada/kiln", "verbs": ["connect"], "reason": "the glaze",
        "for": "2h" });
    let asked = world.ask(ben, body).await.expect(201).json();
    assert_eq!((&asked["state"], &asked["workspace"]), (&json!("pending"), &json!("ada/kiln")));
    let request = id(&asked);
    // One who may not answer does not learn of it, nor of the workspace.
    world.request(&world.cora, &request).await.expect(404);
    world.answer(&world.cora, &request, "approve").await.expect(404);
    assert!(world.to_decide(&world.cora).await.is_empty());
    let waiting = world.to_decide(ada).await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["requester"]["username"], "ben");
    assert_eq!(waiting[0]["may_decide"], true);

    let path = format!("{REQUESTS}/{request}/approve");
    let answer = json!({ "note": "be quick", "for": "1h" });
    let approved = world.all.server.post(ada, &path, answer).await.expect(200).json();
    assert_eq!(approved["state"], "approved");
    assert_eq!(world.sees(ben).await, 200);
    let grants = world.grants().await;
    assert_eq!(grants.len(), 1);
    assert_eq!((&grants[0]["via"], &grants[0]["id"]), (&json!("request"), &approved["grant_id"]));
    assert_eq!(grants[0]["granted_by"]["username"], "ada");
    assert_eq!(grants[0]["verbs"], json!(["view", "connect"]));
    let own = world.request(ben, &request).await.expect(200).json();
    assert_eq!(own["answers"][0]["note"], "be quick");
    let decided = world.answer(ada, &request, "deny").await.expect(409);
    assert_eq!(said(&decided), "It is approved already.");

    world.wait(3_599);
    assert_eq!(world.sees(ben).await, 200);
    world.wait(1);
    assert_eq!(world.sees(ben).await, 404);
    assert!(world.grants().await.is_empty());
}

#[tokio::test]
async fn whether_there_is_a_workspace_is_told_to_nobody_who_may_not_know() {
    let world = World::new().await;
    let ben = &world.all.ben;
    let mut answers = vec![];
    for place in ["ada/kiln", "ada/oven", "nobody/kiln"] {
        let body = json!({ "workspace": place, "reason": "to look" });
        let mut made = world.ask(ben, body.clone()).await.expect(201).json();
        let request = id(&made);
        let again = said(&world.ask(ben, body).await.expect(409)).replace(place, "it");
        let mut shown = world.request(ben, &request).await.expect(200).json();
        for one in [&mut made, &mut shown] {
            assert_eq!(
                (&one["workspace_id"], &one["approvals_needed"]),
                (&json!(null), &json!(null))
            );
            assert_eq!(one["workspace"], place);
            one["id"] = json!("");
            one["workspace"] = json!("");
        }
        answers.push((made, shown, again));
    }
    assert!(answers.iter().all(|one| *one == answers[0]), "{answers:#?}");
    // An id is not guessed, and names nothing to who may not see it.
    for place in [world.kiln.as_str(), "01890000-0000-7000-8000-000000000003"] {
        let body = json!({ "workspace": place, "reason": "to look" });
        assert_eq!(
            said(&world.ask(ben, body).await.expect(404)),
            "Workspace not found, or you may not see it."
        );
    }
    // Half an answer is not told either.
    world.set_rules(&world.all.ada, json!({ "approvals": 2 })).await.expect(200);
    let request = id(&world.to_decide(&world.all.ada).await[0]);
    world.answer(&world.all.ada, &request, "approve").await.expect(200);
    let shown = world.request(ben, &request).await.expect(200).json();
    assert_eq!((&shown["state"], &shown["answers"]), (&json!("pending"), &json!([])));
    world.wait(3_600);
    assert_eq!(world.request(ben, &request).await.expect(200).json()["state"], "expired");
}

#[tokio::test]
async fn what_does_not_fit_names_the_field() {
    let world = World::new().await;
    let long = "x".repeat(513);
    for (field, body) in [
        ("workspace", json!({ "workspace": "kiln" })),
        ("verbs", json!({ "verbs": ["fly"] })),
        ("reason", json!({ "reason": "  " })),
        ("reason", json!({ "reason": long })),
        ("for", json!({ "for": "15d" })),
        ("for", json!({ "for": "soon" })),
        ("for", json!({ "for": "1s" })),
        ("wait", json!({ "wait": "2d" })),
        ("from", json!({ "from": "soon" })),
        ("from", json!({ "from": "2027-11-18T00:00:00Z" })),
    ] {
        let mut whole = json!({ "workspace": "ada/kiln", "reason": "the glaze" });
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let refused = world.ask(&world.all.ben, whole).await.expect(400).json();
        assert_eq!(refused["validations"][0]["field"], field, "{body}: {refused}");
    }
    let own = json!({ "workspace": "me/kiln", "reason": "mine" });
    let refused = world.ask(&world.all.ada, own).await.expect(409);
    assert!(said(&refused).contains("may do this already"), "{}", said(&refused));
}

#[tokio::test]
async fn as_many_as_are_named_have_to_say_yes_by_the_right_of_who_named_them() {
    let world = World::new().await;
    let (ada, ben) = (&world.all.ada, &world.all.ben);
    world.group("potters", &["ben", "cora", "dora"]).await;
    let rule = json!({ "approvals": 2, "group": "potters" });
    world.set_rules(ben, rule.clone()).await.expect(404);
    let set = world.set_rules(ada, rule).await.expect(200).json();
    assert_eq!((&set["group"], &set["set_by"]["username"]), (&json!("potters"), &json!("ada")));
    let request = world.asked(ben).await;
    // Never oneself, whatever group one is in.
    assert!(world.to_decide(ben).await.is_empty());
    let refused = world.answer(ben, &request, "approve").await.expect(403);
    assert_eq!(said(&refused), "Nobody answers their own request.");
    assert_eq!(world.to_decide(&world.cora).await.len(), 1);
    let once = world.answer(&world.cora, &request, "approve").await.expect(200).json();
    assert_eq!(once["state"], "pending");
    world.answer(&world.cora, &request, "approve").await.expect(409);
    assert!(world.to_decide(&world.cora).await.is_empty());
    assert_eq!(world.sees(ben).await, 404);
    let twice = world.answer(&world.dora, &request, "approve").await.expect(200).json();
    assert_eq!(twice["state"], "approved");
    assert_eq!(world.sees(ben).await, 200);
    let grants = world.grants().await;
    assert_eq!(grants[0]["granted_by"]["username"], "ada", "it stands on her right");
    // Whom she named gives what she may lend, and neither the sharing nor the end of it.
    world.revoked(grants[0]["id"].as_str().unwrap()).await;
    let body = json!({ "workspace": "ada/kiln", "verbs": ["delete"], "reason": "to clear" });
    let much = id(&world.ask(ben, body).await.expect(201).json());
    world.answer(&world.cora, &much, "approve").await.expect(404);
}

#[tokio::test]
async fn one_no_ends_it() {
    let world = World::new().await;
    let (ada, ben) = (&world.all.ada, &world.all.ben);
    world.group("potters", &["cora", "dora"]).await;
    world.set_rules(ada, json!({ "approvals": 2, "group": "potters" })).await.expect(200);
    let request = world.asked(ben).await;
    world.answer(&world.cora, &request, "approve").await.expect(200);
    let denied = world.answer(&world.dora, &request, "deny").await.expect(200).json();
    assert_eq!(denied["state"], "denied");
    let late = world.answer(ada, &request, "approve").await.expect(409);
    assert_eq!(said(&late), "It is denied already.");
    assert_eq!(world.sees(ben).await, 404);
    // Taken back is taken back, by who asked.
    let request = world.asked(ben).await;
    world.answer(ada, &request, "cancel").await.expect(403);
    world.answer(ben, &request, "cancel").await.expect(200);
    world.answer(ada, &request, "approve").await.expect(409);
}

#[tokio::test]
async fn what_was_not_answered_in_time_is_over_before_anything_writes_it() {
    let world = World::new().await;
    let (ada, ben) = (&world.all.ada, &world.all.ben);
    let request = world.asked(ben).await;
    world.wait(3_600);
    let late = world.answer(ada, &request, "approve").await.expect(409);
    assert_eq!(said(&late), "Its time is over; it can be asked again.");
    assert!(world.to_decide(ada).await.is_empty());
    assert_eq!(world.request(ben, &request).await.expect(200).json()["state"], "expired");
    let written = || async {
        let conn = rusqlite::Connection::open(&world.all.server.db_path).unwrap();
        let sql = "SELECT state FROM requests WHERE id = ?1";
        conn.query_row(sql, [&request], |row| row.get::<_, String>(0)).unwrap()
    };
    assert_eq!(written().await, "pending");
    assert!(!world.all.server.app.expire_requests_step().await.unwrap());
    assert_eq!(written().await, "expired");
    let path = "/api/v2/audit?q=resource_type:access_request&limit=1";
    let log = world.all.server.get(&world.all.olga, path).await.expect(200).json();
    assert_eq!(log["audit_logs"][0]["diff"]["state"]["new"], "expired");
    world.asked(ben).await;
}

#[tokio::test]
async fn nobody_gives_more_than_they_could_share_and_it_ends_with_their_right() {
    let world = World::new().await;
    let (cora, ben) = (&world.cora, &world.all.ben);
    let hers = world.granted("cora", "admin").await;
    let body = json!({ "workspace": "ada/kiln", "verbs": ["execute"], "reason": "a tool" });
    let much = id(&world.ask(ben, body).await.expect(201).json());
    world.answer(cora, &much, "approve").await.expect(404);
    world.answer(ben, &much, "cancel").await.expect(200);
    let body = json!({ "workspace": "ada/kiln", "verbs": ["share"], "reason": "a friend" });
    let share = id(&world.ask(ben, body).await.expect(201).json());
    world.answer(cora, &share, "approve").await.expect(404);
    world.answer(ben, &share, "cancel").await.expect(200);

    let request = world.asked(ben).await;
    world.answer(cora, &request, "approve").await.expect(200);
    assert_eq!(world.sees(ben).await, 200);
    world.revoked(&hers).await;
    assert_eq!(world.sees(ben).await, 404, "what she gave ends with what she had");
}

#[tokio::test]
async fn whose_right_is_gone_does_not_count_when_the_last_one_says_yes() {
    let world = World::new().await;
    let (ada, ben) = (&world.all.ada, &world.all.ben);
    world.set_rules(ada, json!({ "approvals": 2 })).await.expect(200);
    let coras = world.granted("cora", "admin").await;
    world.granted("dora", "admin").await;
    let request = world.asked(ben).await;
    world.answer(&world.cora, &request, "approve").await.expect(200);
    world.revoked(&coras).await;
    let one = world.answer(ada, &request, "approve").await.expect(200).json();
    assert_eq!(one["state"], "pending");
    assert_eq!(world.sees(ben).await, 404);
    let two = world.answer(&world.dora, &request, "approve").await.expect(200).json();
    assert_eq!(two["state"], "approved");
}

#[tokio::test]
async fn who_is_on_call_is_let_in_at_once_until_the_shift_ends() {
    let world = World::new().await;
    let (ada, ben) = (&world.all.ada, &world.all.ben);
    world.rotation(&["ben", "cora"]).await;
    world
        .set_rules(ada, json!({ "on_call": "on-call", "auto_on_call": "on-call" }))
        .await
        .expect(200);
    let body = json!({ "workspace": "ada/kiln", "reason": "the alarm", "for": "14d" });
    let made = world.ask(ben, body.clone()).await.expect(201).json();
    assert_eq!(made["state"], "approved");
    assert_eq!(made["until"], "2026-11-23T09:00:00Z");
    assert_eq!(world.sees(ben).await, 200);
    // Whoever is not asks them.
    let waits = world.ask(&world.dora, body).await.expect(201).json();
    assert_eq!(waits["state"], "pending");
    world.answer(&world.cora, &id(&waits), "approve").await.expect(404);
    world.answer(ben, &id(&waits), "approve").await.expect(200);
    assert_eq!(world.sees(&world.dora).await, 200);
    world.wait(7 * 86_400);
    let ben = world.all.server.sign_in("ben").await;
    assert_eq!(world.sees(&ben).await, 404);
}

#[tokio::test]
async fn a_link_answers_once_and_only_for_who_may() {
    let world = World::new().await;
    let (ada, ben) = (&world.all.ada, &world.all.ben);
    let server = &world.all.server;
    let request = world.asked(ben).await;
    let made = server.post(ben, &format!("{REQUESTS}/{request}/link"), json!({})).await;
    let url = made.expect(201).json()["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("http://127.0.0.1:7080").unwrap().to_owned();
    let led = server.get(&Client::default().in_browser(&[("accept", "text/html")]), &path).await;
    assert!(led.headers["location"].to_str().unwrap().starts_with("/login?next="));
    let page = |who: &Client| {
        who.in_browser(&[("accept", "text/html"), ("sec-fetch-site", "same-origin")])
    };
    assert_eq!(server.get(&page(&world.cora), &path).await.status, 404);
    let shown = server.get(&page(ada), &path).await.expect(200);
    assert!(shown.text.contains("the glaze"), "{}", shown.text);
    assert_eq!(
        world.request(ada, &request).await.json()["state"],
        "pending",
        "looking decides nothing"
    );
    let csrf = field(&shown.text);
    let fields = [("csrf", csrf.as_str()), ("verdict", "approve"), ("note", "")];
    server.form(&page(ada), &path, &fields).await.expect(303);
    assert_eq!(world.request(ada, &request).await.json()["state"], "approved");
    assert_eq!(server.get(&page(ada), &path).await.status, 404, "it leads nowhere now");
}

/// The token of a page's forms.
fn field(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_glass_is_broken_by_few_seen_by_all_and_looked_into_by_another() {
    let world = World::new().await;
    let (ada, ben, server) = (&world.all.ada, &world.all.ben, &world.all.server);
    let take = |who: &Client, reason: &str| {
        let (who, body) = (who.clone(), json!({ "workspace": "ada/kiln", "reason": reason }));
        async move { server.post(&who, "/api/v2/break-glass", body).await }
    };
    take(ben, "the alarm").await.expect(403);
    let roles = "/api/v2/organizations/default/members/roles";
    let role = json!({ "name": "firefighter", "organization_permissions":
        [{ "resource_type": "workspace", "action": "break_glass" }] });
    server.post(&world.all.olga, roles, role).await.expect(200);
    let path = "/api/v2/organizations/default/members/ben/roles";
    server.put(&world.all.olga, path, json!({ "roles": ["firefighter"] })).await.expect(200);
    assert_eq!(take(ben, " ").await.expect(400).json()["validations"][0]["field"], "reason");
    let taken = take(ben, "the alarm").await.expect(201).json();
    take(ben, "once more").await.expect(409);
    assert_eq!(world.sees(ben).await, 200);
    let grants = world.grants().await;
    assert_eq!((&grants[0]["via"], &grants[0]["record"]), (&json!("break_glass"), &json!(true)));
    let (user, kiln) = (id(&server.get(ben, "/api/v2/users/me").await.json()), world.kiln.parse());
    let (user, shown) = (user.parse().unwrap(), steading::model::session::Shown::default());
    let kiln = kiln.unwrap();
    // Whatever else lets them in without it.
    world.granted("ben", "use").await;
    assert!(server.app.demands_recording(user, (kiln, shown)).await.unwrap());

    let review = format!("/api/v2/break-glass/{}/review", id(&taken));
    let note = json!({ "note": "it was the valve" });
    let refused = server.post(ben, &review, note.clone()).await.expect(403);
    assert_eq!(said(&refused), "Someone else looks into it.");
    server.post(&world.cora, &review, note.clone()).await.expect(404);
    for who in [ada, &world.all.olga] {
        let open = server.get(who, "/api/v2/break-glass").await.expect(200).json();
        assert_eq!(
            (&open[0]["reason"], &open[0]["may_review"]),
            (&json!("the alarm"), &json!(true))
        );
    }
    let page = ada.in_browser(&[("accept", "text/html")]);
    for path in ["/@ada/kiln", "/@ada/kiln/sharing", "/requests"] {
        let shown = server.get(&page, path).await.expect(200).text;
        assert!(shown.contains("let themselves in"), "{path}: {shown}");
    }
    server.post(ada, &review, json!({ "note": "" })).await.expect(400);
    let reviewed = server.post(ada, &review, note.clone()).await.expect(200).json();
    assert_eq!(reviewed["note"], "it was the valve");
    server.post(&world.all.olga, &review, note).await.expect(409);
    assert!(!server.get(&page, "/@ada/kiln").await.text.contains("let themselves in"));
    world.revoked(world.grants().await[1]["id"].as_str().unwrap()).await;
    world.wait(3_600);
    assert_eq!(world.sees(ben).await, 404);
}

#[tokio::test]
async fn each_page_that_says_no_carries_the_form() {
    let world = World::new().await;
    let server = &world.all.server;
    let page =
        world.all.ben.in_browser(&[("accept", "text/html"), ("sec-fetch-site", "same-origin")]);
    let forms: Vec<String> = futures_util::future::join_all(
        ["/@ada/kiln", "/@ada/nothing"]
            .map(|path| async { server.get(&page, path).await.expect(404).text }),
    )
    .await;
    for (text, name) in forms.iter().zip(["ada/kiln", "ada/nothing"]) {
        assert!(text.contains("action=\"/requests\"") && text.contains(name), "{text}");
    }
    let fields = [
        ("csrf", &*field(&forms[0])),
        ("workspace", "ada/kiln"),
        ("preset", "use"),
        ("for", "2h"),
        ("reason", "the glaze"),
    ];
    let asked = server.form(&page, "/requests", &fields).await.expect(303);
    let at = asked.headers["location"].to_str().unwrap().to_owned();
    let shown = server.get(&page, &at).await.expect(200).text;
    assert!(shown.contains("Waits") && shown.contains("the glaze"), "{shown}");
    let ada =
        world.all.ada.in_browser(&[("accept", "text/html"), ("sec-fetch-site", "same-origin")]);
    let listed = server.get(&ada, "/requests").await.expect(200).text;
    assert!(listed.contains("ben") && listed.contains("1 to answer"), "{listed}");
    let shown = server.get(&ada, &at).await.expect(200).text;
    let fields = [("csrf", field(&shown)), ("verdict", "approve".into()), ("for", "1h".into())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    server.form(&ada, &format!("{at}/answer"), &fields).await.expect(303);
    let banner = server.get(&page, "/@ada/kiln").await.expect(200).text;
    assert!(banner.contains("Ask for more time"), "{banner}");
    let denied = server.get(&page, "/@ada/kiln/settings").await.expect(403).text;
    assert!(denied.contains("action=\"/requests\""), "{denied}");
}

/// Whoever answers, and whatever is asked, what is granted is what was asked, and the answerer could have
/// shared it.
#[tokio::test]
async fn no_request_widens_anything() {
    let world = World::new().await;
    let (cora, ben, server) = (&world.cora, &world.all.ben, &world.all.server);
    let mut chance: u32 = 0x9e37_79b9;
    let mut bits = || {
        chance ^= chance << 13;
        chance ^= chance >> 17;
        chance ^= chance << 5;
        u8::try_from(chance >> 24).unwrap()
    };
    let words = |verbs: Verbs| verbs.iter().map(Verb::as_str).collect::<Vec<_>>().join(",");
    let (mut granted, mut refused) = (0, 0);
    for _ in 0..60 {
        let hers = Verbs::of_bits(bits() | 1 | (bits() & 64));
        let asked = Verbs::of_bits((bits() & bits()) | 1);
        let grant = world.granted("cora", &words(hers)).await;
        let verbs: Vec<&str> = asked.iter().map(Verb::as_str).collect();
        let body = json!({ "workspace": "ada/kiln", "verbs": verbs, "reason": "chance" });
        let request = id(&world.ask(ben, body).await.expect(201).json());
        let reply = world.answer(cora, &request, "approve").await;
        let may = hers.contains(Verb::Share) && asked.is_within(hers.without(Verb::Share));
        assert_eq!(reply.status.is_success(), may, "{hers:?} {asked:?} {}", reply.text);
        let theirs: Vec<Value> =
            world.grants().await.into_iter().filter(|g| g["via"] == "request").collect();
        if may {
            granted += 1;
            assert_eq!(theirs.len(), 1);
            assert_eq!(theirs[0]["verbs"], json!(verbs));
            world.revoked(theirs[0]["id"].as_str().unwrap()).await;
        } else {
            refused += 1;
            assert!(theirs.is_empty(), "{theirs:?}");
            server.post(ben, &format!("{REQUESTS}/{request}/cancel"), json!({})).await.expect(200);
        }
        world.revoked(&grant).await;
    }
    assert!(granted > 3 && refused > 3, "{granted} {refused}");
}

/// A program that keeps what it is sent, and answers 200.
async fn listener(tasks: &Tasks) -> (String, tokio::sync::mpsc::Receiver<(String, Value)>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?from=steading", listener.local_addr().unwrap());
    let (heard, all) = tokio::sync::mpsc::channel(8);
    tasks.spawn("listener", OnPanic::Lose, async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (mut bytes, mut part) = (vec![], [0; 4096]);
            let body = loop {
                let n = socket.read(&mut part).await.unwrap();
                bytes.extend(&part[..n]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n")
                    && let Ok(body) = serde_json::from_str::<Value>(body)
                {
                    break (head.to_lowercase(), body);
                }
            };
            heard.send(body).await.unwrap();
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    });
    (url, all)
}

#[tokio::test]
async fn a_program_is_told_signed_and_answers_signed_for_people_who_may() {
    let world = World::new().await;
    let (ada, ben, server) = (&world.all.ada, &world.all.ben, &world.all.server);
    let path = "/api/v2/organizations/default/settings/request-hook";
    let tasks = Tasks::new();
    let (url, mut heard) = listener(&tasks).await;
    server.put(ada, path, json!({ "url": url })).await.expect(403);
    let inner = json!({ "url": "ftp://127.0.0.1/" });
    server.put(&world.all.olga, path, inner).await.expect(400);
    let set = server.put(&world.all.olga, path, json!({ "url": url })).await.expect(201).json();
    let secret = set["secret"].as_str().unwrap().to_owned();
    let shown = server.get(&world.all.olga, path).await.expect(200).json();
    assert_eq!((&shown["url"], &shown["secret"]), (&json!(""), &json!("")));
    assert!(url.contains(&format!("//{}/", shown["host"].as_str().unwrap())), "{shown}");

    let request = world.asked(ben).await;
    // Where nothing is, nobody is told of anything.
    let nothing = json!({ "workspace": "ada/nothing", "reason": "the glaze" });
    world.ask(ben, nothing).await.expect(201);
    let dialer = steading::net::dial::Dialer::default();
    steading::server::outbox::pass(&server.app, &dialer).await.unwrap();
    let (head, told) = heard.recv().await.unwrap();
    assert_eq!((&told["event"], &told["requester"]), (&json!("requested"), &json!("ben")));
    assert_eq!(told["url"], format!("http://127.0.0.1:7080/requests/{request}"));
    let sign = |text: &str| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        format!("v1={}", hex::encode(ring::hmac::sign(&key, text.as_bytes())))
    };
    assert!(head.contains(&format!("x-steading-signature: {}", sign(&told.to_string()))), "{head}");
    assert!(head.starts_with("post /hook?from=steading http/1.1"), "{head}");
    assert!(heard.try_recv().is_err());

    let send = |request: String, body: Value, signature: Option<String>| {
        let signature = signature.unwrap_or_else(|| sign(&body.to_string()));
        let who =
            Client { headers: vec![("x-steading-signature", signature)], ..Client::default() };
        async move { server.post(&who, &format!("{REQUESTS}/{request}/webhook"), body).await }
    };
    let answer = |email: &str| json!({ "request": request, "email": email, "verdict": "approve", "note": "by chat" });
    let wrong = Some(format!("v1={}", "0".repeat(64)));
    send(request.clone(), answer("ada@example.org"), wrong).await.expect(401);
    let other = "01890000-0000-7000-8000-000000000003".to_owned();
    send(other, answer("ada@example.org"), None).await.expect(401);
    // Who may not answer and who is not there are told alike.
    for email in ["cora@example.org", "ben@example.org", "nobody@example.org"] {
        let refused = send(request.clone(), answer(email), None).await.expect(403);
        assert_eq!(said(&refused), "Nobody with that address may answer the request.");
    }
    assert_eq!(world.sees(ben).await, 404);
    send(request.clone(), answer("ada@example.org"), None).await.expect(200);
    assert_eq!(world.sees(ben).await, 200);
    send(request.clone(), answer("ada@example.org"), None).await.expect(409);
    steading::server::outbox::pass(&server.app, &dialer).await.unwrap();
    assert_eq!(heard.recv().await.unwrap().1["event"], "approved");
}

#[tokio::test]
async fn what_is_not_taken_is_told_again_and_given_up_at_last() {
    let world = World::new().await;
    let server = &world.all.server;
    let path = "/api/v2/organizations/default/settings/request-hook";
    // Nobody listens there.
    let url = json!({ "url": "http://127.0.0.1:1/" });
    server.put(&world.all.olga, path, url).await.expect(201);
    world.asked(&world.all.ben).await;
    let dialer = steading::net::dial::Dialer::default();
    let mut tries = 0;
    while !server.app.due_notices(9).await.unwrap().is_empty() {
        tries += 1;
        steading::server::outbox::pass(&server.app, &dialer).await.unwrap();
        assert!(server.app.due_notices(9).await.unwrap().is_empty(), "not at once again");
        world.wait(3 * 3_600);
    }
    assert_eq!(tries, 8);
}
