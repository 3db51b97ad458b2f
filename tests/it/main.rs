//! All integration tests, one binary.

#[cfg(test)]
mod gallery;
mod ssh_exec;
mod ssh_world;
