//! Workspaces on machines that someone else runs: what is done with them, and who gets their tokens.

use serde_json::{Value, json};
use steading::model::template::Imported;
use steading::server::app::Actor;
use steading::server::app::jobs::BuildOutcome;

use super::live::Stream;
use super::streams::listen;
use super::{World, id, imported, made};
use crate::harness::{Client, Reply};

/// What a build of such a template makes.
pub(super) fn external(token: &str, serial: u32) -> BuildOutcome {
    let mut outcome = made(token, serial);
    for agent in outcome.resources.iter_mut().flat_map(|r| &mut r.agents) {
        agent.external = true;
        agent.arch = "arm64".into();
        agent.connection_timeout_s = 0;
    }
    outcome
}

/// Ada's workspace `pi`, and its agent's token.
pub(super) async fn attached() -> (World, Value) {
    let world = World::new().await;
    let import = Imported { has_external_agent: true, ..imported() };
    let version = world.push(None, Ok(import)).await;
    let body = json!({ "name": "boards", "template_version_id": version["id"] });
    let path = "/api/v2/organizations/default/templates";
    let template = world.server.post(&world.tess, path, body).await.expect(201).json();
    let body = json!({ "name": "pi", "template_id": template["id"], "ttl_ms": 3_600_000 });
    let pi = world.create(&world.ada, body).await.expect(201).json();
    assert_eq!(pi["latest_build"]["has_external_agent"], true);
    world.done(external("token-a", 1)).await;
    (world, pi)
}

async fn credentials(world: &World, who: &Client, of: &Value, agent: &str) -> Reply {
    let path = format!("/api/v2/workspaces/{}/external-agent/{agent}/credentials", id(of));
    world.server.get(who, &path).await
}

#[tokio::test]
async fn the_line_to_run_is_for_who_looks_after_the_workspace() {
    let (world, pi) = attached().await;
    let told = credentials(&world, &world.ada, &pi, "Main").await.expect(200).json();
    assert_eq!(told["agent_token"], "token-a");
    let command = told["command"].as_str().unwrap();
    let ends = "/api/v2/init-script/linux/arm64\" | CODER_AGENT_TOKEN=\"token-a\" sh";
    assert!(command.starts_with("curl -fsSL \"http") && command.ends_with(ends), "{command}");
    credentials(&world, &world.ada, &pi, "other").await.expect(404);
    credentials(&world, &world.ben, &pi, "main").await.expect(404);
    // Who may work in it may not pass for its machine.
    let users = json!({ "user_roles": { (id_of(&world, "ben").await): "use" } });
    let acl = format!("/api/v2/workspaces/{}/acl", id(&pi));
    world.server.patch(&world.ada, &acl, users).await.expect(204);
    credentials(&world, &world.ben, &pi, "main").await.expect(403);
    let page = world.server.get(&world.ada, "/@ada/pi/attach").await.expect(200).text;
    assert!(page.contains("CODER_AGENT_TOKEN=&quot;token-a&quot; sh"), "{page}");
    world.server.get(&world.ben, "/@ada/pi/attach").await.expect(403);
    // A machine that the deployment runs has none.
    let kiln = world.adas("kiln").await;
    world.done(made("token-k", 1)).await;
    credentials(&world, &world.ada, &kiln, "main").await.expect(404);
    let page = world.server.get(&world.ada, "/@ada/kiln/attach").await.expect(200).text;
    assert!(page.contains("There is nothing to attach"), "{page}");
}

pub(super) async fn id_of(world: &World, name: &str) -> String {
    let path = format!("/api/v2/users/{name}");
    id(&world.server.get(&world.olga, &path).await.expect(200).json())
}

#[tokio::test]
async fn a_machine_that_someone_else_runs_is_not_stopped() {
    let (world, pi) = attached().await;
    let refused = world.build(&world.ada, &pi, json!({ "transition": "stop" })).await.expect(409);
    assert!(refused.text.contains("omeone else runs this machine"), "{}", refused.text);
    let path = format!("/api/v2/workspaces/{}", id(&pi));
    let shown = world.server.get(&world.ada, &path).await.expect(200).json();
    assert_eq!(shown["latest_build"]["deadline"], Value::Null, "no time to run ends it");
    let soon = json!({ "deadline": "2100-01-01T00:00:00Z" });
    world.server.put(&world.ada, &format!("{path}/extend"), soon).await.expect(409);
    world
        .server
        .put(&world.ada, &format!("{path}/ttl"), json!({ "ttl_ms": 60_000 }))
        .await
        .expect(204);
    assert!(world.server.app.overdue_workspaces().await.unwrap().is_empty());
    let page = world.server.get(&world.ada, "/@ada/pi").await.expect(200).text;
    for absent in ["/@ada/pi/stop", "/@ada/pi/start", "/@ada/pi/restart"] {
        assert!(!page.contains(absent), "{absent}");
    }
    assert!(page.contains("Waits for its machine") && page.contains("/@ada/pi/attach"), "{page}");
    assert!(page.contains("stays as it is"), "what deleting does to the machine");
    let list = world.server.get(&world.ada, "/workspaces").await.expect(200).text;
    assert!(!list.contains("/@ada/pi/stop") && list.contains("Waits for its machine"));
    // A newer version is brought by a start, and the agent keeps its token.
    world.build(&world.ada, &pi, json!({ "transition": "start" })).await.expect(201);
    world.done(external("token-a", 2)).await;
    assert!(world.server.app.authenticate_agent("token-a").await.unwrap().is_some());
}

