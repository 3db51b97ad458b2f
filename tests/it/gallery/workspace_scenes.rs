//! The pages of workspaces in every state.

use std::collections::BTreeMap;

use maud::{Markup, Render as _};
use steading::model::agent::{Agent, Lifecycle};
use steading::model::build::{Build, BuildReason, JobStatus, Timing, Transition};
use steading::model::editor::Editor;
use steading::model::name::WorkspaceName;
use steading::model::quota::{OverBudget, Quota, QuotaUse, QuotaView};
use steading::model::session::SessionKind;
use steading::model::terminal::{Coming, OpenTerminal, Part, Room, Seat};
use steading::model::verb::{Preset, Verb};
use steading::model::workspace::Workspace;
use steading::server::html::pages::build::BuildPage;
use steading::server::html::pages::builds::Builds;
use steading::server::html::pages::opening::{Opening, link_to};
use steading::server::html::pages::terminal::Terminal;
use steading::server::html::pages::workspace::{Door, Newer, WorkspacePage};
use steading::server::html::pages::workspace_settings::WorkspaceSettings;
use steading::server::html::pages::workspaces::{Entry, Whose, Workspaces};
use steading::server::html::parts::form::Input;
use steading::server::html::parts::notice::{Flash, Tone};

use super::fixtures::{
    NOW, ada, agent, agent_log, before, build, grace, id, linus, log, reference, resource, session,
    silent_agent, told, values, visit, workspace,
};
use super::sharing_scenes::grant;
use super::{Scene, parameters, scene};

fn everything() -> Vec<Verb> {
    Verb::ALL.to_vec()
}

pub fn running(agents: Vec<Agent>) -> Build {
    let mut b = build(31, Transition::Start, JobStatus::Succeeded, 19_900);
    b.resources = vec![
        resource("docker_container", "workspace", agents),
        resource("docker_volume", "home", vec![]),
    ];
    b.deadline = Some(before(-16_200));
    b
}

pub fn page(workspace: Workspace) -> WorkspacePage {
    let mut earlier = build(30, Transition::Stop, JobStatus::Succeeded, 60_000);
    earlier.reason = BuildReason::Autostop;
    let mut failed = build(29, Transition::Start, JobStatus::Failed, 110_000);
    failed.reason = BuildReason::VscodeConnection;
    failed.initiator = reference(&grace());
    let agents: Vec<_> =
        workspace.latest_build.resources.iter().flat_map(|r| &r.agents).map(|a| a.id).collect();
    WorkspacePage {
        visit: visit(ada()),
        may: everything(),
        is_favorite: false,
        newer: None,
        metadata: if agents.is_empty() { BTreeMap::new() } else { values(401) },
        agent_logs: agents.iter().map(|a| (*a, agent_log())).collect(),
        log: log(),
        builds: vec![workspace.latest_build.clone(), earlier, failed],
        sessions: vec![],
        present: (vec![], 0),
        terminals: vec![],
        parameters: vec![
            ("Cores".into(), "4".into()),
            ("Image".into(), "rust".into()),
            ("Startup script".into(), "just setup\ncargo fetch".into()),
            ("Repository".into(), String::new()),
        ],
        door: Door {
            host: "steading.lan".into(),
            port: 7022,
            keys: vec!["ada@thinkpad".into()],
            access_url: "https://steading.lan".into(),
        },
        granted: vec![],
        broken: vec![],
        clashes: vec![],
        whereabouts: vec![],
        machines: vec![],
        workspace,
    }
}

fn busy() -> WorkspacePage {
    let mut w = workspace(1, "kiln", &ada(), running(vec![agent(401, "main", Lifecycle::Ready)]));
    w.template_active_version_id = id(399);
    let mut sessions = vec![
        session(1, &ada(), SessionKind::Vscode, 9_000, None),
        session(2, &grace(), SessionKind::Terminal, 1_500, None),
        session(3, &grace(), SessionKind::Ssh, 900, None),
    ];
    let present = (sessions.clone(), 0);
    sessions.push(session(4, &linus(), SessionKind::Ssh, 130_000, Some(128_000)));
    sessions.push(session(5, &linus(), SessionKind::Sftp, 40_000, Some(39_900)));
    WorkspacePage {
        newer: Some(Newer { name: "v12".into(), message: "Rust 1.93, smaller image.".into() }),
        sessions,
        present,
        terminals: vec![shared_terminal()],
        ..page(w)
    }
}

