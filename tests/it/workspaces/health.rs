//! The health of machines: what their agents tell becomes states, entries of the audit log, a history
//! that is bounded and survives, and words for people.

use std::time::Duration;

use serde_json::{Value, json};
use steading::model::health::series::Step;
use steading::model::health::{Figures, Path};
use steading::model::id::AgentId;
use steading::server::app::Actor;
use steading::server::app::health::Away;

use super::live::Stream;
use super::streams::listen;
use super::{World, id, made};

/// A machine that is well.
fn calm() -> Figures {
    Figures {
        cpu: 0.25,
        cores: 4.0,
        load: Some(0.5),
        memory_used: 1 << 30,
        memory_total: 4 << 30,
        disk_used: 20 << 30,
        disk_total: 50 << 30,
        inodes_used: 1_000,
        inodes_total: 10_000,
        temperature: Some(50.0),
        uptime_s: Some(93_784),
        ahead_ms: Some(4),
        path: Some(Path::Direct),
        latency_ms: Some(3.5),
        ..Figures::default()
    }
}

/// Too hot, on a disk that is almost full.
fn sick() -> Figures {
    Figures { temperature: Some(84.7), disk_used: 47 << 30, ..calm() }
}

/// Ada's running workspace `kiln` and its agent.
async fn running() -> (World, Value, AgentId) {
    let world = World::new().await;
    let kiln = world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    let agent = agent(&world, "token-a").await;
    (world, kiln, agent)
}

async fn agent(world: &World, token: &str) -> AgentId {
    let app = &world.server.app;
    let Some(Actor::Agent { agent, .. }) = app.authenticate_agent(token).await.unwrap() else {
        panic!("the agent is let in");
    };
    app.agent_connected(agent, "1.2.3", "/home/ada").await.unwrap();
    agent
}

impl World {
    /// Half a minute later the agent tells these figures.
    async fn tell(&self, agent: AgentId, figures: Figures) -> Option<String> {
        self.server.clock.advance(Duration::from_secs(30));
        let said = vec![(agent, Some(figures))];
        let told = self.server.app.agents_heard(said).await.unwrap();
        told.into_iter().map(|(_, text)| text).next()
    }

    async fn machine(&self, of: &Value) -> Value {
        let path = format!("/api/v2/workspaces/{}/machines", id(of));
        self.server.get(&self.ada, &path).await.expect(200).json()["machines"][0].clone()
    }

    async fn history(&self, of: &Value) -> Value {
        let path = format!("/api/v2/workspaces/{}/machines/history", id(of));
        self.server.get(&self.ada, &path).await.expect(200).json()["machines"][0].clone()
    }

    async fn page(&self, path: &str) -> String {
        self.server.get(&self.ada, path).await.expect(200).text
    }

    /// What the audit log says of healths, the last first: old and new state, and the troubles.
    async fn audited(&self) -> Vec<[String; 3]> {
        let path = "/api/v2/audit?q=resource_type:workspace%20action:write&limit=100";
        let found = self.server.get(&self.olga, path).await.expect(200).json();
        let entry = |entry: &Value| {
            let change = entry["diff"].get("health of main")?;
            let troubles = &entry["diff"]["troubles"]["new"];
            assert_eq!(entry["user"], Value::Null, "the program itself did it");
            Some(
                [&change["old"], &change["new"], troubles].map(|v| v.as_str().unwrap_or("").into()),
            )
        };
        found["audit_logs"].as_array().unwrap().iter().filter_map(entry).collect()
    }
}

