//! Workspaces on machines that someone else runs: waiting, here, away, and two with one token.

use maud::Render as _;
use steading::model::agent::{Agent, Clash, Lifecycle};
use steading::model::build::{Build, JobStatus, Transition};
use steading::model::resource::AgentSpec;
use steading::model::verb::Verb;
use steading::model::waking::{Spot, Whereabouts};
use steading::server::html::pages::attach::{Attach, Lines, Machine, Way};
use steading::server::html::pages::workspace::WorkspacePage;
use steading::server::html::pages::workspaces::{Entry, Whose, Workspaces};

use super::fixtures::{ada, agent, before, build, linus, silent_agent, visit, workspace};
use super::workspace_scenes::{page, running};
use super::{Scene, scene};

fn of(mut agents: Vec<Agent>) -> Build {
    agents.iter_mut().for_each(|a| a.spec.external = true);
    Build { has_external_agent: true, deadline: None, ..running(agents) }
}

fn ready() -> Agent {
    agent(401, "main", Lifecycle::Ready)
}

fn away() -> Agent {
    Agent { disconnected_at: Some(before(1)), last_connected_at: Some(before(190_000)), ..ready() }
}

fn clash() -> Clash {
    Clash {
        here: "garden-pi at 192.0.2.77".into(),
        other: "garden-pi at 192.0.2.80".into(),
        at: before(40),
    }
}

/// Where the machine of an agent was; woken some seconds ago.
fn whereabouts(name: &str, cards: &[&str], woken: Option<i64>) -> Whereabouts {
    let spot = Spot {
        cards: cards.iter().map(|card| card.parse().unwrap()).collect(),
        interfaces: vec!["192.168.1.20/24".parse().unwrap()],
        seen: "203.0.113.7".parse().unwrap(),
    };
    Whereabouts { name: name.into(), spot, woken_at: woken.map(before) }
}

/// A machine that is away and can be woken, is being woken, did not come, and cannot be woken.
fn asleep() -> Vec<Scene> {
    let with = |agents, whereabouts| {
        let page = page(workspace(1, "garden-pi", &ada(), of(agents)));
        WorkspacePage { whereabouts, ..page }
    };
    let card = &["dc:a6:32:1e:40:07"][..];
    let one = |cards, woken| with(vec![away()], vec![whereabouts("main", cards, woken)]);
    let mut theirs = one(card, None);
    theirs.visit = visit(linus());
    theirs.may = vec![Verb::View, Verb::Connect];
    let desk = Agent { id: super::fixtures::id(402), ..away() };
    let desk = Agent { spec: AgentSpec { name: "desk".into(), ..desk.spec }, ..desk };
    let both = vec![whereabouts("desk", card, Some(20)), whereabouts("main", card, None)];
    vec![
        scene("workspace-external-asleep", one(card, None).render()),
        scene("workspace-external-waking", one(card, Some(20)).render()),
        scene("workspace-external-woken-in-vain", one(card, Some(2_000)).render()),
        scene("workspace-external-no-card", one(&[], None).render()),
        scene("workspace-external-asleep-theirs", theirs.render()),
        scene("workspace-external-asleep-several", with(vec![away(), desk], both).render()),
    ]
}

fn lines() -> Lines {
    let script = "https://steading.lan/api/v2/init-script/linux/arm64".to_owned();
    let token = "CODER_AGENT_TOKEN=\"7f1e1f3e-2a57-4a4d-9c55-0f4f5b8c9d10\"";
    Lines {
        command: format!("curl -fsSL \"{script}\" | {token} sh"),
        by_wget: Some(format!("wget -qO- \"{script}\" | {token} sh")),
        service: Some(format!("curl -fsSL \"{script}\" | sudo {token} sh -s install")),
        script,
    }
}

fn powershell() -> Lines {
    let script = "https://steading.lan/api/v2/init-script/windows/amd64".to_owned();
    let token = "$env:CODER_AGENT_TOKEN=\"7f1e1f3e-2a57-4a4d-9c55-0f4f5b8c9d10\"";
    Lines {
        command: format!("{token}; iwr -useb \"{script}\" | iex"),
        by_wget: None,
        service: None,
        script,
    }
}

fn attach(machines: Vec<(Machine, Lines)>) -> Attach {
    Attach {
        visit: visit(ada()),
        workspace: workspace(1, "garden-pi", &ada(), of(vec![])),
        machines,
        host: "steading.lan:443".into(),
    }
}

fn pages() -> Vec<Scene> {
    let way = Way { path: "direct".into(), latency_ms: Some(2.4), clash: None };
    let one = |agent, way| (Machine { agent, way }, lines());
    let two = Way { clash: Some(clash()), ..way.clone() };
    let mut windows = silent_agent(3_000);
    windows.spec.os = "windows".into();
    windows.spec.arch = "amd64".into();
    windows.id = super::fixtures::id(402);
    windows.spec.name = "desk".into();
    vec![
        scene("attach", attach(vec![one(silent_agent(30), None)]).render()),
        scene("attach-here", attach(vec![one(ready(), Some(way))]).render()),
        scene("attach-away", attach(vec![one(away(), None)]).render()),
        scene("attach-two-machines", attach(vec![one(ready(), Some(two))]).render()),
        scene(
            "attach-several",
            attach(vec![one(ready(), None), (Machine { agent: windows, way: None }, powershell())])
                .render(),
        ),
        scene("attach-nothing", attach(vec![]).render()),
    ]
}

fn workspaces() -> Vec<Scene> {
    let with = |agents| page(workspace(1, "garden-pi", &ada(), of(agents)));
    let mut theirs = with(vec![silent_agent(30)]);
    theirs.visit = visit(linus());
    theirs.may = vec![Verb::View, Verb::Connect];
    let mut two = with(vec![ready()]);
    two.clashes = vec![clash()];
    let mut failed = build(32, Transition::Start, JobStatus::Failed, 20);
    failed.has_external_agent = true;
    let entry = |n, name: &str, b| Entry {
        workspace: workspace(n, name, &ada(), b),
        here: vec![],
        may: Verb::ALL.to_vec(),
        place: String::new(),
        is_favorite: false,
    };
    let list = Workspaces {
        visit: visit(ada()),
        filter: String::new(),
        whose: Whose::Any,
        mine: vec![
            entry(1, "garden-pi", of(vec![ready()])),
            entry(2, "attic-mini", of(vec![silent_agent(4_000)])),
            entry(3, "weather-pi", of(vec![away()])),
        ],
        others: vec![],
        templates: true,
    };
    vec![
        scene("workspace-external", with(vec![silent_agent(30)]).render()),
        scene("workspace-external-here", with(vec![ready()]).render()),
        scene("workspace-external-away", with(vec![away()]).render()),
        scene("workspace-external-theirs", theirs.render()),
        scene("workspace-external-two-machines", two.render()),
        scene(
            "workspace-external-failed",
            page(workspace(1, "garden-pi", &ada(), failed)).render(),
        ),
        scene("workspaces-external", list.render()),
    ]
}

pub fn all() -> Vec<Scene> {
    [pages(), workspaces(), asleep()].concat()
}
