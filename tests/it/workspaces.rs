//! The path of a workspace through the use cases and the API, with a runner made of test code.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use steading::model::build::{BuildReason, JobStatus, Transition};
use steading::model::id::{AgentId, JobId, LogSourceId, ResourceId, ScriptId, WorkspaceId};
use steading::model::log::{LogLevel, LogLine, LogSource};
use steading::model::parameter::{FormType, Monotonic, Parameter, ParameterType, Validation};
use steading::model::resource::{AgentSpec, DisplayApps, ResourceSpec, ScriptSpec};
use steading::model::template::Imported;
use steading::provision::starters;
use steading::server::app::build_requests::BuildRequest;
use steading::server::app::jobs::{BuildOutcome, Claim, ImportFailure, Left};
use steading::server::app::{Actor, Error};

use crate::harness::{Client, TestServer};

/// A state that is one, and says which.
fn state(serial: u32) -> Vec<u8> {
    json!({ "version": 4, "serial": serial, "resources": [] }).to_string().into_bytes()
}

fn uuid() -> uuid::Uuid {
    steading::clock::Entropy::machine().uuid4()
}

/// A parameter `cores` that may only grow.
fn cores() -> Parameter {
    Parameter {
        name: "cores".into(),
        display_name: String::new(),
        description: String::new(),
        kind: ParameterType::Number,
        form_type: FormType::Slider,
        styling: "{}".into(),
        mutable: true,
        ephemeral: false,
        required: false,
        default_value: "2".into(),
        icon: String::new(),
        order: 0,
        options: vec![],
        validation: Validation {
            min: Some(1),
            max: Some(8),
            monotonic: Some(Monotonic::Increasing),
            ..Validation::default()
        },
    }
}

/// One container with one agent of this token.
fn resources(token: &str) -> Vec<ResourceSpec> {
    let script = ScriptSpec {
        id: ScriptId(uuid()),
        log_source_id: LogSourceId(uuid()),
        display_name: "Startup Script".into(),
        icon: String::new(),
        script: "echo secret-in-a-script".into(),
        log_path: String::new(),
        cron: String::new(),
        start_blocks_login: true,
        run_on_start: true,
        run_on_stop: false,
        timeout_s: 0,
    };
    let agent = AgentSpec {
        id: AgentId(uuid()),
        name: "main".into(),
        os: "linux".into(),
        arch: "amd64".into(),
        directory: String::new(),
        env: BTreeMap::from([("KEY".to_owned(), "secret-in-env".to_owned())]),
        token: token.into(),
        instance_id: String::new(),
        connection_timeout_s: 120,
        troubleshooting_url: String::new(),
        motd_file: String::new(),
        display_apps: DisplayApps::default(),
        order: 0,
        api_key_scope: "all".into(),
        external: false,
        apps: vec![],
        scripts: vec![script],
        metadata: vec![],
    };
    vec![ResourceSpec {
        id: ResourceId(uuid()),
        address: "docker_container.dev".into(),
        kind: "docker_container".into(),
        name: "dev".into(),
        hide: false,
        icon: String::new(),
        daily_cost: 3,
        instance_type: String::new(),
        metadata: vec![],
        agents: vec![agent],
    }]
}

/// A server with a template `kiln` whose version `v1` is imported, and people signed in.
struct World {
    server: TestServer,
    tess: Client,
    ada: Client,
    ben: Client,
    olga: Client,
    template: Value,
}

