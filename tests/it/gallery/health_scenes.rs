//! Machines that are well, that need care, that are lost, and of which nothing is known.

use maud::Render as _;
use steading::model::agent::Lifecycle;
use steading::model::health::judge::Verdict;
use steading::model::health::series::{Point, Step};
use steading::model::health::{Change, Figures, Health, History, Path, State, Trouble};
use steading::model::time::Timestamp;
use steading::server::html::pages::machines::MachinesPage;
use steading::server::html::pages::workspace::WorkspacePage;
use steading::server::html::pages::workspaces::{Entry, Whose, Workspaces};

use super::fixtures::{NOW, ada, agent, before, id, visit, workspace};
use super::workspace_scenes::{page, running};
use super::{Scene, scene};

fn calm() -> Figures {
    Figures {
        cpu: 0.38,
        cores: 4.0,
        load: Some(1.52),
        memory_used: 5_200_000_000,
        memory_total: 8_000_000_000,
        disk_used: 17_400_000_000,
        disk_total: 29_800_000_000,
        inodes_used: 412_345,
        inodes_total: 1_900_000,
        temperature: Some(58.4),
        uptime_s: Some(19_900),
        ahead_ms: Some(-4),
        path: Some(Path::Direct),
        latency_ms: Some(3.6),
        ..Figures::default()
    }
}

fn sick() -> Figures {
    Figures {
        disk_used: 28_100_000_000,
        inodes_used: 1_850_000,
        memory_used: 7_800_000_000,
        load: Some(19.4),
        temperature: Some(84.7),
        throttled: true,
        under_voltage: true,
        ahead_ms: Some(7_205_000),
        path: Some(Path::Relay),
        ..calm()
    }
}

/// Points until now, with a silence in their middle.
fn points(step: Step, last: &Figures) -> Vec<Point> {
    let count = step.kept_secs() / step.secs();
    let point = |n: i64| {
        let wave = f64::from(u32::try_from((n * 37) % 100).unwrap_or(0)) / 100.0;
        let at = Timestamp(NOW.0 - (count - n) * step.secs());
        let warm = last.temperature.map(|t| t - 20.0 + 20.0 * wave);
        let figures = Figures { cpu: wave, temperature: warm, ..*last };
        Point { at: step.begin(at), ..Point::of(at, &figures, vec![]) }
    };
    (0..count).filter(|n| !(count / 3..count / 2).contains(n)).map(point).collect()
}

fn history(figures: Option<Figures>, state: State) -> History {
    let told = figures.unwrap_or_default();
    let once = Verdict::default().heard(&told).heard(&told);
    let verdict = if state == State::Lost { once.lost() } else { once };
    assert_eq!(verdict.state(), state);
    let change = |secs, state, troubles: &[Trouble]| Change {
        at: before(secs),
        state,
        troubles: troubles.to_vec(),
    };
    let changes = vec![
        change(90_000, State::Degraded, &[Trouble::Disk, Trouble::UnderVoltage]),
        change(80_000, State::Lost, &[Trouble::Disk]),
        change(50_000, State::Ok, &[]),
    ];
    let health = Health {
        name: "main".into(),
        agent: id(401),
        verdict,
        since: before(900),
        figures,
        heard_at: before(if state == State::Lost { 930 } else { 12 }),
        point_at: Some(before(12)),
        changes,
    };
    let all = |step| figures.map(|f| points(step, &f)).unwrap_or_default();
    History { health, day: all(Step::Minute), month: all(Step::Quarter) }
}

fn of(machines: Vec<History>) -> WorkspacePage {
    let one = agent(401, "main", Lifecycle::Ready);
    let page = page(workspace(1, "pi", &ada(), running(vec![one])));
    WorkspacePage { machines, metadata: std::collections::BTreeMap::new(), ..page }
}

fn lost() -> WorkspacePage {
    let mut page = of(vec![history(Some(calm()), State::Lost)]);
    for agent in page.workspace.latest_build.resources.iter_mut().flat_map(|r| &mut r.agents) {
        agent.disconnected_at = Some(before(900));
        agent.last_connected_at = Some(before(930));
    }
    page
}

fn listed(n: u128, name: &str, state: State) -> Entry {
    let mut one = agent(401, "main", Lifecycle::Ready);
    one.health = Some(state);
    if state == State::Lost {
        one.disconnected_at = Some(before(2));
    }
    let mut build = running(vec![one]);
    build.workspace_id = id(100 + n);
    let workspace = workspace(n, name, &ada(), build);
    let may = steading::model::verb::Verb::ALL.to_vec();
    Entry { workspace, here: vec![], may, place: String::new(), is_favorite: false }
}

fn machines_page(machines: Vec<History>) -> MachinesPage {
    let one = agent(401, "main", Lifecycle::Ready);
    let workspace = workspace(1, "pi", &ada(), running(vec![one]));
    MachinesPage { visit: visit(ada()), workspace, machines }
}

pub fn all() -> Vec<Scene> {
    let list = Workspaces {
        visit: visit(ada()),
        filter: String::new(),
        whose: Whose::Any,
        mine: vec![
            listed(1, "kiln", State::Ok),
            listed(2, "pi", State::Degraded),
            listed(3, "shed", State::Lost),
        ],
        others: vec![],
        templates: true,
    };
    let back = of(vec![history(Some(calm()), State::Lost)]);
    let never = of(vec![history(None, State::Lost)]);
    let (well, ill) = (history(Some(calm()), State::Ok), history(Some(sick()), State::Degraded));
    vec![
        scene("machine-ok", of(vec![well.clone()]).render()),
        scene("machine-degraded", of(vec![ill.clone()]).render()),
        scene("machine-lost", lost().render()),
        scene("machine-back", back.render()),
        scene("machine-never-told", never.render()),
        scene("machine-no-figures", of(vec![]).render()),
        scene("workspaces-machines", list.render()),
        scene("machine-history", machines_page(vec![well]).render()),
        scene("machine-history-degraded", machines_page(vec![ill]).render()),
        scene("machine-history-empty", machines_page(vec![]).render()),
    ]
}
