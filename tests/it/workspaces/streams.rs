//! Logs and states as they stream over real sockets, to readers as slow as they like.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use steading::model::agent::AgentLogLine;
use steading::model::id::LogSourceId;
use steading::model::log::{LogLevel, LogLine, LogSource};
use steading::server::app::Actor;
use steading::server::app::jobs::Claim;
use steading::server::listen;
use steading::tasks::OnPanic;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::{World, id, imported, made, uuid};
use crate::harness::Client;

/// A hang is longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// So little room that the server soon has to wait for its reader.
const SMALL: u32 = 4096;
/// Lines of a log that is far larger than every buffer between, and within the limit of a log.
const MANY: usize = 12_000;

/// Serves the world on a real socket.
pub async fn listen(world: &World) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let state = world.server.state.clone();
    let tasks = state.tasks.clone();
    world.server.state.tasks.spawn("listen", OnPanic::Lose, async move {
        listen::plain(listener, steading::server::web::router(state), &tasks).await;
    });
    address
}

pub async fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(SMALL).unwrap();
    socket.connect(address).await.unwrap()
}

/// A WebSocket that reads only when it is asked to.
pub struct Reader(WebSocketStream<TcpStream>);

impl Reader {
    pub async fn open(address: SocketAddr, who: &Client, path: &str) -> Self {
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        let token = who.token.as_ref().unwrap().parse().unwrap();
        request.headers_mut().insert("Coder-Session-Token", token);
        let stream = connect(address).await;
        let opened = tokio_tungstenite::client_async(request, stream).await;
        Self(opened.expect("the socket opens").0)
    }