impl World {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let tess = server.sign_in("tess").await;
        let (ada, ben) = (server.sign_in("ada").await, server.sign_in("ben").await);
        let olga = server.sign_in("olga").await;
        let mut world = Self { server, tess, ada, ben, olga, template: Value::Null };
        let version = world.push(None, Ok(imported())).await;
        let body = json!({ "name": "kiln", "template_version_id": version["id"] });
        let path = "/api/v2/organizations/default/templates";
        world.template = world.server.post(&world.tess, path, body).await.expect(201).json();
        world
    }

    /// Pushes a version and ends its import.
    async fn push(
        &self,
        template: Option<&Value>,
        result: Result<Imported, ImportFailure>,
    ) -> Value {
        let body = json!({ "example_id": "docker", "storage_method": "file",
            "provisioner": "terraform", "template_id": template });
        let path = "/api/v2/organizations/default/templateversions";
        let version = self.server.post(&self.tess, path, body).await.expect(201).json();
        let claim = self.claim().await;
        self.server.app.import_work(claim.job).await.unwrap();
        self.server.app.finish_import(claim.job, result).await.unwrap();
        version
    }

    async fn claim(&self) -> Claim {
        self.server.app.claim_job("test").await.unwrap().expect("a job waits")
    }

    async fn create(&self, who: &Client, body: Value) -> crate::harness::Reply {
        self.server.post(who, "/api/v2/users/me/workspaces", body).await
    }

    /// Ada's workspace, asked for and not yet built.
    async fn adas(&self, name: &str) -> Value {
        let body = json!({ "name": name, "template_id": self.template["id"] });
        self.create(&self.ada, body).await.expect(201).json()
    }

    /// Does the build that waits.
    async fn done(&self, outcome: BuildOutcome) -> JobId {
        let claim = self.claim().await;
        self.server.app.build_work(claim.job).await.unwrap();
        self.server.app.finish_build(claim.job, outcome).await.unwrap();
        claim.job
    }

    async fn build(&self, who: &Client, workspace: &Value, body: Value) -> crate::harness::Reply {
        let path = format!("/api/v2/workspaces/{}/builds", id(workspace));
        self.server.post(who, &path, body).await
    }
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

fn imported() -> Imported {
    Imported { parameters: vec![cores()], ..Imported::default() }
}

fn made(token: &str, serial: u32) -> BuildOutcome {
    BuildOutcome {
        state: Some(state(serial)),
        resources: resources(token),
        daily_cost: 3,
        ..BuildOutcome::default()
    }
}

#[tokio::test]
async fn a_workspace_starts_stops_and_is_deleted_and_its_name_is_free_again() {
    let world = World::new().await;
    let workspace = world.adas("kiln").await;
    assert_eq!(workspace["latest_build"]["status"], "pending");
    world.done(made("token-a", 1)).await;
    let path = format!("/api/v2/workspaces/{}", id(&workspace));
    let seen = world.server.get(&world.ada, &path).await.expect(200).json();
    assert_eq!(seen["latest_build"]["status"], "running");
    let agent = &seen["latest_build"]["resources"][0]["agents"][0];
    assert_eq!(agent["status"], "connecting");
    assert_eq!(agent["scripts"][0]["start_blocks_login"], true);
    assert!(!seen.to_string().contains("secret-in"), "{seen}");
    let taken = json!({ "name": "KILN", "template_id": world.template["id"] });
    world.create(&world.ada, taken.clone()).await.expect(409);
    world.build(&world.ada, &workspace, json!({ "transition": "delete" })).await.expect(201);
    let job = world.done(BuildOutcome::default()).await;
    world.server.get(&world.ada, &path).await.expect(404);
    // Who waits for the delete sees its end.
    let last = world.server.app.import_work(job).await;
    assert!(matches!(last, Err(Error::NotFound(_))));
    world.create(&world.ada, taken).await.expect(201);
}

#[tokio::test]
async fn the_build_of_a_deleted_workspace_stays_readable_for_its_owner_alone() {
    let world = World::new().await;
    let workspace = world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    let build = world.build(&world.ada, &workspace, json!({ "transition": "delete" })).await;
    let path = format!("/api/v2/workspacebuilds/{}", id(&build.expect(201).json()));
    world.done(BuildOutcome::default()).await;
    let seen = world.server.get(&world.ada, &path).await.expect(200).json();
    assert_eq!(seen["status"], "deleted");
    world.server.get(&world.ben, &path).await.expect(404);
}

