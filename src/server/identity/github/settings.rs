//! GitHub, or one's own GitHub Enterprise, as the operator has set it up.

use std::sync::Arc;

use url::Url;
use zeroize::Zeroizing;

use crate::model::identity::Rules;
use crate::server::identity::listing::{Pair, SET, truth};

/// GitHub, or one's own GitHub Enterprise, as the operator has set it up.
#[derive(Clone)]
pub struct Settings {
    /// Where people sign in: `https://github.com`, or the address of one's own.
    pub base: Url,
    /// Where its API is.
    pub api: Url,
    /// How it knows us.
    pub client_id: String,
    /// What proves it.
    pub client_secret: Zeroizing<String>,
    /// Who may come in: organizations as `org` and teams as `org/team`, both in small letters.
    pub rules: Arc<Rules>,
    /// People enter a code there, instead of being led there and back.
    pub device_flow: bool,
}

impl Settings {
    /// Whose numbers a person's is: GitHub's, or those of one's own.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }

    /// Each setting as it may be shown. Who may come in is said as one list of organizations and teams.
    #[must_use]
    pub fn pairs(&self) -> Vec<Pair> {
        let rules = &self.rules;
        let allowed = rules.allowed.as_ref().map(|a| a.names.join(", ")).unwrap_or_default();
        let is_team = allowed.contains('/');
        let (organizations, teams) =
            if is_team { (String::new(), allowed) } else { (allowed, String::new()) };
        vec![
            ("enterprise_base_url", self.base.to_string()),
            ("client_id", self.client_id.clone()),
            ("client_secret", SET.to_owned()),
            ("allowed_orgs", organizations),
            ("allowed_teams", teams),
            ("allow_everyone", truth(rules.allowed.is_none())),
            ("allow_signups", truth(rules.allow_signups)),
            ("link_by_email", rules.link_by_email.to_string()),
            ("device_flow", truth(self.device_flow)),
        ]
    }
}

/// Its secret is not for logs.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}
