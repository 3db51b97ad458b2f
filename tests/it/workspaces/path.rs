//! From the first start to the free name: rights, answers, schedules.

use serde_json::json;
use steading::model::build::{BuildReason, Transition};
use steading::model::id::WorkspaceId;
use steading::server::app::build_requests::BuildRequest;
use steading::server::app::jobs::BuildOutcome;
use steading::server::app::{Actor, Error};

use super::{World, id, made, state};

#[tokio::test]
async fn a_workspace_starts_stops_and_is_deleted_and_its_name_is_free_again() {
    let world = World::new().await;
    let workspace = world.adas("kiln").await;
    assert_eq!(workspace["latest_build"]["status"], "pending");
    world.done(made("token-a", 1)).await;
    let path = format!("/api/v2/workspaces/{}", id(&workspace));
    let seen = world.server.get(&world.ada, &path).await.expect(200).json();
    assert_eq!(seen["latest_build"]["status"], "running");
    let agent = &seen["latest_build"]["resources"][0]["agents"][0];
    assert_eq!(agent["status"], "connecting");
    assert_eq!(agent["scripts"][0]["start_blocks_login"], true);
    assert!(!seen.to_string().contains("secret-in"), "{seen}");
    let taken = json!({ "name": "KILN", "template_id": world.template["id"] });
    world.create(&world.ada, taken.clone()).await.expect(409);
    world.build(&world.ada, &workspace, json!({ "transition": "delete" })).await.expect(201);
    let job = world.done(BuildOutcome::default()).await;
    world.server.get(&world.ada, &path).await.expect(404);
    // Who waits for the delete sees its end.
    let last = world.server.app.import_work(job).await;
    assert!(matches!(last, Err(Error::NotFound(_))));
    world.create(&world.ada, taken).await.expect(201);
}

#[tokio::test]
async fn the_build_of_a_deleted_workspace_stays_readable_for_its_owner_alone() {
    let world = World::new().await;
    let workspace = world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    let build = world.build(&world.ada, &workspace, json!({ "transition": "delete" })).await;
    let path = format!("/api/v2/workspacebuilds/{}", id(&build.expect(201).json()));
    world.done(BuildOutcome::default()).await;
    let seen = world.server.get(&world.ada, &path).await.expect(200).json();
    assert_eq!(seen["status"], "deleted");
    world.server.get(&world.ben, &path).await.expect(404);
}

#[tokio::test]
async fn nobody_sees_or_touches_what_is_not_theirs() {
    let world = World::new().await;
    let workspace = world.adas("kiln").await;
    world.done(made("token-a", 1)).await;
    let path = format!("/api/v2/workspaces/{}", id(&workspace));
    world.server.get(&world.ben, &path).await.expect(404);
    world.server.get(&world.tess, &path).await.expect(200);
    world.server.get(&world.olga, &path).await.expect(200);
    let stop = json!({ "transition": "stop" });
    world.build(&world.ben, &workspace, stop.clone()).await.expect(404);
    world.build(&world.tess, &workspace, stop.clone()).await.expect(403);
    let orphan = json!({ "transition": "delete", "orphan": true });
    world.build(&world.ada, &workspace, orphan).await.expect(403);
    world.build(&world.olga, &workspace, stop).await.expect(201);
    let list = world.server.get(&world.ben, "/api/v2/workspaces").await.json();
    assert_eq!(list["count"], 0);
    let list = world.server.get(&world.olga, "/api/v2/workspaces?q=owner:ada").await.json();
    assert_eq!(
        (list["count"].clone(), list["workspaces"][0]["name"].clone()),
        (json!(1), json!("kiln"))
    );
    let none = world.server.get(&world.olga, "/api/v2/workspaces?q=owner:me").await.json();
    assert_eq!(none["count"], 0);
    world.server.get(&world.olga, "/api/v2/workspaces?q=colour:red").await.expect(400);
}

#[tokio::test]
async fn answers_are_carried_over_and_may_only_grow() {
    let world = World::new().await;
    let values = |n: &str| json!([{ "name": "cores", "value": n }]);
    let body = json!({ "name": "kiln", "template_id": world.template["id"],
        "rich_parameter_values": values("4") });
    let workspace = world.create(&world.ada, body).await.expect(201).json();
    world.done(made("token-a", 1)).await;
    let build = world.build(&world.ada, &workspace, json!({ "transition": "stop" })).await;
    let build = build.expect(201).json();
    let path = format!("/api/v2/workspacebuilds/{}/parameters", id(&build));
    assert_eq!(world.server.get(&world.ada, &path).await.json(), values("4"));
    world.done(made("token-a", 2)).await;
    let smaller = json!({ "transition": "start", "rich_parameter_values": values("2") });
    let refused = world.build(&world.ada, &workspace, smaller).await.expect(400).json();
    assert_eq!(refused["validations"][0]["field"], "cores");
    let larger = json!({ "transition": "start", "rich_parameter_values": values("8") });
    world.build(&world.ada, &workspace, larger).await.expect(201);
    let claim = world.claim().await;
    let work = world.server.app.build_work(claim.job).await.unwrap();
    assert_eq!(
        (work.parameters[0].value.as_str(), work.previous_parameters[0].value.as_str()),
        ("8", "4")
    );
    assert_eq!(work.state, Some(state(2)));
    assert!(!work.session_token.is_empty());
}

#[tokio::test]
async fn a_workspace_stops_by_itself_when_its_time_is_over() {
    let world = World::new().await;
    let body = json!({ "name": "kiln", "template_id": world.template["id"], "ttl_ms": 3_600_000,
        "autostart_schedule": "CRON_TZ=Europe/Berlin 0 9 * * 1-5" });
    let workspace = world.create(&world.ada, body).await.expect(201).json();
    world.done(made("token-a", 1)).await;
    let app = &world.server.app;
    assert!(app.overdue_workspaces().await.unwrap().is_empty());
    world.server.clock.advance(std::time::Duration::from_secs(3601));
    let due: Vec<WorkspaceId> = app.overdue_workspaces().await.unwrap();
    assert_eq!(due.iter().map(ToString::to_string).collect::<Vec<_>>(), [id(&workspace)]);
    let stop = BuildRequest::new(Transition::Stop, BuildReason::Autostop);
    let build = app.create_build(&Actor::System, due[0], stop).await.unwrap();
    assert_eq!(build.initiator.username.as_str(), "ada");
    assert!(app.overdue_workspaces().await.unwrap().is_empty());
    let bad = json!({ "schedule": "0 9 1 * *" });
    let path = format!("/api/v2/workspaces/{}/autostart", id(&workspace));
    world.server.put(&world.ada, &path, bad).await.expect(400);
}