#[tokio::test]
async fn nobody_sees_or_touches_what_is_not_theirs() {
    let world = World::new().await;
    let workspace = world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    let path = format!("/api/v2/workspaces/{}", id(&workspace));
    world.server.get(&world.ben, &path).await.expect(404);
    world.server.get(&world.tess, &path).await.expect(200);
    world.server.get(&world.olga, &path).await.expect(200);
    let stop = json!({ "transition": "stop" });
    world.build(&world.ben, &workspace, stop.clone()).await.expect(404);
    world.build(&world.tess, &workspace, stop.clone()).await.expect(403);
    let orphan = json!({ "transition": "delete", "orphan": true });
    world.build(&world.ada, &workspace, orphan).await.expect(403);
    world.build(&world.olga, &workspace, stop).await.expect(201);
    let list = world.server.get(&world.ben, "/api/v2/workspaces").await.json();
    assert_eq!(list["count"], 0);
    let list = world.server.get(&world.olga, "/api/v2/workspaces?q=owner:ada").await.json();
    assert_eq!(
        (list["count"].clone(), list["workspaces"][0]["name"].clone()),
        (json!(1), json!("kiln"))
    );
    let none = world.server.get(&world.olga, "/api/v2/workspaces?q=owner:me").await.json();
    assert_eq!(none["count"], 0);
    world.server.get(&world.olga, "/api/v2/workspaces?q=colour:red").await.expect(400);
}

