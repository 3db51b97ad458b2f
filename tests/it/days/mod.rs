//! Bad days: real processes that are killed, misled, starved and lied to.

mod api;
mod bombs;
mod builds;
mod clock;
mod data;
mod disk;
mod floods;
mod kills;
mod liar;
mod lies;
mod proc;
mod terraform;
mod text;
mod upgrades;
