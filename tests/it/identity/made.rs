//! Accounts that are made for a provider before anyone comes by it, at a real one.

use serde_json::{Value, json};
use steading::model::identity::LinkByEmail;
use steading::model::user::LoginType;
use steading::server::app::users::CreateUser;
use steading::server::app::{Actor, Error};

use super::{REFRESH, World, ada, rules};
use crate::harness::{Client, PASSWORD};

/// Who has Ada's address at the provider, vouched for or not.
fn with_address(email: &str, verified: bool) -> Value {
    let mut claims = ada();
    (claims["email"], claims["email_verified"]) = (json!(email), json!(verified));
    claims
}

#[tokio::test]
async fn who_was_made_for_a_provider_comes_by_it_and_by_nothing_else() {
    let world = World::start(REFRESH, rules()).await;
    let olga = world.server.sign_in("olga").await;
    let made = json!({ "username": "ada", "email": "ada@example.org", "login_type": "oidc" });
    let made = world.server.post(&olga, "/api/v2/users", made).await.expect(201).json();
    assert_eq!((&made["login_type"], &made["status"]), (&json!("oidc"), &json!("dormant")));

    // There is no password to guess, not even none.
    for password in ["", PASSWORD] {
        let login = json!({ "email": "ada", "password": password });
        world.server.post(&Client::default(), "/api/v2/users/login", login).await.expect(401);
    }
    // Who says the address is theirs, and nobody vouches for it, is nobody.
    world.peer.put("eve", with_address("ada@example.org", false)).await;
    world.arrive("eve").await.1.expect(403);

    world.peer.put("ada", with_address("Ada@example.org", true)).await;
    let (_, client) = world.sign_in("ada").await;
    let me = world.server.get(&client, "/api/v2/users/me").await.expect(200).json();
    assert_eq!((&me["id"], &me["status"]), (&made["id"], &json!("active")));
    assert_eq!(world.groups("ada").await, ["glaze", "potters"]);

    // The address goes to someone else there: the account stays hers.
    world.peer.put("eve", with_address("ada@example.org", true)).await;
    let (_, refused) = world.arrive("eve").await;
    assert!(refused.expect(403).text.contains("already"));
}

#[tokio::test]
async fn an_account_made_for_one_way_in_is_opened_by_no_other() {
    let mut open = rules();
    open.link_by_email = LinkByEmail::All;
    let world = World::start(REFRESH, open).await;
    let system = Actor::System;
    let app = &world.server.app;
    let wanted = |name: &str, login_type| CreateUser {
        username: name.to_owned(),
        email: format!("{name}@example.org"),
        login_type: Some(login_type),
        ..CreateUser::default()
    };
    // Nothing that could sign them in is set up.
    for by in [LoginType::Github, LoginType::Ldap] {
        let refused = app.create_user(&system, wanted("ben", by)).await.unwrap_err();
        assert!(matches!(&refused, Error::Invalid { field, .. } if field == "login_type"));
    }
    // It was, when the account was made.
    app.set_rules("ldap", Some(std::sync::Arc::new(rules())));
    app.create_user(&system, wanted("ben", LoginType::Ldap)).await.unwrap();
    world.peer.put("ben", with_address("ben@example.org", true)).await;
    let (_, refused) = world.arrive("ben").await;
    assert!(refused.expect(403).text.contains("already"), "the directory's account was taken over");

    // Whom nobody would ever link is not made.
    let mut none = rules();
    none.link_by_email = LinkByEmail::None;
    app.set_rules("sso", Some(std::sync::Arc::new(none)));
    let refused = app.create_user(&system, wanted("cy", LoginType::Oidc)).await.unwrap_err();
    assert!(refused.to_string().contains("link_by_email"), "{refused}");
}