    /// The next message, or the code that the socket was closed with.
    pub async fn next(&mut self) -> Result<Value, u16> {
        let read = async {
            loop {
                match self.0.next().await.expect("a close comes before the end").unwrap() {
                    Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                    Message::Close(frame) => return Err(frame.map_or(0, |f| f.code.into())),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("something comes")
    }

    /// Every message until the close, talking into it now and then as clients do.
    pub async fn rest(&mut self) -> (Vec<Value>, u16) {
        let mut all = Vec::new();
        loop {
            match self.next().await {
                Ok(value) => all.push(value),
                Err(code) => return (all, code),
            }
            if all.len() % 1000 == 0 {
                self.0.send(Message::Ping(b"still here".as_slice().into())).await.unwrap();
            }
        }
    }
}

fn line(n: usize) -> LogLine {
    LogLine {
        at_ms: 1_795_000_000_000 + i64::try_from(n).unwrap(),
        source: LogSource::Provisioner,
        level: LogLevel::Info,
        stage: "Applying".into(),
        output: format!("{n:06} {}", "x".repeat(400)),
    }
}

pub async fn write(world: &World, claim: Claim, from: usize, to: usize) {
    for at in (from..to).step_by(500) {
        let lines = (at..to.min(at + 500)).map(line).collect();
        world.server.app.append_logs(claim, lines).await.unwrap();
    }
}

/// The numbers of lines, each one message with Coder's fields.
fn numbers(lines: &[Value]) -> Vec<usize> {
    let number = |line: &Value| {
        assert_eq!(line["log_source"], "provisioner", "{line}");
        assert_eq!((&line["log_level"], &line["stage"]), (&json!("info"), &json!("Applying")));
        assert!(line["id"].is_i64() && line["created_at"].is_string());
        line["output"].as_str().unwrap()[..6].parse().unwrap()
    };
    lines.iter().map(number).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_s_log_reaches_a_slow_reader_whole_and_ends_with_the_build() {
    let world = World::new().await;
    let address = listen(&world).await;
    let workspace = world.adas("kiln").await;
    let claim = world.claim().await;
    world.server.app.build_work(claim.job).await.unwrap();
    write(&world, claim, 0, 10).await;
    let path = format!("/api/v2/workspacebuilds/{}/logs", id(&workspace["latest_build"]));
    let mut early = Reader::open(address, &world.ada, &format!("{path}?follow=true&after=0")).await;
    let mut first = Vec::new();
    for _ in 0..10 {
        first.push(early.next().await.unwrap());
    }
    assert_eq!(numbers(&first), (0..10).collect::<Vec<_>>());

    // Nobody reads while the build goes on and ends: it does not wait for its readers.
    write(&world, claim, 10, MANY).await;
    let after = &first[4]["id"];
    let mut late = Reader::open(address, &world.ada, &format!("{path}?follow&after={after}")).await;
    world.server.app.finish_build(claim.job, made("token-a", 1)).await.unwrap();
    let (rest, code) = early.rest().await;
    assert_eq!((numbers(&rest), code), ((10..MANY).collect(), 1000));
    let (rest, code) = late.rest().await;
    assert_eq!((numbers(&rest), code), ((5..MANY).collect(), 1000));

    let all = world.server.get(&world.ada, &path).await.expect(200).json();
    assert_eq!(all.as_array().unwrap().len(), MANY);
    world.server.get(&world.ben, &path).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_s_log_streams_and_ends_with_the_import() {
    let world = World::new().await;
    let address = listen(&world).await;
    let body =
        json!({ "example_id": "docker", "storage_method": "file", "provisioner": "terraform" });
    let path = "/api/v2/organizations/default/templateversions";
    let version = world.server.post(&world.tess, path, body).await.expect(201).json();
    let claim = world.claim().await;
    world.server.app.import_work(claim.job).await.unwrap();
    let path = format!("/api/v2/templateversions/{}/logs?follow=true&after=0", id(&version));
    let mut reader = Reader::open(address, &world.tess, &path).await;
    write(&world, claim, 0, 2).await;
    let seen = [reader.next().await.unwrap(), reader.next().await.unwrap()];
    assert_eq!(numbers(&seen), [0, 1]);
    write(&world, claim, 2, 1200).await;
    world.server.app.finish_import(claim.job, Ok(imported())).await.unwrap();
    let (rest, code) = reader.rest().await;
    assert_eq!((numbers(&rest), code), ((2..1200).collect(), 1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_s_log_streams_in_lists_and_ends_with_its_build() {
    let world = World::new().await;
    let address = listen(&world).await;
    let workspace = world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    let app = &world.server.app;
    let Some(Actor::Agent { agent, .. }) = app.authenticate_agent("token-a").await.unwrap() else {
        panic!("the agent is let in");
    };
    let path = format!("/api/v2/workspaceagents/{agent}/logs?follow=true&after=0");
    let mut reader = Reader::open(address, &world.ada, &path).await;
    let source_id = LogSourceId(uuid());
    let say = async |seq: u64, words: &[&str]| {
        let line = |output: &&str| AgentLogLine {
            id: 0,
            at_ms: 1,
            level: LogLevel::Info,
            source_id,
            output: (*output).to_owned(),
        };
        let lines = words.iter().map(line).collect();
        app.agent_logs(agent, ("life".to_owned(), seq), lines).await.unwrap();
    };
    say(1, &["one", "two"]).await;
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let Value::Array(list) = reader.next().await.unwrap() else { panic!("no list") };
        seen.extend(list);
    }
    let outputs: Vec<_> = seen.iter().map(|l| l["output"].as_str().unwrap()).collect();
    assert_eq!(outputs, ["one", "two"]);
    assert_eq!(seen[0]["source_id"], source_id.to_string());
    world.build(&world.ada, &workspace, json!({ "transition": "stop" })).await.expect(201);
    say(2, &["stopping"]).await;
    world.done(made("token-a", 2)).await;
    let (rest, code) = reader.rest().await;
    assert_eq!((rest[0][0]["output"].as_str(), code), (Some("stopping"), 1000));
}

/// The next event of a stream: its name and its data.
async fn event(lines: &mut Lines<BufReader<TcpStream>>) -> Option<(String, Value)> {
    let (mut name, mut data) = (String::new(), None);
    loop {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().ok()??;
        if let Some(rest) = line.strip_prefix("event: ") {
            name = rest.to_owned();
        } else if let Some(rest) = line.strip_prefix("data: ") {
            data = serde_json::from_str(rest).ok();
        } else if line.is_empty()
            && let Some(data) = data.take()
        {
            return Some((name, data));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_is_watched_by_events_to_its_latest_state_and_to_the_end_of_the_right() {
    let world = World::new().await;
    let address = listen(&world).await;
    let workspace = world.adas("kiln").await;
    let mut stream = connect(address).await;
    let request = format!(
        "GET /api/v2/workspaces/{}/watch HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\
         Connection: close\r\nCoder-Session-Token: {}\r\n\r\n",
        id(&workspace),
        world.ada.token.as_ref().unwrap()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut lines = BufReader::new(stream).lines();
    let (name, first) = event(&mut lines).await.unwrap();
    assert_eq!((name.as_str(), &first["id"]), ("data", &workspace["id"]));
    assert_eq!(first["latest_build"]["status"], "pending");

    // More happens than is read meanwhile: what counts is the last state.
    world.done(made("token-a", 1)).await;
    for serial in (2..60).step_by(2) {
        world.build(&world.ada, &workspace, json!({ "transition": "stop" })).await.expect(201);
        world.done(made("token-a", serial)).await;
        world.build(&world.ada, &workspace, json!({ "transition": "start" })).await.expect(201);
        world.done(made("token-a", serial + 1)).await;
    }
    let mut last = first;
    while last["latest_build"]["build_number"] != 59 || last["latest_build"]["status"] != "running"
    {
        last = event(&mut lines).await.expect("the stream goes on").1;
    }
    world.server.app.set_user_status(&Actor::System, "ada", false).await.unwrap();
    while event(&mut lines).await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watching_socket_always_begins_with_the_state() {
    let world = World::new().await;
    let address = listen(&world).await;
    let workspace = world.adas("kiln").await;
    let path = format!("/api/v2/workspaces/{}/watch-ws", id(&workspace));
    for round in 0..20 {
        let mut reader = Reader::open(address, &world.ada, &path).await;
        let state = loop {
            let said = reader.next().await.unwrap();
            match said["type"].as_str().unwrap() {
                "ping" => {}
                "data" => break said,
                other => panic!("{other} in round {round}"),
            }
        };
        assert_eq!(state["data"]["id"], workspace["id"]);
    }
}
