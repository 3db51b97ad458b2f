//! How strongly a real provider signs people in: what is asked for, and what counts here.

use serde_json::{Value, json};
use steading::clock::Clock;
use steading::server::app::Actor;
use steading::server::identity::oidc::Settings;

use super::{REFRESH, World, ada, rules};
use crate::harness::Client;

/// Ada, who signs in there in this manner.
fn who_comes(how: Value) -> Value {
    let mut claims = ada();
    claims["how"] = how;
    claims
}

/// Everyone must have a second factor, here or at the provider.
async fn strict(change: impl Fn(&mut Settings)) -> World {
    let world = World::told(REFRESH, rules(), change).await;
    let everyone = vec!["member".to_owned()];
    world.server.app.set_mfa_roles(&Actor::System, &everyone).await.unwrap();
    world
}

/// What a session is told that wants to read who it is.
async fn asked(world: &World, client: &Client) -> Value {
    let reply = world.server.get(client, "/api/v2/users/me").await;
    if reply.status == 200 { Value::Null } else { reply.expect(403).json()["detail"].clone() }
}

#[tokio::test]
async fn a_second_factor_of_the_provider_counts_where_the_settings_say_so() {
    let strong = json!({ "amr": ["pwd", "otp", "mfa"] });
    let world = strict(|settings| settings.trust_amr = true).await;
    world.peer.put("ada", who_comes(strong.clone())).await;
    let (_, client) = world.sign_in("ada").await;
    assert_eq!(asked(&world, &client).await, Value::Null);

    // By the password alone, and by a code to the mailbox or the telephone.
    for weak in [json!(["pwd"]), json!(["pwd", "email"]), json!(["sms"]), json!([])] {
        let mut ben = who_comes(json!({ "amr": weak }));
        (ben["email"], ben["preferred_username"]) = (json!("ben@example.org"), json!("ben"));
        world.peer.put("ben", ben).await;
        let (_, client) = world.sign_in("ben").await;
        assert_eq!(asked(&world, &client).await, "mfa_setup_required", "{weak}");
    }

    // Nobody has said that the provider's word counts.
    let world = strict(|_| {}).await;
    world.peer.put("ada", who_comes(strong)).await;
    let (_, client) = world.sign_in("ada").await;
    assert_eq!(asked(&world, &client).await, "mfa_setup_required");
}

#[tokio::test]
async fn what_userinfo_says_of_a_sign_in_counts_for_nothing() {
    let world = strict(|settings| settings.trust_amr = true).await;
    let mut claims = ada();
    claims["amr"] = json!(["mfa"]);
    claims["acr"] = json!("urn:test:two");
    world.peer.put("ada", claims).await;
    let (_, client) = world.sign_in("ada").await;
    assert_eq!(asked(&world, &client).await, "mfa_setup_required");
}

#[tokio::test]
async fn a_sign_in_must_be_as_strong_as_is_asked_for() {
    let world = World::told(REFRESH, rules(), |settings| {
        settings.acr_values = vec!["urn:test:two".to_owned(), "urn:test:three".to_owned()];
    })
    .await;
    let (sent_to, _) = world.begin().await;
    assert!(sent_to.contains("acr_values=urn%3Atest%3Atwo+urn%3Atest%3Athree"), "{sent_to}");
    for how in [json!({}), json!({ "acr": "urn:test:one" }), json!({ "amr": ["mfa"] })] {
        world.peer.put("ada", who_comes(how)).await;
        let (_, refused) = world.arrive("ada").await;
        assert!(refused.expect(403).text.contains("without what is asked for here"));
    }
    world.peer.put("ada", who_comes(json!({ "acr": "urn:test:two" }))).await;
    let (_, client) = world.sign_in("ada").await;
    world.server.get(&client, "/api/v2/users/me").await.expect(200);
    // Who is known, and comes by less, is on record.
    world.peer.put("ada", who_comes(json!({ "acr": "urn:test:one" }))).await;
    world.arrive("ada").await.1.expect(403);
    let olga = world.server.sign_in("olga").await;
    world.server.app.write_refusals().await.unwrap();
    let log = "/api/v2/audit?q=resource_type:user+action:login&limit=50";
    let log = world.server.get(&olga, log).await.expect(200).text;
    assert!(log.contains("without what is asked for here"), "{log}");
}

#[tokio::test]
async fn a_second_factor_from_long_ago_opens_nothing_dangerous() {
    let world = World::told(REFRESH, rules(), |settings| settings.trust_amr = true).await;
    let now = Clock::machine().now().0;
    // Ada has a second factor here too, so that one is asked for before what is dangerous.
    for (name, since, expected) in [("ada", 60, 201), ("ben", 3600, 403)] {
        let mut claims = who_comes(json!({ "amr": ["hwk"], "ts": now - since }));
        (claims["email"], claims["preferred_username"]) =
            (json!(format!("{name}@example.org")), json!(name));
        world.peer.put(name, claims).await;
        let (_, client) = world.sign_in(name).await;
        give_passkey(&world, name);
        let path = "/api/v2/users/me/keys/tokens";
        let made = world.server.post(&client, path, json!({ "token_name": "ci" })).await;
        assert_eq!(made.status.as_u16(), expected, "{name}: {}", made.text);
    }
}

/// Someone has a passkey: written beside the server, since only a browser makes one.
fn give_passkey(world: &World, name: &str) {
    let conn = rusqlite::Connection::open(&world.server.db_path).unwrap();
    let n = conn.execute(
        "INSERT INTO passkeys (id, user_id, credential_id, public_key, counter, name, created_at)
         SELECT id, id, CAST(id AS BLOB), x'00', 0, 'key', 0 FROM users WHERE username = ?1",
        [name],
    );
    assert_eq!(n, Ok(1));
}
