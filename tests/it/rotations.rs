//! Rotations: who is on call, and who may say so.

use std::time::Duration;

use serde_json::{Value, json};
use steading::model::time::Timestamp;
use steading::server::app::Actor;

use crate::harness::{Client, Reply, TestServer};

const ROTATIONS: &str = "/api/v2/organizations/default/rotations";
const WEEK: u64 = 7 * 24;

/// A server with a rotation of Ada, Ben and Tess. Its clock stands on Wednesday, 18 November 2026,
/// 11:06:40 UTC.
pub struct World {
    pub server: TestServer,
    pub olga: Client,
    pub id: String,
}

pub fn body() -> Value {
    json!({ "name": "on-call", "zone": "Europe/London", "layers": [
        { "members": ["ada", "ben", "tess"], "handoff": "mon 09:00", "length": "1w" } ] })
}

impl World {
    pub async fn new() -> Self {
        let server = TestServer::start().await;
        let olga = server.sign_in("olga").await;
        let made = server.post(&olga, ROTATIONS, body()).await.expect(201).json();
        let id = made["id"].as_str().unwrap().to_owned();
        Self { server, olga, id }
    }

    pub fn path(&self, more: &str) -> String {
        format!("/api/v2/rotations/{}{more}", self.id)
    }

    pub async fn show(&self) -> Value {
        self.server.get(&self.olga, &self.path("")).await.expect(200).json()
    }

    /// Who is on call now, as is told and as rights read it.
    pub async fn now(&self) -> String {
        let id = self.id.parse().unwrap();
        let found = self.server.app.on_call(&Actor::System, id, None).await.unwrap();
        let name = found.map_or_else(|| "nobody".to_owned(), |(user, _)| user.username.to_string());
        assert_eq!(name, self.on_shift());
        name
    }

