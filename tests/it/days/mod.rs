//! Bad days: real processes that are killed, misled, starved and lied to.

mod api;
mod bombs;
mod builds;
pub mod clock;
mod clones;
mod crowds;
mod data;
mod disk;
mod floods;
mod kills;
mod liar;
mod lies;
mod measure;
mod proc;
mod slow;
mod stuck;
mod terraform;
mod text;
mod upgrades;
