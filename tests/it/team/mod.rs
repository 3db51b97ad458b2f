//! Sharing as a team types it: a real server, a running workspace, each command in words and in JSON, and
//! what it says of what does not fit.

mod coder;
mod codes;
mod requests;
mod reviews;
mod rotations;
mod seen;

use std::process::Command;

use serde_json::Value;

use crate::e2e::site::{Ran, STEADING, Site};

const PASSWORD: &str = "correct horse 7";

/// Ada owns the server and its workspace `kiln`, which runs; Grace and Linus are members, signed in.
pub struct Team {
    pub site: Site,
}

impl Team {
    pub fn new() -> Self {
        Self::of(Site::new())
    }

    pub fn of(site: Site) -> Self {
        site.create_here("kiln");
        let team = Self { site };
        for name in ["grace", "linus"] {
            let email = format!("{name}@example.test");
            team.by("ada", &["users", "create", "-u", name, "-e", &email, "-p", PASSWORD]).ok();
            let login = ["login", &team.site.url, "--username", name, "--password-stdin"];
            team.reading(name, &format!("{PASSWORD}\n"), &login).ok();
        }
        team
    }

    /// A program in someone's hands.
    pub fn command(&self, who: &str, program: &str) -> Command {
        let mut command = self.site.command(program);
        if who != "ada" {
            command.env("CODER_CONFIG_DIR", self.site.path(who));
        }
        command
    }

    /// What someone types.
    pub fn by(&self, who: &str, args: &[&str]) -> Ran {
        Ran::new(self.command(who, STEADING).args(args))
    }

    /// The same with a text on standard input.
    pub fn reading(&self, who: &str, input: &str, args: &[&str]) -> Ran {
        let file = self.site.path("input");
        std::fs::write(&file, input).unwrap();
        let input = std::fs::File::open(file).unwrap();
        Ran::new(self.command(who, STEADING).args(args).stdin(input))
    }

    /// What it prints as JSON.
    #[track_caller]
    pub fn json(&self, who: &str, args: &[&str]) -> Value {
        let out = self.by(who, &[args, &["-o", "json"]].concat()).ok();
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?}: {e}: {out}"))
    }

    /// It fails, prints no data, and says these words.
    #[track_caller]
    pub fn refused(&self, who: &str, args: &[&str], words: &[&str]) {
        fails(&self.by(who, args), words);
    }
}

#[track_caller]
fn fails(ran: &Ran, words: &[&str]) {
    assert!(matches!(ran.code, Some(1 | 2)), "{ran:?}");
    assert_eq!(ran.out, "", "{ran:?}");
    for word in words {
        assert!(ran.err.contains(word), "{word:?} is missing: {ran:?}");
    }
}

/// Each word stands in a text.
#[track_caller]
fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is missing:\n{text}");
    }
}
