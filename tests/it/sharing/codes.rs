//! Share codes: what one gives, to whom, how often, and that it never gives more than its maker has.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use steading::clock::Entropy;
use steading::model::session::Shown;
use steading::model::verb::{Verb, Verbs};
use steading::server::app::Actor;

use super::{World, cut};
use crate::harness::{Client, Reply};

const REDEEM: &str = "/api/v2/codes/redeem";

impl World {
    async fn code(&self, by: &Client, body: Value) -> Reply {
        self.all.server.post(by, &self.path("/codes"), body).await
    }

    /// Makes a code, and gives its id and its text.
    async fn coded(&self, by: &Client, body: Value) -> (String, String) {
        let made = self.code(by, body).await.expect(201).json();
        (made["id"].as_str().unwrap().to_owned(), made["code"].as_str().unwrap().to_owned())
    }

    async fn redeem(&self, who: &Client, code: &str) -> Reply {
        self.all.server.post(who, REDEEM, json!({ "code": code })).await
    }

    async fn revoke_code(&self, by: &Client, id: &str, grants: bool) -> Reply {
        self.all.server.delete(by, &format!("/api/v2/codes/{id}?grants={grants}")).await
    }
}

#[tokio::test]
async fn a_code_gives_what_it_says_once_until_its_end() {
    let world = World::new().await;
    let (server, ada, ben) = (&world.all.server, &world.all.ada, &world.all.ben);
    let body = json!({ "verbs": ["use"], "for": "2h", "until": "1d", "record": true,
        "reason": "the night firing" });
    let made = world.code(ada, body).await.expect(201).json();
    let code = made["code"].as_str().unwrap();
    assert!(code.starts_with("sc_") && code.len() == 35, "{code}");
    assert!(made["url"].as_str().unwrap().ends_with(&format!("/redeem#{code}")), "{made}");
    let listed = world.get(ada, "/codes").await.expect(200);
    assert!(!listed.text.contains(code), "the text is shown again");
    assert_eq!(listed.json()[0]["state"], "open");
    world.get(ben, "/codes").await.expect(404);
    // A look uses nothing up.
    for _ in 0..2 {
        let offered = server.post(ben, "/api/v2/codes/offer", json!({ "code": code })).await;
        let offered = offered.expect(200).json();
        assert_eq!(
            (&offered["workspace"], &offered["made_by"]),
            (&json!("ada/kiln"), &json!("ada"))
        );
    }
    world.get(ben, "").await.expect(404);
    let given = world.redeem(ben, &format!(" {code}\n")).await.expect(201).json();
    assert_eq!((&given["preset"], &given["record"]), (&json!("use"), &json!(true)));
    world.get(ben, "").await.expect(200);
    let grant = world.get(ada, "/grants").await.expect(200).json()[0].clone();
    assert_eq!((&grant["via"], &grant["subject"]["name"]), (&json!("code"), &json!("ben")));
    assert_eq!(grant["granted_by"]["username"], "ada");
    let listed = world.get(ada, "/codes").await.expect(200).json();
    assert_eq!(
        (&listed[0]["uses"], &listed[0]["grants"], &listed[0]["state"]),
        (&json!(1), &json!(1), &json!("used_up"))
    );
    world.redeem(ben, code).await.expect(409);
    world.redeem(&world.cora, code).await.expect(404);
    let path = "/api/v2/audit?q=resource_type%3Aworkspace+action%3Awrite&limit=2";
    let log = server.get(&world.all.olga, path).await.expect(200);
    assert!(
        log.text.contains("by a share code") && log.text.contains("share_code"),
        "{}",
        log.text
    );
    assert!(!log.text.contains(code));
    let live = world.live_as("ben", Shown::default(), true).await;
    server.clock.advance(Duration::from_secs(2 * 3_600));
    cut(&live).await;
    world.get(ben, "").await.expect(404);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_code_sounds_alike_and_guesses_are_counted() {
    let world = World::new().await;
    let (server, ada, ben) = (&world.all.server, &world.all.ada, &world.all.ben);
    let orchard = json!({ "name": "orchard" });
    server.post(&world.all.olga, "/api/v2/organizations", orchard).await.expect(201);
    let (_, used) = world.coded(ada, json!({})).await;
    world.redeem(&world.cora, &used).await.expect(201);
    let (id, revoked) = world.coded(ada, json!({})).await;
    world.revoke_code(ada, &id, false).await.expect(204);
    let (_, expired) = world.coded(ada, json!({ "until": "1m" })).await;
    let (_, open) = world.coded(ada, json!({ "uses": 2 })).await;
    server.clock.advance(Duration::from_secs(60));
    // Of an organization that one is not in.
    server.app.create_user(&Actor::System, crate::harness::person("eve")).await.unwrap();
    let eve = server.sign_in("eve").await;
    let olga = &world.all.olga;
    server.post(olga, "/api/v2/organizations/orchard/members/eve", json!({})).await.expect(200);
    server.delete(olga, "/api/v2/organizations/default/members/eve").await.expect(204);
    let outside = world.redeem(&eve, &open).await.expect(404).text;
    for wrong in [used.as_str(), &revoked, &expired, "sc_", "", &open.to_uppercase()] {
        assert_eq!(world.redeem(ben, wrong).await.expect(404).text, outside);
    }
    for _ in 0..4 {
        world.redeem(ben, "sc_nothing").await.expect(404);
    }
    let waits = world.redeem(ben, &open).await.expect(409).json();
    assert!(waits["message"].as_str().unwrap().contains("try again in 1 min"), "{waits}");
    // Nobody else waits for that.
    let dora = server.sign_in("dora").await;
    world.redeem(&dora, &open).await.expect(201);
    server.clock.advance(Duration::from_secs(61));
    world.redeem(ben, &open).await.expect(201);
}

#[tokio::test]
async fn a_code_ends_with_its_maker_s_right_and_never_lets_share() {
    let world = World::new().await;
    let (server, ada, ben) = (&world.all.server, &world.all.ada, &world.all.ben);
    let own = world.granted(ada, json!({ "users": ["ben"], "verbs": ["admin"] })).await;
    for (verbs, status) in [("admin", 400), ("view,share", 400), ("delete", 400), ("execute", 403)]
    {
        let verbs: Vec<&str> = verbs.split(',').collect();
        world.code(ben, json!({ "verbs": verbs })).await.expect(status);
    }
    let (_, code) = world.coded(ben, json!({ "verbs": ["use"], "uses": 5 })).await;
    world.redeem(&world.cora, &code).await.expect(201);
    world.get(&world.cora, "").await.expect(200);
    let (live, dora) = (world.live("cora", Shown::default()).await, server.sign_in("dora").await);
    // With less than it gives, its maker gives nothing by it; what came by it ends with their right.
    world.end(ada, &own).await.expect(204);
    cut(&live).await;
    world.get(&world.cora, "").await.expect(404);
    world.redeem(&dora, &code).await.expect(404);
    let listed = world.get(ada, "/codes").await.expect(200).json();
    assert_eq!((&listed[0]["holds"], &listed[0]["state"]), (&json!(false), &json!("open")));
    world.granted(ada, json!({ "users": ["ben"], "verbs": ["view,share"] })).await;
    world.redeem(&dora, &code).await.expect(404);
    world.granted(ada, json!({ "users": ["ben"], "verbs": ["admin"] })).await;
    world.redeem(&dora, &code).await.expect(201);
    // Nobody redeems their own, nor who owns it; a mode closes all.
    world.redeem(ben, &code).await.expect(409);
    world.redeem(ada, &code).await.expect(409);
    let path = "/api/v2/organizations/default/settings/workspace-sharing";
    let none = json!({ "shareable_workspace_owners": "none" });
    server.patch(&world.all.olga, path, none).await.expect(200);
    world.redeem(&world.all.olga, &code).await.expect(404);
    world.code(ada, json!({})).await.expect(403);
}

#[tokio::test]
async fn a_code_is_taken_back_with_or_without_what_came_by_it() {
    let world = World::new().await;
    let (ada, ben) = (&world.all.ada, &world.all.ben);
    let (id, code) = world.coded(ada, json!({ "uses": 2 })).await;
    world.redeem(ben, &code).await.expect(201);
    world.granted(ada, json!({ "users": ["cora"], "verbs": ["view,share"] })).await;
    // Not by who could not give it, nor by who knows nothing of it.
    world.revoke_code(&world.cora, &id, false).await.expect(403);
    let dora = world.all.server.sign_in("dora").await;
    world.revoke_code(&dora, &id, false).await.expect(404);
    world.revoke_code(ada, &id, false).await.expect(204);
    world.redeem(&dora, &code).await.expect(404);
    world.get(ben, "").await.expect(200);
    let live = world.live("ben", Shown::default()).await;
    world.revoke_code(ada, &id, true).await.expect(204);
    cut(&live).await;
    world.get(ben, "").await.expect(404);
    world.get(&world.cora, "").await.expect(200);
    for (field, body) in [
        ("verbs", json!({ "verbs": ["fly"] })),
        ("for", json!({ "for": "soon" })),
        ("for", json!({ "for": "31d" })),
        ("until", json!({ "until": "31d" })),
        ("until", json!({ "until": "1s" })),
        ("until", json!({ "until": "2020-01-01T00:00:00Z" })),
        ("uses", json!({ "uses": 101 })),
        ("uses", json!({ "uses": -1 })),
        ("reason", json!({ "reason": "x".repeat(513) })),
    ] {
        let refused = world.code(ada, body.clone()).await.expect(400).json();
        assert_eq!(refused["validations"][0]["field"], field, "{body}: {refused}");
    }
}

#[tokio::test]
async fn each_redeems_a_code_once_whatever_becomes_of_what_it_gave() {
    let world = World::new().await;
    let (server, ada, ben, olga) =
        (&world.all.server, &world.all.ada, &world.all.ben, &world.all.olga);
    let (_, code) = world.coded(ada, json!({ "uses": 10, "for": "2h", "until": "1d" })).await;
    let dora = server.sign_in("dora").await;
    // Taken off.
    let given = world.redeem(ben, &code).await.expect(201).json();
    world.end(ada, given["grant_id"].as_str().unwrap()).await.expect(204);
    // Left by herself.
    world.redeem(&dora, &code).await.expect(201);
    server.post(&dora, &world.path("/leave"), json!({})).await.expect(204);
    // Over.
    world.redeem(&world.cora, &code).await.expect(201);
    server.clock.advance(Duration::from_secs(2 * 3_600));
    for who in [ben, &dora, &world.cora] {
        let refused = world.redeem(who, &code).await.expect(409).json();
        assert!(refused["message"].as_str().unwrap().contains("redeemed this"), "{refused}");
        world.get(who, "").await.expect(404);
    }
    // Out of the organization and back.
    let place = "/api/v2/organizations/default/members/ben";
    server.delete(olga, place).await.expect(204);
    server.post(olga, place, json!({})).await.expect(200);
    world.redeem(ben, &code).await.expect(409);
    let listed = world.get(ada, "/codes").await.expect(200).json();
    assert_eq!((&listed[0]["uses"], &listed[0]["grants"]), (&json!(3), &json!(0)));
}

#[tokio::test]
async fn a_service_account_redeems_none_and_who_takes_all_back_takes_codes_back() {
    let world = World::new().await;
    let (server, ada, ben) = (&world.all.server, &world.all.ada, &world.all.ben);
    let (_, code) = world.coded(ada, json!({ "uses": 10 })).await;
    let body = json!({ "username": "nightly", "service_account": true, "responsible": "cora" });
    server.post(&world.all.olga, "/api/v2/users", body).await.expect(201);
    let path = "/api/v2/users/nightly/keys/tokens";
    let key = server.post(&world.all.olga, path, json!({})).await.expect(201).json();
    let token = key["key"].as_str().unwrap().to_owned();
    let nightly = Client { token: Some(token), ..Client::default() };
    let refused = world.redeem(&nightly, &code).await.expect(403).json();
    assert!(refused["message"].as_str().unwrap().contains("service account"), "{refused}");
    // Who shares takes back what they could give.
    world.granted(ada, json!({ "users": ["dora"], "verbs": ["view,share"] })).await;
    let dora = server.sign_in("dora").await;
    server.delete(&dora, &world.path("/acl")).await.expect(204);
    world.redeem(ben, &code).await.expect(201);
    server.delete(ada, &world.path("/acl")).await.expect(204);
    world.get(ben, "").await.expect(404);
    world.redeem(&world.cora, &code).await.expect(404);
    let listed = world.get(ada, "/codes").await.expect(200).json();
    assert_eq!(listed[0]["state"], "revoked");
}

#[tokio::test]
async fn only_open_codes_are_counted_and_each_maker_s_by_themselves() {
    let world = World::new().await;
    let (ada, ben) = (&world.all.ada, &world.all.ben);
    let mut last = String::new();
    for _ in 0..50 {
        last = world.coded(ada, json!({})).await.0;
    }
    world.code(ada, json!({})).await.expect(409);
    // Others make theirs.
    world.granted(ada, json!({ "users": ["ben"], "verbs": ["admin"] })).await;
    world.coded(ben, json!({})).await;
    world.revoke_code(ada, &last, false).await.expect(204);
    let (_, used) = world.coded(ada, json!({})).await;
    world.code(ada, json!({})).await.expect(409);
    world.redeem(&world.cora, &used).await.expect(201);
    world.coded(ada, json!({ "until": "1m" })).await;
    world.code(ada, json!({})).await.expect(409);
    world.all.server.clock.advance(Duration::from_secs(61));
    world.coded(ada, json!({})).await;
    world.code(ada, json!({})).await.expect(409);
}

#[tokio::test]
async fn as_many_redeem_it_at_once_as_it_says() {
    let world = World::new().await;
    let server = &world.all.server;
    let (_, code) = world.coded(&world.all.ada, json!({ "uses": 3 })).await;
    let mut people = vec![];
    for n in 0..8 {
        let name = format!("guest-{n}");
        server.app.create_user(&Actor::System, crate::harness::person(&name)).await.unwrap();
        people.push(server.sign_in(&name).await);
    }
    let asked = people.iter().map(|who| world.redeem(who, &code));
    let replies = futures_util::future::join_all(asked).await;
    let n = |status: StatusCode| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((n(StatusCode::CREATED), n(StatusCode::NOT_FOUND)), (3, 5));
    let listed = world.get(&world.all.ada, "/codes").await.expect(200).json();
    assert_eq!((&listed[0]["uses"], &listed[0]["grants"]), (&json!(3), &json!(3)));
}

/// Whatever a maker had when they made a code and has when it is redeemed: who redeems it has a part of
/// what the maker has now, and never the sharing.
#[tokio::test]
async fn verbs_never_widen_through_a_code() {
    let world = World::new().await;
    let (ada, ben, chance) = (&world.all.ada, &world.all.ben, Entropy::seeded(47));
    let drawn = || Verbs::of_bits(chance.bytes::<1>()[0]);
    let words = |verbs: Verbs| verbs.iter().map(|verb| verb.to_string()).collect::<Vec<_>>();
    let (view, share) = (Verbs::parse("view").unwrap(), Verbs::parse("view,share").unwrap());
    let held = |reply: Reply| -> Verbs {
        let reasons = reply.expect(200).json();
        let open = reasons.as_array().unwrap().iter().filter(|reason| reason["closed"] == "");
        let words = open.flat_map(|reason| reason["verbs"].as_array().unwrap());
        words.map(|word| Verb::from_word(word.as_str().unwrap()).unwrap()).collect()
    };
    let mut redeemed = 0;
    for _ in 0..40 {
        let asked = drawn().without(Verb::Share).without(Verb::Delete).and(view);
        let had = if chance.bytes::<1>()[0] < 200 { asked.and(share) } else { view };
        let body = json!({ "users": ["ben"], "verbs": words(had.and(drawn())) });
        let before = world.granted(ada, body).await;
        let made = world.code(ben, json!({ "verbs": words(asked) })).await;
        world.end(ada, &before).await.expect(204);
        if made.status != StatusCode::CREATED {
            continue;
        }
        let code = made.json()["code"].as_str().unwrap().to_owned();
        let kept = if chance.bytes::<1>()[0] < 128 { asked.and(share) } else { view };
        let now = kept.and(drawn());
        let body = json!({ "users": ["ben"], "verbs": words(now) });
        let after = world.granted(ada, body).await;
        let is_given = world.redeem(&world.cora, &code).await.status == StatusCode::CREATED;
        let has = held(world.get(&world.all.olga, "/access/cora").await);
        assert_eq!(has, if is_given { asked } else { Verbs::default() });
        assert!(!is_given || now.contains(Verb::Share), "{now}");
        assert!(has.is_within(now.without(Verb::Share).without(Verb::Delete)), "{has} of {now}");
        redeemed += usize::from(is_given);
        world.end(ada, &after).await.expect(204);
        world.get(&world.cora, "").await.expect(404);
        // Codes that gave nothing are counted as guesses.
        world.all.server.clock.advance(Duration::from_secs(16 * 60));
    }
    assert!(redeemed > 5, "only {redeemed} were redeemed");
}

#[tokio::test]
async fn the_page_takes_a_code_before_and_after_signing_in() {
    let world = World::new().await;
    let (server, ada, ben) = (&world.all.server, &world.all.ada, &world.all.ben);
    let codes = "/@ada/kiln/sharing/codes";
    let form = [("preset", "use"), ("for", "2h"), ("until", "1d"), ("uses", "1")];
    let made = server.form(ada, codes, &form).await.expect(200).text;
    let code = made.split("/redeem#").nth(1).unwrap().split('<').next().unwrap();
    assert!(!server.get(ada, codes).await.expect(200).text.contains(code));
    let wrong = server.form(ada, codes, &[("preset", "custom"), ("uses", "1")]).await.expect(200);
    assert!(wrong.text.contains("mark at least one"), "{}", wrong.text);
    // Who is not signed in sends it first, and has it kept.
    let headers = vec![("sec-fetch-site", "same-origin".to_owned())];
    let nobody = Client { headers, ..Client::default() };
    let page = server.get(&nobody, "/redeem").await.expect(200).text;
    assert!(page.contains("data-fragment=\"sc_\"") && page.contains("You sign in next"), "{page}");
    let asked = server.form(&nobody, "/redeem", &[("share_code", code)]).await.expect(200).text;
    assert!(asked.contains("password") && asked.contains(code), "{asked}");
    let page = server.form(ben, "/redeem", &[("share_code", code)]).await.expect(200).text;
    assert!(page.contains("ada/kiln"), "{page}");
    world.get(ben, "").await.expect(404);
    let fields = [("share_code", code), ("take", "yes")];
    let taken = server.form(ben, "/redeem", &fields).await.expect(303);
    assert_eq!(taken.headers["location"], "/@ada/kiln");
    world.get(ben, "").await.expect(200);
    let refused = server.form(&world.cora, "/redeem", &fields).await.expect(200).text;
    assert!(refused.contains("none that you could redeem") && !refused.contains(code), "{refused}");
    let id = world.get(ada, "/codes").await.json()[0]["id"].clone();
    let path = format!("{codes}/{}/revoke", id.as_str().unwrap());
    server.form(ada, &path, &[("grants", "yes")]).await.expect(303);
    world.get(ben, "").await.expect(404);
}
