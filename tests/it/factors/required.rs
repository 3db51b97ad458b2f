//! The page of the roles that need a second factor, and of who has none.

use steading::model::user::SiteRole;
use steading::server::app::Actor;

use super::{Browser, audit, login, server, with_token};
use crate::harness::TestServer;

const PAGE: &str = "/deployment/second-factors";

/// The names in the list of who has none.
async fn lacking(browser: &Browser<'_>) -> Vec<String> {
    let page = browser.get(PAGE).await.expect(200).text;
    let rows = page.split("href=\"/people/").skip(1);
    rows.map(|row| row.split('"').next().unwrap().to_owned()).collect()
}

/// Ben reads the audit log.
async fn with_auditor(needed: &[&str]) -> TestServer {
    let server = server(needed).await;
    let auditor = vec![SiteRole::Auditor];
    server.app.set_user_roles(&Actor::System, "ben", auditor).await.unwrap();
    server
}

#[tokio::test]
async fn owners_choose_the_roles_and_see_who_has_none() {
    let server = with_auditor(&[]).await;
    let olga = Browser::signed_in(&server, "olga").await;
    let page = olga.get(PAGE).await.expect(200).text;
    assert!(page.contains("No role needs a second factor."), "{page}");
    assert!(lacking(&olga).await.is_empty());
    let ada = with_token(&login(&server, "ada", None).await.expect(201));
    let urs = with_token(&login(&server, "urs", None).await.expect(201));

    let roles = [("role", "user-admin"), ("role", "auditor")];
    olga.post(PAGE, &roles).await.expect(303);
    assert_eq!(lacking(&olga).await, ["ben", "urs"]);
    let rows = audit(&server, "resource_type:health_settings").await;
    let change = &rows[0]["diff"]["mfa_required_roles"];
    assert_eq!(change["new"], serde_json::json!(["auditor", "user-admin"]), "{rows:?}");
    assert_eq!((rows.len(), &rows[0]["user"]["username"]), (1, &"olga".into()));
    // At once, also for who is signed in.
    server.get(&ada, "/api/v2/users/me").await.expect(200);
    let refused = server.get(&urs, "/api/v2/users/me").await.expect(403).json();
    assert_eq!(refused["detail"], "mfa_setup_required");
    let urs = Browser::signed_in(&server, "urs").await;
    urs.set_up_app().await;
    assert_eq!(lacking(&olga).await, ["ben"]);
    let kept = urs.post("/settings/security/totp/remove", &[]).await;
    assert!(kept.expect(409).text.contains("Your role needs a second factor"));

    olga.post(PAGE, &[("role", "member")]).await.expect(303);
    // Whoever has said so is asked first of all.
    let led = olga.get(PAGE).await.expect(303);
    assert_eq!(led.headers["location"], "/settings/security");
    olga.set_up_app().await;
    assert_eq!(lacking(&olga).await, ["ada", "ben"]);
    server.get(&ada, "/api/v2/users/me").await.expect(403);
    let wrong = olga.post(PAGE, &[("role", "king")]).await.expect(200).text;
    assert!(wrong.contains("is no role"), "{wrong}");
    olga.post(PAGE, &[]).await.expect(303);
    server.get(&ada, "/api/v2/users/me").await.expect(200);
}

#[tokio::test]
async fn what_the_settings_name_stays_and_a_restart_keeps_the_rest() {
    let server = with_auditor(&["owner"]).await;
    let olga = Browser::signed_in(&server, "olga").await;
    olga.get(PAGE).await.expect(303);
    olga.set_up_app().await;
    let page = olga.get(PAGE).await.expect(200).text;
    assert!(page.contains("mfa-required-roles"), "{page}");
    let (_, owner) = page.split_once("value=\"owner\"").unwrap();
    assert_eq!(owner.split('>').next().unwrap().trim(), "checked disabled");
    // A box that is not sent takes nothing away that stands in the settings.
    olga.post(PAGE, &[("role", "auditor")]).await.expect(303);
    let names = |server: &TestServer| server.app.mfa_roles().names().to_vec();
    assert_eq!(names(&server), ["owner", "auditor"]);

    let again = server.copy().await;
    assert_eq!(names(&again), ["auditor"], "those of the settings are not kept");
    let ben = Browser::signed_in(&again, "ben").await;
    ben.get("/workspaces").await.expect(303);
    ben.set_up_app().await;
    // Auditors look; only owners change it.
    let page = ben.get(PAGE).await.expect(200).text;
    assert!(!page.contains(">Save</button>"), "{page}");
    ben.post(PAGE, &[("role", "member")]).await.expect(403);
    Browser::signed_in(&again, "ada").await.get(PAGE).await.expect(403);
    // Someone may have put there by hand what is no role: nothing starts that would ask nobody.
    let conn = rusqlite::Connection::open(&again.db_path).unwrap();
    let odd = "UPDATE settings SET value = CAST('king' AS BLOB) WHERE key = 'mfa_roles'";
    assert_eq!(conn.execute(odd, []), Ok(1));
    assert!(again.app.ensure_start().await.is_err());
}
