//! What a provider knows of the job it serves: the variables that Coder's provisioner sets.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

/// Says that a template is being imported: nobody has answered its questions yet.
pub const IMPORTING: &str = "STEADING_IMPORTING";

/// The job's variables: handed over in-process, or the environment of a process that Terraform
/// started.
#[derive(Clone, Debug, Default)]
pub struct Values(BTreeMap<String, String>);

impl Values {
    /// Those variables.
    #[must_use]
    pub fn new(values: BTreeMap<String, String>) -> Self {
        Self(values)
    }

    /// The variable's text; empty when it is not set.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.given(name).unwrap_or_default()
    }

    /// The variable's text, or `default` when it is not set or empty.
    #[must_use]
    pub fn or<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        match self.get(name) {
            "" => default,
            text => text,
        }
    }

    /// The variable, when it is set at all.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether the variable says `true`.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).eq_ignore_ascii_case("true")
    }
}

/// SHA-256 in hex, as names of variables for parameters are made.
#[must_use]
pub fn sha256_hex(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// The variable of a parameter's value.
#[must_use]
pub fn parameter_variable(name: &str) -> String {
    format!("CODER_PARAMETER_{}", sha256_hex(name))
}

/// The variable of a parameter's value in the last build.
#[must_use]
pub fn previous_parameter_variable(name: &str) -> String {
    format!("CODER_PARAMETER_PREVIOUS_{}", sha256_hex(name))
}

/// The variable of the token that a running agent keeps.
#[must_use]
pub fn agent_token_variable() -> String {
    format!("CODER_RUNNING_WORKSPACE_AGENT_TOKEN_{}", sha256_hex(""))
}

/// Says that agents keep the tokens that the state has: nobody here could give the new one to the machine.
pub const KEEPS_TOKENS: &str = "STEADING_KEEPS_TOKENS";

/// The variable of a secret file.
#[must_use]
pub fn secret_file_variable(path: &str) -> String {
    format!("CODER_SECRET_FILE_{}", hex::encode(path))
}
