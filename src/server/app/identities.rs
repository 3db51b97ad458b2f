//! Signing in at a provider: who comes is known, is linked by a proven address, or is new.

use std::sync::Arc;
use std::time::Duration;

use super::access::record;
use super::attempts::{self, Came};
use super::checks::{Checks, Verdict};
use super::identity_grants::{Granted, keep};
use super::joining::named;
use super::password_sign_in::Try;
use super::provider_rules::AllRules;
use super::second_factor::Asked;
use super::sessions::{Entrance, SignIn, enter};
use super::sync::{Word, follow};
use super::users::entry;
use super::{Actor, App, Error, Result, factors, sync_rules, users};
use crate::model::audit::{AuditAction, Diff};
use crate::model::factor::FactorKind;
use crate::model::identity::{ANY_DIRECTORY, Arrival, DIRECTORY, Identity, Refusal, Rules};
use crate::model::secret::Token;
use crate::model::time::Timestamp;
use crate::model::user::{LoginType, User, UserKind, UserStatus};
use crate::server::db::scim_users::{self, ScimUserRow};
use crate::server::db::{self, ReadTx, WriteTx, identities, memberships};

/// Someone whom a provider has signed in.
pub struct ProviderSignIn {
    /// Who they are there.
    pub arrival: Arrival,
    /// Who may come in by this provider.
    pub rules: Arc<Rules>,
    /// What the provider granted.
    pub granted: Granted,
    /// How someone new signs in from now on.
    pub login_type: LoginType,
    /// How they proved it there.
    pub strength: Strength,
    /// How they come.
    pub came: Came,
}

/// How someone proved at a provider who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strength {
    /// Whether it is as strong as the provider's settings ask for.
    pub is_met: bool,
    /// When they gave a second factor there, where the provider's word on that is taken.
    pub mfa_at: Option<Timestamp>,
}

impl Strength {
    /// Of a provider that says nothing of it, and is asked for nothing.
    pub const UNSAID: Self = Self { is_met: true, mfa_at: None };
}

/// Who it is here.
enum Found {
    /// Someone who came so before.
    Known(User, Identity),
    /// An account has the address.
    Namesake(User),
    /// Nobody yet.
    Nobody,
}

impl App {
    /// Begins a session of whom a provider has signed in. Their groups, roles and organizations follow
    /// the provider's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_in_by_provider(&self, came: ProviderSignIn) -> Result<SignIn> {
        let (begins, checks) = ((self.new_token(), self.policy.session_duration), self.checks());
        let (provider, how) = (came.arrival.provider.clone(), came.came.clone());
        let rules = Arc::clone(&self.provider_rules);
        let (user, signed_in) = self
            .db
            .write(move |tx| {
                let all = rules.for_arrival(&came.arrival.provider, &came.rules)?;
                arrive(tx, &came, begins, (None, &checks), &all)
            })
            .await?;
        if let SignIn::Refused(why) = &signed_in {
            tracing::warn!(provider, ip = %how.ip, %why, "a sign-in was refused");
        }
        if let Some(user) = user {
            self.note_refused(&user, &how, &signed_in);
        }
        Ok(signed_in)
    }

    /// The same for whom a directory knows by the password of an attempt, which so turned out well.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_in_by_directory(&self, begun: Try, came: ProviderSignIn) -> Result<SignIn> {
        let (begins, checks) = ((self.new_token(), self.policy.session_duration), self.checks());
        let (how, rules) = (came.came.clone(), Arc::clone(&self.provider_rules));
        let (user, signed_in) = self
            .db
            .write(move |tx| {
                let code = begun.login().code.as_deref();
                let all = rules.for_arrival(&came.arrival.provider, &came.rules)?;
                let (user, signed_in) = arrive(tx, &came, begins, (code, &checks), &all)?;
                settle(tx, &begun.attempt, (user.as_ref(), &signed_in))?;
                Ok::<_, Error>((user, signed_in))
            })
            .await?;
        if let SignIn::Refused(why) = &signed_in {
            tracing::warn!(ip = %how.ip, %why, "a sign-in by the directory was refused");
        }
        if let Some(user) = user {
            self.note_refused(&user, &how, &signed_in);
        }
        Ok(signed_in)
    }
}

