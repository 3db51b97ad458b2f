//! Who an agent is, how long its token counts, and what is kept of its log.

use serde_json::json;
use steading::model::id::LogSourceId;
use steading::model::log::LogLevel;
use steading::server::app::Actor;

use super::{World, made, uuid};
use crate::harness::Client;

#[tokio::test]
async fn an_agents_token_counts_only_while_its_build_is_the_running_one() {
    let world = World::new().await;
    let app = &world.server.app;
    let workspace = world.adas("kiln").await;
    assert!(app.authenticate_agent("token-a").await.unwrap().is_none());
    world.done(made("token-a", 1)).await;
    let Some(Actor::Agent { agent, .. }) = app.authenticate_agent("token-a").await.unwrap() else {
        panic!("the agent is let in");
    };
    let brief = app.agent_brief(agent).await.unwrap();
    assert_eq!(brief.agent.spec.env["KEY"], "secret-in-env");
    assert!(brief.agent.spec.scripts[0].script.contains("secret-in-a-script"));
    // It stays while it is being stopped, so that its stop scripts can report.
    world.build(&world.ada, &workspace, json!({ "transition": "stop" })).await.expect(201);
    assert!(app.authenticate_agent("token-a").await.unwrap().is_some());
    world.done(made("token-a", 2)).await;
    assert!(app.authenticate_agent("token-a").await.unwrap().is_none());
    world.build(&world.ada, &workspace, json!({ "transition": "start" })).await.expect(201);
    world.done(made("token-b", 3)).await;
    assert!(app.authenticate_agent("token-a").await.unwrap().is_none());
    assert!(app.authenticate_agent("token-b").await.unwrap().is_some());
}

#[tokio::test]
async fn logs_of_agents_are_stored_once_and_within_their_limit() {
    use steading::model::agent::AgentLogLine;
    let world = World::new().await;
    let app = &world.server.app;
    world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    let Some(Actor::Agent { agent, .. }) = app.authenticate_agent("token-a").await.unwrap() else {
        panic!("the agent is let in");
    };
    let line = |output: String| AgentLogLine {
        id: 0,
        at_ms: 1,
        level: LogLevel::Info,
        source_id: LogSourceId(uuid()),
        output,
    };
    let life = || "life".to_owned();
    for _ in 0..2 {
        let stored = app.agent_logs(agent, (life(), 1), vec![line("one".into())]).await.unwrap();
        assert_eq!(stored, 1);
    }
    let path = format!("/api/v2/workspaceagents/{agent}/logs");
    let logs = world.server.get(&world.ada, &path).await.expect(200).json();
    assert_eq!(logs.as_array().unwrap().len(), 1);
    assert_eq!(logs[0]["output"], "one");
    for seq in 2..6 {
        let lines = (0..100).map(|_| line("x".repeat(4000))).collect();
        app.agent_logs(agent, (life(), seq), lines).await.unwrap();
    }
    let logs = world.server.get(&world.ada, &path).await.expect(200).json();
    let logs = logs.as_array().unwrap();
    assert!(logs.len() < 300, "{} lines", logs.len());
    assert!(logs.last().unwrap()["output"].as_str().unwrap().contains("longer than 1 MiB"));
}

#[tokio::test]
async fn a_token_lent_to_a_workspace_ends_with_its_stop() {
    let world = World::new().await;
    let workspace = world.adas("kiln").await;
    let claim = world.claim().await;
    let work = world.server.app.build_work(claim.job).await.unwrap();
    let lent = Client { token: Some(work.session_token), ..Client::default() };
    world.server.app.finish_build(claim.job, made("token-a", 1)).await.unwrap();
    let me = world.server.get(&lent, "/api/v2/users/me").await.expect(200).json();
    assert_eq!(me["username"], "ada");
    world.build(&world.ada, &workspace, json!({ "transition": "stop" })).await.expect(201);
    world.done(made("token-a", 2)).await;
    world.server.get(&lent, "/api/v2/users/me").await.expect(401);
}
