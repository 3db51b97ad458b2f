//! Programs that are told of requests for access, and of who let themselves in: each notice is written in
//! the transaction of what it tells, and sent later, signed with a secret that is shared with the program.

use std::time::Duration;

use ring::hmac;
use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroizing;

use super::access::record;
use super::request_rights::require_whole;
use super::request_views::name;
use super::{Actor, App, Error, Result, organizations as places, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::id::{OrganizationId, WorkspaceId};
use crate::model::policy::Action;
use crate::model::request::{BreakGlass, Hook, Request};
use crate::model::user::{Organization, SiteRole};
use crate::server::db::seal::{Place, Seal};
use crate::server::db::{ReadTx, WriteTx, request_hooks as rows, workspaces};

/// The longest address of a program.
const MAX_URL: usize = 1024;
/// Notices of one organization that wait at most when another request is to be told; what became of one,
/// and who let themselves in, is told all the same.
const MAX_WAITING: usize = 500;
/// Notices that one round sends.
const AT_ONCE: usize = 20;
/// How often a notice is tried before it is given up: over about four hours.
const MAX_TRIES: u32 = 8;
/// How long after the first failure it is tried again; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_mins(1);

/// A notice as it is sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its number.
    pub seq: i64,
    /// How often it was tried.
    pub tries: u32,
    /// Where to.
    pub url: Url,
    /// It may lie in a private network: an owner of the site has named it.
    pub is_trusted: bool,
    /// `v1=` and the HMAC-SHA256 of the body in hexadecimal.
    pub signature: String,
    /// What is told, as JSON.
    pub body: String,
}

impl App {
    /// The program that is told of requests in an organization; none when there is none.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an organization that the actor does not know, [`Error::Denied`] for one
    /// that they do not keep.
    pub async fn request_hook(&self, actor: &Actor, key: &str) -> Result<Option<Hook>> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .read(move |tx| {
                let place = keep(tx, &actor, &key)?;
                Ok(rows::find(tx, place.id)?.map(|(hook, _)| hook))
            })
            .await
    }

    /// Has a program told of requests in an organization. The secret that it knows notices by is given
    /// this once. One that an owner of the site names may lie in a private network, others' may not.
    ///
    /// # Errors
    /// As [`App::request_hook`]; [`Error::Invalid`] for an address that may not be asked.
    pub async fn set_request_hook(
        &self,
        actor: &Actor,
        key: &str,
        url: &str,
    ) -> Result<Zeroizing<String>> {
        let secret = Zeroizing::new(hex::encode(self.entropy.bytes::<32>()));
        let (actor, key, seal) = (actor.clone(), key.to_owned(), self.seal.clone());
        let url = url.trim().to_owned();
        self.db
            .write(move |tx| {
                let user = require_whole(&actor)?;
                let place = keep(tx, &actor, &key)?;
                actor.require_fresh(tx.now)?;
                let is_trusted = actor.caller()?.user.has(SiteRole::Owner);
                require_address(&url, is_trusted)?;
                let hook = Hook { url, is_trusted, set_by: user, set_at: tx.now };
                let row = place.id.to_string();
                let sealed = seal.seal(sealed_at(&row), secret.as_bytes());
                rows::put(tx, place.id, (&hook, &sealed))?;
                let diff =
                    Diff::new().field("request_hook", "", hook.url.as_str()).secret("secret");
                written(tx, &actor, (&place, &diff))?;
                Ok(secret)
            })
            .await
    }

    /// Has no program told any more.
    ///
    /// # Errors
    /// As [`App::request_hook`].
    pub async fn remove_request_hook(&self, actor: &Actor, key: &str) -> Result<()> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .write(move |tx| {
                require_whole(&actor)?;
                let place = keep(tx, &actor, &key)?;
                let Some((hook, _)) = rows::find(tx, place.id)? else { return Ok(()) };
                rows::delete(tx, place.id)?;
                let diff = Diff::new().field("request_hook", hook.url.as_str(), "");
                written(tx, &actor, (&place, &diff))
            })
            .await
    }

    /// Notices that are to be sent now. What cannot be sent is put off as what was not taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outgoing_notices(&self) -> Result<Vec<Outgoing>> {
        let (seal, base) = (self.seal.clone(), self.policy.access_url.clone());
        let due = self
            .db
            .read(move |tx| {
                let mut all = vec![];
                for notice in rows::due(tx, AT_ONCE)? {
                    let Some(hook) = rows::find(tx, notice.organization)? else { continue };
                    let (seq, tries) = (notice.seq, notice.tries);
                    all.push((seq, tries, outgoing(&seal, &base, (notice, hook))));
                }
                Ok::<_, Error>(all)
            })
            .await?;
        let mut all = vec![];
        for (seq, tries, made) in due {
            match made {
                Ok(one) => all.push(one),
                Err(error) => {
                    tracing::error!(%error, seq, "a notice cannot be sent");
                    self.notice_sent(seq, tries, false).await?;
                }
            }
        }
        Ok(all)
    }

    /// Writes what came of sending a notice: one that was not taken is tried again, and given up at last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notice_sent(&self, seq: i64, tries: u32, was_taken: bool) -> Result<()> {
        self.db
            .write(move |tx| {
                if was_taken || tries + 1 >= MAX_TRIES {
                    return Ok(rows::done(tx, seq)?);
                }
                let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(tries));
                Ok(rows::put_off(tx, seq, tx.now.plus(wait))?)
            })
            .await
    }
}

