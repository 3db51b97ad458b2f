//! Rights that end, on real processes: a server, an agent, stock clients. Everything that somebody has
//! open by them ends at once, is told why, and does not begin again.

mod kinds;
mod matrix;
mod on_call;
mod person;
mod stopped;
