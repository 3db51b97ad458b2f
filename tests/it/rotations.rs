//! Rotations: who is on call, who may say so, and what programs are told and tell.

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, header};
use ring::hmac;
use serde_json::{Value, json};
use steading::model::time::Timestamp;
use steading::server::app::Actor;

use crate::harness::{Client, Reply, TestServer};

const ROTATIONS: &str = "/api/v2/organizations/default/rotations";
const WEEK: u64 = 7 * 24;

/// A server with a rotation of Ada, Ben and Tess. Its clock stands on Wednesday, 18 November 2026,
/// 11:06:40 UTC.
struct World {
    server: TestServer,
    olga: Client,
    id: String,
}

fn body() -> Value {
    json!({ "name": "on-call", "zone": "Europe/London", "layers": [
        { "members": ["ada", "ben", "tess"], "handoff": "mon 09:00", "length": "1w" } ] })
}

impl World {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let olga = server.sign_in("olga").await;
        let made = server.post(&olga, ROTATIONS, body()).await.expect(201).json();
        let id = made["id"].as_str().unwrap().to_owned();
        Self { server, olga, id }
    }

    fn path(&self, more: &str) -> String {
        format!("/api/v2/rotations/{}{more}", self.id)
    }

    async fn show(&self) -> Value {
        self.server.get(&self.olga, &self.path("")).await.expect(200).json()
    }

    /// Who is on call now, as is told and as rights read it.
    async fn now(&self) -> String {
        let id = self.id.parse().unwrap();
        let found = self.server.app.on_call(&Actor::System, id, None).await.unwrap();
        let name = found.map_or_else(|| "nobody".to_owned(), |(user, _)| user.username.to_string());
        assert_eq!(name, self.on_shift());
        name
    }

    /// Who is on shift in the view that rights read.
    fn on_shift(&self) -> String {
        let conn = rusqlite::Connection::open(&self.server.db_path).unwrap();
        let found = conn.query_row(
            "SELECT u.username FROM on_shift s JOIN users u ON u.id = s.user_id
             WHERE s.rotation_id = ?1 AND s.from_at <= ?2 AND s.until_at > ?2",
            (&self.id, self.server.clock.now().0),
            |row| row.get(0),
        );
        found.unwrap_or_else(|_| "nobody".to_owned())
    }

    /// The shifts of a time as `ada 2026-11-18T11:06`.
    async fn shifts(&self, from: &str, until: &str) -> Vec<String> {
        let path = self.path(&format!("/shifts?from={from}&until={until}"));
        let all = self.server.get(&self.olga, &path).await.expect(200).json();
        let said = |s: &Value| {
            let mark = if s["override"] == true { "!" } else { "" };
            let from = &s["from"].as_str().unwrap()[..16];
            format!("{}{mark} {from}", s["user"]["username"].as_str().unwrap())
        };
        all.as_array().unwrap().iter().map(said).collect()
    }

    async fn give(&self, by: &Client, user: &str, from: &str, until: &str) -> Reply {
        let body = json!({ "user": user, "from": from, "until": until, "reason": "travel" });
        self.server.post(by, &self.path("/overrides"), body).await
    }

    async fn secret(&self) -> String {
        let made = self.server.post(&self.olga, &self.path("/webhook-secret"), json!({})).await;
        made.expect(201).json()["secret"].as_str().unwrap().to_owned()
    }

    async fn tell(&self, signature: &str, body: &Value) -> Reply {
        let request = Client::default()
            .request(Method::POST, &self.path("/webhook"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-pagerduty-signature", signature);
        self.server.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// What the audit log says of the rotation last.
    async fn audited(&self) -> Value {
        let path = "/api/v2/audit?q=resource_type:rotation&limit=1";
        let found = self.server.get(&self.olga, path).await.expect(200).json();
        found["audit_logs"][0].clone()
    }
}

fn signed(secret: &str, body: &Value) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("v1={}", hex::encode(hmac::sign(&key, body.to_string().as_bytes())))
}

fn pager(event: &str, at: Timestamp, email: &str) -> Value {
    json!({ "event": { "id": event, "event_type": "oncall.started", "occurred_at": at.rfc3339(),
        "data": { "user": { "email": email } } } })
}

#[tokio::test]
async fn turns_go_round_and_end_what_they_give() {
    let world = World::new().await;
    let made = world.show().await;
    assert_eq!(made["zone"], "Europe/London");
    assert_eq!(made["on_call"]["username"], "ada");
    assert_eq!(made["on_call_until"], "2026-11-23T09:00:00Z");
    assert_eq!(made["next"]["user"]["username"], "ben");
    assert_eq!(world.now().await, "ada");
    for name in ["ben", "tess", "ada"] {
        world.server.clock.advance(Duration::from_hours(WEEK));
        assert_eq!(world.now().await, name);
    }
    // To the second: Monday at nine.
    let nine = Timestamp::parse_rfc3339("2026-12-14T09:00:00Z").unwrap();
    world.server.clock.advance(nine.since(world.server.clock.now()) - Duration::from_secs(1));
    assert_eq!(world.now().await, "ada");
    world.server.clock.advance(Duration::from_secs(1));
    assert_eq!(world.now().await, "ben");
    // Nobody planned further: what is not planned gives nothing, and a pass plans it.
    world.server.clock.advance(Duration::from_hours(60 * 24));
    assert_eq!(world.on_shift(), "nobody");
    while world.server.app.plan_step().await.unwrap() {}
    assert_ne!(world.now().await, "nobody");
}

#[tokio::test]
async fn shifts_are_told_as_they_were_and_as_they_will_be() {
    let world = World::new().await;
    let all = world.shifts("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z").await;
    assert_eq!(all, ["ada 2026-11-18T11:06", "ben 2026-11-23T09:00", "tess 2026-11-30T09:00"]);
    // Beyond what is stored, over the change of the clocks.
    let far = world.shifts("2027-03-22T10:00:00Z", "2027-04-06T00:00:00Z").await;
    assert_eq!(far.len(), 3);
    assert!(far[1].ends_with("2027-03-29T08:00"), "{far:?}");
    // The end of the plan cuts nothing in two.
    let over = world.shifts("2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z").await;
    assert!(over.iter().skip(1).all(|s| s.ends_with("T09:00")), "{over:?}");
    for wrong in ["from=now", "until=2020-01-01T00:00:00Z", "until=2037-01-01T00:00:00Z"] {
        let path = world.path(&format!("/shifts?{wrong}"));
        world.server.get(&world.olga, &path).await.expect(400);
    }
    let path = world.path("/oncall?at=2027-03-29T07:59:59Z");
    let then = world.server.get(&world.olga, &path).await.expect(200).json();
    assert_eq!(then["until"], "2027-03-29T08:00:00Z");
}

#[tokio::test]
async fn who_may_not_change_a_rotation_sees_it_and_no_more() {
    let world = World::new().await;
    let (server, path) = (&world.server, world.path(""));
    let (ada, urs) = (server.sign_in("ada").await, server.sign_in("urs").await);
    server.get(&ada, &path).await.expect(200);
    server.get(&ada, ROTATIONS).await.expect(200);
    server.post(&ada, ROTATIONS, body()).await.expect(403);
    server.patch(&ada, &path, json!({ "name": "mine" })).await.expect(403);
    server.delete(&ada, &path).await.expect(403);
    server.post(&ada, &world.path("/webhook-secret"), json!({})).await.expect(403);
    // Who belongs to another organization does not know of it.
    let other = json!({ "name": "orchard" });
    server.post(&world.olga, "/api/v2/organizations", other).await.expect(201);
    let path_of_ben = "/api/v2/organizations/orchard/members/ben";
    assert!(server.post(&world.olga, path_of_ben, json!({})).await.status.is_success());
    server.app.remove_member(&Actor::System, "default", "ben").await.unwrap();
    let ben = server.sign_in("ben").await;
    server.get(&ben, &path).await.expect(404);
    server.get(&ben, ROTATIONS).await.expect(404);
    world.give(&ben, "ada", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z").await.expect(404);
    // A user admin keeps rotations.
    server.patch(&urs, &path, json!({ "name": "watch" })).await.expect(200);
    server.delete(&urs, &path).await.expect(204);
    server.get(&world.olga, &path).await.expect(404);
    assert_eq!(world.on_shift(), "nobody");
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let world = World::new().await;
    let server = &world.server;
    server.post(&world.olga, ROTATIONS, body()).await.expect(409);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut new = body();
        new["name"] = json!("nights");
        change(&mut new);
        new
    };
    let layer =
        |key: &'static str, value: Value| with(&move |new| new["layers"][0][key] = value.clone());
    for wrong in [
        with(&|new| new["name"] = json!("no name")),
        with(&|new| new["zone"] = json!("Moon/Base")),
        with(&|new| new["layers"] = json!([])),
        layer("members", json!([])),
        layer("members", json!(["nobody"])),
        layer("members", json!(["ada", "ada"])),
        layer("handoff", json!("at nine")),
        layer("length", json!("0d")),
        layer("restrictions", json!(["always"])),
        layer("starts_at", json!("1970-01-02T00:00:00Z")),
    ] {
        let said = server.post(&world.olga, ROTATIONS, wrong.clone()).await;
        assert_eq!(said.status, 400, "{wrong}: {}", said.text);
    }
    for (user, from, until) in [
        ("nobody", "2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z"),
        ("ada", "2026-11-17T00:00:00Z", "2026-11-18T00:00:00Z"),
        ("ada", "2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z"),
        ("ada", "2026-11-20T00:00:00Z", "2027-11-20T00:00:00Z"),
        ("ada", "2036-11-20T00:00:00Z", "2036-11-21T00:00:00Z"),
    ] {
        world.give(&world.olga, user, from, until).await.expect(400);
    }
}

#[tokio::test]
async fn an_override_takes_a_part_of_a_shift_and_is_undone() {
    let world = World::new().await;
    let (from, until) = ("2026-11-25T09:00:00Z", "2026-11-27T09:00:00Z");
    let made = world.give(&world.olga, "tess", from, until).await.expect(201).json();
    let both = ("2026-11-23T09:00:00Z", "2026-11-30T09:00:00Z");
    let all = world.shifts(both.0, both.1).await;
    assert_eq!(all, ["ben 2026-11-23T09:00", "tess! 2026-11-25T09:00", "ben 2026-11-27T09:00"]);
    assert_eq!(world.show().await["overrides"][0]["reason"], "travel");
    let said = world.audited().await;
    assert!(said["diff"]["override"]["new"].as_str().unwrap().starts_with("tess from"), "{said}");
    let path = world.path(&format!("/overrides/{}", made["id"].as_str().unwrap()));
    world.server.delete(&world.olga, &path).await.expect(204);
    assert_eq!(world.shifts(both.0, both.1).await, ["ben 2026-11-23T09:00"]);
    world.server.delete(&world.olga, &path).await.expect(404);
    // One that begins at once: the shift that is under way ends, and goes on after it.
    let made = world.give(&world.olga, "ben", "2026-11-01T00:00:00Z", "2026-11-18T12:00:00Z").await;
    let made = made.expect(201).json();
    assert_eq!(made["from"], "2026-11-18T11:06:40Z");
    assert_eq!(world.now().await, "ben");
    world.server.clock.advance(Duration::from_mins(10));
    let path = world.path(&format!("/overrides/{}", made["id"].as_str().unwrap()));
    world.server.delete(&world.olga, &path).await.expect(204);
    assert_eq!(world.now().await, "ada");
    let was = world.shifts("2026-11-18T11:00:00Z", "2026-11-23T09:00:00Z").await;
    assert_eq!(was, ["ben! 2026-11-18T11:06", "ada 2026-11-18T11:16"]);
}

#[tokio::test]
async fn who_is_on_call_hands_over_their_own_time_and_no_one_elses() {
    let world = World::new().await;
    let (ada, ben) = (world.server.sign_in("ada").await, world.server.sign_in("ben").await);
    let (own, bens) = ("2026-11-20T00:00:00Z", "2026-11-24T00:00:00Z");
    let end = "2026-11-21T00:00:00Z";
    let made = world.give(&ada, "ben", own, end).await.expect(201).json();
    // Not Ben's, not a time that reaches into it, and not to someone outside.
    world.give(&ada, "tess", bens, "2026-11-25T00:00:00Z").await.expect(403);
    world.give(&ada, "tess", "2026-11-22T00:00:00Z", bens).await.expect(403);
    world.give(&ada, "urs", "2026-11-22T00:00:00Z", "2026-11-22T12:00:00Z").await.expect(400);
    // What she gave is not hers any more, but hers to take back; not Ben's, whose turn it is not.
    world.give(&ada, "tess", own, end).await.expect(403);
    let path = world.path(&format!("/overrides/{}", made["id"].as_str().unwrap()));
    world.server.delete(&ben, &path).await.expect(403);
    world.server.delete(&ada, &path).await.expect(204);
    let aude = world.server.sign_in("aude").await;
    world.give(&aude, "ben", own, end).await.expect(403);
}

#[tokio::test]
async fn who_leaves_loses_their_time_and_nobody_else_does() {
    let world = World::new().await;
    let server = &world.server;
    let time = ("2026-11-23T09:00:00Z", "2026-12-21T08:00:00Z");
    let before = world.shifts(time.0, time.1).await;
    assert_eq!(before.len(), 4);
    // Out of the rotation: whoever comes next takes the turn.
    let mut less = body();
    less["layers"][0]["members"] = json!(["ada", "tess"]);
    server.patch(&world.olga, &world.path(""), less).await.expect(200);
    let after = world.shifts(time.0, time.1).await;
    let turns = ["tess 2026-11-23T09:00", "tess 2026-11-30T09:00", "ada 2026-12-07T09:00"];
    assert_eq!(after[..3], turns, "{after:?}");
    // Suspended: at once nobody, and the next one as soon as it was planned anew.
    assert_eq!(world.now().await, "ada");
    server.app.set_user_status(&Actor::System, "ada", false).await.unwrap();
    assert_eq!(world.on_shift(), "nobody");
    while server.app.plan_step().await.unwrap() {}
    assert_eq!(world.now().await, "tess");
    server.app.set_user_status(&Actor::System, "ada", true).await.unwrap();
    server.clock.advance(Duration::from_hours(2));
    while server.app.plan_step().await.unwrap() {}
    assert_eq!(world.now().await, "ada");
    // Gone from the organization.
    server.app.remove_member(&Actor::System, "default", "ada").await.unwrap();
    assert_eq!(world.on_shift(), "nobody");
    while server.app.plan_step().await.unwrap() {}
    assert_eq!(world.now().await, "tess");
    server.app.remove_member(&Actor::System, "default", "tess").await.unwrap();
    while server.app.plan_step().await.unwrap() {}
    assert_eq!(world.now().await, "nobody");
}

#[tokio::test]
async fn a_calendar_follows_by_a_link_that_can_be_made_anew() {
    let world = World::new().await;
    let server = &world.server;
    let ada = server.sign_in("ada").await;
    let anyone = Client::default();
    let link = async |who: &Client| {
        let made = server.post(who, &world.path("/feed"), json!({})).await.expect(201).json();
        let url = made["url"].as_str().unwrap();
        url.strip_prefix(crate::harness::URL).unwrap().to_owned()
    };
    let first = link(&ada).await;
    let feed = server.get(&anyone, &first).await.expect(200);
    assert_eq!(feed.headers[header::CONTENT_TYPE], "text/calendar; charset=utf-8");
    let lines: Vec<&str> = feed.text.split_terminator("\r\n").collect();
    assert_eq!((lines[0], lines[lines.len() - 1]), ("BEGIN:VCALENDAR", "END:VCALENDAR"));
    assert!(lines.iter().all(|line| line.len() <= 75));
    let events = lines.iter().filter(|line| **line == "BEGIN:VEVENT").count();
    assert!(events >= 8 && lines.contains(&"DTSTART:20261123T090000Z"), "{}", feed.text);
    assert!(lines.contains(&"SUMMARY:ben: on-call"), "{}", feed.text);
    // What names a shift stays, whoever takes it.
    let uid = |text: &str| {
        text.replace("\r\n ", "")
            .lines()
            .filter(|l| l.starts_with("UID:"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let uids = uid(&feed.text);
    world
        .give(&world.olga, "tess", "2026-11-23T09:00:00Z", "2026-11-30T09:00:00Z")
        .await
        .expect(201);
    let again = server.get(&anyone, &first).await.expect(200).text;
    assert!(again.contains("SUMMARY:tess: on-call"));
    assert_eq!(uid(&again), uids);
    // A new link ends the old one; so does a suspension.
    let second = link(&ada).await;
    server.get(&anyone, &first).await.expect(404);
    server.get(&anyone, &second).await.expect(200);
    let conn = rusqlite::Connection::open(&server.db_path).unwrap();
    let secret = second.split('/').nth(2).unwrap().split('-').nth(1).unwrap();
    let kept: i64 = conn
        .query_row("SELECT count(*) FROM calendar_feeds WHERE instr(hash, ?1) > 0", [secret], |r| {
            r.get(0)
        })
        .unwrap();
    assert_eq!(kept, 0);
    server.app.set_user_status(&Actor::System, "ada", false).await.unwrap();
    server.get(&anyone, &second).await.expect(404);
    server.app.set_user_status(&Actor::System, "ada", true).await.unwrap();
    // The suspension has ended her session, and the link is hers again.
    let ada = server.sign_in("ada").await;
    server.get(&anyone, &second).await.expect(200);
    server.delete(&ada, "/api/v2/calendar-feed").await.expect(204);
    server.get(&anyone, &second).await.expect(404);
    server.delete(&ada, "/api/v2/calendar-feed").await.expect(404);
}

#[tokio::test]
async fn a_program_that_signs_rightly_says_who_is_on_call() {
    let world = World::new().await;
    let now = world.server.clock.now();
    let notice = pager("e-1", now, "tess@example.org");
    // Before there is a secret, and with a wrong one, nothing is heard.
    world.tell(&signed("x", &notice), &notice).await.expect(401);
    let secret = world.secret().await;
    world.tell(&signed("x", &notice), &notice).await.expect(401);
    world.tell("", &notice).await.expect(401);
    world.tell("v1=zz", &notice).await.expect(401);
    let other = pager("e-1", now, "ben@example.org");
    world.tell(&signed(&secret, &notice), &other).await.expect(401);
    assert_eq!(world.now().await, "ada");
    // One of several signatures is enough: a secret may be changing.
    let both = format!("{},{}", signed("x", &notice), signed(&secret, &notice));
    world.tell(&both, &notice).await.expect(200);
    assert_eq!(world.now().await, "tess");
    let said = world.audited().await;
    assert_eq!(said["diff"]["event"]["new"], "e-1", "{said}");
    assert!(said["user"].is_null() && !said.to_string().contains(&secret), "{said}");
    let shown = world.show().await;
    assert_eq!(shown["overrides"][0]["until"], "2026-11-23T09:00:00Z");
    assert_eq!(
        (&shown["overrides"][0]["made_by"], &shown["has_webhook"]),
        (&Value::Null, &json!(true))
    );
}

#[tokio::test]
async fn what_a_program_said_before_is_heard_once() {
    let world = World::new().await;
    let (server, secret) = (&world.server, world.secret().await);
    let first = pager("e-1", server.clock.now(), "tess@example.org");
    world.tell(&signed(&secret, &first), &first).await.expect(200);
    server.clock.advance(Duration::from_mins(1));
    let second = pager("e-2", server.clock.now(), "ben@example.org");
    world.tell(&signed(&secret, &second), &second).await.expect(200);
    assert_eq!(world.now().await, "ben");
    // The last again is heard before; the one before it is too late.
    let again = world.tell(&signed(&secret, &second), &second).await.expect(200);
    assert!(again.text.contains("nothing has changed"), "{}", again.text);
    world.tell(&signed(&secret, &first), &first).await.expect(409);
    assert_eq!(world.now().await, "ben");
    assert_eq!(world.show().await["overrides"].as_array().unwrap().len(), 1);
    for minutes in [-61_i64, 6] {
        let at = Timestamp(server.clock.now().0 + minutes * 60);
        let late = pager("e-3", at, "tess@example.org");
        world.tell(&signed(&secret, &late), &late).await.expect(400);
    }
    // With a new secret the old one opens nothing, and without any nothing does.
    let new = world.secret().await;
    server.clock.advance(Duration::from_mins(1));
    let third = pager("e-4", server.clock.now(), "tess@example.org");
    world.tell(&signed(&secret, &third), &third).await.expect(401);
    world.tell(&signed(&new, &third), &third).await.expect(200);
    server.delete(&world.olga, &world.path("/webhook-secret")).await.expect(204);
    world.tell(&signed(&new, &third), &third).await.expect(401);
}

#[tokio::test]
async fn opsgenies_form_is_heard_and_who_is_unknown_is_named_in_the_log() {
    let world = World::new().await;
    let (server, secret) = (&world.server, world.secret().await);
    let opsgenie = |event: &str, email: &str| {
        json!({ "requestId": event, "timestamp": server.clock.now().0 * 1000,
            "data": { "onCallRecipients": [email], "end": "2026-11-18T20:00:00Z" } })
    };
    let known = opsgenie("r-1", "ben@example.org");
    world.tell(&signed(&secret, &known), &known).await.expect(200);
    assert_eq!(world.now().await, "ben");
    assert_eq!(world.show().await["on_call_until"], "2026-11-18T20:00:00Z");
    server.clock.advance(Duration::from_mins(1));
    let stranger = opsgenie("r-2", "eve@example.com");
    let said = world.tell(&signed(&secret, &stranger), &stranger).await.expect(400);
    assert!(said.text.contains("eve@example.com"), "{}", said.text);
    assert_eq!(world.now().await, "ben");
    let entry = world.audited().await;
    assert_eq!(entry["status_code"], 400, "{entry}");
    let nothing = json!({ "hello": "there" });
    world.tell(&signed(&secret, &nothing), &nothing).await.expect(400);
    let long = Request::builder().method(Method::POST).uri(world.path("/webhook"));
    let long = long.body(Body::from("x".repeat(65 << 10))).unwrap();
    assert_eq!(server.send(long).await.status, 413);
}

#[tokio::test]
async fn the_pages_do_without_script_what_the_api_does() {
    let world = World::new().await;
    let server = &world.server;
    let olga = world.olga.in_browser(&[("sec-fetch-site", "same-origin")]);
    let page = server.get(&olga, "/rotations/on-call").await.expect(200).text;
    let token = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let send = async |path: &str, fields: &[(&str, &str)]| {
        let all = [&[("csrf", token)], fields].concat();
        server.form(&olga, path, &all).await
    };
    assert!(page.contains("Mon 23 Nov, 09:00") && page.contains("Override"), "{page}");
    assert!(server.get(&olga, "/rotations").await.expect(200).text.contains("on-call"));
    let new = [("name", "nights"), ("zone", "UTC"), ("handoff", "21:00"), ("length", "12h")];
    let made = send("/rotations", &[&new[..], &[("members", "ben, ada")]].concat()).await;
    assert_eq!(made.expect(303).headers["location"], "/rotations/nights");
    let wrong = send("/rotations", &[&new[..], &[("members", "eve")]].concat()).await.expect(200);
    assert!(wrong.text.contains("There is no user"), "{}", wrong.text);
    // A shift is chosen, and given to someone; then taken back.
    let shift = "/rotations/on-call?shift=1795424400";
    let asked = server.get(&olga, shift).await.expect(200).text;
    assert!(asked.contains("value=\"2026-11-23T09:00\""), "{asked}");
    let fields = [("user", "tess"), ("from", "2026-11-23T09:00"), ("until", "2026-11-24T09:00")];
    send("/rotations/on-call/overrides", &fields).await.expect(303);
    let shown = world.show().await;
    assert_eq!(shown["overrides"][0]["user"]["username"], "tess");
    let id = shown["overrides"][0]["id"].as_str().unwrap();
    send("/rotations/on-call/undo", &[("id", id)]).await.expect(303);
    assert_eq!(world.show().await["overrides"], json!([]));
    let late = [("user", "tess"), ("from", "2026-11-01T09:00"), ("until", "2026-11-02T09:00")];
    let late = send("/rotations/on-call/overrides", &late).await.expect(200).text;
    assert!(late.contains("Must lie ahead."), "{late}");
    // Settings, the feed and the webhook.
    let layer = [("members-0", "ada, ben"), ("handoff-0", "tue 10:00"), ("length-0", "2w")];
    let saved = [&[("name", "watch"), ("zone", "Europe/Berlin")][..], &layer].concat();
    send("/rotations/on-call", &saved).await.expect(303);
    assert_eq!(world.show().await["layers"][0]["handoff"], "tue 10:00");
    let feed = send("/rotations/watch/feed", &[]).await.expect(200).text;
    assert!(feed.contains("/calendar/st") && feed.contains(".ics"), "{feed}");
    let hook = send("/rotations/watch/webhook", &[]).await.expect(200).text;
    assert!(hook.contains(&world.path("/webhook")), "{hook}");
    send("/rotations/watch/webhook", &[("remove", "yes")]).await.expect(303);
    assert_eq!(world.show().await["has_webhook"], false);
    send("/rotations/watch/delete", &[("confirm", "watch")]).await.expect(303);
    server.get(&olga, "/rotations/watch").await.expect(404);
    // Who is on call sees their own shifts marked, and gives them away.
    let ben = server.sign_in("ben").await.in_browser(&[("sec-fetch-site", "same-origin")]);
    let page = server.get(&ben, "/rotations/nights").await.expect(200).text;
    assert!(page.contains("<small>you</small>") && !page.contains("Settings</h2>"), "{page}");
}
