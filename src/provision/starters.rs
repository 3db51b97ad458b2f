//! The templates that come with the program, ready to be pushed or written out.

use std::sync::LazyLock;

use bytes::Bytes;

use super::source::{Source, hcl};
use crate::model::parameter::Variable;

/// A template that comes with the program. What is said of it stands at the top of its README.
#[derive(Clone, Debug)]
pub struct Starter {
    /// Its id, and the name it is pushed under.
    pub id: &'static str,
    /// The name shown.
    pub name: &'static str,
    /// What it is for, a sentence.
    pub description: &'static str,
    /// Path of an icon.
    pub icon: &'static str,
    /// Words that say what kind it is.
    pub tags: Vec<&'static str>,
    /// What has to be there before it works, a phrase each.
    pub needs: Vec<&'static str>,
    /// Its variables without a default: no version of it is imported without them.
    pub asks: Vec<Variable>,
    /// Its files: name and text.
    pub files: Files,
}

/// Names and texts.
type Files = &'static [(&'static str, &'static str)];

macro_rules! files {
    ($($id:literal),+ $(,)?) => {
        &[$((
            $id,
            &[
                ("main.tf", include_str!(concat!("../../templates-tf/", $id, "/main.tf"))),
                ("README.md", include_str!(concat!("../../templates-tf/", $id, "/README.md"))),
            ],
        )),+]
    };
}

/// By id; those that need the least come first.
const FILES: &[(&str, Files)] = files![
    "this-machine",
    "docker",
    "external",
    "raspberry-pi",
    "kubernetes",
    "libvirt",
    "proxmox",
    "aws",
    "gcp",
    "azure",
];

/// All starters; the first needs nothing but the server's machine.
pub static ALL: LazyLock<Vec<Starter>> =
    LazyLock::new(|| FILES.iter().map(|(id, files)| read(id, files)).collect());

/// The starter of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Starter> {
    ALL.iter().find(|s| s.id == id)
}

fn read(id: &'static str, files: Files) -> Starter {
    let text = |name: &str| files.iter().find(|(n, _)| *n == name).map_or("", |(_, text)| *text);
    let head = head(text("README.md"));
    let mut source = Source::default();
    // That each can be read is held by a test.
    let _ = hcl::add(&mut source, text("main.tf"), "main.tf");
    Starter {
        id,
        name: said(head, "display_name"),
        description: said(head, "description"),
        icon: said(head, "icon"),
        tags: listed(head, "tags"),
        needs: listed(head, "needs"),
        asks: source.variables.into_iter().filter(|v| v.required).collect(),
        files,
    }
}

/// The lines between the two `---` that a README begins with.
fn head(readme: &'static str) -> &'static str {
    let rest = readme.strip_prefix("---\n").unwrap_or_default();
    rest.split_once("\n---\n").map_or("", |(head, _)| head)
}

/// The text of the line `key: text`; empty when there is none.
fn said(head: &'static str, key: &str) -> &'static str {
    let value = |line: &'static str| line.strip_prefix(key)?.strip_prefix(':');
    head.lines().find_map(value).map_or("", str::trim)
}

/// The entries of `key: [a, b]`, or of the lines `  - a` below `key:`.
fn listed(head: &'static str, key: &str) -> Vec<&'static str> {
    if let Some(inner) = said(head, key).strip_prefix('[').and_then(|v| v.strip_suffix(']')) {
        return inner.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
    }
    let starts = |line: &&str| line.strip_prefix(key) == Some(":");
    let lines = head.lines().skip_while(|line| !starts(line)).skip(1);
    lines.map_while(|line| line.strip_prefix("  - ")).collect()
}

impl Starter {
    /// Its files as a tar archive, the same bytes each time.
    ///
    /// # Panics
    /// Never: the archive is made in memory from short names.
    #[must_use]
    pub fn archive(&self) -> Bytes {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, text) in self.files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            tar.append_data(&mut header, name, text.as_bytes()).expect("short names fit a header");
        }
        tar.into_inner().expect("memory can be written").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_starter_has_a_template_and_a_readme() {
        for starter in ALL.iter() {
            let archive = starter.archive();
            let mut tar = tar::Archive::new(&*archive);
            let names: Vec<_> = tar
                .entries()
                .unwrap()
                .map(|e| e.unwrap().path().unwrap().to_string_lossy().into_owned())
                .collect();
            assert_eq!(names, ["main.tf", "README.md"], "{}", starter.id);
            assert!(find(starter.id).is_some());
        }
    }

    #[test]
    fn each_readme_says_what_the_starter_is_and_needs() {
        for starter in ALL.iter() {
            let said = [starter.name, starter.description, starter.icon];
            assert!(said.iter().all(|text| !text.is_empty()), "{}: {said:?}", starter.id);
            assert!(starter.description.ends_with('.') && starter.icon.starts_with("/icon/"));
            assert!(!starter.tags.is_empty() && !starter.needs.is_empty(), "{}", starter.id);
            let (_, readme) = starter.files[1];
            let mut source = Source::default();
            hcl::add(&mut source, starter.files[0].1, "main.tf").unwrap();
            for variable in &source.variables {
                assert!(!variable.description.is_empty(), "{}: {}", starter.id, variable.name);
                let name = format!("`{}`", variable.name);
                assert!(readme.contains(&name), "{}: {name} is not in the README", starter.id);
            }
        }
        let asks = |id| {
            let asks = &find(id).unwrap().asks;
            asks.iter().map(|v| v.name.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(asks("aws"), ["access_key", "secret_key"]);
        assert!(asks("docker").is_empty() && asks("libvirt").is_empty());
    }

    #[test]
    fn lists_of_a_readme_are_read_in_both_ways() {
        let head =
            head("---\ntags: [a, b c]\nneeds:\n  - One, and: two\n  - Three\nicon: x\n---\n# T\n");
        assert_eq!(listed(head, "tags"), ["a", "b c"]);
        assert_eq!(listed(head, "needs"), ["One, and: two", "Three"]);
        assert_eq!((said(head, "icon"), said(head, "other")), ("x", ""));
        assert!(listed(head, "other").is_empty() && listed("", "tags").is_empty());
    }
}
