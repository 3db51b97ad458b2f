//! What the words of a provider's mapping mean here, and what a change of it means by them.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::groups::EVERYONE;
use super::idp_syncs::Found;
use super::sync_rules::only_mapped;
use super::{Error, Result, roles};
use crate::model::id::{GroupId, OrganizationId};
use crate::model::set_sync::{MAX_PAIRS, SetSync, SyncChange, SyncKind};
use crate::model::user::{Group, Organization};
use crate::server::db::{ReadTx, groups, organizations as rows};

/// A change in the words that are kept. What is not to be led to any more is the same thing by its id
/// and by its name. A word without anything is one that is shown so: what it leads to is not here, or
/// it leads to nothing.
///
/// # Errors
/// [`Error::Invalid`] for more than there may be.
pub(super) fn as_meant(
    tx: &ReadTx<'_>,
    found: &Found,
    (old, change): (&SetSync, SyncChange),
) -> Result<SyncChange> {
    let is_small = only_mapped(&found.provider);
    let spelled = |word: &str| {
        if is_small { word.trim().to_lowercase() } else { word.trim().to_owned() }
    };
    match change {
        SyncChange::Mapping { add, remove } if add.len() + remove.len() > MAX_PAIRS => {
            Err(Error::invalid("add", format!("and remove hold more than {MAX_PAIRS}")))
        }
        SyncChange::Mapping { add, remove } => {
            let all = |pairs: Vec<(String, String)>| {
                pairs.into_iter().map(|(word, here)| (spelled(&word), here)).collect::<Vec<_>>()
            };
            let (add, mut remove) = (all(add), all(remove));
            // Each text is looked up once, however often it stands there.
            let mut known: BTreeMap<String, Option<Thing>> = BTreeMap::new();
            let mut meant = |text: &str| -> Result<Option<Thing>> {
                if let Some(thing) = known.get(text) {
                    return Ok(Option::clone(thing));
                }
                let found = thing(tx, found, text)?;
                known.insert(text.to_owned(), found.clone());
                Ok(found)
            };
            let mut same = Vec::new();
            for (word, here) in &remove {
                let Some(wanted) = meant(here.trim())? else { continue };
                let kept = old.mapping.get(word).into_iter().flatten();
                let added = add.iter().filter(|(of, _)| of == word).map(|(_, here)| here);
                for other in kept.chain(added) {
                    if meant(other.trim())?.as_ref() == Some(&wanted) {
                        same.push((word.clone(), other.clone()));
                    }
                }
            }
            remove.extend(same);
            Ok(SyncChange::Mapping { add, remove })
        }
        SyncChange::All(mut new) => {
            for (word, all) in new.mapping.iter_mut().filter(|(_, all)| all.is_empty()) {
                for here in old.mapping.get(&spelled(word)).into_iter().flatten() {
                    if thing(tx, found, here)?.is_none() {
                        all.push(here.clone());
                    }
                }
                if all.is_empty() && found.kind == SyncKind::Groups {
                    all.push(NOTHING);
                }
            }
            Ok(SyncChange::All(new))
        }
        other @ (SyncChange::Config(_) | SyncChange::Back) => Ok(other),
    }
}

/// The id and the name of what a text means here; roles have no id.
pub(super) type Thing = (Option<Uuid>, String);

/// Where a word leads that leads nowhere.
const NOTHING: String = String::new();

/// What a text means here.
///
/// # Errors
/// When the database fails.
pub(super) fn thing(tx: &ReadTx<'_>, found: &Found, text: &str) -> Result<Option<Thing>> {
    Ok(match found.kind {
        SyncKind::Groups => {
            group(tx, found.place()?.id, text)?.map(|group| (Some(group.id.0), group.name))
        }
        SyncKind::Roles => Some((None, text.to_owned())),
        SyncKind::Organizations => {
            let is_it = |o: &Organization| {
                text.parse::<OrganizationId>().is_ok_and(|id| id == o.id)
                    || o.name.eq_ignore_ascii_case(text)
                    || (text == "default" && o.is_default)
            };
            rows::list(tx)?.into_iter().find(is_it).map(|o| (Some(o.id.0), o.name))
        }
    })
}

/// The group of an organization that a text means.
///
/// # Errors
/// When the database fails.
pub(super) fn group(tx: &ReadTx<'_>, place: OrganizationId, text: &str) -> Result<Option<Group>> {
    let by_id = match text.parse::<GroupId>() {
        Ok(id) => groups::find(tx, id)?.filter(|group| group.organization_id == place),
        Err(_) => None,
    };
    match by_id {
        Some(group) => Ok(Some(group)),
        None => Ok(groups::find_by_name(tx, place, text)?),
    }
}

/// What is new, checked, with what words lead to as it is kept. What led to something before may do so
/// on: the server's file names groups that are not made yet, and leads words to nothing.
///
/// # Errors
/// [`Error::Invalid`] for what does not fit.
pub(super) fn fitted(
    tx: &ReadTx<'_>,
    found: &Found,
    (old, new): (&SetSync, SetSync),
) -> Result<SetSync> {
    let new = if only_mapped(&found.provider) { new.in_small_letters() } else { new };
    let mut new = new;
    if found.kind != SyncKind::Groups {
        // A word that leads nowhere is like one that is not there.
        let of_file =
            |word: &String| old.mapping.get(word).is_some_and(|all| all.contains(&NOTHING));
        for (word, all) in &mut new.mapping {
            all.retain(|here| !here.is_empty() || !of_file(word));
        }
    }
    let new = new.checked(found.kind).map_err(|(field, why)| Error::invalid(field, why))?;
    let known = old.pairs();
    let mut kept = SetSync { mapping: [].into(), ..new.clone() };
    for (word, here) in new.pairs() {
        let here =
            if known.contains(&(word, here)) { here.to_owned() } else { meant(tx, found, here)? };
        let all = kept.mapping.entry(word.to_owned()).or_default();
        if !all.contains(&here) {
            all.push(here);
        }
    }
    Ok(kept)
}

/// What a new text means, as it is kept: an id, or the name of a role.
fn meant(tx: &ReadTx<'_>, found: &Found, text: &str) -> Result<String> {
    let wrong = |why: String| Err(Error::invalid("mapping", why));
    if text.is_empty() {
        return Ok(NOTHING);
    }
    if found.kind == SyncKind::Roles {
        let names = roles::known(tx, found.place()?.id, vec![text.to_owned()]);
        let names = names.map_err(|error| error.map_field(|_| "mapping".to_owned()))?;
        return match names.into_iter().next() {
            Some(name) => Ok(name.into_string()),
            None => wrong(format!("every member has {text}")),
        };
    }
    if let Some(place) = &found.place
        && (text.eq_ignore_ascii_case(EVERYONE) || text == place.id.to_string())
    {
        return wrong("everyone is in Everyone".to_owned());
    }
    match thing(tx, found, text)? {
        Some((Some(id), _)) => Ok(id.to_string()),
        Some((None, _)) | None => wrong(match &found.place {
            Some(place) => format!("there is no group {text:?} in {}", place.name),
            None => format!("there is no organization {text:?}"),
        }),
    }
}
