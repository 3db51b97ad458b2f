//! `audit` on the command line: entries in lists and files, and a log that was changed is told.

use serde_json::Value;

use super::site::{Ran, STEADING, Site};

/// Finds a text in a file and changes one bit of it.
fn flip(path: &str, text: &[u8]) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(text.len()).position(|part| part == text).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_log_is_listed_exported_and_verified_and_one_changed_byte_names_its_entry() {
    let mut site = Site::new();
    site.cli(&["users", "create", "-u", "grace", "--service-account"]).ok();
    let list = site.cli(&["audit", "list", "-c", "who,action,resource,name,status"]).ok();
    let words =
        |n: usize| -> Vec<&str> { list.lines().nth(n).unwrap().split_whitespace().collect() };
    // Who answers for it is an entry of its own.
    assert_eq!(words(1), ["ada", "write", "user", "grace", "200"], "{list}");
    assert_eq!(words(2), ["ada", "create", "user", "grace", "200"], "{list}");
    let found = site.cli(&["audit", "list", "--filter", "username:me action:create", "-o", "json"]);
    let found: Value = serde_json::from_str(&found.ok()).unwrap();
    assert_eq!(found[0]["resource_target"], "grace");
    assert!(found[0]["user_agent"].as_str().unwrap().starts_with("steading/"), "{found:#}");
    let wrong = site.cli(&["audit", "list", "--filter", "colour:red"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.err.contains("\"colour\" is not a key"), "{wrong:?}");

    let lines = site.cli(&["audit", "export", "--filter", "action:create"]).ok();
    assert!(lines.lines().count() >= 2 && lines.contains("\"grace\""), "{lines}");
    let csv = site.cli(&["audit", "export", "--format", "csv", "--since", "2020-01-01"]).ok();
    assert!(csv.starts_with("seq,id,time,") && csv.contains(",grace,"), "{csv}");

    let good = site.cli(&["audit", "verify"]).ok();
    assert!(good.starts_with("The log is as it was written: entries 1 to "), "{good}");
    let told = site.cli(&["audit", "verify", "-o", "json"]).ok();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["ok"], &told["finding"]), (&Value::Bool(true), &Value::Null));
    let key = told["public_key"].as_str().unwrap().to_owned();
    let checkpoints = site.cli(&["audit", "export", "--checkpoints"]).ok();
    std::fs::write(site.path("kept"), &checkpoints).unwrap();
    let kept = site.path("kept");
    let anchored = site.cli(&["audit", "verify", "--checkpoint", &kept, "--public-key", &key]).ok();
    assert!(anchored.contains("It goes on from the checkpoint"), "{anchored}");
    let other = "00".repeat(32);
    let refused = site.cli(&["audit", "verify", "--public-key", &other]);
    assert!(
        refused.code == Some(1) && refused.out.contains("is signed with the key"),
        "{refused:?}"
    );

    // Nobody may look who is neither owner nor auditor.
    let token = site.cli(&["tokens", "create", "--user", "grace"]).ok();
    let mut grace = site.command(STEADING);
    grace.args(["audit", "list", "--token", token.trim(), "--url", &site.url]);
    assert!(Ran::new(&mut grace).err.contains("owner or auditor"));

    site.stop();
    let data = site.path("data");
    let offline = |more: &[&str]| {
        let args = [&["audit", "verify", "--data", &*data], more].concat();
        site.run(STEADING, &args)
    };
    assert!(offline(&["--checkpoint", &kept]).ok().contains("goes on"));
    assert!(offline(&["--public-key", &key]).ok().contains("as it was written"));
    assert_eq!(offline(&["--public-key", &other]).code, Some(1));
    one_flipped_bit_is_found(&site, &found[0]);
}

/// One bit of the hash, and one of whatever stands first in the file with the entry's id: the entry
/// itself, or the index that leads to it.
fn one_flipped_bit_is_found(site: &Site, entry: &Value) {
    let data = site.path("data");
    let offline = |more: &[&str]| {
        let args = [&["audit", "verify", "--data", &*data], more].concat();
        site.run(STEADING, &args)
    };
    let seq: i64 = entry["additional_fields"]["seq"].as_str().unwrap().parse().unwrap();
    let hash = hex::decode(entry["additional_fields"]["hash"].as_str().unwrap()).unwrap();
    let file = site.path("data/steading.db");
    for part in [&*hash, entry["id"].as_str().unwrap().as_bytes()] {
        let before = std::fs::read(&file).unwrap();
        flip(&file, part);
        let wrong = offline(&["-o", "json"]);
        assert_eq!(wrong.code, Some(1), "{wrong:?}");
        let wrong: Value = serde_json::from_str(&wrong.out).unwrap();
        assert_eq!((&wrong["ok"], &wrong["finding"]["number"]), (&false.into(), &seq.into()));
        let shown = offline(&[]);
        assert!(shown.out.contains("not as it was written"), "{shown:?}");
        assert!(shown.out.contains(&format!("entry {seq} ")), "{shown:?}");
        std::fs::write(&file, before).unwrap();
    }
    assert_eq!(offline(&[]).code, Some(0));
}
