//! What is old goes in small steps, and nothing else does.

use std::time::Duration;

use axum::body::Body;
use http::{Method, header};
use rusqlite::Connection;
use serde_json::json;
use steading::model::agent::AgentLogLine;
use steading::model::id::LogSourceId;
use steading::model::log::LogLevel;
use steading::model::user::SiteRole;
use steading::server::app::Actor;
use steading::server::app::retention::{LINES, Old, ROWS, Retention};

use super::seed;
use crate::harness::{Client, TestServer, person};

const DAY: Duration = Duration::from_hours(24);

/// A server with an owner, forty workspaces and what a year leaves of them.
async fn server() -> TestServer {
    let kept = Retention { logs: 90 * DAY, connections: 365 * DAY, audit: Duration::ZERO };
    let server = TestServer::with(|policy| policy.retention = kept, |_| {}).await;
    server.app.create_first_user(person("olga")).await.unwrap();
    seed::seed(&server.db_path, &(0..40), server.clock.now().0, &seed::YEAR);
    server
}

fn number(server: &TestServer, sql: &str) -> usize {
    let conn = Connection::open(&server.db_path).unwrap();
    let n: i64 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
    usize::try_from(n).unwrap()
}

fn rows(server: &TestServer, table: &str) -> usize {
    number(server, &format!("SELECT count(*) FROM {table}"))
}

/// Takes every step there is for something old; how many rows of these tables each took.
async fn forget(server: &TestServer, old: Old, tables: &[&str]) -> Vec<usize> {
    let all = || tables.iter().map(|t| rows(server, t)).sum::<usize>();
    let mut steps = Vec::new();
    loop {
        let before = all();
        let more = server.app.forget_step(old).await.unwrap();
        steps.push(before - all());
        if !more {
            seed::check(&server.db_path);
            return steps;
        }
    }
}

/// What an agent says and runs.
fn say(server: &TestServer, agent: u32, lines: u32) {
    let mut conn = Connection::open(&server.db_path).unwrap();
    let tx = conn.transaction().unwrap();
    let id = format!("00000000-000a-7000-8000-{agent:012x}");
    for n in 0..lines {
        tx.execute(
            "INSERT INTO agent_logs (agent_id, at_ms, level, source_id, output)
             VALUES (?1, 0, 'info', '', 'line ' || ?2)",
            (&id, n),
        )
        .unwrap();
    }
    tx.execute(
        "INSERT INTO agent_scripts (agent_id, script_id, stage, started_ms, ended_ms, exit_code,
             timed_out) VALUES (?1, '', 'start', 0, 0, 0, 0)",
        [&id],
    )
    .unwrap();
    tx.commit().unwrap();
}

#[tokio::test]
async fn logs_of_builds_go_after_their_time_and_their_builds_stay() {
    let server = server().await;
    let page = "/@person000000/work000003/builds/1";
    let there = rows(&server, "job_logs") + rows(&server, "timings");
    let others = ["jobs", "builds", "states", "connections", "audit"];
    let before = others.map(|table| rows(&server, table));
    server.clock.advance(89 * DAY);
    assert_eq!(forget(&server, Old::JobLogs, &["job_logs", "timings"]).await, [0]);
    server.clock.advance(2 * DAY);
    let olga = server.sign_in("olga").await;
    assert!(server.get(&olga, page).await.expect(200).text.contains("line 300"));
    let steps = forget(&server, Old::JobLogs, &["job_logs", "timings"]).await;
    assert!(steps.iter().all(|n| *n <= LINES), "{steps:?}");
    assert_eq!(steps.iter().sum::<usize>(), there);
    assert_eq!(number(&server, "SELECT count(*) FROM jobs WHERE log_kept = 1"), 0);
    let text = server.get(&olga, page).await.expect(200).text;
    assert!(text.contains("the log was removed for its age"), "{text}");
    let after = others.map(|table| rows(&server, table));
    assert_eq!(after[..4], before[..4]);
    assert!(after[4] >= before[4]);
}

