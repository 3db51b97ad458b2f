//! Arguments of the commands about templates.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Listing;
use super::accepted::Yes;
use super::organizations::Within;

/// `templates`
#[derive(Debug, Subcommand)]
pub enum Templates {
    /// Write a starter template into a directory, to be changed and pushed
    Init(Init),
    /// Send a directory as a new version of a template
    #[command(visible_alias = "create")]
    Push(Push),
    /// Fetch a template's files
    Pull(Pull),
    /// List templates
    #[command(visible_alias = "ls")]
    List {
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
        /// Of one organization only.
        #[command(flatten)]
        within: Within,
    },
    /// Change a template's description, icon and rules
    Edit(Edit),
    /// Delete templates without workspaces
    #[command(visible_alias = "rm")]
    Delete {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// Where they are.
        #[command(flatten)]
        within: Within,
    },
    /// Withdraw versions that no workspace uses
    Archive {
        /// The template
        name: String,
        /// Also those that were imported well
        #[arg(long)]
        all: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// Where it is.
        #[command(flatten)]
        within: Within,
    },
    /// The versions of a template
    #[command(subcommand, visible_alias = "version")]
    Versions(Versions),
    /// The presets of a template
    #[command(subcommand, visible_alias = "preset")]
    Presets(Presets),
}

/// `templates init`
#[derive(Debug, Args)]
pub struct Init {
    /// Which starter; they are listed when absent
    #[arg(long, value_name = "STARTER")]
    pub id: Option<String>,
    /// Where to; a new directory of the starter's name when absent
    pub directory: Option<PathBuf>,
}

/// `templates push`
#[derive(Debug, Args)]
pub struct Push {
    /// The template's name; the directory's when absent
    pub name: Option<String>,
    /// The directory with the template
    #[arg(long, short, default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// A Terraform variable of the template; may be repeated
    #[arg(long = "variable", alias = "var", value_name = "NAME=VALUE")]
    pub variables: Vec<String>,
    /// A file of such variables, one NAME=VALUE a line
    #[arg(long, value_name = "FILE")]
    pub variables_file: Option<PathBuf>,
    /// The version's name; made up when absent
    #[arg(long, alias = "name", default_value = "", value_name = "NAME")]
    pub version_name: String,
    /// What changed
    #[arg(long, short, default_value = "", value_name = "TEXT")]
    pub message: String,
    /// Make it the active version
    #[arg(long, default_value_t = true, num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub activate: bool,
    /// A new template is for those alone whom its permissions name, and not for everyone
    #[arg(long)]
    pub private: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Has no effect: a lock file is pushed when there is one
    #[arg(long, hide = true)]
    pub ignore_lockfile: bool,
    /// Has no effect: the server runs Terraform itself
    #[arg(long, hide = true, value_name = "TAG")]
    pub provisioner_tag: Vec<String>,
    /// Has no effect: what is missing is asked for
    #[arg(long, hide = true)]
    pub always_prompt: bool,
    /// Where it is.
    #[command(flatten)]
    pub within: Within,
}

/// `templates pull`
#[derive(Debug, Args)]
pub struct Pull {
    /// The template
    pub name: String,
    /// Where to; a new directory of the template's name when absent
    pub directory: Option<PathBuf>,
    /// Which version; the active one when absent
    #[arg(long, value_name = "NAME")]
    pub version: Option<String>,
    /// Write the archive to standard output
    #[arg(long)]
    pub tar: bool,
    /// Write over files that are there, without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Where it is.
    #[command(flatten)]
    pub within: Within,
}

/// `templates edit`
#[derive(Debug, Args)]
pub struct Edit {
    /// The template
    pub template: String,
    /// A new name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The name shown
    #[arg(long, value_name = "NAME")]
    pub display_name: Option<String>,
    /// What it is for, a sentence
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// URL or path of an icon
    #[arg(long, value_name = "ICON")]
    pub icon: Option<String>,
    /// How long workspaces run before they stop by themselves, such as 8h; 0 for no end
    #[arg(long, value_name = "DURATION")]
    pub default_ttl: Option<String>,
    /// Why it should not be used any more; empty for a current one
    #[arg(long, visible_alias = "deprecated", value_name = "TEXT")]
    pub deprecation: Option<String>,
    /// For those alone whom its permissions name, and not for everyone
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub private: Option<bool>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Where it is.
    #[command(flatten)]
    pub within: Within,
}

/// `templates versions`
#[derive(Debug, Subcommand)]
pub enum Versions {
    /// List them
    #[command(visible_alias = "ls")]
    List {
        /// The template
        template: String,
        /// Archived ones too
        #[arg(long)]
        include_archived: bool,
        /// Where it is.
        #[command(flatten)]
        within: Within,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Make a version the active one
    Promote {
        /// The template
        #[arg(long, short, value_name = "NAME")]
        template: String,
        /// The version
        #[arg(long, short = 'n', visible_alias = "version", value_name = "NAME")]
        template_version: String,
        /// Where it is.
        #[command(flatten)]
        within: Within,
    },
    /// Withdraw versions
    Archive {
        /// The template
        template: String,
        /// The versions
        #[arg(required = true)]
        versions: Vec<String>,
        /// Taken for the sake of scripts.
        #[command(flatten)]
        accepted: Yes,
        /// Where it is.
        #[command(flatten)]
        within: Within,
    },
    /// Offer withdrawn versions again
    Unarchive {
        /// The template
        template: String,
        /// The versions
        #[arg(required = true)]
        versions: Vec<String>,
        /// Taken for the sake of scripts.
        #[command(flatten)]
        accepted: Yes,
        /// Where it is.
        #[command(flatten)]
        within: Within,
    },
}

/// `templates presets`
#[derive(Debug, Subcommand)]
pub enum Presets {
    /// List them
    #[command(visible_alias = "ls")]
    List {
        /// The template
        template: String,
        /// Which version; the active one when absent
        #[arg(long, visible_alias = "template-version", value_name = "NAME")]
        version: Option<String>,
        /// Where it is.
        #[command(flatten)]
        within: Within,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
}
