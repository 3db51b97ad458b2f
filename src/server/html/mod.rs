//! Pages as functions of values: no request, no database, no clock.

pub mod assets;
pub mod csp;
pub mod layout;
pub mod pages;
pub mod parts;
pub mod paths;
mod raw;
