//! Who must have a second factor, and who removes one that was lost.

use serde_json::json;

use super::{Browser, audit, login, next_code, server, with_token};
use crate::harness::{Client, PASSWORD};

#[tokio::test]
async fn who_must_have_a_second_factor_is_led_to_one() {
    let server = server(&["owner"]).await;
    let plain = with_token(&login(&server, "ada", None).await.expect(201));
    server.get(&plain, "/api/v2/users/me").await.expect(200);
    let session = with_token(&login(&server, "olga", None).await.expect(201));
    let refused = server.get(&session, "/api/v2/users/me").await.expect(403).json();
    assert_eq!(refused["detail"], "mfa_setup_required");
    server.get(&session, "/api/v2/deployment/ssh").await.expect(200);
    let olga = Browser::signed_in(&server, "olga").await;
    let led = olga.get("/workspaces").await.expect(303);
    assert_eq!(led.headers["location"], "/settings/security");
    let page = olga.get("/settings/security").await.expect(200).text;
    assert!(page.contains("Your role needs a second factor"), "{page}");
    let (secret, _) = olga.set_up_app().await;
    olga.get("/workspaces").await.expect(200);

    // A session from before has not given it.
    let refused = server.get(&session, "/api/v2/users/me").await.expect(403).json();
    assert_eq!(refused["detail"], "mfa_required");
    let code = next_code(&server, &secret);
    let confirmed = server.post(&session, "/api/v2/users/confirm", json!({ "code": code })).await;
    server.get(&with_token(&confirmed.expect(201)), "/api/v2/users/me").await.expect(200);

    let kept = olga.post("/settings/security/totp/remove", &[]).await;
    assert!(kept.expect(409).text.contains("Your role needs a second factor"));
    olga.post("/logout", &[]).await.expect(303);
}

#[tokio::test]
async fn a_role_that_is_given_asks_at_once() {
    let server = server(&["auditor"]).await;
    let ada = with_token(&login(&server, "ada", None).await.expect(201));
    let olga = with_token(&login(&server, "olga", None).await.expect(201));
    let roles = json!({ "roles": ["auditor"] });
    server.put(&olga, "/api/v2/users/ada/roles", roles).await.expect(200);
    server.get(&ada, "/api/v2/users/me").await.expect(403);
}

#[tokio::test]
async fn lost_factors_are_removed_by_who_may_reset_the_password() {
    let server = server(&[]).await;
    let ada = Browser::signed_in(&server, "ada").await;
    ada.set_up_app().await;
    let olga = Browser::signed_in(&server, "olga").await;
    olga.set_up_app().await;
    let (ben, urs) = (server.sign_in("ben").await, server.sign_in("urs").await);
    server.delete(&ben, "/api/v2/users/ada/factors").await.expect(404);
    server.get(&ben, "/api/v2/users/ada/factors").await.expect(404);
    server.delete(&urs, "/api/v2/users/olga/factors").await.expect(403);
    server.delete(&urs, "/api/v2/users/ben/factors").await.expect(409);
    let factors = server.get(&urs, "/api/v2/users/ada/factors").await.expect(200).json();
    assert_eq!(factors["totp"], true);
    let page = server.get(&urs.in_browser(&[("accept", "text/html")]), "/people/ada").await;
    assert!(page.expect(200).text.contains("Remove all"));
    server.delete(&urs, "/api/v2/users/ada/factors").await.expect(204);
    ada.get("/workspaces").await.expect(303);
    login(&server, "ada", None).await.expect(201);
    // On the machine itself the last owner gets in again.
    server.app.reset_password("olga", PASSWORD).await.unwrap();
    login(&server, "olga", None).await.expect(401);
    let system = steading::server::app::Actor::System;
    server.app.remove_factors(&system, "olga").await.unwrap();
    login(&server, "olga", None).await.expect(201);
    let rows = audit(&server, "username:urs%20resource_type:user").await;
    let removed = |row: &serde_json::Value| row["diff"]["second_factor"]["old"] == "all";
    assert!(rows.iter().any(removed), "{rows:?}");
    let none = Client::default();
    server.get(&none, "/api/v2/users/ada/factors").await.expect(401);
}
