//! How groups, roles and organizations follow providers, as it is set here over the server's file.

use uuid::Uuid;

use super::access::record;
use super::provider_rules::AllRules;
use super::sync_rules::{in_file, only_mapped};
use super::sync_words::{as_meant, fitted, group, thing};
use super::{Actor, App, Error, Result, organizations, roles, template_rights, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::identity::{DIRECTORY, GITHUB};
use crate::model::name::RoleName;
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::set_sync::{SetSync, SyncChange, SyncKind};
use crate::model::sync::Origin;
use crate::model::user::Organization;
use crate::server::db::idp_syncs::{self, SyncRow};
use crate::server::db::{ReadTx, WriteTx, groups};

/// What follows which provider.
#[derive(Clone, Debug)]
pub struct SyncAt {
    /// The organization, by name or id; none for organizations themselves.
    pub organization: Option<String>,
    /// What follows.
    pub kind: SyncKind,
    /// The name of the provider's settings; none for the one that Coder would know.
    pub provider: Option<String>,
}

/// How it follows.
#[derive(Clone, Debug)]
pub struct SyncView {
    /// The provider.
    pub provider: String,
    /// Every provider that people sign in at.
    pub providers: Vec<String>,
    /// Where; none for organizations themselves.
    pub organization: Option<Organization>,
    /// What follows.
    pub kind: SyncKind,
    /// How.
    pub settings: SetSync,
    /// Where that was said.
    pub origin: Origin,
    /// Each word with each thing that it leads to.
    pub leads: Vec<Lead>,
}

/// A word of a provider and one thing that it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// The word.
    pub word: String,
    /// What it leads to, as it is kept.
    pub here: String,
    /// Its id; none of a role, and of what is not here.
    pub id: Option<Uuid>,
    /// Its name, or what is kept of what is not here.
    pub name: String,
}

/// What follows, found.
pub(super) struct Found {
    pub provider: String,
    pub place: Option<Organization>,
    pub kind: SyncKind,
}

impl Found {
    fn row(&self, settings: SetSync) -> SyncRow {
        let organization = self.place.as_ref().map(|place| place.id);
        SyncRow { provider: self.provider.clone(), kind: self.kind, organization, settings }
    }

    /// Where it is, for what is only in an organization.
    pub fn place(&self) -> Result<&Organization> {
        self.place.as_ref().ok_or(Error::NotFound("organization"))
    }
}

impl App {
    /// How something follows a provider, for who may see such settings there.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an organization the actor may not see, [`Error::Denied`] for who may
    /// not see its settings, [`Error::Invalid`] for a provider there is not.
    pub async fn idp_sync(&self, actor: &Actor, at: SyncAt) -> Result<SyncView> {
        let (actor, all) = (actor.clone(), self.rules());
        self.db
            .read(move |tx| {
                let found = find(tx, &actor, (&at, &all), Action::Read)?;
                view(tx, &all, found)
            })
            .await
    }

    /// Sets how something follows a provider. It is followed so from each person's next sign-in or
    /// renewal on.
    ///
    /// # Errors
    /// As [`App::idp_sync`]; [`Error::Denied`] also for leading people to what the actor could not
    /// give them by hand, [`Error::Invalid`] for what does not fit.
    pub async fn set_idp_sync(
        &self,
        actor: &Actor,
        at: SyncAt,
        change: SyncChange,
    ) -> Result<SyncView> {
        actor.require_own()?;
        let (actor, all) = (actor.clone(), self.rules());
        self.db
            .write(move |tx| {
                let Wanted { found, old, new, then } = wanted(tx, &actor, (&at, &all), change)?;
                require_may_lead(tx, &actor, &found, (&old, &then))?;
                actor.require_fresh(tx.now)?;
                match &new {
                    Some(new) => idp_syncs::put(tx, &found.row(new.clone()))?,
                    None => idp_syncs::delete(tx, &found.row(SetSync::default()))?,
                }
                written(tx, &actor, &found, (&old, &then))?;
                view(tx, &all, found)
            })
            .await
    }
}

