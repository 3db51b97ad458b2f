//! What `codes` does and says.

use super::{Team, fails, has};

#[test]
fn codes_are_made_redeemed_listed_and_taken_back() {
    let team = Team::new();
    let create = ["codes", "create", "kiln", "--for", "2h", "--uses", "2", "--reason", "the glaze"];
    let made = team.by("ada", &create);
    has(&made.err, &["shown this once", "can be redeemed until", "/redeem#"]);
    let code = made.ok().trim().to_owned();
    let another =
        team.json("ada", &["codes", "create", "kiln", "--verbs", "viewer", "--until", "1h"]);
    assert_eq!((&another["preset"], &another["max_uses"]), (&"viewer".into(), &1.into()));
    assert!(another["url"].as_str().unwrap().contains(another["code"].as_str().unwrap()));

    let redeemed = team.by("grace", &["codes", "redeem", &code]);
    has(&redeemed.err, &["You may view", "operate", "ada/kiln until 20"]);
    redeemed.ok();
    let given =
        team.reading("linus", &format!("{code}\n"), &["codes", "redeem", "-o", "json"]).ok();
    let given: serde_json::Value = serde_json::from_str(&given).unwrap();
    assert_eq!((&given["workspace"], given["grant_id"].is_string()), (&"ada/kiln".into(), true));
    team.refused("grace", &["codes", "redeem", "sc_kiln"], &["code"]);
    let mut empty = team.command("grace", crate::e2e::site::STEADING);
    fails(&crate::e2e::site::Ran::new(empty.args(["codes", "redeem"])), &["code"]);

    let listed = team.by("ada", &["codes", "list", "kiln"]).ok();
    has(&listed, &["2 of 2", "used up", "the glaze", "0 of 1", "open", "viewer", "2 h"]);
    let all = team.json("ada", &["codes", "list", "kiln"]);
    let used = all.as_array().unwrap().iter().find(|one| one["uses"] == 2).unwrap();
    assert_eq!((&used["state"], &used["grants"]), (&"used_up".into(), &2.into()));
    assert!(!all.to_string().contains(&code), "a code is shown once");
    team.refused("grace", &["codes", "list", "ada/kiln"], &["share"]);

    let id = used["id"].as_str().unwrap();
    let revoked = team.by("ada", &["codes", "revoke", id, "--grants"]);
    has(&revoked.err, &["Took back the code and what came by it."]);
    revoked.ok();
    team.refused("grace", &["show", "ada/kiln"], &["There is no workspace ada/kiln"]);
}

#[test]
fn what_does_not_fit_a_code_is_named() {
    let team = Team::new();
    let long = "x".repeat(513);
    for (flag, value, field) in [
        ("--verbs", "fly", "verbs:"),
        ("--verbs", "share", "verbs:"),
        ("--for", "soon", "for:"),
        ("--for", "1s", "for:"),
        ("--until", "soon", "until:"),
        ("--until", "2020-01-31T17:00:00Z", "until:"),
        ("--uses", "1000", "uses:"),
        ("--uses", "many", "--uses"),
        ("--reason", &long, "reason:"),
    ] {
        team.refused("ada", &["codes", "create", "kiln", flag, value], &[field]);
    }
    team.refused("ada", &["codes", "create", "kilm"], &["Did you mean", "\"kiln\""]);
    team.refused("linus", &["codes", "create", "ada/kiln"], &["ada/kiln"]);
    team.refused("ada", &["codes", "revoke", "kiln"], &["<ID>"]);
    let unknown = uuid::Uuid::new_v4().to_string();
    team.refused("ada", &["codes", "revoke", &unknown], &["code"]);
    assert_eq!(team.json("ada", &["codes", "list", "kiln"]), serde_json::json!([]));
    let none = team.by("ada", &["codes", "list", "kiln"]);
    has(&none.err, &["`steading codes create` makes one."]);
}
