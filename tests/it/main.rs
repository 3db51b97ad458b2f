//! All integration tests, one binary.

mod ssh_exec;
mod ssh_files;
mod ssh_forward;
mod ssh_load;
mod ssh_terminal;
mod ssh_world;
