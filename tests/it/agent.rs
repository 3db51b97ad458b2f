//! The agent as its server sees it: a real agent against a server at the wire.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::ws::Message;
use steading::clock::{Clock, Entropy};
use steading::model::agent::Lifecycle;
use steading::model::peer::{PeerKey, PeerKind};
use steading::model::resource::ScriptSpec;
use steading::model::session::SessionKind;
use steading::net::{Overlay, OverlayConfig, relay};
use steading::ssh::opening;
use steading::tasks::OnPanic;
use steading::wire::agent::{FromAgent, ToAgent};
use steading::wire::session::{Kind, Open};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

mod init;
mod server;
use server::{PATIENCE, Server, manifest, peer, script};

fn say_manifest(manifest: steading::wire::agent::Manifest) -> ToAgent {
    ToAgent::Manifest { manifest: Box::new(manifest) }
}

#[tokio::test]
async fn it_starts_reports_and_comes_back_without_starting_again() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start().await;
    server.agent(home.path());
    let mut connection = server.connection().await;
    let (key, _) = connection.hello().await;
    let text = "echo ran >> ~/runs; echo \"in $CODER_WORKSPACE_NAME\"";
    connection.say(&say_manifest(manifest(vec![script(text)], vec![]))).await;

    let (mut states, mut lines, mut last, mut directory) = (vec![], vec![], 0, String::new());
    while states.last() != Some(&Lifecycle::Ready) || lines.len() < 2 || directory.is_empty() {
        let message = connection.heard(drop).await;
        if let FromAgent::Lifecycle { state, .. } = message {
            states.push(state);
        } else if let FromAgent::Directory { expanded } = message {
            directory = expanded;
        } else if let FromAgent::Logs { seq, lines: batch } = message {
            lines.extend(batch.into_iter().map(|l| l.output));
            // The last batch stays without an answer.
            if lines.len() < 2 {
                connection.say(&ToAgent::LogsStored { seq }).await;
            }
            last = seq;
        }
    }
    assert_eq!(states, [Lifecycle::Starting, Lifecycle::Ready]);
    assert_eq!(lines[1], "in kiln");
    assert_eq!(directory, home.path().join("code").to_string_lossy());

    drop(connection);
    let mut connection = server.connection().await;
    assert_eq!(connection.hello().await.0, key, "the key lives as long as the process");
    connection.say(&say_manifest(manifest(vec![script(text)], vec![]))).await;
    let (mut ready, mut again) = (false, 0);
    while !ready || again == 0 {
        let message = connection.heard(drop).await;
        if let FromAgent::Lifecycle { state, .. } = message {
            assert_eq!(state, Lifecycle::Ready);
            ready = true;
        } else if let FromAgent::Logs { seq, .. } = message {
            again = seq;
        }
    }
    assert_eq!(again, last, "the batch that was not stored comes again");
    connection.say(&ToAgent::Shutdown).await;
    connection
        .until(|m| matches!(m, FromAgent::Lifecycle { state: Lifecycle::Off, .. }).then_some(()))
        .await;
    assert_eq!(std::fs::read_to_string(home.path().join("runs")).unwrap(), "ran\n");
}

#[tokio::test]
async fn scripts_wait_for_each_other() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start().await;
    server.agent(home.path());
    let mut connection = server.connection().await;
    connection.hello().await;
    let second = "set -e\ntrap 'coder exp sync complete second' EXIT\ncoder exp sync want second first\ncoder exp sync start second\necho second >>~/order";
    let first = "set -e\ncoder exp sync ping\ncoder exp sync start first\necho first >>~/order\ncoder exp sync complete first";
    let third = "set -e\ncoder exp sync want third second\ncoder exp sync start third\ncoder exp sync status second | grep -q 'Status: completed'\ncoder stat mem --prefix Mi | grep -q MiB\necho third >>~/order";
    let numbered = |(text, id)| ScriptSpec {
        id: uuid::Uuid::from_u128(id).into(),
        log_source_id: uuid::Uuid::from_u128(id + 10).into(),
        ..script(text)
    };
    let scripts = [second, third, first].into_iter().zip(20..).map(numbered).collect();
    connection.say(&say_manifest(manifest(scripts, vec![]))).await;
    let end = connection
        .until(|m| match m {
            FromAgent::Lifecycle { state, .. } if state != Lifecycle::Starting => Some(state),
            _ => None,
        })
        .await;
    assert_eq!(end, Lifecycle::Ready);
    let order = std::fs::read_to_string(home.path().join("order")).unwrap();
    assert_eq!(order, "first\nsecond\nthird\n");
}

