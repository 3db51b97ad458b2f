//! The path from a request to a shell, held against what it stands on: `.ci/bench`, or
//! `cargo bench --bench path -- [SECTION…]`. Each section measures its reference in the same run,
//! turn by turn, and prints the ratio; the ratio is what can be compared between machines.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark reads the clock, prints its figures and ends when it cannot go on"
)]
#![expect(dead_code, reason = "the tests' server process has more to it than is measured here")]

#[path = "path/agents.rs"]
mod agents;
#[path = "path/audit.rs"]
mod audit;
#[path = "path/builds.rs"]
mod builds;
#[path = "path/floor.rs"]
mod floor;
#[path = "path/growth.rs"]
mod growth;
#[path = "path/http.rs"]
mod http;
#[path = "path/memory.rs"]
mod memory;
#[path = "../it/e2e/ports.rs"]
mod ports;
#[path = "path/pty.rs"]
mod pty;
#[path = "path/recording.rs"]
mod recording;
#[path = "path/rights.rs"]
mod rights;
#[path = "../it/e2e/said.rs"]
mod said;
#[path = "../it/growth/seed.rs"]
mod seed;
#[path = "../it/e2e/site.rs"]
mod site;
#[path = "path/size.rs"]
mod size;
#[path = "path/ssh.rs"]
mod ssh;
#[path = "path/sshd.rs"]
mod sshd;
#[path = "path/start.rs"]
mod start;
#[path = "path/table.rs"]
mod table;
#[path = "path/terminado.rs"]
mod terminado;
#[path = "path/terminal.rs"]
mod terminal;

type Section = (&'static str, fn(&mut table::Table));

const SECTIONS: [Section; 12] = [
    ("size", size::run),
    ("start", start::run),
    ("memory", memory::run),
    ("http", http::run),
    ("growth", growth::run),
    ("audit", audit::run),
    ("rights", rights::run),
    ("builds", builds::run),
    ("ssh", ssh::run),
    ("terminal", terminal::run),
    ("recording", recording::run),
    ("agents", agents::run),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [role, rest @ ..] = args.as_slice()
        && role == "floor"
    {
        return floor::main(rest);
    }
    let mut table = table::Table::default();
    for (name, run) in SECTIONS {
        if args.is_empty() || args.iter().any(|a| a == name) {
            run(&mut table);
        }
    }
    table.close();
}
