//! What ten times the rows cost: two deployments, asked turn by turn.

use super::http::{token, wrk};
use super::seed::{self, Each};
use super::site::Site;
use super::start;
use super::table::{Better, Line, Table};

/// Workspaces; a tenth as many users.
const FEW: u32 = 1000;
const MANY: u32 = 10_000;
/// A million sessions and lines of logs in the larger one, and a hundred thousand builds.
const EACH: Each = Each { builds: 10, sessions: 100, lines: 100 };
/// Workspaces in one transaction.
const PART: usize = 500;

const STARTS: usize = 9;
const ROUNDS: usize = 3;

pub fn run(table: &mut Table) {
    let (mut few, mut many) = (grown(FEW, &EACH), grown(MANY, &EACH));
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        here.push(begin(&many));
        there.push(begin(&few));
    }
    line(table, "start, 10,000 workspaces", here, there, 1.5);
    few.start();
    many.start();
    for (what, path) in [
        ("dashboard page", "/workspaces"),
        ("list 25 workspaces", "/api/v2/workspaces?limit=25"),
        ("search one owner's workspaces", "/api/v2/workspaces?q=owner:person000003&limit=25"),
        ("list 100 users", "/api/v2/users?limit=100"),
        ("people page", "/people"),
        ("audit log, 25 entries", "/api/v2/audit?limit=25"),
        ("audit log of one person", "/api/v2/audit?q=username:person000003&limit=25"),
        ("a decision and its workspace", "/api/v2/workspaces/00000000-0006-7000-8000-000000000007"),
        ("page of a workspace", "/@person000003/work000031"),
        ("log of a build", "/api/v2/workspacebuilds/00000000-0008-7000-8000-000000000046/logs"),
    ] {
        let (mut here, mut there) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            here.push(ask(&many, path));
            there.push(ask(&few, path));
        }
        line(table, what, here, there, 1.3);
    }
    // Nothing is to be tidied up one workspace at a time.
    few.kill();
    many.kill();
}

fn line(table: &mut Table, what: &str, ours: Vec<f64>, tenth: Vec<f64>, goal: f64) {
    let what = format!("{what}, 10x the rows");
    let (reference, better) = (("a tenth", tenth), Better::Less);
    table.line(&Line { what: &what, unit: "ms p50", ours, reference, goal, better });
}

/// A deployment of so many workspaces; its server is stopped.
pub fn grown(workspaces: u32, each: &Each) -> Site {
    let mut site = Site::new();
    site.stop();
    let path = site.dir.path().join("data/steading.db");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    for from in (0..workspaces).step_by(PART) {
        let part = from..workspaces.min(from + u32::try_from(PART).unwrap());
        seed::seed(&path, &part, i64::try_from(now.as_secs()).unwrap(), each);
    }
    seed::check(&path);
    site
}

/// Milliseconds from exec to the first 200.
fn begin(site: &Site) -> f64 {
    let (took, server) = start::ours(site.dir.path());
    start::stop(server);
    took
}

/// Milliseconds that half of the answers exceed, one at a time.
fn ask(site: &Site, path: &str) -> f64 {
    wrk(&format!("{}{path}", site.url), Some(&token(site)), "", 1).p50
}
