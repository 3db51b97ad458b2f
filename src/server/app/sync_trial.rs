//! What a sync would make of someone, before it is set.

use super::idp_syncs::{SyncAt, Wanted, wanted};
use super::sync_rules::{PlaceRules, only_mapped};
use super::{Actor, App, Error, Result, people, sync};
use crate::model::identity::Claims;
use crate::model::set_sync::{SyncChange, SyncKind};
use crate::model::sync::{Origin, PlaceOutcome};
use crate::server::db::identities;

impl App {
    /// What a change of how something follows a provider would make of a member, from what the
    /// provider last said of them; none when nothing of that is kept.
    ///
    /// # Errors
    /// As [`App::set_idp_sync`]; [`Error::Invalid`] also for who is no member.
    pub async fn try_idp_sync(
        &self,
        actor: &Actor,
        (at, change): (SyncAt, SyncChange),
        person: &str,
    ) -> Result<Option<PlaceOutcome>> {
        actor.require_own()?;
        let (actor, all, person) = (actor.clone(), self.rules(), person.trim().to_owned());
        self.db
            .read(move |tx| {
                let Wanted { found, then, .. } = wanted(tx, &actor, (&at, &all), change)?;
                let organization = found.place()?.clone();
                let user = people::find_member(tx, &actor, &person, organization.id);
                let user = user.map_err(|error| {
                    let is_unknown = matches!(error, Error::NotFound(_));
                    let unknown = || Error::invalid("person", "is no member whom you may see");
                    if is_unknown { unknown() } else { error }
                })?;
                let mut theirs = identities::list_of(tx, user.id)?.into_iter();
                let identity = theirs.find(|identity| identity.provider == found.provider);
                let claims = identity.and_then(|identity| Claims::from_kept(&identity.claims));
                let Some(claims) = claims else { return Ok(None) };
                let groups = (found.kind == SyncKind::Groups).then(|| {
                    let sync = then.groups(only_mapped(&found.provider))?;
                    Some((sync, Origin::Set))
                });
                let roles = (found.kind == SyncKind::Roles).then(|| then.roles());
                let (groups, roles) = (groups.flatten(), roles.flatten());
                let rules = PlaceRules { organization, groups, roles };
                Ok(Some(sync::in_place(tx, rules, &claims)?))
            })
            .await
    }
}
