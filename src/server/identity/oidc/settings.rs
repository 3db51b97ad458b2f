//! A provider as the operator has set it up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use url::Url;
use zeroize::Zeroizing;

use crate::model::identity::Rules;
use crate::server::identity::listing::{Pair, SET, map, of_rules, truth};

/// A provider as the operator has set it up.
#[derive(Clone)]
pub struct Settings {
    /// Its name here: `[oidc.NAME]`.
    pub name: String,
    /// The issuer.
    pub issuer: Url,
    /// How the provider knows us.
    pub client_id: String,
    /// What proves it; none for a public client.
    pub client_secret: Option<Zeroizing<String>>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Who may come in, and as whom.
    pub rules: Arc<Rules>,
    /// What stands on its button; empty for its name.
    pub sign_in_text: String,
    /// A picture of it, for clients that show one.
    pub icon_url: String,
    /// What is added to the address that people are sent to.
    pub auth_url_params: BTreeMap<String, String>,
    /// The ID token says everything.
    pub ignore_user_info: bool,
    /// Whether a second factor that its ID tokens name counts here.
    pub trust_amr: bool,
    /// How strongly people are to be signed in there, the best first; one of these must be met. Empty
    /// for what the provider does by itself.
    pub acr_values: Vec<String>,
    /// Hosts besides the issuer's that may be private, or spoken to without TLS.
    pub trusted_hosts: BTreeSet<String>,
}

impl Settings {
    /// By what its people are known. A slash at the end may be there or not, as in its own document.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.issuer.as_str().trim_end_matches('/').to_owned()
    }

    /// What stands on its button.
    #[must_use]
    pub fn label(&self) -> String {
        if self.sign_in_text.is_empty() {
            format!("Continue with {}", self.name)
        } else {
            self.sign_in_text.clone()
        }
    }

    /// Each setting as it may be shown.
    #[must_use]
    pub fn pairs(&self) -> Vec<Pair> {
        let (rules, fields) = (&self.rules, &self.rules.fields);
        let secret = if self.client_secret.is_some() { SET } else { "none: a public client" };
        let hosts: Vec<&str> = self.trusted_hosts.iter().map(String::as_str).collect();
        let groups = rules.groups.as_ref().map(|sync| sync.field.clone()).unwrap_or_default();
        let mut all = vec![
            ("issuer", self.issuer.to_string()),
            ("client_id", self.client_id.clone()),
            ("client_secret", secret.to_owned()),
            ("scopes", self.scopes.join(", ")),
            ("email_field", fields.email.clone()),
            ("username_field", fields.username.clone()),
            ("name_field", fields.name.clone()),
            ("groups_field", groups),
        ];
        all.extend(of_rules(rules));
        all.extend([
            ("ignore_email_verified", truth(rules.ignore_email_verified)),
            ("ignore_user_info", truth(self.ignore_user_info)),
            ("trust_amr", truth(self.trust_amr)),
            ("acr_values", self.acr_values.join(", ")),
            ("sign_in_text", self.sign_in_text.clone()),
            ("icon_url", self.icon_url.clone()),
            ("auth_url_params", map(self.auth_url_params.iter())),
            ("trusted_hosts", hosts.join(", ")),
        ]);
        all
    }
}

/// Its secret is not for logs.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("name", &self.name)
            .field("issuer", &self.issuer.as_str())
            .finish_non_exhaustive()
    }
}
