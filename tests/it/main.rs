//! All integration tests, one binary.

mod ssh_exec;
mod ssh_world;
