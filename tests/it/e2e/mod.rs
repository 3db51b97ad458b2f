//! The program from outside: a real server process, real terraform, real agents, stock clients.

mod account;
mod at_work;
mod audit;
mod backup;
mod browser;
mod cli;
mod crash;
mod directory;
mod docker;
mod downloads;
mod files;
mod forwards;
mod groups;
mod invitations;
mod joining;
mod owners;
pub mod ports;
mod providers;
mod proxy;
mod quota;
mod recording;
mod replaced;
pub mod said;
mod shell;
pub mod site;
mod terminal;
mod up;
