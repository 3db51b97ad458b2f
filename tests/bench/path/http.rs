//! Requests a second by `wrk`, 32 connections, beside the floor.

use std::fmt::Write as _;
use std::process::Command;

use super::floor::Floor;
use super::site::Site;
use super::table::{Better, Line, Table};

const ROUNDS: usize = 3;
const SECONDS: u32 = 4;
const CONNECTIONS: u32 = 32;
const USERS: usize = 120;

/// What `wrk` found.
pub struct Load {
    /// Requests a second.
    pub rate: f64,
    /// Milliseconds that one in a hundred exceeds.
    pub p99: f64,
    /// Milliseconds that half exceed.
    pub p50: f64,
}

pub fn run(table: &mut Table) {
    let site = Site::new();
    let token = token(&site);
    people(&site);
    let floor = Floor::start(site.dir.path());
    let pairs = [
        ("get a user", "/api/v2/users/me", "/user/7", 0.5),
        ("list 100 users", "/api/v2/users?limit=100", "/users", 0.35),
        ("dashboard page", "/workspaces", "/user/7", 0.1),
    ];
    for (what, ours, theirs, goal) in pairs {
        let ours = (format!("{}{ours}", site.url), Some(token.as_str()), "");
        let theirs = (format!("{}{theirs}", floor.url), None, "");
        side_by_side(table, what, &ours, &theirs, goal);
    }
    let ours = (format!("{}/api/v2/users/me/profile", site.url), Some(token.as_str()), PROFILE);
    let theirs = (format!("{}/write", floor.url), None, r#"wrk.method = "POST""#);
    side_by_side(table, "durable write with its audit row", &ours, &theirs, 0.5);
    for (what, path, goal) in [
        ("get a user, alone", "/api/v2/users/me", 4.0),
        ("dashboard page, alone", "/workspaces", 10.0),
    ] {
        let ours = wrk(&format!("{}{path}", site.url), Some(&token), "", 1);
        let theirs = wrk(&format!("{}/user/7", floor.url), None, "", 1);
        let reference = ("floor", vec![theirs.p50]);
        let better = Better::Less;
        table.line(&Line { what, unit: "ms p50", ours: vec![ours.p50], reference, goal, better });
    }
    floor.kill();
}

/// A change of the own full name, another one each time.
const PROFILE: &str = r#"
wrk.method = "PUT"
wrk.headers["Content-Type"] = "application/json"
local n = 0
request = function()
  n = n + 1
  return wrk.format(nil, nil, nil, string.format('{"username":"ada","name":"Ada %d"}', n))
end
"#;

type Target<'a> = (String, Option<&'a str>, &'a str);

fn side_by_side(table: &mut Table, what: &str, ours: &Target<'_>, theirs: &Target<'_>, goal: f64) {
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        here.push(wrk(&ours.0, ours.1, ours.2, CONNECTIONS));
        there.push(wrk(&theirs.0, theirs.1, theirs.2, CONNECTIONS));
    }
    let rates = |loads: &[Load]| loads.iter().map(|l| l.rate).collect::<Vec<_>>();
    let late = |loads: &[Load]| loads.iter().map(|l| l.p99).collect::<Vec<_>>();
    let reference = ("floor", rates(&there));
    let better = Better::More;
    table.line(&Line { what, unit: "/s", ours: rates(&here), reference, goal, better });
    let (reference, better) = (("floor", late(&there)), Better::Less);
    let what = format!("{what}, p99");
    table.line(&Line { what: &what, unit: "ms", ours: late(&here), reference, goal: 3.0, better });
}

/// The token of Ada, as the command line keeps it.
pub fn token(site: &Site) -> String {
    std::fs::read_to_string(site.path("cli/session")).unwrap().trim().to_owned()
}

/// So many accounts that a list of a hundred is full. Service accounts have no password to hash.
fn people(site: &Site) {
    for n in 0..USERS {
        let name = format!("robot{n}");
        site.cli(&["users", "create", "--username", &name, "--service-account"]).ok();
    }
}

/// One run of `wrk`. `script` sets method and body.
pub fn wrk(url: &str, token: Option<&str>, script: &str, connections: u32) -> Load {
    let dir = tempfile::tempdir().unwrap();
    let mut lua = script.to_owned();
    writeln!(
        lua,
        r#"
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("\n# %f %f %f %d\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end"#
    )
    .unwrap();
    let path = dir.path().join("load.lua");
    std::fs::write(&path, lua).unwrap();
    let mut command = Command::new("wrk");
    command.args(["-t", "1", "-c", &connections.to_string(), "-d", &format!("{SECONDS}s")]);
    // Who signs in waits for a turn at hashing; the two seconds that are usual are no fault of it.
    command.args(["--timeout", "30s", "-s"]).arg(&path);
    if let Some(token) = token {
        command.args(["-H", &format!("Coder-Session-Token: {token}")]);
    }
    let out = command.arg(url).output().expect("wrk is installed; .ci/bench does that");
    let out = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = out.lines().find_map(|l| l.strip_prefix("# ")).expect("wrk prints its figures");
    let mut figures = line.split(' ').map(|f| f.parse::<f64>().unwrap());
    let mut next = || figures.next().unwrap();
    let load = Load { rate: next(), p50: next(), p99: next() };
    assert_eq!(next(), 0.0, "requests to {url} failed");
    load
}
