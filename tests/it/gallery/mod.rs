//! The gallery: every page in every state, written under `target/gallery`, for eyes, for rules and for axe.

mod access_scenes;
mod account_scenes;
mod audit_scenes;
mod claim_scenes;
mod code_scenes;
mod external_scenes;
mod factor_scenes;
mod fixtures;
mod health_scenes;
mod mail_scenes;
mod other_scenes;
mod parameters;
mod recording_scenes;
mod request_scenes;
mod rotation_scenes;
mod rules;
mod sharing_scenes;
mod sign_in_scenes;
mod workspace_scenes;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use maud::{Markup, html};
use steading::server::html::assets::ASSETS;

/// A page in a state.
#[derive(Clone)]
pub struct Scene {
    /// What it shows: the page, and the state after a hyphen.
    pub name: String,
    /// The document.
    pub html: String,
}

fn scene(name: &str, page: Markup) -> Scene {
    Scene { name: name.to_owned(), html: page.into_string() }
}

/// Every page in every state.
pub fn all() -> Vec<Scene> {
    let (work, other) = (workspace_scenes::all(), other_scenes::all());
    let (access, accounts) = (access_scenes::all(), account_scenes::all());
    let (audit, ways) = (audit_scenes::all(), sign_in_scenes::all());
    let (factors, claims) = (factor_scenes::all(), claim_scenes::all());
    let (sharing, rotations) = (sharing_scenes::all(), rotation_scenes::all());
    let (recordings, codes) = (recording_scenes::all(), code_scenes::all());
    let (mails, external) = (mail_scenes::all(), external_scenes::all());
    let shared =
        [sharing, codes, request_scenes::all(), mails, external, health_scenes::all()].concat();
    [shared, work, other, access, accounts, audit, factors, claims, ways, rotations, recordings]
        .concat()
}

/// Writes all scenes with the assets, and an index, so that a static server can show them.
pub fn write(dir: &Path) {
    // A page that is no more would be looked at for ever.
    let _ = fs::remove_dir_all(dir);
    fs::create_dir_all(dir).expect("the gallery's directory can be made");
    for asset in ASSETS {
        let path = dir.join(asset.path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().expect("assets lie in a directory")).expect("made");
        fs::write(path, asset.raw).expect("an asset can be written");
    }
    let scenes = all();
    for scene in &scenes {
        fs::write(dir.join(format!("{}.html", scene.name)), &scene.html).expect("written");
    }
    let index = html! {
        html lang="en" {
            head { meta charset="utf-8"; title { "Gallery" } }
            body { main { h1 { "Gallery" } ul { @for s in &scenes { li { a href={ (s.name) ".html" } { (s.name) } } } } } }
        }
    };
    fs::write(dir.join("index.html"), index.into_string()).expect("written");
}

/// Where the gallery is written: beside what cargo builds.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("tmp lies in target").join("gallery")
}

#[test]
#[expect(clippy::print_stderr, reason = "how long a browser took is for whoever runs the tests")]
fn every_page_in_every_state_is_sound_in_a_browser() {
    let (dir, scenes) = (directory(), all().len());
    write(&dir);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/browser/axe.mjs");
    let ran = Command::new("node").arg(script).arg(&dir).output().expect("node is installed");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complained) = (text(&ran.stdout), text(&ran.stderr));
    assert!(ran.status.success(), "{said}{complained}");
    assert!(said.contains(&format!("{scenes} pages")) && scenes > 70, "{said}");
    eprint!("{said}");
}
