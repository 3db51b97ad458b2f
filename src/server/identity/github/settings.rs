//! GitHub, or one's own GitHub Enterprise, as the operator has set it up.

use std::sync::Arc;

use url::Url;
use zeroize::Zeroizing;

use crate::model::identity::Rules;

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

/// Its secret is not for logs.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}
