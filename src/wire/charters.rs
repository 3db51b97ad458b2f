//! Charters as the API has them.

use serde::{Deserialize, Serialize};

use super::coder::Time;

/// `GET` and `PUT /workspaces/{workspace}/charter` and `/organizations/{organization}/charter`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Charter {
    /// The text, as TOML; empty for none. To be set.
    pub text: String,
    /// Who wrote it.
    pub set_by: String,
    /// When.
    pub set_at: Option<Time>,
    /// For a workspace: the text of its organization's, which holds as well.
    pub above: String,
}
