//! Second factors as they are kept: setting up and removing them, and codes for who has lost them.

use super::access::record;
use super::checks::totp_place;
use super::people::{self, require_account};
use super::second_factor::{renew, session_of};
use super::users::entry;
use super::{Actor, App, Error, Result, attempts};
use crate::model::audit::{AuditAction, Diff};
use crate::model::event::Event;
use crate::model::factor::{
    FRESH, FactorKind, Factors, RECOVERY_BYTES, RECOVERY_CODES, RecoveryCode, TotpEntry,
};
use crate::model::id::{TokenId, UserId};
use crate::model::policy::Action;
use crate::model::secret::{Token, TokenHash};
use crate::model::time::Timestamp;
use crate::model::totp;
use crate::model::user::{LoginType, User};
use crate::server::db::totp_factors::TotpRow;
use crate::server::db::{ReadTx, WriteTx, passkeys, recovery_codes, tokens, totp_factors};

/// A second factor was added.
#[derive(Debug)]
pub struct Added {
    /// The new secret of the session, in which it was given.
    pub token: Token,
    /// Recovery codes, when it is the first; they are shown once.
    pub codes: Vec<RecoveryCode>,
}

/// An app that is to be set up.
#[derive(Clone, PartialEq, Eq)]
pub struct Setup {
    /// The secret, to be typed.
    pub secret: String,
    /// The same for a camera.
    pub uri: String,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Setup(…)")
    }
}

