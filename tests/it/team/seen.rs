//! What `who`, `terminals` and `recordings` say.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use super::{Team, has};
use crate::e2e::site::{Site, eventually};

#[test]
fn who_is_there_and_what_was_run_is_told() {
    let settings = tempfile::tempdir().unwrap();
    let file = settings.path().join("server.toml");
    std::fs::write(&file, "[recording]\nsessions = \"on\"\n").unwrap();
    let team = Team::of(Site::with(&["--config", file.to_str().unwrap()]));
    let nobody = team.by("ada", &["who", "kiln"]);
    has(&nobody.err, &["Nobody is in a workspace"]);
    has(&team.by("ada", &["recordings", "list"]).err, &["No recording is found."]);

    let mut ssh = team.site.ssh_command("kiln");
    ssh.arg("-tt").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut shell = ssh.spawn().unwrap();
    shell.stdin.as_mut().unwrap().write_all(b"echo find-me-here\n").unwrap();
    let who = eventually("she is there", || {
        let who = team.by("ada", &["who"]).ok();
        who.contains("kiln").then_some(who)
    });
    has(&who, &["USER", "ada", "main", "ssh"]);
    let here = team.json("ada", &["who", "kiln"]);
    assert_eq!(
        (&here[0]["user"]["username"], &here[0]["workspace"]),
        (&"ada".into(), &"kiln".into())
    );
    assert_eq!(team.json("linus", &["who"]), serde_json::json!([]));
    team.refused("ada", &["who", "kilm"], &["\"kiln\""]);

    let command = eventually("the command is listed", || {
        let found = ["recordings", "commands", "--search", "find-me-here"];
        team.json("ada", &found)
            .as_array()
            .unwrap()
            .iter()
            .find(|c| !c["exit_code"].is_null())
            .cloned()
    });
    shell.stdin.as_mut().unwrap().write_all(b"exit\n").unwrap();
    shell.wait().unwrap();
    let commands =
        ["recordings", "commands", "--user", "ada", "--workspace", "kiln", "--search", "find-me"];
    has(&team.by("ada", &commands).ok(), &["ada", "ada/kiln", "echo find-me-here", "EXIT"]);
    let id = command["recording_id"].as_str().unwrap();
    let listed = eventually("it is complete", || {
        let all = team.by("ada", &["recordings", "list", "kiln"]).ok();
        all.contains("complete").then_some(all)
    });
    has(&listed, &[id, "ada/kiln", "shell"]);
    let all = team.json("ada", &["recordings", "list", "kiln"]);
    assert_eq!((&all[0]["id"], &all[0]["kind"]), (&id.into(), &"shell".into()));

    exported(&team, id);
    for (flag, value, field) in [
        ("--search", "ab", "search:"),
        ("--from", "soon", "from"),
        ("--until", "soon", "until"),
        ("--limit", "many", "--limit"),
    ] {
        team.refused("ada", &["recordings", "commands", flag, value], &[field]);
    }
}

/// It is written to a file that players read, to who may see it, and not over another file.
fn exported(team: &Team, id: &str) {
    let cast = team.site.path("night.cast");
    has(&team.by("ada", &["recordings", "export", id, &cast]).err, &["Wrote", "night.cast"]);
    let text = std::fs::read_to_string(&cast).unwrap();
    let head: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(head["version"], 3, "{head}");
    has(&text, &["find-me-here"]);
    assert_eq!(team.by("ada", &["recordings", "export", id, "-"]).ok(), text);
    team.refused("ada", &["recordings", "export", id, &cast], &["Making", "night.cast"]);
    team.refused("ada", &["recordings", "export", "kiln", &cast], &["<ID>"]);
    let unknown = uuid::Uuid::new_v4().to_string();
    team.refused(
        "ada",
        &["recordings", "export", &unknown, &team.site.path("x")],
        &["Recording not found"],
    );
    assert!(!std::path::Path::new(&team.site.path("x")).exists(), "nothing is left");
    team.refused("linus", &["recordings", "export", id, "-"], &["Recording not found"]);
}
