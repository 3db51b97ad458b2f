//! A data directory that another server has, and a database file that is not what it should be.

use std::process::Stdio;

use super::api::Api;
use crate::e2e::site::{Ran, STEADING, Site};

/// Tries to start a server on a data directory; it has to refuse.
fn refused(site: &Site, data: &str) -> String {
    let mut server = site.command(STEADING);
    server.args(["server", "--data", data, "--http-address", "127.0.0.1:0"]);
    server.args(["--ssh-address", "127.0.0.1:0", "--wireguard-address", "127.0.0.1:0"]);
    let ran = Ran::new(server.stdin(Stdio::null()));
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{}", ran.err);
    ran.err
}

/// Tries to start on a database file with this content; the file has to stay as it is.
fn refused_file(site: &Site, name: &str, content: &[u8]) -> String {
    let dir = site.path(name);
    std::fs::create_dir(&dir).unwrap();
    let file = format!("{dir}/steading.db");
    std::fs::write(&file, content).unwrap();
    let said = refused(site, &dir);
    assert!(std::fs::read(&file).unwrap() == content, "{name}: the file was changed");
    assert!(said.contains(&file), "{name}: {said}");
    assert!(said.contains("The file was not changed"), "{name}: {said}");
    said
}

#[test]
fn a_second_server_is_refused_and_kill_9_leaves_no_lock() {
    let mut site = Site::new();
    let pid = site.server.as_ref().unwrap().id();
    let said = refused(&site, &site.path("data"));
    assert!(said.contains(&format!("(process {pid})")), "{said}");
    assert!(said.contains(&site.path("data")) && said.contains("--data"), "{said}");
    assert_eq!(Api::of(&site).get("/users/me")["username"], "ada");
    // An agent outlives the server, and holds nothing of it.
    site.create_here("kiln");
    site.kill();
    site.start();
    assert_eq!(Api::of(&site).get("/users/me")["username"], "ada");
}

#[test]
fn files_that_are_no_database_of_ours_are_refused_and_left_alone() {
    let mut site = Site::new();
    site.stop();
    // What is still in the journal beside the file comes into it.
    let database = rusqlite::Connection::open(site.path("data/steading.db")).unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(database);
    let good = std::fs::read(site.path("data/steading.db")).unwrap();
    let with = |sql: &str| {
        let path = site.path("changed.db");
        std::fs::write(&path, &good).unwrap();
        let database = rusqlite::Connection::open(&path).unwrap();
        database.pragma_update(None, "journal_mode", "DELETE").unwrap();
        database.execute_batch(sql).unwrap();
        drop(database);
        std::fs::read(path).unwrap()
    };
    let newer = refused_file(&site, "newer", &with("PRAGMA user_version = 999"));
    assert!(newer.contains("has schema 999") && newer.contains("use the newer program"), "{newer}");
    let older = refused_file(&site, "older", &with("PRAGMA user_version = 0"));
    assert!(older.contains("older than that of any release"), "{older}");
    let foreign = refused_file(&site, "foreign", &with("PRAGMA application_id = 7"));
    assert!(foreign.contains("not a database of Steading"), "{foreign}");
    let text = refused_file(&site, "text", &b"a diary, and not a database\n".repeat(1000));
    assert!(text.contains("not an SQLite file"), "{text}");
    let torn = refused_file(&site, "torn", &good[..good.len() / 2]);
    assert!(torn.contains("damaged"), "{torn}");
    let mut scratched = good.clone();
    scratched[100..4096].fill(0x5a);
    let scratched = refused_file(&site, "scratched", &scratched);
    assert!(scratched.contains("damaged"), "{scratched}");

    site.start();
    assert_eq!(Api::of(&site).get("/users/me")["username"], "ada");
}
