//! Bad days: real processes that are killed, misled, starved and lied to.

mod api;
mod builds;
mod clock;
mod data;
mod disk;
mod kills;
mod liar;
mod lies;
mod proc;
mod terraform;
mod upgrades;
