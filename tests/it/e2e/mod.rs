//! The program from outside: a real server process, real terraform, real agents, stock clients.

mod account;
mod browser;
mod crash;
mod docker;
mod files;
mod forwards;
mod replaced;
mod shell;
mod site;
mod terminal;
mod up;
