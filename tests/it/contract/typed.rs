//! Commands of Coder's as they are typed here, with what they print.

use std::os::unix::fs::symlink;

use serde_json::Value;

use super::world::World;
use crate::e2e::site::{Ran, STEADING};

struct Coder<'w> {
    world: &'w World,
    program: String,
}

impl Coder<'_> {
    fn run(&self, args: &[&str]) -> Ran {
        self.world.site.run(&self.program, args)
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[args, &["-o", "json"]].concat()).ok()).unwrap()
    }

    /// It fails and says this.
    #[track_caller]
    fn fails(&self, args: &[&str], words: &str) {
        let ran = self.run(args);
        assert_eq!((ran.code, &*ran.out), (Some(1), ""), "{ran:?}");
        assert!(ran.err.contains(words), "{words:?}: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_with_coders_words_does_what_it_says() {
    let world = World::new().await;
    let program = world.site.path("coder");
    symlink(STEADING, &program).unwrap();
    let coder = Coder { world: &world, program };

    // Favorites come first, and only for who has them.
    let given = ["--parameter-default", "startup_script=true", "--no-wait", "--yes"];
    coder.run(&[&["create", "anvil", "-t", "this-machine"][..], &given[..]].concat()).ok();
    let listed = || coder.run(&["list", "-c", "workspace,favorite"]).ok();
    assert_eq!(listed(), "WORKSPACE  FAVORITE\nada/anvil  no\nada/kiln   no\n");
    coder.run(&["favorite", "kiln"]).ok();
    coder.run(&["fav", "ada/kiln"]).ok();
    assert_eq!(listed(), "WORKSPACE  FAVORITE\nada/kiln   yes\nada/anvil  no\n");
    assert_eq!(coder.json(&["show", "kiln"])["favorite"], true);
    coder.run(&["unfavorite", "kiln"]).ok();
    assert_eq!(listed(), "WORKSPACE  FAVORITE\nada/anvil  no\nada/kiln   no\n");
    coder.fails(&["favorite", "nothing"], "There is no workspace");

    // Answers of one workspace for another.
    let copy = ["--copy-parameters-from", "anvil", "--no-wait", "--yes"];
    coder.run(&[&["create", "tongs", "-t", "this-machine"][..], &copy[..]].concat()).ok();
    let tongs = world.caller.get("/api/v2/users/me/workspace/tongs").await.expect(200).json();
    let build = tongs["latest_build"]["id"].as_str().unwrap();
    let path = format!("/api/v2/workspacebuilds/{build}/parameters");
    let answers = world.caller.get(&path).await.expect(200).json();
    let script = answers.as_array().unwrap().iter().find(|a| a["name"] == "startup_script");
    assert_eq!(script.unwrap()["value"], "true", "{answers}");

    // What the runners did and do.
    let jobs = coder.json(&["provisioner", "jobs", "list", "--limit", "2"]);
    assert_eq!(jobs.as_array().unwrap().len(), 2);
    assert_eq!(jobs[0]["metadata"]["workspace_name"], "tongs", "{jobs}");
    let table = coder.run(&["provisioner", "jobs", "list", "-c", "type,workspace,status"]).ok();
    assert!(table.contains("template_version_import") && table.contains("anvil"), "{table}");
    coder.fails(&["provisioner", "jobs", "list", "-s", "asleep"], "status");
    let done = jobs[0]["id"].as_str().unwrap();
    let cancelled = coder.run(&["provisioner", "jobs", "cancel", done]);
    let is_over = cancelled.err.contains("is over") || cancelled.err.contains("ended");
    assert!(cancelled.code == Some(0) || is_over, "{cancelled:?}");

    // What there is, and the ways to apps.
    let features = coder.json(&["features", "list"]);
    assert_eq!(features["features"]["audit_log"]["enabled"], true);
    let rows = coder.run(&["features", "list"]).ok();
    assert!(rows.starts_with("NAME") && rows.contains("workspace_proxy"), "{rows}");
    coder.fails(&["open", "app", "kiln"], "pots");
    coder.fails(&["open", "app", "kiln", "glaze"], "no app \"glaze\"");
    coder.fails(&["open", "app", "kiln", "pots"], "port-forward");
    let link = coder.run(&["open", "vscode", "kiln", "--generate-token"]).ok();
    assert!(link.starts_with("vscode://coder.coder-remote/open?owner=ada"), "{link}");
    assert!(link.contains("&token="), "{link}");

    // Every column that can be asked for, in the order it is asked for.
    coder.run(&["sharing", "add", "kiln", "--group", "Everyone"]).ok();
    for (words, columns) in super::tree::tables() {
        let names = columns.replace(", ", ",");
        let printed = coder.run(&[&words[..], &["-c", &names]].concat()).ok();
        let heads: Vec<&str> = printed.lines().next().unwrap().split("  ").collect();
        let heads = heads.iter().map(|head| head.trim().to_lowercase()).filter(|h| !h.is_empty());
        assert_eq!(heads.collect::<Vec<_>>().join(", "), columns, "{words:?}: {printed}");
    }

    // Flags that change what is printed.
    let pong = coder.run(&["ping", "kiln", "-n", "1", "--utc"]).ok();
    assert!(pong.contains("+00:00 pong from kiln"), "{pong}");
    let role = ["organizations", "roles", "create", "glazer", "--permission", "workspace:read"];
    let dry = coder.run(&[&role[..], &["--dry-run", "--yes"]].concat()).ok();
    let dry: Value = serde_json::from_str(&dry).unwrap();
    assert_eq!(dry["name"], "glazer");
    let roles = coder.json(&["organizations", "roles", "show"]);
    assert!(!roles.to_string().contains("glazer"), "{roles}");
}
