//! Signing in by the password that a real directory keeps: slapd with `StartTLS`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use steading::model::group_sync::GroupSync;
use steading::model::identity::{AllowedGroups, LinkByEmail, Rules};
use steading::model::sync::RoleSync;
use steading::server::app::Actor;
use steading::server::identity::ldap::Settings;
use steading::server::identity::ldap::filter::Filter;
use steading::server::identity::ldap::settings::{Found, Groups, People, Security};

use super::slapd::{BASE, Slapd, certificates, rules};
use crate::factors::Browser;
use crate::harness::{Client, PASSWORD, Reply, TestServer, person};

async fn server(settings: Settings) -> TestServer {
    let server = TestServer::with(|_| {}, |config| config.ldap = Some(settings.clone())).await;
    server.app.create_first_user(person("olga")).await.unwrap();
    server
}

async fn try_sign_in(server: &TestServer, name: &str, password: &str) -> Reply {
    // Each from a network of its own: it is not the address that is locked here.
    let peer = Some(format!("198.51.{}.7:4711", name.len() % 250).parse().unwrap());
    let client = Client { peer, ..Client::default() };
    let body = json!({ "email": name, "password": password });
    server.post(&client, "/api/v2/users/login", body).await
}

async fn sign_in(server: &TestServer, name: &str, password: &str) -> Client {
    let reply = try_sign_in(server, name, password).await.expect(201);
    let token = reply.json()["session_token"].as_str().unwrap().to_owned();
    Client { token: Some(token), ..Client::default() }
}

async fn groups(server: &TestServer, name: &str) -> Vec<String> {
    let all = server.app.groups(&Actor::System, "default").await.unwrap();
    let of = |g: &steading::server::app::groups::GroupView| {
        g.group.name != "Everyone" && g.members.iter().any(|u| u.username.as_str() == name)
    };
    all.iter().filter(|g| of(g)).map(|g| g.group.name.clone()).collect()
}

async fn check_later(server: &TestServer) {
    server.clock.advance(Duration::from_secs(61));
    server.state.providers.renew_pass().await.unwrap();
}

#[tokio::test]
async fn who_has_a_second_factor_gives_it_after_the_directory_s_password_too() {
    let slapd = Slapd::start();
    let server = server(slapd.settings()).await;
    let browser = Browser::new(&server);
    let fields = [("username", "lin"), ("password", "lin's password")];
    browser.post("/login", &fields).await.expect(303);
    let (_, codes) = browser.set_up_app().await;
    let lin = sign_in(&server, "lin", "lin's password").await;
    let refused = server.get(&lin, "/api/v2/workspaces").await.expect(403).json();
    assert_eq!(refused["detail"], "mfa_required", "{refused:#}");
    let body = json!({ "code": codes[0] });
    let given = server.post(&lin, "/api/v2/users/confirm", body).await.expect(201).json();
    let token = given["session_token"].as_str().unwrap().to_owned();
    let lin = Client { token: Some(token), ..Client::default() };
    server.get(&lin, "/api/v2/workspaces").await.expect(200);

    // A code that comes with the password counts at once.
    let login = async |code: &str| {
        let body = json!({ "email": "lin", "password": "lin's password", "code": code });
        server.post(&Client::default(), "/api/v2/users/login", body).await
    };
    let came = login(&codes[1]).await.expect(201).json();
    let token = came["session_token"].as_str().unwrap().to_owned();
    let lin = Client { token: Some(token), ..Client::default() };
    server.get(&lin, "/api/v2/workspaces").await.expect(200);
    // The right password does not begin the guessing of codes anew.
    for _ in 0..2 {
        assert_eq!(login("000000").await.status, 401);
        sign_in(&server, "lin", "lin's password").await;
    }
    for _ in 0..8 {
        login("000000").await;
    }
    assert_eq!(login(&codes[2]).await.status, 429);
}

#[tokio::test]
async fn an_account_with_a_second_factor_is_asked_for_it_whatever_name_the_directory_has() {
    let slapd = Slapd::start();
    let linking = Rules { link_by_email: LinkByEmail::All, ..rules() };
    let server = server(Settings { rules: Arc::new(linking), ..slapd.settings() }).await;
    server.app.create_user(&Actor::System, person("ada")).await.unwrap();
    // Here she has a password and an app; there she has another name and the same address.
    let person = server.app.user(&Actor::System, "ada").await.unwrap();
    let browser = Browser::new(&server);
    browser.post("/login", &[("username", "ada"), ("password", PASSWORD)]).await.expect(303);
    browser.set_up_app().await;
    slapd.change(
        "ldapmodify",
        &format!(
            "dn: uid=max,ou=people,{BASE}\nchangetype: modify\nreplace: mail\nmail: {}\n",
            person.email
        ),
    );
    let max = sign_in(&server, "max", "max's password").await;
    let refused = server.get(&max, "/api/v2/workspaces").await.expect(403).json();
    assert_eq!(refused["detail"], "mfa_required", "{refused:#}");
}

