//! What `requests` and `break-glass` do and say.

use serde_json::json;

use super::{Team, has};

const ASK: [&str; 5] = ["requests", "create", "ada/kiln", "--reason", "the disk is full"];

#[test]
fn who_asks_is_let_in_or_told_no() {
    let team = Team::new();
    let asked = team.by("linus", &[&ASK[..], &["--for", "2h"]].concat());
    has(&asked.err, &["ada/kiln is asked for", "waits for an answer until"]);
    let id = asked.ok().trim().to_owned();
    let hers = team.json("grace", &ASK);
    assert_eq!((&hers["state"], &hers["for_seconds"]), (&"pending".into(), &14_400.into()));
    let her_id = hers["id"].as_str().unwrap();
    team.refused("linus", &ASK, &["asked for ada/kiln already"]);

    let listed = team.by("ada", &["requests", "list", "--to-decide"]).ok();
    has(&listed, &["linus", "grace", "ada/kiln", "use", "2 h", "the disk is full", "0 of 1"]);
    let waiting = team.json("ada", &["requests", "list", "--to-decide"]);
    assert_eq!(waiting.as_array().unwrap().len(), 2, "{waiting}");
    assert_eq!(team.json("linus", &["requests", "list"])[0]["id"], id);
    let none = team.by("linus", &["requests", "list", "--to-decide"]);
    has(&none.err, &["No request waits for you."]);
    team.refused("linus", &["requests", "approve", &id], &["answers their own request"]);
    team.refused("grace", &["requests", "approve", &id], &["Request not found"]);

    let let_in =
        team.by("ada", &["requests", "approve", &id, "--for", "1h", "--note", "mind the glaze"]);
    has(&let_in.err, &["linus may work in ada/kiln until 20"]);
    let_in.ok();
    has(&team.by("linus", &["show", "ada/kiln"]).ok(), &["ada/kiln is running"]);
    let denied = team.json("ada", &["requests", "deny", her_id, "--note", "tomorrow"]);
    let answer = &denied["answers"][0];
    assert_eq!((&denied["state"], &answer["note"]), (&"denied".into(), &"tomorrow".into()));
    team.refused("ada", &["requests", "deny", &id], &["approved already"]);
    let mine = team.by("linus", &["requests", "list", "-c", "state,answers,may"]).ok();
    has(&mine, &["approved", "1 of 1", "use"]);

    let again = team.json("grace", &ASK)["id"].as_str().unwrap().to_owned();
    let link = team.by("grace", &["requests", "link", &again]).ok();
    assert!(link.starts_with(&format!("{}/", team.site.url)), "{link}");
    let cancelled = team.by("grace", &["requests", "cancel", &again]);
    has(&cancelled.err, &["The request of grace for", "is cancelled"]);
    cancelled.ok();
}

#[test]
fn what_does_not_fit_a_request_is_named() {
    let team = Team::new();
    for (flag, value, field) in [
        ("--verbs", "fly", "verbs:"),
        ("--role", "king", "verbs:"),
        ("--for", "soon", "for:"),
        ("--for", "1s", "for:"),
        ("--wait", "1s", "wait:"),
        ("--from", "soon", "from:"),
    ] {
        team.refused("linus", &[&ASK[..], &[flag, value]].concat(), &[field]);
    }
    let no_reason = ["requests", "create", "ada/kiln"];
    team.refused("linus", &no_reason, &["--reason"]);
    team.refused("linus", &[&no_reason[..], &["--reason", " "]].concat(), &["reason:"]);
    team.refused("linus", &["requests", "create", "a b", "--reason", "x"], &["\"a b\""]);
    team.refused("ada", &["requests", "approve", "kiln"], &["<ID>"]);
    let unknown = uuid::Uuid::new_v4().to_string();
    for deed in ["approve", "deny", "cancel", "link"] {
        team.refused("ada", &["requests", deed, &unknown], &["Request not found"]);
    }
    let id = team.json("linus", &ASK)["id"].as_str().unwrap().to_owned();
    team.refused("ada", &["requests", "approve", &id, "--for", "9h"], &["for:"]);
    team.refused("ada", &["requests", "approve", &id, "--for", "soon"], &["for:"]);
    let long = "x".repeat(513);
    team.refused("ada", &["requests", "deny", &id, "--note", &long], &["note:"]);
    let rules = ["requests", "rules", "kiln"];
    team.refused("ada", &[&rules[..], &["--approvals", "11"]].concat(), &["approvals:"]);
    team.refused("ada", &[&rules[..], &["--group", "nobody"]].concat(), &["group:"]);
    team.refused("ada", &[&rules[..], &["--on-call", "nobody"]].concat(), &["on_call:"]);
    team.refused("ada", &["break-glass", "kiln", "--reason", "fire"], &["your own"]);
    team.refused(
        "linus",
        &["break-glass", "ada/kiln", "--reason", "fire"],
        &["workspace:break_glass"],
    );
}

