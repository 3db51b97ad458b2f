//! Settings of a provider that would put out the last owner, or let in the people of another one.

use serde_json::json;
use steading::model::user::SiteRole;
use steading::server::app::Actor;

use super::ada;
use super::editing::{PAGE, empty, least, send, with};
use super::slapd::{BASE, Slapd};
use super::trial::says;
use crate::harness::{Client, TestServer, person};

const LOCKED_OUT: &str = "no owner of this server could sign in any more";

#[tokio::test]
async fn rules_that_could_put_out_the_last_owner_wait_for_another_one() {
    let (world, olga) = empty().await;
    let (server, system) = (&world.server, Actor::System);
    send(server, &olga, "/deployment/add-sign-in/oidc", &least(&world.peer)).await.expect(303);
    world.peer.put("ada", ada()).await;
    let (_, client) = world.sign_in("ada").await;
    server.app.set_user_roles(&system, "ada-lovelace", vec![SiteRole::Owner]).await.unwrap();
    server.app.set_user_status(&system, "olga", false).await.unwrap();
    let path = format!("{PAGE}/sso");
    let narrower = |more: &[(&'static str, &str)]| {
        let kept = with(least(&world.peer), &[("secret", "")]);
        with(kept, more)
    };
    let limits: [&[(&str, &str)]; 4] = [
        &[("groups_field", "groups"), ("allowed_groups", "nobody")],
        &[("email_domain", "example.com")],
        &[("email_field", "mail")],
        &[("client_id", "another")],
    ];
    for limit in limits {
        let page = send(server, &client, &path, &narrower(limit)).await.expect(200).text;
        says(&page, &[LOCKED_OUT, "steading create-admin-user"]);
    }
    // What puts nobody out is hers to change.
    let harmless = [
        ("sign_in_text", "Come in"),
        ("groups_field", "groups"),
        ("group_mapping", "potters-at-sso = potters"),
        ("group_auto_create", "yes"),
    ];
    send(server, &client, &path, &narrower(&harmless)).await.expect(303);
    server.state.providers.renew_pass().await.unwrap();
    server.get(&client, "/api/v2/users/me").await.expect(200);
    // With another owner who has a password it is as she likes.
    server.app.set_user_status(&system, "olga", true).await.unwrap();
    send(server, &client, &path, &narrower(limits[0])).await.expect(303);
    server.state.providers.renew_pass().await.unwrap();
    server.get(&client, "/api/v2/users/me").await.expect(401);
}

/// What is typed for a directory whose people are told apart by their names.
fn directory(slapd: &Slapd) -> Vec<(&'static str, String)> {
    let settings = slapd.settings();
    vec![
        ("url", format!("ldap://127.0.0.1:{}", settings.port)),
        ("base", BASE.to_owned()),
        ("bind_dn", settings.bind_dn.clone()),
        ("secret", settings.bind_password.to_string()),
        ("ca", String::from_utf8(settings.authorities.clone().unwrap()).unwrap()),
        ("start_tls", "yes".to_owned()),
        ("id_attribute", "uid".to_owned()),
        ("allow_signups", "yes".to_owned()),
    ]
}

async fn sign_in(server: &TestServer, password: &str) -> crate::harness::Reply {
    let body = json!({ "email": "lin", "password": password });
    server.post(&Client::default(), "/api/v2/users/login", body).await
}

fn client(reply: crate::harness::Reply) -> Client {
    let token = reply.expect(201).json()["session_token"].as_str().unwrap().to_owned();
    Client { token: Some(token), ..Client::default() }
}

#[tokio::test]
async fn another_directory_s_people_are_not_those_of_the_one_before() {
    let (slapd, other) = (Slapd::start(), Slapd::start());
    let server = TestServer::with(|_| {}, |_| {}).await;
    server.app.create_first_user(person("olga")).await.unwrap();
    let olga = server.sign_in("olga").await;
    let path = format!("{PAGE}/ldap");
    send(&server, &olga, "/deployment/add-sign-in/ldap", &directory(&slapd)).await.expect(303);
    let lin = client(sign_in(&server, "lin's password").await);
    let me = server.get(&lin, "/api/v2/users/me").await.expect(200).json();
    // The last owner who comes by it alone is not put out by another one, nor by who is found in it.
    server.app.set_user_roles(&Actor::System, "lin", vec![SiteRole::Owner]).await.unwrap();
    server.app.set_user_status(&Actor::System, "olga", false).await.unwrap();
    let filter = [("filter", "(&(uid={username})(cn=Nobody))")];
    for fields in [directory(&other), with(directory(&slapd), &filter)] {
        let page = send(&server, &lin, &path, &fields).await.expect(200).text;
        says(&page, &[LOCKED_OUT]);
    }
    server.app.set_user_status(&Actor::System, "olga", true).await.unwrap();
    let olga = server.sign_in("olga").await;

    // Who is called so in the other one is somebody else.
    other.change(
        "ldapmodify",
        &format!(
            "dn: uid=lin,ou=people,{BASE}\nchangetype: modify\nreplace: mail\n\
             mail: other@example.test\n-\nreplace: userPassword\nuserPassword: another\n"
        ),
    );
    send(&server, &olga, &path, &directory(&other)).await.expect(303);
    server.get(&lin, "/api/v2/users/me").await.expect(401);
    let stranger = client(sign_in(&server, "another").await);
    let them = server.get(&stranger, "/api/v2/users/me").await.expect(200).json();
    assert_ne!(them["id"], me["id"]);
    assert_eq!(them["username"], "lin-2");
    // Led back to the first one, Lin is herself again.
    send(&server, &olga, &path, &directory(&slapd)).await.expect(303);
    let again = client(sign_in(&server, "lin's password").await);
    let again = server.get(&again, "/api/v2/users/me").await.expect(200).json();
    assert_eq!(again["id"], me["id"]);
}

#[tokio::test]
async fn who_is_known_from_before_directories_were_told_apart_stays_who_they_are() {
    let slapd = Slapd::start();
    let settings = slapd.settings();
    let server = TestServer::with(|_| {}, |config| config.ldap = Some(settings.clone())).await;
    server.app.create_first_user(person("olga")).await.unwrap();
    let lin = client(sign_in(&server, "lin's password").await);
    let me = server.get(&lin, "/api/v2/users/me").await.expect(200).json();
    let conn = rusqlite::Connection::open(&server.db_path).unwrap();
    assert_eq!(conn.execute("UPDATE identities SET issuer = 'ldap'", []).unwrap(), 1);
    server.clock.advance(std::time::Duration::from_secs(61));
    server.state.providers.renew_pass().await.unwrap();
    server.get(&lin, "/api/v2/users/me").await.expect(200);
    let again = client(sign_in(&server, "lin's password").await);
    assert_eq!(server.get(&again, "/api/v2/users/me").await.expect(200).json()["id"], me["id"]);
    let issuer = "SELECT issuer FROM identities";
    let issuer: String = conn.query_row(issuer, [], |row| row.get(0)).unwrap();
    assert_eq!(issuer, settings.issuer());
}