/// Grace began it, Ada looks after it, and Linus looks on.
fn shared_terminal() -> OpenTerminal {
    let mut room = Room::new(reference(&grace()), before(1_500), (118, 36));
    let people = [(grace(), Part::Typist), (ada(), Part::Moderator), (linus(), Part::Watcher)];
    for (n, (user, rank)) in (0u128..).zip(people) {
        let seat = Seat {
            session: id(1002 + n),
            user: reference(&user),
            rank,
            most: rank,
            coming: Coming::Join,
            through: if n == 1 { SessionKind::Ssh } else { SessionKind::Terminal },
            since: before(1_500 - i64::try_from(n).unwrap_or(0) * 300),
            is_recorded: false,
            window: (118, 36),
            typed_at: (n == 0).then(|| before(1)),
        };
        room.enter(seat).expect("there is room");
    }
    OpenTerminal { id: id(2000), workspace: id(101), agent: id(401), room }
}

fn of_build(b: Build) -> WorkspacePage {
    page(workspace(1, "kiln", &ada(), b))
}

fn opening(editor: Editor) -> Markup {
    let w = busy().workspace;
    let agent = w.latest_build.resources[0].agents[0].clone();
    let link = link_to(editor, "https://steading.lan", (&w, &agent), "aB3dE5gH7j-kL9mN1pQ3rS5tU7v");
    Opening { editor, link, workspace: w }.render()
}

fn states() -> Vec<Scene> {
    let simple = |transition, status| of_build(build(32, transition, status, 20));
    let mut starting = simple(Transition::Start, JobStatus::Running);
    starting.log.lines.truncate(4);
    let mut pending = simple(Transition::Start, JobStatus::Pending);
    pending.log.lines.clear();
    let mut nothing_logged = simple(Transition::Stop, JobStatus::Succeeded);
    nothing_logged.log.lines.clear();
    let mut denied = busy();
    denied.may = vec![Verb::View, Verb::Watch];
    denied.visit = visit(linus());
    denied.newer = None;
    let ours = steading::model::grant::Recipient::User(linus().id);
    denied.granted = vec![grant(9001, ours, Preset::Viewer.verbs(), Some(3_600))];
    let mut flashed = busy();
    flashed.visit = told(ada(), Flash { tone: Tone::Good, text: "Build 31 starts kiln.".into() });
    let mut no_keys = of_build(running(vec![agent(401, "main", Lifecycle::StartError)]));
    no_keys.door.keys.clear();
    vec![
        scene("workspace", busy().render()),
        scene("workspace-opening", opening(Editor::Cursor)),
        scene("workspace-opening-jetbrains", opening(Editor::Jetbrains)),
        scene("workspace-flash", flashed.render()),
        scene("workspace-view-only", denied.render()),
        scene("workspace-script-failed", no_keys.render()),
        scene("workspace-pending", pending.render()),
        scene("workspace-starting", starting.render()),
        scene("workspace-stopping", simple(Transition::Stop, JobStatus::Running).render()),
        scene("workspace-stopped", nothing_logged.render()),
        scene("workspace-failed", simple(Transition::Start, JobStatus::Failed).render()),
        scene("workspace-stop-failed", simple(Transition::Stop, JobStatus::Failed).render()),
        scene("workspace-delete-failed", simple(Transition::Delete, JobStatus::Failed).render()),
        scene("workspace-cancelling", simple(Transition::Start, JobStatus::Canceling).render()),
        scene("workspace-cancelled", simple(Transition::Start, JobStatus::Canceled).render()),
        scene("workspace-deleting", simple(Transition::Delete, JobStatus::Running).render()),
        scene("workspace-deleted", simple(Transition::Delete, JobStatus::Succeeded).render()),
    ]
}

