//! Programs that say who is on call: each signs what it sends with a secret of the rotation.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ring::hmac;
use zeroize::Zeroizing;

use super::rotation_overrides::said;
use super::rotations::{done, find};
use super::{Actor, App, Error, Request, Result, shifts as plans, trail};
use crate::model::audit::{AuditAction, AuditActor, AuditOutcome, AuditSource, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::RotationId;
use crate::model::policy::Action;
use crate::model::rotation::notice::Notice;
use crate::model::rotation::{MAX_OVERRIDE, Override, Rotation};
use crate::model::text;
use crate::model::time::Timestamp;
use crate::server::db::seal::Place;
use crate::server::db::{WriteTx, audit, rotation_overrides, rotations, users};

/// How long ago an event may have been: programs try again for some minutes.
const MAX_AGE: Duration = Duration::from_hours(1);
/// How far ahead of ours a program's clock may be.
const MAX_AHEAD: Duration = Duration::from_mins(5);
/// How long someone is on call when nobody says until when.
const UNSAID: Duration = Duration::from_hours(7 * 24);
/// Signatures of one delivery that are looked at: there are two while a secret changes.
const MAX_SIGNATURES: usize = 4;
/// Characters of a secret that someone gives: of PagerDuty's own they are 64.
const SECRET: std::ops::RangeInclusive<usize> = 16..=256;

/// What a program sent.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its signatures, `v1=` and the HMAC-SHA256 of the body in hexadecimal, with commas between.
    pub signature: String,
    /// The body.
    pub body: Bytes,
    /// From where.
    pub ip: IpAddr,
    /// The request it came in.
    pub request: Option<Arc<Request>>,
}

/// What came of a delivery that was rightly signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Someone is on call by it.
    Set(Override),
    /// It was heard before.
    Known,
    /// It tells of something else than that someone went on call.
    Other,
    /// It names someone who cannot be on call, as the audit log says too.
    Refused(String),
}

impl App {
    /// Lets programs say who is on call: `given` is what they sign with, or a new secret is made. It
    /// is given this once, and takes the place of the one before.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not change the rotation, [`Error::Invalid`] for a secret that is
    /// too short.
    pub async fn set_rotation_webhook(
        &self,
        actor: &Actor,
        id: RotationId,
        given: Option<String>,
    ) -> Result<Zeroizing<String>> {
        actor.require_own()?;
        let secret = Zeroizing::new(match given {
            Some(text) => text.trim().to_owned(),
            None => hex::encode(self.entropy.bytes::<32>()),
        });
        if !SECRET.contains(&secret.len()) || text::check_line(&secret, *SECRET.end()).is_err() {
            let (min, max) = (SECRET.start(), SECRET.end());
            return Err(Error::invalid("secret", format!("wants {min} to {max} characters")));
        }
        let (actor, seal) = (actor.clone(), self.seal.clone());
        self.db
            .write(move |tx| {
                let rotation = find(tx, &actor, Action::Update, id)?;
                actor.require_fresh(tx.now)?;
                let row = id.to_string();
                let sealed = seal.seal(place(&row), secret.as_bytes());
                rotations::set_webhook(tx, id, Some(&sealed))?;
                let diff = Diff::new().secret("webhook_secret");
                done(tx, &actor, AuditAction::Write, (&rotation, &diff))?;
                Ok(secret)
            })
            .await
    }

    /// Lets programs say nothing any more.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not change the rotation.
    pub async fn remove_rotation_webhook(&self, actor: &Actor, id: RotationId) -> Result<()> {
        actor.require_own()?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let rotation = find(tx, &actor, Action::Update, id)?;
                rotations::set_webhook(tx, id, None)?;
                let diff = Diff::new().secret("webhook_secret");
                done(tx, &actor, AuditAction::Write, (&rotation, &diff))
            })
            .await
    }

    /// Hears what a program says of who is on call; none when its signature does not fit, or there is
    /// no such rotation, or none that programs may tell.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what cannot be read or is not of now, [`Error::Conflict`] for what is
    /// older than what was heard last.
    pub async fn hear(&self, id: RotationId, delivery: Delivery) -> Result<Option<Heard>> {
        let seal = self.seal.clone();
        let known = self.db.read(move |tx| Ok::<_, Error>(rotations::webhook(tx, id)?)).await?;
        let Some((sealed, ..)) = known else { return Ok(None) };
        let secret = Zeroizing::new(seal.open(place(&id.to_string()), &sealed)?);
        if !is_signed(&secret, &delivery) {
            return Ok(None);
        }
        let notice = Notice::parse(&delivery.body).map_err(|e| Error::invalid("body", e))?;
        let Some(notice) = notice else { return Ok(Some(Heard::Other)) };
        let source = AuditSource {
            ip: delivery.ip.to_string(),
            ..trail::asked(AuditActor::System, delivery.request.as_deref())
        };
        self.db
            .write(move |tx| {
                // Another secret may have been set meanwhile: this one was right when it came.
                let Some((_, event, at)) = rotations::webhook(tx, id)? else { return Ok(None) };
                let Some(rotation) = rotations::find(tx, id)? else { return Ok(None) };
                if notice.event == event && notice.at == at {
                    return Ok(Some(Heard::Known));
                }
                require_new(tx.now, &notice, at)?;
                rotations::heard(tx, id, (&notice.event, notice.at))?;
                take(tx, &source, &rotation, &notice).map(Some)
            })
            .await
    }
}

