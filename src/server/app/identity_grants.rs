//! What providers granted: renewed before it ends, and ended with its sessions when they say so.

use std::collections::BTreeSet;
use std::time::Duration;

use zeroize::Zeroizing;

use super::access::record;
use super::identities::seen;
use super::provider_rules::AllRules;
use super::sync::Word;
use super::users::entry;
use super::{Actor, App, Error, Result, sync};
use crate::model::audit::{AuditAction, Diff};
use crate::model::event::Event;
use crate::model::id::IdentityGrantId;
use crate::model::identity::{Arrival, Claims, DIRECTORY, Identity, Rules};
use crate::model::time::Timestamp;
use crate::server::db::identity_grants::{self, GrantRow};
use crate::server::db::seal::{Place, Seal};
use crate::server::db::{WriteTx, identities, users};

/// How often a provider is asked whether its grant still holds: so long a person who was removed
/// there may stay, unless the provider tells us.
pub const ASKED_EVERY: Duration = Duration::from_mins(5);
/// So long before its end a grant is renewed at the latest.
pub const LEAD: Duration = Duration::from_secs(60);
/// A grant is not renewed more often than this, however short it is.
const LEAST: Duration = Duration::from_secs(15);
/// A provider that cannot be reached ends nobody's session for so long.
const PATIENCE: Duration = Duration::from_mins(15);
/// When a provider that did not answer is asked again.
const AGAIN_AFTER: Duration = Duration::from_secs(30);
/// Grants that one pass looks at.
const AT_ONCE: i64 = 64;

/// What a provider granted.
#[derive(Clone)]
pub struct Granted {
    /// The provider's session; may be empty.
    pub sid: String,
    /// What renews it; none when it cannot be renewed.
    pub refresh_token: Option<Zeroizing<String>>,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// A grant that is to be renewed.
#[derive(Clone)]
pub struct Due {
    /// The grant.
    pub id: IdentityGrantId,
    /// The name of the provider's settings.
    pub provider: String,
    /// Whose.
    pub identity: Identity,
    /// What renews it.
    pub refresh_token: Zeroizing<String>,
    /// As it was found: a grant that has changed since is left alone.
    row: GrantRow,
}

/// A provider's word that someone left there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedOut {
    /// The provider.
    pub issuer: String,
    /// Who; empty when only a session is named.
    pub subject: String,
    /// Which session of theirs; empty for all.
    pub sid: String,
}

