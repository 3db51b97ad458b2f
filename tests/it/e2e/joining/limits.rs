//! What a terminal bears: no more of them than an agent has room for, one at it who does not read, and an end
//! that the agent cannot hear of.

use rustix::process::{Pid, Signal, kill_process};

use super::*;

/// Terminals that one agent has at most.
const MOST: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn the_sixty_fifth_terminal_is_refused_until_another_ends() {
    let site = kiln();
    let mut all = vec![];
    for _ in 0..MOST {
        let mut tab = Tab::open(&site, "ada", uuid::Uuid::new_v4(), (80, 24)).await;
        tab.until("told", |tab| !tab.told.is_null()).await;
        all.push(tab);
    }
    let mut more = Tab::open(&site, "grace", uuid::Uuid::new_v4(), (80, 24)).await;
    more.until("refused", |tab| tab.closed.is_some()).await;
    let why = "there are too many terminals; close some".to_owned();
    assert_eq!(more.closed, Some((4001, why)));
    // Whoever is at one stays, and room is made by an end.
    let mut first = all.remove(0);
    first.sees("$ ").await;
    first.keys("exit\n").await;
    first.until("ended", |tab| tab.closed.is_some()).await;
    let mut more = Tab::open(&site, "grace", uuid::Uuid::new_v4(), (80, 24)).await;
    more.sees("$ ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_recorded_and_does_not_read_is_let_go_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("server.toml");
    std::fs::write(&file, "[recording]\nsessions = \"on\"\nwhen_full = \"end\"\n").unwrap();
    let site = kiln_on(Site::with(&["--config", file.to_str().unwrap()]));
    let terminal = uuid::Uuid::new_v4();
    let mut ada = Tab::open(&site, "ada", terminal, (100, 30)).await;
    ada.sees("$ ").await;
    let mut grace = Tab::open(&site, "grace", terminal, (100, 30)).await;
    grace.until("she is there", |tab| !tab.seat("grace").is_null()).await;
    // From here on she takes nothing: more than all there is between waits for her.
    ada.keys("head -c 12000000 /dev/zero | tr '\\0' x | fold -w 99; echo al''l-of-it\n").await;
    ada.sees("all-of-it").await;
    ada.keys("echo go''es-on\n").await;
    ada.sees("goes-on").await;
    grace.until("let go", |tab| tab.closed.is_some()).await;
    ada.until("she is gone", |tab| tab.seat("grace").is_null()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moderator_ends_nothing_while_the_agent_is_away() {
    let site = kiln();
    let terminal = uuid::Uuid::new_v4();
    let mut ada = Tab::open(&site, "ada", terminal, (100, 30)).await;
    ada.sees("$ ").await;
    ada.keys("echo agent-$PPID-is\n").await;
    let number = |text: &str| {
        let (_, rest) = text.split_once("agent-")?;
        rest.split_once("-is")?.0.parse::<i32>().ok()
    };
    let lines = |tab: &Tab| tab.screen.screen().contents();
    ada.until("its number", |tab| lines(tab).lines().find_map(number).is_some()).await;
    let agent = lines(&ada).lines().find_map(number).unwrap();
    let said = std::fs::read(format!("/proc/{agent}/cmdline")).unwrap();
    assert!(said.windows(5).any(|part| part == b"agent"), "{}", String::from_utf8_lossy(&said));
    let agent = Pid::from_raw(agent).unwrap();
    kill_process(agent, Signal::STOP).unwrap();
    let path = format!("/api/v2/workspaces/{}/terminals/{terminal}/control", workspace(&site));
    // Her tab stays meanwhile, as its stream does.
    while !site.server_log().contains("an agent's control connection ended") {
        let reads = async {
            while ada.closed.is_none() {
                ada.next().await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_millis(500), reads).await;
    }
    assert_eq!(post(&site, &path, &json!({ "deed": "end" })), 503);
    let log = site.cli(&["audit", "list", "-o", "json"]).out;
    assert!(!log.contains("terminal_began_by"), "what did not happen is not on record: {log}");
    kill_process(agent, Signal::CONT).unwrap();
    agent_of(&site);
    assert_eq!(post(&site, &path, &json!({ "deed": "end" })), 204);
    ada.until("ended", |tab| tab.closed.is_some()).await;
    assert_eq!(ada.closed.as_ref().map(|closed| closed.0), Some(4004));
}