#[tokio::test]
async fn answers_are_carried_over_and_may_only_grow() {
    let world = World::new().await;
    let values = |n: &str| json!([{ "name": "cores", "value": n }]);
    let body = json!({ "name": "kiln", "template_id": world.template["id"],
        "rich_parameter_values": values("4") });
    let workspace = world.create(&world.ada, body).await.expect(201).json();
    world.done(made("token-a", 1)).await;
    let build = world.build(&world.ada, &workspace, json!({ "transition": "stop" })).await;
    let build = build.expect(201).json();
    let path = format!("/api/v2/workspacebuilds/{}/parameters", id(&build));
    assert_eq!(world.server.get(&world.ada, &path).await.json(), values("4"));
    world.done(made("token-a", 2)).await;
    let smaller = json!({ "transition": "start", "rich_parameter_values": values("2") });
    let refused = world.build(&world.ada, &workspace, smaller).await.expect(400).json();
    assert_eq!(refused["validations"][0]["field"], "cores");
    let larger = json!({ "transition": "start", "rich_parameter_values": values("8") });
    world.build(&world.ada, &workspace, larger).await.expect(201);
    let claim = world.claim().await;
    let work = world.server.app.build_work(claim.job).await.unwrap();
    assert_eq!(
        (work.parameters[0].value.as_str(), work.previous_parameters[0].value.as_str()),
        ("8", "4")
    );
    assert_eq!(work.state, Some(state(2)));
    assert!(!work.session_token.is_empty());
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
async fn a_build_the_server_died_in_is_marked_and_its_state_is_kept() {
    let world = World::new().await;
    let app = &world.server.app;
    let workspace = world.adas("kiln").await;
    let claim = world.claim().await;
    app.build_work(claim.job).await.unwrap();
    // The server is gone here; the next one finds what Terraform had written.
    let left = Left { ended_process: true, state: Some(state(7)) };
    let n = app.resolve_interrupted(BTreeMap::from([(claim.job, left)])).await.unwrap();
    assert_eq!(n, 1);
    let path = format!("/api/v2/workspacebuilds/{}", id(&workspace["latest_build"]));
    let build = world.server.get(&world.ada, &path).await.expect(200).json();
    assert_eq!(build["status"], "failed");
    let logs = world.server.get(&world.ada, &format!("{path}/logs")).await.json().to_string();
    assert!(
        logs.contains("The server was stopped during this build; what exists is kept"),
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
    let left = Left { ended_process: false, state: Some(state(9)) };
    app.resolve_interrupted(BTreeMap::from([(job, left)])).await.unwrap();
    world.build(&world.ada, &workspace, json!({ "transition": "delete" })).await.expect(201);
    let next = world.claim().await;
    assert_eq!(app.build_work(next.job).await.unwrap().state, Some(state(9)));
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
async fn a_template_in_use_stays_and_versions_are_promoted_and_archived() {
    let world = World::new().await;
    let template = format!("/api/v2/templates/{}", id(&world.template));
    world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    world.server.delete(&world.tess, &template).await.expect(409);
    world.server.delete(&world.ada, &template).await.expect(403);
    let failed = Err(ImportFailure::Failed("no main.tf".into()));
    let bad = world.push(Some(&world.template["id"]), failed).await;
    assert_eq!(bad["name"], "v2");
    let promote = |v: &Value| json!({ "id": v["id"] });
    let versions = format!("{template}/versions");
    world.server.patch(&world.tess, &versions, promote(&bad)).await.expect(409);
    let good = world.push(Some(&world.template["id"]), Ok(imported())).await;
    world.server.patch(&world.tess, &versions, promote(&good)).await.expect(200);
    let list = world.server.get(&world.ada, "/api/v2/workspaces?q=outdated:true").await.json();
    assert_eq!(list["count"], 1);
    let archived = world.server.post(&world.tess, &format!("{versions}/archive"), json!({})).await;
    assert_eq!(archived.expect(200).json()["archived_ids"], json!([bad["id"]]));
    let list = world.server.get(&world.ada, &versions).await.json();
    let names: Vec<_> = list.as_array().unwrap().iter().map(|v| v["name"].clone()).collect();
    assert_eq!(names, ["v3", "v1"]);
    let deprecate = json!({ "deprecation_message": "use the other" });
    world.server.patch(&world.tess, &template, deprecate).await.expect(200);
    let body = json!({ "name": "late", "template_id": world.template["id"] });
    let refused = world.create(&world.ada, body).await.expect(409).text;
    assert!(refused.contains("use the other"), "{refused}");
}

#[tokio::test]
async fn uploads_are_kept_once_and_only_tar_is_taken() {
    let world = World::new().await;
    let actor = actor(&world, "tess").await;
    let archive = starters::ALL[0].archive();
    let first = world.server.app.upload_file(&actor, archive.clone()).await.unwrap();
    assert_eq!(world.server.app.upload_file(&actor, archive.clone()).await.unwrap(), first);
    assert_eq!(world.server.app.file(&actor, first).await.unwrap(), archive);
    let zip = bytes::Bytes::from_static(&[b'P'; 2000]);
    assert!(world.server.app.upload_file(&actor, zip).await.is_err());
    let ada = self::actor(&world, "ada").await;
    assert!(matches!(world.server.app.upload_file(&ada, archive).await, Err(Error::Denied(_))));
    assert!(matches!(world.server.app.file(&ada, first).await, Err(Error::NotFound(_))));
}

async fn actor(world: &World, name: &str) -> Actor {
    let token = world.server.sign_in(name).await.token.unwrap();
    world.server.app.authenticate(&token, "192.0.2.1").await.unwrap().unwrap()
}

#[tokio::test]
async fn a_workspace_stops_by_itself_when_its_time_is_over() {
    let world = World::new().await;
    let body = json!({ "name": "kiln", "template_id": world.template["id"], "ttl_ms": 3_600_000,
        "autostart_schedule": "CRON_TZ=Europe/Berlin 0 9 * * 1-5" });
    let workspace = world.create(&world.ada, body).await.expect(201).json();
    world.done(made("token-a", 1)).await;
    let app = &world.server.app;
    assert!(app.overdue_workspaces().await.unwrap().is_empty());
    world.server.clock.advance(std::time::Duration::from_secs(3601));
    let due: Vec<WorkspaceId> = app.overdue_workspaces().await.unwrap();
    assert_eq!(due.iter().map(ToString::to_string).collect::<Vec<_>>(), [id(&workspace)]);
    let stop = BuildRequest::new(Transition::Stop, BuildReason::Autostop);
    let build = app.create_build(&Actor::System, due[0], stop).await.unwrap();
    assert_eq!(build.initiator.username.as_str(), "ada");
    assert!(app.overdue_workspaces().await.unwrap().is_empty());
    let bad = json!({ "schedule": "0 9 1 * *" });
    let path = format!("/api/v2/workspaces/{}/autostart", id(&workspace));
    world.server.put(&world.ada, &path, bad).await.expect(400);
}

/// What happens to a workspace, as the database is asked to do it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ask(Transition),
    Claim,
    Cancel,
    Succeed,
    Fail,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Ask(Transition::Start)),
        Just(Step::Ask(Transition::Stop)),
        Just(Step::Ask(Transition::Delete)),
        Just(Step::Claim),
        Just(Step::Cancel),
        Just(Step::Succeed),
        Just(Step::Fail),
        Just(Step::Restart),
    ]
}

