//! How large the programs are.

use super::site::STEADING;
use super::table::Table;

const MIB: f64 = 1_048_576.0;

pub fn run(table: &mut Table) {
    let mut size = |what: &str, path: &str| {
        let bytes = std::fs::metadata(path).unwrap().len();
        table.figure(what, "MiB", &[bytes as f64 / MIB]);
    };
    size("size of the server, goal 24", STEADING);
    // The script that runs this builds it.
    if let Ok(slim) = std::env::var("STEADING_SLIM") {
        size("size of the slim program (agent and command line), goal 4", &slim);
    }
}
