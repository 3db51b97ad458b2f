//! Share codes as the API has them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::coder::Time;
use super::coder::users::MinimalUser;

/// `POST /workspaces/{workspace}/codes`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateCode {
    /// Verbs and names of sets, as in a grant; neither `share` nor `delete`. Empty for `use`.
    pub verbs: Vec<String>,
    /// How long each grant by it lasts, as `2h`; empty for eight hours.
    #[serde(rename = "for")]
    pub lasts: String,
    /// Until when it can be redeemed, as in RFC 3339, or for how long, as `1d`; empty for a day.
    pub until: String,
    /// How often it can be redeemed; 0 for once.
    pub uses: i64,
    /// What is done by it is recorded.
    pub record: bool,
    /// Why.
    pub reason: String,
}

/// A share code.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Code {
    /// Its id.
    pub id: Uuid,
    /// On what it gives a grant.
    pub workspace_id: Uuid,
    /// What it gives.
    pub verbs: Vec<String>,
    /// The name of exactly these verbs; empty when they have none.
    pub preset: String,
    /// Seconds that each grant by it lasts.
    pub for_seconds: u64,
    /// What is done by it is recorded.
    pub record: bool,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub made_by: MinimalUser,
    /// When.
    pub created_at: Time,
    /// Until when it can be redeemed.
    pub expires_at: Time,
    /// How often it can be redeemed.
    pub max_uses: i64,
    /// How often it was.
    pub uses: i64,
    /// When it last was.
    pub last_used_at: Option<Time>,
    /// When it was taken back.
    pub revoked_at: Option<Time>,
    /// `open`, `revoked`, `used_up` or `expired`.
    pub state: String,
    /// Whether its maker could still give what it gives: without that nobody redeems it.
    pub holds: bool,
    /// How many grants that came by it stand.
    pub grants: usize,
    /// Its text, only in the answer that made it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// Where it is redeemed, with its text behind `#`; only in the answer that made it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
}

impl std::fmt::Debug for Code {
    /// Without `code` and `url`: whoever reads either can redeem it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code")
            .field("id", &self.id)
            .field("workspace_id", &self.workspace_id)
            .field("verbs", &self.verbs)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// `DELETE /codes/{code}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RevokeCode {
    /// `true` to take back what came by it, too.
    pub grants: String,
}

/// `POST /codes/offer` and `POST /codes/redeem`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RedeemCode {
    /// The code's text.
    pub code: String,
}

impl std::fmt::Debug for RedeemCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedeemCode(…)")
    }
}

/// What a code gives, or gave.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeOffer {
    /// Owner and name of the workspace.
    pub workspace: String,
    /// Its id.
    pub workspace_id: Uuid,
    /// What may be done there.
    pub verbs: Vec<String>,
    /// The name of exactly these verbs; empty when they have none.
    pub preset: String,
    /// What is done there is recorded.
    pub record: bool,
    /// Why, in the maker's words.
    pub reason: String,
    /// Who made the code; empty where it is known already.
    pub made_by: String,
    /// Until when, as of now.
    pub until: Time,
    /// The grant; null while it is only offered.
    pub grant_id: Option<Uuid>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_redeems_is_in_no_debug_text() {
        let (code, url) =
            ("sc_kilnkiln".to_owned(), "https://example.org/redeem#sc_kiln".to_owned());
        let made = Code { code: code.clone(), url, state: "open".to_owned(), ..Code::default() };
        let text = format!("{made:?} {:?}", RedeemCode { code });
        assert!(text.contains("open") && !text.contains("sc_"), "{text}");
    }
}
