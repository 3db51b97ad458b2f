//! How people prove who they are, and that they meant what they ask.

pub mod csrf;
pub mod master_key;
pub mod oidc;
pub mod scim;
