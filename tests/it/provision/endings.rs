//! Bad endings through real Terraform: cancel, failure, kill, a full clock. The state is kept.

use std::time::Duration;

use steading::model::build::Transition;
use steading::provision::Failure;
use tokio_util::sync::CancellationToken;

use super::kit::{HEAD, World, build, settings, until};

const SLOW: &str = r#"
resource "terraform_data" "quick" {
  input = "made"
}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.quick]
  provisioner "local-exec" {
    command = "echo $$ >slow.pid; exec sleep 600"
  }
}
"#;

const BROKEN: &str = r#"
resource "terraform_data" "quick" {
  input = "made"
}
resource "terraform_data" "broken" {
  depends_on = [terraform_data.quick]
  provisioner "local-exec" {
    command = "echo out of luck; exit 3"
  }
}
"#;

fn names(state: &[u8]) -> Vec<String> {
    let state: serde_json::Value = serde_json::from_slice(state).unwrap();
    let resources = state["resources"].as_array().unwrap();
    resources.iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect()
}

fn pid_in(dir: &std::path::Path) -> Option<i32> {
    let work = std::fs::read_dir(dir.join("work")).ok()?;
    work.flatten().find_map(|job| {
        std::fs::read_to_string(job.path().join("t/slow.pid")).ok()?.trim().parse().ok()
    })
}

fn is_running(pid: i32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_build_keeps_what_it_made() {
    let world = World::new();
    let main = format!("{HEAD}{SLOW}");
    let cancel = CancellationToken::new();
    let files = [("main.tf", main.as_str())];
    let job = build(&files, Transition::Start, None);
    let id = job.id;
    let stop = async {
        let pid = until("the slow command", || pid_in(world.dir.path())).await;
        cancel.cancel();
        pid
    };
    let (end, pid) = tokio::join!(world.build_until(job, cancel.clone()), stop);
    assert!(matches!(end.result, Err(Failure::Canceled)), "{:?}\n{}", end.result, world.log());
    assert_eq!(names(&end.state.unwrap()), ["quick", "slow"]);
    assert!(!is_running(pid));
    // The directory stays until the state is stored.
    assert_eq!(world.provisioner.left_behind().await.len(), 1);
    world.provisioner.forget(id).await;
    assert!(world.provisioner.left_behind().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_build_keeps_what_it_made_and_says_why() {
    let world = World::new();
    let main = format!("{HEAD}{BROKEN}");
    let end = world.build(build(&[("main.tf", &main)], Transition::Start, None)).await;
    let why = end.result.unwrap_err().to_string();
    assert!(why.contains("local-exec provisioner error") && why.contains("out of luck"), "{why}");
    assert_eq!(names(&end.state.unwrap()), ["broken", "quick"]);
    assert!(world.log().contains("out of luck"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_takes_too_long_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    settings.time_limit = Duration::from_secs(4);
    let world = World::with(dir, settings);
    let main = format!("{HEAD}{SLOW}");
    let end = world.build(build(&[("main.tf", &main)], Transition::Start, None)).await;
    assert!(matches!(end.result, Err(Failure::TimedOut(_))), "{:?}", end.result);
    assert_eq!(names(&end.state.unwrap()), ["quick", "slow"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_leaves_is_ended_and_its_state_read() {
    let world = World::new();
    let main = format!("{HEAD}{SLOW}");
    let files = [("main.tf", main.as_str())];
    let job = build(&files, Transition::Start, None);
    let id = job.id;
    let pid = {
        // The future is dropped in the middle: nobody looks after terraform any more.
        let unlucky = Box::pin(world.build(job));
        let wait = Box::pin(until("the slow command", || pid_in(world.dir.path())));
        match futures_util::future::select(unlucky, wait).await {
            futures_util::future::Either::Right((pid, _)) => pid,
            futures_util::future::Either::Left((end, _)) => panic!("{end:?}"),
        }
    };
    world.tasks.cancel();
    assert!(is_running(pid), "terraform goes on without the server");
    let reborn = World::with(tempfile::tempdir().unwrap(), settings(world.dir.path()));
    let left = reborn.provisioner.left_behind().await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].job, id);
    assert!(left[0].said.join(" ").contains("It ended by itself after"), "{:?}", left[0].said);
    let state = left[0].state.clone().unwrap();
    assert_eq!(names(&state), ["quick", "slow"]);
    assert!(!is_running(pid));
    reborn.provisioner.forget(id).await;

    // The next build works on that state: the half-made object is made again.
    let quick = main.replace("exec sleep 600", "true");
    let end = reborn.build(build(&[("main.tf", &quick)], Transition::Start, Some(state))).await;
    assert!(end.result.is_ok(), "{:?}\n{}", end.result, reborn.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_terraform_leaves_the_state_there_was() {
    let world = World::new();
    let quick = format!("{HEAD}{}", SLOW.replace("exec sleep 600", "true"));
    let first = world.build(build(&[("main.tf", &quick)], Transition::Start, None)).await;
    let state = first.state.unwrap();
    let slow = format!("{HEAD}{SLOW}").replace("\"slow\" {", "\"slower\" {");
    let files = [("main.tf", slow.as_str())];
    let job = build(&files, Transition::Start, Some(state));
    let note = world.dir.path().join("work").join(job.id.to_string()).join("job.json");
    let kill = async {
        until("the slow command", || {
            let t = note.parent()?.join("t/slow.pid");
            std::fs::read_to_string(t).ok().filter(|t| !t.is_empty())
        })
        .await;
        let note: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&note).unwrap()).unwrap();
        let pid = note["terraform"]["pid"].as_i64().unwrap();
        let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        pid_in(world.dir.path()).unwrap()
    };
    let (end, pid) = tokio::join!(world.build(job), kill);
    // Whoever adopted it has to reap it, too.
    until("the end of what it had started", || (!is_running(pid)).then_some(())).await;
    assert!(matches!(end.result, Err(Failure::Terraform(_))), "{:?}", end.result);
    assert!(names(&end.state.unwrap()).contains(&"quick".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_refuses_before_anything_is_made() {
    let world = World::new();
    let main = format!(
        "{HEAD}resource \"terraform_data\" \"x\" {{}}\nresource \"coder_metadata\" \"x\" {{\n resource_id = terraform_data.x.id\n daily_cost = 7\n}}"
    );
    let files = [("main.tf", main.as_str())];
    let mut job = build(&files, Transition::Start, None);
    job.gate = Some(std::sync::Arc::new(|cost| {
        Box::pin(async move { Err(format!("{cost} credits are too many")) })
    }));
    let end = world.build(job).await;
    assert!(matches!(end.result, Err(Failure::Refused(why)) if why == "7 credits are too many"));
    assert!(end.state.is_none());
}
