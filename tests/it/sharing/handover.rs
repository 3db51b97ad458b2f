//! Handing a workspace over: who may, what goes with it, and that it outlives its former owner.

use serde_json::{Value, json};
use steading::model::session::Shown;
use steading::server::app::jobs::BuildOutcome;

use super::{World, cut};
use crate::harness::{Client, Reply};
use crate::workspaces::made;

impl World {
    async fn hand_over(&self, by: &Client, to: &str) -> Reply {
        self.all.server.post(by, &self.path("/handover"), json!({ "to": to })).await
    }

    async fn preview(&self, by: &Client, to: &str) -> Reply {
        self.all.server.post(by, &self.path("/handover/preview"), json!({ "to": to })).await
    }

    /// A service account for which someone answers.
    async fn account(&self, name: &str, responsible: &str) {
        let body = json!({ "username": name, "service_account": true, "responsible": responsible });
        self.all.server.post(&self.all.olga, "/api/v2/users", body).await.expect(201);
    }

    /// Does both builds of the restart that a handover asked for, the second one in this one's name.
    async fn restarted(&self, owner: &str, serial: u32) {
        self.all.done(BuildOutcome::default()).await;
        let claim = self.all.claim().await;
        let work = self.all.server.app.build_work(claim.job).await.unwrap();
        assert_eq!(work.owner.user.username.as_str(), owner);
        let outcome = made(&format!("token-{serial}"), serial);
        self.all.server.app.finish_build(claim.job, outcome).await.unwrap();
    }

    async fn owner(&self) -> Value {
        self.get(&self.all.olga, "").await.expect(200).json()["owner_name"].clone()
    }
}

#[tokio::test]
async fn an_account_takes_over_and_its_former_owner_can_go() {
    let world = World::new().await;
    let (server, olga, ada, ben) =
        (&world.all.server, &world.all.olga, &world.all.ada, &world.all.ben);
    world.account("nightly", "cora").await;
    let grant = world.granted(ada, json!({ "users": ["ben"], "verbs": ["use"] })).await;
    let code = server.post(ada, &world.path("/codes"), json!({})).await.expect(201).json();
    // Not hers to give away like this: Cora answers for it.
    let refused = world.hand_over(ada, "nightly").await.expect(403).json();
    assert!(refused["message"].as_str().unwrap().contains("make no workspaces"), "{refused}");
    let would = world.preview(olga, "nightly").await.expect(200).json();
    assert_eq!(
        (&would["from"], &would["to"], &would["responsible"], &would["stays"]),
        (&json!("ada"), &json!("nightly"), &json!("cora"), &json!([]))
    );
    assert_eq!(
        (&would["grants_kept"], &would["codes_lost"], &would["restarts"]),
        (&json!(1), &json!(1), &json!(true))
    );
    assert_eq!(world.owner().await, "ada", "nothing was done yet");
    let (adas, bens) =
        (world.live("ada", Shown::default()).await, world.live("ben", Shown::default()).await);
    let done = world.hand_over(olga, "nightly").await.expect(200).json();
    assert_eq!(done, would, "it does what it said");
    cut(&adas).await;
    assert!(!bens.cut.is_cancelled(), "what was granted goes on");
    world.get(ada, "").await.expect(404);
    world.get(&world.cora, "").await.expect(200);
    let redeem = json!({ "code": code["code"] });
    let dora = server.sign_in("dora").await;
    server.post(&dora, "/api/v2/codes/redeem", redeem).await.expect(404);
    let path = "/api/v2/audit?q=resource_type%3Aworkspace+action%3Awrite&limit=1";
    let log = server.get(olga, path).await.expect(200).json();
    let diff = &log["audit_logs"][0]["diff"];
    assert_eq!(diff["owner"], json!({ "old": "ada", "new": "nightly", "secret": false }));
    // It restarts by itself, and a token that she may have kept opens nothing.
    world.restarted("nightly", 2).await;
    // She goes; what she granted stands, and what runs goes on.
    server.put(olga, "/api/v2/users/ada/status/suspend", json!({})).await.expect(200);
    world.get(ben, "").await.expect(200);
    server.delete(olga, "/api/v2/users/ada").await.expect(200);
    let here = world.get(ben, "").await.expect(200).json();
    assert_eq!(here["latest_build"]["status"], "running");
    let listed = world.get(&world.cora, "/grants").await.expect(200).json();
    assert_eq!((&listed[0]["id"], &listed[0]["holds"]), (&json!(grant), &json!(true)));
    goes_on_as_another_s(&world).await;
}