fn place(row: &str) -> Place<'_> {
    Place { column: "rotations.webhook_secret", row }
}

pub(super) fn is_signed(secret: &[u8], delivery: &Delivery) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let all = delivery.signature.split(',').take(MAX_SIGNATURES);
    let tags = all.filter_map(|one| hex::decode(one.trim().strip_prefix("v1=")?).ok());
    tags.into_iter().any(|tag| hmac::verify(&key, &delivery.body, &tag).is_ok())
}

/// Asks for an event of now, and later than the last one: who sends an old one again changes nothing.
fn require_new(now: Timestamp, notice: &Notice, last: Timestamp) -> Result<()> {
    if notice.at > now.plus(MAX_AHEAD) {
        return Err(Error::invalid("body", "says that it was in the future; set the clocks right"));
    }
    if now.since(notice.at) > MAX_AGE {
        return Err(Error::invalid("body", "says that it was more than an hour ago"));
    }
    if notice.at <= last {
        return Err(Error::conflict("something that was later has been heard before"));
    }
    Ok(())
}

/// Puts whom a notice names on call, in the place of whom the one before named.
fn take(
    tx: &WriteTx<'_>,
    source: &AuditSource,
    rotation: &Rotation,
    notice: &Notice,
) -> Result<Heard> {
    let user = users::find_by_email(tx, &notice.email)?;
    let fit = user.filter(|u| u.organizations.contains(&rotation.organization_id));
    let Some(user) = fit.filter(|u| u.status.may_act()) else {
        let why = format!("nobody here who may be on call has the address {}", notice.email);
        let outcome = AuditOutcome::refused(400, &why);
        written(tx, source, rotation, (&Diff::new(), &outcome))?;
        return Ok(Heard::Refused(why));
    };
    let mut planned = rotation.clone();
    for old in rotation.overrides.iter().filter(|o| o.made_by.is_none()) {
        rotation_overrides::delete(tx, old.id)?;
        planned.overrides.retain(|o| o.id != old.id);
    }
    let absent = plans::absent(tx, &planned)?;
    let until = until(tx.now, &planned.without(&absent), notice);
    let new = Override {
        id: tx.fresh(),
        user: user.id,
        from_at: tx.now,
        until_at: until,
        made_by: None,
        reason: String::new(),
    };
    rotation_overrides::insert(tx, rotation.id, &new)?;
    plans::plan(tx, rotation.id)?;
    let diff = Diff::new().field("override", &String::new(), &said(tx, &new)?).field(
        "event",
        "",
        notice.event.as_str(),
    );
    written(tx, source, rotation, (&diff, &AuditOutcome::done()))?;
    tx.emit(Event::Grants);
    Ok(Heard::Set(new))
}

/// Until when someone is on call by a notice: as it says, else as long as the shift of now, or until
/// the next one where nobody has this time.
fn until(now: Timestamp, rotation: &Rotation, notice: &Notice) -> Timestamp {
    let said = notice.until.filter(|until| *until > now);
    let planned = || {
        let first = rotation.shifts(now, now.plus(MAX_OVERRIDE)).into_iter().next()?;
        Some(if first.from_at > now { first.from_at } else { first.until_at })
    };
    said.or_else(planned).unwrap_or(now.plus(UNSAID)).min(now.plus(MAX_OVERRIDE))
}

fn written(
    tx: &WriteTx<'_>,
    source: &AuditSource,
    rotation: &Rotation,
    (diff, outcome): (&Diff, &AuditOutcome),
) -> Result<()> {
    let (target, name) = (AuditTarget::Rotation, rotation.name.as_str());
    let entry = trail::entry(AuditAction::Write, target, rotation.id.0, name);
    let entry = trail::with(trail::within(entry, rotation.organization_id), diff);
    Ok(audit::insert(tx, source, &entry, outcome)?)
}
