//! All integration tests, one binary.

#[cfg(test)]
mod gallery;
mod provision_endings;
mod provision_kit;
mod provision_process;
mod provision_template;
mod ssh_exec;
mod ssh_world;
