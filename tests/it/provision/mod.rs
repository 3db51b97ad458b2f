//! The provisioner with real Terraform.

mod endings;
mod kit;
mod process;
mod template;
