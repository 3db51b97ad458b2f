//! All integration tests, one binary.

mod accounts;
mod browser;
mod harness;
mod schema;
mod sweep;

mod ssh_exec;
mod ssh_world;