#[tokio::test]
async fn a_first_factor_needs_a_sign_in_of_just_now_where_the_password_is_not_ours() {
    let slapd = Slapd::start();
    let server = server(slapd.settings()).await;
    let browser = Browser::new(&server);
    let fields = [("username", "lin"), ("password", "lin's password")];
    browser.post("/login", &fields).await.expect(303);
    server.clock.advance(Duration::from_mins(16));
    server.state.providers.renew_pass().await.unwrap();
    let late = browser.post("/settings/security/totp", &[]).await;
    assert!(late.text.contains("ign out and in again"), "{}", late.text);
}

#[tokio::test]
async fn a_person_signs_in_by_the_directory_s_password_and_their_groups_follow() {
    let slapd = Slapd::start();
    let server = server(slapd.settings()).await;
    let lin = sign_in(&server, "lin", "lin's password").await;
    let me = server.get(&lin, "/api/v2/users/me").await.expect(200).json();
    assert_eq!((&me["username"], &me["login_type"]), (&json!("lin"), &json!("ldap")));
    assert_eq!((&me["email"], &me["name"]), (&json!("lin@example.test"), &json!("Lin Chen")));
    assert_eq!(groups(&server, "lin").await, ["glaze", "potters"]);

    // By the page's form, too.
    let fields = [("username", "lin"), ("password", "lin's password"), ("next", "/templates")];
    let reply = server.form(&Client::default(), "/login", &fields).await.expect(303);
    assert_eq!(reply.headers["location"], "/templates");

    // What changes there is here within a minute, without anyone signing in.
    slapd.member("delete", "glaze", "lin");
    check_later(&server).await;
    assert_eq!(groups(&server, "lin").await, ["potters"]);
    let again = server.get(&lin, "/api/v2/users/me").await.expect(200).json();
    assert_eq!(again["id"], me["id"]);

    // A name that is given to someone else there is not the same person here.
    let dn = format!("uid=lin,ou=people,{BASE}");
    slapd.change("ldapmodify", &format!("dn: {dn}\nchangetype: delete\n"));
    slapd.change(
        "ldapadd",
        &format!(
            "dn: {dn}\nobjectClass: inetOrgPerson\nuid: lin\ncn: Another Lin\nsn: Lin\n\
             mail: other@example.test\nuserPassword: another password\n"
        ),
    );
    let other = sign_in(&server, "lin", "another password").await;
    let other = server.get(&other, "/api/v2/users/me").await.expect(200).json();
    assert_eq!(other["username"], "lin-2");
    check_later(&server).await;
    server.get(&lin, "/api/v2/users/me").await.expect(401);
}

#[tokio::test]
async fn nobody_comes_in_by_a_wrong_password_none_or_a_name_that_is_a_filter() {
    let slapd = Slapd::start();
    let server = server(slapd.settings()).await;
    for (name, password) in [
        ("lin", "max's password"),
        ("lin", ""),
        ("li*", "lin's password"),
        ("*", "lin's password"),
        ("lin)(objectClass=*", "lin's password"),
        ("x)(|(uid=lin)", "lin's password"),
        ("\\6cin", "lin's password"),
        ("l\u{ad}in", "lin's password"),
        ("\u{ff4c}in", "lin's password"),
        ("nobody", "lin's password"),
        ("", "lin's password"),
        (&"x".repeat(300), "lin's password"),
        ("reader", "a secret for tests"),
    ] {
        try_sign_in(&server, name, password).await.expect(401);
    }
    sign_in(&server, " LIN ", "lin's password").await;
    // Failures count as those of local passwords do, and the right one has to wait as well.
    for _ in 0..2 {
        try_sign_in(&server, "max", "wrong").await.expect(401);
    }
    try_sign_in(&server, "max", "wrong").await.expect(401);
    let locked = try_sign_in(&server, "max", "max's password").await;
    assert_eq!(locked.status, 429, "{}", locked.text);
}