#[tokio::test]
async fn a_refused_agent_comes_when_the_server_changes_its_mind() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start().await;
    server.answer(401);
    server.agent(home.path());
    let asked = async {
        while server.tries.load(Ordering::SeqCst) < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap();
    server.answer(101);
    let mut connection = server.connection().await;
    connection.hello().await;
    // Asked a few times, not in a busy loop.
    assert!(server.tries.load(Ordering::SeqCst) < 10);
    connection.say(&ToAgent::Refused { why: "the workspace was stopped".to_owned() }).await;
    server.connection().await.hello().await;
}

/// The server's end of the overlay, known to the agent as such.
async fn overlay_of(server: &Server) -> Overlay {
    let config = OverlayConfig {
        secret: Entropy::machine().bytes(),
        bind: "127.0.0.1:0".parse().unwrap(),
        address: "fd7a::1".parse().unwrap(),
    };
    Overlay::start(config, Clock::machine(), Entropy::machine(), &server.tasks).await.unwrap()
}

async fn echo_port(server: &Server) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    server.tasks.spawn("echo", OnPanic::Lose, async move {
        while let Ok((mut io, _)) = listener.accept().await {
            let (mut read, mut write) = io.split();
            let _ = tokio::io::copy(&mut read, &mut write).await;
        }
    });
    port
}

async fn open_tcp(overlay: &Overlay, agent: &PeerKey, port: u16) -> steading::net::Stream {
    let mut stream = overlay.open(agent).await.unwrap();
    let open = Open {
        session: uuid::Uuid::from_u128(20).into(),
        user: None,
        recorded_as: SessionKind::Forward,
        marks: None,
        kind: Kind::Tcp { host: "127.0.0.1".to_owned(), port },
    };
    opening::open(&mut stream, &open).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"hello");
    stream
}

#[tokio::test]
async fn streams_come_directly_and_a_removed_peer_is_cut_at_once() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start().await;
    server.agent(home.path());
    let (overlay, port) = (overlay_of(&server).await, echo_port(&server).await);
    let mut connection = server.connection().await;
    let (key, endpoints) = connection.hello().await;
    let us = peer(overlay.key(), PeerKind::Server, "fd7a::1".parse().unwrap(), overlay.endpoints());
    connection.say(&say_manifest(manifest(vec![], vec![us]))).await;
    overlay.set_peer(&peer(key, PeerKind::Agent, "fd7a::2".parse().unwrap(), endpoints));
    let mut stream = open_tcp(&overlay, &key, port).await;

    connection.say(&ToAgent::RemovePeer { key: overlay.key() }).await;
    let began = Clock::machine().instant();
    let mut rest = vec![];
    let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the stream ends");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn streams_come_through_the_servers_relay() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start().await;
    server.agent(home.path());
    let (overlay, port) = (overlay_of(&server).await, echo_port(&server).await);
    let mut connection = server.connection().await;
    let (key, _) = connection.hello().await;
    // Neither knows where the other is.
    let us = peer(overlay.key(), PeerKind::Server, "fd7a::1".parse().unwrap(), vec![]);
    connection.say(&say_manifest(manifest(vec![], vec![us]))).await;
    overlay.set_peer(&peer(key, PeerKind::Agent, "fd7a::2".parse().unwrap(), vec![]));

    let (to_relay, mut relayed) = tokio::sync::mpsc::channel(64);
    let (input, to) = (overlay.attach_relay(to_relay), connection.to.clone());
    let named = move |frame: &[u8], sender: PeerKey| {
        let (_, segment, datagrams) = relay::decode(frame).unwrap();
        relay::encode(&sender, u16::try_from(segment).unwrap(), datagrams)
    };
    let our_key = overlay.key();
    server.tasks.spawn("relay to the agent", OnPanic::Lose, async move {
        while let Some(frame) = relayed.recv().await {
            let _ = to.send(Message::Binary(named(&frame, our_key))).await;
        }
    });
    server.tasks.spawn("relay from the agent", OnPanic::Lose, async move {
        loop {
            connection.heard(|frame| input.push(named(&frame, key))).await;
        }
    });
    open_tcp(&overlay, &key, port).await;
}
