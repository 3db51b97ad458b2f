//! Ways in that someone adds to their own account, and takes off it.

use super::access::record;
use super::accounts::require_other_owner;
use super::identities::{ProviderSignIn, is_kept, link, seen};
use super::second_factor::session_of;
use super::users::entry;
use super::{Actor, App, Error, Result};
use crate::model::audit::{AuditAction, Diff};
use crate::model::event::Event;
use crate::model::id::{IdentityId, TokenId, UserId};
use crate::model::identity::{Arrival, Identity, Refusal};
use crate::model::user::{LoginType, SiteRole, User, UserStatus};
use crate::server::db::{ReadTx, WriteTx, identities, passwords, scim_users, users};

impl App {
    /// The providers that someone comes by, the first one first.
    ///
    /// # Errors
    /// When the actor is no user.
    pub async fn own_identities(&self, actor: &Actor) -> Result<Vec<Identity>> {
        let user = actor.caller()?.user.id;
        Ok(self.db.read(move |tx| identities::list_of(tx, user)).await?)
    }

    /// Asks for the password of who wants to add a way in. The session it is added in.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the field `password_now` for a wrong password, [`Error::Conflict`] for who
    /// has none or has to wait, [`Error::Denied`] for what is no session.
    pub async fn begin_joining(&self, actor: &Actor, password: &str) -> Result<TokenId> {
        actor.require_own()?;
        let (_, session) = session_of(actor)?;
        let caller = actor.caller()?;
        if caller.user.login_type != LoginType::Password {
            return Err(no_password());
        }
        actor.require_fresh(self.clock.now())?;
        let checked = self.check_old(caller, password).await;
        checked.map_err(|error| error.map_field(|_| "password_now".to_owned()))?;
        Ok(session)
    }

    /// Adds the way in by which someone has come back, to the account of who has begun it in this very
    /// session. Groups follow when they sign in by it: until then nothing would take them away again.
    ///
    /// # Errors
    /// [`Error::Denied`] for another session and for whom the provider's rules do not let in,
    /// [`Error::Conflict`] for an account there that is someone's already.
    pub async fn join_identity(
        &self,
        actor: &Actor,
        session: TokenId,
        came: ProviderSignIn,
    ) -> Result<()> {
        let (user, current) = session_of(actor)?;
        if current != session {
            return Err(Error::denied(
                "this was begun in another session; begin again in this one",
            ));
        }
        let actor = actor.clone();
        self.db.write(move |tx| join(tx, &actor, user, &came)).await
    }

    /// Takes a way in off one's own account; sessions that began with it end. `in_force` are the
    /// providers that there are.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what is not one's own, [`Error::Conflict`] for the last one.
    pub async fn remove_identity(
        &self,
        actor: &Actor,
        id: IdentityId,
        in_force: Vec<String>,
    ) -> Result<()> {
        actor.require_own()?;
        let (user, _) = session_of(actor)?;
        let (actor, passwords_on) = (actor.clone(), self.policy.password_auth);
        self.db
            .write(move |tx| {
                let user = users::find(tx, user)?.ok_or(Error::NotFound("user"))?;
                let all = identities::list_of(tx, user.id)?;
                let found = all.iter().find(|identity| identity.id == id);
                let identity = found.ok_or(Error::NotFound("way to sign in"))?;
                actor.require_fresh(tx.now)?;
                let is_other = |i: &&Identity| i.id != id && in_force.contains(&i.provider);
                if !all.iter().any(|i| is_other(&i)) && !has_password(tx, &user, passwords_on)? {
                    return Err(Error::conflict("it is the only way in that you have"));
                }
                identities::delete(tx, id)?;
                // With it go the roles that it gave.
                let now = users::find(tx, user.id)?.ok_or(Error::NotFound("user"))?;
                if user.has(SiteRole::Owner) && !now.has(SiteRole::Owner) {
                    require_other_owner(tx, &user)?;
                }
                let who = named(identity);
                let diff = Diff::new().field("identity", who.as_str(), "");
                record(tx, &actor, &entry(AuditAction::Write, &user, &diff))?;
                tx.emit(Event::User(user.id));
                tx.emit(Event::Grants);
                Ok(())
            })
            .await
    }
}

fn join(tx: &WriteTx<'_>, actor: &Actor, user: UserId, came: &ProviderSignIn) -> Result<()> {
    let user = users::find(tx, user)?.filter(|user| user.status == UserStatus::Active);
    let user = user.ok_or(Error::NotFound("user"))?;
    if user.login_type != LoginType::Password {
        return Err(no_password());
    }
    let arrival = &came.arrival;
    let email = came.rules.admit(arrival).map_err(Error::denied)?;
    if !came.strength.is_met {
        return Err(Error::denied(Refusal::Weak));
    }
    let provider = &arrival.provider;
    match identities::find_by_subject(tx, &arrival.issuer, &arrival.subject)? {
        Some(known) if known.user_id == user.id => {
            return Err(Error::Conflict(format!("you come by that account at {provider} already")));
        }
        Some(_) => {
            let why = format!("someone else here comes by that account at {provider}");
            return Err(Error::Conflict(why));
        }
        None => {}
    }
    let own = identities::list_of(tx, user.id)?;
    if own.iter().any(|identity| identity.issuer == arrival.issuer) {
        let why = format!("you come by another account at {provider}; remove that first");
        return Err(Error::Conflict(why));
    }
    if is_sent_as_another(tx, arrival, &user)? {
        let why = format!("{provider} keeps another account here for that person");
        return Err(Error::Conflict(why));
    }
    let identity = link(tx, actor, arrival, &user)?;
    seen(tx, identity, arrival, &email)?;
    tx.emit(Event::User(user.id));
    Ok(())
}

/// Whether the provider has sent that very person here as someone else.
fn is_sent_as_another(tx: &ReadTx<'_>, arrival: &Arrival, user: &User) -> Result<bool> {
    for id in [arrival.subject.as_str(), arrival.claims.text("oid")] {
        let rows = scim_users::list_by_external_id(tx, id)?;
        if rows.iter().any(|row| row.user != user.id && is_kept(row, arrival)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether someone comes in by a password that is kept here.
fn has_password(tx: &ReadTx<'_>, user: &User, passwords_on: bool) -> Result<bool> {
    let may = passwords_on || user.has(SiteRole::Owner);
    let has = user.login_type == LoginType::Password && passwords::find(tx, user.id)?.is_some();
    Ok(may && has)
}

fn no_password() -> Error {
    Error::conflict("a way in is added by who signs in by a password of this server")
}

/// Who someone is at a provider, for the log.
pub(super) fn named(identity: &Identity) -> String {
    format!("{} at {}", identity.subject, identity.provider)
}