/// What a change would make of how something follows a provider.
pub(super) struct Wanted {
    pub found: Found,
    /// What was in force.
    pub old: SetSync,
    /// What is set then; none when nothing is.
    pub new: Option<SetSync>,
    /// What is in force then.
    pub then: SetSync,
}

/// What a change would make of it, if the actor may change it.
pub(super) fn wanted(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (at, all): (&SyncAt, &AllRules),
    change: SyncChange,
) -> Result<Wanted> {
    let found = find(tx, actor, (at, all), Action::Update)?;
    require_gives(tx, actor, &found)?;
    let file = in_file(rules_of(all, &found), found.kind, found.place.as_ref());
    let (old, _) = in_force(tx, &found, &file)?;
    let change = as_meant(tx, &found, (&old, change))?;
    let new = match change.applied(&old) {
        Some(new) => Some(fitted(tx, &found, (&old, new))?),
        None => None,
    };
    let then = new.clone().unwrap_or(file);
    Ok(Wanted { found, old, new, then })
}

/// Finds what is meant, if the actor may do something to it.
fn find(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (at, all): (&SyncAt, &AllRules),
    action: Action,
) -> Result<Found> {
    let place = match (&at.organization, at.kind) {
        (Some(key), SyncKind::Groups | SyncKind::Roles) => {
            Some(organizations::find(tx, actor, key)?)
        }
        (None, SyncKind::Organizations) => None,
        (Some(_), SyncKind::Organizations) | (None, SyncKind::Groups | SyncKind::Roles) => {
            return Err(Error::NotFound("setting"));
        }
    };
    let object = Object::site(ResourceType::IdpsyncSettings);
    let object = place.as_ref().map_or(object, |place| object.within(place.id));
    actor.require(tx.now, action, &object)?;
    let provider = provider(all, at.provider.as_deref())?;
    Ok(Found { provider, place, kind: at.kind })
}

/// The provider of Coder's settings.
const CODER_PROVIDER: &str = "oidc";

/// The provider that is named; else that of Coder's settings, which knows one, or the first that is
/// most like it.
fn provider(all: &AllRules, named: Option<&str>) -> Result<String> {
    let named = named.filter(|name| !name.is_empty());
    if let Some(name) = named {
        if all.contains_key(name) || (all.is_empty() && name == CODER_PROVIDER) {
            return Ok(name.to_owned());
        }
        let known: Vec<&str> = all.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "there is none".to_owned() } else { known.join(", ") };
        return Err(Error::invalid("provider", format!("is none of those there are: {known}")));
    }
    if all.contains_key(CODER_PROVIDER) {
        return Ok(CODER_PROVIDER.to_owned());
    }
    let own = |name: &&String| ![GITHUB, DIRECTORY].contains(&name.as_str());
    let first = all.keys().find(own).or_else(|| all.keys().next());
    Ok(first.cloned().unwrap_or_else(|| CODER_PROVIDER.to_owned()))
}

fn rules_of<'a>(all: &'a AllRules, found: &Found) -> Option<&'a crate::model::identity::Rules> {
    all.get(&found.provider).map(AsRef::as_ref)
}

fn in_force(tx: &ReadTx<'_>, found: &Found, file: &SetSync) -> Result<(SetSync, Origin)> {
    let place = found.place.as_ref().map(|place| place.id);
    let set = idp_syncs::find(tx, &found.provider, found.kind, place)?;
    Ok(set.map_or_else(|| (file.clone(), Origin::File), |set| (set, Origin::Set)))
}

fn view(tx: &ReadTx<'_>, all: &AllRules, found: Found) -> Result<SyncView> {
    let file = in_file(rules_of(all, &found), found.kind, found.place.as_ref());
    let (settings, origin) = in_force(tx, &found, &file)?;
    let mut leads = Vec::new();
    for (word, here) in settings.pairs() {
        let thing = thing(tx, &found, here)?;
        let (id, name) = thing.map_or((None, here.to_owned()), |(id, name)| (id, name));
        leads.push(Lead { word: word.to_owned(), here: here.to_owned(), id, name });
    }
    let Found { provider, place: organization, kind } = found;
    let providers = all.keys().cloned().collect();
    Ok(SyncView { provider, providers, organization, kind, settings, origin, leads })
}

