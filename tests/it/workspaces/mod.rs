//! The path of a workspace through the use cases and the API, with a runner made of test code.

mod agents;
mod endings;
mod external;
mod forms;
mod health;
mod live;
mod path;
mod steps;
mod streams;
mod templates;
mod waking;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use steading::model::id::{AgentId, JobId, LogSourceId, ResourceId, ScriptId};
use steading::model::parameter::{FormType, Monotonic, Parameter, ParameterType, Validation};
use steading::model::resource::{AgentSpec, DisplayApps, ResourceSpec, ScriptSpec};
use steading::model::template::Imported;
use steading::server::app::jobs::{BuildOutcome, Claim, ImportFailure};

use crate::harness::{Client, TestServer};

/// A state that is one, and says which.
pub fn state(serial: u32) -> Vec<u8> {
    json!({ "version": 4, "serial": serial, "resources": [] }).to_string().into_bytes()
}

pub fn uuid() -> uuid::Uuid {
    steading::clock::Entropy::machine().uuid4()
}

/// A parameter `cores` that may only grow.
pub fn cores() -> Parameter {
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
pub fn resources(token: &str) -> Vec<ResourceSpec> {
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
pub struct World {
    pub server: TestServer,
    pub tess: Client,
    pub ada: Client,
    pub ben: Client,
    pub olga: Client,
    pub template: Value,
}

impl World {
    pub async fn new() -> Self {
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
    pub async fn push(
        &self,
        template: Option<&Value>,
        result: Result<Imported, ImportFailure>,
    ) -> Value {
        let body = json!({ "example_id": "docker", "storage_method": "file",
            "provisioner": "terraform", "template_id": template });
        let path = "/api/v2/organizations/default/templateversions";
        let version = self.server.post(&self.tess, path, body).await.expect(201).json();
        self.server.clock.advance(std::time::Duration::from_secs(1));
        let claim = self.claim().await;
        self.server.app.import_work(claim.job).await.unwrap();
        self.server.app.finish_import(claim.job, result).await.unwrap();
        version
    }

    pub async fn claim(&self) -> Claim {
        self.server.app.claim_job("test").await.unwrap().expect("a job waits")
    }

    pub async fn create(&self, who: &Client, body: Value) -> crate::harness::Reply {
        self.server.post(who, "/api/v2/users/me/workspaces", body).await
    }

    /// Ada's workspace, asked for and not yet built.
    pub async fn adas(&self, name: &str) -> Value {
        let body = json!({ "name": name, "template_id": self.template["id"] });
        self.create(&self.ada, body).await.expect(201).json()
    }

    /// Does the build that waits.
    pub async fn done(&self, outcome: BuildOutcome) -> JobId {
        let claim = self.claim().await;
        self.server.app.build_work(claim.job).await.unwrap();
        self.server.app.finish_build(claim.job, outcome).await.unwrap();
        claim.job
    }

    pub async fn build(
        &self,
        who: &Client,
        workspace: &Value,
        body: Value,
    ) -> crate::harness::Reply {
        let path = format!("/api/v2/workspaces/{}/builds", id(workspace));
        self.server.post(who, &path, body).await
    }
}

pub fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

pub fn imported() -> Imported {
    Imported { parameters: vec![cores()], ..Imported::default() }
}

pub fn made(token: &str, serial: u32) -> BuildOutcome {
    BuildOutcome {
        state: Some(state(serial)),
        resources: resources(token),
        daily_cost: 3,
        ..BuildOutcome::default()
    }
}
