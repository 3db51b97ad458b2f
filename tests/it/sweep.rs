//! Every route by every role: nobody gets in without the right, and anonymous people see nothing.

use http::Method;
use serde_json::json;
use steading::model::policy::{Scope, Subject};
use steading::model::user::SiteRole;
use steading::server::app::Actor;
use steading::server::web::Access;
use steading::server::web::routes;

use crate::harness::{Client, Reply, TestServer};

/// A path with something in each place of a parameter. What is named does not exist, so that a
/// route that lets someone in does no harm to the next.
fn filled(path: &str) -> String {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap();
        filled.push_str(before);
        filled.push_str(match name {
            n if n.starts_with('*') => "a/b",
            "user" => "01890000-0000-7000-8000-000000000001",
            "organization" => "01890000-0000-7000-8000-000000000002",
            _ => "01890000-0000-7000-8000-000000000003",
        });
        rest = behind;
    }
    filled + rest
}

async fn ask(server: &TestServer, client: &Client, method: &Method, path: &str) -> Reply {
    let body = (*method != Method::GET).then(|| json!({}));
    server.call(client, method.clone(), &filled(path), body).await
}

fn is_page(access: Access) -> bool {
    matches!(
        access,
        Access::Page | Access::Threshold | Access::PageMay(_) | Access::Setup | Access::SignIn
    )
}

#[tokio::test]
async fn anonymous_people_get_what_is_public_and_nothing_else() {
    let server = TestServer::start().await;
    let anyone = Client::default();
    let forged =
        Client { token: Some("AAAAAAAAAA-BBBBBBBBBBBBBBBBBBBBBB".to_owned()), ..Client::default() };
    for route in routes::all(&server.state).table() {
        for client in [&anyone, &forged] {
            let reply = ask(&server, client, &route.method, route.path).await;
            let (status, what) =
                (reply.status.as_u16(), format!("{} {}", route.method, route.path));
            match route.access {
                Access::Public | Access::SignIn => assert_ne!(status, 500, "{what}"),
                Access::SignedIn | Access::May(_) | Access::Agent | Access::Scim => {
                    assert_eq!(status, 401, "{what}");
                }
                Access::Page | Access::Threshold | Access::PageMay(_) | Access::Setup => {
                    assert_eq!(status, 303, "{what}");
                    let to = reply.headers["location"].to_str().unwrap();
                    assert!(to.starts_with("/login"), "{what} leads to {to}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_role_opens_its_routes_and_no_others() {
    let server = TestServer::start().await;
    let people: [(&str, Option<SiteRole>); 5] = [
        ("ada", None),
        ("aude", Some(SiteRole::Auditor)),
        ("tess", Some(SiteRole::TemplateAdmin)),
        ("urs", Some(SiteRole::UserAdmin)),
        ("olga", Some(SiteRole::Owner)),
    ];
    for (name, role) in people {
        // What failed for the one before is forgotten.
        server.clock.advance(std::time::Duration::from_hours(25));
        let client = server.sign_in(name).await;
        let user = server.app.user(&Actor::System, name).await.unwrap();
        assert_eq!(user.roles, role.into_iter().collect::<Vec<_>>());
        let subject = Subject::of(&user, &[], Scope::ALL);
        for route in routes::all(&server.state).table() {
            if route.path.ends_with("/logout") {
                continue;
            }
            let reply = ask(&server, &client, &route.method, route.path).await;
            let (status, what) =
                (reply.status.as_u16(), format!("{name}: {} {}", route.method, route.path));
            assert_ne!(status, 500, "{what}: {}", reply.text);
            let allowed = match route.access {
                Access::May(permission) | Access::PageMay(permission) => {
                    subject.may_ever(permission).is_ok()
                }
                Access::Agent | Access::Scim => false,
                Access::Public
                | Access::SignedIn
                | Access::Page
                | Access::Threshold
                | Access::Setup
                | Access::SignIn => true,
            };
            if !allowed {
                assert!(matches!(status, 401 | 403 | 404), "{what} gave {status}");
            } else if !is_page(route.access) && route.access != Access::Public {
                assert_ne!(status, 401, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn someone_else_s_things_are_not_there_for_a_member() {
    let server = TestServer::start().await;
    let ben = server.sign_in("ben").await;
    for route in routes::all(&server.state).table() {
        if !route.path.contains("/users/{user}") || route.path.contains("{workspace") {
            continue;
        }
        let path = filled(&route.path.replace("{user}", "ada"));
        let body = (route.method != Method::GET).then(|| json!({}));
        let reply = server.call(&ben, route.method.clone(), &path, body).await;
        assert!(!reply.status.is_success(), "{} {path} gave {}", route.method, reply.status);
    }
}
