#![doc = include_str!("ARCHITECTURE.md")]

pub mod clock;
pub mod files;
pub mod memory;
#[cfg(unix)]
pub mod spawn;
pub mod tasks;

pub mod model;
pub mod wire;

pub mod net;
pub mod ssh;

#[cfg(feature = "server")]
pub mod provision;

pub mod agent;
pub mod cli;
#[cfg(feature = "server")]
pub mod server;