impl App {
    /// Grants that are to be renewed now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grants_due(&self) -> Result<Vec<Due>> {
        let (seal, waiting) = (self.seal.clone(), self.asked_again.waiting(self.clock.now()));
        let at_most = AT_ONCE.saturating_add(waiting.len().try_into().unwrap_or(0));
        self.db
            .read(move |tx| {
                let mut due = Vec::new();
                // Those that wait are due by what is written down.
                let all = identity_grants::due(tx, at_most)?.into_iter();
                let asked = all.filter(|id| !waiting.contains_key(id));
                for id in asked {
                    let Some(row) = identity_grants::find(tx, id)? else { continue };
                    let Some(identity) = identities::find(tx, row.identity)? else { continue };
                    let Some(refresh_token) = open(&seal, &row)? else { continue };
                    let (id, provider) = (row.id, row.provider.clone());
                    due.push(Due { id, provider, identity, refresh_token, row });
                }
                Ok(due)
            })
            .await
    }

    /// A provider has renewed a grant, and may have said anew who it is. Groups, roles and
    /// organizations follow; who would not be let in any more is put out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant_renewed(
        &self,
        due: &Due,
        granted: Granted,
        claims: Option<Claims>,
        rules: std::sync::Arc<Rules>,
    ) -> Result<()> {
        if says_nothing_new(due, (&granted, claims.as_ref()), &rules)
            && self.asked_again.later(due.id, refresh_at(&granted, self.clock.now()))
        {
            return Ok(());
        }
        let (due, seal, all) = (due.clone(), self.seal.clone(), self.rules());
        self.db
            .write(move |tx| {
                let Some(row) = unchanged(tx, &due)? else { return Ok(()) };
                let Some(claims) = claims else { return renew(tx, &seal, row, &granted) };
                let arrival = Arrival {
                    provider: due.provider,
                    issuer: due.identity.issuer.clone(),
                    subject: due.identity.subject.clone(),
                    claims,
                };
                match rules.admit(&arrival) {
                    Ok(email) => {
                        follow(tx, (&rules, &all), (due.identity, &arrival), &email)?;
                        renew(tx, &seal, row, &granted)
                    }
                    Err(why) => end(tx, &row, &why.to_string()),
                }
            })
            .await
    }

    /// A provider says that a grant holds no longer: its sessions end, and the person's other grants
    /// are asked for at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant_ended(&self, due: &Due) -> Result<()> {
        let due = due.clone();
        self.db
            .write(move |tx| {
                let Some(row) = unchanged(tx, &due)? else { return Ok::<_, Error>(()) };
                end(tx, &row, "the provider ended it")?;
                identity_grants::hasten(tx, row.identity)?;
                Ok(())
            })
            .await?;
        self.asked_again.forget();
        Ok(())
    }

    /// A provider did not answer: it is asked again soon.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant_unanswered(&self, due: &Due) -> Result<()> {
        let due = due.clone();
        self.db
            .write(move |tx| {
                let Some(mut row) = unchanged(tx, &due)? else { return Ok(()) };
                row.refresh_at = tx.now.plus(AGAIN_AFTER);
                Ok(identity_grants::update(tx, &row)?)
            })
            .await
    }

    /// Ends what was not renewed in time. How many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_grants_pass(&self) -> Result<usize> {
        if self.db.read(|tx| identity_grants::over(tx, 1)).await?.is_empty() {
            return Ok(0);
        }
        self.db
            .write(|tx| {
                let over = identity_grants::over(tx, AT_ONCE)?;
                for row in &over {
                    end(tx, row, "it was not renewed")?;
                }
                Ok(over.len())
            })
            .await
    }

    /// A provider says that someone left there: the sessions that began with it end. How many grants
    /// that were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn provider_logged_out(&self, said: LoggedOut) -> Result<usize> {
        self.db
            .write(move |tx| {
                let rows = match identities::find_by_subject(tx, &said.issuer, &said.subject)? {
                    Some(identity) => identity_grants::of_session(tx, identity.id, &said.sid)?,
                    None if said.subject.is_empty() => {
                        identity_grants::of_sid(tx, &said.issuer, &said.sid)?
                    }
                    None => vec![],
                };
                for row in &rows {
                    end(tx, row, "the person signed out at the provider")?;
                }
                Ok(rows.len())
            })
            .await
    }

    /// Which of these grants hold.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grants_that_hold(
        &self,
        asked: BTreeSet<IdentityGrantId>,
    ) -> Result<BTreeSet<IdentityGrantId>> {
        self.db
            .read(move |tx| {
                let mut held = BTreeSet::new();
                for id in asked {
                    if identity_grants::holds(tx, id)? {
                        held.insert(id);
                    }
                }
                Ok(held)
            })
            .await
    }
}

/// Keeps what a provider granted at a sign-in.
///
/// # Errors
/// When the database fails.
pub(super) fn keep(
    tx: &WriteTx<'_>,
    seal: &Seal,
    identity: &Identity,
    granted: &Granted,
) -> Result<IdentityGrantId> {
    let id: IdentityGrantId = tx.fresh();
    let row = GrantRow {
        id,
        identity: identity.id,
        provider: identity.provider.clone(),
        sid: granted.sid.chars().take(MAX_SID).collect(),
        refresh_token: sealed(seal, id, granted),
        refresh_at: refresh_at(granted, tx.now),
        ends_at: kept_until(&identity.provider, granted),
    };
    identity_grants::insert(tx, &row)?;
    Ok(id)
}

/// The longest name of a provider's session that is kept.
const MAX_SID: usize = 255;

fn renew(tx: &WriteTx<'_>, seal: &Seal, row: GrantRow, granted: &Granted) -> Result<()> {
    let renewed = GrantRow {
        refresh_token: sealed(seal, row.id, granted).or(row.refresh_token),
        refresh_at: refresh_at(granted, tx.now),
        ends_at: kept_until(&row.provider, granted),
        ..row
    };
    Ok(identity_grants::update(tx, &renewed)?)
}