    /// Who is on shift in the view that rights read.
    pub fn on_shift(&self) -> String {
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
    pub async fn shifts(&self, from: &str, until: &str) -> Vec<String> {
        let path = self.path(&format!("/shifts?from={from}&until={until}"));
        let all = self.server.get(&self.olga, &path).await.expect(200).json();
        let said = |s: &Value| {
            let mark = if s["override"] == true { "!" } else { "" };
            let from = &s["from"].as_str().unwrap()[..16];
            format!("{}{mark} {from}", s["user"]["username"].as_str().unwrap())
        };
        all.as_array().unwrap().iter().map(said).collect()
    }

    pub async fn give(&self, by: &Client, user: &str, from: &str, until: &str) -> Reply {
        let body = json!({ "user": user, "from": from, "until": until, "reason": "travel" });
        self.server.post(by, &self.path("/overrides"), body).await
    }

    /// What the audit log says of the rotation last.
    pub async fn audited(&self) -> Value {
        let path = "/api/v2/audit?q=resource_type:rotation&limit=1";
        let found = self.server.get(&self.olga, path).await.expect(200).json();
        found["audit_logs"][0].clone()
    }
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
    for far in [
        "/oncall?at=9999-12-30T22:00:00Z",
        "/oncall?at=1999-12-31T23:59:59Z",
        "/shifts?from=9999-12-30T21:00:00Z",
        "/shifts?from=2199-12-31T00:00:00Z&until=2200-01-01T00:00:00Z",
    ] {
        world.server.get(&world.olga, &world.path(far)).await.expect(400);
    }
    for far in ["9000000000000000000", "-9000000000000000000", "253402207200"] {
        let page = format!("/rotations/on-call?shift={far}");
        world.server.get(&world.olga, &page).await.expect(400);
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
    // Too much to plan with every change: two layers of an hour each, at other times.
    let hourly = |at: &str| json!({ "members": ["ada"], "handoff": at, "length": "1h" });
    let many = with(&|new| new["layers"] = json!([hourly("09:00"), hourly("09:20")]));
    let said = server.post(&world.olga, ROTATIONS, many.clone()).await.expect(400);
    assert!(said.text.contains("2000"), "{}", said.text);
    server
        .patch(&world.olga, &world.path(""), json!({ "layers": many["layers"] }))
        .await
        .expect(400);
    let one = json!({ "layers": [hourly("09:00")] });
    server.patch(&world.olga, &world.path(""), one).await.expect(200);
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
async fn who_is_taken_out_of_the_layers_keeps_no_override() {
    let world = World::new().await;
    let (server, ada) = (&world.server, world.server.sign_in("ada").await);
    // Nobody secures their own time by an override to themselves.
    let own = ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z");
    let said = world.give(&ada, "ada", own.0, own.1).await.expect(400);
    assert!(said.text.contains("someone else"), "{}", said.text);
    world
        .give(&world.olga, "ada", "2027-02-01T00:00:00Z", "2027-03-01T00:00:00Z")
        .await
        .expect(201);
    world.give(&world.olga, "ada", own.0, own.1).await.expect(201);
    world.give(&world.olga, "tess", own.1, "2026-11-22T00:00:00Z").await.expect(201);
    world
        .give(&world.olga, "urs", "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z")
        .await
        .expect(201);
    let mut less = body();
    less["layers"][0]["members"] = json!(["ben", "tess"]);
    let left = server.patch(&world.olga, &world.path(""), less).await.expect(200).json();
    let users: Vec<&Value> =
        left["overrides"].as_array().unwrap().iter().map(|o| &o["user"]["username"]).collect();
    assert_eq!(users, ["tess", "urs"]);
    let diff = world.audited().await["diff"]["overrides"].to_string();
    assert!(diff.contains("ada from 2027-02-01") && !diff.contains("tess"), "{diff}");
    let all = world.shifts("2026-11-18T12:00:00Z", "2027-03-05T00:00:00Z").await;
    assert!(!all.iter().any(|s| s.starts_with("ada")), "{all:?}");
}

#[tokio::test]
async fn what_someone_else_made_is_not_undone_by_whose_time_it_was() {
    let world = World::new().await;
    let (server, ada) = (&world.server, world.server.sign_in("ada").await);
    let time = ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z");
    let made = world.give(&world.olga, "tess", time.0, time.1).await.expect(201).json();
    let path = world.path(&format!("/overrides/{}", made["id"].as_str().unwrap()));
    server.delete(&ada, &path).await.expect(403);
    let browser = ada.in_browser(&[]);
    let page = server.get(&browser, "/rotations/on-call").await.expect(200).text;
    assert!(!page.contains("/undo"), "{page}");
    let own = ("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z");
    let made = world.give(&ada, "tess", own.0, own.1).await.expect(201).json();
    let page = server.get(&browser, "/rotations/on-call").await.expect(200).text;
    assert_eq!(page.matches("/undo").count(), 1, "{page}");
    let path = world.path(&format!("/overrides/{}", made["id"].as_str().unwrap()));
    server.delete(&ada, &path).await.expect(204);
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
    // Gone from the organization, and so at once from its rotations.
    server.app.remove_member(&Actor::System, "default", "ada").await.unwrap();
    assert_eq!(world.now().await, "tess");
    server.app.remove_member(&Actor::System, "default", "tess").await.unwrap();
    assert_eq!(world.now().await, "nobody");
}

#[tokio::test]
async fn who_comes_back_to_the_organization_is_not_on_call_again() {
    let world = World::new().await;
    let server = &world.server;
    let time = ("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z");
    world.give(&world.olga, "ada", time.0, time.1).await.expect(201);
    let ada = "/api/v2/organizations/default/members/ada";
    assert!(server.delete(&world.olga, ada).await.status.is_success());
    let path = "/api/v2/audit?q=resource_type:organization_member&limit=1";
    let said = server.get(&world.olga, path).await.expect(200).json()["audit_logs"][0].clone();
    assert_eq!(said["diff"]["rotations"]["old"], json!(["on-call"]), "{said}");
    assert!(server.post(&world.olga, ada, json!({})).await.status.is_success());
    while server.app.plan_step().await.unwrap() {}
    assert_eq!(world.now().await, "ben");
    assert_eq!(world.show().await["overrides"], json!([]));
    let all = world.shifts("2026-11-18T12:00:00Z", "2027-03-05T00:00:00Z").await;
    assert!(!all.iter().any(|s| s.starts_with("ada")), "{all:?}");
    // Who is deleted leaves every rotation, with their calendar.
    let ben = server.sign_in("ben").await;
    server.post(&ben, &world.path("/feed"), json!({})).await.expect(201);
    assert!(server.delete(&world.olga, "/api/v2/users/ben").await.status.is_success());
    assert_eq!(world.now().await, "tess");
    let conn = rusqlite::Connection::open(&server.db_path).unwrap();
    let n = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(n("SELECT count(*) FROM calendar_feeds"), 0);
    assert_eq!(n("SELECT count(*) FROM rotation_members WHERE left_at IS NULL"), 1);
}

#[tokio::test]
async fn one_whose_time_zone_is_gone_keeps_no_other_from_being_planned() {
    let world = World::new().await;
    let server = &world.server;
    for name in ["localtime", "posixrules", "factory"] {
        server.patch(&world.olga, &world.path(""), json!({ "zone": name })).await.expect(400);
    }
    let mut other = body();
    other["name"] = json!("other");
    server.post(&world.olga, ROTATIONS, other).await.expect(201);
    let kept = |column: &str, which: &str, value: &str| {
        let conn = rusqlite::Connection::open(&server.db_path).unwrap();
        let sql = format!("UPDATE {column} = ?2 WHERE {which} = ?1");
        assert_eq!(conn.execute(&sql, [&world.id, value]).unwrap(), 1);
    };
    kept("rotations SET zone", "id", "Moon/Base");
    server.clock.advance(Duration::from_hours(90 * 24));
    while server.app.plan_step().await.unwrap() {}
    assert_eq!(world.now().await, "nobody");
    let olga = server.sign_in("olga").await;
    let all = server.get(&olga, ROTATIONS).await.expect(200).json();
    assert_eq!((&all[0]["zone"], &all[0]["on_call"]), (&json!("Moon/Base"), &Value::Null));
    assert!(all[1]["on_call"].is_object(), "{all}");
    // It is shown, and changed; an override holds whatever the clocks.
    let page = server.get(&olga.in_browser(&[]), "/rotations/on-call").await.expect(200).text;
    assert!(page.contains("There is no time zone Moon/Base"), "{page}");
    let now = server.clock.now();
    world
        .give(&olga, "tess", &now.rfc3339(), &now.plus(Duration::from_hours(1)).rfc3339())
        .await
        .expect(201);
    assert_eq!(world.now().await, "tess");
    server.patch(&olga, &world.path(""), json!({ "zone": "UTC" })).await.expect(200);
    server.clock.advance(Duration::from_hours(2));
    assert_ne!(world.now().await, "nobody");
    // Nor does one that cannot be read at all.
    kept("rotation_layers SET handoff", "rotation_id", "late");
    server.clock.advance(Duration::from_hours(90 * 24));
    while server.app.plan_step().await.unwrap() {}
    let olga = server.sign_in("olga").await;
    let path = format!("{ROTATIONS}/other");
    let other = server.get(&olga, &path).await.expect(200).json();
    assert!(other["on_call"].is_object(), "{other}");
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