#[tokio::test]
async fn a_machine_overheats_fills_its_disk_is_lost_and_recovers() {
    let (world, kiln, agent) = running().await;
    assert_eq!(world.machine(&kiln).await["state"], "");
    assert!(world.page("/@ada/kiln").await.contains("No figures yet"));
    let page = world.page("/@ada/kiln/health").await;
    assert!(page.contains("How its machines were will be here"), "{page}");

    world.tell(agent, calm()).await;
    let told = world.machine(&kiln).await;
    assert_eq!((&told["state"], &told["troubles"]), (&json!("ok"), &json!([])));
    assert_eq!(told["figures"]["temperature"], 50.0);
    let page = world.page("/@ada/kiln").await;
    for text in ["25 % of 4 cores", "50 °C", "21.5 GB of 53.7 GB", "reached directly in 4 ms"] {
        assert!(page.contains(text), "{text} is not in {page}");
    }

    let address = listen(&world).await;
    let mut live = Stream::open(address, &world.ada, "/@ada/kiln/live?build=1&after=0").await;
    live.until("25 % of 4 cores").await;
    world.tell(agent, sick()).await;
    live.until("The disk of its home directory is 94 % full.").await;
    let told = world.machine(&kiln).await;
    assert_eq!(told["state"], "degraded");
    let names: Vec<&Value> =
        told["troubles"].as_array().unwrap().iter().map(|t| &t["name"]).collect();
    assert_eq!(names, ["disk", "temperature"]);
    let page = world.page("/@ada/kiln").await;
    assert!(page.contains("It is 85 °C hot.") && page.contains("See to its fan"), "{page}");
    assert!(world.page("/workspaces").await.contains("Degraded"));

    // In the bands between, nothing changes.
    let between = Figures { temperature: Some(76.0), disk_used: 44 << 30, ..calm() };
    world.tell(agent, between).await;
    assert_eq!(world.machine(&kiln).await["troubles"].as_array().unwrap().len(), 2);
    let since = world.machine(&kiln).await["since"].clone();

    world.server.clock.advance(Duration::from_secs(60));
    let app = &world.server.app;
    app.agent_disconnected(agent).await.unwrap();
    assert_eq!(app.agent_lost(agent).await.unwrap(), Away::Settled);
    live.until("Nothing is heard of it since").await;
    let told = world.machine(&kiln).await;
    assert_eq!(told["state"], "lost");
    assert_ne!(told["since"], since);
    assert!(world.page("/workspaces").await.contains("Lost"));

    world.tell(agent, calm()).await;
    assert_eq!(world.machine(&kiln).await["state"], "ok");
    let list = world.page("/workspaces").await;
    assert!(!list.contains("Degraded") && !list.contains("Lost"), "{list}");
    let troubles = "disk almost full, too hot";
    assert_eq!(
        world.audited().await,
        [["lost", "ok", ""], ["degraded", "lost", ""], ["ok", "degraded", troubles]]
    );
    let page = world.page("/@ada/kiln/health").await;
    assert!(page.contains("The last day") && page.contains(troubles), "{page}");
    let history = world.history(&kiln).await;
    let states: Vec<&Value> =
        history["changes"].as_array().unwrap().iter().map(|c| &c["state"]).collect();
    assert_eq!(states, ["degraded", "lost", "ok"]);
}

#[tokio::test]
async fn a_history_is_bounded_and_survives_a_restart() {
    let (mut world, kiln, agent) = running().await;
    let path = world.server.db_path.clone();
    let count = |sql: &'static str| {
        let conn = rusqlite::Connection::open(&path).unwrap();
        conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    // A day and two hours of minutes, told twice a minute, with a silence of three hours.
    for half_minute in 0..(26 * 120) {
        let warm = Figures { temperature: Some(40.0 + f64::from(half_minute % 30)), ..calm() };
        match half_minute {
            1200..1560 => world.server.clock.advance(Duration::from_secs(30)),
            _ => drop(world.tell(agent, warm).await),
        }
    }
    world.ada = world.server.sign_in("ada").await;
    let history = world.history(&kiln).await;
    let day = history["day"].as_array().unwrap();
    assert!((1255..=1262).contains(&day.len()), "{} minutes, 3 h of them silent", day.len());
    let month = history["month"].as_array().unwrap();
    assert!((90..=93).contains(&month.len()), "{} quarters of 26 h, 3 h silent", month.len());
    // Of two reports in a minute its point has the first.
    let hottest = month[5]["temperature"].as_f64().unwrap();
    assert!(month[5]["minutes"] == 15 && (68.0..=69.0).contains(&hottest), "{}", month[5]);

    // Weeks later each ring is full, and no more.
    for _ in 0..(40 * 48) {
        world.server.clock.advance(Duration::from_secs(1770));
        world.tell(agent, calm()).await;
    }
    let blocks = count("SELECT count(*) FROM agent_health_blocks");
    assert_eq!(blocks, 49 + 61);
    let bytes = count("SELECT sum(length(points)) FROM agent_health_blocks");
    assert!(bytes < 96 << 10, "{bytes} bytes");
    world.ada = world.server.sign_in("ada").await;
    world.olga = world.server.sign_in("olga").await;
    let month = world.history(&kiln).await["month"].as_array().unwrap().len();
    assert!((1400..=1441).contains(&month), "{month} half hours of 30 days");

    let before = world.history(&kiln).await;
    let again = world.server.copy().await;
    // The copy has the clock of the start: it is told what the first one knows.
    let at = world.server.clock.now().since(again.clock.now());
    again.clock.advance(at);
    let path = format!("/api/v2/workspaces/{}/machines/history", id(&kiln));
    let ada = again.sign_in("ada").await;
    let after = again.get(&ada, &path).await.expect(200).json()["machines"][0].clone();
    assert_eq!(before["month"], after["month"]);

    // What goes with its workspace is gone.
    world.build(&world.olga, &kiln, json!({ "transition": "delete" })).await.expect(201);
    world.done(made("token-a", 2)).await;
    let left =
        "SELECT (SELECT count(*) FROM agent_health) + (SELECT count(*) FROM agent_health_blocks)";
    assert_eq!(count(left), 0);
}

/// A build after which the workspace's one agent has this name.
async fn rebuilt(world: &mut World, kiln: &Value, name: &str, serial: u32) -> AgentId {
    world.ada = world.server.sign_in("ada").await;
    world.build(&world.ada, kiln, json!({ "transition": "start" })).await.expect(201);
    let token = format!("token-{name}-{serial}");
    let mut outcome = made(&token, serial);
    outcome.resources.iter_mut().flat_map(|r| &mut r.agents).for_each(|a| a.name = name.into());
    world.done(outcome).await;
    agent(world, &token).await
}

