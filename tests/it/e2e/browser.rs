//! The path in a real browser: sign in, a workspace's page, its terminal, a reload, the other pages.

use super::site::{Ran, Site};

#[test]
fn a_person_signs_in_opens_a_terminal_and_reloads_it() {
    let site = Site::new();
    site.create_here("kiln");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/browser/path.mjs");
    let mut node = site.command("node");
    let ran =
        Ran::new(node.args([script, &site.url, "ada", "correct horse 7", &site.path("shots")]));
    let out = ran.ok();
    assert!(out.contains("the path works"), "{out}");
}
