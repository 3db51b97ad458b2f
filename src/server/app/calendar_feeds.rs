//! Links by which calendars follow shifts: one a person, for every rotation that they may see.

use std::net::IpAddr;
use std::time::Duration;

use super::access::{record, subject};
use super::rotations::{names, object};
use super::{Actor, App, Error, Result, shifts as plans, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::id::{RotationId, UserId};
use crate::model::policy::{self, Action, Context, Scope};
use crate::model::rotation::{HORIZON, calendar};
use crate::model::secret::Token;
use crate::model::time::Timestamp;
use crate::server::db::{ReadTx, WriteTx, calendar_feeds, rotations, users};

/// How far back a calendar goes.
const BACK: Duration = Duration::from_hours(30 * 24);

impl App {
    /// Gives the actor a link of their own, in the place of the one they had. It is given this once.
    ///
    /// # Errors
    /// [`Error::Denied`] for who is no user, or asks by a token that is lent to a workspace.
    pub async fn new_calendar_feed(&self, actor: &Actor) -> Result<Token> {
        actor.require_own()?;
        let (token, actor) = (self.new_token(), actor.clone());
        self.db
            .write(move |tx| {
                // A link is a lasting way in, as a token is.
                actor.require_fresh(tx.now)?;
                super::tokens::require_unlimited(tx, &actor)?;
                calendar_feeds::put(tx, actor.caller()?.user.id, &token)?;
                written(tx, &actor)?;
                Ok(token)
            })
            .await
    }

    /// Ends the actor's link.
    ///
    /// # Errors
    /// [`Error::NotFound`] when they have none.
    pub async fn end_calendar_feed(&self, actor: &Actor) -> Result<()> {
        actor.require_own()?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                if calendar_feeds::delete(tx, actor.caller()?.user.id)? == 0 {
                    return Err(Error::NotFound("calendar feed"));
                }
                written(tx, &actor)
            })
            .await
    }

    /// Whether the actor has a link.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_calendar_feed(&self, actor: &Actor) -> Result<bool> {
        let Some(user) = actor.user_id() else { return Ok(false) };
        Ok(self.db.read(move |tx| calendar_feeds::has(tx, user)).await?)
    }

    /// A rotation as a calendar, by someone's link. Wrong links are counted for their network, and made
    /// to wait; a right one never is, whatever others of its network do.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the link does not hold, or its owner may not see the rotation;
    /// [`Error::Conflict`] after too many wrong ones.
    pub async fn calendar(&self, link: &str, id: RotationId, ip: IpAddr) -> Result<String> {
        let host = self.policy.access_url.parse::<url::Url>().ok();
        let host = host.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let drawn = match Token::parse(link) {
            None => None,
            Some(token) => {
                let read = move |tx: &ReadTx<'_>| {
                    let owner = owner(tx, &token)?;
                    owner.map(|user| draw(tx, user, id, &host)).transpose()
                };
                self.db.read(read).await?
            }
        };
        if let Some(text) = drawn {
            return Ok(text);
        }
        self.require_no_wait(ip).await?;
        self.count_guess(ip).await?;
        Err(Error::NotFound("calendar"))
    }
}

/// Whose link it is; none for a wrong one.
fn owner(tx: &ReadTx<'_>, token: &Token) -> Result<Option<UserId>> {
    let found = calendar_feeds::present(tx, token.public_id())?;
    Ok(found.filter(|(_, hash)| hash.matches(token)).map(|(user, _)| user))
}

fn draw(tx: &ReadTx<'_>, user: UserId, id: RotationId, host: &str) -> Result<String> {
    let missing = || Error::NotFound("calendar");
    let user = users::find(tx, user)?.filter(|user| user.status.may_act()).ok_or_else(missing)?;
    let rotation = rotations::find(tx, id)?.ok_or_else(missing)?;
    let subject = subject(tx, &user, Scope::ALL)?;
    let context = Context { now: tx.now, ip: None, mfa_at: None, conditions: &[] };
    policy::decide(&subject, Action::Read, &object(&rotation), &context).map_err(|_| missing())?;
    let from = Timestamp(tx.now.0.saturating_sub(i64::try_from(BACK.as_secs()).unwrap_or(0)));
    let shifts = plans::planned(tx, &rotation, (from, tx.now.plus(HORIZON)))?;
    let people = names(tx, shifts.iter().map(|s| s.user))?;
    let entries = shifts.iter().filter_map(|s| {
        let user = people.get(&s.user)?;
        Some((s.from_at, s.until_at, user.username.clone()))
    });
    let entries: Vec<calendar::Entry> = entries.collect();
    Ok(calendar::write(&rotation, &entries, (host, tx.now)))
}

fn written(tx: &WriteTx<'_>, actor: &Actor) -> Result<()> {
    let me = &actor.caller()?.user;
    let entry = trail::entry(AuditAction::Write, AuditTarget::User, me.id.0, me.username.as_str());
    record(tx, actor, &trail::with(entry, &Diff::new().secret("calendar_feed")))
}
