//! A provider as the operator has set it up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use url::Url;
use zeroize::Zeroizing;

use crate::model::identity::Rules;

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
    /// Hosts besides the issuer's that may be private, or spoken to without TLS.
    pub trusted_hosts: BTreeSet<String>,
}

impl Settings {
    /// What stands on its button.
    #[must_use]
    pub fn label(&self) -> String {
        if self.sign_in_text.is_empty() {
            format!("Continue with {}", self.name)
        } else {
            self.sign_in_text.clone()
        }
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
