//! The command line under the name of `coder`: each of Coder's commands is there with its flags and says how
//! it is used, or is refused.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::process::Command;

use steading::cli::args;

use crate::e2e::site::{Ran, STEADING};

const COMMANDS: &str = include_str!("commands.txt");

type Words = Vec<&'static str>;

/// The commands that are there with their flags, and those that are not.
fn commands() -> (Vec<(Words, Words)>, Vec<Words>) {
    let (mut there, mut absent) = (vec![], vec![]);
    for line in COMMANDS.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        if let Some(line) = line.strip_prefix("- ") {
            let (words, why) = line.split_once(": ").unwrap();
            assert!(!why.is_empty(), "{line}");
            absent.push(words.split(' ').collect());
            continue;
        }
        let line = line.split(" |").next().unwrap();
        let (flags, words) = line.split(' ').partition(|word| word.starts_with("--"));
        there.push((words, flags));
    }
    (there, absent)
}

/// The commands whose tables have columns to choose from: what is typed, and the columns.
pub fn tables() -> Vec<(Words, &'static str)> {
    let of = |line: &'static str| {
        let mut parts = line.split(" |");
        let words = parts.next()?.split(' ').filter(|word| !word.starts_with("--"));
        let given = parts.next()?.split_whitespace();
        Some((words.chain(given).collect(), parts.next()?.trim()))
    };
    COMMANDS.lines().filter(|line| !line.starts_with(['#', '-'])).filter_map(of).collect()
}

/// The flags that a command takes, with those of every command.
fn flags_of(words: &[&str]) -> BTreeSet<String> {
    let tree = args::command(true);
    let long = |c: &clap::Command| {
        let names = |a: &clap::Arg| {
            let aliases = a.get_all_aliases().unwrap_or_default();
            a.get_long().into_iter().chain(aliases).map(|n| format!("--{n}")).collect::<Vec<_>>()
        };
        c.get_arguments().flat_map(names).collect::<Vec<_>>()
    };
    let mut flags: BTreeSet<String> = long(&tree).into_iter().collect();
    let mut command = &tree;
    for word in words {
        command = command.find_subcommand(word).unwrap_or_else(|| panic!("no command {words:?}"));
    }
    flags.extend(long(command));
    flags
}

#[test]
fn each_command_of_coders_is_there_or_says_that_it_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let coder = dir.path().join("coder");
    symlink(STEADING, &coder).unwrap();
    let typed = |words: &[&str], more: &[&str]| {
        let mut command = Command::new(&coder);
        command.env("HOME", dir.path()).env("CODER_CONFIG_DIR", dir.path());
        Ran::new(command.args(words).args(more))
    };
    let (there, absent) = commands();
    let mut lacking = Vec::new();
    for (words, flags) in &there {
        let help = typed(words, &["--help"]);
        // `gitssh` gives all that it is given to ssh.
        let speaks = help.code == Some(0) && help.out.contains("Usage: coder");
        if words != &["gitssh"] && !speaks {
            lacking.push(format!("{}: {help:?}", words.join(" ")));
            continue;
        }
        let known = flags_of(words);
        lacking.extend(
            flags
                .iter()
                .filter(|f| !known.contains(**f))
                .map(|f| format!("{} {f}", words.join(" "))),
        );
    }
    for words in &absent {
        let ran = typed(words, &[]);
        if ran.code != Some(2) || !ran.out.is_empty() {
            lacking.push(format!("{} is there: {ran:?}", words.join(" ")));
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

#[test]
fn called_as_coder_it_prints_what_plug_ins_parse() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["coder", "coder-linux-amd64"] {
        let coder = dir.path().join(name);
        symlink(STEADING, &coder).unwrap();
        let version = Ran::new(Command::new(&coder).args(["version", "--output", "json"])).ok();
        let version: serde_json::Value = serde_json::from_str(&version).unwrap();
        let text = version["version"].as_str().unwrap().to_owned();
        assert_eq!(text, steading::wire::coder::VERSION);
        let plain = Ran::new(Command::new(&coder).arg("version")).ok();
        assert!(plain.starts_with(&format!("Coder {text}")), "{plain}");
    }
}
