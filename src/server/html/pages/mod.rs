//! Whole pages, one struct each.

pub mod account;
pub mod build;
pub mod builds;
pub mod cli_auth;
pub mod create;
pub mod device;
pub mod error;
pub mod find;
pub mod login;
pub mod people;
pub mod person;
pub mod security;
pub mod setup;
pub mod ssh_keys;
pub mod starter_templates;
pub mod template;
pub mod templates;
pub mod terminal;
pub mod tokens;
pub mod version;
pub mod workspace;
pub mod workspace_settings;
pub mod workspaces;
