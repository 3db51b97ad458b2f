//! The gallery: every page in every state, written under `target/gallery`, for eyes and for rules.

mod fixtures;
mod other_scenes;
mod parameters;
mod rules;
mod workspace_scenes;

use std::fs;
use std::path::{Path, PathBuf};

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
    [workspace_scenes::all(), other_scenes::all()].concat()
}

/// Writes all scenes with the assets, and an index, so that a static server can show them.
pub fn write(dir: &Path) {
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
fn every_page_in_every_state_is_written() {
    write(&directory());
    assert!(all().len() > 70);
}
