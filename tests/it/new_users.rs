//! New users over Coder's route: how they will sign in, where they belong, what is refused.

use serde_json::{Value, json};

use crate::harness::{Client, PASSWORD, TestServer};

const PATH: &str = "/api/v2/users";

fn body(name: &str, mut more: Value) -> Value {
    let fields = more.as_object_mut().unwrap();
    fields.entry("username").or_insert_with(|| json!(name));
    fields.entry("email").or_insert_with(|| json!(format!("{name}@example.org")));
    more
}

/// What a request is refused with, and of which field.
async fn refused(server: &TestServer, client: &Client, more: Value) -> (u16, String) {
    let reply = server.post(client, PATH, body("cy", more)).await;
    let field = reply.json()["validations"][0]["field"].as_str().unwrap_or_default().to_owned();
    (reply.status.as_u16(), field)
}

#[tokio::test]
async fn a_new_user_is_what_coder_s_clients_say() {
    let server = TestServer::start().await;
    let urs = server.sign_in("urs").await;
    let make = async |name: &str, more: Value| {
        server.post(&urs, PATH, body(name, more)).await.expect(201).json()
    };
    let plain = make("cy", json!({ "password": PASSWORD, "login_type": "password" })).await;
    assert_eq!((&plain["status"], &plain["login_type"]), (&json!("dormant"), &json!("password")));
    let active = make("di", json!({ "password": PASSWORD, "user_status": "active" })).await;
    assert_eq!(active["status"], "active");
    let stopped = make("ed", json!({ "password": PASSWORD, "user_status": "suspended" })).await;
    assert_eq!(stopped["status"], "suspended");
    let login = json!({ "email": "ed", "password": PASSWORD });
    server.post(&Client::default(), "/api/v2/users/login", login).await.expect(401);
    let none = make("fi", json!({ "login_type": "none" })).await;
    assert_eq!(none["login_type"], "none");
    let login = json!({ "email": "fi", "password": "" });
    server.post(&Client::default(), "/api/v2/users/login", login).await.expect(401);
    let bot = json!({ "username": "bot", "service_account": true, "login_type": "none" });
    let bot = server.post(&urs, PATH, bot).await.expect(201).json();
    assert_eq!((&bot["is_service_account"], &bot["email"]), (&json!(true), &json!("")));
}

#[tokio::test]
async fn what_does_not_go_together_names_the_field() {
    let server = TestServer::start().await;
    let urs = server.sign_in("urs").await;
    let field = |field: &str| (400, field.to_owned());
    let nobody = "01890000-0000-7000-8000-000000000000";
    for (more, wrong) in [
        (json!({ "login_type": "magic" }), "login_type"),
        (json!({ "login_type": "token" }), "login_type"),
        // None of these is set up here.
        (json!({ "login_type": "oidc" }), "login_type"),
        (json!({ "login_type": "github" }), "login_type"),
        (json!({ "login_type": "ldap" }), "login_type"),
        (json!({ "login_type": "none", "password": PASSWORD }), "password"),
        (json!({ "login_type": "password" }), "password"),
        (json!({ "password": PASSWORD, "user_status": "deleted" }), "user_status"),
        (json!({ "password": PASSWORD, "user_status": "asleep" }), "user_status"),
        (json!({ "password": PASSWORD, "organization_ids": [nobody] }), "organization_ids"),
        (json!({ "service_account": true }), "service_account"),
        (json!({ "service_account": true, "email": "", "login_type": "password" }), "login_type"),
    ] {
        assert_eq!(refused(&server, &urs, more.clone()).await, field(wrong), "{more}");
    }
    let many: Vec<String> = (0..101).map(|n| format!("01890000-0000-7000-8000-{n:012}")).collect();
    let many = json!({ "password": PASSWORD, "organization_ids": many });
    assert_eq!(refused(&server, &urs, many).await, field("organization_ids"));
    server.get(&urs, "/api/v2/users/cy").await.expect(404);
}

#[tokio::test]
async fn a_new_user_belongs_where_they_are_put() {
    let server = TestServer::start().await;
    let (olga, urs) = (server.sign_in("olga").await, server.sign_in("urs").await);
    let kiln = json!({ "name": "kiln" });
    let kiln = server.post(&olga, "/api/v2/organizations", kiln).await.expect(201).json();
    let kiln = kiln["id"].clone();
    let start = server.get(&olga, "/api/v2/organizations/default").await.json()["id"].clone();
    let make = async |name: &str, more: Value| {
        let made = server.post(&urs, PATH, body(name, more)).await.expect(201).json();
        made["organization_ids"].clone()
    };
    assert_eq!(make("cy", json!({ "password": PASSWORD })).await, json!([start]));
    let more = json!({ "password": PASSWORD, "organization_ids": [kiln, kiln] });
    assert_eq!(make("di", more).await, json!([kiln]));
    // As clients before organizations had it.
    let more = json!({ "password": PASSWORD, "organization_id": kiln });
    assert_eq!(make("ed", more).await, json!([kiln]));
    let more = json!({ "password": PASSWORD, "organization_ids": [start, kiln] });
    assert_eq!(make("fi", more).await.as_array().unwrap().len(), 2);
    let members = "/api/v2/organizations/kiln/members";
    let members = server.get(&olga, members).await.expect(200).text;
    for name in ["di", "ed", "fi"] {
        assert!(members.contains(&format!("\"{name}\"")), "{members}");
    }
    assert!(!members.contains("\"cy\""));
    let log = "/api/v2/audit?q=resource_type:organization_member+username:urs";
    assert_eq!(server.get(&olga, log).await.expect(200).json()["count"], 3);

    // A token for users alone keeps no organization's members.
    let path = "/api/v2/users/me/keys/tokens";
    let only = json!({ "token_name": "ci", "scopes": ["user:create", "user:read"] });
    let only = server.post(&urs, path, only).await.expect(201).json()["key"].clone();
    let only = Client { token: only.as_str().map(str::to_owned), ..Client::default() };
    let more = json!({ "password": PASSWORD, "organization_ids": [kiln] });
    let (status, _) = refused(&server, &only, more).await;
    assert!(status == 400 || status == 403, "{status}");
    let ada = server.sign_in("ada").await;
    assert_eq!(refused(&server, &ada, json!({ "password": PASSWORD })).await.0, 403);
}
