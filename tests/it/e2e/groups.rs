//! Groups, organizations and roles on the command line, against a real server.

use serde_json::Value;

use super::site::{STEADING, Site};

fn json(site: &Site, args: &[&str]) -> Value {
    let args: Vec<&str> = args.iter().copied().chain(["-o", "json"]).collect();
    serde_json::from_str(&site.cli(&args).ok()).unwrap()
}

fn service(site: &Site, name: &str) {
    site.cli(&["users", "create", "-u", name, "--service-account"]).ok();
}

#[test]
fn groups_are_made_filled_listed_and_deleted() {
    let site = Site::new();
    service(&site, "mill");
    service(&site, "forge");
    site.cli(&["groups", "create", "potters", "--display-name", "The potters"]).ok();
    let edit = ["groups", "edit", "potters", "-a", "mill,forge", "--quota-allowance", "12"];
    site.cli(&edit).ok();
    site.cli(&["groups", "edit", "potters", "-r", "forge", "-n", "kilns"]).ok();
    let list = site.cli(&["groups", "list", "-c", "name,members,quota allowance"]).ok();
    assert!(list.lines().any(|l| l.split_whitespace().eq(["kilns", "mill", "12"])), "{list}");
    let list = json(&site, &["group", "ls"]);
    assert_eq!(
        (&list[0]["name"], &list[1]["display_name"]),
        (&"Everyone".into(), &"The potters".into())
    );
    for (args, word) in [
        (&["groups", "edit", "kilns"][..], "Nothing to change"),
        (&["groups", "edit", "kilns", "-a", "nobody"], "user not found"),
        (&["groups", "delete", "Everyone"], "cannot be"),
        (&["groups", "create", "everyone"], "is the group of everyone"),
        (&["groups", "list", "-O", "nowhere"], "not found"),
    ] {
        let refused = site.cli(args);
        let said = format!("{}{}", refused.out, refused.err);
        assert!(
            refused.code == Some(1) && said.to_lowercase().contains(&word.to_lowercase()),
            "{args:?}: {said}"
        );
    }
    site.cli(&["groups", "delete", "kilns"]).ok();
    assert_eq!(json(&site, &["groups", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn organizations_have_members_with_roles_of_their_own_making() {
    let site = Site::new();
    service(&site, "mill");
    site.cli(&["organizations", "create", "orchard", "--description", "Apples"]).ok();
    let shown = json(&site, &["org", "show", "orchard"]);
    assert_eq!((&shown["name"], &shown["description"]), (&"orchard".into(), &"Apples".into()));
    let id = site.cli(&["org", "show", "orchard", "--only-id"]).ok();
    assert_eq!(id.trim(), shown["id"].as_str().unwrap());
    site.cli(&["org", "members", "add", "mill", "-O", "orchard"]).ok();
    let role = [
        "org",
        "roles",
        "create",
        "picker",
        "-p",
        "workspace:read,workspace:start",
        "-O",
        "orchard",
    ];
    site.cli(&role).ok();
    let roles =
        ["org", "members", "edit-roles", "mill", "picker", "organization-auditor", "-O", "orchard"];
    site.cli(&roles).ok();
    let members = site.cli(&["org", "members", "list", "-O", "orchard"]).ok();
    let mill = members.lines().find(|l| l.starts_with("mill")).unwrap();
    assert!(mill.contains("organization-auditor, picker"), "{members}");
    site.cli(&["org", "roles", "edit", "picker", "-p", "workspace:read", "-O", "orchard"]).ok();
    let roles = json(&site, &["org", "roles", "show", "picker", "-O", "orchard"]);
    assert_eq!(roles[0]["organization_permissions"].as_array().unwrap().len(), 1);
    site.cli(&["org", "roles", "delete", "picker", "-O", "orchard"]).ok();
    let set = "echo '{\"field\":\"teams\",\"auto_create_missing_groups\":true}' |
        \"$0\" org settings set groupsync -O orchard --provider oidc";
    site.run("sh", &["-c", set, STEADING]).ok();
    let show = ["org", "settings", "show", "group-sync", "-O", "orchard"];
    let shown: Value = serde_json::from_str(&site.cli(&show).ok()).unwrap();
    assert_eq!((&shown["field"], &shown["source"]), (&"teams".into(), &"set".into()));
    let unset = ["org", "settings", "unset", "group-sync", "-O", "orchard"];
    assert!(site.cli(&unset).ok().contains("\"file\""));
    site.cli(&["org", "members", "remove", "mill", "-O", "orchard"]).ok();
    let refused = site.cli(&["org", "delete", "default", "--yes"]);
    assert!(refused.err.contains("stays"), "{}", refused.err);
    site.cli(&["org", "delete", "orchard", "--yes"]).ok();
    let list = site.cli(&["organizations", "list"]).ok();
    assert!(list.contains("default") && !list.contains("orchard"), "{list}");
}
