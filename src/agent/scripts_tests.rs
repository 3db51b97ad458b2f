//! Scripts as real processes.

use std::collections::BTreeMap;

use super::*;
use crate::agent::testing::{manifest, place, script};

/// What was told about scripts: their ends by script, and their lines.
async fn told(base: &Base, ends: usize) -> (BTreeMap<u128, (i32, bool)>, Vec<String>) {
    let (mut done, mut lines) = (BTreeMap::new(), vec![]);
    while done.len() < ends || !base.reports.all_told() {
        let report = base.reports.next().await;
        if let FromAgent::ScriptDone { script, exit_code, timed_out, .. } = report {
            done.insert(script.0.as_u128(), (exit_code, timed_out));
        } else if let FromAgent::Logs { seq, lines: batch } = report {
            lines.extend(batch.into_iter().map(|l| format!("{}: {}", l.level, l.output)));
            base.reports.logs_stored(seq);
        }
    }
    (done, lines)
}

#[tokio::test]
async fn start_scripts_run_together_and_the_worst_end_counts() {
    let place = place();
    // Each waits for the other's file: one after the other they would wait for ever.
    let meet = |mine: &str, other: &str, code: u8| {
        format!("touch {mine}; until [ -e {other} ]; do sleep 0.01; done; exit {code}")
    };
    let slow = ScriptSpec { timeout_s: 1, ..script(3, "exec sleep 1000") };
    let stop_only = ScriptSpec { run_on_start: false, run_on_stop: true, ..script(4, "exit 9") };
    let scripts =
        vec![script(1, &meet("a", "b", 0)), script(2, &meet("b", "a", 7)), slow, stop_only];
    let manifest = Manifest { scripts, ..manifest() };
    let stop = CancellationToken::new();
    let outcome = run_all(&place.base, &manifest, Stage::Start, &stop).await;
    assert_eq!(outcome, Outcome::TimedOut);
    let (ends, lines) = told(&place.base, 3).await;
    assert_eq!(ends, [(1, (0, false)), (2, (7, false)), (3, (-1, true))].into());
    assert!(lines.contains(&"error: The script ended with exit code 7.".to_owned()), "{lines:?}");
}

#[tokio::test]
async fn output_is_told_and_copied_and_the_environment_is_set() {
    let place = place();
    let text = "#!/bin/sh\necho \"$CODER_AGENT_TOKEN in $PWD\"; echo bad >&2\n\
        test -d \"$CODER_SCRIPT_DATA_DIR\" && command -v coder";
    let logged = ScriptSpec { log_path: "~/logs/deep/a.log".to_owned(), ..script(1, text) };
    let manifest = Manifest { scripts: vec![logged], ..manifest() };
    let stop = CancellationToken::new();
    let outcome = run_all(&place.base, &manifest, Stage::Start, &stop).await;
    assert_eq!(outcome, Outcome::Done);
    let (_, mut lines) = told(&place.base, 1).await;
    lines.sort();
    let home = place.dir.path().display();
    let expected = [
        "error: bad".to_owned(),
        format!("info: {home}/state/bin/coder"),
        format!("info: agent-secret in {home}"),
    ];
    assert_eq!(lines, expected);
    let copy = std::fs::read_to_string(place.dir.path().join("logs/deep/a.log")).unwrap();
    assert!(copy.contains("bad\n") && copy.contains("agent-secret in"));
}

#[tokio::test]
async fn a_server_left_in_the_background_does_not_hold_the_start() {
    let place = place();
    let manifest = Manifest { scripts: vec![script(1, "sleep 30 & echo $!")], ..manifest() };
    let stop = CancellationToken::new();
    assert_eq!(run_all(&place.base, &manifest, Stage::Start, &stop).await, Outcome::Done);
    let (_, lines) = told(&place.base, 1).await;
    let pid = lines[0].strip_prefix("info: ").unwrap().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn schedules_fire_until_they_are_stopped() {
    let place = place();
    let every_second = ScriptSpec { cron: "* * * * * *".to_owned(), ..script(1, "exit 0") };
    let wrong = ScriptSpec { cron: "often".to_owned(), ..script(2, "exit 0") };
    let manifest = Arc::new(Manifest { scripts: vec![every_second, wrong], ..manifest() });
    let stop = CancellationToken::new();
    schedule_all(&place.base, &manifest, &stop);
    let (ends, lines) = told(&place.base, 1).await;
    assert_eq!(ends, [(1, (0, false))].into());
    assert!(lines[0].starts_with("error: \"often\" is not a schedule"), "{lines:?}");
    stop.cancel();
    assert!(place.base.tasks.stop(Duration::from_secs(5)).await);
}

#[test]
fn stop_scripts_are_bounded_and_start_scripts_only_by_themselves() {
    let check = |stage: Stage, own, secs| {
        let script = ScriptSpec { timeout_s: own, ..script(1, "") };
        assert_eq!(stage.limit(&script), Duration::from_secs(secs));
    };
    check(Stage::Start, 0, 0);
    check(Stage::Start, 300, 300);
    check(Stage::Stop, 0, 60);
    check(Stage::Stop, 5, 5);
    check(Stage::Stop, 300, 60);
}
