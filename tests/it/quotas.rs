//! Budgets: what each group gives, what builds take, and that no crowd of builds takes more.

use futures_util::future::join_all;
use serde_json::{Value, json};
use steading::model::id::JobId;
use steading::model::quota::OverBudget;
use steading::model::resource::ResourceSpec;
use steading::server::app::jobs::BuildOutcome;

use crate::harness::Client;
use crate::workspaces::{World, id, imported, made, resources};

const ORGANIZATION: &str = "/api/v2/organizations/default";

async fn quota(world: &World, who: &Client, user: &str) -> (i64, i64) {
    let path = format!("{ORGANIZATION}/members/{user}/workspace-quota");
    let there = world.server.get(who, &path).await.expect(200).json();
    let path = format!("/api/v2/workspace-quota/{user}");
    assert_eq!(world.server.get(who, &path).await.expect(200).json(), there);
    (there["credits_consumed"].as_i64().unwrap(), there["budget"].as_i64().unwrap())
}

/// What Everyone adds to each member's budget.
async fn everyone(world: &World, allowance: i64) {
    let group = world.template["organization_id"].as_str().unwrap();
    let body = json!({ "quota_allowance": allowance });
    let path = format!("/api/v2/groups/{group}");
    let changed = world.server.patch(&world.olga, &path, body).await.expect(200).json();
    assert_eq!(changed["quota_allowance"], allowance);
}

async fn group(world: &World, name: &str, allowance: i64, members: &[&str]) -> String {
    let body = json!({ "name": name, "quota_allowance": allowance });
    let path = format!("{ORGANIZATION}/groups");
    let made = id(&world.server.post(&world.olga, &path, body).await.expect(201).json());
    let body = json!({ "add_users": members });
    world.server.patch(&world.olga, &format!("/api/v2/groups/{made}"), body).await.expect(200);
    made
}

/// Runs the build that waits as a runner does: it asks when it knows the cost, then makes it.
async fn run(world: &World, cost: i64) -> Result<JobId, OverBudget> {
    let claim = world.claim().await;
    world.server.app.build_work(claim.job).await.unwrap();
    let asked = world.server.app.commit_cost(claim.job, cost).await.unwrap();
    let outcome = match &asked {
        Ok(()) => BuildOutcome { daily_cost: cost, ..made("token", 1) },
        Err(over) => BuildOutcome { error: Some(over.to_string()), ..BuildOutcome::default() },
    };
    world.server.app.finish_build(claim.job, outcome).await.unwrap();
    asked.map(|()| claim.job)
}

async fn ask(world: &World, workspace: &Value, transition: &str) {
    world.build(&world.ada, workspace, json!({ "transition": transition })).await.expect(201);
}

#[tokio::test]
async fn a_budget_is_the_sum_of_the_groups_and_of_everyone() {
    let world = World::new().await;
    assert_eq!(quota(&world, &world.ada, "me").await, (0, -1), "nothing is limited");
    let potters = group(&world, "potters", 5, &["ada"]).await;
    assert_eq!(quota(&world, &world.ada, "me").await, (0, 5));
    assert_eq!(quota(&world, &world.ben, "me").await, (0, 0), "whoever has no allowance has none");
    everyone(&world, 3).await;
    group(&world, "glazers", 2, &["ada", "ben"]).await;
    assert_eq!(quota(&world, &world.olga, "ada").await, (0, 10));
    assert_eq!(quota(&world, &world.olga, "ben").await, (0, 5));
    // Who may not see someone learns nothing of their budget.
    let path = format!("{ORGANIZATION}/members/ada/workspace-quota");
    world.server.get(&world.ben, &path).await.expect(404);
    let path = format!("/api/v2/groups/{potters}");
    for bad in [-1, 1_000_000_001] {
        let body = json!({ "quota_allowance": bad });
        let refused = world.server.patch(&world.olga, &path, body).await.expect(400).json();
        assert_eq!(refused["validations"][0]["field"], "quota_allowance");
    }
    world.server.delete(&world.olga, &path).await.expect(200);
    world.server.delete(&world.olga, &format!("{ORGANIZATION}/members/ben")).await.expect(204);
    assert_eq!(quota(&world, &world.ada, "me").await, (0, 5));
}

