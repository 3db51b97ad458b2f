//! The server: all wiring of its parts.

pub mod app;
pub mod config;
pub mod db;
pub mod fleet;
pub mod html;
pub mod identity;
pub mod jobs;
pub mod web;
