//! The rules of the house that the compiler does not know: who may import whom, and how large things are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const MAX_FILE: usize = 400;
/// Scenes, fixtures and scenarios are lists that are read one by one.
const MAX_TEST_FILE: usize = 700;
const MAX_FUNCTION: usize = 60;

/// Every source file below a directory with its path from there and its text.
fn files(dir: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
    let mut found = Vec::new();
    let mut dirs = vec![root.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            // A build of the fuzz targets by hand leaves its own files there.
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The module of a file below `src`, `server/db/users.rs` as `["server", "db", "users"]`.
fn module(path: &str) -> Vec<String> {
    let mut parts: Vec<String> =
        path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|p| p == "mod" || p == "lib" || p == "main") {
        parts.pop();
    }
    parts
}

/// The part of the house that a module belongs to: a floor, a role, or a room of the server.
fn part(module: &[String]) -> String {
    match module {
        [] => "root".to_owned(),
        [first] => first.clone(),
        [first, second, ..] if first == "server" => format!("server::{second}"),
        [first, ..] => first.clone(),
    }
}

/// What a part may import besides itself.
fn may_import(part: &str) -> Option<&'static [&'static str]> {
    Some(match part {
        "clock" | "files" | "memory" | "model" | "tasks" | "spawn" => &["model"],
        "wire" => &["model"],
        "net" | "ssh" | "provision" => &["clock", "tasks", "spawn", "model", "wire"],
        "agent" => &["clock", "files", "tasks", "spawn", "model", "wire", "net", "ssh"],
        "cli" => &[
            "clock",
            "files",
            "memory",
            "tasks",
            "spawn",
            "model",
            "wire",
            "net",
            "ssh",
            "provision",
        ],
        "server::db" => &["clock", "model"],
        "server::html" => &["model"],
        "server::app" => &["clock", "model", "wire", "server::db"],
        "server::identity" => &["clock", "tasks", "model", "wire", "net", "server::app"],
        "server::fleet" => &["clock", "tasks", "model", "wire", "net", "ssh", "server::app"],
        "server::outbox" => &["tasks", "model", "net", "server::app"],
        "server::jobs" => &["clock", "tasks", "model", "wire", "provision", "server::app"],
        "server::web" => &[
            "clock",
            "tasks",
            "model",
            "wire",
            "net",
            "ssh",
            "provision",
            "server::app",
            "server::config",
            "server::fleet",
            "server::html",
            "server::identity",
            "server::outbox",
        ],
        // The files that wire the rooms together, and those of the root.
        _ => return None,
    })
}

/// Commands that start a role, and may see it.
fn is_doorway(path: &str, target: &str) -> bool {
    let command =
        |name: &str| path == format!("cli/{name}.rs") || path.starts_with(&format!("cli/{name}/"));
    match target {
        "agent" => command("agent"),
        t if t == "server" || t.starts_with("server::") => {
            ["serve", "up", "on_machine", "audit_file"].into_iter().any(command)
        }
        _ => false,
    }
}

/// The text without its tests and comments: tests may look into every room.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Every path that begins with `crate::` or `super::`, from the root, two steps deep.
fn imports(path: &str, text: &str) -> BTreeSet<Vec<String>> {
    let here = module(path);
    let text = code(text);
    let mut found = BTreeSet::new();
    for (start, word) in [("crate::", 0usize), ("super::", 1)]
        .iter()
        .flat_map(|(key, up)| text.match_indices(key).map(move |(at, _)| (at, *up)))
    {
        let before = text[..start].chars().next_back().unwrap_or(' ');
        let visibility = text[..start].ends_with("(in ");
        if before.is_alphanumeric() || before == '_' || before == ':' || visibility {
            continue;
        }
        let mut rest = &text[start..];
        let mut base = here.clone();
        if word == 0 {
            base.clear();
            rest = &rest["crate::".len()..];
        }
        while let Some(further) = rest.strip_prefix("super::") {
            base.pop();
            rest = further;
        }
        for tail in expand(rest) {
            let full: Vec<String> = base.iter().cloned().chain(tail).take(3).collect();
            found.insert(full);
        }
    }
    found
}

