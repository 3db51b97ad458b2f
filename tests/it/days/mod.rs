//! Bad days: real processes that are killed, misled, starved and lied to.

mod api;
mod crowds;
mod data;
mod disk;
mod kills;
mod measure;
mod proc;
mod slow;
mod stuck;
