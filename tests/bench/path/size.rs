//! How large the program is.

use super::site::STEADING;
use super::table::Table;

const MIB: f64 = 1_048_576.0;

pub fn run(table: &mut Table) {
    let bytes = std::fs::metadata(STEADING).unwrap().len();
    table.figure("size of the server, goal 24", "MiB", &[bytes as f64 / MIB]);
}
