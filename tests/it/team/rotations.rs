//! What `rotations` does and says.

use super::{Team, has};

#[test]
fn a_rotation_is_made_shown_overridden_and_deleted() {
    let team = Team::new();
    let create = ["rotations", "create", "kiln-watch", "--zone", "Europe/Berlin"];
    let with = |more: &[&'static str]| [&create[..], more].concat();
    let made =
        team.by("ada", &with(&["--handoff", "09:00", "--length", "1d", "--member", "grace,linus"]));
    has(&made.err, &["Created the rotation kiln-watch;", "is on call"]);
    made.ok();
    let other = ["rotations", "create", "other", "--zone", "UTC"];
    let wrong: [(&[&str], &str); 6] = [
        (&["--handoff", "noon", "--member", "grace"], "handoff:"),
        (&["--handoff", "09:00", "--length", "soon", "--member", "grace"], "length:"),
        (&["--handoff", "09:00", "--member", "nobody"], "members:"),
        (&["--handoff", "09:00", "--member", "grace,grace"], "members:"),
        (&["--handoff", "09:00", "--member", "grace", "--restrict", "weekends"], "restrictions:"),
        (&["--handoff", "09:00"], "--member"),
    ];
    for (more, field) in wrong {
        team.refused("ada", &[&other[..], more].concat(), &[field]);
    }
    let zone = ["rotations", "create", "other", "--zone", "Mars", "--handoff", "09:00"];
    team.refused("ada", &[&zone[..], &["--member", "grace"]].concat(), &["zone:"]);
    team.refused("linus", &with(&["--handoff", "09:00", "--member", "linus"]), &[]);

    let listed = team.by("ada", &["rotations", "list"]).ok();
    has(&listed, &["kiln-watch", "grace, linus", "09:00", "1d", "Europe/Berlin"]);
    let all = team.json("ada", &["rotations", "list"]);
    assert_eq!(all[0]["name"], "kiln-watch");
    let on_call = team.by("ada", &["rotations", "oncall", "kiln-watch"]).ok().trim().to_owned();
    let other = if on_call == "grace" { "linus" } else { "grace" };
    has(&team.by("ada", &["rotations", "show", "kiln-watch"]).ok(), &["FROM", "grace", "linus"]);
    let shown = team.json("ada", &["rotations", "show", "kiln-watch"]);
    assert_eq!(shown["name"], "kiln-watch", "{shown}");
    assert_eq!(shown["shifts"][0]["user"]["username"], *on_call, "{shown}");
    team.refused("ada", &["rotations", "show", "kiln-wath"], &["Rotation not found"]);

    let instead = ["rotations", "override", "kiln-watch", "--user", other, "--until", "2h"];
    let set = team.by("ada", &instead);
    has(&set.err, &[&format!("{other} is on call in kiln-watch from 20")]);
    let id = set.ok().trim().to_owned();
    assert_eq!(team.by("ada", &["rotations", "oncall", "kiln-watch"]).ok().trim(), other);
    has(&team.by("ada", &["rotations", "show", "kiln-watch"]).ok(), &["yes"]);
    for (flag, value, field) in [
        ("--until", "soon", "--until"),
        ("--until", "2020-01-31T09:00:00Z", "until:"),
        ("--from", "soon", "--from"),
        ("--user", "nobody", "user:"),
    ] {
        let mut wrong = instead.map(str::to_owned).to_vec();
        match wrong.iter().position(|word| word == flag) {
            Some(at) => value.clone_into(&mut wrong[at + 1]),
            None => wrong.extend([flag.to_owned(), value.to_owned()]),
        }
        let wrong: Vec<&str> = wrong.iter().map(String::as_str).collect();
        team.refused("ada", &wrong, &[field]);
    }
    has(&team.by("ada", &["rotations", "undo", "kiln-watch", &id]).err, &["Undone"]);
    assert_eq!(team.by("ada", &["rotations", "oncall", "kiln-watch"]).ok().trim(), on_call);
    has(&team.by("ada", &["rotations", "delete", "kiln-watch"]).err, &["Deleted the rotation"]);
    let none = team.by("ada", &["rotations", "list"]);
    has(&none.err, &["There is no rotation."]);
}
