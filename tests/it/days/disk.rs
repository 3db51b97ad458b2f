//! A disk that is full: what is asked for is refused in words, what is there is read, and it ends.

use std::io::Write as _;
use std::os::unix::fs::symlink;

use serde_json::json;

use super::api::Api;
use crate::e2e::site::{Ran, Site};

/// Room for the database, its journal and a job's files.
const SIZE: &str = "size=48m";

/// A small filesystem, for as long as the test runs.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().display().to_string();
        let args = ["-t", "tmpfs", "-o", SIZE, "tmpfs", &path];
        Ran::new(std::process::Command::new("mount").args(args)).ok();
        Self(dir)
    }

    fn fill(&self) {
        let mut filler = std::fs::File::create(self.0.path().join("filler")).unwrap();
        for size in [1 << 20, 4096, 1] {
            while filler.write_all(&vec![0x2a; size]).is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.0.path()).output();
    }
}

/// Makes tokens until one is refused; the names of those that were made, and the refusal.
fn make_until_refused(api: &Api, made: &mut Vec<String>) -> (u16, String) {
    for _ in 0..5000 {
        let name = format!("t{}", made.len());
        let reply = api.ask("POST", "/users/me/keys/tokens", &json!({ "token_name": name }));
        if reply.status != 201 {
            return (reply.status, reply.body);
        }
        made.push(name);
    }
    panic!("a full disk refused nothing");
}

#[test]
fn a_full_disk_refuses_writes_in_words_goes_on_reading_and_recovers() {
    let disk = Disk::mount();
    let mut site = Site::new();
    site.stop();
    let (data, on_disk) = (site.path("data"), disk.0.path().join("data"));
    site.run("cp", &["-a", &data, &on_disk.display().to_string()]).ok();
    std::fs::remove_dir_all(&data).unwrap();
    symlink(&on_disk, &data).unwrap();
    site.start();
    let api = Api::of(&site);
    let mut made = vec![];

    disk.fill();
    let (status, body) = make_until_refused(&api, &mut made);
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("disk is full") && body.contains("nothing was changed"), "{body}");
    assert_eq!(api.get("/users/me")["username"], "ada");
    let said = site.cli(&["tokens", "create", "--name", "more"]);
    assert_eq!(said.code, Some(1), "{}", said.out);
    assert!(said.err.contains("disk is full"), "{}", said.err);

    disk.free();
    made.push("after".to_owned());
    api.made("/users/me/keys/tokens", &json!({ "token_name": "after" }));
    disk.fill();
    make_until_refused(&api, &mut made);
    site.kill();
    disk.free();
    site.start();

    let list = Api::of(&site).get("/users/me/keys/tokens");
    let listed: Vec<&str> =
        list.as_array().unwrap().iter().filter_map(|t| t["token_name"].as_str()).collect();
    for name in &made {
        assert!(listed.contains(&name.as_str()), "{name} was acknowledged, and is lost");
    }
    assert!(!listed.contains(&"more"), "what was refused is there");
    site.stop();
    let database = rusqlite::Connection::open(on_disk.join("steading.db")).unwrap();
    let check: String = database.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
    assert_eq!(check, "ok");
}