fn agents() -> Vec<Scene> {
    let with = |agents: Vec<Agent>| of_build(running(agents));
    let lost = Agent { disconnected_at: Some(before(1)), ..agent(401, "main", Lifecycle::Ready) };
    let mut several = with(vec![
        agent(401, "main", Lifecycle::Ready),
        agent(402, "db", Lifecycle::Starting),
        agent(403, "a-rather-long-name-for-an-agent", Lifecycle::ShuttingDown),
    ]);
    several.workspace.owner = reference(&grace());
    several.metadata.extend(values(402));
    let mut alone = with(vec![agent(401, "main", Lifecycle::Ready)]);
    if let Some(r) = alone.workspace.latest_build.resources.first_mut() {
        r.kind = "steading_process".into();
        r.metadata = vec![steading::model::resource::ResourceMetadata {
            key: "isolated".into(),
            value: Some("no, the server's user".into()),
            sensitive: false,
        }];
    }
    let long = "a-name-of-thirty-two-characters1";
    let mut long_names = busy();
    long_names.present.1 = 12;
    long_names.workspace.name = WorkspaceName::parse(long).expect("valid");
    long_names.workspace.template_display_name = "A template with quite a long name to show".into();
    vec![
        scene("workspace-connecting", with(vec![silent_agent(20)]).render()),
        scene("workspace-timeout", with(vec![silent_agent(4_000)]).render()),
        scene("workspace-agent-lost", with(vec![lost]).render()),
        scene("workspace-several-agents", several.render()),
        scene("workspace-no-agent", with(vec![]).render()),
        scene("workspace-not-isolated", alone.render()),
        scene("workspace-long-names", long_names.render()),
    ]
}

fn entry(n: u128, name: &str, b: Build) -> Entry {
    let mut b = b;
    b.workspace_id = id(100 + n);
    Entry {
        workspace: workspace(n, name, &ada(), b),
        here: vec![],
        may: everything(),
        place: String::new(),
        is_favorite: n == 1,
    }
}

fn mine() -> Vec<Entry> {
    let simple = |t, s| build(14, t, s, 41);
    let mut kiln = entry(1, "kiln", running(vec![agent(401, "main", Lifecycle::Ready)]));
    kiln.here = vec![reference(&ada()), reference(&grace())];
    let mut heron =
        entry(4, "heron-docs", build(3, Transition::Stop, JobStatus::Succeeded, 259_300));
    heron.workspace.template_active_version_id = id(399);
    heron.workspace.last_used_at = before(259_300);
    vec![
        kiln,
        entry(2, "peat-bench", simple(Transition::Start, JobStatus::Running)),
        entry(3, "quern", simple(Transition::Start, JobStatus::Failed)),
        heron,
        entry(5, "loom", simple(Transition::Start, JobStatus::Pending)),
        entry(6, "anvil", simple(Transition::Stop, JobStatus::Running)),
        entry(7, "forge", simple(Transition::Start, JobStatus::Canceling)),
        entry(8, "sickle", simple(Transition::Start, JobStatus::Canceled)),
        entry(9, "old-barn", simple(Transition::Delete, JobStatus::Running)),
        entry(10, "older-barn", simple(Transition::Delete, JobStatus::Failed)),
        entry(11, "oldest-barn", simple(Transition::Delete, JobStatus::Succeeded)),
    ]
}

fn others() -> Vec<Entry> {
    let mut shared =
        entry(21, "ledger-staging", running(vec![agent(401, "main", Lifecycle::Ready)]));
    shared.workspace.owner = reference(&grace());
    shared.may = vec![Verb::View];
    vec![shared]
}

fn many() -> Vec<Entry> {
    (0..120u128)
        .map(|n| {
            entry(
                100 + n,
                &format!("box-{n}"),
                build(1, Transition::Stop, JobStatus::Succeeded, 86_400),
            )
        })
        .collect()
}

fn lists() -> Vec<Scene> {
    let list = |visitor, mine, others, templates| Workspaces {
        visit: visit(visitor),
        filter: String::new(),
        whose: Whose::Any,
        mine,
        others,
        templates,
    };
    let filtered = Workspaces {
        filter: "status:running owner:nobody".into(),
        whose: Whose::Mine,
        ..list(ada(), vec![], vec![], true)
    };
    vec![
        scene("workspaces", list(ada(), mine(), others(), true).render()),
        scene("workspaces-many", list(ada(), many(), vec![], true).render()),
        scene("workspaces-empty", list(linus(), vec![], vec![], true).render()),
        scene("workspaces-no-template-admin", list(ada(), vec![], vec![], false).render()),
        scene("workspaces-no-template-member", list(linus(), vec![], vec![], false).render()),
        scene("workspaces-none-fits", filtered.render()),
    ]
}

