//! Changing passwords: one's own, others', and that of who has lost it.

use super::access::record;
use super::password_strength::NewPassword;
use super::users::entry;
use super::{Actor, App, Caller, Error, Result, attempts, people};
use crate::model::audit::{AuditAction, Diff};
use crate::model::event::Event;
use crate::model::policy::Action;
use crate::model::user::{LoginType, User, UserKind};
use crate::server::db::{passwords, tokens, users};

impl App {
    /// Sets a password. One's own needs the old one; every other session of the user ends.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a wrong old or a bad new password, [`Error::Denied`] for who may not.
    pub async fn change_password(
        &self,
        actor: &Actor,
        key: &str,
        old: Option<&str>,
        new: &str,
    ) -> Result<()> {
        actor.require_own()?;
        let user = self.user(actor, key).await?;
        let (who, theirs) = (actor.clone(), user.clone());
        self.db
            .read(move |tx| people::require_account(tx, &who, Action::UpdatePersonal, &theirs))
            .await?;
        actor.require_fresh(self.clock.now())?;
        if user.login_type != LoginType::Password && user.kind == UserKind::Service {
            return Err(Error::conflict("a service account has no password"));
        }
        self.require_strong(NewPassword::of(&user, new), &user.name).await?;
        let own = match actor {
            Actor::User(caller) if caller.user.id == user.id => Some(caller),
            Actor::User(_)
            | Actor::Agent { .. }
            | Actor::Scim(_)
            | Actor::Program(_)
            | Actor::System => None,
        };
        if let Some(caller) = own {
            self.check_old(caller, old.unwrap_or_default()).await?;
        }
        self.set_password(actor, user, new).await
    }

    /// Sets a password on the server's own machine: for who has lost it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown name, [`Error::Invalid`] for a bad password.
    pub async fn reset_password(&self, username: &str, new: &str) -> Result<()> {
        let user = self.user(&Actor::System, username).await?;
        if user.kind == UserKind::Service {
            return Err(Error::conflict("a service account has no password"));
        }
        self.require_strong(NewPassword::of(&user, new), &user.name).await?;
        self.set_password(&Actor::System, user, new).await
    }

    async fn set_password(&self, actor: &Actor, user: User, new: &str) -> Result<()> {
        let hash = self.passwords.hash(new).await?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                passwords::put(tx, user.id, &hash)?;
                if user.login_type != LoginType::Password {
                    users::update(tx, &User { login_type: LoginType::Password, ..user.clone() })?;
                }
                let keep = match &actor {
                    Actor::User(caller) if caller.user.id == user.id => caller.token(),
                    Actor::User(_)
                    | Actor::Agent { .. }
                    | Actor::Scim(_)
                    | Actor::Program(_)
                    | Actor::System => None,
                };
                tokens::delete_sessions(tx, user.id, keep)?;
                attempts::forget(tx, &user)?;
                let diff = Diff::new().secret("hashed_password");
                record(tx, &actor, &entry(AuditAction::Write, &user, &diff))?;
                tx.emit(Event::User(user.id));
                tx.emit(Event::Grants);
                Ok(())
            })
            .await
    }

    /// Whoever found a session open must not guess the password through it.
    pub(super) async fn check_old(&self, caller: &Caller, old: &str) -> Result<()> {
        let (user, ip) = (caller.user.clone(), attempts::ip_of(&caller.ip));
        let begun = self.db.write(move |tx| attempts::begin(tx, (Some(user), ""), ip)).await?;
        let attempt = begun.map_err(attempts::locked)?;
        let hash = attempt.hash.clone();
        if !self.passwords.matches(old, hash).await? {
            return Err(Error::invalid("old_password", "is not your password"));
        }
        self.db.write(move |tx| attempts::forgive(tx, &attempt)).await
    }
}
