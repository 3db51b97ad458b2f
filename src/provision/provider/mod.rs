//! The Terraform providers `coder/coder` and `steading/steading`, served by this process.

pub mod plugin;

/// The version of `steading/steading` that the mirror offers.
pub const STEADING_VERSION: &str = "1.0.0";

/// The operating system in Go's words.
#[must_use]
pub fn go_os() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    }
}

/// The processor in Go's words, as provider packages are named.
#[must_use]
pub fn go_mirror_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}