/// A build over budget, as it was and once there is room again.
fn refused(of: impl Fn(Build) -> BuildPage) -> [BuildPage; 2] {
    let one = |n: u128, name: &str, cost, freed_by_stop| QuotaUse {
        workspace: id(100 + n),
        name: WorkspaceName::parse(name).unwrap(),
        cost,
        freed_by_stop,
    };
    let view = |consumed, budget, uses| QuotaView {
        owner: ada().username,
        quota: Quota { consumed, budget },
        uses,
    };
    let mut over = of(build(30, Transition::Start, JobStatus::Failed, 300));
    over.build.job.error = OverBudget { planned: 9, remaining: 3, budget: 20 }.to_string();
    over.budget = Some(view(
        17,
        Some(20),
        vec![one(1, "kiln", 12, 11), one(2, "a-name-of-thirty-two-characters1", 5, 0)],
    ));
    let mut free = of(build(30, Transition::Start, JobStatus::Failed, 300));
    free.budget = Some(view(0, None, vec![]));
    [over, free]
}

fn build_pages() -> Vec<Scene> {
    let of = |b: Build| BuildPage {
        budget: None,
        visit: visit(ada()),
        workspace: workspace(1, "kiln", &ada(), b.clone()),
        build: b,
        may: everything(),
        log: log(),
        timings: vec![
            timing("plan", "docker_image.main", 6_000),
            timing("apply", "docker_container.workspace[0]", 18_400),
            timing("init", "", 310),
        ],
        parameters: vec![("Cores".into(), "4".into()), ("Repository".into(), String::new())],
    };
    let [over, free] = refused(of);
    let mut running = of(build(32, Transition::Start, JobStatus::Running, 20));
    running.timings.clear();
    running.log.lines.clear();
    let builds: Vec<Build> = (1..=31)
        .rev()
        .map(|n| {
            let status = if n % 7 == 0 { JobStatus::Failed } else { JobStatus::Succeeded };
            let transition = if n % 2 == 0 { Transition::Stop } else { Transition::Start };
            build(n, transition, status, (32 - n) * 40_000)
        })
        .collect();
    let newest = builds.first().expect("31 builds").clone();
    vec![
        scene("build", of(build(31, Transition::Start, JobStatus::Succeeded, 19_900)).render()),
        scene("build-failed", of(build(29, Transition::Stop, JobStatus::Failed, 300)).render()),
        scene("build-over-budget", over.render()),
        scene("build-over-budget-free", free.render()),
        scene("build-running", running.render()),
        scene(
            "builds",
            Builds {
                visit: visit(ada()),
                workspace: workspace(1, "kiln", &ada(), newest),
                builds: builds.into_iter().skip(5).take(20).collect(),
            }
            .render(),
        ),
    ]
}

fn timing(stage: &str, resource: &str, ms: i64) -> Timing {
    Timing {
        stage: stage.into(),
        source: "terraform".into(),
        action: "create".into(),
        resource: resource.into(),
        started_ms: NOW.0 * 1000,
        ended_ms: NOW.0 * 1000 + ms,
    }
}

fn others_of_a_workspace() -> Vec<Scene> {
    let w = workspace(1, "kiln", &ada(), running(vec![agent(401, "main", Lifecycle::Ready)]));
    let settings = |input: Input, parameters| WorkspaceSettings {
        visit: visit(ada()),
        workspace: w.clone(),
        values: vec!["6".into()],
        parameters,
        input,
        gives: true,
    };
    let wrong = Input::wrong(
        BTreeMap::from([("p.memory".to_owned(), "32".to_owned())]),
        "p.memory",
        "32 is above the 24 that this template allows",
    );
    let terminal = |is_recorded| Terminal {
        workspace: w.clone(),
        agent: id(401),
        agent_name: "main".into(),
        terminal: id(2000),
        command: String::new(),
        ssh: "ssh -p 7022 kiln@steading.lan".into(),
        is_recorded,
        coming: Coming::Join,
    };
    vec![
        scene("workspace-settings", settings(Input::default(), parameters::all()).render()),
        scene("workspace-settings-wrong", settings(wrong, parameters::all()).render()),
        scene(
            "workspace-settings-no-parameters",
            settings(Input::wrong(BTreeMap::new(), "name", "kiln is taken"), vec![]).render(),
        ),
        scene("terminal", terminal(false).render()),
        scene("terminal-recorded", terminal(true).render()),
    ]
}

pub fn all() -> Vec<Scene> {
    [states(), agents(), lists(), build_pages(), others_of_a_workspace()].concat()
}
