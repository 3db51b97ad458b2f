//! How people prove who they are, and that they meant what they ask.

pub mod csrf;
pub mod editing;
pub mod github;
pub mod ldap;
pub mod listing;
pub mod master_key;
pub mod oidc;
mod providers;
mod renewal;
pub mod scim;
pub mod settings;
mod trial;

pub use providers::{Fixed, InForce, Providers};
