//! Rotations: what programs tell of who is on call, and what calendars follow.

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, header};
use ring::hmac;
use serde_json::{Value, json};
use steading::model::time::Timestamp;
use steading::server::app::Actor;

use crate::harness::{Client, Reply};
use crate::rotations::World;

impl World {
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
async fn only_who_went_on_call_is_heard_of() {
    let world = World::new().await;
    let secret = world.secret().await;
    let mut ended = pager("e-1", world.server.clock.now(), "tess@example.org");
    for kind in ["oncall.ended", "incident.triggered"] {
        ended["event"]["event_type"] = json!(kind);
        let said = world.tell(&signed(&secret, &ended), &ended).await.expect(200);
        assert!(said.text.contains("nothing has changed"), "{}", said.text);
        assert_eq!(world.now().await, "ada");
    }
    // It was not the last that was heard either.
    ended["event"].as_object_mut().unwrap().remove("event_type");
    world.tell(&signed(&secret, &ended), &ended).await.expect(200);
    assert_eq!(world.now().await, "tess");
}

#[tokio::test]
async fn who_is_on_call_until_nobody_said_is_so_until_the_shift_ends_or_the_next_begins() {
    let world = World::new().await;
    let (server, secret) = (&world.server, world.secret().await);
    let until = async |event: &str| {
        let notice = pager(event, server.clock.now(), "tess@example.org");
        world.tell(&signed(&secret, &notice), &notice).await.expect(200);
        server.clock.advance(Duration::from_mins(1));
        world.show().await["on_call_until"].as_str().unwrap().to_owned()
    };
    assert_eq!(until("e-1").await, "2026-11-23T09:00:00Z");
    // Nobody has this hour: Ben, who is suspended, does not count either.
    let layer = |who: &str, hours: &str| {
        json!({ "members": [who], "handoff": "00:00",
        "length": "1w", "restrictions": [hours] })
    };
    let night = layer("ada", "daily 20:00-06:00");
    server.patch(&world.olga, &world.path(""), json!({ "layers": [night] })).await.expect(200);
    assert_eq!(until("e-2").await, "2026-11-18T20:00:00Z");
    let both = json!({ "layers": [night, layer("ben", "daily 08:00-18:00")] });
    server.patch(&world.olga, &world.path(""), both).await.expect(200);
    assert_eq!(until("e-3").await, "2026-11-18T18:00:00Z");
    server.app.set_user_status(&Actor::System, "ben", false).await.unwrap();
    assert_eq!(until("e-4").await, "2026-11-18T20:00:00Z");
}

#[tokio::test]
async fn a_right_link_never_waits_for_the_wrong_ones_of_its_network() {
    let world = World::new().await;
    let (server, anyone) = (&world.server, Client::default());
    let ada = server.sign_in("ada").await;
    let made = server.post(&ada, &world.path("/feed"), json!({})).await.expect(201).json();
    let url = made["url"].as_str().unwrap().strip_prefix(crate::harness::URL).unwrap().to_owned();
    // A right one for a rotation that is not there is no guess.
    let other = url.replace(&world.id, "0198f000-0000-7000-8000-000000000000");
    for _ in 0..30 {
        server.get(&anyone, &other).await.expect(404);
    }
    let wrong = url.replace("/calendar/st", "/calendar/st0");
    let mut said = 0;
    for _ in 0..30 {
        said = server.get(&anyone, &wrong).await.status.as_u16();
        if said == 409 {
            break;
        }
    }
    assert_eq!(said, 409);
    server.get(&anyone, &url).await.expect(200);
    server.get(&anyone, &other).await.expect(404);
}
