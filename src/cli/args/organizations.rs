//! Arguments of the commands about groups and organizations.

use clap::{Args, Subcommand};

use super::Listing;
use super::accepted::Yes;

/// The organization of the start, by the name that stands for it in paths.
pub const START: &str = "default";

/// Where groups, members, roles and templates are.
#[derive(Clone, Debug, Default, Args)]
pub struct Within {
    /// The organization, by name or id; the one of the start when absent
    #[arg(
        long = "org",
        alias = "organization",
        short = 'O',
        env = "STEADING_ORGANIZATION",
        value_name = "NAME"
    )]
    organization: Option<String>,
}

impl Within {
    /// The organization's name or id.
    #[must_use]
    pub fn organization(&self) -> &str {
        self.named().unwrap_or(START)
    }

    /// What was given, if anything: lists are of all organizations when nothing was.
    #[must_use]
    pub fn named(&self) -> Option<&str> {
        self.organization.as_deref().filter(|name| !name.is_empty())
    }
}

/// `groups`
#[derive(Debug, Subcommand)]
pub enum Groups {
    /// Create a group
    Create {
        /// Its name
        name: String,
        /// What it is.
        #[command(flatten)]
        shown: Shown,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
    /// List groups
    #[command(visible_alias = "ls")]
    List {
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
    /// Change a group and who is in it
    Edit(EditGroup),
    /// Delete a group; what it gave its members ends
    #[command(visible_alias = "rm")]
    Delete {
        /// Its name
        name: String,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
}

/// What is shown of a group, and what it gives.
#[derive(Debug, Args)]
pub struct Shown {
    /// The name shown
    #[arg(long, value_name = "NAME")]
    pub display_name: Option<String>,
    /// URL or path of a picture
    #[arg(long, short = 'u', value_name = "URL")]
    pub avatar_url: Option<String>,
    /// Credits a day that it adds to each member's budget
    #[arg(long, value_name = "CREDITS")]
    pub quota_allowance: Option<i64>,
}

/// `groups edit`
#[derive(Debug, Args)]
pub struct EditGroup {
    /// The group; of Everyone the allowance can be changed
    pub group: String,
    /// A new name
    #[arg(long, short, value_name = "NAME")]
    pub name: Option<String>,
    /// What it is.
    #[command(flatten)]
    pub shown: Shown,
    /// Someone to put in, by name or id; may be repeated
    #[arg(long, short, value_delimiter = ',', value_name = "USER")]
    pub add_users: Vec<String>,
    /// Someone to take out, by name or id; may be repeated
    #[arg(long = "rm-users", short, value_delimiter = ',', value_name = "USER")]
    pub remove_users: Vec<String>,
    /// Where.
    #[command(flatten)]
    pub within: Within,
}

/// `organizations`
#[derive(Debug, Subcommand)]
pub enum Organizations {
    /// List the organizations that you may see
    #[command(visible_alias = "ls")]
    List(Listing),
    /// Show an organization
    Show {
        /// Its name or id; the one of the start when absent
        organization: Option<String>,
        /// Print its id alone
        #[arg(long)]
        only_id: bool,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Create an organization
    Create {
        /// Its name
        name: String,
        /// The name shown
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Delete an organization in which nothing is
    #[command(visible_alias = "rm")]
    Delete {
        /// Its name or id
        organization: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Who belongs to an organization
    #[command(subcommand, visible_alias = "member")]
    Members(Members),
    /// The roles there are in an organization
    #[command(subcommand, visible_alias = "role")]
    Roles(Roles),
    /// Whose workspaces may be shared, who is told of requests, how providers are followed
    #[command(subcommand)]
    Settings(Settings),
}

/// `organizations settings`
#[derive(Debug, Subcommand)]
pub enum Settings {
    /// Print a setting as JSON
    Show(SettingAt),
    /// Read a setting from standard input, as JSON of the form that `show` prints
    Set(SettingAt),
    /// Leave a setting to the server's file again
    Unset(SettingAt),
}

/// Which setting.
#[derive(Debug, Args)]
pub struct SettingAt {
    /// Which; organization-sync is of the whole deployment
    #[arg(value_enum)]
    pub setting: Setting,
    /// Where.
    #[command(flatten)]
    pub within: Within,
    /// The name of the provider's settings; the first when absent
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
}

/// What is set for an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Setting {
    /// Groups of an organization.
    #[value(alias = "groupsync")]
    GroupSync,
    /// Roles in an organization.
    #[value(alias = "rolesync")]
    RoleSync,
    /// The program that is told of requests for access, and answers them for people.
    RequestHook,
    /// Whose workspaces may be shared.
    #[value(alias = "workspacesharing")]
    WorkspaceSharing,
    /// Who belongs to which organization.
    #[value(aliases = ["organizationsync", "org-sync", "orgsync"])]
    OrganizationSync,
}

/// `organizations members`
#[derive(Debug, Subcommand)]
pub enum Members {
    /// List them
    #[command(visible_alias = "ls")]
    List {
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
    /// Make someone a member
    Add {
        /// Name or id
        user: String,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
    /// End a membership; groups and roles there end with it
    #[command(visible_alias = "rm")]
    Remove {
        /// Name or id
        user: String,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
    /// Set a member's roles, all of them; none to leave a plain member
    #[command(visible_alias = "edit-role")]
    EditRoles {
        /// Name or id
        user: String,
        /// The roles
        roles: Vec<String>,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
}

/// `organizations roles`
#[derive(Debug, Subcommand)]
pub enum Roles {
    /// Show all roles, or some
    #[command(visible_aliases = ["list", "ls"])]
    Show {
        /// Their names; all when absent
        roles: Vec<String>,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
    /// Create a role
    Create(PutRole),
    /// Change a role to what is given
    #[command(visible_alias = "update")]
    Edit(PutRole),
    /// Delete a role, and take it from whoever holds it
    #[command(visible_alias = "rm")]
    Delete {
        /// Its name
        role: String,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
}

/// `organizations roles create` and `edit`
#[derive(Debug, Args)]
pub struct PutRole {
    /// Its name; that of the JSON when absent
    #[arg(required_unless_present = "stdin")]
    pub role: Option<String>,
    /// The name shown
    #[arg(long, value_name = "NAME")]
    pub display_name: Option<String>,
    /// What it holds, such as workspace:start or template:*; may be repeated
    #[arg(long, short, value_delimiter = ',', value_name = "TYPE:ACTION")]
    pub permission: Vec<String>,
    /// Read the role from standard input, as JSON of the form `roles show -o json` gives
    #[arg(long, conflicts_with_all = ["permission", "display_name"])]
    pub stdin: bool,
    /// Print the role as JSON, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Taken for the sake of scripts.
    #[command(flatten)]
    pub accepted: Yes,
    /// Where.
    #[command(flatten)]
    pub within: Within,
}