/// What an attempt counted, now that the directory's password was right. It is forgiven to whom it
/// was counted for, when no second factor is left to be guessed at: signing in again must not begin
/// that anew.
fn settle(
    tx: &WriteTx<'_>,
    attempt: &attempts::Attempt,
    (user, signed_in): (Option<&User>, &SignIn),
) -> Result<()> {
    let Some(user) = user else { return attempts::take_back(tx, attempt) };
    let same = attempt.user.as_ref().is_none_or(|counted| counted.id == user.id);
    match signed_in {
        // A wrong code stays counted.
        SignIn::Asks(_) => Ok(()),
        SignIn::Done(..) if same && !factors::of(tx, user.id)?.any() => {
            attempts::forgive(tx, attempt)
        }
        SignIn::Done(..)
        | SignIn::Suspended
        | SignIn::Refused(_)
        | SignIn::Wrong
        | SignIn::Late
        | SignIn::Locked(_)
        | SignIn::PasswordsOff
        | SignIn::NoDirectory => attempts::take_back(tx, attempt),
    }
}

fn arrive(
    tx: &WriteTx<'_>,
    came: &ProviderSignIn,
    (token, lifetime): (Token, Duration),
    (code, checks): (Option<&str>, &Checks),
    all: &AllRules,
) -> Result<(Option<User>, SignIn)> {
    let (rules, arrival) = (&came.rules, &came.arrival);
    let refused = |user, why| Ok((user, SignIn::Refused(why)));
    let email = match rules.admit(arrival) {
        Ok(email) => email,
        Err(why) => return refused(None, why),
    };
    let (user, identity) = match look_up(tx, arrival, &email)? {
        Found::Known(user, _) | Found::Namesake(user) if !came.strength.is_met => {
            return refused(Some(user), Refusal::Weak);
        }
        Found::Nobody if !came.strength.is_met => return refused(None, Refusal::Weak),
        // Before anything is written: a suspended account is left as it is.
        Found::Known(user, _) if user.status == UserStatus::Suspended => {
            return Ok((Some(user), SignIn::Suspended));
        }
        Found::Known(user, identity) => (user, identity),
        Found::Namesake(user) if !may_link(tx, came, &user)? => {
            return refused(Some(user), Refusal::EmailTaken);
        }
        Found::Namesake(user) if user.status == UserStatus::Suspended => {
            return Ok((Some(user), SignIn::Suspended));
        }
        Found::Namesake(user) => {
            let identity = link(tx, &Actor::System, arrival, &user)?;
            (user, identity)
        }
        Found::Nobody if !rules.allow_signups => {
            return refused(None, Refusal::NoSignups);
        }
        Found::Nobody => match create(tx, came, &email)? {
            Some(user) => {
                let identity = link(tx, &Actor::System, arrival, &user)?;
                if sync_rules::in_force(tx, &arrival.provider, rules)?.organizations.is_some() {
                    memberships::leave_to(tx, &identity)?;
                }
                (user, identity)
            }
            None => return refused(None, Refusal::NoName),
        },
    };
    let identity = seen(tx, identity, arrival, &email)?;
    let word = Word { rules, claims: &arrival.claims, is_news: true };
    let user = follow(tx, (&identity, user), &word, all)?;
    let factor = match given(tx, (&user, came), (code, checks))? {
        Ok(factor) => factor,
        Err(why) => return Ok((Some(user), SignIn::Asks(Box::new(Asked::wrong(why))))),
    };
    let grant = keep(tx, &checks.seal, &identity, &came.granted)?;
    let Came { ip, request } = came.came.clone();
    let entrance = Entrance { lifetime, ip, identity_grant: Some(grant), request, factor };
    let signed_in = enter(tx, user.clone(), token, entrance)?;
    Ok((Some(user), signed_in))
}

/// A second factor, and when it was given.
type Given = Option<(FactorKind, Timestamp)>;

/// The second factor that someone has given: here by a code, or at the provider. Else why the code is
/// none.
fn given(
    tx: &WriteTx<'_>,
    (user, came): (&User, &ProviderSignIn),
    (code, checks): (Option<&str>, &Checks),
) -> Result<std::result::Result<Given, String>> {
    match code {
        Some(code) if factors::of(tx, user.id)?.any() => {
            Ok(match checks.code(tx, user.id, code)? {
                Verdict::Right(kind) => Ok(Some((kind, tx.now))),
                Verdict::Wrong(why) => Err(why),
            })
        }
        Some(_) | None => Ok(Ok(came.strength.mfa_at.map(|at| (FactorKind::Provider, at)))),
    }
}

