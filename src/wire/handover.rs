//! Handing a workspace over as the API has it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `POST /workspaces/{workspace}/handover`, and `/handover/preview`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Handover {
    /// Whose it becomes: a name or an id.
    pub to: String,
    /// Ends what was granted on it, and takes its codes back.
    pub end_grants: bool,
}

/// What it changes, or changed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HandedOver {
    /// The workspace's id.
    pub workspace_id: Uuid,
    /// Its name.
    pub name: String,
    /// Whose it was.
    pub from: String,
    /// Whose it is then.
    pub to: String,
    /// Who answers for the service account it goes to; empty for a person.
    pub responsible: String,
    /// What its former owner may still do.
    pub stays: Vec<String>,
    /// How many grants on it stand then.
    pub grants_kept: usize,
    /// How many end.
    pub grants_ended: usize,
    /// How many codes give nothing any more: its former owner's, or all, when its grants end.
    pub codes_lost: usize,
    /// Whether it runs, and restarts.
    pub restarts: bool,
}