/// The first two steps of a path, or of each path in its braces.
fn expand(rest: &str) -> Vec<Vec<String>> {
    let step = |text: &str| -> String {
        text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    if let Some(group) = rest.strip_prefix('{') {
        let mut depth = 0usize;
        let mut items = vec![String::new()];
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    items.push(String::new());
                    continue;
                }
                _ => {}
            }
            items.last_mut().unwrap().push(c);
        }
        return items.iter().flat_map(|item| expand(item.trim())).collect();
    }
    let first = step(rest);
    if first.is_empty() {
        return vec![vec![]];
    }
    match rest[first.len()..].strip_prefix("::") {
        Some(further) => expand(further)
            .into_iter()
            .map(|tail| std::iter::once(first.clone()).chain(tail).collect())
            .collect(),
        None => vec![vec![first]],
    }
}

#[test]
fn parts_import_only_whom_they_may() {
    let mut wrong = Vec::new();
    for (path, text) in files("src") {
        let own = part(&module(&path));
        let Some(allowed) = may_import(&own) else { continue };
        for import in imports(&path, &text) {
            let target = part(&import);
            let known = target.starts_with("server") || may_import(&target).is_some();
            if target == own || !known || allowed.contains(&target.as_str()) {
                continue;
            }
            if !is_doorway(&path, &target) {
                wrong.push(format!("{path} imports {}", import.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_are_short_and_begin_with_what_they_hold() {
    let mut wrong = Vec::new();
    for dir in ["src", "tests"] {
        for (path, text) in files(dir) {
            let n = text.lines().count();
            let max = if dir == "src" { MAX_FILE } else { MAX_TEST_FILE };
            if n > max {
                wrong.push(format!("{dir}/{path} has {n} lines"));
            }
            let head: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
            let first = head.iter().map(|l| l.trim()).take_while(|l| !l.is_empty());
            let first = first.collect::<Vec<_>>().join(" ");
            let generated = text.starts_with("#![doc = include_str!");
            if !generated && !first.ends_with(['.', '?']) {
                wrong.push(format!("{dir}/{path} does not begin with a sentence: {first:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn functions_are_short() {
    let mut wrong = Vec::new();
    for (path, text) in files("src") {
        let lines: Vec<&str> = text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let is_fn = line.split_whitespace().take(6).any(|word| word == "fn")
                && !line.trim_start().starts_with("//");
            // A function without a body, or on one line, has no end of its own.
            let opens =
                lines[start..].iter().take(12).find(|l| l.ends_with('{') || l.ends_with(';'));
            if !is_fn || line.ends_with('}') || !opens.is_some_and(|l| l.ends_with('{')) {
                continue;
            }
            let close = format!("{}}}", " ".repeat(indent));
            let n = lines[start..].iter().take_while(|l| **l != close).count() + 1;
            if n > MAX_FUNCTION + 2 {
                wrong.push(format!("{path}:{} has {n} lines", start + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn there_is_one_spawner_one_reader_of_time_and_one_switch() {
    let mut wrong = Vec::new();
    let only = [
        ("tokio::spawn(", &["tasks.rs"][..]),
        ("SystemTime::now(", &["clock.rs"]),
        ("cfg(feature = \"server\")", &["lib.rs", "main.rs", "cli/mod.rs", "cli/args.rs"]),
        ("cfg(not(feature = \"server\"))", &["lib.rs", "main.rs", "cli/mod.rs", "cli/args.rs"]),
        ("#![allow(", &[]),
        ("todo!(", &[]),
        ("unimplemented!(", &[]),
    ];
    for (path, text) in files("src") {
        let text = code(&text);
        for (what, places) in only {
            if text.contains(what) && !places.contains(&path.as_str()) {
                wrong.push(format!("{path} has {what}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
