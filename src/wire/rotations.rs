//! Rotations as the API has them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::coder::Time;
use super::coder::users::MinimalUser;

/// A rotation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rotation {
    /// Its id.
    pub id: Uuid,
    /// Where it belongs.
    pub organization_id: Uuid,
    /// Its name, unique in the organization.
    pub name: String,
    /// Whose clocks its times of day are on, such as `Europe/Berlin`.
    pub zone: String,
    /// Its layers: a later one wins over the earlier ones.
    pub layers: Vec<Layer>,
    /// Its overrides that are not over.
    pub overrides: Vec<Override>,
    /// Who is on call now.
    pub on_call: Option<MinimalUser>,
    /// Until when.
    pub on_call_until: Option<Time>,
    /// Who comes next.
    pub next: Option<Shift>,
    /// Whether a program may say who is on call.
    pub has_webhook: bool,
    /// When it was made.
    pub created_at: Time,
}

/// People who take turns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Layer {
    /// Who, in their order.
    pub members: Vec<MinimalUser>,
    /// When one hands over to the next: `mon 09:00` or `09:00`.
    pub handoff: String,
    /// How long a turn is: `12h`, `1d`, `2w`.
    pub length: String,
    /// From when on it holds.
    pub starts_at: Time,
    /// The hours of the week it holds in; none for all.
    pub restrictions: Vec<String>,
}

/// Someone who is on call instead of whoever's turn it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Override {
    /// Its id.
    pub id: Uuid,
    /// Who.
    pub user: MinimalUser,
    /// From when on.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// Who made it; none for the webhook.
    pub made_by: Option<MinimalUser>,
    /// Why; may be empty.
    pub reason: String,
}

/// Someone's time on call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shift {
    /// Who.
    pub user: MinimalUser,
    /// From when on.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// Whether an override says so.
    #[serde(rename = "override")]
    pub is_override: bool,
}

/// `POST /organizations/{organization}/rotations` and `PATCH /rotations/{rotation}`; what is absent
/// stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PutRotation {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whose clocks its times of day are on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Its layers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<PutLayer>>,
}

/// A layer as it is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PutLayer {
    /// Who, by name or id, in their order.
    pub members: Vec<String>,
    /// When one hands over to the next.
    pub handoff: String,
    /// How long a turn is.
    pub length: String,
    /// From when on it holds; now when absent, or as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Time>,
    /// The hours of the week it holds in.
    pub restrictions: Vec<String>,
}

/// `POST /rotations/{rotation}/overrides`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PutOverride {
    /// Who, by name or id.
    pub user: String,
    /// From when on; now when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// Until when.
    pub until: Time,
    /// Why.
    pub reason: String,
}

/// `POST /rotations/{rotation}/webhook-secret`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebhookSecret {
    /// What programs sign with; a new one is made when it is empty.
    pub secret: String,
    /// Where they send to.
    pub url: String,
}

/// `POST /rotations/{rotation}/feed`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Feed {
    /// The link, only in the answer that made it.
    pub url: String,
}
