//! Ways to sign in that are set up on their page: what was typed is read, tried out, stored and in force.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use toml::Table;
use zeroize::Zeroizing;

use super::providers::{Fixed, Standing, plain};
use super::settings::{Read, Wrong, read, typed};
use super::{InForce, Providers};
use crate::model::provider::{Comers, ProviderKind, Steps};
use crate::model::provider_field::{may_put_out, places, secret};
use crate::server::app::provider_changes::{NewSecret, PutProvider, Reach, Stored};
use crate::server::app::{Actor, Error, Result};

/// What was typed.
pub struct Draft {
    /// What kind of way to sign in.
    pub kind: ProviderKind,
    /// Its name.
    pub name: String,
    /// Texts by the keys of settings.
    pub typed: BTreeMap<String, String>,
    /// The secret; none when none was typed.
    pub secret: Option<Zeroizing<String>>,
    /// Whether there is one of the name, which is changed.
    pub change: bool,
}

/// What was typed, read.
struct Ready {
    /// Without the secret.
    table: Table,
    secret: NewSecret,
    read: Read,
    reach: Reach,
}

impl Providers {
    /// What is stored of a name as a form has it; none when nothing is.
    #[must_use]
    pub fn stored(&self, name: &str) -> Option<(ProviderKind, BTreeMap<String, String>)> {
        let now = self.now();
        let stored = now.find(name)?;
        let table = plain(stored).unwrap_or_default();
        Some((stored.kind, typed::shown(stored.kind, &table)))
    }

    /// Runs with what was typed what of a sign-in needs no person.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what does not fit, [`Error::Denied`] for who may not,
    /// [`Error::Conflict`] after many of them.
    pub async fn try_draft(&self, actor: &Actor, draft: &Draft, username: &str) -> Result<Steps> {
        let now = self.now();
        now.app.require_trial(actor)?;
        let ready = now.read(self.fixed(), draft)?;
        now.try_draft(actor, (&draft.name, ready.read), username).await
    }

    /// Stores what was typed and puts it in force.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what does not fit, [`Error::Denied`] for who may not,
    /// [`Error::Unconfirmed`] before a second factor, [`Error::Conflict`] when no owner could sign in.
    pub async fn put(&self, actor: &Actor, draft: &Draft) -> Result<()> {
        let turn = self.turn().await;
        let now = self.now();
        now.app.require_provider_change(actor)?;
        if self.is_fixed(&draft.name) && draft.change {
            let why = "the settings' file has a way to sign in of this name, which is in force";
            return Err(Error::conflict(why));
        }
        let ready = now.read(self.fixed(), draft)?;
        if ready.reach == Reach::Another {
            now.require_no_scim(&draft.name)?;
        }
        let cmd = PutProvider {
            others: now.others(&draft.name),
            name: draft.name.clone(),
            kind: draft.kind,
            settings: json(&ready.table),
            secret: ready.secret,
            reach: ready.reach,
            change: draft.change,
        };
        now.app.put_provider(actor, cmd).await?;
        self.load(&turn).await
    }

    /// Removes what is stored; sessions that began with it end.
    ///
    /// # Errors
    /// [`Error::NotFound`] when nothing is stored, [`Error::Conflict`] when no owner could sign in any
    /// more, or SCIM sends people for it.
    pub async fn remove(&self, actor: &Actor, name: &str) -> Result<()> {
        let turn = self.turn().await;
        let now = self.now();
        let found = now.stored.iter().find(|(stored, _)| stored.name == name);
        let (_, standing) = found.ok_or(Error::NotFound("provider"))?;
        let is_behind = *standing == Standing::Behind;
        if !is_behind {
            now.require_no_scim(name)?;
        }
        let others = (!is_behind).then(|| now.others(name));
        now.app.remove_provider(actor, name, others).await?;
        self.load(&turn).await
    }

    /// Who comes by a way to sign in.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not see the settings.
    pub async fn comers(&self, actor: &Actor, name: &str) -> Result<Comers> {
        let now = self.now();
        now.app.comers(actor, name, now.others(name)).await
    }

    /// Whether the file has settings of a name.
    #[must_use]
    pub fn is_fixed(&self, name: &str) -> bool {
        self.fixed().names().contains(name)
    }
}

