//! The model's words into Coder's JSON.

pub mod agents;
pub mod jobs;
pub mod names;
pub mod people;
pub mod recordings;
pub mod rotations;
pub mod templates;
pub mod workspaces;
