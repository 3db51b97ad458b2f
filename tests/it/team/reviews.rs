//! What `access`, with the charter and what-if below it, and `handover` do and say.

use serde_json::Value;

use super::{Team, fails, has};
use crate::e2e::site::eventually;

#[test]
fn who_reaches_what_is_listed_explained_and_looked_ahead_at() {
    let team = Team::new();
    let share = ["sharing", "add", "kiln", "--user", "grace:use", "--until", "8h"];
    team.by("ada", &[&share[..], &["--reason", "the glaze"]].concat()).ok();
    team.by("ada", &["sharing", "add", "kiln", "--user", "linus", "--verbs", "viewer"]).ok();
    let review = team.by("ada", &["access", "review"]).ok();
    has(&review, &["ada/kiln", "grace", "use", "the glaze", "linus", "viewer", "no end"]);
    let endless = team.json("ada", &["access", "review", "--no-end"]);
    assert_eq!(endless[0]["grant"]["subject"]["name"], "linus", "{endless}");
    assert_eq!(endless.as_array().unwrap().len(), 1);
    let csv = team.by("ada", &["access", "review", "--csv", "--search", "kiln"]).ok();
    assert!(csv.starts_with("WORKSPACE,WHO,MAY,") && csv.lines().count() == 3, "{csv}");
    assert_eq!(team.json("ada", &["access", "review", "--search", "oven"]), serde_json::json!([]));

    let said = team.by("ada", &["access", "explain", "grace", "kiln"]).ok();
    has(&said, &["grant", "operate"]);
    let reasons = team.json("ada", &["access", "explain", "ada", "kiln"]);
    assert!(reasons.as_array().unwrap().iter().any(|one| one["reason"] == "owner"), "{reasons}");
    team.refused("ada", &["access", "explain", "nobody", "kiln"], &["User not found"]);
    team.refused("ada", &["access", "explain", "grace", "kilm"], &["\"kiln\""]);
    team.by(
        "ada",
        &["users", "create", "-u", "dora", "-e", "dora@example.test", "-p", "correct horse 7"],
    )
    .ok();
    let none = team.by("ada", &["access", "explain", "dora", "kiln"]);
    has(&none.err, &["dora does not reach ada/kiln."]);

    team.by("ada", &["groups", "create", "potters"]).ok();
    team.by("ada", &["sharing", "add", "kiln", "--group", "potters:use"]).ok();
    let ahead = ["access", "what-if", "--group", "potters", "--add", "dora"];
    has(&team.by("ada", &ahead).ok(), &["ada/kiln", "dora", "operate"]);
    let ahead = team.json("ada", &ahead);
    assert_eq!(ahead["changes"][0]["user"], "dora", "{ahead}");
    let owner = team.json("ada", &["access", "what-if", "--user", "dora", "--roles", "owner"]);
    assert!(owner["changes"][0]["gained"].to_string().contains("delete"), "{owner}");
    let nothing = team.by("ada", &["access", "what-if", "--group", "potters", "--remove", "dora"]);
    has(&nothing.err, &["Nobody gains or loses"]);
    team.refused(
        "ada",
        &["access", "what-if", "--group", "nobody", "--add", "dora"],
        &["Group not found"],
    );
    let unknown = ["access", "what-if", "--group", "potters", "--add", "nobody"];
    team.refused("ada", &unknown, &["User not found"]);
    team.refused("ada", &["access", "what-if", "--user", "dora", "--roles", "king"], &["roles:"]);
    team.refused("ada", &["access", "what-if"], &["--group"]);

    let id = endless[0]["grant"]["id"].as_str().unwrap();
    team.refused("ada", &["access", "revoke", id], &["--yes"]);
    has(&team.by("ada", &["access", "revoke", id, "--yes"]).err, &["Took back 1."]);
    team.refused("ada", &["access", "revoke", "kiln", "--yes"], &["<GRANTS>"]);
    has(&team.by("ada", &["access", "sign-off", "--note", "autumn"]).err, &["Signed off"]);
}

