//! The record of calls, read.

use super::fields::{Named, Shape};

/// A call that a client makes.
#[derive(Debug)]
pub struct Call {
    /// An HTTP method; `WS` for a WebSocket, `SSE` for a stream of events.
    pub method: String,
    /// With names in braces, and perhaps a query.
    pub path: String,
    pub status: u16,
    /// Who makes it.
    pub clients: Vec<String>,
    /// What is sent.
    pub sends: Option<String>,
    /// What is read of the answer.
    pub reads: Option<Shape>,
    /// What is kept of it: a name, and where it stands.
    pub keeps: Vec<(String, String)>,
    /// The workspace's status that is waited for afterwards.
    pub until: Option<String>,
}

/// The names that clients have in the record.
const CLIENTS: [&str; 6] = ["vscode", "toolbox", "gateway", "desktop", "coder", "rest"];

impl Call {
    /// Its line of the record, for who reads what failed.
    pub fn line(&self) -> String {
        format!("{} {} {}", self.method, self.path, self.status)
    }

    /// The path without its query.
    pub fn route(&self) -> &str {
        self.path.split_once('?').map_or(&*self.path, |(path, _)| path)
    }
}

/// Reads the record.
pub fn read(text: &str) -> (Named, Vec<Call>) {
    let (mut named, mut calls) = (Named::new(), Vec::new());
    for entry in entries(text) {
        if let Some(shape) = entry.strip_prefix("shape ") {
            let (name, shape) = shape.split_once(' ').unwrap();
            named.insert(name.to_owned(), shape.parse().unwrap_or_else(|e| panic!("{name}: {e}")));
        } else {
            calls.push(call(&entry));
        }
    }
    (named, calls)
}

/// Lines with what is indented below them, which begins with a sign or goes on the line above.
fn entries(text: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')) {
        match entries.last_mut() {
            Some(last) if line.starts_with(' ') => {
                let line = line.trim();
                let is_new = ["> ", "< ", "= ", "~ "].iter().any(|sign| line.starts_with(sign));
                last.push(if is_new { '\n' } else { ' ' });
                last.push_str(line);
            }
            _ => entries.push(line.to_owned()),
        }
    }
    entries
}

fn call(entry: &str) -> Call {
    let mut lines = entry.lines();
    let words: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    let [method, path, status, clients @ ..] = words.as_slice() else { panic!("{entry}") };
    assert!(!clients.is_empty() && clients.iter().all(|c| CLIENTS.contains(c)), "{entry}");
    let mut call = Call {
        method: (*method).to_owned(),
        path: (*path).to_owned(),
        status: status.parse().unwrap_or_else(|_| panic!("{entry}")),
        clients: clients.iter().map(|c| (*c).to_owned()).collect(),
        sends: None,
        reads: None,
        keeps: vec![],
        until: None,
    };
    for line in lines {
        let (sign, rest) = line.split_once(' ').unwrap();
        match sign {
            ">" => call.sends = Some(rest.to_owned()),
            "<" => call.reads = Some(rest.parse().unwrap_or_else(|e| panic!("{entry}: {e}"))),
            "=" => {
                let kept = rest.split_whitespace().map(|word| word.split_once('=').unwrap());
                call.keeps = kept.map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
            }
            "~" => call.until = Some(rest.to_owned()),
            other => panic!("{other} in {entry}"),
        }
    }
    call
}
