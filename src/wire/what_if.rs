//! Looking ahead as the API has it.

use serde::{Deserialize, Serialize};

/// `POST /access/what-if`: one change that is not made.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WhatIf {
    /// A group, by name or id: who would be put in and taken out.
    pub group: String,
    /// Who would be put in, by name or id.
    pub add_users: Vec<String>,
    /// Who would be taken out.
    pub remove_users: Vec<String>,
    /// Someone, by name or id, who would have these roles.
    pub user: String,
    /// The roles that they would have.
    pub roles: Vec<String>,
    /// The organization of the group or of the roles; for roles, empty for those on the site.
    pub organization: String,
}

/// What it would give and take.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Outlook {
    /// On which workspaces, the first of them.
    pub changes: Vec<Shift>,
    /// On how many more.
    pub more: usize,
    /// On how many that whoever asks may not know.
    pub hidden: usize,
}

/// What becomes of someone's rights on one workspace.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Shift {
    /// Who.
    pub user: String,
    /// Owner and name of the workspace.
    pub workspace: String,
    /// What they may then, and may not now.
    pub gained: Vec<String>,
    /// What they may now, and may not then.
    pub lost: Vec<String>,
}