impl App {
    /// Someone's second factors.
    ///
    /// # Errors
    /// [`Error::NotFound`] for whom the actor may not know, [`Error::Denied`] for whose account they
    /// may not look into.
    pub async fn factors(&self, actor: &Actor, key: &str) -> Result<Factors> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .read(move |tx| {
                let user = people::find(tx, &actor, &key)?;
                require_account(tx, &actor, Action::ReadPersonal, &user)?;
                of(tx, user.id)
            })
            .await
    }

    /// Makes a secret for an app that shows codes. It counts once a code of it was given.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a wrong password, [`Error::Conflict`] when there is an app.
    pub async fn begin_totp(&self, actor: &Actor, password: &str) -> Result<()> {
        let (user, _) = session_of(actor)?;
        self.require_set_up(actor, password).await?;
        let seal = self.seal.clone();
        self.db
            .write(move |tx| {
                let secret: [u8; totp::SECRET_BYTES] = tx.entropy().bytes();
                let sealed = seal.seal(totp_place(&user.to_string()), &secret);
                match totp_factors::begin(tx, user, &sealed)? {
                    0 => Err(Error::conflict("you have an app; remove it first")),
                    _ => Ok(()),
                }
            })
            .await
    }

    /// The app that is to be set up, if one is.
    ///
    /// # Errors
    /// [`Error::Denied`] for what is no session.
    pub async fn totp_setup(&self, actor: &Actor) -> Result<Option<Setup>> {
        let (user, _) = session_of(actor)?;
        actor.require_fresh(self.clock.now())?;
        let found = self.db.read(move |tx| totp_factors::find(tx, user)).await?;
        let now = self.clock.now();
        let Some(row) = found.filter(|row| is_pending(row, now)) else { return Ok(None) };
        let secret = self.seal.open(totp_place(&user.to_string()), &row.secret)?;
        let url = &self.policy.access_url;
        let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host);
        let username = actor.caller()?.user.username.as_str();
        Ok(Some(Setup { secret: totp::shown(&secret), uri: totp::uri(&secret, host, username) }))
    }

    /// Takes an app into use, by a code that it shows.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a wrong code, [`Error::Conflict`] after too many of them or when no app
    /// is to be set up.
    pub async fn confirm_totp(&self, actor: &Actor, code: &str) -> Result<Added> {
        let (user, session) = session_of(actor)?;
        actor.require_fresh(self.clock.now())?;
        let (seal, token, who, code) =
            (self.seal.clone(), self.new_token(), actor.clone(), code.replace(' ', ""));
        let added = self
            .db
            .write(move |tx| {
                let row = totp_factors::find(tx, user)?.filter(|row| is_pending(row, tx.now));
                let row =
                    row.ok_or_else(|| Error::conflict("no app is to be set up; begin again"))?;
                let caller = who.caller()?;
                let begun = attempts::begin(
                    tx,
                    (Some(caller.user.clone()), ""),
                    attempts::ip_of(&caller.ip),
                )?;
                let attempt = begun.map_err(attempts::locked)?;
                let secret = seal.open(totp_place(&user.to_string()), &row.secret)?;
                let Some(step) = totp::matching_step(&secret, &code, tx.now, 0) else {
                    return Ok(Err("the code is wrong; is the clock of the app right?".to_owned()));
                };
                attempts::forgive(tx, &attempt)?;
                totp_factors::used(tx, user, step)?;
                let diff = Diff::new().field("second_factor", "", FactorKind::Totp.as_str());
                Ok::<_, Error>(Ok(added(tx, &who, (session, token), &diff)?))
            })
            .await?;
        added.map_err(|why| self.refuse_factor(actor, why))
    }

    /// Removes one's own app.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, [`Error::Conflict`] for the last factor of who must
    /// have one.
    pub async fn remove_totp(&self, actor: &Actor) -> Result<()> {
        let (user, _) = session_of(actor)?;
        let (needed, actor) = (self.mfa_roles().ask(&actor.caller()?.user), actor.clone());
        self.db
            .write(move |tx| {
                actor.require_fresh(tx.now)?;
                if totp_factors::delete(tx, user)? == 0 {
                    return Err(Error::NotFound("app"));
                }
                after_removal(tx, user, needed)?;
                let diff = Diff::new().field("second_factor", FactorKind::Totp.as_str(), "");
                changed(tx, &actor, &actor.caller()?.user, &diff)
            })
            .await
    }

    /// Makes new recovery codes; the old ones are good no more.
    ///
    /// # Errors
    /// [`Error::Conflict`] for who has no second factor.
    pub async fn remake_recovery_codes(&self, actor: &Actor) -> Result<Vec<RecoveryCode>> {
        let (user, _) = session_of(actor)?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                actor.require_fresh(tx.now)?;
                if !of(tx, user)?.any() {
                    return Err(Error::conflict("there is no second factor to recover from"));
                }
                let codes = new_codes(tx, user)?;
                let diff = Diff::new().secret("recovery_codes");
                changed(tx, &actor, &actor.caller()?.user, &diff)?;
                Ok(codes)
            })
            .await
    }

    /// Removes every second factor of someone who has lost theirs, and ends their sessions. Whoever
    /// has the lost device in hand is out with it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for whom the actor may not know, [`Error::Denied`] for whose account they
    /// may not change, [`Error::Conflict`] for oneself and for who has none.
    pub async fn remove_factors(&self, actor: &Actor, key: &str) -> Result<User> {
        actor.require_own()?;
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .write(move |tx| {
                let user = people::find(tx, &actor, &key)?;
                require_account(tx, &actor, Action::UpdatePersonal, &user)?;
                if actor.user_id() == Some(user.id) {
                    return Err(Error::conflict("your own are removed on the page Sign-in"));
                }
                actor.require_fresh(tx.now)?;
                if delete_all(tx, user.id)? == 0 {
                    return Err(Error::conflict(format!("{} has no second factor", user.username)));
                }
                tokens::delete_sessions(tx, user.id, None)?;
                attempts::forget(tx, &user)?;
                tx.emit(Event::Grants);
                changed(tx, &actor, &user, &Diff::new().field("second_factor", "all", ""))?;
                Ok(user)
            })
            .await
    }

    /// Ends every session of one's own but this one.
    ///
    /// # Errors
    /// [`Error::Denied`] for what is no session.
    pub async fn end_other_sessions(&self, actor: &Actor) -> Result<usize> {
        let (user, session) = session_of(actor)?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let n = tokens::delete_sessions(tx, user, Some(session))?;
                let diff = Diff::new().field("sessions", n, 0);
                changed(tx, &actor, &actor.caller()?.user, &diff)?;
                tx.emit(Event::Grants);
                Ok(n)
            })
            .await
    }

    /// Asks for what adds a second factor: another one given lately, or for the first one the
    /// password. Whoever finds a session open must not shut its owner out.
    pub(super) async fn require_set_up(&self, actor: &Actor, password: &str) -> Result<()> {
        let caller = actor.caller()?;
        if caller.mfa.has_factor {
            return actor.require_fresh(self.clock.now());
        }
        if caller.user.login_type != LoginType::Password {
            let (_, session) = session_of(actor)?;
            return self.db.read(move |tx| require_just_in(tx, session)).await;
        }
        let named = |field: String| if field == "old_password" { NOW.to_owned() } else { field };
        self.check_old(caller, password).await.map_err(|error| error.map_field(named))
    }
}