/// The next start is in its new owner's name; and it goes from the account to a person.
async fn goes_on_as_another_s(world: &World) {
    let (server, ben) = (&world.all.server, &world.all.ben);
    let builds = world.path("/builds");
    server.post(ben, &builds, json!({ "transition": "stop" })).await.expect(201);
    world.all.done(BuildOutcome::default()).await;
    server.post(ben, &builds, json!({ "transition": "start" })).await.expect(201);
    let claim = world.all.claim().await;
    let work = server.app.build_work(claim.job).await.unwrap();
    assert_eq!(work.owner.user.username.as_str(), "nightly");
    assert!(!work.session_token.is_empty());
    server.app.finish_build(claim.job, made("token-3", 3)).await.unwrap();
    let lent = Client { token: Some(work.session_token), ..Client::default() };
    server.get(&lent, "/api/v2/users/me").await.expect(200);
    world.hand_over(&world.cora, "cora").await.expect(200);
    assert_eq!(world.owner().await, "cora");
    server.get(&lent, "/api/v2/users/me").await.expect(401);
}

#[tokio::test]
async fn only_who_disposes_of_it_hands_it_over_and_only_to_who_may_have_it() {
    let world = World::new().await;
    let (server, olga, ada, ben) =
        (&world.all.server, &world.all.olga, &world.all.ada, &world.all.ben);
    world.hand_over(ben, "ben").await.expect(404);
    let all = json!({ "users": ["ben"], "verbs": ["admin", "delete"] });
    world.granted(ada, all).await;
    let refused = world.hand_over(ben, "ben").await.expect(403).json();
    assert!(refused["message"].as_str().unwrap().contains("by a share"), "{refused}");
    world.hand_over(ada, "ben").await.expect(403);
    world.hand_over(olga, "ada").await.expect(409);
    let refused = world.hand_over(olga, "nobody").await.expect(400).json();
    assert_eq!(refused["validations"][0]["field"], "to", "{refused}");
    // A clash says the way out.
    let body = json!({ "name": "kiln", "template_id": world.all.template["id"] });
    world.all.create(&world.cora, body).await.expect(201);
    let refused = world.hand_over(olga, "cora").await.expect(409).json();
    assert!(refused["message"].as_str().unwrap().contains("rename one of them"), "{refused}");
    world.all.done(made("token-c", 1)).await;
    // Nor while a build is under way, nor to who is suspended.
    server.put(olga, "/api/v2/users/dora/status/suspend", json!({})).await.expect(200);
    world.hand_over(olga, "dora").await.expect(409);
    let builds = world.path("/builds");
    server.post(ada, &builds, json!({ "transition": "stop" })).await.expect(201);
    let refused = world.hand_over(olga, "ben").await.expect(409).json();
    assert!(refused["message"].as_str().unwrap().contains("under way"), "{refused}");
    world.all.done(BuildOutcome::default()).await;
    world.hand_over(olga, "ben").await.expect(200);
    assert_eq!(world.owner().await, "ben");
    world.get(ada, "").await.expect(404);
}

/// Who keeps an organization is not let into its workspaces, and does not get in by a handover: not by
/// one to themselves, to an account of theirs, nor to somebody who would let them in.
#[tokio::test]
async fn who_keeps_the_organization_gives_on_only_what_was_left_and_never_to_themselves() {
    let world = World::new().await;
    let (server, olga) = (&world.all.server, &world.all.olga);
    world.account("nightly", "dora").await;
    let roles = "/api/v2/organizations/default/members/dora/roles";
    server.put(olga, roles, json!({ "roles": ["organization-admin"] })).await.expect(200);
    let dora = server.sign_in("dora").await;
    for to in ["dora", "nightly", "ben"] {
        let refused = world.hand_over(&dora, to).await.expect(403).json();
        let said = refused["message"].as_str().unwrap();
        assert!(said.contains("ou may not do everything"), "{to}: {refused}");
        world.preview(&dora, to).await.expect(403);
    }
    server.put(olga, "/api/v2/users/ada/status/suspend", json!({})).await.expect(200);
    for to in ["dora", "nightly"] {
        let refused = world.hand_over(&dora, to).await.expect(403).json();
        let said = refused["message"].as_str().unwrap();
        assert!(said.contains("ou may not enter this workspace"), "{to}: {refused}");
    }
    assert_eq!(world.owner().await, "ada");
    let done = world.hand_over(&dora, "ben").await.expect(200).json();
    assert_eq!((&done["to"], &done["restarts"]), (&json!("ben"), &json!(true)));
    world.restarted("ben", 2).await;
    assert_eq!(world.owner().await, "ben");
    let may = world.get(&world.all.ben, "").await.expect(200).json();
    assert_eq!(may["latest_build"]["status"], "running");
}

/// What is said of whom it is to is for who may give it to them.
#[tokio::test]
async fn nobody_asks_by_a_handover_who_is_suspended() {
    let world = World::new().await;
    let (server, olga, ada) = (&world.all.server, &world.all.olga, &world.all.ada);
    let before = world.hand_over(ada, "dora").await.expect(403).text;
    server.put(olga, "/api/v2/users/dora/status/suspend", json!({})).await.expect(200);
    assert_eq!(world.hand_over(ada, "dora").await.expect(403).text, before);
}