#[tokio::test]
async fn logs_of_agents_go_when_their_agent_was_not_heard_for_so_long() {
    let server = server().await;
    say(&server, 3, 1200);
    say(&server, 4, 7);
    say(&server, 5, 7);
    let heard = "00000000-000a-7000-8000-000000000004".parse().unwrap();
    server.clock.advance(89 * DAY);
    server.app.agent_connected(heard, "1", "/").await.unwrap();
    server.clock.advance(2 * DAY);
    let steps = forget(&server, Old::AgentLogs, &["agent_logs", "agent_scripts"]).await;
    assert!(steps.iter().all(|n| *n <= LINES), "{steps:?}");
    assert_eq!(steps.iter().sum::<usize>(), (1200 + 1) + (7 + 1));
    assert_eq!(rows(&server, "agent_logs"), 7);
    // One that comes back speaks again, within its limit, and is forgotten again.
    let back = "00000000-000a-7000-8000-000000000005".parse().unwrap();
    let line = AgentLogLine {
        id: 0,
        at_ms: 0,
        level: LogLevel::Info,
        source_id: LogSourceId(uuid::Uuid::nil()),
        output: "back".to_owned(),
    };
    server.app.agent_logs(back, ("life".to_owned(), 1), vec![line]).await.unwrap();
    assert_eq!(rows(&server, "agent_logs"), 8);
    server.clock.advance(91 * DAY);
    forget(&server, Old::AgentLogs, &["agent_logs"]).await;
    assert_eq!(rows(&server, "agent_logs"), 0);
}

#[tokio::test]
async fn sessions_go_a_year_after_their_end_and_not_while_they_last() {
    let server = server().await;
    let last = rows(&server, "connections WHERE ended_at IS NULL");
    let over = rows(&server, "connections WHERE ended_at IS NOT NULL");
    server.clock.advance(364 * DAY);
    assert_eq!(forget(&server, Old::Connections, &["connections"]).await, [0]);
    server.clock.advance(2 * DAY);
    let steps = forget(&server, Old::Connections, &["connections"]).await;
    assert!(steps.iter().all(|n| *n <= ROWS), "{steps:?}");
    assert_eq!(steps.iter().sum::<usize>(), over);
    assert_eq!(rows(&server, "connections"), last);
}

#[tokio::test]
async fn tokens_and_failures_go_a_day_after_their_end() {
    let server = server().await;
    server.sign_in("olga").await;
    let wrong = json!({ "email": "olga", "password": "wrong" });
    server.post(&Client::default(), "/api/v2/users/login", wrong).await.expect(401);
    assert!(rows(&server, "lockouts") > 0 && rows(&server, "tokens") > 0);
    server.clock.advance(DAY);
    for old in Old::ALL {
        forget(&server, old, &[]).await;
    }
    assert!(rows(&server, "lockouts") > 0 && rows(&server, "tokens") > 0);
    server.clock.advance(2 * DAY);
    for old in Old::ALL {
        forget(&server, old, &[]).await;
    }
    assert_eq!((rows(&server, "lockouts"), rows(&server, "tokens")), (0, 0));
}

#[tokio::test]
async fn uploads_go_when_no_version_came_of_them() {
    let server = server().await;
    let system = Actor::System;
    server.app.create_user(&system, person("tess")).await.unwrap();
    let roles = [SiteRole::TemplateAdmin].into();
    server.app.set_user_roles(&system, "tess", roles).await.unwrap();
    let (olga, tess) = (server.sign_in("olga").await, server.sign_in("tess").await);
    upload(&server, &olga, 1).await;
    upload(&server, &olga, 2).await;
    upload(&server, &olga, 3).await;
    upload(&server, &tess, 3).await;
    server.clock.advance(DAY / 2);
    // Whoever sends it again is about to use it.
    let again = upload(&server, &olga, 2).await;
    server.clock.advance(DAY * 2 / 3);
    // A step for each upload, and one that finds no more.
    assert_eq!(forget(&server, Old::Uploads, &["files"]).await, [1, 1, 1, 0]);
    // What a version is made from, and what was sent again.
    assert_eq!((rows(&server, "files"), rows(&server, "archives")), (2, 2));
    let olga = server.sign_in("olga").await;
    assert_eq!(upload(&server, &olga, 2).await, again);
    server.clock.advance(DAY * 2);
    assert_eq!(forget(&server, Old::Uploads, &["files"]).await, [1, 0]);
    assert_eq!((rows(&server, "files"), rows(&server, "archives")), (1, 1));
}

/// Sends an archive of so many empty blocks; its id.
async fn upload(server: &TestServer, client: &Client, blocks: usize) -> String {
    let request = client
        .request(Method::POST, "/api/v2/files")
        .header(header::CONTENT_TYPE, "application/x-tar")
        .body(Body::from(vec![0; 1024 * blocks]))
        .unwrap();
    let reply = server.send(request).await;
    assert!(reply.status.is_success(), "{}", reply.text);
    reply.json()["hash"].as_str().unwrap().to_owned()
}