/// A notice, signed as the program knows it.
fn outgoing(
    seal: &Seal,
    base: &str,
    (notice, (hook, sealed)): (rows::Notice, (Hook, Vec<u8>)),
) -> Result<Outgoing> {
    let row = notice.organization.to_string();
    let secret = Zeroizing::new(seal.open(sealed_at(&row), &sealed)?);
    let url: Url = hook.url.parse().map_err(|e| Error::invalid("url", e))?;
    let body = completed(&notice.body, base);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let signature = format!("v1={}", hex::encode(hmac::sign(&key, body.as_bytes())));
    let (seq, tries, is_trusted) = (notice.seq, notice.tries, hook.is_trusted);
    Ok(Outgoing { seq, tries, url, is_trusted, signature, body })
}

/// Where the secret of an organization's program is sealed.
pub(super) fn sealed_at(row: &str) -> Place<'_> {
    Place { column: "request_hooks.secret", row }
}

/// An organization that the actor keeps.
fn keep(tx: &ReadTx<'_>, actor: &Actor, key: &str) -> Result<Organization> {
    let place = places::find(tx, actor, key)?;
    actor.require(tx.now, Action::Update, &places::object(&place))?;
    Ok(place)
}

/// Asks for an address that may be told: by TLS, or wherever an owner of the site says.
fn require_address(text: &str, is_trusted: bool) -> Result<()> {
    let wrong = |why: &str| Error::invalid("url", why);
    if text.len() > MAX_URL {
        return Err(wrong("is too long"));
    }
    let url: Url = text.parse().map_err(|_| wrong("is not an address"))?;
    let fits = url.scheme() == "https" || (is_trusted && url.scheme() == "http");
    if !fits || !url.has_host() {
        return Err(wrong("must begin with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds a name or a password; notices are signed instead"));
    }
    Ok(())
}

/// A notice with where people find what it tells of.
fn completed(body: &str, base: &str) -> String {
    let Ok(Value::Object(mut all)) = serde_json::from_str(body) else { return body.to_owned() };
    if let Some(Value::String(path)) = all.remove("path") {
        all.insert("url".to_owned(), Value::String(format!("{base}{path}")));
    }
    Value::Object(all).to_string()
}

/// Has the program of an organization told what became of a request.
pub(super) fn tell_request(
    tx: &WriteTx<'_>,
    organization: OrganizationId,
    (request, event): (&Request, &str),
) -> Result<()> {
    let Some(workspace) = request.workspace_id else { return Ok(()) };
    // What nobody takes for hours is not kept without end.
    if event == "requested" && rows::waiting(tx, organization)? >= MAX_WAITING {
        return Ok(());
    }
    tell(tx, organization, || {
        Ok(json!({
            "event": event,
            "at": tx.now.rfc3339(),
            "request": request.id,
            "requester": name(tx, request.user_id)?.username.as_str(),
            "workspace": place_of(tx, workspace)?,
            "verbs": request.verbs.iter().map(|verb| verb.as_str()).collect::<Vec<_>>(),
            "for_seconds": request.lasts.as_secs(),
            "reason": request.reason,
            "expires_at": request.expires_at.rfc3339(),
            "path": format!("/requests/{}", request.id),
        }))
    })
}

/// Has it told that someone let themselves in.
pub(super) fn tell_break_glass(
    tx: &WriteTx<'_>,
    organization: OrganizationId,
    taken: &BreakGlass,
) -> Result<()> {
    tell(tx, organization, || {
        Ok(json!({
            "event": "break_glass",
            "at": tx.now.rfc3339(),
            "user": name(tx, taken.user_id)?.username.as_str(),
            "workspace": place_of(tx, taken.workspace_id)?,
            "reason": taken.reason,
            "until": taken.until.rfc3339(),
            "path": "/requests",
        }))
    })
}

fn place_of(tx: &ReadTx<'_>, id: WorkspaceId) -> Result<String> {
    let found = workspaces::find(tx, id)?.ok_or(Error::NotFound("workspace"))?;
    Ok(format!("{}/{}", found.owner.username, found.name))
}

fn tell(
    tx: &WriteTx<'_>,
    organization: OrganizationId,
    what: impl FnOnce() -> Result<Value>,
) -> Result<()> {
    if rows::find(tx, organization)?.is_none() {
        return Ok(());
    }
    Ok(rows::push(tx, organization, &what()?.to_string())?)
}

fn written(tx: &WriteTx<'_>, actor: &Actor, (place, diff): (&Organization, &Diff)) -> Result<()> {
    let target = AuditTarget::Organization;
    let entry = trail::entry(AuditAction::Write, target, place.id.0, &place.name);
    record(tx, actor, &trail::with(trail::within(entry, place.id), diff))
}
