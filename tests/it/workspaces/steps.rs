//! Builds in any order of asks, claims, endings and restarts.

use proptest::prelude::*;
use steading::model::build::{BuildReason, JobStatus, Transition, WorkspaceStatus};
use steading::model::id::WorkspaceId;
use steading::server::app::build_requests::BuildRequest;
use steading::server::app::jobs::{BuildOutcome, Left};
use steading::server::app::{Actor, Error, Page};

use super::{World, id, made, state};

/// What happens to a workspace, as the database is asked to do it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ask(Transition),
    Claim,
    Cancel,
    Succeed,
    Fail,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Ask(Transition::Start)),
        Just(Step::Ask(Transition::Stop)),
        Just(Step::Ask(Transition::Delete)),
        Just(Step::Claim),
        Just(Step::Cancel),
        Just(Step::Succeed),
        Just(Step::Fail),
        Just(Step::Restart),
    ]
}

/// Takes a step; the state that the last ended build left is in `kept`.
async fn take(
    world: &World,
    workspace: WorkspaceId,
    at: usize,
    step: Step,
    kept: &mut Option<Vec<u8>>,
) {
    let app = &world.server.app;
    let serial = u32::try_from(at).unwrap();
    let last = app.builds(&Actor::System, workspace, Page::default()).await;
    let last = last.unwrap().remove(0);
    let running = matches!(last.job.status, JobStatus::Running | JobStatus::Canceling);
    match step {
        Step::Ask(transition) => {
            let request = BuildRequest::new(transition, BuildReason::Initiator);
            let asked = app.create_build(&Actor::System, workspace, request).await;
            match asked {
                Ok(build) => {
                    assert!(!last.job.status.is_active());
                    assert_eq!(build.number, last.number + 1);
                }
                Err(Error::Conflict(_)) => assert!(last.job.status.is_active()),
                Err(Error::NotFound(_)) => assert_eq!(last.transition, Transition::Delete),
                Err(other) => panic!("{other}"),
            }
        }
        Step::Claim => {
            if let Some(claim) = app.claim_job("test").await.unwrap() {
                assert_eq!(last.job.status, JobStatus::Pending);
                assert_eq!(app.build_work(claim.job).await.unwrap().state, *kept);
            }
        }
        Step::Cancel => drop(app.cancel_build(&Actor::System, last.id).await),
        Step::Succeed | Step::Fail if running => {
            let error = matches!(step, Step::Fail).then(|| "no".to_owned());
            let end = BuildOutcome { error, ..made("token", serial) };
            app.finish_build(last.job.id, end).await.unwrap();
            *kept = Some(state(serial));
        }
        Step::Succeed | Step::Fail => {}
        Step::Restart => {
            let left = Left { said: vec![], state: Some(state(serial)) };
            let left = running.then_some((last.job.id, left)).into_iter().collect();
            let n = app.resolve_interrupted(left).await.unwrap();
            assert_eq!(n, usize::from(running));
            if running {
                *kept = Some(state(serial));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn numbers_are_dense_one_build_is_active_and_the_next_gets_the_last_state(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let workspace: WorkspaceId = id(&world.adas("kiln").await).parse().unwrap();
            let mut kept = None;
            for (at, step) in steps.into_iter().enumerate() {
                let gone = world.server.app.workspace(&Actor::System, workspace).await.unwrap();
                if gone.status() == WorkspaceStatus::Deleted {
                    break;
                }
                take(&world, workspace, at, step, &mut kept).await;
            }
        });
    }
}
