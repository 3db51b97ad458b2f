//! `steading_process` with real processes: started, noticed when dead, kept, ended with all.

use steading::model::build::Transition;
use steading::provision::starters;

use super::kit::{HEAD, WORKSPACE, World, build, until};

/// The attributes of the process in a state.
fn process(state: &[u8]) -> Option<serde_json::Value> {
    let state: serde_json::Value = serde_json::from_slice(state).unwrap();
    let resources = state["resources"].as_array().unwrap();
    let process = resources.iter().find(|r| r["type"] == "steading_process")?;
    Some(process["instances"][0]["attributes"].clone())
}

fn is_running(pid: &serde_json::Value) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// A program in place of the agent: it starts a child that leaves its session, and waits.
fn stand_in(world: &World) -> std::path::PathBuf {
    let path = world.dir.path().join("agent.sh");
    let text = "#!/bin/sh\necho \"$CODER_AGENT_TOKEN\" >token\nenv >env\nsetsid sleep 1000 &\necho $! >child\nwait\n";
    std::fs::write(&path, text).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, open).unwrap();
    path
}

fn with_stand_in() -> World {
    let world = World::new();
    let mut settings = super::kit::settings(world.dir.path());
    settings.process.binary = stand_in(&world);
    World::with(world.dir, settings)
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_starts_stops_and_goes_with_its_home() {
    let world = World::new();
    let files = starters::find("this-machine").unwrap().files;
    let start = world.build(build(files, Transition::Start, None)).await;
    assert!(start.result.is_ok(), "{:?}\n{}", start.result, world.log());
    let agents: Vec<_> = start.resources.iter().flat_map(|r| &r.agents).collect();
    assert_eq!(agents.len(), 1);
    let state = start.state.unwrap();
    let first = process(&state).unwrap();
    let home = std::path::PathBuf::from(first["home"].as_str().unwrap());
    let is_root = rustix::process::geteuid().is_root();
    assert_eq!(first["isolated"], is_root);
    if is_root {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::metadata(&home).unwrap();
        assert_eq!((metadata.mode() & 0o777, metadata.uid() >= 2_000_000_000), (0o700, true));
    }
    std::fs::write(home.join("kept"), "x").unwrap();
    assert!(!world.log().contains(&agents[0].token));

    let stop = world.build(build(files, Transition::Stop, Some(state))).await;
    assert!(stop.result.is_ok(), "{:?}\n{}", stop.result, world.log());
    let state = stop.state.unwrap();
    assert!(process(&state).is_none() && !is_running(&first["pid"]));
    assert!(stop.resources.is_empty());
    assert!(home.join("kept").exists());

    let delete = world.build(build(files, Transition::Delete, Some(state))).await;
    assert!(delete.result.is_ok(), "{:?}\n{}", delete.result, world.log());
    assert!(!home.exists() && !home.parent().unwrap().exists());
}

const TEMPLATE: &str = r#"
data "coder_workspace" "me" {}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "steading_process" "p" {
  count       = data.coder_workspace.me.start_count
  agent_token = coder_agent.main.token
  env         = { EXTRA = "1" }
}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_process_is_started_again_and_a_live_tree_is_ended() {
    let world = with_stand_in();
    let main = format!("{HEAD}{TEMPLATE}");
    let files = [("main.tf", main.as_str())];
    let start = world.build(build(&files, Transition::Start, None)).await;
    assert!(start.result.is_ok(), "{:?}\n{}", start.result, world.log());
    let first = process(start.state.as_ref().unwrap()).unwrap();
    let home = std::path::PathBuf::from(first["home"].as_str().unwrap());
    let read = |name: &'static str| {
        let path = home.join(name);
        move || std::fs::read_to_string(&path).ok().filter(|t| t.ends_with('\n'))
    };
    let child: i32 = until("the child", read("child")).await.trim().parse().unwrap();
    let env = until("the environment", read("env")).await;
    let names: Vec<&str> = env.lines().filter_map(|l| l.split_once('=').map(|(n, _)| n)).collect();
    assert!(names.contains(&"EXTRA") && names.contains(&"CODER_AGENT_URL"), "{env}");
    assert!(!names.iter().any(|n| n.starts_with("CARGO") || n.starts_with("TF_")), "{env}");
    assert!(env.contains(&format!("HOME={}\n", home.display())));

    // It dies; what it started stays, as after a crash.
    let pid = rustix::process::Pid::from_raw(first["pid"].as_i64().unwrap().try_into().unwrap());
    rustix::process::kill_process(pid.unwrap(), rustix::process::Signal::KILL).unwrap();
    until("its end", || (!is_running(&first["pid"])).then_some(())).await;
    let again = world.build(build(&files, Transition::Start, start.state)).await;
    assert!(again.result.is_ok(), "{:?}\n{}", again.result, world.log());
    let second = process(again.state.as_ref().unwrap()).unwrap();
    assert_ne!(first["pid"], second["pid"]);
    assert!(!is_running(&child.into()), "the first one's child was ended");
    assert!(is_running(&second["pid"]));
    assert_eq!((&first["home"], &first["user"]), (&second["home"], &second["user"]));
    let child = until("the second child", || {
        read("child")()?.trim().parse().ok().filter(|c: &i32| *c != child)
    })
    .await;

    // A new life of the server knows it and ends it with all it started.
    let mut settings = super::kit::settings(world.dir.path());
    settings.process.binary = world.dir.path().join("agent.sh");
    world.tasks.cancel();
    let reborn = World::with(world.dir, settings);
    assert!(is_running(&second["pid"]));
    let stop = reborn.build(build(&files, Transition::Stop, again.state)).await;
    assert!(stop.result.is_ok(), "{:?}\n{}", stop.result, reborn.log());
    assert!(!is_running(&second["pid"]) && !is_running(&child.into()));
    reborn.provisioner.remove_homes(WORKSPACE).await.unwrap();
    assert!(!home.exists());
}
