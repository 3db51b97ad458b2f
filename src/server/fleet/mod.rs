//! Who is connected now; coordination; the SSH front door.

pub mod address;
pub mod register;
pub mod socket;
pub mod target;
