//! Requests for access, and letting oneself in, as the API has them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::coder::Time;
use super::coder::users::MinimalUser;

/// `POST /requests`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateRequest {
    /// The workspace: `OWNER/NAME`, or its id for who may see it.
    pub workspace: String,
    /// Verbs and names of sets, as those of a grant; empty for `use`.
    pub verbs: Vec<String>,
    /// Why. It has to be given.
    pub reason: String,
    /// Not before, as in RFC 3339; empty for at once.
    pub from: String,
    /// For how long, as `2h` or `3d`; empty for four hours.
    #[serde(rename = "for")]
    pub lasts: String,
    /// How long it waits for an answer, as `30m`; empty for an hour.
    pub wait: String,
}

/// A request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// Its id.
    pub id: Uuid,
    /// Who asks.
    pub requester: MinimalUser,
    /// For which workspace: as it is called, or as it was written by who may not know of it.
    pub workspace: String,
    /// The workspace's id; null for who may not know of it.
    pub workspace_id: Option<Uuid>,
    /// What they want to do.
    pub verbs: Vec<String>,
    /// The name of exactly these verbs; empty when they have none.
    pub preset: String,
    /// Why.
    pub reason: String,
    /// Not before; null for at once.
    pub from: Option<Time>,
    /// For how many seconds.
    pub for_seconds: u64,
    /// `pending`, `approved`, `denied`, `cancelled` or `expired`.
    pub state: String,
    /// When it was asked.
    pub created_at: Time,
    /// Until when it can be answered.
    pub expires_at: Time,
    /// When it was decided; null while it waits.
    pub decided_at: Option<Time>,
    /// How many have to say yes; null for who may not know of the workspace.
    pub approvals_needed: Option<u8>,
    /// What was said of it; empty for who may not know of the workspace.
    pub answers: Vec<RequestAnswer>,
    /// What was granted: until when; null when nothing is.
    pub until: Option<Time>,
    /// The grant; null when there is none.
    pub grant_id: Option<Uuid>,
    /// Whether whoever asks the API may answer it now.
    pub may_decide: bool,
}

/// What someone said of a request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestAnswer {
    /// Who.
    pub by: MinimalUser,
    /// `approve` or `deny`.
    pub verdict: String,
    /// What they wrote with it; may be empty.
    pub note: String,
    /// For how many seconds they let them in.
    pub for_seconds: u64,
    /// When.
    pub at: Time,
}

/// `POST /requests/{request}/approve` and `/deny`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnswerRequest {
    /// What is written with it; may be empty.
    pub note: String,
    /// For how long at most, as `1h`; empty for as long as was asked.
    #[serde(rename = "for")]
    pub lasts: String,
}

/// `POST /requests/{request}/link`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestLink {
    /// The link, only in the answer that made it.
    pub url: String,
}

/// Who answers requests besides those who may share:
/// `/workspaces/{workspace}/request-rules` and
/// `/organizations/{organization}/settings/request-rules`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestRules {
    /// How many have to say yes; 1 when it is 0.
    pub approvals: u8,
    /// The group whose members may, by name; empty for none.
    pub group: String,
    /// The rotation whose on-call may, by name; empty for none.
    pub on_call: String,
    /// The rotation whose on-call is let in at once, by name; empty for none.
    pub auto_on_call: String,
    /// Who set it, by whose right those it names act; null where none is set.
    pub set_by: Option<MinimalUser>,
    /// When.
    pub set_at: Option<Time>,
    /// It is the one of the organization.
    pub of_organization: bool,
}

/// `/organizations/{organization}/settings/request-hook`: the program that is told of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestHook {
    /// Its address, only where it is set and in the answer to that: it may hold a secret.
    pub url: String,
    /// The host of its address; empty for none.
    pub host: String,
    /// What it and the server sign with, only in the answer that made it.
    pub secret: String,
}

/// `POST /break-glass`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BreakTheGlass {
    /// The workspace: `OWNER/NAME` or its id.
    pub workspace: String,
    /// Why. It has to be given.
    pub reason: String,
}

/// Someone let themselves into a workspace: one of `GET /break-glass`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BreakGlass {
    /// Its id.
    pub id: Uuid,
    /// Owner and name of the workspace.
    pub workspace: String,
    /// The workspace.
    pub workspace_id: Uuid,
    /// Who.
    pub user: MinimalUser,
    /// Why.
    pub reason: String,
    /// When.
    pub taken_at: Time,
    /// Until when.
    pub until: Time,
    /// The grant; null when it is long over.
    pub grant_id: Option<Uuid>,
    /// When someone looked into it; null until then.
    pub reviewed_at: Option<Time>,
    /// What they found; empty until then.
    pub note: String,
    /// Whether whoever asks the API may say that they looked into it.
    pub may_review: bool,
}

/// `POST /break-glass/{break_glass}/review`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReviewBreakGlass {
    /// What was found. It has to be given.
    pub note: String,
}
