//! The agent: runs on the workspace's machine.

pub mod sessions;
