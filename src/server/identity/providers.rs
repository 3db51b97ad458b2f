//! Where people sign in besides here: what the file says and what is stored, in force together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use tokio::sync::Mutex as Turn;
use toml::Table;

use super::github::{self, Github};
use super::ldap::{self, Ldap};
use super::listing::{HERE, Told};
use super::oidc::{self, Oidc};
use super::scim;
use super::settings::{Read, read};
use super::trial::Trials;
use crate::model::identity::Rules;
use crate::model::provider::ProviderKind;
use crate::model::provider_field::secret;
use crate::net::dial::Dialer;
use crate::server::app::provider_changes::Stored;
use crate::server::app::{App, Result};

/// What the file and the environment say: it does not change while the server runs.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    /// Providers that speak `OpenID` Connect.
    pub oidc: Vec<oidc::Settings>,
    /// GitHub.
    pub github: Option<github::Settings>,
    /// The directory.
    pub ldap: Option<ldap::Settings>,
    /// The provider that keeps users and groups by SCIM.
    pub scim: Option<scim::Settings>,
    /// Settings that were told, and where.
    pub told: Vec<[String; 3]>,
}

impl Fixed {
    /// The names that it has settings for.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        let mut all: BTreeSet<String> = self.oidc.iter().map(|s| s.name.clone()).collect();
        all.extend(self.github.as_ref().map(|_| github::PROVIDER.to_owned()));
        all.extend(self.ldap.as_ref().map(|_| ldap::PROVIDER.to_owned()));
        all.extend(self.scim.as_ref().map(|_| ProviderKind::Scim.to_string()));
        all
    }
}

/// Where people sign in besides here, as it is now; clones share everything.
#[derive(Clone)]
pub struct Providers(Arc<Shared>);

struct Shared {
    fixed: Fixed,
    now: Mutex<Arc<InForce>>,
    /// Whoever changes what is stored, one after the other.
    turn: Turn<()>,
}

/// What is in force: it stays as it is for who has taken it.
pub struct InForce {
    /// The use cases.
    pub app: App,
    /// Providers that speak `OpenID` Connect.
    pub oidc: Oidc,
    /// GitHub.
    pub github: Github,
    /// The directory.
    pub ldap: Ldap,
    /// The provider that keeps users and groups by SCIM; none when it is off.
    pub scim: Option<scim::Settings>,
    /// Settings that were told, and where.
    pub(super) told: Told,
    /// When providers were tried out lately.
    pub(super) trials: Trials,
    /// What is stored, and whether it is in force.
    pub(super) stored: Vec<(Stored, Standing)>,
}

/// Whether what is stored is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    InForce,
    /// The file has settings of the same name.
    Behind,
    /// It cannot be used, and why.
    Broken(String),
}

impl Providers {
    /// What the file says, and what is stored. None is asked for anything before it is needed.
    ///
    /// # Errors
    /// When the database fails, or there is no certificate where the file names an authority.
    pub async fn start(app: App, fixed: Fixed, dialer: Dialer) -> anyhow::Result<Self> {
        let oidc = Oidc::new(app.clone(), fixed.oidc.clone(), dialer.clone()).await?;
        let github = Github::new(app.clone(), fixed.github.clone(), dialer).await?;
        let ldap = Ldap::new(app.clone(), fixed.ldap.clone()).context("Reading ca of [ldap]")?;
        let (scim, told) = (fixed.scim.clone(), Arc::new(fixed.told.clone()));
        let (trials, stored) = (Trials::default(), vec![]);
        let alone = InForce { app, oidc, github, ldap, scim, told, trials, stored };
        let stored = alone.app.stored_providers().await;
        let now = alone.with(&fixed, &stored.context("Reading the providers that are stored")?);
        now.app.meet_providers(now.issuers()).await.context("Noting who the providers are")?;
        now.tell_rules(&BTreeSet::new());
        let (now, turn) = (Mutex::new(Arc::new(now)), Turn::new(()));
        Ok(Self(Arc::new(Shared { fixed, now, turn })))
    }

    /// What is in force now.
    #[must_use]
    pub fn now(&self) -> Arc<InForce> {
        Arc::clone(&self.0.now.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The use cases.
    #[must_use]
    pub fn app(&self) -> App {
        self.now().app.clone()
    }

    /// What the file and the environment say.
    pub(super) fn fixed(&self) -> &Fixed {
        &self.0.fixed
    }

    /// Waits until nobody else changes what is stored.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.turn.lock().await
    }

    /// Puts in force what is stored now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reload(&self) -> Result<()> {
        let turn = self.turn().await;
        self.load(&turn).await
    }

    /// Puts in force what is stored now; whoever calls has the turn.
    pub(super) async fn load(&self, _: &tokio::sync::MutexGuard<'_, ()>) -> Result<()> {
        let before = self.now();
        let stored = before.app.stored_providers().await?;
        if before.stored.iter().map(|(stored, _)| stored).eq(&stored) {
            return Ok(());
        }
        let next = Arc::new(before.with(&self.0.fixed, &stored));
        next.app.meet_providers(next.issuers()).await?;
        let gone = &before.names() - &next.names();
        next.tell_rules(&gone);
        *self.0.now.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        for name in gone {
            // Whoever was on the way back from it is let in no more.
            next.app.end_provider(&name).await?;
        }
        Ok(())
    }
}

