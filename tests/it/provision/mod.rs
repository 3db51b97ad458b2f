//! The provisioner with real Terraform.

mod docker;
mod endings;
mod kit;
mod modules;
mod parameters;
mod plugin;
mod process;
mod template;
