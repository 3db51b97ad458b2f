//! Every way to sign in with its settings as they are in force, and where each was set.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::oidc::{CODER_PROVIDER, Stopped};
use super::{Providers, github, ldap, oidc, scim};
use crate::model::id::TokenId;
use crate::model::provider::{DEFAULT, Fact, Listed, ProviderKind};
use crate::model::time::Timestamp;

/// Settings that were told: the key, the value as it may be shown, and where it was told.
pub type Told = Arc<Vec<[String; 3]>>;

/// The key and the value of a setting.
pub type Pair = (&'static str, String);

impl Providers {
    /// What lets a browser with the session `joins` add a way in; and when that is over. Coder knows of
    /// one provider, `oidc`: that of its own settings, or else the first.
    ///
    /// # Errors
    /// When there is no such provider that leads people there and back.
    pub fn ticket(&self, name: &str, joins: TokenId) -> Result<(String, Timestamp), Stopped> {
        if name == github::PROVIDER {
            return self.github.ticket(joins);
        }
        let is_known = self.oidc.all().any(|settings| settings.name == name);
        let first = self.oidc.all().next().map(|settings| settings.name.as_str());
        let meant = if name == CODER_PROVIDER && !is_known { first } else { Some(name) };
        self.oidc.ticket(meant.unwrap_or_default(), joins)
    }

    /// Every way to sign in, and who keeps people here.
    #[must_use]
    pub fn listed(&self, scim: Option<&scim::Settings>) -> Vec<Listed> {
        let mut all = vec![self.password()];
        all.extend(self.oidc.all().map(|settings| self.oidc(settings)));
        all.extend(self.github.settings().map(|settings| self.github(settings)));
        all.extend(self.ldap.settings().map(|settings| self.ldap(settings)));
        all.extend(scim.map(|settings| self.scim(settings)));
        all
    }

    /// The names of the providers that there are.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut all: Vec<String> = self.oidc.all().map(|s| s.name.clone()).collect();
        all.extend(self.github.settings().map(|_| github::PROVIDER.to_owned()));
        all.extend(self.ldap.settings().map(|_| ldap::PROVIDER.to_owned()));
        all
    }

    fn password(&self) -> Listed {
        let policy = &self.app.policy;
        let who = if policy.password_auth { "everyone" } else { "owners only" };
        let leaked = if policy.breached.is_some() { "refused" } else { "not known" };
        let roles = policy.mfa_roles.to_string();
        Listed {
            kind: ProviderKind::Password,
            name: ProviderKind::Password.as_str().to_owned(),
            title: "Password".to_owned(),
            facts: self.facts(
                "",
                vec![
                    ("disable-password-auth", who.to_owned()),
                    ("breached-passwords-file", leaked.to_owned()),
                    ("mfa-required-roles", roles),
                ],
            ),
            addresses: vec![],
            people: None,
        }
    }

    fn oidc(&self, settings: &oidc::Settings) -> Listed {
        let (name, base) = (&settings.name, &self.app.policy.access_url);
        Listed {
            kind: ProviderKind::Oidc,
            name: name.clone(),
            title: name.clone(),
            facts: self.facts(&format!("oidc.{name}."), settings.pairs()),
            addresses: vec![
                ("Callback", self.oidc.callback(name)),
                ("Back-channel logout", format!("{base}/login/oidc/{name}/backchannel-logout")),
            ],
            people: None,
        }
    }

    fn github(&self, settings: &github::Settings) -> Listed {
        Listed {
            kind: ProviderKind::Github,
            name: github::PROVIDER.to_owned(),
            title: "GitHub".to_owned(),
            facts: self.facts("github.", settings.pairs()),
            addresses: vec![("Callback", self.github.callback())],
            people: None,
        }
    }

    fn ldap(&self, settings: &ldap::Settings) -> Listed {
        Listed {
            kind: ProviderKind::Ldap,
            name: ldap::PROVIDER.to_owned(),
            title: "LDAP directory".to_owned(),
            facts: self.facts("ldap.", settings.pairs()),
            addresses: vec![],
            people: None,
        }
    }

    fn scim(&self, settings: &scim::Settings) -> Listed {
        let pairs = vec![("token", SET.to_owned()), ("provider", settings.provider.clone())];
        Listed {
            kind: ProviderKind::Scim,
            name: ProviderKind::Scim.as_str().to_owned(),
            title: "SCIM".to_owned(),
            facts: self.facts("scim.", pairs),
            addresses: vec![("Address", format!("{}/scim/v2", self.app.policy.access_url))],
            people: None,
        }
    }

    /// Settings with where they were told, by a prefix of their keys. A secret may stand in a file of
    /// its own.
    fn facts(&self, prefix: &str, pairs: Vec<Pair>) -> Vec<Fact> {
        let from = |key: &str| {
            let key = format!("{prefix}{key}");
            let is = |told: &str| told == key || told.strip_suffix("_file") == Some(key.as_str());
            let found = self.told.iter().find(|[told, ..]| is(told));
            found.map_or_else(|| DEFAULT.to_owned(), |[_, _, from]| from.clone())
        };
        let fact = |(key, value): Pair| Fact { key: key.to_owned(), value, from: from(key) };
        pairs.into_iter().filter(|(_, value)| !value.is_empty()).map(fact).collect()
    }
}

/// The value of a secret.
pub(super) const SET: &str = "set";

/// Yes or no.
pub(super) fn truth(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

/// Pairs of a map as the settings' file has them.
pub(super) fn map<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    pairs.map(|(from, to)| format!("{from} = {to}")).collect::<Vec<_>>().join(", ")
}

/// The same of words that may lead to several things.
fn many(mapping: &BTreeMap<String, Vec<String>>) -> String {
    let pairs = mapping.iter().map(|(from, all)| format!("{from} = {}", all.join(" and ")));
    pairs.collect::<Vec<_>>().join(", ")
}

/// What [`Rules`] say of who may come in.
///
/// [`Rules`]: crate::model::identity::Rules
pub(super) fn of_rules(rules: &crate::model::identity::Rules) -> Vec<Pair> {
    let allowed = rules.allowed.as_ref().map(|a| a.names.join(", ")).unwrap_or_default();
    let mut all = vec![
        ("email_domain", rules.domains.join(", ")),
        ("allowed_groups", allowed),
        ("allow_signups", truth(rules.allow_signups)),
        ("link_by_email", rules.link_by_email.to_string()),
    ];
    if let Some(sync) = &rules.groups {
        all.extend([
            ("group_mapping", many(&sync.mapping)),
            (
                "group_regex_filter",
                sync.filter.as_ref().map(ToString::to_string).unwrap_or_default(),
            ),
            ("group_auto_create", truth(sync.auto_create)),
        ]);
    }
    all
}
