//! Programs that are told of requests for access, and of who let themselves in: each notice is written in
//! the transaction of what it tells, and sent later (`request_notices`). A program's address and the secret
//! that is shared with it are sealed.

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
use crate::server::db::request_hooks::{self as rows, Kept};
use crate::server::db::seal::{Place, Seal};
use crate::server::db::{ReadTx, WriteTx, workspaces};

/// The longest address of a program.
const MAX_URL: usize = 1024;
/// Notices of one organization that wait at most when another request is to be told; what became of one,
/// and who let themselves in, is told all the same.
const MAX_WAITING: usize = 500;

impl App {
    /// The program that is told of requests in an organization; none when there is none.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an organization that the actor does not know, [`Error::Denied`] for one
    /// that they do not keep.
    pub async fn request_hook(&self, actor: &Actor, key: &str) -> Result<Option<Hook>> {
        let (actor, key, seal) = (actor.clone(), key.to_owned(), self.seal.clone());
        self.db
            .read(move |tx| {
                let place = keep(tx, &actor, &key)?;
                let found = rows::find(tx, place.id)?;
                found.map(|kept| hook(&seal, place.id, &kept)).transpose()
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
    ) -> Result<(Hook, Zeroizing<String>)> {
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
                let row = place.id.to_string();
                let kept = Kept {
                    url: seal.seal(url_at(&row), url.as_bytes()),
                    secret: seal.seal(secret_at(&row), secret.as_bytes()),
                    is_trusted,
                    set_by: user,
                    set_at: tx.now,
                };
                rows::put(tx, place.id, &kept)?;
                let hook = hook(&seal, place.id, &kept)?;
                let diff = Diff::new().field("request_hook", "", hook.host.as_str());
                let diff = diff.secret("url").secret("secret");
                written(tx, &actor, (&place, &diff))?;
                Ok((hook, secret))
            })
            .await
    }

    /// Has no program told any more.
    ///
    /// # Errors
    /// As [`App::request_hook`].
    pub async fn remove_request_hook(&self, actor: &Actor, key: &str) -> Result<()> {
        let (actor, key, seal) = (actor.clone(), key.to_owned(), self.seal.clone());
        self.db
            .write(move |tx| {
                require_whole(&actor)?;
                let place = keep(tx, &actor, &key)?;
                let Some(kept) = rows::find(tx, place.id)? else { return Ok(()) };
                rows::delete(tx, place.id)?;
                // One that cannot be read goes all the same.
                let host = hook(&seal, place.id, &kept).map(|hook| hook.host).unwrap_or_default();
                let diff = Diff::new().field("request_hook", host.as_str(), "");
                written(tx, &actor, (&place, &diff))
            })
            .await
    }
}

impl App {
    /// Seals the addresses that an older release kept in clear. To be called at start.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seal_hooks(&self) -> Result<usize> {
        if self.db.read(rows::unsealed).await?.is_empty() {
            return Ok(0);
        }
        let seal = self.seal.clone();
        self.db
            .write(move |tx| {
                let left = rows::unsealed(tx)?;
                for (organization, url) in &left {
                    let sealed = seal.seal(url_at(&organization.to_string()), url);
                    rows::set_sealed(tx, *organization, &sealed)?;
                }
                Ok(left.len())
            })
            .await
    }
}

/// Where the secret of an organization's program is sealed.
pub(super) fn secret_at(row: &str) -> Place<'_> {
    Place { column: "request_hooks.secret", row }
}

/// Where its address is.
fn url_at(row: &str) -> Place<'_> {
    Place { column: "request_hooks.url", row }
}

/// The address of an organization's program.
pub(super) fn address(seal: &Seal, organization: OrganizationId, kept: &Kept) -> Result<Url> {
    let plain = Zeroizing::new(seal.open(url_at(&organization.to_string()), &kept.url)?);
    let text = std::str::from_utf8(&plain).map_err(|e| Error::invalid("url", e))?;
    text.parse().map_err(|e| Error::invalid("url", e))
}

/// A program as it is shown.
fn hook(seal: &Seal, organization: OrganizationId, kept: &Kept) -> Result<Hook> {
    let url = address(seal, organization, kept)?;
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Ok(Hook { host, is_trusted: kept.is_trusted, set_by: kept.set_by, set_at: kept.set_at })
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
