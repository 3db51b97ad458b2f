//! The words and the decisions. No IO, no async, no SQL, no HTML.

pub mod agent;
pub mod app;
pub mod audit;
pub mod build;
pub mod cron;
pub mod event;
pub mod filter;
pub mod grant;
pub mod id;
pub mod lockout;
pub mod log;
pub mod name;
pub mod network;
pub mod parameter;
pub mod password;
pub mod peer;
pub mod resource;
pub mod schedule;
pub mod secret;
pub mod session;
pub mod ssh_key;
pub mod template;
pub mod time;
pub mod unit;
pub mod user;
pub mod workspace;
