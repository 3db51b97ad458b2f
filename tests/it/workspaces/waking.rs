//! Waking machines that someone else runs: who may, who sends, and what each refusal says.

use std::time::Duration;

use serde_json::{Value, json};
use steading::model::id::{AgentId, WorkspaceId};
use steading::model::waking::{MAX_SENDERS, Spot};
use steading::server::app::waking::{Around, Neighbour, Waking};
use steading::server::app::{Actor, Error};

use super::external::{attached, external, id_of};
use super::{World, id, made};
use crate::harness::Client;

const CARD: &str = "dc:a6:32:1e:40:07";

fn spot(cards: &[&str], interface: &str, seen: &str) -> Spot {
    Spot {
        cards: cards.iter().map(|card| card.parse().unwrap()).collect(),
        interfaces: interface.parse().into_iter().collect(),
        seen: seen.parse().unwrap(),
    }
}

/// Where Ada's machine was.
fn asleep() -> Spot {
    spot(&[CARD], "192.168.1.20/24", "203.0.113.7")
}

impl World {
    async fn agent_of(&self, token: &str) -> (AgentId, WorkspaceId) {
        match self.server.app.authenticate_agent(token).await.unwrap() {
            Some(Actor::Agent { agent, workspace }) => (agent, workspace),
            other => panic!("the agent is let in: {other:?}"),
        }
    }

    async fn actor(&self, who: &Client) -> Actor {
        let token = who.token.as_ref().unwrap();
        self.server.app.authenticate(token, "192.0.2.10").await.unwrap().unwrap()
    }

    async fn wake(&self, who: &Client, around: Around) -> Result<Waking, Error> {
        let (_, workspace) = self.agent_of("token-a").await;
        let actor = self.actor(who).await;
        self.server.app.wake(&actor, (workspace, "Main".to_owned()), around).await
    }

