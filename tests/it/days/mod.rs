//! Bad days: real processes that are killed, misled, starved and lied to.

mod api;
mod data;
mod disk;
mod kills;
mod proc;
