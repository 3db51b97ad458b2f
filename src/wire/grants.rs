//! Grants on a workspace as the API has them: what Coder's roles cannot say.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::coder::Time;
use super::coder::users::MinimalUser;

/// `POST /workspaces/{workspace}/grants`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateGrants {
    /// People and service accounts, by name or id.
    pub users: Vec<String>,
    /// Groups, by name or id; `Everyone` for every member.
    pub groups: Vec<String>,
    /// Rotations, by name: whoever is on call there.
    pub rotations: Vec<String>,
    /// Verbs and names of sets: `view`, `watch`, `connect`, `execute`, `operate`, `manage`, `share`,
    /// `delete`; `viewer`, `observer`, `runner`, `use`, `admin`. Empty for `use`.
    pub verbs: Vec<String>,
    /// Not before, as in RFC 3339; empty for now.
    pub from: String,
    /// Until when, as in RFC 3339, or for how long, as `8h` or `30d`; empty for no end.
    pub until: String,
    /// A weekly window: `mon-fri 09:00-17:00 Europe/Berlin`; empty for always.
    pub window: String,
    /// Networks from which it may be used, as `10.0.0.0/8`; none for anywhere.
    pub networks: Vec<String>,
    /// Only in a session with a second factor.
    pub require_mfa: bool,
    /// What is done under it is recorded.
    pub record: bool,
    /// Why.
    pub reason: String,
}

/// To whom a grant is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subject {
    /// `user`, `group`, `rotation` or `everyone`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id; the organization's for everyone.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// How many people that are.
    pub people: i64,
}

/// A grant.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Grant {
    /// Its id.
    pub id: Uuid,
    /// On what.
    pub workspace_id: Uuid,
    /// To whom.
    pub subject: Subject,
    /// What may be done.
    pub verbs: Vec<String>,
    /// The name of exactly these verbs; empty when they have none.
    pub preset: String,
    /// Not before.
    pub from: Time,
    /// Until when; null for no end.
    pub until: Option<Time>,
    /// A weekly window; empty for always.
    pub window: String,
    /// Networks from which it may be used; none for anywhere.
    pub networks: Vec<String>,
    /// Only in a session with a second factor.
    pub require_mfa: bool,
    /// What is done under it is recorded.
    pub record: bool,
    /// Why.
    pub reason: String,
    /// Who granted it; null for the program.
    pub granted_by: Option<MinimalUser>,
    /// When.
    pub granted_at: Time,
    /// By what way: `direct`, `code`, `request` or `break_glass`.
    pub via: String,
    /// Whether somebody has it now, hours and networks aside.
    pub holds: bool,
    /// Whether whoever asks may take it back.
    pub may_end: bool,
}

/// `GET /workspaces/{workspace}/grants/available`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Available {
    /// People and service accounts.
    pub users: Vec<MinimalUser>,
    /// Groups and rotations.
    pub groups: Vec<Subject>,
}

/// A grant that another mode of sharing would end: one of
/// `GET /organizations/{organization}/settings/workspace-sharing/ends`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ModeEnds {
    /// Owner and name of the workspace.
    pub workspace: String,
    /// The grant.
    pub grant: Grant,
}

/// A grant of a review: one of `GET /access-review`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReviewedGrant {
    /// Owner and name of the workspace.
    pub workspace: String,
    /// The grant.
    pub grant: Grant,
    /// When someone of those whom it is to was last there; null for never.
    pub last_used_at: Option<Time>,
    /// Nobody used it for 90 days.
    pub stale: bool,
    /// Whoever granted it may act no more.
    pub departed: bool,
    /// In what it goes beyond a charter.
    pub wider: Vec<String>,
}

/// `GET /access-review`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessReview {
    /// A page of grants.
    pub grants: Vec<ReviewedGrant>,
    /// How many there are.
    pub count: i64,
    /// How many of those nobody used for 90 days.
    pub stale: i64,
    /// How many have no end.
    pub without_end: i64,
    /// How many are by someone who may act no more.
    pub departed: i64,
    /// How many go beyond a charter.
    pub wider: i64,
    /// When access was last signed off.
    pub signed_off_at: Option<Time>,
    /// By whom.
    pub signed_off_by: String,
}

/// `POST /access-review/revoke`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RevokeGrants {
    /// Which.
    pub grants: Vec<Uuid>,
}

/// `POST /access-review/sign-off`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SignOff {
    /// What is to be kept with it.
    pub note: String,
}

/// Why someone reaches a workspace: one of `GET /workspaces/{workspace}/access/{user}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessReason {
    /// `owner`, `responsible`, `role`, `grant` or `group`.
    pub reason: String,
    /// What it lets them do.
    pub verbs: Vec<String>,
    /// In a sentence.
    pub said: String,
    /// The grant's id; null for what is none.
    pub grant_id: Option<Uuid>,
    /// Not before; null for always.
    pub from: Option<Time>,
    /// Until when; null for no end.
    pub until: Option<Time>,
    /// A weekly window; empty for always.
    pub window: String,
    /// Networks from which it may be used; none for anywhere.
    pub networks: Vec<String>,
    /// Only in a session with a second factor.
    pub require_mfa: bool,
    /// Why it does not let them in now; empty while it does.
    pub closed: String,
}