/// What someone is here follows what their provider says now.
fn follow(
    tx: &WriteTx<'_>,
    (rules, all): (&Rules, &AllRules),
    (before, arrival): (Identity, &Arrival),
    email: &str,
) -> Result<()> {
    let user = users::find(tx, before.user_id)?.ok_or(Error::NotFound("user"))?;
    let said = before.claims.clone();
    let identity = seen(tx, before, arrival, email)?;
    let word = Word { rules, claims: &arrival.claims, is_news: said != identity.claims };
    sync::follow(tx, (&identity, user), &word, all)?;
    Ok(())
}

/// Ends every grant of a provider.
///
/// # Errors
/// When the database fails.
pub(super) fn end_all(tx: &WriteTx<'_>, provider: &str, why: &str) -> Result<()> {
    for row in identity_grants::of_provider(tx, provider)? {
        end(tx, &row, why)?;
    }
    Ok(())
}

fn end(tx: &WriteTx<'_>, row: &GrantRow, why: &str) -> Result<()> {
    let used = identity_grants::is_used(tx, row.id)?;
    identity_grants::delete(tx, row.id)?;
    tx.emit(Event::Grants);
    if !used {
        // They signed out before, or stayed away: nothing ends that was on record.
        return Ok(());
    }
    let Some(identity) = identities::find(tx, row.identity)? else { return Ok(()) };
    if let Some(user) = users::find(tx, identity.user_id)? {
        tracing::info!(user = %user.username, provider = row.provider, why, "a grant ended");
        let diff = Diff::new().field("identity_grant", row.provider.as_str(), "");
        record(tx, &Actor::System, &entry(AuditAction::Logout, &user, &diff))?;
        tx.emit(Event::User(user.id));
    }
    Ok(())
}

/// The grant as it is now, if nobody renewed it in between.
fn unchanged(tx: &WriteTx<'_>, due: &Due) -> Result<Option<GrantRow>> {
    let found = identity_grants::find(tx, due.id)?;
    Ok(found.filter(|row| row.refresh_token == due.row.refresh_token))
}

fn sealed(seal: &Seal, id: IdentityGrantId, granted: &Granted) -> Option<Vec<u8>> {
    let token = granted.refresh_token.as_ref()?;
    let row = id.to_string();
    Some(seal.seal(place(&row), token.as_bytes()))
}

fn open(seal: &Seal, row: &GrantRow) -> Result<Option<Zeroizing<String>>> {
    let Some(sealed) = &row.refresh_token else { return Ok(None) };
    let plain = seal.open(place(&row.id.to_string()), sealed)?;
    Ok(String::from_utf8(plain).ok().map(Zeroizing::new))
}

fn place(row: &str) -> Place<'_> {
    Place { column: "identity_grants.refresh_token", row }
}

fn refresh_at(granted: &Granted, now: Timestamp) -> Timestamp {
    let left = granted.ends_at.since(now).saturating_sub(LEAD);
    now.plus(left.min(ASKED_EVERY).max(LEAST))
}

/// What cannot be renewed ends on time; what can is given time for a provider that is away.
fn ends_at(granted: &Granted) -> Timestamp {
    if granted.refresh_token.is_some() { granted.ends_at.plus(PATIENCE) } else { granted.ends_at }
}

/// Until when a grant is written down to hold. A directory is asked every minute and mostly says what
/// it said before: with so much in hand that needs no writing.
fn kept_until(provider: &str, granted: &Granted) -> Timestamp {
    let in_hand = if provider == DIRECTORY { ASKED_EVERY } else { Duration::ZERO };
    ends_at(granted).plus(in_hand)
}

/// Whether what a directory answered is what was written down, which holds for long enough.
fn says_nothing_new(
    due: &Due,
    (granted, claims): (&Granted, Option<&Claims>),
    rules: &Rules,
) -> bool {
    let Some(claims) = claims.filter(|_| due.provider == DIRECTORY) else { return false };
    let identity = &due.identity;
    let arrival = Arrival {
        provider: due.provider.clone(),
        issuer: identity.issuer.clone(),
        subject: identity.subject.clone(),
        claims: claims.clone(),
    };
    let same_person = identity.provider == due.provider
        && rules.admit(&arrival).is_ok_and(|email| email == identity.email)
        && Claims::from_kept(&identity.claims).is_some()
        && claims.to_kept() == identity.claims;
    let same_name = granted.refresh_token.as_ref() == Some(&due.refresh_token);
    same_person && same_name && due.row.ends_at >= ends_at(granted)
}