#[tokio::test]
async fn machines_whose_names_are_no_more_are_forgotten() {
    let (mut world, kiln, main) = running().await;
    world.tell(main, calm()).await;
    let board = rebuilt(&mut world, &kiln, "board", 2).await;
    world.tell(board, calm()).await;
    let names = async |world: &World| {
        let path = format!("/api/v2/workspaces/{}/machines/history", id(&kiln));
        let all = world.server.get(&world.ada, &path).await.expect(200).json();
        let all = all["machines"].as_array().unwrap().clone();
        all.iter().map(|m| m["agent"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&world).await, ["board", "main"]);
    world.server.clock.advance(Duration::from_secs(31 * 86_400));
    let main = rebuilt(&mut world, &kiln, "main", 3).await;
    world.tell(main, calm()).await;
    let third = rebuilt(&mut world, &kiln, "third", 4).await;
    world.tell(third, calm()).await;
    assert_eq!(names(&world).await, ["main", "third"]);
}

#[tokio::test]
async fn a_machine_that_flaps_does_not_fill_the_log() {
    let (world, kiln, agent) = running().await;
    for n in 0..240 {
        world.tell(agent, if n % 2 == 0 { sick() } else { calm() }).await;
    }
    let entries = world.audited().await.len();
    assert!((20..=23).contains(&entries), "{entries} entries of two hours");
    // What it tells at once again is not even taken.
    let app = &world.server.app;
    for _ in 0..10 {
        app.agents_heard(vec![(agent, Some(Figures { cpu: 1.0, ..calm() }))]).await.unwrap();
    }
    assert_eq!(world.machine(&kiln).await["figures"]["cpu"], 0.25);
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_on_both_ends() {
    let (world, kiln, agent) = running().await;
    let off = Figures { ahead_ms: Some(-7_200_000), ..calm() };
    assert_eq!(world.tell(agent, off).await, None, "once may be a slow network");
    let told = world.tell(agent, off).await.expect("the machine is told");
    assert!(told.starts_with("This machine's clock is 2 h behind the server's."), "{told}");
    assert_eq!(world.tell(agent, off).await, None, "told once");
    let said = world.machine(&kiln).await["troubles"][0].clone();
    assert_eq!(said["text"], "Its clock is 2 h behind the server's.");
    assert!(
        world.page("/@ada/kiln").await.contains("Its clock is 2 h behind the server&#39;s.")
            || world.page("/@ada/kiln").await.contains("Its clock is 2 h behind the server's.")
    );
    assert_eq!(world.audited().await, [["ok", "degraded", "clock is off"]]);
}

#[tokio::test]
async fn who_is_stopped_is_not_lost_and_a_new_build_is_the_same_machine() {
    let (world, kiln, agent) = running().await;
    let app = &world.server.app;
    world.tell(agent, sick()).await;
    world.build(&world.ada, &kiln, json!({ "transition": "stop" })).await.expect(201);
    app.agent_disconnected(agent).await.unwrap();
    assert_eq!(app.agent_lost(agent).await.unwrap(), Away::Later, "it is being stopped");
    world.done(made("token-a", 2)).await;
    assert_eq!(app.agent_lost(agent).await.unwrap(), Away::Settled);
    assert_eq!(world.audited().await.len(), 1, "only that it degraded");
    assert!(!world.page("/@ada/kiln").await.contains("Nothing is heard of it"));
    assert!(!world.page("/workspaces").await.contains("Degraded"));

    world.build(&world.ada, &kiln, json!({ "transition": "start" })).await.expect(201);
    world.done(made("token-b", 3)).await;
    let second = self::agent(&world, "token-b").await;
    assert_eq!(world.machine(&kiln).await["state"], "", "of this one nothing is known");
    world.server.clock.advance(Duration::from_secs(60));
    world.tell(second, calm()).await;
    assert_eq!(world.machine(&kiln).await["state"], "ok");
    assert_eq!(world.history(&kiln).await["day"].as_array().unwrap().len(), 2);
    assert_eq!(app.agents_to_expect().await.unwrap(), [second]);
}

#[tokio::test]
async fn only_who_may_see_a_workspace_sees_its_machines() {
    let (world, kiln, agent) = running().await;
    world.tell(agent, calm()).await;
    let path = format!("/api/v2/workspaces/{}/machines", id(&kiln));
    world.server.get(&world.ben, &path).await.expect(404);
    world.server.get(&world.ben, &format!("{path}/history")).await.expect(404);
    world.server.get(&world.ben, "/@ada/kiln/health").await.expect(404);
    let of = async |who| {
        let all = world.server.get(who, "/api/v2/machines").await.expect(200).json();
        all["machines"].as_array().unwrap().len()
    };
    assert_eq!((of(&world.ada).await, of(&world.olga).await, of(&world.ben).await), (1, 1, 0));
    assert_eq!(Step::Minute.kept_secs(), 86_400);
}