#[tokio::test]
async fn who_leaves_the_allowed_group_or_the_directory_is_put_out() {
    let slapd = Slapd::start();
    let allowed = AllowedGroups {
        field: "groups".to_owned(),
        names: vec![format!("CN=potters,OU=groups,{BASE}")],
    };
    let named = allowed.names.clone();
    let settings = Settings {
        rules: Arc::new(Rules { allowed: Some(allowed), ..rules() }),
        groups: Groups { named, ..slapd.settings().groups },
        ..slapd.settings()
    };
    let server = server(settings).await;
    let refused = try_sign_in(&server, "max", "max's password").await.expect(403);
    assert!(refused.text.contains("none of the groups"), "{}", refused.text);
    let lin = sign_in(&server, "lin", "lin's password").await;
    slapd.member("add", "potters", "max");
    let max = sign_in(&server, "max", "max's password").await;
    check_later(&server).await;
    for client in [&lin, &max] {
        server.get(client, "/api/v2/users/me").await.expect(200);
    }

    slapd.member("delete", "potters", "lin");
    slapd.change("ldapmodify", &format!("dn: uid=max,ou=people,{BASE}\nchangetype: delete\n"));
    check_later(&server).await;
    for client in [&lin, &max] {
        server.get(client, "/api/v2/users/me").await.expect(401);
    }
    try_sign_in(&server, "max", "max's password").await.expect(401);
}

#[tokio::test]
async fn a_directory_that_is_away_keeps_nobody_else_out() {
    let mut slapd = Slapd::start();
    let server = server(slapd.settings()).await;
    let lin = sign_in(&server, "lin", "lin's password").await;
    slapd.stop();
    for _ in 0..6 {
        let reply = try_sign_in(&server, "lin", "lin's password").await.expect(503);
        assert!(reply.text.contains("does not answer"), "{}", reply.text);
    }
    let page = [("username", "lin"), ("password", "lin's password")];
    let page = server.form(&Client::default(), "/login", &page).await.expect(200);
    assert!(page.text.contains("The directory that knows your password does not answer"));
    sign_in(&server, "olga", PASSWORD).await;
    // Who is signed in stays for a quarter of an hour, and not for ever.
    check_later(&server).await;
    server.get(&lin, "/api/v2/users/me").await.expect(200);
    slapd.again();
    check_later(&server).await;
    server.get(&lin, "/api/v2/users/me").await.expect(200);
    sign_in(&server, "lin", "lin's password").await;
    slapd.stop();
    server.clock.advance(Duration::from_mins(23));
    server.get(&lin, "/api/v2/users/me").await.expect(401);
}

#[tokio::test]
async fn a_directory_that_says_what_it_said_before_makes_nothing_be_written() {
    let slapd = Slapd::start();
    let server = server(slapd.settings()).await;
    let lin = sign_in(&server, "lin", "lin's password").await;
    let max = sign_in(&server, "max", "max's password").await;
    check_later(&server).await;
    let before = server.db.commits();
    for _ in 0..3 {
        check_later(&server).await;
    }
    assert_eq!(server.db.commits(), before);
    for client in [&lin, &max] {
        server.get(client, "/api/v2/users/me").await.expect(200);
    }
    // It was asked all the same: what is new is here at once.
    slapd.member("delete", "glaze", "lin");
    check_later(&server).await;
    assert_eq!(groups(&server, "lin").await, ["potters"]);
    slapd.change("ldapmodify", &format!("dn: uid=max,ou=people,{BASE}\nchangetype: delete\n"));
    check_later(&server).await;
    server.get(&max, "/api/v2/users/me").await.expect(401);
    // A grant that nothing is said of for long is still written down, before it would end.
    for _ in 0..30 {
        check_later(&server).await;
    }
    server.get(&lin, "/api/v2/users/me").await.expect(200);
}

#[tokio::test]
async fn a_directory_that_cannot_prove_itself_is_told_no_password() {
    let slapd = Slapd::start();
    let (stranger, _, _) = certificates();
    let plain = |port| Settings { port, security: Security::Plain, ..slapd.settings() };
    for settings in [
        Settings { authorities: Some(stranger.into_bytes()), ..slapd.settings() },
        // It proves to be 127.0.0.1 and localhost, and nothing else.
        Settings { host: "127.0.0.2".to_owned(), ..slapd.settings() },
        Settings { authorities: None, ..slapd.settings() },
        // It takes no password without TLS; and TLS is not spoken where there is none.
        plain(slapd.port),
        plain(slapd.tls_port),
        Settings { security: Security::Tls, ..slapd.settings() },
        Settings { bind_password: "wrong".to_owned().into(), ..slapd.settings() },
    ] {
        let server = server(settings).await;
        try_sign_in(&server, "lin", "lin's password").await.expect(503);
    }
    let tls = Settings { port: slapd.tls_port, security: Security::Tls, ..slapd.settings() };
    sign_in(&server(tls).await, "lin", "lin's password").await;
}

