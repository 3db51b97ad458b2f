//! Who is told by mail of what, by a real mail server: requests, emergencies, ends and reviews; what is not
//! taken, who wants none, and what is said of settings that do not work.

use std::time::Duration;

use serde_json::{Value, json};
use steading::server::app::mails::Outgoing;
use steading::server::outbox;

use super::World;
use crate::harness::{Client, Reply};
use crate::mail_peer::{MailPeer, PASSWORD, USER};

const PATH: &str = "/api/v2/deployment/mail";

fn settings(port: u16) -> Value {
    json!({
        "server": "127.0.0.1", "port": port, "tls": "none", "user": USER, "password": PASSWORD,
        "from": "Steading <kiln@example.org>", "reply_to": "help@example.org",
    })
}

impl World {
    /// Mails go to a server on this port.
    async fn mails_go_to(&self, port: u16) {
        self.all.server.put(&self.all.olga, PATH, settings(port)).await.expect(200);
    }

    async fn mailing(&self) -> Value {
        self.all.server.get(&self.all.olga, PATH).await.expect(200).json()
    }

    async fn send(&self) {
        outbox::mails_pass(&self.all.server.app).await.unwrap();
    }

    /// What is to be sent now, without a mail server.
    async fn due(&self) -> Vec<Outgoing> {
        self.all.server.app.outgoing_mails().await.unwrap()
    }

