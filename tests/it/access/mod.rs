//! Every route by every role on one's own things and on others': what opens is what `table.txt` says.

pub mod bodies;
mod world;

use std::fmt::Write as _;

use http::{Method, StatusCode};
use steading::server::web::{Access, routes};

use crate::harness::{Reply, TestServer};
use world::{Place, World};

/// The table as it was reviewed. `STEADING_BLESS=1` writes it anew.
const TABLE: &str = include_str!("table.txt");

const HEAD: &str = "\
# What each route answers to whom. A reviewer reads a change of this file as a change of rights.
#   yes   it was done, or shown
#   in    let in, and refused for what was sent or for the state of the thing
#   401   not signed in; `door`: led to sign in      403, 404   refused; 404 hides that it is there
# The first line of a route is a thing of the person's own, the second one of someone else's.
";

/// Routes that the walk leaves out: anyone may use them, or they are not answered at once (a starter
/// waits for its import).
fn is_left_out(path: &str, access: Access) -> bool {
    matches!(access, Access::Public | Access::Setup | Access::SignIn)
        || [
            "/starter-templates/{id}",
            "/logout",
            "/live",
            "watch",
            "watch-ws",
            "/rpc",
            "/pty",
            "/coordinate",
        ]
        .iter()
        .any(|end| path.ends_with(end) || path.ends_with("watch-metadata-ws"))
}

fn cell(reply: &Reply) -> &'static str {
    match reply.status {
        StatusCode::UNAUTHORIZED => "401",
        StatusCode::FORBIDDEN => "403",
        StatusCode::NOT_FOUND => "404",
        StatusCode::SEE_OTHER if leads_to_login(reply) => "door",
        status if status.is_success() || status.is_redirection() => "yes",
        status if status.is_client_error() => "in",
        other => panic!("{other}: {}", reply.text),
    }
}

fn leads_to_login(reply: &Reply) -> bool {
    let to = reply.headers.get("location").and_then(|v| v.to_str().ok());
    to.is_some_and(|to| to.starts_with("/login"))
}

/// Whether a route is about something of someone's.
fn has_owner(path: &str) -> bool {
    let parts = [
        "{user}",
        "{workspace}",
        "{owner}",
        "{build}",
        "{agent}",
        "{key}",
        "{recording}",
        "{code}",
        "{request}",
        "/settings",
    ];
    parts.iter().any(|part| path.contains(part))
}

async fn walked(world: &World) -> String {
    let mut text = String::from(HEAD);
    let mut server = world.server.copy().await;
    let people = &world.people;
    writeln!(text, "{:<92}{}", "", heads(people.iter().map(|p| p.0))).unwrap();
    for route in routes::all(&world.server.state).table() {
        if is_left_out(route.path, route.access) {
            continue;
        }
        let whose: &[Place] =
            if has_owner(route.path) { &[Place::Own, Place::Others] } else { &[Place::Others] };
        for place in whose {
            let own = if *place == Place::Own { "own" } else { "" };
            let what = format!("{} {}", route.method, route.path);
            let (mut cells, is_change) = (Vec::new(), route.method != Method::GET);
            for (name, client) in people {
                let (path, body) = world.request((&route.method, route.path), *place, name);
                let reply = match body {
                    Some(bodies::Body::Json(body)) => {
                        server.call(client, route.method.clone(), &path, Some(body)).await
                    }
                    Some(bodies::Body::Form(fields)) => {
                        let fields: Vec<(&str, &str)> =
                            fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                        server.form(client, &path, &fields).await
                    }
                    None => server.call(client, route.method.clone(), &path, None).await,
                };
                let told = cell(&reply);
                // Each of them has things of their own, and others to do it to.
                if told == "yes" && is_change && !has_owner(route.path) {
                    server = world.server.copy().await;
                }
                cells.push(told);
            }
            if is_change && cells.contains(&"yes") {
                server = world.server.copy().await;
            }
            writeln!(text, "{what:<88}{own:<4}{}", heads(cells.into_iter())).unwrap();
        }
    }
    text
}

fn heads<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let line: String = cells.map(|cell| format!("{cell:<6}")).collect();
    line.trim_end().to_owned()
}

#[tokio::test]
async fn what_opens_to_whom_is_what_was_reviewed() {
    let world = World::new().await;
    let now = walked(&world).await;
    if std::env::var_os("STEADING_BLESS").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/access/table.txt");
        std::fs::write(file, &now).unwrap();
    }
    let changed: Vec<String> = now
        .lines()
        .filter(|line| !TABLE.lines().any(|known| known == *line))
        .map(|line| format!("+ {line}"))
        .chain(
            TABLE.lines().filter(|line| !now.lines().any(|n| n == *line)).map(|l| format!("- {l}")),
        )
        .collect();
    assert!(changed.is_empty(), "rights have changed:\n{}", changed.join("\n"));
}

/// The world has what the walk names: a wrong name would make every answer a 404.
#[tokio::test]
async fn an_owner_finds_everything_that_the_walk_names() {
    let world = World::new().await;
    let owner = world.client("olga");
    let server: &TestServer = &world.server;
    for route in routes::all(&server.state).table() {
        if route.method != Method::GET || is_left_out(route.path, route.access) {
            continue;
        }
        let (path, _) = world.request((&route.method, route.path), Place::Others, "olga");
        let reply = server.get(owner, &path).await;
        if route.access == Access::Scim {
            // No person opens it.
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path}");
            continue;
        }
        let known = world::NOT_THERE.contains(&route.path);
        let missing = matches!(reply.status.as_u16(), 401 | 403 | 404);
        assert_eq!(missing, known, "{path} gave {} {}", reply.status, reply.text);
    }
}
