//! How people prove who they are, and that they meant what they ask.

pub mod csrf;
pub mod github;
pub mod ldap;
pub mod listing;
pub mod master_key;
pub mod oidc;
mod renewal;
pub mod scim;
mod trial;

pub use renewal::Providers;
pub use trial::Trials;
