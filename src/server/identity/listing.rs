//! Every way to sign in with its settings as they are in force, and where each was set.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::oidc::{CODER_PROVIDER, Stopped};
use super::providers::Standing;
use super::{InForce, github, ldap, oidc, scim};
use crate::model::id::TokenId;
use crate::model::provider::{Changed, DEFAULT, Fact, Kept, Listed, ProviderKind};
use crate::model::time::Timestamp;

/// Settings that were told: the key, the value as it may be shown, and where it was told.
pub type Told = Arc<Vec<[String; 3]>>;

/// The key and the value of a setting.
pub type Pair = (&'static str, String);

/// Where a setting was told that was typed on the page.
pub const HERE: &str = "this page";

impl InForce {
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

    /// Every way to sign in, and who keeps people here; last what is stored and cannot be used.
    #[must_use]
    pub fn listed(&self) -> Vec<Listed> {
        let mut all = vec![self.password()];
        all.extend(self.oidc.all().map(|settings| self.oidc(settings)));
        all.extend(self.github.settings().map(|settings| self.github(settings)));
        all.extend(self.ldap.settings().map(|settings| self.ldap(settings)));
        all.extend(self.scim.as_ref().map(|settings| self.scim(settings)));
        for (stored, standing) in &self.stored {
            let changed = Changed { by: stored.by.clone(), at: stored.at };
            let found = all.iter_mut().find(|listed| listed.name == stored.name);
            match (found, standing) {
                (Some(listed), Standing::Behind) => listed.kept = Kept::Both,
                (Some(listed), Standing::InForce) => listed.kept = Kept::Here(changed),
                (_, Standing::Broken(why)) => {
                    let kept = Kept::Broken(changed, why.clone());
                    all.push(Listed { kept, ..listed(stored.kind, &stored.name) });
                }
                (None, Standing::Behind | Standing::InForce) => {}
            }
        }
        all
    }

    fn password(&self) -> Listed {
        let policy = &self.app.policy;
        let who = if policy.password_auth { "everyone" } else { "owners only" };
        let leaked = if policy.breached.is_some() { "refused" } else { "not known" };
        let roles = policy.mfa_roles.to_string();
        Listed {
            facts: self.facts(
                "",
                vec![
                    ("disable-password-auth", who.to_owned()),
                    ("breached-passwords-file", leaked.to_owned()),
                    ("mfa-required-roles", roles),
                ],
            ),
            ..listed(ProviderKind::Password, ProviderKind::Password.as_str())
        }
    }

    fn oidc(&self, settings: &oidc::Settings) -> Listed {
        let name = &settings.name;
        Listed {
            facts: self.facts(&format!("oidc.{name}."), settings.pairs()),
            addresses: self.addresses(ProviderKind::Oidc, name),
            ..listed(ProviderKind::Oidc, name)
        }
    }

    fn github(&self, settings: &github::Settings) -> Listed {
        Listed {
            facts: self.facts("github.", settings.pairs()),
            addresses: self.addresses(ProviderKind::Github, github::PROVIDER),
            ..listed(ProviderKind::Github, github::PROVIDER)
        }
    }

    fn ldap(&self, settings: &ldap::Settings) -> Listed {
        Listed {
            facts: self.facts("ldap.", settings.pairs()),
            ..listed(ProviderKind::Ldap, ldap::PROVIDER)
        }
    }

    fn scim(&self, settings: &scim::Settings) -> Listed {
        let pairs = vec![("token", SET.to_owned()), ("provider", settings.provider.clone())];
        let name = ProviderKind::Scim.as_str();
        Listed {
            facts: self.facts("scim.", pairs),
            addresses: self.addresses(ProviderKind::Scim, name),
            ..listed(ProviderKind::Scim, name)
        }
    }

    /// Addresses that are to be told at the provider `name`, and what they are.
    #[must_use]
    pub fn addresses(&self, kind: ProviderKind, name: &str) -> Vec<(&'static str, String)> {
        let base = &self.app.policy.access_url;
        match kind {
            ProviderKind::Oidc => vec![
                ("Callback", self.oidc.callback(name)),
                ("Back-channel logout", format!("{base}/login/oidc/{name}/backchannel-logout")),
            ],
            ProviderKind::Github => vec![("Callback", self.github.callback())],
            ProviderKind::Scim => vec![("Address", format!("{base}/scim/v2"))],
            ProviderKind::Password | ProviderKind::Ldap => vec![],
        }
    }

    /// Where a setting was told. A secret may stand in a file of its own.
    #[must_use]
    pub fn told_by(&self, key: &str) -> String {
        let is = |told: &str| told == key || told.strip_suffix("_file") == Some(key);
        let found = self.told.iter().find(|[told, ..]| is(told));
        found.map_or_else(|| DEFAULT.to_owned(), |[_, _, from]| from.clone())
    }

    /// Settings with where they were told, by a prefix of their keys.
    fn facts(&self, prefix: &str, pairs: Vec<Pair>) -> Vec<Fact> {
        let from = |key: &str| self.told_by(&format!("{prefix}{key}"));
        let fact = |(key, value): Pair| Fact { key: key.to_owned(), value, from: from(key) };
        pairs.into_iter().filter(|(_, value)| !value.is_empty()).map(fact).collect()
    }
}

/// What people know a way to sign in by.
fn title(kind: ProviderKind, name: &str) -> &str {
    match kind {
        ProviderKind::Password => "Password",
        ProviderKind::Oidc => name,
        ProviderKind::Github => "GitHub",
        ProviderKind::Ldap => "LDAP directory",
        ProviderKind::Scim => "SCIM",
    }
}

/// A way to sign in of which nothing is said.
fn listed(kind: ProviderKind, name: &str) -> Listed {
    Listed {
        kind,
        name: name.to_owned(),
        title: title(kind, name).to_owned(),
        facts: vec![],
        addresses: vec![],
        people: None,
        kept: Kept::Elsewhere,
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
