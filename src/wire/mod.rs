//! What crosses a socket: versioned, with limits, and with no transport of its own.

pub mod agent;
pub mod audit;
pub mod bootstrap;
pub mod charters;
pub mod coder;
pub mod codes;
pub mod frame;
pub mod grants;
pub mod handover;
pub mod health;
pub mod invitations;
pub mod local;
pub mod mail;
pub mod peer;
pub mod presence;
pub mod program;
pub mod recordings;
pub mod requests;
pub mod rotations;
pub mod session;
pub mod terminals;
pub mod what_if;

/// Version of the protocol between server, agent and CLI. The server refuses a newer major.
pub const PROTOCOL: u32 = 1;

/// Longest control message (JSON text) on any WebSocket. A manifest with 20 agents' scripts of 6 kB fits four times.
pub const MAX_CONTROL_BYTES: usize = 1 << 20;

/// Longest relay frame (binary) on any WebSocket: a key and a batch of datagrams.
pub const MAX_RELAY_BYTES: usize = 256 << 10;