#[tokio::test]
async fn a_token_that_went_astray_is_ended_and_others_are_made() {
    let (world, pi) = attached().await;
    let app = &world.server.app;
    let path = format!("/api/v2/workspaces/{}/external-agent/new-tokens", id(&pi));
    let kiln = world.adas("kiln").await;
    world.done(made("token-k", 1)).await;
    let other = format!("/api/v2/workspaces/{}/external-agent/new-tokens", id(&kiln));
    world.server.post(&world.ada, &other, json!({})).await.expect(409);
    world.server.post(&world.ben, &path, json!({})).await.expect(404);
    assert!(app.authenticate_agent("token-a").await.unwrap().is_some());

    let page = world.server.get(&world.ada, "/@ada/pi/attach").await.expect(200).text;
    assert!(page.contains("/@ada/pi/attach/new-tokens"), "{page}");
    world.server.post(&world.ada, &path, json!({})).await.expect(204);
    assert!(app.authenticate_agent("token-a").await.unwrap().is_none(), "at once");
    world.server.post(&world.ada, &path, json!({})).await.expect(409);
    world.done(external("token-b", 2)).await;
    let told = credentials(&world, &world.ada, &pi, "main").await.expect(200).json();
    assert_eq!(told["agent_token"], "token-b");
    assert!(app.authenticate_agent("token-a").await.unwrap().is_none());
    assert!(app.authenticate_agent("token-b").await.unwrap().is_some());
}

#[tokio::test]
async fn deleting_ends_the_token_before_anything_is_removed() {
    let (world, pi) = attached().await;
    let app = &world.server.app;
    assert!(app.authenticate_agent("token-a").await.unwrap().is_some());
    let asked = world.build(&world.ada, &pi, json!({ "transition": "delete" })).await.expect(201);
    assert!(app.authenticate_agent("token-a").await.unwrap().is_none());
    credentials(&world, &world.ada, &pi, "main").await.expect(404);
    // Who thinks better of it in time has lost nothing.
    let cancel = format!("/api/v2/workspacebuilds/{}/cancel", id(&asked.json()));
    world.server.patch(&world.ada, &cancel, json!({})).await.expect(200);
    assert!(app.authenticate_agent("token-a").await.unwrap().is_some());
    world.build(&world.ada, &pi, json!({ "transition": "delete" })).await.expect(201);
    let failed = BuildOutcome { error: Some("no network".into()), ..external("token-a", 2) };
    world.done(failed).await;
    assert!(app.authenticate_agent("token-a").await.unwrap().is_none(), "also when it fails");
}

#[tokio::test]
async fn they_are_found_by_a_search() {
    let (world, _) = attached().await;
    world.adas("kiln").await;
    let found = async |q: &str| {
        let path = format!("/api/v2/workspaces?q={q}");
        let list = world.server.get(&world.ada, &path).await.expect(200).json();
        let list = list["workspaces"].as_array().unwrap().clone();
        list.iter().map(|w| w["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("has_external_agent:true").await, ["pi"]);
    assert_eq!(found("has_external_agent:false").await, ["kiln"]);
    assert_eq!(found("owner:me").await.len(), 2);
}

#[tokio::test]
async fn the_page_that_waits_sees_the_machine_come() {
    let (world, _) = attached().await;
    let address = listen(&world).await;
    let mut page = Stream::open(address, &world.ada, "/@ada/pi/attach/live").await;
    page.until("Waits for its machine").await;
    let app = &world.server.app;
    let Some(Actor::Agent { agent, .. }) = app.authenticate_agent("token-a").await.unwrap() else {
        panic!("the agent is let in");
    };
    app.agent_connected(agent, "1.2.3", "/home/pi").await.unwrap();
    let came = page.until("Attached").await;
    let last = came.last().unwrap();
    assert!(last.contains("data-state=\"ok\"") && last.contains("/home/pi"), "{last}");
}
