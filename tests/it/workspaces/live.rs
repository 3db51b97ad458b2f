//! Pages that are open: what their streams bring, and when these end.

use std::net::SocketAddr;

use serde_json::{Value, json};
use steading::server::app::Actor;
use steading::server::app::jobs::{BuildOutcome, Claim};
use steading::server::web::streams::MAX_STREAMS;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;

use super::streams::{PATIENCE, Reader, connect, listen, write};
use super::{World, id, imported, made, state};
use crate::harness::Client;

/// What a step's name stands in, above its lines.
const HEADING: &str = "class=\"stage\">Applying";
/// More lines than a page shows, and more than one message brings.
const MANY: usize = 6000;

/// The stream of a page.
pub struct Stream(Lines<BufReader<TcpStream>>);

impl Stream {
    pub async fn open(address: SocketAddr, who: &Client, path: &str) -> Self {
        let mut stream = connect(address).await;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Coder-Session-Token: {}\r\n\r\n",
            who.token.as_ref().unwrap()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        let status = lines.next_line().await.unwrap().unwrap();
        assert!(status.contains(" 200 "), "{path}: {status}");
        Self(lines)
    }

    /// The data of the next message; none when the stream has ended.
    async fn next(&mut self) -> Option<String> {
        let mut data = String::new();
        loop {
            let line = tokio::time::timeout(PATIENCE, self.0.next_line()).await;
            let line = line.expect("something comes").ok()??;
            if let Some(part) = line.strip_prefix("data: ") {
                data.push_str(part);
            } else if line.is_empty() && !data.is_empty() {
                return Some(data);
            }
        }
    }

    /// Messages up to the first with these words.
    pub async fn until(&mut self, words: &str) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            all.push(self.next().await.unwrap_or_else(|| panic!("{words:?} before the end")));
            if all.last().unwrap().contains(words) {
                return all;
            }
        }
    }

    /// Reads what is left, to the end.
    async fn ended(mut self) {
        while self.next().await.is_some() {}
    }
}

/// The numbers of the lines in a part of a page.
fn numbers(part: &str) -> Vec<usize> {
    part.match_indices(" xxx").map(|(at, _)| part[at - 6..at].parse().unwrap()).collect()
}

/// The path of the stream that a page asks for.
fn stream_of(page: &str) -> String {
    let (_, rest) = page.split_once("hx-sse:connect=\"").expect("the page is live");
    rest.split('"').next().unwrap().replace("&amp;", "&")
}

/// Ada's workspace, whose first build runs.
async fn building(world: &World) -> (Value, Claim) {
    let workspace = world.adas("kiln").await;
    let claim = world.claim().await;
    world.server.app.build_work(claim.job).await.unwrap();
    (workspace, claim)
}