/// The identity that someone has here who comes so.
fn known(tx: &ReadTx<'_>, arrival: &Arrival) -> Result<Option<Identity>> {
    let found = identities::find_by_subject(tx, &arrival.issuer, &arrival.subject)?;
    if found.is_some() || arrival.provider != DIRECTORY {
        return Ok(found);
    }
    let untold = identities::find_by_subject(tx, ANY_DIRECTORY, &arrival.subject)?;
    Ok(untold.filter(|identity| arrival.is_of(identity)))
}

fn look_up(tx: &ReadTx<'_>, arrival: &Arrival, email: &str) -> Result<Found> {
    if let Some(identity) = known(tx, arrival)?
        && let Some(user) = db::users::find(tx, identity.user_id)?
    {
        return Ok(Found::Known(user, identity));
    }
    for id in [&arrival.subject, arrival.claims.text("oid")] {
        for row in scim_users::list_by_external_id(tx, id)? {
            if is_kept(&row, arrival)
                && let Some(user) = db::users::find(tx, row.user)?
            {
                return Ok(Found::Namesake(user));
            }
        }
    }
    Ok(db::users::find_by_email(tx, email)?.map_or(Found::Nobody, Found::Namesake))
}

/// Once: an account that this provider knows as someone is not given to someone else there, who may
/// have been given the address since.
fn may_link(tx: &ReadTx<'_>, came: &ProviderSignIn, user: &User) -> Result<bool> {
    let theirs = identities::list_of(tx, user.id)?;
    let known = theirs.iter().any(|i| came.arrival.is_beside(i));
    // Who made the account for one way in did not mean that any other opens it.
    let elsewhere = theirs.is_empty() && user.login_type.is_by_provider();
    if known || (elsewhere && user.login_type != came.login_type) {
        return Ok(false);
    }
    let kept = scim_users::find(tx, user.id)?.is_some_and(|row| {
        let of_it = row.provider == came.arrival.provider;
        let vouched = of_it && came.rules.is_vouched_for(&came.arrival, &user.email);
        vouched || is_kept(&row, &came.arrival)
    });
    Ok(kept || came.rules.may_link(&came.arrival, user))
}

/// Whether it is the very person that the same provider has sent here by SCIM.
pub(super) fn is_kept(row: &ScimUserRow, arrival: &Arrival) -> bool {
    row.provider == arrival.provider && arrival.is_called(&row.wish.external_id)
}

/// Notes that someone at a provider is this user.
///
/// # Errors
/// When the database fails.
pub(super) fn link(
    tx: &WriteTx<'_>,
    actor: &Actor,
    arrival: &Arrival,
    user: &User,
) -> Result<Identity> {
    let identity = Identity {
        id: tx.fresh(),
        user_id: user.id,
        provider: arrival.provider.clone(),
        issuer: arrival.issuer.clone(),
        subject: arrival.subject.clone(),
        email: String::new(),
        claims: "{}".to_owned(),
        created_at: tx.now,
        last_used_at: tx.now,
    };
    identities::insert(tx, &identity)?;
    let who = named(&identity);
    let diff = Diff::new().field("identity", "", who.as_str());
    record(tx, actor, &entry(AuditAction::Write, user, &diff))?;
    Ok(identity)
}

fn create(tx: &WriteTx<'_>, came: &ProviderSignIn, email: &str) -> Result<Option<User>> {
    let mut free = None;
    for name in came.rules.user_names(&came.arrival, email) {
        if db::users::find_by_name(tx, name.as_str())?.is_none() {
            free = Some(name);
            break;
        }
    }
    let Some(username) = free else { return Ok(None) };
    let user = User {
        id: tx.fresh(),
        username,
        name: came.rules.full_name(&came.arrival),
        email: email.to_owned(),
        kind: UserKind::Person,
        status: UserStatus::Dormant,
        login_type: came.login_type,
        roles: vec![],
        organizations: vec![],
        organization_roles: Vec::new(),
        created_at: tx.now,
        updated_at: tx.now,
        last_seen_at: None,
    };
    users::insert(tx, &Actor::System, user, None, AuditAction::Register).map(Some)
}

/// Keeps what the provider says now.
pub(super) fn seen(
    tx: &WriteTx<'_>,
    identity: Identity,
    arrival: &Arrival,
    email: &str,
) -> Result<Identity> {
    let identity = Identity {
        provider: arrival.provider.clone(),
        issuer: arrival.issuer.clone(),
        email: email.to_owned(),
        claims: arrival.claims.to_kept(),
        last_used_at: tx.now,
        ..identity
    };
    identities::update(tx, &identity)?;
    Ok(identity)
}