impl InForce {
    /// The names of the providers that people sign in at.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        self.rules().into_keys().collect()
    }

    /// Whether people sign in at any.
    pub(super) fn is_used(&self) -> bool {
        !self.rules().is_empty()
    }

    fn rules(&self) -> BTreeMap<String, Arc<Rules>> {
        let rules = |rules: &Arc<Rules>| Arc::clone(rules);
        let mut all: BTreeMap<_, _> =
            self.oidc.all().map(|s| (s.name.clone(), rules(&s.rules))).collect();
        all.extend(self.github.settings().map(|s| (github::PROVIDER.to_owned(), rules(&s.rules))));
        all.extend(self.ldap.settings().map(|s| (ldap::PROVIDER.to_owned(), rules(&s.rules))));
        all
    }

    /// By what the people of each provider are known, by its name.
    pub(super) fn issuers(&self) -> BTreeMap<String, String> {
        let oidc = self.oidc.all().map(|s| (s.name.clone(), s.issuer()));
        let github = self.github.settings().map(|s| (github::PROVIDER.to_owned(), s.issuer()));
        let ldap = self.ldap.settings().map(|s| (ldap::PROVIDER.to_owned(), s.issuer()));
        oidc.chain(github).chain(ldap).collect()
    }

    fn tell_rules(&self, gone: &BTreeSet<String>) {
        for name in gone {
            self.app.set_rules(name, None);
        }
        for (name, rules) in self.rules() {
            self.app.set_rules(&name, Some(rules));
        }
    }

    /// The names of providers that speak `OpenID` Connect, those that cannot be used among them.
    pub(super) fn oidc_names<'a>(fixed: &'a Fixed, stored: &'a [Stored]) -> Vec<&'a str> {
        let stored = stored.iter().filter(|stored| stored.kind == ProviderKind::Oidc);
        let fixed = fixed.oidc.iter().map(|settings| settings.name.as_str());
        let all: BTreeSet<&str> = fixed.chain(stored.map(|s| s.name.as_str())).collect();
        all.into_iter().collect()
    }

    /// The same with what is stored now. A provider whose settings did not change stays as it is,
    /// with what is known of it.
    fn with(&self, fixed: &Fixed, all: &[Stored]) -> Self {
        let names = fixed.names();
        let oidc_names = Self::oidc_names(fixed, all);
        let mut next = Next {
            kept: fixed.oidc.iter().map(|settings| settings.name.clone()).collect(),
            github: fixed.github.clone(),
            ldap: fixed.ldap.clone(),
            scim: fixed.scim.clone(),
            told: fixed.told.clone(),
            oidc: vec![],
        };
        let mut stored = vec![];
        for one in all {
            let is_same =
                self.stored.iter().any(|(was, how)| was == one && *how == Standing::InForce);
            let standing = if names.contains(&one.name) {
                Standing::Behind
            } else {
                let found = whole(one).and_then(|table| {
                    let found = read((one.kind, &one.name), table.clone(), &oidc_names);
                    found.map(|read| (table, read)).map_err(|wrong| wrong.to_string())
                });
                match found {
                    Ok((table, read)) => next.take(one, (&table, read), is_same),
                    Err(why) => {
                        tracing::error!(provider = one.name, why, "a provider cannot be used");
                        Standing::Broken(why)
                    }
                }
            };
            stored.push((one.clone(), standing));
        }
        let ldap = self.ldap.with(next.ldap).unwrap_or_else(|error| {
            tracing::error!(%error, "the directory's authority cannot be read");
            self.ldap.clone()
        });
        Self {
            app: self.app.clone(),
            oidc: self.oidc.with(&next.kept, next.oidc),
            github: self.github.with(next.github),
            ldap,
            scim: next.scim,
            told: Arc::new(next.told),
            trials: self.trials.clone(),
            stored,
        }
    }
}

/// What is put in force.
struct Next {
    kept: BTreeSet<String>,
    oidc: Vec<oidc::Settings>,
    github: Option<github::Settings>,
    ldap: Option<ldap::Settings>,
    scim: Option<scim::Settings>,
    told: Vec<[String; 3]>,
}

impl Next {
    fn take(&mut self, stored: &Stored, (table, read): (&Table, Read), is_same: bool) -> Standing {
        let prefix = match &read {
            Read::Oidc(_) => format!("oidc.{}", stored.name),
            Read::Github(_) | Read::Ldap(_) | Read::Scim(_) => stored.name.clone(),
        };
        let told = |key: &String| [format!("{prefix}.{key}"), String::new(), HERE.to_owned()];
        self.told.extend(table.keys().map(told));
        match read {
            Read::Oidc(_) if is_same => {
                self.kept.insert(stored.name.clone());
            }
            Read::Oidc(settings) => self.oidc.push(*settings),
            Read::Github(settings) => self.github = Some(*settings),
            Read::Ldap(settings) => self.ldap = Some(*settings),
            Read::Scim(settings) => self.scim = Some(settings),
        }
        Standing::InForce
    }
}

/// Settings with their secret among them.
fn whole(stored: &Stored) -> std::result::Result<Table, String> {
    let mut table = plain(stored)?;
    let given = stored.secret.as_ref().map_err(ToString::to_string)?;
    if let (Some(secret), Some(key)) = (given, secret(stored.kind)) {
        table.insert(key.to_owned(), secret.as_str().into());
    }
    Ok(table)
}

/// Settings as a table of the file has them, without their secret.
pub(super) fn plain(stored: &Stored) -> std::result::Result<Table, String> {
    serde_json::from_str(&stored.settings).map_err(|error| format!("it cannot be read: {error}"))
}
