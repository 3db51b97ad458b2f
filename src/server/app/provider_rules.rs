//! The rules of each provider that people sign in at, as they are now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{App, Error, Result};
use crate::model::identity::{DIRECTORY, GITHUB, Rules};
use crate::model::user::LoginType;

/// Rules by the name of their provider.
pub(super) type AllRules = BTreeMap<String, Arc<Rules>>;

/// The rules of each provider, as they are now.
#[derive(Default)]
pub(super) struct ProviderRules(Mutex<Arc<AllRules>>);

/// How people sign in at the provider of this name.
#[must_use]
pub(super) fn login_type_of(provider: &str) -> LoginType {
    match provider {
        DIRECTORY => LoginType::Ldap,
        GITHUB => LoginType::Github,
        _ => LoginType::Oidc,
    }
}

impl App {
    /// From now on these are a provider's rules; none when people do not sign in there any more.
    pub fn set_rules(&self, provider: &str, rules: Option<Arc<Rules>>) {
        let mut all = self.provider_rules.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Arc::make_mut(&mut all);
        match rules {
            Some(rules) => now.insert(provider.to_owned(), rules),
            None => now.remove(provider),
        };
        // What a provider said may mean something else now.
        self.asked_again.forget();
    }

    /// The rules of all providers.
    pub(super) fn rules(&self) -> Arc<AllRules> {
        self.provider_rules.all()
    }
}

impl ProviderRules {
    fn all(&self) -> Arc<AllRules> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The rules of all providers, for whom `provider` lets in by these: asked in the transaction that
    /// does so, since a provider may be changed or removed while someone is on the way back from it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when people do not sign in there any more, or not by these rules.
    pub(super) fn for_arrival(&self, provider: &str, by: &Arc<Rules>) -> Result<Arc<AllRules>> {
        let all = self.all();
        match all.get(provider) {
            Some(rules) if Arc::ptr_eq(rules, by) => Ok(all),
            Some(_) => Err(Error::conflict("this way to sign in was changed; try again")),
            None => Err(Error::conflict("this way to sign in was removed")),
        }
    }
}
