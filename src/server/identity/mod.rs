//! How people prove who they are.

pub mod master_key;
