//! How builds end: cancelled, interrupted, with a log within its limit and a sealed state.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use steading::model::build::{BuildReason, Transition};
use steading::model::id::WorkspaceId;
use steading::model::log::{LogLevel, LogLine, LogSource};
use steading::server::app::Actor;
use steading::server::app::build_requests::BuildRequest;
use steading::server::app::jobs::{BuildOutcome, Left};

use super::{World, id, made, state};

#[tokio::test]
async fn a_build_the_server_died_in_is_marked_and_its_state_is_kept() {
    let world = World::new().await;
    let app = &world.server.app;
    let workspace = world.adas("kiln").await;
    let claim = world.claim().await;
    app.build_work(claim.job).await.unwrap();
    // The server is gone here; the next one finds what Terraform had written.
    let said = vec!["Terraform was interrupted.".to_owned()];
    let left = Left { said, state: Some(state(7)) };
    let n = app.resolve_interrupted(BTreeMap::from([(claim.job, left)])).await.unwrap();
    assert_eq!(n, 1);
    let path = format!("/api/v2/workspacebuilds/{}", id(&workspace["latest_build"]));
    let build = world.server.get(&world.ada, &path).await.expect(200).json();
    assert_eq!(build["status"], "failed");
    let logs = world.server.get(&world.ada, &format!("{path}/logs")).await.json().to_string();
    assert!(
        logs.contains("Terraform was interrupted.")
            && logs.contains("The server was stopped during this build; what exists is kept"),
        "{logs}"
    );
    world.build(&world.ada, &workspace, json!({ "transition": "start" })).await.expect(201);
    let next = world.claim().await;
    assert_eq!(app.build_work(next.job).await.unwrap().state, Some(state(7)));
}

#[tokio::test]
async fn a_state_that_was_left_after_the_end_of_its_build_is_kept_too() {
    let world = World::new().await;
    let app = &world.server.app;
    let workspace = world.adas("kiln").await;
    let failed = BuildOutcome { error: Some("no".into()), ..BuildOutcome::default() };
    let job = world.done(failed).await;
    let left = Left { said: vec![], state: Some(state(9)) };
    app.resolve_interrupted(BTreeMap::from([(job, left)])).await.unwrap();
    world.build(&world.ada, &workspace, json!({ "transition": "delete" })).await.expect(201);
    let next = world.claim().await;
    assert_eq!(app.build_work(next.job).await.unwrap().state, Some(state(9)));
}

