//! Being a provider that Terraform started (go-plugin): handshake, TLS, one connection, exit.

use std::process::ExitCode;

/// When Terraform started this process as a provider (through a link of
/// [`crate::provision::mirror::write`]), serves it until Terraform is done and gives the exit code.
/// `main` calls this before anything else, and before anything is printed: the first line on
/// standard output is the handshake.
#[must_use]
pub fn main() -> Option<ExitCode> {
    None
}