/// A version `v2` of the template whose import runs.
async fn importing(world: &World) -> Claim {
    let body = json!({ "example_id": "docker", "storage_method": "file",
        "provisioner": "terraform", "template_id": world.template["id"] });
    let path = "/api/v2/organizations/default/templateversions";
    world.server.post(&world.tess, path, body).await.expect(201);
    let claim = world.claim().await;
    world.server.app.import_work(claim.job).await.unwrap();
    claim
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_shows_its_end_and_a_stream_brings_all_of_it() {
    let world = World::new().await;
    let address = listen(&world).await;
    let (_, claim) = building(&world).await;
    write(&world, claim, 0, MANY).await;
    for path in ["/@ada/kiln", "/@ada/kiln/builds/1"] {
        let page = world.server.get(&world.ada, path).await.expect(200).text;
        assert_eq!(numbers(&page), (MANY - 1000..MANY).collect::<Vec<_>>(), "{path}");
        assert!(page.contains("5000 earlier lines are left out"), "{path}");
    }
    let raw = world.server.get(&world.ada, "/@ada/kiln/builds/1/log").await.expect(200).text;
    assert_eq!(numbers(&raw), (0..MANY).collect::<Vec<_>>());
    world.server.get(&world.ben, "/@ada/kiln/builds/1/log").await.expect(404);

    let path = "/@ada/kiln/builds/1/live?after=0";
    let mut stream = Stream::open(address, &world.ada, path).await;
    let messages = stream.until("005999 xxx").await;
    assert!(messages.iter().all(|m| m.len() < 400_000));
    let all = messages.concat();
    assert_eq!(numbers(&all), (0..MANY).collect::<Vec<_>>());
    assert_eq!(all.matches(HEADING).count(), 1);

    // The end of an import's log is shown in the same way.
    world.server.app.finish_build(claim.job, made("token-a", 1)).await.unwrap();
    let claim = importing(&world).await;
    write(&world, claim, 0, MANY).await;
    let page = world.server.get(&world.tess, "/templates/kiln/versions/v2").await.expect(200).text;
    assert_eq!(numbers(&page), (MANY - 1000..MANY).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_opened_within_a_step_does_not_name_it_again() {
    let world = World::new().await;
    let address = listen(&world).await;
    let (_, building) = building(&world).await;
    let importing = importing(&world).await;
    write(&world, building, 0, 10).await;
    write(&world, importing, 0, 10).await;
    for (path, who, claim) in [
        ("/@ada/kiln", &world.ada, building),
        ("/@ada/kiln/builds/1", &world.ada, building),
        ("/templates/kiln/versions/v2", &world.tess, importing),
    ] {
        let page = world.server.get(who, path).await.expect(200).text;
        assert_eq!(page.matches(HEADING).count(), 1, "{path}");
        let mut stream = Stream::open(address, who, &stream_of(&page)).await;
        let first = stream.next().await.unwrap();
        assert!(numbers(&first).is_empty(), "{path}");
        write(&world, claim, 900_000, 900_001).await;
        let more = stream.until("900000 xxx").await.concat();
        assert!(!more.contains(HEADING) && !first.contains(HEADING), "{path}");
        assert!(!more.contains("id=\"status\""), "{path}: only the line is sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_session_and_others_go_on() {
    let world = World::new().await;
    let address = listen(&world).await;
    let (workspace, claim) = building(&world).await;
    write(&world, claim, 0, 1).await;
    let gone = world.server.sign_in("ada").await;
    let watch = format!("/api/v2/workspaces/{}/watch", id(&workspace));
    let paths = ["/workspaces/live", "/@ada/kiln/live", "/@ada/kiln/builds/1/live", watch.as_str()];
    let mut streams = Vec::new();
    for path in paths {
        let mut stream = Stream::open(address, &gone, path).await;
        stream.next().await.unwrap();
        streams.push(stream);
    }
    let logs = format!("/api/v2/workspacebuilds/{}/logs", id(&workspace["latest_build"]));
    let mut log = Reader::open(address, &gone, &format!("{logs}?follow&after=0")).await;
    log.next().await.unwrap();
    let mut stays = Stream::open(address, &world.ada, "/@ada/kiln/live").await;
    world.server.post(&gone, "/api/v2/users/logout", json!({})).await.expect(200);
    for stream in streams {
        stream.ended().await;
    }
    assert_eq!(log.rest().await.0.len(), 0);
    write(&world, claim, 1, 2).await;
    stays.until("000001 xxx").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_draws_with_the_rights_of_now() {
    let world = World::new().await;
    let address = listen(&world).await;
    world.push(Some(&world.template["id"]), Ok(imported())).await;
    let path = "/templates/kiln/versions/v2/live";
    let mut stream = Stream::open(address, &world.tess, path).await;
    assert!(stream.next().await.unwrap().contains("Make active"));
    world.server.app.set_user_roles(&Actor::System, "tess", vec![]).await.unwrap();
    let now = stream.until("id=\"actions\"").await.concat();
    assert!(!now.contains("Make active"), "{now}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_workspace_leaves_the_list_of_who_saw_it() {
    let world = World::new().await;
    let address = listen(&world).await;
    let adas = world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    let body = json!({ "name": "oven", "template_id": world.template["id"] });
    let bens = world.create(&world.ben, body).await.expect(201).json();
    let row = |workspace: &Value| format!("#ws-{}", id(workspace));
    let mut ada = Stream::open(address, &world.ada, "/workspaces/live").await;
    let mut ben = Stream::open(address, &world.ben, "/workspaces/live").await;
    ada.until(&row(&adas)).await;
    ben.until(&row(&bens)).await;
    world.done(made("token-b", 1)).await;
    world.build(&world.ada, &adas, json!({ "transition": "delete" })).await.expect(201);
    world.done(BuildOutcome { state: Some(state(2)), ..BuildOutcome::default() }).await;
    let gone = format!("hx-target=\"{}\" hx-swap=\"delete\"", row(&adas));
    ada.until(&gone).await;
    // Of a workspace that was never theirs to see nobody is told anything.
    world.build(&world.ben, &bens, json!({ "transition": "delete" })).await.expect(201);
    world.done(BuildOutcome { state: Some(state(2)), ..BuildOutcome::default() }).await;
    let told = ben.until("hx-swap=\"delete\"").await.concat();
    assert!(told.contains(&row(&bens)) && !told.contains(&id(&adas)), "{told}");
}

#[tokio::test]
async fn a_person_has_only_so_many_streams() {
    let world = World::new().await;
    let token = world.ada.token.clone().unwrap();
    let ada = world.server.app.authenticate(&token, "192.0.2.10").await.unwrap().unwrap();
    let open = || world.server.state.streams.open(&ada);
    let all: Vec<_> = (0..MAX_STREAMS).map(|_| open().unwrap()).collect();
    let workspace = world.adas("kiln").await;
    let watch = format!("/api/v2/workspaces/{}/watch", id(&workspace));
    for path in ["/workspaces/live", "/@ada/kiln/live", &watch] {
        let refused = world.server.get(&world.ada, path).await.expect(429);
        assert_eq!(refused.headers["retry-after"], "30", "{path}");
    }
    world.server.get(&world.ada, "/workspaces").await.expect(200);
    world.server.get(&world.ben, "/workspaces/live").await.expect(200);
    drop(all);
    world.server.get(&world.ada, "/workspaces/live").await.expect(200);
}

#[tokio::test]
async fn numbers_beyond_reason_are_places_where_nothing_is() {
    let world = World::new().await;
    world.adas("kiln").await;
    for n in [i64::MIN, -1, 0, i64::MAX] {
        for path in [
            format!("/@ada/kiln/builds?before={n}"),
            format!("/@ada/kiln/live?build={n}&after={n}"),
            format!("/@ada/kiln/builds/1/live?after={n}"),
            format!("/templates/kiln/versions/v1/live?after={n}"),
        ] {
            world.server.get(&world.ada, &path).await.expect(200);
            let mut ada = world.ada.clone();
            ada.headers.push(("last-event-id", format!("{n}.{n}")));
            world.server.get(&ada, &path).await.expect(200);
        }
    }
}
