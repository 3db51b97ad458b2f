//! Owners and other accounts made on the command line, also on the server's own machine.

use serde_json::Value;

use super::site::{Ran, STEADING, Site};

const PASSWORD: &str = "a long way to the kiln\n";

/// Runs a command that reads a password from standard input.
fn with_password(site: &Site, password: &str, args: &[&str]) -> Ran {
    std::fs::write(site.path("password"), password).unwrap();
    let password = std::fs::File::open(site.path("password")).unwrap();
    Ran::new(site.command(STEADING).args(args).arg("--password-stdin").stdin(password))
}

#[test]
fn an_owner_is_made_on_the_machine_while_the_server_runs_and_while_it_does_not() {
    let mut site = Site::with(&["--disable-password-auth"]);
    let data = site.path("data");
    let grace = ["--username", "grace", "--email", "grace@example.test", "--data", &data];
    let create = |site: &Site, spelled: &[&str], rest: &[&str]| {
        with_password(site, PASSWORD, &[spelled, rest].concat())
    };
    let weak = [&["create-admin-user"][..], &grace].concat();
    let weak = with_password(&site, "password1\n", &weak);
    assert!(weak.code == Some(1) && weak.err.contains("password"), "{weak:?}");
    let made = create(&site, &["create-admin-user"], &[&grace[..], &["-o", "json"]].concat()).ok();
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!((&made["username"], &made["roles"][0]["name"]), (&"grace".into(), &"owner".into()));
    let again = create(&site, &["create-admin-user"], &grace);
    assert!(again.code == Some(1) && again.err.contains("grace"), "{again:?}");

    site.stop();
    let linus = ["--username", "linus", "--email", "linus@example.test", "--data", &data];
    let made = create(&site, &["server", "create-admin-user"], &linus);
    assert!(made.err.contains("linus, who is an owner"), "{made:?}");
    made.ok();
    site.start();
    // Owners come by password, whatever is turned off.
    for name in ["grace", "linus"] {
        with_password(&site, PASSWORD, &["login", &site.url, "--username", name]).ok();
        let me: Value = serde_json::from_str(&site.cli(&["whoami", "-o", "json"]).ok()).unwrap();
        assert!(me.to_string().contains(name), "{me}");
        site.cli(&["users", "edit-roles", "ada", "--roles", "owner"]).ok();
    }
    let log = site.cli(&["audit", "list", "--filter", "resource_type:user action:create"]).ok();
    let by_system = |l: &&str| ["grace", "linus"].iter().any(|name| l.contains(name));
    assert_eq!(log.lines().filter(by_system).count(), 2, "{log}");

    let nowhere = site.path("nowhere");
    let lost = ["create-admin-user", "--username", "x", "--email", "x@y.test", "--data", &nowhere];
    let lost = site.cli(&lost);
    assert!(lost.code == Some(1) && lost.err.contains("--data"), "{lost:?}");
}

#[test]
fn users_are_put_where_they_belong_and_a_provider_is_set_up_first() {
    let site = Site::new();
    site.cli(&["organizations", "create", "kiln"]).ok();
    let create = ["users", "create", "--username", "grace", "--email", "grace@example.test"];
    let with = |more: &[&str]| site.cli(&[&create[..], more].concat());
    let refused = with(&["--login-type", "oidc"]);
    assert!(refused.code == Some(1) && refused.err.contains("oidc is not set up"), "{refused:?}");
    let refused = with(&["--organization", "glaze"]);
    assert!(refused.code == Some(1), "{refused:?}");
    let made = with(&["--login-type", "none", "--organization", "kiln"]);
    assert!(made.err.contains("no way to sign in"), "{made:?}");
    made.ok();
    let show = site.cli(&["users", "show", "grace", "-o", "json"]).ok();
    let show: Value = serde_json::from_str(&show).unwrap();
    assert_eq!(show["organization_ids"].as_array().unwrap().len(), 1, "{show:#}");
    let bot = ["users", "create", "-u", "bot", "--service-account", "--organization", "kiln"];
    site.cli(&bot).ok();
    let members = site.cli(&["organizations", "members", "list", "--org", "kiln"]).ok();
    assert!(members.contains("grace") && members.contains("bot"), "{members}");
}