/// Asks whether the actor could do by hand what is to follow, before anything is looked up for them.
fn require_gives(tx: &ReadTx<'_>, actor: &Actor, found: &Found) -> Result<()> {
    let there = |kind| found.place().map(|place| Object::site(kind).within(place.id));
    match found.kind {
        SyncKind::Groups => actor.require(tx.now, Action::Update, &there(ResourceType::Group)?),
        SyncKind::Roles => {
            actor.require(tx.now, Action::Assign, &there(ResourceType::AssignOrgRole)?)
        }
        SyncKind::Organizations => Ok(()),
    }
}

/// Nobody leads others to what they could not give them, nor away from what they could not take.
fn require_may_lead(
    tx: &ReadTx<'_>,
    actor: &Actor,
    found: &Found,
    (old, new): (&SetSync, &SetSync),
) -> Result<()> {
    // With another claim, every word is another one.
    let again = old.field != new.field;
    let (before, after) = (old.pairs(), new.pairs());
    let only_in = |these: &std::collections::BTreeSet<(&str, &str)>,
                   those: &std::collections::BTreeSet<(&str, &str)>| {
        let these = these.iter().filter(|pair| again || !those.contains(*pair));
        these.map(|(_, here)| (*here).to_owned()).collect::<Vec<String>>()
    };
    let (added, removed) = (only_in(&after, &before), only_in(&before, &after));
    match found.kind {
        SyncKind::Organizations => Ok(()),
        SyncKind::Roles => {
            let named = |texts: Vec<String>| -> Vec<RoleName> {
                texts.iter().filter_map(|text| RoleName::parse(text).ok()).collect()
            };
            let place = found.place()?.id;
            roles::require_may_give(tx, actor, place, (&[], &named(added)))?;
            roles::require_may_give(tx, actor, place, (&named(removed), &[]))
        }
        SyncKind::Groups => {
            let place = found.place()?.id;
            let looks = again || old.regex_filter != new.regex_filter;
            // What a provider calls like a group leads there without a mapping.
            let by_name = new.is_on() && looks && !only_mapped(&found.provider);
            let mut into = if by_name { groups::list(tx, place)? } else { vec![] };
            for text in &added {
                into.extend(group(tx, place, text)?);
            }
            // So does a word that was mapped elsewhere, once it is not.
            let leads = new.is_on() && !only_mapped(&found.provider);
            let unmapped = old.mapping.keys().filter(|word| !new.mapping.contains_key(*word));
            for word in unmapped.filter(|_| leads) {
                into.extend(group(tx, place, word)?);
            }
            for group in into {
                template_rights::require_lets_in(tx, actor, (group.id, place))?;
            }
            Ok(())
        }
    }
}

fn written(
    tx: &WriteTx<'_>,
    actor: &Actor,
    found: &Found,
    (old, new): (&SetSync, &SetSync),
) -> Result<()> {
    let (before, after) = (old.pairs(), new.pairs());
    let words = |these: std::collections::btree_set::Difference<'_, (&str, &str)>| {
        these.map(|(word, here)| format!("{word} = {here}")).collect::<Vec<_>>()
    };
    let diff = Diff::new()
        .field("field", &old.field, &new.field)
        .field("regex_filter", &old.regex_filter, &new.regex_filter)
        .field("auto_create_missing_groups", old.auto_create, new.auto_create)
        .field("organization_assign_default", old.assign_default, new.assign_default)
        .field("mapping", words(before.difference(&after)), words(after.difference(&before)));
    let place = found.place.as_ref();
    let name = match place {
        Some(place) => format!("{} of {} by {}", found.kind, place.name, found.provider),
        None => format!("{} by {}", found.kind, found.provider),
    };
    let id = place.map_or(Uuid::nil(), |place| place.id.0);
    let entry = trail::entry(AuditAction::Write, AuditTarget::Setting, id, &name);
    let entry = trail::with(entry, &diff);
    let entry = match place {
        Some(place) => trail::within(entry, place.id),
        None => entry,
    };
    record(tx, actor, &entry)
}