/// Asks for a session that began lately: its owner was at the provider just now, whose password is
/// not ours to ask for.
fn require_just_in(tx: &ReadTx<'_>, session: TokenId) -> Result<()> {
    let began = tokens::find_by_id(tx, session)?.map(|token| token.created_at);
    if began.is_some_and(|at| tx.now.since(at) <= FRESH) {
        return Ok(());
    }
    Err(Error::conflict(
        "sign out and in again, and add it within 15 minutes: so it is you who adds it",
    ))
}

/// Whether an app is to be set up. A secret that nobody used is shown to nobody later.
fn is_pending(row: &TotpRow, now: Timestamp) -> bool {
    row.confirmed_at.is_none() && now.since(row.created_at) <= FRESH
}

/// The field of the password that one has now.
const NOW: &str = "password_now";

/// Someone's second factors.
pub(super) fn of(tx: &ReadTx<'_>, user: UserId) -> Result<Factors> {
    let totp = totp_factors::find(tx, user)?.and_then(|row| {
        let created_at = row.confirmed_at?;
        Some(TotpEntry { created_at, last_used_at: row.last_used_at })
    });
    let passkeys = passkeys::list_of(tx, user)?;
    Ok(Factors { totp, passkeys, recovery_left: recovery_codes::count(tx, user)? })
}

/// Writes down that a second factor was added, in a session that it was given in. With the first one
/// come recovery codes.
pub(super) fn added(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (session, token): (TokenId, Token),
    diff: &Diff,
) -> Result<Added> {
    let user = &actor.caller()?.user;
    let codes = match recovery_codes::count(tx, user.id)? {
        0 => new_codes(tx, user.id)?,
        _ => vec![],
    };
    changed(tx, actor, user, diff)?;
    Ok(Added { token: renew(tx, session, token)?, codes })
}

/// After a factor was removed: recovery codes go with the last one, unless someone must have one.
pub(super) fn after_removal(tx: &WriteTx<'_>, user: UserId, needed: bool) -> Result<()> {
    if of(tx, user)?.any() {
        return Ok(());
    }
    if needed {
        return Err(Error::conflict("your role needs a second factor; add another one first"));
    }
    recovery_codes::delete_all(tx, user)?;
    tokens::forget_mfa(tx, user)?;
    Ok(())
}

/// Removes all that someone has; how many second factors that were.
pub(super) fn delete_all(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    let n = totp_factors::delete(tx, user)? + passkeys::delete_all(tx, user)?;
    recovery_codes::delete_all(tx, user)?;
    tokens::forget_mfa(tx, user)?;
    Ok(n)
}

fn new_codes(tx: &WriteTx<'_>, user: UserId) -> Result<Vec<RecoveryCode>> {
    let make = |_| RecoveryCode::from_random(tx.entropy().bytes::<RECOVERY_BYTES>());
    let codes: Vec<RecoveryCode> = (0..RECOVERY_CODES).map(make).collect();
    let hashes: Vec<TokenHash> = codes.iter().map(RecoveryCode::hash).collect();
    recovery_codes::replace(tx, user, &hashes)?;
    Ok(codes)
}

fn changed(tx: &WriteTx<'_>, actor: &Actor, user: &User, diff: &Diff) -> Result<()> {
    record(tx, actor, &entry(AuditAction::Write, user, diff))?;
    tx.emit(Event::User(user.id));
    Ok(())
}
