//! People, sessions, tokens and keys over HTTP.

use serde_json::json;

use crate::harness::{Client, PASSWORD, TestServer};

#[tokio::test]
async fn of_two_first_users_one_wins_and_owns_the_place() {
    let server = TestServer::empty().await;
    let anyone = Client::default();
    server.get(&anyone, "/api/v2/users/first").await.expect(404);
    let body = |name: &str| json!({"username": name, "email": format!("{name}@x.org"), "password": PASSWORD});
    let (a, b) = tokio::join!(
        server.post(&anyone, "/api/v2/users/first", body("olga")),
        server.post(&anyone, "/api/v2/users/first", body("eve")),
    );
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    server.get(&anyone, "/api/v2/users/first").await.expect(200);
    let winner = if a.status == 201 { "olga" } else { "eve" };
    let owner = server.sign_in(winner).await;
    let me = server.get(&owner, "/api/v2/users/me").await.expect(200).json();
    assert_eq!(me["roles"][0]["name"], "owner");
    assert_eq!(me["organization_ids"].as_array().unwrap().len(), 1);
    assert_eq!(me["status"], "active");
}

#[tokio::test]
async fn what_does_not_fit_names_the_field() {
    let server = TestServer::start().await;
    let owner = server.sign_in("olga").await;
    let create = async |username: &str, email: &str, password: &str| {
        let body = json!({"username": username, "email": email, "password": password});
        let reply = server.post(&owner, "/api/v2/users", body).await;
        let field = reply.json()["validations"][0]["field"].as_str().unwrap_or_default().to_owned();
        (reply.status.as_u16(), field)
    };
    assert_eq!(create("a b", "x@y.org", PASSWORD).await, (400, "username".into()));
    assert_eq!(create("cy", "nowhere", PASSWORD).await, (400, "email".into()));
    assert_eq!(create("cy", "x@y.org", "short").await, (400, "password".into()));
    assert_eq!(create("cy", "x@y.org", "password").await, (400, "password".into()));
    assert_eq!(create("ADA", "x@y.org", PASSWORD).await, (409, String::new()));
    assert_eq!(create("cy", "Ada@example.org", PASSWORD).await, (409, String::new()));
    assert_eq!(create("cy", "x@y.org", PASSWORD).await, (201, String::new()));
}

#[tokio::test]
async fn members_see_themselves_and_admins_everyone() {
    let server = TestServer::start().await;
    let (ada, urs) = (server.sign_in("ada").await, server.sign_in("urs").await);
    let count = async |client: &Client, path: &str| {
        server.get(client, path).await.expect(200).json()["users"].as_array().unwrap().len()
    };
    assert_eq!(count(&ada, "/api/v2/users").await, 1);
    assert_eq!(count(&urs, "/api/v2/users").await, 6);
    assert_eq!(count(&urs, "/api/v2/users?q=role:owner").await, 1);
    assert_eq!(count(&urs, "/api/v2/users?q=ben").await, 1);
    assert_eq!(count(&urs, "/api/v2/users?q=status:active&limit=1").await, 1);
    assert_eq!(count(&urs, "/api/v2/users?limit=2&offset=5").await, 1);
    server.get(&ada, "/api/v2/users/ben").await.expect(404);
    server.get(&ada, "/api/v2/users/nobody").await.expect(404);
    server.get(&urs, "/api/v2/users/ben").await.expect(200);
    server.get(&urs, "/api/v2/users?q=status:odd").await.expect(400);
}

#[tokio::test]
async fn a_user_admin_cannot_touch_an_owner() {
    let server = TestServer::start().await;
    let urs = server.sign_in("urs").await;
    let password = json!({ "password": "another-good-one" });
    server.put(&urs, "/api/v2/users/olga/password", password.clone()).await.expect(403);
    server.put(&urs, "/api/v2/users/olga/status/suspend", json!({})).await.expect(403);
    server.put(&urs, "/api/v2/users/urs/roles", json!({"roles": ["owner"]})).await.expect(403);
    server.delete(&urs, "/api/v2/users/olga").await.expect(403);
    server.put(&urs, "/api/v2/users/ada/password", password).await.expect(204);
    server.put(&urs, "/api/v2/users/ben/status/suspend", json!({})).await.expect(200);
}

