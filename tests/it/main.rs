//! All integration tests, one binary.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a test that goes wrong panics; the helpers here are not marked as tests for Clippy"
)]

mod access;
mod accounts;
mod advisories;
mod agent;
mod agent_service;
mod audit;
mod audit_page;
mod bootstrap;
mod browser;
mod contract;
mod days;
mod e2e;
mod factors;
mod fuzz;
mod gallery;
mod growth;
mod harness;
mod identity;
mod invitations;
mod mail_peer;
mod new_users;
mod organization_pages;
mod pages;
mod passwords;
mod platforms;
mod programs;
mod provision;
mod quotas;
mod recordings;
mod requests;
mod revoked;
mod roles;
mod rotation_doors;
mod rotations;
mod schema;
mod scim;
mod service_accounts;
mod sharing;
mod ssh_exec;
mod ssh_files;
mod ssh_forward;
mod ssh_load;
mod ssh_signals;
mod ssh_terminal;
mod ssh_world;
mod surface;
mod sweep;
mod team;
mod template_acl;
mod tidy;
mod tokens;
mod workspaces;
