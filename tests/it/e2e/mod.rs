//! The program from outside: a real server process, real terraform, real agents, stock clients.

mod browser;
mod crash;
mod docker;
mod downloads;
mod files;
mod forwards;
mod shell;
mod site;
mod terminal;
mod up;