#[test]
fn a_charter_is_written_shown_and_reviewed_against() {
    let team = Team::new();
    let show = ["access", "charter", "show", "--workspace", "kiln"];
    has(&team.by("ada", &show).err, &["It has no charter."]);
    let text = "ends = true\nlongest = \"30d\"\n";
    let set = ["access", "charter", "set", "--workspace", "kiln"];
    has(&team.reading("ada", text, &set).err, &["Saved."]);
    let shown = team.by("ada", &show);
    has(&shown.err, &["By ada"]);
    assert_eq!(shown.ok(), text);
    let held = team.json("ada", &show);
    assert_eq!((&held["text"], &held["set_by"]), (&text.into(), &"ada".into()));
    team.by("ada", &["sharing", "add", "kiln", "--user", "linus"]).ok();
    let wider = team.by("ada", &["access", "review", "--wider"]).ok();
    has(&wider, &["linus", "has to have an end"]);
    fails(&team.reading("ada", "longest = 7\n", &set), &["text:"]);
    fails(&team.reading("ada", "ends = true\nfly = 1\n", &set), &["text:"]);
    team.refused("ada", &[&set[..], &["/nowhere"]].concat(), &["Reading /nowhere"]);
    fails(
        &team.reading("linus", text, &["access", "charter", "set", "--workspace", "ada/kiln"]),
        &["not manage it"],
    );
    let of_all = ["access", "charter", "set", "--organization", "default"];
    has(&team.reading("ada", text, &of_all).err, &["Saved."]);
    has(&team.by("ada", &show).err, &["Its organization has one"]);
    has(&team.reading("ada", "", &set).err, &["It has no charter now."]);
}

#[test]
fn a_handover_says_what_it_does_before_it_does_it() {
    let team = Team::new();
    let bot = ["users", "create", "-u", "nightly", "--service-account"];
    team.by("ada", &bot).ok();
    team.by("ada", &["sharing", "add", "kiln", "--user", "grace"]).ok();
    let hand = ["handover", "kiln", "--to", "nightly"];
    let dry = [&hand[..], &["--dry-run"]].concat();
    let said = team.by("ada", &dry);
    assert_eq!((said.code, &*said.out), (Some(0), ""), "{said:?}");
    has(
        &said.err,
        &["ada/kiln becomes nightly/kiln", "What was granted on it stands: 1.", "It restarts"],
    );
    let would = team.json("ada", &dry);
    assert_eq!((&would["from"], &would["to"]), (&"ada".into(), &"nightly".into()));
    has(&team.by("ada", &["list", "-c", "workspace"]).ok(), &["ada/kiln"]);
    // Nobody is there to ask, so nothing is done; what it would do was said.
    team.refused("ada", &hand, &["becomes nightly/kiln", "--yes"]);
    team.refused("ada", &["handover", "kiln"], &["--to"]);
    team.refused("ada", &["handover", "kiln", "--to", "nobody", "--yes"], &["to:"]);
    team.refused("ada", &["handover", "kilm", "--to", "nightly"], &["\"kiln\""]);
    team.refused("grace", &["handover", "ada/kiln", "--to", "grace", "--yes"], &["not delete it"]);
    let done = team.by("ada", &[&hand[..], &["--yes", "-o", "json"]].concat()).ok();
    let done: Value = serde_json::from_str(&done).unwrap();
    assert_eq!(done, would, "it does what it said");
    has(&team.by("ada", &["list", "--all", "-c", "workspace"]).ok(), &["nightly/kiln"]);
    eventually("it runs again", || {
        let shown = team.json("ada", &["show", "nightly/kiln"]);
        let build = &shown["latest_build"];
        (build["status"] == "running" && build["transition"] == "start").then_some(())
    });
}