#[tokio::test]
async fn a_restart_is_one_intention_that_is_stored_with_its_stop() {
    let world = World::new().await;
    let app = &world.server.app;
    let workspace = world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    let path = format!("/api/v2/workspaces/{}", id(&workspace));
    let restart = || {
        let id = WorkspaceId(id(&workspace).parse().unwrap());
        let stop = BuildRequest::new(Transition::Stop, BuildReason::Dashboard);
        app.create_build(&Actor::System, id, BuildRequest { then_start: true, ..stop })
    };
    let latest = async || {
        let seen = world.server.get(&world.ada, &path).await.expect(200).json();
        let build = &seen["latest_build"];
        format!("{} {} by {}", build["transition"], build["status"], build["initiator_name"])
    };
    restart().await.unwrap();
    world.done(BuildOutcome::default()).await;
    assert_eq!(latest().await, r#""start" "pending" by "ada""#);
    world.done(made("token-b", 2)).await;

    // A stop that failed is not followed by anything.
    restart().await.unwrap();
    world.done(BuildOutcome { error: Some("no".into()), ..BuildOutcome::default() }).await;
    assert_eq!(latest().await, r#""stop" "failed" by "ada""#);

    // Nor one whose asker may no more; the workspace is stopped all the same.
    restart().await.unwrap();
    let suspend = "/api/v2/users/ada/status/suspend";
    world.server.put(&world.olga, suspend, json!({})).await.expect(200);
    world.done(BuildOutcome::default()).await;
    let build = world.server.get(&world.olga, &path).await.expect(200).json();
    assert_eq!(build["latest_build"]["status"], "stopped");
    let log = format!("/api/v2/workspacebuilds/{}/logs", id(&build["latest_build"]));
    let log = world.server.get(&world.olga, &log).await.expect(200).json().to_string();
    assert!(log.contains("The workspace is not started again: who asked"), "{log}");
}

#[tokio::test]
async fn a_jobs_log_ends_with_one_line_that_says_so() {
    let world = World::new().await;
    let workspace = world.adas("kiln").await;
    let claim = world.claim().await;
    let line = |output: String| LogLine {
        at_ms: 1,
        source: LogSource::Provisioner,
        level: LogLevel::Info,
        stage: "Planning".into(),
        output,
    };
    for _ in 0..25 {
        let lines = (0..100).map(|_| line("x".repeat(5000))).collect();
        world.server.app.append_logs(claim, lines).await.unwrap();
    }
    let path = format!("/api/v2/workspacebuilds/{}/logs", id(&workspace["latest_build"]));
    let logs = world.server.get(&world.ada, &path).await.expect(200).json();
    let logs = logs.as_array().unwrap();
    let said = |l: &&Value| l["output"].as_str().unwrap().contains("longer than 8 MiB");
    assert_eq!(logs.iter().filter(said).count(), 1);
    assert!(said(&logs.last().unwrap()));
    let bytes: usize = logs.iter().map(|l| l["output"].as_str().unwrap().len()).sum();
    assert!(bytes <= (8 << 20) + 5000, "{bytes}");
    let after = format!("{path}?after={}", logs[logs.len() - 2]["id"]);
    let rest = world.server.get(&world.ada, &after).await.expect(200).json();
    assert_eq!(rest.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_cancelled_build_ends_at_once_while_it_waits_and_by_its_runner_later() {
    let world = World::new().await;
    let workspace = world.adas("kiln").await;
    let path = format!("/api/v2/workspacebuilds/{}", id(&workspace["latest_build"]));
    let cancel = format!("{path}/cancel");
    world.server.patch(&world.ada, &cancel, json!({})).await.expect(200);
    assert_eq!(world.server.get(&world.ada, &path).await.json()["status"], "canceled");
    let again = world.build(&world.ada, &workspace, json!({ "transition": "start" })).await;
    let path = format!("/api/v2/workspacebuilds/{}", id(&again.expect(201).json()));
    let claim = world.claim().await;
    world.server.patch(&world.ada, &format!("{path}/cancel"), json!({})).await.expect(200);
    assert_eq!(world.server.get(&world.ada, &path).await.json()["status"], "canceling");
    assert!(world.server.app.is_canceling(claim.job).await.unwrap());
    let ended = BuildOutcome { canceled: true, state: Some(state(1)), ..BuildOutcome::default() };
    world.server.app.finish_build(claim.job, ended).await.unwrap();
    assert_eq!(world.server.get(&world.ada, &path).await.json()["status"], "canceled");
}

#[tokio::test]
async fn states_are_for_template_admins_and_sealed_on_disk() {
    let world = World::new().await;
    let workspace = world.adas("kiln").await;
    world.done(made("token-of-the-agent", 4_711_815)).await;
    let path = format!("/api/v2/workspacebuilds/{}/state", id(&workspace["latest_build"]));
    world.server.get(&world.ada, &path).await.expect(403);
    let found = world.server.get(&world.tess, &path).await.expect(200);
    assert_eq!(found.json()["serial"], 4_711_815);
    let file = std::fs::read(&world.server.db_path).unwrap();
    let wal = std::fs::read(world.server.db_path.with_extension("db-wal")).unwrap_or_default();
    for secret in ["4711815", "token-of-the-agent", "secret-in-env", "secret-in-a-script"] {
        let has = |bytes: &[u8]| bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
        assert!(!has(&file) && !has(&wal), "{secret} stands in the database");
    }
}