    async fn asks(&self, who: &Client, reason: &str) -> String {
        let body = json!({ "workspace": "ada/kiln", "reason": reason, "for": "2h" });
        let made = self.all.server.post(who, "/api/v2/requests", body).await.expect(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    async fn answers(&self, who: &Client, id: &str, verdict: &str) -> Reply {
        let path = format!("/api/v2/requests/{id}/{verdict}");
        self.all.server.post(who, &path, json!({})).await
    }
}

/// To whom mails go, and what they are about.
fn told(mails: &[Outgoing]) -> Vec<(&str, &str)> {
    mails.iter().map(|one| (one.address.as_str(), one.letter.subject.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_answer_is_led_to_the_page_and_who_asked_is_told() {
    let world = World::new().await;
    let (server, ada, ben) = (&world.all.server, &world.all.ada, &world.all.ben);
    let mut peer = MailPeer::start("none", "", "");
    // Nothing is written that nobody would send.
    let early = world.asks(&world.cora, "the glaze").await;
    assert_eq!(world.mailing().await["waiting"], 0);
    world.answers(ada, &early, "deny").await.expect(200);
    world.mails_go_to(peer.port).await;

    let id =
        world.asks(ben, "the disk\r\nBcc: all@example.org is full, see https://evil.test/x").await;
    assert_eq!(world.mailing().await["waiting"], 1);
    world.send().await;
    let mail = peer.next();
    assert_eq!(mail.to(), "ada@example.org");
    assert_eq!(mail.header("Subject"), Some("ben asks for ada/kiln"));
    let from = mail.header("From").unwrap();
    assert!(from.contains("Steading") && from.ends_with("<kiln@example.org>"), "{from}");
    assert_eq!(mail.header("Reply-To"), Some("help@example.org"));
    assert_eq!(mail.header("Bcc"), None, "{}", mail.mail);
    let link = format!("http://127.0.0.1:7080/requests/{id}");
    mail.has(&["text/plain", "text/html", "the disk Bcc: all@example.org is full", &link]);
    assert!(!mail.mail.contains("https://evil.test"), "{}", mail.mail);
    assert_eq!(world.mailing().await["waiting"], 0);

    // The link only opens the page with the buttons; nothing is approved by looking.
    let page = server.get(&ada.in_browser(&[]), &format!("/requests/{id}")).await.expect(200).text;
    assert!(page.contains("value=\"approve\""), "{page}");
    let path = format!("/api/v2/requests/{id}");
    assert_eq!(server.get(ada, &path).await.expect(200).json()["state"], "pending");
    world.answers(ada, &id, "approve").await.expect(200);
    world.send().await;
    let mail = peer.next();
    assert_eq!(
        (mail.to(), mail.header("Subject")),
        ("ben@example.org", Some("Your request for ada/kiln is approved"))
    );

    // Who is named for it is told as well, and who wants no mails is not.
    world.group("potters", &["cora", "dora"]).await;
    let rules = world.path("/request-rules");
    server.put(ada, &rules, json!({ "approvals": 1, "group": "potters" })).await.expect(200);
    let dora = server.sign_in("dora").await.in_browser(&[]);
    assert!(
        server.get(&dora, "/settings/account").await.expect(200).text.contains("Tell me by mail")
    );
    let token = |page: &str| {
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let csrf = token(&server.get(&dora, "/settings/account").await.expect(200).text);
    server.form(&dora, "/settings/mails", &[("csrf", &csrf)]).await.expect(303);
    world
        .all
        .server
        .app
        .create_user(&steading::server::app::Actor::System, crate::harness::person("emmy"))
        .await
        .unwrap();
    let emmy = server.sign_in("emmy").await;
    world.asks(&emmy, "the wheel").await;
    let due = world.due().await;
    let subject = "emmy asks for ada/kiln";
    assert_eq!(told(&due), [("ada@example.org", subject), ("cora@example.org", subject)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_tried_again_and_given_up_with_a_note() {
    let world = World::new().await;
    let server = &world.all.server;
    // Nobody listens there.
    let port = crate::e2e::ports::free();
    world.mails_go_to(port).await;
    world.asks(&world.cora, "the glaze").await;
    for tries in 1..=8 {
        world.send().await;
        let now = world.mailing().await;
        let left = usize::from(tries < 8);
        assert_eq!(
            (&now["waiting"], now["given_up"].as_array().unwrap().len()),
            (&json!(left), 1 - left)
        );
        // Not before its time.
        assert_eq!(world.due().await.len(), 0);
        server.clock.advance(Duration::from_secs(60 << (tries - 1)));
    }
    let lost = world.mailing().await["given_up"][0].clone();
    assert_eq!((&lost["to"], &lost["subject"]), (&json!("ada"), &json!("cora asks for ada/kiln")));
    let why = lost["failure"].as_str().unwrap();
    assert!(why.contains(&format!("127.0.0.1:{port} cannot be reached")), "{why}");
    let olga = server.sign_in("olga").await.in_browser(&[]);
    let page = server.get(&olga, "/deployment/mail").await.expect(200).text;
    assert!(page.contains("cannot be reached") && page.contains("Given up"), "{page}");

    // What is refused for good is not tried again; what is refused for now is.
    let mut peer = MailPeer::start("none", "", "");
    world.mails_go_to(peer.port).await;
    let olga = &world.all.olga;
    for (name, address) in [("fay", "nobody@example.org"), ("gil", "later@example.org")] {
        let body =
            json!({ "username": name, "email": address, "password": crate::harness::PASSWORD });
        server.post(olga, "/api/v2/users", body).await.expect(201);
        let who = server.sign_in(name).await;
        let id = world.asks(&who, "the wheel").await;
        world.send().await;
        assert_eq!(peer.next().to(), "ada@example.org");
        world.answers(&world.all.ada, &id, "deny").await.expect(200);
        world.send().await;
    }
    let now = world.mailing().await;
    assert_eq!(now["waiting"], 1, "{now}");
    let why = now["given_up"][0]["failure"].as_str().unwrap();
    assert!(why.contains("550") && why.contains("no such mailbox"), "{why}");
    server.delete(olga, PATH).await.expect(204);
    server.clock.advance(Duration::from_mins(1));
    assert_eq!(world.due().await.len(), 0, "nobody sends it any more");
    assert_eq!(world.mailing().await["waiting"], 0);
}

#[tokio::test]
async fn the_end_of_access_is_told_once_a_day_before() {
    let world = World::new().await;
    let (server, ada) = (&world.all.server, &world.all.ada);
    world.mails_go_to(9).await;
    let step = || async { while server.app.tell_ends_step().await.unwrap() {} };
    step().await;
    let share = |who: &str, until: &str| json!({ "users": [who], "until": until });
    world.granted(ada, share("ben", "30h")).await;
    world.granted(ada, share("cora", "30h")).await;
    world.granted(ada, json!({ "users": ["cora"] })).await;
    world.granted(ada, share("dora", "2h")).await;
    step().await;
    assert!(world.due().await.is_empty(), "it is far away, or soon and known");
    server.clock.advance(Duration::from_hours(7));
    step().await;
    let due = world.due().await;
    // Cora keeps all of it.
    assert_eq!(told(&due), [("ben@example.org", "Your access to ada/kiln ends")]);
    assert!(due[0].letter.path.starts_with("/requests/new?workspace=ada/kiln"), "{due:?}");
    let ben = world.all.ben.in_browser(&[]);
    server.get(&ben, &due[0].letter.path).await.expect(200);
    step().await;
    assert_eq!(world.due().await.len(), 1, "once");
}

#[tokio::test]
async fn emergencies_and_reviews_are_told_to_who_looks_after_them() {
    let world = World::new().await;
    let (server, olga) = (&world.all.server, &world.all.olga);
    world.mails_go_to(9).await;
    let body = json!({ "workspace": "ada/kiln", "reason": "fire" });
    server.post(olga, "/api/v2/break-glass", body).await.expect(201);
    let due = world.due().await;
    let subject = "olga let themselves into ada/kiln";
    let to: std::collections::BTreeSet<_> = told(&due).into_iter().collect();
    let expected = [("ada@example.org", subject), ("aude@example.org", subject)];
    assert_eq!(to, expected.into_iter().collect());
    server.clock.advance(Duration::from_hours(24 * 120));
    assert!(server.app.remind_of_access_review().await.unwrap());
    let due = world.due().await;
    let subject = "Access should be reviewed";
    assert!(told(&due).contains(&("olga@example.org", subject)), "{due:?}");
    assert!(told(&due).contains(&("aude@example.org", subject)), "{due:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_kept_secret_and_a_test_says_what_is_wrong() {
    let world = World::new().await;
    let (server, olga) = (&world.all.server, &world.all.olga);
    let test = || async { server.post(olga, "/api/v2/deployment/mail/test", json!({})).await };
    test().await.expect(409);
    for (field, value) in [
        ("server", json!("smtp example")),
        ("tls", json!("ssl")),
        ("user", json!("a\nb")),
        ("from", json!("Steading")),
        ("reply_to", json!("a@b\r\nBcc: c@d")),
        ("server", json!("")),
    ] {
        let mut wrong = settings(25);
        wrong[field] = value;
        let refused = server.put(olga, PATH, wrong.clone()).await.expect(400).json();
        assert_eq!(refused["validations"][0]["field"], field, "{wrong}: {refused}");
    }
    let mut clear = settings(25);
    clear["server"] = json!("smtp.example.org");
    let refused = server.put(olga, PATH, clear).await.expect(400).json();
    assert_eq!(refused["validations"][0]["field"], "tls", "{refused}");

    let mut peer = MailPeer::start("none", "", "");
    world.mails_go_to(peer.port).await;
    let shown = server.get(olga, PATH).await.expect(200);
    assert!(!shown.text.contains(PASSWORD), "{}", shown.text);
    assert_eq!(shown.json()["has_password"], true);
    let path = "/api/v2/audit?q=resource_type%3Ahealth_settings&limit=1";
    let log = server.get(olga, path).await.expect(200).text;
    assert!(log.contains("mail_server") && !log.contains(PASSWORD), "{log}");
    // The password is kept, as long as it goes where it went.
    let mut same = settings(peer.port);
    same["password"] = json!("");
    server.put(olga, PATH, same.clone()).await.expect(200);
    let tried = test().await.expect(200).json();
    assert_eq!(tried, json!({ "to": "olga@example.org", "sent": true, "problem": "" }));
    let mail = peer.next();
    assert_eq!(
        (mail.to(), mail.header("Subject")),
        ("olga@example.org", Some("A test of mails from Steading"))
    );
    let mut elsewhere = same.clone();
    elsewhere["server"] = json!("localhost");
    let refused = server.put(olga, PATH, elsewhere).await.expect(400).json();
    assert_eq!(refused["validations"][0]["field"], "password", "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_message_says_the_first_thing_that_is_wrong() {
    let world = World::new().await;
    let (server, olga) = (&world.all.server, &world.all.olga);
    let peer = MailPeer::start("none", "", "");
    let wrong: [(Value, &[&str]); 5] = [
        (json!({ "password": "wrong" }), &["does not let \"steading\" in", "535"]),
        (json!({ "tls": "starttls" }), &["does not offer STARTTLS"]),
        (json!({ "server": "nowhere.invalid", "tls": "tls" }), &["nowhere.invalid was not found"]),
        (json!({ "user": "", "password": "" }), &["mails from kiln@example.org are not taken"]),
        (json!({ "port": crate::e2e::ports::free() }), &["cannot be reached"]),
    ];
    for (change, words) in wrong {
        let mut new = settings(peer.port);
        for (key, value) in change.as_object().unwrap() {
            new[key] = value.clone();
        }
        server.put(olga, PATH, new).await.expect(200);
        let path = "/api/v2/deployment/mail/test";
        let tried = server.post(olga, path, json!({})).await.expect(200).json();
        let problem = tried["problem"].as_str().unwrap();
        for word in words {
            assert!(problem.contains(word), "{change}: {word:?} is missing: {problem}");
        }
        assert!(!problem.contains(PASSWORD), "{problem}");
    }
}