#[tokio::test]
async fn a_build_over_budget_fails_and_says_what_would_make_room() {
    let world = World::new().await;
    everyone(&world, 10).await;
    let kiln = world.adas("kiln").await;
    run(&world, 7).await.unwrap();
    assert_eq!(quota(&world, &world.ada, "me").await, (7, 10));
    let second = world.adas("second").await;
    let over = run(&world, 4).await.unwrap_err();
    assert_eq!(over, OverBudget { planned: 4, remaining: 3, budget: 10 });
    let path = format!("/api/v2/workspaces/{}", id(&second));
    let seen = world.server.get(&world.ada, &path).await.expect(200).json();
    let job = &seen["latest_build"]["job"];
    assert_eq!(
        (&job["status"], &job["error_code"]),
        (&json!("failed"), &json!("INSUFFICIENT_QUOTA"))
    );
    let page = world.server.get(&world.ada, "/@ada/second/builds/1").await.expect(200).text;
    for part in ["over budget", "What uses the budget", "7 of 10 credits a day", "/@ada/kiln"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let form = world.server.get(&world.ada, "/templates/kiln/workspace").await.expect(200).text;
    assert!(form.contains("7 of 10"), "{form}");
    let log = world.server.get(&world.olga, "/api/v2/audit?q=resource_type:workspace_build").await;
    assert!(log.text.contains("over budget"), "{}", log.text);
    // A refused build counts nothing; what another frees is there for it.
    assert_eq!(quota(&world, &world.ada, "me").await, (7, 10));
    ask(&world, &kiln, "stop").await;
    run(&world, 1).await.unwrap();
    ask(&world, &second, "start").await;
    run(&world, 4).await.unwrap();
    assert_eq!(quota(&world, &world.ada, "me").await, (5, 10));
}

#[tokio::test]
async fn what_lowers_the_cost_passes_over_budget_and_what_may_be_there_counts() {
    let world = World::new().await;
    everyone(&world, 10).await;
    let kiln = world.adas("kiln").await;
    run(&world, 8).await.unwrap();
    everyone(&world, 2).await;
    for (transition, cost) in [("start", 8), ("start", 6), ("stop", 3)] {
        ask(&world, &kiln, transition).await;
        run(&world, cost).await.unwrap();
        assert_eq!(quota(&world, &world.ada, "me").await, (cost, 2));
    }
    ask(&world, &kiln, "start").await;
    run(&world, 4).await.unwrap_err();
    assert_eq!(quota(&world, &world.ada, "me").await, (3, 2));
    // A build that fails after it began to make things may have made them.
    everyone(&world, 10).await;
    ask(&world, &kiln, "start").await;
    let claim = world.claim().await;
    world.server.app.commit_cost(claim.job, 9).await.unwrap().unwrap();
    assert_eq!(quota(&world, &world.ada, "me").await, (9, 10));
    let failed = BuildOutcome { error: Some("no".into()), ..BuildOutcome::default() };
    world.server.app.finish_build(claim.job, failed).await.unwrap();
    assert_eq!(quota(&world, &world.ada, "me").await, (9, 10));
    ask(&world, &kiln, "delete").await;
    world.done(BuildOutcome::default()).await;
    assert_eq!(quota(&world, &world.ada, "me").await, (0, 10));
}

#[tokio::test]
async fn a_list_of_what_uses_the_budget_says_what_a_stop_frees() {
    let world = World::new().await;
    let cost = |daily_cost| {
        let one = resources("").into_iter().map(|r| ResourceSpec { daily_cost, ..r });
        one.collect::<Vec<_>>()
    };
    let found = steading::model::template::Imported {
        start_resources: cost(6),
        stop_resources: cost(2),
        ..imported()
    };
    let version = world.push(Some(&world.template["id"]), Ok(found)).await;
    let versions = format!("/api/v2/templates/{}/versions", id(&world.template));
    world.server.patch(&world.tess, &versions, json!({ "id": version["id"] })).await.expect(200);
    everyone(&world, 8).await;
    let form = world.server.get(&world.ada, "/templates/kiln/workspace").await.expect(200).text;
    assert!(form.contains("6 credits a day") && form.contains("6 of 8"), "{form}");
    world.adas("kiln").await;
    run(&world, 6).await.unwrap();
    world.adas("second").await;
    run(&world, 6).await.unwrap_err();
    let page = world.server.get(&world.ada, "/@ada/second/builds/1").await.expect(200).text;
    let stop_frees = "data-label=\"A stop frees\">4</td>";
    assert!(page.contains(stop_frees), "{page}");
    let form = world.server.get(&world.ada, "/templates/kiln/workspace").await.expect(200).text;
    assert!(form.contains("This does not fit: 2 of 8"), "{form}");
}

/// Two hundred builds of one person ask at once, through the one writer.
#[tokio::test]
async fn two_hundred_builds_at_once_never_exceed_the_budget_by_a_credit() {
    const BUILDS: i64 = 200;
    const BUDGET: i64 = 331;
    let world = World::new().await;
    everyone(&world, BUDGET).await;
    let mut jobs = Vec::new();
    for n in 0..BUILDS {
        world.adas(&format!("kiln-{n}")).await;
        jobs.push((world.claim().await.job, 1 + n % 5));
    }
    let app = &world.server.app;
    let asked = jobs.iter().map(|(job, cost)| {
        let (job, cost) = (*job, *cost);
        async move { app.commit_cost(job, cost).await.unwrap() }
    });
    let answers: Vec<Result<(), OverBudget>> = join_all(asked).await;
    let given: i64 =
        jobs.iter().zip(&answers).filter(|(_, a)| a.is_ok()).map(|((_, cost), _)| cost).sum();
    assert!(given <= BUDGET, "{given} were given");
    // Nobody was refused for whom there was room.
    for ((_, cost), answer) in jobs.iter().zip(&answers) {
        assert!(answer.is_ok() || *cost > BUDGET - given, "{cost} were refused at {given}");
    }
    assert_eq!(quota(&world, &world.ada, "me").await, (given, BUDGET));
    let ended = jobs.iter().zip(answers).map(|((job, cost), answer)| async move {
        let outcome = match answer {
            Ok(()) => BuildOutcome { daily_cost: *cost, ..made("", 1) },
            Err(over) => BuildOutcome { error: Some(over.to_string()), ..BuildOutcome::default() },
        };
        app.finish_build(*job, BuildOutcome { resources: vec![], ..outcome }).await.unwrap();
    });
    join_all(ended).await;
    assert_eq!(quota(&world, &world.ada, "me").await, (given, BUDGET));
}
