//! Sharing a workspace: what is granted, until when, and how it ends.

mod charter;
mod codes;
mod ends;
mod handover;
mod modes;
mod nameable;
mod review;
mod roles;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use steading::model::session::{NewSession, SessionKind, Shown};
use steading::server::app::Actor;
use steading::server::fleet::register::Live;

use crate::harness::{Client, Reply, person};
use crate::workspaces::{World as Workspaces, id, made};

/// Ada's workspace `kiln`, running; Ben, Cora and Dora are members of the organization.
struct World {
    all: Workspaces,
    kiln: String,
    agent: String,
    cora: Client,
}

impl World {
    async fn new() -> Self {
        let all = Workspaces::new().await;
        for name in ["cora", "dora"] {
            all.server.app.create_user(&Actor::System, person(name)).await.unwrap();
        }
        let workspace = all.adas("kiln").await;
        all.done(made("token-a", 1)).await;
        let path = format!("/api/v2/workspaces/{}", id(&workspace));
        let built = all.server.get(&all.ada, &path).await.expect(200).json();
        let agent = id(&built["latest_build"]["resources"][0]["agents"][0]);
        let cora = all.server.sign_in("cora").await;
        Self { kiln: id(&workspace), agent, cora, all }
    }

    fn path(&self, end: &str) -> String {
        format!("/api/v2/workspaces/{}{end}", self.kiln)
    }

    async fn get(&self, who: &Client, end: &str) -> Reply {
        self.all.server.get(who, &self.path(end)).await
    }

    /// Asks for a grant.
    async fn grant(&self, by: &Client, body: Value) -> Reply {
        self.all.server.post(by, &self.path("/grants"), body).await
    }

    /// Grants, and gives the grant's id.
    async fn granted(&self, by: &Client, body: Value) -> String {
        id(&self.grant(by, body).await.expect(201).json()[0])
    }

    async fn end(&self, by: &Client, grant: &str) -> Reply {
        self.all.server.delete(by, &self.path(&format!("/grants/{grant}"))).await
    }

    async fn user_id(&self, name: &str) -> String {
        let olga = self.all.server.sign_in("olga").await;
        let path = format!("/api/v2/users/{name}");
        id(&self.all.server.get(&olga, &path).await.expect(200).json())
    }

    /// A group of the organization with these members.
    async fn group(&self, name: &str, members: &[&str]) -> String {
        let (server, olga) = (&self.all.server, &self.all.olga);
        let path = "/api/v2/organizations/default/groups";
        let made = server.post(olga, path, json!({ "name": name })).await.expect(201).json();
        let path = format!("/api/v2/groups/{}", id(&made));
        server.patch(olga, &path, json!({ "add_users": members })).await.expect(200);
        id(&made)
    }

    /// Enters a live session, and waits until it is on record.
    async fn live(&self, user: &str, shown: Shown) -> Arc<Live> {
        self.live_as(user, shown, true).await
    }

    async fn live_as(&self, user: &str, shown: Shown, is_recorded: bool) -> Arc<Live> {
        let fleet = &self.all.server.state.fleet;
        let new = NewSession {
            shown,
            is_recorded,
            user_id: self.user_id(user).await.parse().unwrap(),
            workspace_id: self.kiln.parse().unwrap(),
            agent_id: self.agent.parse().unwrap(),
            kind: SessionKind::Terminal,
            address: "192.0.2.10".to_owned(),
            client: String::new(),
        };
        let live = fleet.begin(fleet.fresh_session(), new);
        assert!(live.recorded().await);
        live
    }

