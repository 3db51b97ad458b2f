//! The calls of the API that commands make, one file a noun.

pub mod audit;
pub mod codes;
pub mod invitations;
pub mod organizations;
pub mod people;
pub mod recordings;
pub mod requests;
pub mod rotations;
pub mod sharing;
pub mod templates;
pub mod workspaces;
