//! People, templates, workspaces, builds and agents that the gallery shows, all with fixed data.

use std::collections::BTreeMap;

use steading::model::agent::{Agent, AgentLogLine, App, Lifecycle, MetadataValue, Resource};
use steading::model::app::{AppHealth, AppOpenIn, AppShare, AppSpec};
use steading::model::build::{Build, BuildReason, Job, JobStatus, Transition};
use steading::model::log::{LogEnd, LogLevel, LogLine, LogSource};
use steading::model::name::{TemplateName, UserName, WorkspaceName};
use steading::model::policy::{Scope, Subject};
use steading::model::resource::{
    AgentSpec, DisplayApps, MetadataSpec, ResourceMetadata, ResourceSpec,
};
use steading::model::session::{EndReason, Session, SessionKind};
use steading::model::template::{Template, Version};
use steading::model::time::Timestamp;
use steading::model::user::{LoginType, SiteRole, User, UserKind, UserRef, UserStatus};
use steading::model::workspace::Workspace;
use steading::server::html::layout::{Csrf, Visit, Ways};
use steading::server::html::parts::notice::Flash;
use steading::server::html::paths::Home;

/// 20 November 2026, 14:30 UTC, a Friday.
pub const NOW: Timestamp = Timestamp(1_795_185_000);

/// `secs` before now.
pub fn before(secs: i64) -> Timestamp {
    Timestamp(NOW.0 - secs)
}

/// An id that is the same in every run.
pub fn id<T: From<uuid::Uuid>>(n: u128) -> T {
    uuid::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + n).into()
}

pub fn user(n: u128, name: &str, roles: &[SiteRole]) -> User {
    User {
        id: id(n),
        username: UserName::parse(name).expect("a name of the gallery is valid"),
        name: String::new(),
        email: format!("{name}@hearth.lan"),
        kind: UserKind::Person,
        status: UserStatus::Active,
        login_type: LoginType::Password,
        roles: roles.to_vec(),
        organizations: vec![id(1)],
        organization_roles: vec![],
        created_at: before(250 * 86_400),
        updated_at: before(20 * 86_400),
        last_seen_at: Some(before(10)),
    }
}

pub fn ada() -> User {
    User { name: "Ada Lovelace".into(), ..user(11, "ada", &[SiteRole::Owner]) }
}

pub fn grace() -> User {
    user(12, "grace", &[SiteRole::TemplateAdmin])
}

pub fn linus() -> User {
    User { last_seen_at: Some(before(2 * 86_400)), ..user(14, "linus", &[]) }
}

pub fn reference(user: &User) -> UserRef {
    UserRef { id: user.id, username: user.username.clone() }
}

/// A visit of `user`.
pub fn visit(user: User) -> Visit {
    let ways = Ways::of(&Subject::of(&user, &[], Scope::ALL));
    let (csrf, home) = (Csrf("c5f0a1".into()), Home::default());
    Visit { user, csrf, flash: None, now: NOW, ways, home, waiting: 2 }
}

/// A visit with a message of the last page.
pub fn told(user: User, flash: Flash) -> Visit {
    Visit { flash: Some(flash), ..visit(user) }
}

pub fn job(status: JobStatus, secs_ago: i64, took: i64) -> Job {
    let started = !matches!(status, JobStatus::Pending);
    Job {
        id: id(900),
        status,
        error: match status {
            JobStatus::Failed => {
                "terraform apply: docker_container.workspace[0]: no space left on device".into()
            }
            _ => String::new(),
        },
        created_at: before(secs_ago),
        started_at: started.then(|| before(secs_ago - 1)),
        ended_at: (!status.is_active()).then(|| before(secs_ago - took)),
        log_kept: true,
    }
}

pub fn build(number: i64, transition: Transition, status: JobStatus, secs_ago: i64) -> Build {
    Build {
        id: id(500 + u128::from(number.unsigned_abs())),
        workspace_id: id(100),
        number,
        transition,
        reason: BuildReason::Initiator,
        initiator: reference(&ada()),
        version_id: id(301),
        version_name: "v11".into(),
        job: job(status, secs_ago, 48),
        daily_cost: 4,
        refused_cost: None,
        deadline: None,
        has_external_agent: false,
        resources: vec![],
    }
}

pub fn workspace(n: u128, name: &str, owner: &User, latest: Build) -> Workspace {
    Workspace {
        id: id(100 + n),
        organization_id: id(1),
        template_home: String::new(),
        owner: reference(owner),
        name: WorkspaceName::parse(name).expect("a name of the gallery is valid"),
        template_id: id(300),
        template_name: TemplateName::parse("docker").expect("a name of the gallery is valid"),
        template_display_name: "Docker".into(),
        template_icon: "/icon/docker.svg".into(),
        template_active_version_id: id(301),
        created_at: before(90 * 86_400),
        updated_at: before(600),
        last_used_at: before(120),
        autostart_schedule: "CRON_TZ=Europe/London 0 8 * * 1-5".into(),
        ttl_s: Some(9 * 3600),
        automatic_updates: true,
        latest_build: latest,
    }
}

