//! What Coder's clients rely on: each call of the record over a real socket to a server with a running
//! workspace, what their plug-ins do in order, their searches, and their command line.

mod caller;
mod editors;
mod fields;
mod jetbrains;
mod plugin;
mod record;
mod searches;
mod tree;
mod typed;
mod vscode;
mod world;

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::Value;
use steading::server::web::routes;

use crate::harness::TestServer;
use caller::{Answer, Caller};
use fields::{Named, Shape};
use record::Call;
use world::World;

const CALLS: &str = include_str!("calls.txt");
const WITHOUT: &str = include_str!("without.txt");

/// A path with its parameters all alike.
fn alike(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}" } else { part }.to_owned();
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Whether a path of the record is one that a route serves.
fn is_served(route: &str, path: &str) -> bool {
    let (route, path) = (alike(route), alike(path));
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let same = |(r, p): (&&str, &&str)| r == p || r.starts_with('{') || r.starts_with("@{");
    route.len() == path.len() && route.iter().zip(&path).all(same)
}

#[tokio::test]
async fn each_call_of_the_record_has_a_route_and_what_is_without_has_none() {
    let server = TestServer::start().await;
    let routes = routes::all(&server.state);
    let has = |method: &str, path: &str| {
        let method = if matches!(method, "WS" | "SSE" | "HEAD") { "GET" } else { method };
        let of = |route: &&routes::Declared| route.method == method && is_served(route.path, path);
        routes.table().iter().any(|route| of(&route))
    };
    let (_, calls) = record::read(CALLS);
    let lacking: Vec<_> =
        calls.iter().filter(|c| !has(&c.method, c.route())).map(Call::line).collect();
    assert!(lacking.is_empty(), "no route serves:\n{}", lacking.join("\n"));
    let olga = server.sign_in("olga").await;
    for line in WITHOUT.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let (method, path) = line.split_once(' ').unwrap();
        let path = path.replace("{template}", &uuid::Uuid::nil().to_string());
        let path = path.replace(['{', '}'], "");
        let reply = server.call(&olga, method.parse().unwrap(), &path, None).await;
        let status = reply.status.as_u16();
        let there = has(method, &path) && status != 404;
        assert!(!there && matches!(status, 404 | 405), "{line}: {status} {}", reply.text);
        if path.starts_with("/api/") {
            assert!(reply.json()["message"].is_string(), "{line}: {}", reply.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_answered_with_what_its_clients_read() {
    let mut world = World::new().await;
    let (named, calls) = record::read(CALLS);
    let mut made = BTreeSet::new();
    let mut wrong = Vec::new();
    for call in &calls {
        if let Err(why) = make(&mut world, call, &named).await {
            wrong.push(format!("{}: {why}", call.line()));
        }
        made.extend(call.clients.iter().cloned());
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), calls.len(), wrong.join("\n"));
    assert_eq!(made.len(), 6, "{made:?}");
}

/// Makes a call as it stands, and before it with what names nothing and what cannot be read.
async fn make(world: &mut World, call: &Call, named: &Named) -> Result<(), String> {
    let path = world.filled(&call.path)?;
    let caller = Caller::new(&world.caller.url, &world.caller.token);
    match &*call.method {
        "WS" => {
            let mut socket = caller.socket(&path).await;
            if let Some(shape) = &call.reads {
                fits(shape, &socket.next().await, named)?;
            } else if !socket.stays_open().await {
                return Err("it does not stay open".to_owned());
            }
            return Ok(());
        }
        "SSE" => {
            let (name, data) = caller.event(&path).await;
            let reads = call.reads.as_ref().ok_or("nothing is read of it")?;
            fits(reads, &data, named)?;
            return (name == "data").then_some(()).ok_or(format!("the event's name is {name:?}"));
        }
        _ => {}
    }
    let body = call.sends.as_ref().map(|sent| world.body(sent)).transpose()?;
    refuses(world, &caller, call, body.as_ref()).await?;
    let answer = caller.call((&call.method, &path), body, &[]).await;
    if answer.status.as_u16() != call.status {
        return Err(format!("{}: {}", answer.status, answer.text()));
    }
    if let Some(shape) = &call.reads {
        let value = answer.json();
        fits(shape, &value, named)?;
        for (name, place) in &call.keeps {
            world.keep(name, place, &value)?;
        }
    }
    world.last = answer.body;
    if let Some(status) = &call.until {
        world.until(status).await;
    }
    Ok(())
}

fn fits(shape: &Shape, value: &Value, named: &Named) -> Result<(), String> {
    let wrong = shape.wrong_in(value, named);
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// What names nothing is not found, and what cannot be read is said so, in the shape that clients parse.
async fn refuses(
    world: &World,
    caller: &Caller,
    call: &Call,
    body: Option<&Bytes>,
) -> Result<(), String> {
    let says = |answer: &Answer, status: u16, what: &str| {
        let (found, text) = (answer.status.as_u16(), answer.text());
        if found != status {
            return Err(format!("{what}: {found}, not {status}: {text}"));
        }
        let said = answer.json();
        let is_text = |value: &Value| value.is_null() || value.is_string();
        let is_list = said["validations"].is_null() || said["validations"].is_array();
        let fits = said["message"].is_string() && is_text(&said["detail"]) && is_list;
        if fits { Ok(()) } else { Err(format!("{what}: {text}")) }
    };
    if !call.path.starts_with("/api/") {
        return Ok(());
    }
    if body.is_some_and(|b| b.starts_with(b"{") || b.starts_with(b"[")) {
        let path = world.filled(&call.path)?;
        let bad = caller.call((&call.method, &path), Some("[".into()), &[]).await;
        says(&bad, 400, "a body that is no JSON")?;
    }
    for path in world.elsewhere(call.route())? {
        let none = caller.call((&call.method, &path), body.cloned(), &[]).await;
        says(&none, 404, &path)?;
    }
    Ok(())
}