#[tokio::test]
async fn people_are_found_by_a_template_and_groups_by_a_search() {
    let slapd = Slapd::start();
    let template = format!("uid={{username}},ou=people,{BASE}");
    let by_name = Settings {
        people: People::Named(template, Filter::parse("(!(sn=Max))").unwrap()),
        groups: Groups {
            found: Found::By(Filter::parse("(member={dn})").unwrap(), "cn".to_owned()),
            named: vec![format!("cn=Glaze, ou=groups,{BASE}")],
            ..slapd.settings().groups
        },
        rules: Arc::new(Rules {
            groups: Some(GroupSync {
                mapping: [(format!("cn=Glaze, ou=groups,{BASE}"), vec!["glazing".to_owned()])]
                    .into(),
                only_mapped: false,
                auto_create: true,
                field: "groups".to_owned(),
                filter: Some(regex::Regex::new("^(potters|glazing)$").unwrap()),
            }),
            ..rules()
        }),
        ..slapd.settings()
    };
    let server = server(by_name).await;
    sign_in(&server, "lin", "lin's password").await;
    assert_eq!(groups(&server, "lin").await, ["glazing", "potters"]);
    for name in ["lin,ou=people", "lin+cn=x", "max", "lin\\2cou\\3dpeople", "ou=people"] {
        try_sign_in(&server, name, "max's password").await.expect(401);
        try_sign_in(&server, name, "lin's password").await.expect(401);
    }
}

#[tokio::test]
async fn an_account_is_not_given_to_whom_the_directory_gives_its_address() {
    let slapd = Slapd::start();
    let server = server(slapd.settings()).await;
    let system = Actor::System;
    let mut linda = person("linda");
    linda.email = "lin@example.test".to_owned();
    server.app.create_user(&system, linda).await.unwrap();
    let refused = try_sign_in(&server, "lin", "lin's password").await.expect(403);
    assert!(refused.text.contains("already"), "{}", refused.text);
    // Nor is a name that is known here: its password is ours.
    server.app.create_user(&system, person("max")).await.unwrap();
    try_sign_in(&server, "max", "max's password").await.expect(401);
    sign_in(&server, "max", PASSWORD).await;
}

#[tokio::test]
async fn the_form_is_there_for_the_directory_when_local_passwords_are_off() {
    let slapd = Slapd::start();
    let settings = slapd.settings();
    let server =
        TestServer::with(|p| p.password_auth = false, |c| c.ldap = Some(settings.clone())).await;
    server.app.create_first_user(person("olga")).await.unwrap();
    let ways = server.get(&Client::default(), "/api/v2/users/authmethods").await.expect(200);
    assert_eq!(ways.json()["password"]["enabled"], true);
    let page = server.get(&Client::default(), "/login").await.expect(200);
    assert!(page.text.contains("name=\"password\""), "{}", page.text);
    sign_in(&server, "lin", "lin's password").await;
    server.app.create_user(&Actor::System, person("ben")).await.unwrap();
    try_sign_in(&server, "ben", PASSWORD).await.expect(403);
}

#[tokio::test]
async fn roles_follow_the_groups_of_a_directory() {
    let slapd = Slapd::start();
    let named = format!("CN=potters, ou=groups,{BASE}");
    let mapping = [(named.clone(), "auditor"), ("glaze".to_owned(), "user-admin")];
    let mapping = mapping.map(|(there, here)| (there, vec![here.to_owned()])).into();
    let roles = RoleSync { field: "groups".to_owned(), mapping, default: vec![] };
    let settings = Settings {
        rules: Arc::new(Rules { roles: Some(roles), ..rules() }),
        groups: Groups { named: vec![named], ..slapd.settings().groups },
        ..slapd.settings()
    };
    let server = server(settings).await;
    let max = sign_in(&server, "max", "max's password").await;
    let roles = async || {
        let roles = server.get(&max, "/api/v2/users/me/roles").await.expect(200).json();
        roles["roles"].clone()
    };
    assert_eq!(roles().await, json!(["user-admin"]));
    slapd.member("add", "potters", "max");
    check_later(&server).await;
    assert_eq!(roles().await, json!(["user-admin", "auditor"]));
    slapd.member("delete", "potters", "max");
    check_later(&server).await;
    assert_eq!(roles().await, json!(["user-admin"]));
}
