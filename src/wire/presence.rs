//! Who is where now, as the API has it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::coder::Time;
use super::coder::users::MinimalUser;

/// `GET /presence` and `GET /workspaces/{workspace}/presence`: the sessions that last, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Present {
    /// The first of them.
    pub sessions: Vec<Presence>,
    /// How many more there are.
    pub more: u64,
}

/// A session that lasts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Presence {
    /// The session.
    pub id: Uuid,
    /// Who.
    pub user: MinimalUser,
    /// Where.
    pub workspace_id: Uuid,
    /// That workspace's name.
    pub workspace: String,
    /// In which of its agents.
    pub agent: String,
    /// Through what: `ssh`, `terminal`, `vscode` and the like.
    pub through: String,
    /// The client's address.
    pub address: String,
    /// What the client calls itself; may be empty.
    pub client: String,
    /// Since when.
    pub since: Time,
    /// The terminal that they are at, where others can come to it.
    pub terminal: Option<Uuid>,
    /// `watching`, `typing` or `idle`; empty where nobody knows.
    pub doing: String,
    /// Seconds since something came from them, where they are idle.
    pub idle_s: i64,
}