    /// The names of the workspaces that a search finds.
    async fn found(&self, who: &Client, search: &str) -> Vec<String> {
        let path = format!("/api/v2/workspaces?q={}", search.replace(':', "%3A"));
        let found = self.all.server.get(who, &path).await.expect(200).json();
        let names = found["workspaces"].as_array().unwrap().iter();
        let names: Vec<String> = names.map(|w| w["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found["count"], names.len(), "{search}");
        names
    }
}

/// Waits until a session is cut, as long as it may take.
async fn cut(live: &Live) {
    tokio::time::timeout(Duration::from_secs(2), live.cut.cancelled()).await.expect("cut in 2 s");
}

#[tokio::test]
async fn verbs_are_what_they_say_and_no_more() {
    let world = World::new().await;
    let (server, ada, ben) = (&world.all.server, &world.all.ada, &world.all.ben);
    world.get(ben, "").await.expect(404);
    assert!(world.found(ben, "").await.is_empty());
    let grant = world.granted(ada, json!({ "users": ["ben"], "verbs": ["viewer"] })).await;
    world.get(ben, "").await.expect(200);
    assert_eq!(world.found(ben, "").await, ["kiln"]);
    let build = |transition: &str| json!({ "transition": transition });
    let builds = world.path("/builds");
    let refused = server.post(ben, &builds, build("stop")).await.expect(403).json();
    assert_eq!(refused["message"], "You may see this workspace, not operate it.");
    let name = json!({ "name": "oven" });
    server.patch(ben, &world.path(""), name.clone()).await.expect(403);
    world.get(ben, "/grants").await.expect(403);
    world.grant(ben, json!({ "users": ["cora"] })).await.expect(403);
    world.end(ada, &grant).await.expect(204);
    world.get(ben, "").await.expect(404);

    world.granted(ada, json!({ "users": ["ben"], "verbs": ["use"] })).await;
    server.post(ben, &builds, build("stop")).await.expect(201);
    server.patch(ben, &world.path(""), name.clone()).await.expect(403);
    server.post(ben, &builds, build("delete")).await.expect(403);
    world.granted(ada, json!({ "users": ["ben"], "verbs": ["manage"] })).await;
    server.patch(ben, &world.path(""), name).await.expect(204);
}

#[tokio::test]
async fn who_shares_passes_on_a_part_of_theirs_and_never_the_sharing() {
    let world = World::new().await;
    let (ada, ben) = (&world.all.ada, &world.all.ben);
    let own = world.granted(ada, json!({ "users": ["ben"], "verbs": ["admin"] })).await;
    for (verbs, said) in [
        ("admin", "cannot let others share it"),
        ("view,share", "cannot let others share it"),
        ("delete", "ou do not have this yourself: delete"),
        ("execute", "ou do not have this yourself: execute"),
    ] {
        let verbs: Vec<&str> = verbs.split(',').collect();
        let body = json!({ "users": ["cora"], "verbs": verbs });
        let refused = world.grant(ben, body).await.expect(403).json();
        assert!(refused["message"].as_str().unwrap().contains(said), "{refused}");
    }
    let given = world.granted(ben, json!({ "users": ["cora"], "verbs": ["use"] })).await;
    world.get(&world.cora, "").await.expect(200);
    // Not the entry that one stands on, nor what one could not give.
    let refused = world.end(ben, &own).await.expect(409).json();
    assert!(refused["message"].as_str().unwrap().contains("by this grant yourself"), "{refused}");
    let adas = world.granted(ada, json!({ "users": ["dora"], "verbs": ["delete"] })).await;
    world.end(ben, &adas).await.expect(403);
    let listed = world.get(ben, "/grants").await.expect(200).json();
    let may: Vec<bool> =
        listed.as_array().unwrap().iter().map(|g| g["may_end"].as_bool().unwrap()).collect();
    assert_eq!(may, [false, true, false]);
    world.end(ben, &given).await.expect(204);
    world.get(&world.cora, "").await.expect(404);
}

#[tokio::test]
async fn what_does_not_fit_names_the_field() {
    let world = World::new().await;
    let ada = &world.all.ada;
    let orchard = json!({ "name": "orchard" });
    let path = "/api/v2/organizations";
    world.all.server.post(&world.all.olga, path, orchard).await.expect(201);
    let past = "2026-11-01T00:00:00Z";
    let long = "x".repeat(513);
    let many: Vec<String> = (0..17).map(|n| format!("10.0.{n}.0/24")).collect();
    for (field, body) in [
        ("verbs", json!({ "users": ["ben"], "verbs": ["fly"] })),
        ("users", json!({ "users": ["nobody"] })),
        ("groups", json!({ "groups": ["nothing"] })),
        ("groups", json!({ "groups": ["orchard/nothing"] })),
        ("groups", json!({ "groups": ["orchard/everyone"] })),
        ("user", json!({ "users": ["ada"] })),
        ("grants", json!({})),
        ("until", json!({ "users": ["ben"], "until": past })),
        ("until", json!({ "users": ["ben"], "until": "soon" })),
        ("until", json!({ "users": ["ben"], "until": "100000d" })),
        ("from", json!({ "users": ["ben"], "from": "soon" })),
        ("window", json!({ "users": ["ben"], "window": "weekends" })),
        ("networks", json!({ "users": ["ben"], "networks": ["the office"] })),
        ("networks", json!({ "users": ["ben"], "networks": many })),
        ("reason", json!({ "users": ["ben"], "reason": long })),
    ] {
        let refused = world.grant(ada, body.clone()).await.expect(400).json();
        assert_eq!(refused["validations"][0]["field"], field, "{body}: {refused}");
    }
    assert_eq!(world.get(ada, "/grants").await.expect(200).json(), json!([]));
}

#[tokio::test]
async fn each_change_is_on_record_and_can_be_undone() {
    let world = World::new().await;
    let ada = &world.all.ada;
    let body = json!({ "users": ["ben"], "until": "8h", "window": "mon-sun 0:00-24:00 UTC",
        "reason": "the glaze", "record": true });
    let grant = world.granted(ada, body).await;
    let listed = world.get(ada, "/grants").await.expect(200).json();
    assert_eq!(listed[0]["reason"], "the glaze");
    assert_eq!(listed[0]["granted_by"]["username"], "ada");
    assert_eq!(listed[0]["preset"], "use");
    assert_eq!(listed[0]["window"], "mon-sun 00:00-00:00 UTC");
    let entry = || async {
        let path = "/api/v2/audit?q=resource_type%3Aworkspace+action%3Awrite&limit=1";
        let log = world.all.server.get(&world.all.olga, path).await.expect(200).json();
        log["audit_logs"][0]["diff"]["user_acl"].clone()
    };
    let said = entry().await;
    let new = said["new"].to_string();
    assert!(new.contains("ben: use until 2026-") && new.contains("recorded"), "{said}");
    let live = world.live("ben", Shown::default()).await;
    world.end(ada, &grant).await.expect(204);
    assert_eq!(entry().await["new"], json!([]));
    cut(&live).await;
    world.get(&world.all.ben, "").await.expect(404);
    let restore = world.path(&format!("/grants/{grant}/restore"));
    world.all.server.post(ada, &restore, json!({})).await.expect(204);
    world.get(&world.all.ben, "").await.expect(200);
    world.all.server.post(ada, &restore, json!({})).await.expect(404);
    world.end(ada, &grant).await.expect(204);
    world.all.server.clock.advance(Duration::from_secs(601));
    world.all.server.post(ada, &restore, json!({})).await.expect(404);
}

#[tokio::test]
async fn of_more_sessions_than_are_told_of_at_once_it_is_said_how_many_more_there_are() {
    let world = World::new().await;
    let (server, ada) = (&world.all.server, &world.all.ada);
    world.live("ada", Shown::default()).await;
    let shown = server.get(ada, "/@ada/kiln").await.expect(200).text;
    assert!(!shown.contains("more</li>"), "{shown}");
    let conn = rusqlite::Connection::open(&server.db_path).unwrap();
    conn.execute_batch(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 511)
         INSERT INTO connections (id, user_id, workspace_id, agent_id, kind, address, client,
             began_at, bytes_out, bytes_in)
         SELECT format('01890000-0000-7000-8000-%012x', i), user_id, workspace_id, agent_id, kind, '',
             '', began_at - i, 0, 0 FROM connections, n",
    )
    .unwrap();
    for path in ["/api/v2/presence", &world.path("/presence")] {
        let all = server.get(ada, path).await.expect(200).json();
        let n = all["sessions"].as_array().unwrap().len();
        assert_eq!((n, &all["more"]), (500, &json!(12)), "{path}");
        assert_eq!(all["sessions"][0]["user"]["username"], "ada");
    }
    let none = server.get(&world.all.ben, "/api/v2/presence").await.expect(200).json();
    assert_eq!(none, json!({ "sessions": [], "more": 0 }));
    let shown = server.get(ada, "/@ada/kiln").await.expect(200).text;
    assert!(shown.contains("And 12 more</li>"), "{shown}");
}
