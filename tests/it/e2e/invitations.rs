//! Invitations on the command line, against a real server.

use serde_json::Value;

use super::site::Site;

#[test]
fn a_link_is_made_listed_opened_and_revoked() {
    let site = Site::new();
    site.cli(&["groups", "create", "potters"]).ok();
    let args = ["users", "invite", "--email", "grace@example.test", "--role", "auditor"];
    let args = [&args[..], &["--group", "potters", "--lifetime", "3d"]].concat();
    let link = site.cli(&args).ok();
    let link = link.trim();
    assert!(link.starts_with(&format!("{}/invite/", site.url)) && !link.contains(' '), "{link}");
    let other = site.cli(&["users", "invite", "--email", "linus@example.test"]).ok();

    let list = site.cli(&["users", "invitations", "list", "-c", "email,roles,groups,made by"]).ok();
    let words = ["grace@example.test", "auditor", "potters", "ada"];
    assert!(list.lines().any(|l| l.split_whitespace().eq(words)), "{list}");
    assert!(!list.contains("/invite/"), "a link is shown once");
    let json = site.cli(&["users", "invitations", "ls", "-o", "json"]).ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    let all = json.as_array().unwrap();
    assert_eq!(all.len(), 2);
    let open = all.iter().find(|one| one["email"] == "linus@example.test").unwrap();

    for (args, word) in [
        (&["users", "invite", "--email", "grace"][..], "e-mail address"),
        (&["users", "invite", "-e", "x@y.test", "--role", "king"], "no role"),
        (&["users", "invite", "-e", "x@y.test", "--group", "nobody"], "no group"),
        (&["users", "invite", "-e", "x@y.test", "--lifetime", "0"], "--lifetime"),
        (&["users", "invite", "-e", "x@y.test", "--lifetime", "90d"], "at most"),
        (&["users", "invitations", "revoke", "nobody@example.test"], "There is no invitation"),
    ] {
        let refused = site.cli(args);
        assert!(refused.code == Some(1) && refused.err.contains(word), "{args:?}: {refused:?}");
    }

    let get = |link: &str| site.run("curl", &["-s", "-o", "/dev/null", "-w", "%{http_code}", link]);
    assert_eq!(get(link).ok(), "200");
    let revoked = ["users", "invitations", "revoke", "GRACE@example.test", "-o", "json"];
    let revoked: Value = serde_json::from_str(&site.cli(&revoked).ok()).unwrap();
    assert_eq!(revoked["email"], "grace@example.test");
    assert_eq!(get(link).ok(), "404");
    assert_eq!(get(other.trim()).ok(), "200");
    site.cli(&["users", "invitations", "revoke", open["id"].as_str().unwrap()]).ok();
    assert_eq!(get(other.trim()).ok(), "404");
}
