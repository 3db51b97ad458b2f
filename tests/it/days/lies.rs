//! An agent that lies: what it says is refused or cut, told in the log, and harms nobody else.

use serde_json::{Value, json};
use steading::model::peer::{PeerKey, PeerKind};
use steading::wire::agent::{Manifest, ToAgent};

use super::api::Api;
use super::liar::{Channel, Identity, hello, logs};
use crate::e2e::site::{Site, eventually};

/// What the database has in one place.
fn stored(site: &Site, sql: &str) -> String {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let path = site.path("data/steading.db");
    let database = rusqlite::Connection::open_with_flags(path, flags).unwrap();
    let value: rusqlite::types::Value = database.query_row(sql, [], |row| row.get(0)).unwrap();
    match value {
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Integer(n) => n.to_string(),
        other => format!("{other:?}"),
    }
}

fn manifest(answer: ToAgent) -> Manifest {
    match answer {
        ToAgent::Manifest { manifest } => *manifest,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refusal(answer: &ToAgent) -> &str {
    match answer {
        ToAgent::Refused { why } => why,
        other => panic!("{other:?}"),
    }
}

/// Everything that an agent can say of others, or wrongly of itself, with what follows from it.
fn lies(victim: &Identity, key: PeerKey) -> Vec<Value> {
    let nobody = uuid::Uuid::from_u128(7).to_string();
    let far = i64::MAX;
    vec![
        hello(key),
        json!({ "type": "app_health", "apps": { (victim.app.as_str()): "unhealthy" } }),
        json!({ "type": "metadata", "values": [
            { "key": "secrets", "value": "x", "error": "", "collected_at": 0 } ] }),
        json!({ "type": "metadata", "values": [
            { "key": "load", "value": "v".repeat(900_000), "error": "", "collected_at": far } ] }),
        json!({ "type": "script_done", "script": nobody, "stage": "start", "started_ms": far,
            "ended_ms": -far, "exit_code": 0, "timed_out": false }),
        json!({ "type": "lifecycle", "state": "ready", "at_ms": far }),
        json!({ "type": "session_began", "session": nobody, "peer": key.to_string(),
            "kind": "ssh" }),
        json!({ "type": "session_ended", "session": nobody, "bytes_out": u64::MAX,
            "bytes_in": u64::MAX }),
        json!({ "type": "ports", "ports": vec![
            json!({ "port": 1, "process": "p".repeat(200) }); 1000] }),
        json!({ "type": "endpoints", "endpoints": vec!["127.0.0.1:1"; 1000] }),
        json!({ "type": "stats", "stats": { "cpu": 1e308, "cores": -1e308, "memory_used": u64::MAX,
            "memory_total": 0, "disk_used": u64::MAX, "disk_total": 0, "sessions": u32::MAX,
            "rx_bytes": u64::MAX, "tx_bytes": u64::MAX } }),
        json!({ "type": "lifecycle", "state": "perfect", "at_ms": 0 }),
        json!({ "type": "grant", "agent": victim.agent }),
        logs(u64::MAX, &["from beyond"]),
        logs(1, &["x"; 1001]),
        json!([1, 2, 3]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_lies_is_cut_short_and_named_in_the_log() {
    let site = Site::new();
    let (victim, liar) = (Identity::new(&site, "kiln"), Identity::new(&site, "forge"));
    let api = Api::of(&site);
    let (own, other) = (PeerKey([7; 32]), PeerKey([9; 32]));
    let (mut honest, answer) = Channel::greeted(&site, &victim, &hello(own)).await;
    let server = manifest(answer).peers.into_iter().find(|p| p.kind == PeerKind::Server).unwrap();
    honest.logs(1, &["all is well"]).await;

    // Out of order: nothing is taken from who has not said who it is.
    let mut silent = Channel::open(&site, &liar).await;
    silent.say(&logs(1, &["too early"])).await;
    assert!(silent.heard().await.is_none());
    // Another's key would be another's place.
    for stolen in [own, server.key] {
        let (_, answer) = Channel::greeted(&site, &liar, &hello(stolen)).await;
        assert!(refusal(&answer).contains("this key is another's"), "{answer:?}");
    }

    let mut wrong = hello(other);
    wrong["version"] = json!("v".repeat(10_000));
    wrong["endpoints"] = json!(vec!["127.0.0.1:1"; 500]);
    let (mut channel, answer) = Channel::greeted(&site, &liar, &wrong).await;
    let told = manifest(answer);
    assert_eq!(told.agent_id.to_string(), liar.agent);
    for lie in lies(&victim, own) {
        channel.say(&lie).await;
    }
    channel.say_text("no JSON \u{1b}[2J".to_owned()).await;
    channel.logs(2, &["a line of its own", &"l".repeat(100_000)]).await;
    check_liar(&site, &api, &liar);

    // More in one message than there may be: it is hung up on, and may come again.
    channel.say(&json!({ "type": "metadata", "values": "v".repeat(2 << 20) })).await;
    while channel.heard().await.is_some() {}
    let (mut channel, _) = Channel::greeted(&site, &liar, &hello(other)).await;
    channel.logs(3, &["again"]).await;

    // Of all this, the other one has noticed nothing.
    honest.logs(2, &["all is still well"]).await;
    let shown = victim.shown(&api);
    assert_eq!(
        (&shown["status"], &shown["lifecycle_state"]),
        (&json!("connected"), &json!("created"))
    );
    assert_eq!(shown["apps"][0]["health"], "initializing");
    let lines = api.get(&format!("/workspaceagents/{}/logs", victim.agent));
    assert_eq!(lines.as_array().unwrap().len(), 2, "{lines}");
    let log = site.server_log();
    let named = log.lines().filter(|l| l.contains(&liar.agent) && l.contains("is wrong")).count();
    assert!((8..60).contains(&named), "{named} lines name the agent");
    for what in ["no hello", "another's", "a text that is too long", "a time that is not now"] {
        assert!(log.contains(what), "{what:?} is not told");
    }
    assert!(!log.lines().any(|l| l.contains(&victim.agent) && l.contains("is wrong")));
    assert!(log.lines().all(|line| line.len() < 2000), "a line of the log is long");
}

/// What is left of the lies where a person looks.
fn check_liar(site: &Site, api: &Api, liar: &Identity) {
    let shown = liar.shown(api);
    assert_eq!(shown["version"].as_str().unwrap().len(), 64);
    assert_eq!(shown["lifecycle_state"], "ready");
    let ready = shown["ready_at"].as_str().unwrap();
    assert!(ready.starts_with("20"), "{ready}");
    assert_eq!(stored(site, "SELECT length(value) FROM agent_metadata WHERE key = 'load'"), "2048");
    let count = |sql: &str| stored(site, &format!("SELECT count(*) FROM {sql}"));
    assert_eq!(count("agent_metadata WHERE key <> 'load'"), "0");
    assert_eq!(count("agent_scripts"), "0");
    assert_eq!(count("connections"), "0");
    let lines = api.get(&format!("/workspaceagents/{}/logs", liar.agent));
    let lines: Vec<&str> =
        lines.as_array().unwrap().iter().map(|l| l["output"].as_str().unwrap()).collect();
    assert_eq!((lines.len(), lines[0]), (2, "a line of its own"));
    assert!(lines[1].contains("bytes more") && lines[1].len() < 4200, "{}", lines[1].len());
    assert!(api.page("/@ada/forge").contains("forge"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_from_an_agent_is_kept_to_its_bound_and_holds_nobody_up() {
    let site = Site::new();
    let flooder = Identity::new(&site, "forge");
    let api = Api::of(&site);
    let (mut channel, _) = Channel::greeted(&site, &flooder, &hello(PeerKey([9; 32]))).await;
    let line = |n: usize| format!("{n:06} {}", "x".repeat(40));
    let lines: Vec<String> = (0..30_000).map(line).collect();
    let pages: Vec<Vec<&str>> =
        lines.chunks(500).map(|c| c.iter().map(String::as_str).collect()).collect();
    let mut made = 0;
    for (seq, page) in (1..).zip(&pages) {
        channel.say(&logs(seq, page)).await;
        // Others write meanwhile, and the log is read while it grows.
        if seq % 10 == 0 {
            let token = json!({ "token_name": format!("t{seq}") });
            api.made("/users/me/keys/tokens", &token);
            assert!(api.page("/@ada/forge").contains("forge"));
            made += 1;
        }
    }
    channel.logs(u64::try_from(pages.len()).unwrap() + 1, &["the last"]).await;
    assert_eq!(made, 6);
    let kept = api.get(&format!("/workspaceagents/{}/logs", flooder.agent));
    let kept: Vec<&str> =
        kept.as_array().unwrap().iter().map(|l| l["output"].as_str().unwrap()).collect();
    let (last, kept) = kept.split_last().unwrap();
    assert!(last.contains("longer than 1 MiB; what follows is not kept"), "{last}");
    assert!(kept.iter().zip(&lines).all(|(kept, said)| kept == said), "a line is lost or moved");
    let bytes: usize = kept.iter().map(|l| l.len()).sum();
    assert!(bytes.abs_diff(1 << 20) < 4096, "{bytes} bytes are kept");

    // Nonsense without end is told now and then, and still it may speak.
    for _ in 0..3000 {
        channel.say_text("{}".to_owned()).await;
    }
    channel.logs(1000, &["after the nonsense"]).await;
    let told = eventually("the log", || {
        let log = site.server_log();
        Some(log.lines().filter(|l| l.contains(&flooder.agent) && l.contains("wrong")).count())
    });
    assert!((1..40).contains(&told), "{told} lines of the log");
}