    async fn refusal(&self, around: Around) -> String {
        match self.wake(&self.ada, around).await {
            Err(Error::Conflict(why)) => why,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// A further machine of Ada's, connected.
    async fn neighbour(&self, token: &str, pi: &Value, spot: Spot) -> Neighbour {
        let body = json!({ "name": token, "template_id": pi["template_id"] });
        self.create(&self.ada, body).await.expect(201);
        self.done(external(token, 1)).await;
        let (agent, workspace) = self.agent_of(token).await;
        Neighbour { agent, workspace, spot }
    }
}

fn with(agents: &[&Neighbour]) -> Around {
    Around { agents: agents.iter().map(|n| (*n).clone()).collect(), server: vec![] }
}

#[tokio::test]
async fn each_refusal_says_what_is_missing() {
    let (world, pi) = attached().await;
    let app = &world.server.app;
    let (agent, workspace) = world.agent_of("token-a").await;
    let why = world.refusal(Around::default()).await;
    assert!(why.starts_with("no hardware address is known of the machine of main"), "{why}");
    app.agent_spot(agent, spot(&[], "192.168.1.20/24", "203.0.113.7")).await.unwrap();
    let why = world.refusal(Around::default()).await;
    assert!(why.starts_with("no hardware address is known"), "{why}");
    app.agent_spot(agent, spot(&[CARD], "", "203.0.113.7")).await.unwrap();
    let why = world.refusal(Around::default()).await;
    assert!(why.starts_with("no network is known of the machine of main"), "{why}");
    app.agent_spot(agent, spot(&[CARD], "192.168.1.20/24", "172.17.0.1")).await.unwrap();
    let why = world.refusal(Around::default()).await;
    assert!(why.starts_with("172.17.0.1, from where main reached this server, does not"), "{why}");
    app.agent_spot(agent, asleep()).await.unwrap();
    let why = world.refusal(Around::default()).await;
    let needed = "nobody is there to wake main: it takes a machine on 192.168.1.0/24";
    assert!(why.starts_with(needed) && why.ends_with("203.0.113.7"), "{why}");
    let here = Neighbour { agent, workspace, spot: asleep() };
    assert_eq!(world.refusal(with(&[&here])).await, "the machine of main is here already");

    let actor = world.actor(&world.ada).await;
    let other = app.wake(&actor, (workspace, "other".to_owned()), Around::default()).await;
    assert!(matches!(other, Err(Error::NotFound("agent"))), "{other:?}");
    let kiln = world.adas("kiln").await;
    world.done(made("token-k", 1)).await;
    let by_id = format!("/api/v2/workspaces/{}/machines/{agent}/wake", id(&pi));
    let refused = world.server.post(&world.ada, &by_id, json!({})).await.expect(409);
    assert!(refused.text.contains("obody is there to wake main"), "{}", refused.text);
    let path = |of: &Value| format!("/api/v2/workspaces/{}/machines/main/wake", id(of));
    let refused = world.server.post(&world.ada, &path(&kiln), json!({})).await.expect(409);
    assert!(refused.text.contains("he deployment runs this machine"), "{}", refused.text);
    let refused = world.server.post(&world.ada, &path(&pi), json!({})).await.expect(409);
    assert!(refused.text.contains("obody is there to wake main"), "{}", refused.text);
}

#[tokio::test]
async fn who_may_start_it_may_wake_it() {
    let (world, pi) = attached().await;
    let (agent, _) = world.agent_of("token-a").await;
    world.server.app.agent_spot(agent, asleep()).await.unwrap();
    let desk = spot(&[], "192.168.1.30/24", "203.0.113.7");
    let desk = world.neighbour("desk", &pi, desk).await;
    assert!(matches!(world.wake(&world.ben, with(&[&desk])).await, Err(Error::NotFound(_))));
    let acl = format!("/api/v2/workspaces/{}/acl", id(&pi));
    let grants = format!("/api/v2/workspaces/{}/grants", id(&pi));
    let sees = json!({ "users": [id_of(&world, "ben").await], "verbs": ["view"] });
    world.server.post(&world.ada, &grants, sees).await.expect(201);
    assert!(matches!(world.wake(&world.ben, with(&[&desk])).await, Err(Error::Denied(_))));
    assert!(!world.server.get(&world.ben, "/@ada/pi").await.expect(200).text.contains("/wake"));
    let works = json!({ "user_roles": { (id_of(&world, "ben").await): "use" } });
    world.server.patch(&world.ada, &acl, works).await.expect(204);
    let waking = world.wake(&world.ben, with(&[&desk])).await.unwrap();
    assert_eq!(waking.cards, asleep().cards);
    assert_eq!(waking.senders, [(desk.agent, "192.168.1.30/24".parse().unwrap())]);
    assert_eq!((waking.agent.as_str(), waking.server), ("main", None));

    // Not again at once; and nobody waits for it any more once it is here.
    let why = world.refusal(with(&[&desk])).await;
    assert!(why.starts_with("the machine of main was woken 0 s ago"), "{why}");
    world.server.clock.advance(Duration::from_secs(10));
    world.wake(&world.ada, with(&[&desk])).await.unwrap();
    world.server.app.agent_spot(agent, asleep()).await.unwrap();
    let (ada, workspace) = (world.actor(&world.ada).await, desk.workspace);
    let known = world.server.app.machine_spots(&ada, world.agent_of("token-a").await.1).await;
    assert_eq!(known.unwrap()[0].woken_at, None);
    assert!(world.server.app.machine_spots(&ada, workspace).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_sends_is_on_the_same_network_and_of_the_same_organization() {
    let (world, pi) = attached().await;
    let (agent, _) = world.agent_of("token-a").await;
    world.server.app.agent_spot(agent, asleep()).await.unwrap();
    let mut there = Vec::new();
    for n in 0..=MAX_SENDERS {
        let at = spot(&[], &format!("192.168.1.{}/24", 30 + n), "203.0.113.7");
        there.push(world.neighbour(&format!("desk{n}"), &pi, at).await);
    }
    let other_home = spot(&[], "192.168.1.30/24", "203.0.113.8");
    let elsewhere = Neighbour { spot: other_home, ..there[0].clone() };
    let why = world.refusal(with(&[&elsewhere])).await;
    assert!(why.starts_with("nobody is there"), "{why}");
    let all: Vec<&Neighbour> = [&elsewhere].into_iter().chain(&there).collect();
    let waking = world.wake(&world.ada, with(&all)).await.unwrap();
    assert_eq!(waking.senders.len(), MAX_SENDERS);
    let entry = world.server.get(&world.olga, "/api/v2/audit?q=action:write&limit=1").await;
    let entry = entry.expect(200).json()["audit_logs"][0].clone();
    assert_eq!(entry["diff"]["wake main"]["new"], CARD);
    let by = "ada/desk0, ada/desk1, ada/desk2, ada/desk3";
    assert_eq!(entry["diff"]["sent by"]["new"], by);

    // The machine of another organization does nothing for it.
    world.server.clock.advance(Duration::from_secs(10));
    let made = json!({ "name": "orchard" });
    let made = world.server.post(&world.olga, "/api/v2/organizations", made).await.expect(201);
    let conn = rusqlite::Connection::open(&world.server.db_path).unwrap();
    let (to, of) = (id(&made.json()), there[0].workspace.to_string());
    conn.execute("UPDATE workspaces SET organization_id = ?1 WHERE id = ?2", [to, of]).unwrap();
    let why = world.refusal(with(&[&there[0]])).await;
    assert!(why.starts_with("nobody is there"), "{why}");
}

#[tokio::test]
async fn the_server_sends_only_where_it_is_itself() {
    let (world, _) = attached().await;
    let (agent, _) = world.agent_of("token-a").await;
    let app = &world.server.app;
    let server = || Around {
        agents: vec![],
        server: vec!["10.0.0.1/24".parse().unwrap(), "192.168.1.2/24".parse().unwrap()],
    };
    app.agent_spot(agent, asleep()).await.unwrap();
    assert!(
        world.refusal(server()).await.starts_with("nobody is there"),
        "another's 192.168.1.0/24"
    );
    let near = spot(&[CARD], "192.168.1.20/24", "192.168.1.20");
    app.agent_spot(agent, near).await.unwrap();
    let waking = world.wake(&world.ada, server()).await.unwrap();
    assert_eq!(waking.server, Some("192.168.1.2/24".parse().unwrap()));
}

#[tokio::test]
async fn where_a_machine_was_is_forgotten_with_its_workspace_and_its_owner() {
    let (world, pi) = attached().await;
    let (agent, workspace) = world.agent_of("token-a").await;
    let (app, olga) = (&world.server.app, world.actor(&world.olga).await);
    app.agent_spot(agent, asleep()).await.unwrap();
    assert_eq!(app.machine_spots(&olga, workspace).await.unwrap().len(), 1);
    let path = format!("/api/v2/workspaces/{}/handover", id(&pi));
    world.server.post(&world.olga, &path, json!({ "to": "ben" })).await.expect(200);
    assert!(app.machine_spots(&olga, workspace).await.unwrap().is_empty());
    world.done(external("token-b", 2)).await;
    let (agent, _) = world.agent_of("token-b").await;
    app.agent_spot(agent, asleep()).await.unwrap();
    world.build(&world.olga, &pi, json!({ "transition": "start" })).await.expect(201);
    let mut renamed = external("token-c", 3);
    renamed.resources.iter_mut().flat_map(|r| &mut r.agents).for_each(|a| a.name = "board".into());
    world.done(renamed).await;
    app.agent_spot(world.agent_of("token-c").await.0, asleep()).await.unwrap();
    let known = app.machine_spots(&olga, workspace).await.unwrap();
    assert_eq!(known.iter().map(|k| k.name.as_str()).collect::<Vec<_>>(), ["board"]);
    world.build(&world.olga, &pi, json!({ "transition": "delete" })).await.expect(201);
    world.done(external("token-c", 4)).await;
    let conn = rusqlite::Connection::open(&world.server.db_path).unwrap();
    let left = conn.query_row("SELECT count(*) FROM agent_spots", [], |row| row.get::<_, i64>(0));
    assert_eq!(left.unwrap(), 0);
}