#[test]
fn who_answers_is_set_on_the_command_line() {
    let team = Team::new();
    team.by("ada", &["groups", "create", "potters"]).ok();
    team.by("ada", &["groups", "edit", "potters", "--add-users", "grace"]).ok();
    let rules = ["requests", "rules", "kiln", "--group", "potters", "--approvals", "2"];
    has(&team.by("ada", &rules).ok(), &["APPROVALS", "potters", "ada"]);
    let held = team.json("ada", &["requests", "rules", "kiln"]);
    assert_eq!((&held["approvals"], &held["group"]), (&2.into(), &"potters".into()));
    let id = team.json("linus", &ASK)["id"].as_str().unwrap().to_owned();
    let one = team.by("grace", &["requests", "approve", &id]);
    has(&one.err, &["1 of 2 have said yes to linus for ada/kiln."]);
    one.ok();
    let both = team.json("ada", &["requests", "approve", &id]);
    assert_eq!((&both["state"], &both["approvals_needed"]), (&"approved".into(), &json!(2)));
    let unset = team.json("ada", &["requests", "rules", "kiln", "--unset"]);
    assert_eq!((&unset["approvals"], &unset["group"]), (&1.into(), &"".into()));
}

#[test]
fn a_program_for_requests_is_set_on_the_command_line() {
    let site = crate::e2e::site::Site::new();
    let settings =
        |deed: &str| ["organizations", "settings", deed, "request-hook"].map(str::to_owned);
    let run = |deed: &str, input: &str| {
        let file = site.path("input");
        std::fs::write(&file, input).unwrap();
        let mut cli = site.command(crate::e2e::site::STEADING);
        crate::e2e::site::Ran::new(
            cli.args(settings(deed)).stdin(std::fs::File::open(file).unwrap()),
        )
    };
    let url = "https://hooks.example.test/steading";
    let hook = json!({ "url": url }).to_string();
    let set = run("set", &hook);
    has(&set.err, &["The secret is shown this once."]);
    let set: serde_json::Value = serde_json::from_str(&set.ok()).unwrap();
    assert_eq!((&set["url"], set["secret"].as_str().unwrap().len()), (&url.into(), 64));
    let shown: serde_json::Value = serde_json::from_str(&run("show", "").ok()).unwrap();
    assert_eq!((&shown["url"], &shown["secret"]), (&"".into(), &"".into()));
    assert_eq!(shown["host"], "hooks.example.test", "the rest of it may be a secret");
    super::fails(&run("set", "{ \"url\": \"ftp://hooks\" }"), &["url:", "https://"]);
    let unset: serde_json::Value = serde_json::from_str(&run("unset", "").ok()).unwrap();
    assert_eq!(unset["url"], "");
    let modes = ["organizations", "settings", "set", "workspace-sharing"];
    let mut cli = site.command(crate::e2e::site::STEADING);
    let file = site.path("mode");
    std::fs::write(&file, "{\"shareable_workspace_owners\": \"service_accounts\"}").unwrap();
    let cli = cli.args(modes).stdin(std::fs::File::open(file).unwrap());
    has(
        &crate::e2e::site::Ran::new(cli).ok(),
        &["\"shareable_workspace_owners\": \"service_accounts\""],
    );
}
