//! Mails that wait to be sent, and who wants none. Each is written in the transaction of what it tells, and
//! sent later; what each says is in `letters`, through which server it goes in `mail_servers`.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;

use super::access::record;
use super::mail_servers::is_on;
use super::request_rights::person;
use super::{Actor, App, Error, Result, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::id::UserId;
use crate::model::mail::Letter;
use crate::model::time::Timestamp;
use crate::server::db::mails::{self as rows, Mail};
use crate::server::db::{ReadTx, WriteTx};

/// Mails that wait at most: more than a team is told in the hours that a mail server may be away.
pub(super) const MAX_WAITING: usize = 2000;
/// Mails that one round sends.
const AT_ONCE: usize = 20;
/// How often a mail is tried before it is given up: over about four hours.
const MAX_TRIES: u32 = 8;
/// How long after the first failure it is tried again; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_mins(1);
/// Mails that were given up and are shown.
pub(super) const MAX_GIVEN_UP: usize = 50;
/// The longest reason that is kept of one, in characters.
const MAX_FAILURE: usize = 400;

/// A mail as it is sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its number.
    pub seq: i64,
    /// How often it was tried.
    pub tries: u32,
    /// When it was written.
    pub made_at: Timestamp,
    /// The name of whom it is to; may be empty.
    pub name: String,
    /// Their address.
    pub address: String,
    /// What it says.
    pub letter: Letter,
}

/// What came of sending a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was taken.
    Taken,
    /// It was not, for now.
    Later(String),
    /// It never will be.
    Never(String),
}

impl App {
    /// Mails that are to be sent now. One to who may not have it any more is dropped.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outgoing_mails(&self) -> Result<Vec<Outgoing>> {
        let due = self.db.read(|tx| rows::due(tx, AT_ONCE)).await?;
        if due.is_empty() {
            return Ok(vec![]);
        }
        self.db
            .write(move |tx| {
                let is_on = is_on(tx)?;
                let mut all = vec![];
                for mail in due {
                    match outgoing(tx, &mail)?.filter(|_| is_on) {
                        Some(one) => all.push(one),
                        None => rows::done(tx, mail.seq)?,
                    }
                }
                Ok(all)
            })
            .await
    }

    /// Writes what came of sending a mail: one that was not taken is tried again, and given up at last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mail_sent(&self, seq: i64, tries: u32, sent: Sent) -> Result<()> {
        self.db
            .write(move |tx| {
                let (why, is_over) = match sent {
                    Sent::Taken => return Ok(rows::done(tx, seq)?),
                    Sent::Later(why) => (why, tries + 1 >= MAX_TRIES),
                    Sent::Never(why) => (why, true),
                };
                let why: String = why.chars().take(MAX_FAILURE).collect();
                let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(tries));
                let next = (!is_over).then(|| tx.now.plus(wait));
                rows::failed(tx, seq, (&why, next))?;
                Ok(rows::forget_given_up(tx, MAX_GIVEN_UP)?)
            })
            .await
    }

    /// Whether the actor wants mails; none where no mails are sent.
    ///
    /// # Errors
    /// When the actor is no user, or the database fails.
    pub async fn wants_mails(&self, actor: &Actor) -> Result<Option<bool>> {
        let user = actor.caller()?.user.id;
        self.db
            .read(move |tx| match is_on(tx)? {
                true => Ok(Some(!rows::is_refused(tx, user)?)),
                false => Ok(None),
            })
            .await
    }

    /// Switches mails to the actor on or off.
    ///
    /// # Errors
    /// When the actor is no user, or the database fails.
    pub async fn set_wants_mails(&self, actor: &Actor, wants: bool) -> Result<()> {
        actor.require_own()?;
        let user = actor.caller()?.user.clone();
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let did = !rows::is_refused(tx, user.id)?;
                if did == wants {
                    return Ok(());
                }
                let set = if wants { rows::accept } else { rows::refuse };
                set(tx, user.id)?;
                let word = |wants| if wants { "on" } else { "off" };
                let diff = Diff::new().field("mails", word(did), word(wants));
                let target = AuditTarget::User;
                let entry =
                    trail::entry(AuditAction::Write, target, user.id.0, user.username.as_str());
                record(tx, &actor, &trail::with(entry, &diff))
            })
            .await
    }
}

/// Writes a mail to each of these people who wants it.
pub(super) fn write(tx: &WriteTx<'_>, to: &BTreeSet<UserId>, letter: &Letter) -> Result<()> {
    if to.is_empty() || !is_on(tx)? {
        return Ok(());
    }
    let room = MAX_WAITING.saturating_sub(rows::waiting(tx, MAX_WAITING)?);
    if room < to.len() {
        tracing::warn!(left_out = to.len() - room, "too many mails wait; some are not written");
    }
    let text = serde_json::to_string(letter).context("Writing a mail").map_err(Error::Internal)?;
    for user in to.iter().take(room) {
        if !rows::is_refused(tx, *user)? {
            rows::push(tx, *user, &text)?;
        }
    }
    Ok(())
}

fn outgoing(tx: &ReadTx<'_>, mail: &Mail) -> Result<Option<Outgoing>> {
    let Some(user) = person(tx, mail.user)? else { return Ok(None) };
    let Ok(letter) = serde_json::from_str(&mail.letter) else { return Ok(None) };
    if user.email.is_empty() || rows::is_refused(tx, mail.user)? {
        return Ok(None);
    }
    let Mail { seq, tries, made_at, .. } = *mail;
    Ok(Some(Outgoing { seq, tries, made_at, name: user.name, address: user.email, letter }))
}