fn app(slug: &str, name: &str, health: AppHealth) -> App {
    App {
        spec: AppSpec {
            id: id(700),
            slug: slug.into(),
            display_name: name.into(),
            command: String::new(),
            url: "http://localhost:13337/?folder=/home/coder".into(),
            icon: format!("/icon/{slug}.svg"),
            subdomain: true,
            share: AppShare::Owner,
            external: false,
            healthcheck: None,
            order: 0,
            group: String::new(),
            hidden: false,
            open_in: AppOpenIn::Tab,
            tooltip: String::new(),
        },
        health,
    }
}

fn apps() -> Vec<App> {
    let mut top = app("btop", "btop", AppHealth::Disabled);
    top.spec.command = "btop".into();
    let mut docs = app("docs", "Handbook", AppHealth::Disabled);
    docs.spec.external = true;
    docs.spec.url = "https://docs.hearth.lan".into();
    let mut unsafe_link = app("odd", "Odd link", AppHealth::Disabled);
    unsafe_link.spec.external = true;
    unsafe_link.spec.url = "javascript:alert(1)".into();
    vec![
        app("code", "code-server", AppHealth::Healthy),
        app("jupyter", "Jupyter", AppHealth::Initializing),
        app("postgres", "Adminer", AppHealth::Unhealthy),
        top,
        docs,
        unsafe_link,
    ]
}

fn metadata(key: &str, name: &str, order: i64) -> MetadataSpec {
    MetadataSpec {
        key: key.into(),
        display_name: name.into(),
        script: "true".into(),
        interval_s: 10,
        timeout_s: 1,
        order,
    }
}

/// The spec of an agent with metadata and no apps.
pub fn agent_spec(n: u128, name: &str) -> AgentSpec {
    AgentSpec {
        id: id(n),
        name: name.into(),
        os: "linux".into(),
        arch: "arm64".into(),
        directory: String::new(),
        env: BTreeMap::new(),
        token: String::new(),
        instance_id: String::new(),
        connection_timeout_s: 120,
        troubleshooting_url: "https://docs.hearth.lan/agents".into(),
        motd_file: String::new(),
        display_apps: DisplayApps::default(),
        order: 0,
        api_key_scope: "all".into(),
        external: false,
        apps: vec![],
        scripts: vec![],
        metadata: vec![
            metadata("cpu", "CPU", 1),
            metadata("mem", "Memory", 2),
            metadata("disk", "Home disk", 3),
            metadata("load", "Load", 4),
            metadata("gpu", "GPU", 5),
        ],
    }
}

pub fn agent(n: u128, name: &str, lifecycle: Lifecycle) -> Agent {
    Agent {
        id: id(n),
        spec: agent_spec(n, name),
        created_at: before(19_900),
        first_connected_at: Some(before(19_880)),
        last_connected_at: Some(before(3)),
        disconnected_at: None,
        lifecycle,
        started_at: Some(before(19_880)),
        ready_at: (lifecycle == Lifecycle::Ready).then(|| before(19_860)),
        version: "0.1.0".into(),
        expanded_directory: "/home/ada".into(),
        health: None,
        apps: if name == "main" { apps() } else { vec![] },
    }
}

/// An agent that was never heard of.
pub fn silent_agent(age: i64) -> Agent {
    Agent {
        created_at: before(age),
        first_connected_at: None,
        last_connected_at: None,
        version: String::new(),
        ..agent(401, "main", Lifecycle::Created)
    }
}

pub fn values(n: u128) -> BTreeMap<steading::model::id::AgentId, Vec<MetadataValue>> {
    let value = |key: &str, value: &str, error: &str| MetadataValue {
        key: key.into(),
        value: value.into(),
        error: error.into(),
        collected_at: before(5),
    };
    BTreeMap::from([(
        id(n),
        vec![
            value("cpu", "38%", ""),
            value("mem", "5.2/8 GB", ""),
            value("disk", "17.4/20 GB", ""),
            value("load", "0.31 0.20 0.18", ""),
            value("gpu", "", "exit status 127: nvidia-smi: command not found"),
        ],
    )])
}

pub fn resource(kind: &str, name: &str, agents: Vec<Agent>) -> Resource {
    Resource {
        id: id(600),
        created_at: before(19_900),
        kind: kind.into(),
        name: name.into(),
        hide: false,
        icon: if kind.starts_with("docker") { "/icon/docker.svg".into() } else { String::new() },
        daily_cost: if agents.is_empty() { 0 } else { 4 },
        metadata: vec![
            ResourceMetadata {
                key: "image".into(),
                value: Some("debian:13".into()),
                sensitive: false,
            },
            ResourceMetadata {
                key: "password".into(),
                value: Some("s3cret".into()),
                sensitive: true,
            },
            ResourceMetadata { key: "empty".into(), value: None, sensitive: false },
        ],
        agents,
    }
}