/// Takes a step; the state that the last ended build left is in `kept`.
async fn take(
    world: &World,
    workspace: WorkspaceId,
    at: usize,
    step: Step,
    kept: &mut Option<Vec<u8>>,
) {
    let app = &world.server.app;
    let serial = u32::try_from(at).unwrap();
    let last = app.builds(&Actor::System, workspace, steading::server::app::Page::default()).await;
    let last = last.unwrap().remove(0);
    let running = matches!(last.job.status, JobStatus::Running | JobStatus::Canceling);
    match step {
        Step::Ask(transition) => {
            let request = BuildRequest::new(transition, BuildReason::Initiator);
            let asked = app.create_build(&Actor::System, workspace, request).await;
            match asked {
                Ok(build) => {
                    assert!(!last.job.status.is_active());
                    assert_eq!(build.number, last.number + 1);
                }
                Err(Error::Conflict(_)) => assert!(last.job.status.is_active()),
                Err(Error::NotFound(_)) => assert_eq!(last.transition, Transition::Delete),
                Err(other) => panic!("{other}"),
            }
        }
        Step::Claim => {
            if let Some(claim) = app.claim_job("test").await.unwrap() {
                assert_eq!(last.job.status, JobStatus::Pending);
                assert_eq!(app.build_work(claim.job).await.unwrap().state, *kept);
            }
        }
        Step::Cancel => drop(app.cancel_build(&Actor::System, last.id).await),
        Step::Succeed | Step::Fail if running => {
            let error = matches!(step, Step::Fail).then(|| "no".to_owned());
            let end = BuildOutcome { error, ..made("token", serial) };
            app.finish_build(last.job.id, end).await.unwrap();
            *kept = Some(state(serial));
        }
        Step::Succeed | Step::Fail => {}
        Step::Restart => {
            let left = Left { ended_process: false, state: Some(state(serial)) };
            let left = running.then_some((last.job.id, left)).into_iter().collect();
            let n = app.resolve_interrupted(left).await.unwrap();
            assert_eq!(n, usize::from(running));
            if running {
                *kept = Some(state(serial));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn numbers_are_dense_one_build_is_active_and_the_next_gets_the_last_state(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let workspace: WorkspaceId = id(&world.adas("kiln").await).parse().unwrap();
            let mut kept = None;
            for (at, step) in steps.into_iter().enumerate() {
                let gone = world.server.app.workspace(&Actor::System, workspace).await.unwrap();
                if gone.status() == steading::model::build::WorkspaceStatus::Deleted {
                    break;
                }
                take(&world, workspace, at, step, &mut kept).await;
            }
        });
    }
}

#[tokio::test]
async fn this_program_is_served_for_this_platform_with_its_hash() {
    let world = World::new().await;
    let anyone = Client::default();
    let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
    let path = format!("/bin/coder-linux-{arch}");
    world.server.get(&anyone, "/bin/coder-plan9-mips").await.expect(404);
    world.server.get(&anyone, &format!("{path}.asc")).await.expect(404);
    let none = Client { headers: vec![("if-none-match", "\"\"".to_owned())], ..Client::default() };
    let reply = world.server.call(&none, http::Method::HEAD, &path, None).await.expect(200);
    let etag = reply.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(etag.len(), 42);
    assert!(reply.headers.contains_key("content-length"));
    let current = Client { headers: vec![("if-none-match", etag)], ..Client::default() };
    world.server.get(&current, &path).await.expect(304);
    let script =
        world.server.get(&anyone, "/api/v2/init-script/linux/amd64").await.expect(200).text;
    assert!(script.contains("bin/coder-linux-amd64") && !script.contains("${A"), "{script}");
}