#[tokio::test]
async fn what_may_not_be_shared_with_its_new_owner_ends_and_can_be_restored() {
    let world = World::new().await;
    let (server, olga, ada) = (&world.all.server, &world.all.olga, &world.all.ada);
    world.account("nightly", "ada").await;
    // While it is stopped nothing has to restart.
    server.post(ada, &world.path("/builds"), json!({ "transition": "stop" })).await.expect(201);
    world.all.done(BuildOutcome::default()).await;
    let done = world.hand_over(ada, "nightly").await.expect(200).json();
    assert_eq!(done["restarts"], false);
    let mode = "/api/v2/organizations/default/settings/workspace-sharing";
    let accounts = json!({ "shareable_workspace_owners": "service_accounts" });
    server.patch(olga, mode, accounts).await.expect(200);
    world.granted(ada, json!({ "users": ["ben"] })).await;
    let live = world.live("ben", Shown::default()).await;
    let would = world.preview(ada, "ada").await.expect(200).json();
    assert_eq!((&would["grants_kept"], &would["grants_ended"]), (&json!(0), &json!(1)));
    world.hand_over(ada, "ada").await.expect(200);
    cut(&live).await;
    world.get(&world.all.ben, "").await.expect(404);
    world.hand_over(ada, "nightly").await.expect(200);
    server.post(olga, &format!("{mode}/restore"), json!({})).await.expect(200);
    world.get(&world.all.ben, "").await.expect(200);
    // All of it, when that is asked for, and codes; and a restart in the new owner's name.
    server.post(ada, &world.path("/builds"), json!({ "transition": "start" })).await.expect(201);
    world.all.done(made("token-2", 2)).await;
    let code = server.post(ada, &world.path("/codes"), json!({})).await.expect(201).json();
    let body = json!({ "to": "ada", "end_grants": true });
    let done = server.post(ada, &world.path("/handover"), body).await.expect(200).json();
    assert_eq!((&done["grants_ended"], &done["restarts"]), (&json!(1), &json!(true)));
    assert_eq!(done["codes_lost"], 1);
    let everyone = json!({ "shareable_workspace_owners": "everyone" });
    server.patch(olga, mode, everyone).await.expect(200);
    let codes = world.get(ada, "/codes").await.expect(200).json();
    assert_eq!(codes[0]["state"], "revoked", "{codes}");
    let redeem = json!({ "code": code["code"] });
    server.post(&world.cora, "/api/v2/codes/redeem", redeem).await.expect(404);
    let build = world.get(ada, "").await.expect(200).json()["latest_build"].clone();
    assert_eq!((&build["transition"], &build["initiator_name"]), (&json!("stop"), &json!("ada")));
}

#[tokio::test]
async fn the_page_says_what_changes_before_it_is_done() {
    let world = World::new().await;
    let (server, ada) = (&world.all.server, &world.all.ada);
    world.account("nightly", "ada").await;
    let settings = server.get(ada, "/@ada/kiln/settings").await.expect(200).text;
    assert!(settings.contains("Hand it over"));
    let path = "/@ada/kiln/handover";
    let wrong = server.form(ada, path, &[("to", "nobody")]).await.expect(200).text;
    assert!(wrong.contains("There is no member") || wrong.contains("no member"), "{wrong}");
    let shown = server.form(ada, path, &[("to", "nightly")]).await.expect(200).text;
    assert!(shown.contains("that ada answers for") && shown.contains("may still"), "{shown}");
    assert_eq!(world.owner().await, "ada");
    let done = server.form(ada, path, &[("to", "nightly"), ("seen", "yes")]).await.expect(303);
    assert_eq!(done.headers["location"], "/@nightly/kiln");
    assert_eq!(world.owner().await, "nightly");
}

/// Its former owner knows the token of the agent that runs, whatever becomes of the restart.
#[tokio::test]
async fn the_agent_s_token_ends_at_once_also_where_the_restart_fails() {
    let world = World::new().await;
    let (server, app) = (&world.all.server, &world.all.server.app);
    app.agent_by_token("token-a").await.unwrap();
    world.preview(&world.all.olga, "cora").await.expect(200);
    app.agent_by_token("token-a").await.expect("nothing was done yet");
    let agent = world.agent.parse().unwrap();
    world.hand_over(&world.all.olga, "cora").await.expect(200);
    app.agent_by_token("token-a").await.unwrap_err();
    assert!(!app.agent_is_current(agent).await.unwrap(), "one that is connected is sent away");
    let failed = BuildOutcome { error: Some("no room".into()), ..BuildOutcome::default() };
    world.all.done(failed).await;
    app.agent_by_token("token-a").await.unwrap_err();
    // What a start finds in the state is as little good; another token is.
    let builds = world.path("/builds");
    server.post(&world.cora, &builds, json!({ "transition": "start" })).await.expect(201);
    world.all.done(made("token-a", 2)).await;
    app.agent_by_token("token-a").await.unwrap_err();
    for (transition, outcome) in [("stop", BuildOutcome::default()), ("start", made("token-b", 3))]
    {
        server.post(&world.cora, &builds, json!({ "transition": transition })).await.expect(201);
        world.all.done(outcome).await;
    }
    app.agent_by_token("token-b").await.unwrap();
}