pub fn resource_spec(kind: &str, name: &str, agent: Option<&str>) -> ResourceSpec {
    ResourceSpec {
        id: id(601),
        address: format!("{kind}.{name}"),
        kind: kind.into(),
        name: name.into(),
        hide: false,
        icon: String::new(),
        daily_cost: 4,
        instance_type: String::new(),
        metadata: vec![],
        agents: agent.map(|a| agent_spec(401, a)).into_iter().collect(),
    }
}

pub fn line(offset_s: i64, stage: &str, level: LogLevel, output: &str) -> LogLine {
    LogLine {
        at_ms: (NOW.0 - 19_900 + offset_s) * 1000,
        source: if stage == "Done" { LogSource::Daemon } else { LogSource::Provisioner },
        level,
        stage: stage.into(),
        output: output.into(),
    }
}

pub fn log() -> LogEnd {
    use LogLevel::{Error, Info, Warn};
    let lines = vec![
        line(0, "Planning", Info, "docker_image.main: refreshing state, id sha256:41c8d0"),
        line(3, "Planning", Info, "docker_volume.home: kept, 3.1 GB"),
        line(6, "Planning", Info, "Plan: 2 to add, 0 to change, 1 to destroy."),
        line(7, "Applying", Info, "docker_container.workspace[0]: creating"),
        line(
            8,
            "Applying",
            Warn,
            "docker_container.workspace[0]: the option \"mounts\" is deprecated",
        ),
        line(
            25,
            "Applying",
            Info,
            "docker_container.workspace[0]: created after 18 s <script>alert(1)</script>",
        ),
        line(
            26,
            "Applying",
            Error,
            "Error: a very long line that does not fit into the width of any page and has to be scrolled to be read to its very end, which is here",
        ),
        line(48, "Done", Info, "ready"),
    ];
    LogEnd { lines, cursor: 8, left_out: 0 }
}

pub fn agent_log() -> Vec<AgentLogLine> {
    [
        (LogLevel::Info, "git fetch: 12 new commits on main"),
        (LogLevel::Warn, "cargo: 1 yanked crate in Cargo.lock"),
        (LogLevel::Info, "done"),
    ]
    .into_iter()
    .enumerate()
    .map(|(i, (level, output))| AgentLogLine {
        id: i64::try_from(i).expect("three lines"),
        at_ms: NOW.0 * 1000 - 19_860_000,
        level,
        source_id: id(800),
        output: output.into(),
    })
    .collect()
}

pub fn session(n: u128, user: &User, kind: SessionKind, began: i64, ended: Option<i64>) -> Session {
    Session {
        id: id(1000 + n),
        user: reference(user),
        workspace_id: id(101),
        workspace_name: "kiln".into(),
        agent_id: id(401),
        agent_name: "main".into(),
        kind,
        address: "192.168.4.33".into(),
        client: if kind == SessionKind::Ssh { "OpenSSH_10.0".into() } else { String::new() },
        began_at: before(began),
        ended_at: ended.map(before),
        end_reason: ended.map(|e| if e > 50_000 { EndReason::Lost } else { EndReason::Closed }),
        bytes_out: 1_843_221,
        bytes_in: 14_022,
    }
}

pub fn template(name: &str, label: &str) -> Template {
    Template {
        id: id(300),
        organization_id: id(1),
        home: String::new(),
        name: TemplateName::parse(name).expect("a name of the gallery is valid"),
        display_name: label.into(),
        description: "A container on this box with a home volume that outlives it.".into(),
        icon: "/icon/docker.svg".into(),
        active_version_id: id(301),
        active_version_name: "v12".into(),
        created_by: reference(&ada()),
        created_at: before(200 * 86_400),
        updated_at: before(4_000),
        deprecation: String::new(),
        default_ttl_s: 8 * 3600,
        n_workspaces: 7,
    }
}

pub fn version(n: u128, name: &str, status: JobStatus, message: &str) -> Version {
    Version {
        id: id(300 + n),
        template_id: Some(id(300)),
        organization_id: id(1),
        name: name.into(),
        message: message.into(),
        file_id: id(2),
        job: job(status, 4_000, 9),
        created_by: reference(&grace()),
        created_at: before(4_000),
        updated_at: before(4_000),
        archived: false,
        readme: String::new(),
        has_external_agent: false,
    }
}

pub const README: &str = "---\ndisplay_name: Docker\n---\n# Docker\n\nOne container for each workspace on the host's own Docker. `/home` is a volume and stays through rebuilds; everything else starts fresh.\n\n## What you choose\n\n- **Cores**, 1 to 8, growing only.\n- **Memory**, 1 to 24 GB. See [the limits](https://docs.hearth.lan/limits).\n\n| Image | Has |\n| --- | --- |\n| `rust` | cargo, git |\n| `node` | npm |\n\n```sh\nsteading templates push docker -d .\n```\n\n<img src=x onerror=alert(1)>\n";
