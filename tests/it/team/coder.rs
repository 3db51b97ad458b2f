//! The documented forms of `coder sharing`, typed to the program under the name of `coder` by a member who
//! owns the workspace.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use super::{Team, fails, has};
use crate::e2e::site::{Ran, STEADING};

#[test]
fn a_member_shares_their_own_workspace_as_with_coders_client() {
    let team = Team::new();
    let coder = team.site.path("coder");
    symlink(STEADING, &coder).unwrap();
    let by = |who: &str, args: &[&str]| Ran::new(team.command(who, &coder).args(args));
    by("grace", &["create", "wheel", "--template", "this-machine", "--yes"]).ok();
    team.by("ada", &["groups", "create", "potters"]).ok();
    team.by("ada", &["groups", "edit", "potters", "--add-users", "linus"]).ok();

    let shared =
        by("grace", &["sharing", "add", "wheel", "--user", "linus:admin", "--group", "potters"])
            .ok();
    let heads: Vec<&str> = shared.lines().next().unwrap().split_whitespace().take(3).collect();
    assert_eq!(heads, ["USER", "GROUP", "ROLE"]);
    has(&shared, &["linus", "admin", "potters", "use"]);
    let status = by("grace", &["share", "status", "grace/wheel", "-o", "json"]).ok();
    let status: Vec<Value> = serde_json::from_str(&status).unwrap();
    let said = |kind: &str| {
        let one = status.iter().find(|one| one["subject"]["type"] == kind).unwrap();
        (one["subject"]["name"].clone(), one["preset"].clone())
    };
    assert_eq!(said("user"), (json!("linus"), json!("admin")));
    assert_eq!(said("group"), (json!("potters"), json!("use")));
    has(&by("grace", &["sharing", "list", "wheel"]).ok(), &["linus", "potters"]);
    has(&by("linus", &["list", "--shared", "-c", "workspace"]).ok(), &["grace/wheel"]);
    has(
        &by("linus", &["list", "--search", "shared_with_user:linus", "-c", "workspace"]).ok(),
        &["grace/wheel"],
    );

    // What the documented routes say of it is the same.
    let id = team.json("grace", &["show", "wheel"])["id"].as_str().unwrap().to_owned();
    let token = team.by("grace", &["login", "token"]).ok();
    let header = format!("Coder-Session-Token: {}", token.trim());
    let url = format!("{}/api/v2/workspaces/{id}/acl", team.site.url);
    let acl = team.site.run("curl", &["-sS", "--fail", "-H", &header, &url]).ok();
    let acl: Value = serde_json::from_str(&acl).unwrap();
    assert_eq!(
        (&acl["users"][0]["username"], &acl["users"][0]["role"]),
        (&json!("linus"), &json!("admin"))
    );
    assert_eq!(
        (&acl["groups"][0]["name"], &acl["groups"][0]["role"]),
        (&json!("potters"), &json!("use"))
    );

    by("grace", &["sharing", "share", "wheel", "--user", "linus:use"]).ok();
    let removed =
        by("grace", &["sharing", "remove", "wheel", "--user", "linus", "--group", "potters"]);
    has(&removed.err, &["no longer shared with linus", "no longer shared with potters"]);
    removed.ok();
    fails(&by("linus", &["show", "grace/wheel"]), &["There is no workspace grace/wheel"]);
    let alone = by("grace", &["sharing", "show", "wheel"]);
    has(&alone.err, &["It is shared with nobody."]);
    assert_eq!(by("grace", &["sharing", "status", "wheel", "-o", "json"]).ok().trim(), "[]");

    fails(&by("grace", &["sharing", "add", "wheel", "--user", "nobody"]), &["users:"]);
    fails(&by("grace", &["sharing", "add", "wheel", "--group", "nobody"]), &["groups:"]);
    fails(&by("grace", &["sharing", "add", "wheel", "--user", "linus:king"]), &["verbs:"]);
    fails(&by("grace", &["sharing", "add", "wheel"]), &["--user", "--group"]);
    fails(&by("grace", &["sharing", "rm", "wheel", "--user", "linus"]), &["not shared with linus"]);
}

#[test]
fn who_may_not_share_is_told_so() {
    let team = Team::new();
    team.by("ada", &["sharing", "add", "kiln", "--user", "grace:use"]).ok();
    let coder = team.site.path("coder");
    symlink(STEADING, &coder).unwrap();
    let by = |who: &str, args: &[&str]| Ran::new(team.command(who, &coder).args(args));
    for args in [
        &["sharing", "add", "ada/kiln", "--user", "linus"][..],
        &["sharing", "remove", "ada/kiln", "--user", "grace"],
        &["sharing", "status", "ada/kiln"],
    ] {
        fails(&by("grace", args), &["You may see this workspace, not share it."]);
        fails(&by("linus", args), &["There is no workspace ada/kiln"]);
    }
    // Who has `admin` passes on `use`, and no more.
    team.by("ada", &["sharing", "add", "kiln", "--user", "linus:admin"]).ok();
    fails(
        &by("linus", &["sharing", "add", "ada/kiln", "--user", "grace:admin"]),
        &["cannot let others share"],
    );
    by("linus", &["sharing", "add", "ada/kiln", "--user", "grace:use"]).ok();
}