impl InForce {
    /// Whom SCIM sends are known by what this very provider calls them.
    fn require_no_scim(&self, name: &str) -> Result<()> {
        if self.scim.as_ref().is_some_and(|scim| scim.provider == name) {
            let why = "SCIM sends people who sign in by it; set up another one there first";
            return Err(Error::conflict(why));
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<&Stored> {
        self.stored.iter().map(|(stored, _)| stored).find(|stored| stored.name == name)
    }

    /// The names of the other providers that people sign in at.
    fn others(&self, name: &str) -> Vec<String> {
        self.names().into_iter().filter(|other| other != name).collect()
    }

    fn read(&self, fixed: &Fixed, draft: &Draft) -> Result<Ready> {
        let old = self.find(&draft.name).filter(|_| draft.change);
        if draft.change && old.is_none_or(|old| old.kind != draft.kind) {
            return Err(Error::NotFound("provider"));
        }
        if !draft.change && fixed.names().contains(&draft.name) {
            let why = "the settings' file has a way to sign in of this name";
            return Err(Error::invalid("name", why));
        }
        let mut table = typed::read(draft.kind, &draft.typed)?;
        let before = old.map(|old| plain(old).unwrap_or_default());
        let moved = before.as_ref().is_some_and(|before| {
            places(draft.kind).iter().any(|key| table.get(*key) != before.get(*key))
        });
        let secret = new_secret(draft, (&table, moved), old)?;
        let all: Vec<Stored> = self.stored.iter().map(|(stored, _)| stored.clone()).collect();
        let names = Self::oidc_names(fixed, &all);
        let told = match &secret {
            NewSecret::None => None,
            NewSecret::Kept => old.and_then(|old| old.secret.clone().ok()?),
            NewSecret::Given(secret) => Some(secret.clone()),
        };
        let read = read((draft.kind, &draft.name), with(&table, draft.kind, told), &names)?;
        // What is meant now stays meant when another provider is added.
        if let Read::Scim(scim) = &read {
            table.insert("provider".to_owned(), scim.provider.clone().into());
        }
        let reach = self.reach((&draft.name, moved), (before.as_ref(), &table), &read);
        Ok(Ready { table, secret, read, reach })
    }

    /// What becomes of who came in before.
    fn reach(
        &self,
        (name, moved): (&str, bool),
        (before, table): (Option<&Table>, &Table),
        read: &Read,
    ) -> Reach {
        let (Some(before), Some(issuer)) = (before, read.issuer()) else { return Reach::Same };
        match self.issuers().get(name) {
            Some(old) if *old != issuer => return Reach::Another,
            Some(_) => {}
            // What is not in force lets nobody in.
            None if moved => return Reach::Another,
            None => return Reach::Same,
        }
        let limits = ["allowed_groups", "allowed_orgs", "allowed_teams"];
        let by_groups =
            limits.iter().any(|key| before.contains_key(*key) || table.contains_key(*key));
        let mut keys = before.keys().chain(table.keys());
        let narrows =
            keys.any(|key| table.get(key) != before.get(key) && may_put_out(key, by_groups));
        if narrows { Reach::MayNarrow } else { Reach::Same }
    }
}

/// What becomes of the secret. One that is stored goes nowhere but where it went before.
fn new_secret(
    draft: &Draft,
    (table, moved): (&Table, bool),
    old: Option<&Stored>,
) -> Result<NewSecret> {
    let key = secret(draft.kind).unwrap_or_default();
    if draft.kind == ProviderKind::Ldap && !table.contains_key("bind_dn") {
        return Ok(NewSecret::None);
    }
    if let Some(given) = &draft.secret {
        return Ok(NewSecret::Given(given.clone()));
    }
    match old.map(|old| &old.secret) {
        Some(Ok(Some(_))) if moved => {
            let why = "type it again: it would be sent to another address";
            Err(Error::invalid(key, why))
        }
        Some(Ok(Some(_))) => Ok(NewSecret::Kept),
        Some(Err(other)) => Err(Error::invalid(key, other)),
        Some(Ok(None)) | None => Err(Wrong::new(key, format!("{key} is empty")).into()),
    }
}

/// Settings with their secret among them.
fn with(table: &Table, kind: ProviderKind, told: Option<Zeroizing<String>>) -> Table {
    let mut table = table.clone();
    if let (Some(told), Some(key)) = (told, secret(kind)) {
        table.insert(key.to_owned(), told.as_str().into());
    }
    table
}

/// A table as it is stored.
fn json(table: &Table) -> Map<String, Value> {
    match serde_json::to_value(table) {
        Ok(Value::Object(map)) => map,
        Ok(_) | Err(_) => Map::new(),
    }
}
