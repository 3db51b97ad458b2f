//! Arguments of the commands that answer a template's parameters.

use std::path::PathBuf;

use clap::Args;

/// Answers to a template's parameters.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Parameters")]
pub struct Parameters {
    /// A parameter's value; may be repeated
    #[arg(
        long = "parameter",
        aliases = ["ephemeral-parameter", "build-option"],
        env = "STEADING_RICH_PARAMETER",
        value_name = "NAME=VALUE"
    )]
    pub values: Vec<String>,
    /// A file of values, one NAME=VALUE or NAME: VALUE a line
    #[arg(long, env = "STEADING_RICH_PARAMETER_FILE", value_name = "FILE")]
    pub rich_parameter_file: Option<PathBuf>,
    /// A default for a parameter, instead of the template's; may be repeated
    #[arg(
        long = "parameter-default",
        env = "STEADING_RICH_PARAMETER_DEFAULT",
        value_name = "NAME=VALUE"
    )]
    pub defaults: Vec<String>,
    /// Take the default where there is one, without asking
    #[arg(long, visible_alias = "use-parameter-defaults")]
    pub parameter_defaults: bool,
}