#[tokio::test]
async fn an_owner_always_remains() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    server.put(&olga, "/api/v2/users/olga/roles", json!({"roles": []})).await.expect(409);
    server.delete(&olga, "/api/v2/users/olga").await.expect(409);
    server.put(&olga, "/api/v2/users/olga/status/suspend", json!({})).await.expect(409);
    let roles = json!({"roles": ["owner", "member"]});
    server.put(&olga, "/api/v2/users/ada/roles", roles).await.expect(200);
    // Nobody changes what they stand on themselves.
    server.put(&olga, "/api/v2/users/olga/roles", json!({"roles": []})).await.expect(409);
    let ada = server.sign_in("ada").await;
    server.put(&ada, "/api/v2/users/olga/roles", json!({"roles": []})).await.expect(200);
    server.put(&olga, "/api/v2/users/ada/roles", json!({"roles": []})).await.expect(403);
    server.put(&ada, "/api/v2/users/ben/roles", json!({"roles": ["wizard"]})).await.expect(400);
}

#[tokio::test]
async fn a_suspended_user_is_out_at_once_and_a_deleted_name_is_free() {
    let server = TestServer::start().await;
    let (olga, ada) = (server.sign_in("olga").await, server.sign_in("ada").await);
    let made = server.post(&ada, "/api/v2/users/me/keys/tokens", json!({"token_name": "ci"})).await;
    let key = made.expect(201).json()["key"].as_str().unwrap().to_owned();
    let program = Client { token: Some(key), ..Client::default() };
    server.get(&program, "/api/v2/users/me").await.expect(200);
    server.put(&olga, "/api/v2/users/ada/status/suspend", json!({})).await.expect(200);
    server.get(&ada, "/api/v2/users/me").await.expect(401);
    server.get(&program, "/api/v2/users/me").await.expect(401);
    let login = json!({"email": "ada", "password": PASSWORD});
    let refused = server.post(&Client::default(), "/api/v2/users/login", login).await.expect(401);
    assert!(refused.text.contains("suspended"), "{}", refused.text);
    server.put(&olga, "/api/v2/users/ada/status/activate", json!({})).await.expect(200);
    server.get(&ada, "/api/v2/users/me").await.expect(401);
    server.get(&program, "/api/v2/users/me").await.expect(200);
    server.delete(&olga, "/api/v2/users/ada").await.expect(200);
    server.get(&program, "/api/v2/users/me").await.expect(401);
    server.get(&olga, "/api/v2/users/ada").await.expect(404);
    let again = json!({"username": "ada", "email": "ada@example.org", "password": PASSWORD});
    server.post(&olga, "/api/v2/users", again).await.expect(201);
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_other_sessions() {
    let server = TestServer::start().await;
    let (here, there) = (server.sign_in("ada").await, server.sign_in("ada").await);
    let set = |old: &str| json!({"old_password": old, "password": "glaze-and-ash"});
    let path = "/api/v2/users/me/password";
    let wrong = server.put(&here, path, set("guess")).await.expect(400).json();
    assert_eq!(wrong["validations"][0]["field"], "old_password");
    server.put(&here, path, set(PASSWORD)).await.expect(204);
    server.get(&here, "/api/v2/users/me").await.expect(200);
    server.get(&there, "/api/v2/users/me").await.expect(401);
    server.app.reset_password("ada", PASSWORD).await.unwrap();
    server.get(&here, "/api/v2/users/me").await.expect(401);
    server.sign_in("ada").await;
}

#[tokio::test]
async fn tokens_have_an_end_and_only_owners_make_them_for_others() {
    let server = TestServer::start().await;
    let (olga, ada) = (server.sign_in("olga").await, server.sign_in("ada").await);
    let path = "/api/v2/users/me/keys/tokens";
    let hour = 3_600_000_000_000i64;
    let body = json!({"token_name": "ci", "lifetime": hour});
    let key = server.post(&ada, path, body.clone()).await.expect(201).json()["key"].clone();
    server.post(&ada, path, body).await.expect(409);
    server.post(&ada, path, json!({"lifetime": hour * 24 * 400})).await.expect(400);
    server.post(&ada, path, json!({"scopes": ["workspace:fly"]})).await.expect(400);
    let program = Client { token: key.as_str().map(str::to_owned), ..Client::default() };
    server.get(&program, "/api/v2/users/me").await.expect(200);
    let list = server.get(&ada, path).await.expect(200).json();
    assert_eq!(list[0]["token_name"], "ci");
    assert_eq!(list[0]["lifetime_seconds"], 3600);
    assert!(!list.to_string().contains(key.as_str().unwrap().split('-').nth(1).unwrap()));
    server.clock.advance(std::time::Duration::from_secs(3601));
    server.get(&program, "/api/v2/users/me").await.expect(401);
    server.post(&ada, "/api/v2/users/ben/keys/tokens", json!({})).await.expect(404);
    server.post(&olga, "/api/v2/users/ada/keys/tokens", json!({})).await.expect(201);
}

#[tokio::test]
async fn a_session_slides_while_it_is_used_and_ends_when_not() {
    let server = TestServer::start().await;
    let ada = server.sign_in("ada").await;
    for _ in 0..3 {
        server.clock.advance(std::time::Duration::from_hours(20));
        server.get(&ada, "/api/v2/users/me").await.expect(200);
        server.app.save_uses_pass().await.unwrap();
    }
    server.clock.advance(std::time::Duration::from_hours(25));
    server.get(&ada, "/api/v2/users/me").await.expect(401);
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let server = TestServer::start().await;
    let ada = server.sign_in("ada").await;
    let reply = server.post(&ada, "/api/v2/users/logout", json!({})).await.expect(200);
    assert!(reply.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    server.get(&ada, "/api/v2/users/me").await.expect(401);
}

#[tokio::test]
async fn failures_lock_an_account_for_growing_times() {
    let server = TestServer::start().await;
    let attempt = async |password: &str| {
        let body = json!({"email": "ada", "password": password});
        server.post(&Client::default(), "/api/v2/users/login", body).await
    };
    for _ in 0..3 {
        attempt("wrong").await.expect(401);
    }
    let locked = attempt(PASSWORD).await.expect(429);
    assert_eq!(locked.headers["retry-after"], "60");
    server.clock.advance(std::time::Duration::from_secs(61));
    attempt("wrong").await.expect(401);
    server.clock.advance(std::time::Duration::from_secs(61));
    attempt(PASSWORD).await.expect(429);
    server.clock.advance(std::time::Duration::from_secs(60));
    attempt(PASSWORD).await.expect(201);
    attempt("wrong").await.expect(401);
    attempt(PASSWORD).await.expect(201);
}

#[tokio::test]
async fn many_guesses_at_once_gain_nothing() {
    let server = TestServer::start().await;
    let attempts = (0..20).map(|_| {
        let body = json!({"email": "ada", "password": "wrong"});
        let server = &server;
        async move { server.post(&Client::default(), "/api/v2/users/login", body).await.status }
    });
    let statuses = futures_util::future::join_all(attempts).await;
    assert_eq!(statuses.iter().filter(|s| s.as_u16() == 401).count(), 3, "{statuses:?}");
}

#[tokio::test]
async fn a_key_opens_one_account_only() {
    const OTHER: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ ada@laptop";
    let server = TestServer::start().await;
    let (ada, ben) = (server.sign_in("ada").await, server.sign_in("ben").await);
    let path = "/api/v2/users/me/ssh-keys";
    let key = server.post(&ada, path, json!({"public_key": KEY})).await.expect(201).json();
    assert_eq!(key["name"], "ada@laptop");
    let fingerprint = key["fingerprint"].as_str().unwrap();
    let twice = server.post(&ben, path, json!({"public_key": KEY})).await.expect(409);
    assert!(twice.text.contains(fingerprint) && !twice.text.contains("laptop"), "{}", twice.text);
    server.post(&ben, path, json!({"public_key": "hello"})).await.expect(400);
    let urs = server.sign_in("urs").await;
    let for_ben = "/api/v2/users/ben/ssh-keys";
    server.post(&urs, for_ben, json!({"public_key": OTHER})).await.expect(403);
    let actor = server.app.authenticate_key(fingerprint, "192.0.2.1").await.unwrap().unwrap();
    assert_eq!(actor.caller().unwrap().user.username.as_str(), "ada");
    let id = key["id"].as_str().unwrap();
    server.delete(&ben, &format!("{path}/{id}")).await.expect(404);
    server.delete(&ada, &format!("{path}/{id}")).await.expect(204);
    assert!(server.app.authenticate_key(fingerprint, "").await.unwrap().is_none());
}

#[tokio::test]
async fn groups_hold_members_and_everyone_cannot_be_changed() {
    let server = TestServer::start().await;
    let (urs, ada, ben) =
        (server.sign_in("urs").await, server.sign_in("ada").await, server.sign_in("ben").await);
    let path = "/api/v2/organizations/default/groups";
    server.post(&ada, path, json!({"name": "potters"})).await.expect(403);
    let made = server.post(&urs, path, json!({"name": "potters"})).await.expect(201).json();
    server.post(&urs, path, json!({"name": "Potters"})).await.expect(409);
    server.post(&urs, path, json!({"name": "everyone"})).await.expect(400);
    let group = format!("/api/v2/groups/{}", made["id"].as_str().unwrap());
    let add = json!({"add_users": ["ada"], "display_name": "The potters"});
    let changed = server.patch(&urs, &group, add).await.expect(200).json();
    assert_eq!(changed["members"][0]["username"], "ada");
    let names = async |client: &Client| {
        let list = server.get(client, path).await.expect(200).json();
        list.as_array()
            .unwrap()
            .iter()
            .map(|g| g["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&ada).await, ["Everyone", "potters"]);
    assert_eq!(names(&ben).await, ["Everyone"]);
    server.get(&ben, &group).await.expect(404);
    let everyone = format!("/api/v2/groups/{}", made["organization_id"].as_str().unwrap());
    server.get(&urs, &everyone).await.expect(200);
    server.delete(&urs, &everyone).await.expect(409);
    server.delete(&urs, &group).await.expect(200);
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_and_no_secret_is() {
    let server = TestServer::start().await;
    let (olga, ada, aude) =
        (server.sign_in("olga").await, server.sign_in("ada").await, server.sign_in("aude").await);
    server
        .put(&olga, "/api/v2/users/ben/password", json!({"password": "glaze-and-ash"}))
        .await
        .expect(204);
    let profile = json!({"username": "ada2", "name": "Ada L"});
    server.put(&ada, "/api/v2/users/me/profile", profile).await.expect(200);
    server.get(&ada, "/api/v2/audit").await.expect(403);
    let log = server.get(&aude, "/api/v2/audit?q=action:write%20username:olga").await.expect(200);
    assert!(log.text.contains("hashed_password") && !log.text.contains("argon2"), "{}", log.text);
    let log = server.get(&aude, "/api/v2/audit?limit=100").await.expect(200).json();
    let entries = log["audit_logs"].as_array().unwrap();
    let has = |action: &str, target: &str| {
        entries.iter().any(|e| e["action"] == action && e["resource_target"] == target)
    };
    assert!(has("register", "olga") && has("create", "ben") && has("login", "ada"));
    assert!(has("write", "ada2"));
    let renamed = entries.iter().find(|e| e["resource_target"] == "ada2").unwrap();
    assert_eq!(renamed["diff"]["username"]["old"], "ada");
    assert_eq!(renamed["ip"], "192.0.2.10");
}

#[tokio::test]
async fn the_deployment_speaks_of_itself() {
    let server = TestServer::start().await;
    let ada = server.sign_in("ada").await;
    let info = server.get(&Client::default(), "/api/v2/buildinfo").await.expect(200).json();
    assert!(info["version"].as_str().unwrap().starts_with("v2.37.0"));
    let features = server.get(&ada, "/api/v2/entitlements").await.expect(200).json();
    assert_eq!(features["features"]["audit_log"]["enabled"], true);
    let checks = json!({"checks": {
        "own": {"object": {"resource_type": "workspace", "owner_id": "me"}, "action": "create"},
        "log": {"object": {"resource_type": "audit_log"}, "action": "read"},
    }});
    let answers = server.post(&ada, "/api/v2/authcheck", checks).await.expect(200).json();
    assert_eq!(answers, json!({"own": true, "log": false}));
    let organization = server.get(&ada, "/api/v2/organizations/default").await.expect(200).json();
    assert_eq!(organization["is_default"], true);
    server.get(&ada, "/api/v2/deployment/config").await.expect(403);
}

#[tokio::test]
async fn who_watches_the_server_learns_that_it_serves() {
    let server = TestServer::empty().await;
    for path in ["/healthz", "/readyz", "/latency-check"] {
        server.get(&Client::default(), path).await.expect(200);
    }
}

#[tokio::test]
async fn the_database_holds_no_password_and_no_token() {
    let server = TestServer::start().await;
    let ada = server.sign_in("ada").await;
    let token = ada.token.unwrap();
    let dir = server.db_path.parent().unwrap();
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
    let (public, secret) = token.split_once('-').unwrap();
    assert!(holds("$argon2id$") && holds(public));
    assert!(!holds(PASSWORD) && !holds(secret));
}

#[tokio::test]
async fn a_user_admin_sees_where_someone_is_signed_in_and_ends_one_of_it() {
    let server = TestServer::start().await;
    let (first, second) = (server.sign_in("ada").await, server.sign_in("ada").await);
    let id = |client: &Client| client.token.as_ref().unwrap().split('-').next().unwrap().to_owned();
    let browser = async |name: &str| {
        let client = server.sign_in(name).await.in_browser(&[("sec-fetch-site", "same-origin")]);
        let page = server.get(&client, "/settings/account").await.expect(200).text;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap();
        (client, csrf.split('"').next().unwrap().to_owned())
    };
    let (urs, csrf) = browser("urs").await;
    let page = server.get(&urs, "/people/ada").await.expect(200).text;
    let end = format!("/people/ada/sessions/{}/end", id(&first));
    assert!(page.contains(&end) && page.contains("192.0.2.10"), "{page}");
    server.form(&urs, &end, &[("csrf", &csrf)]).await.expect(303);
    server.get(&first, "/api/v2/users/me").await.expect(401);
    server.get(&second, "/api/v2/users/me").await.expect(200);
    // It is over, and in the log.
    server.form(&urs, &end, &[("csrf", &csrf)]).await.expect(404);
    let aude = server.sign_in("aude").await;
    let log = "/api/v2/audit?q=username:urs+action:delete+resource_type:api_key";
    assert_eq!(server.get(&aude, log).await.expect(200).json()["count"], 1);
    // Neither an owner's, nor one that is someone else's, nor a token.
    let (olga, owners) = browser("olga").await;
    assert!(!server.get(&urs, "/people/olga").await.expect(200).text.contains("/sessions/"));
    let session = olga.cookie.as_ref().unwrap().split(['=', '-']).nth(1).unwrap();
    let theirs = format!("/people/olga/sessions/{session}/end");
    server.form(&urs, &theirs, &[("csrf", &csrf)]).await.expect(403);
    let theirs = format!("/people/ada/sessions/{session}/end");
    server.form(&urs, &theirs, &[("csrf", &csrf)]).await.expect(404);
    let made = server.post(&second, "/api/v2/users/me/keys/tokens", json!({})).await.expect(201);
    let token = made.json()["key"].as_str().unwrap().split('-').next().unwrap().to_owned();
    let token = format!("/people/ada/sessions/{token}/end");
    server.form(&olga, &token, &[("csrf", &owners)]).await.expect(404);
    // Members end nobody's, and their own is with their settings.
    let (ada, csrf) = browser("ada").await;
    let end = format!("/people/ada/sessions/{}/end", id(&second));
    server.form(&ada, &end, &[("csrf", &csrf)]).await.expect(403);
    let page = server.get(&ada, "/people/ada").await.expect(200).text;
    assert!(!page.contains("/sessions/"), "{page}");
}

#[tokio::test]
async fn who_comes_by_a_token_alone_is_active_too() {
    let server = TestServer::start().await;
    let olga = server.sign_in("olga").await;
    let body = json!({"username": "robot", "service_account": true});
    server.post(&olga, "/api/v2/users", body).await.expect(201);
    let status = async || {
        let robot = server.get(&olga, "/api/v2/users/robot").await.expect(200).json();
        (robot["status"].clone(), robot["last_seen_at"].clone())
    };
    assert_eq!(status().await, (json!("dormant"), json!("0001-01-01T00:00:00Z")));
    let path = "/api/v2/users/robot/keys/tokens";
    let made = server.post(&olga, path, json!({"token_name": "ci"})).await.expect(201).json();
    let robot = Client { token: made["key"].as_str().map(str::to_owned), ..Client::default() };
    server.get(&robot, "/api/v2/users/me").await.expect(200);
    server.app.save_uses_pass().await.unwrap();
    let (now, seen) = status().await;
    assert_eq!(now, json!("active"));
    assert_ne!(seen, json!("0001-01-01T00:00:00Z"));
}
