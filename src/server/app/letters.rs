//! What people are told by mail, and whom: who may answer a request, what became of one's own, who let
//! themselves in, whose access ends, and that access should be reviewed.

use std::collections::BTreeSet;
use std::time::Duration;

use super::access::rights;
use super::mail_servers::is_on;
use super::mails::write;
use super::request_rights::{Asked, absent, person};
use super::request_views::name;
use super::{App, Error, Result};
use crate::model::grant::Recipient;
use crate::model::id::{GrantId, GroupId, RotationId, UserId, WorkspaceId};
use crate::model::mail::{Letter, quoted};
use crate::model::request::{BreakGlass, Request};
use crate::model::time::{Timestamp, words};
use crate::model::user::UserKind;
use crate::model::verb::Verb;
use crate::server::db::{
    ReadTx, WriteTx, grants, groups, mails as rows, service_accounts, settings, shifts, users,
    workspaces,
};

/// People that one mail goes to at most.
const MAX_TOLD: usize = 50;
/// People whose rights are looked at for one request, while all other writes wait.
const MAX_ASKED: usize = 200;
/// How long before its end someone is told of it: what is shorter they know the end of.
const AHEAD: Duration = Duration::from_hours(24);
/// Up to when ends were told.
const TOLD_UNTIL: &str = "mail_ends_told_until";
/// Grants that end in one second and are told.
const MAX_ENDING: usize = 500;

/// Tells who may answer a request that it waits.
pub(super) fn tell_approvers(tx: &WriteTx<'_>, asked: &Asked<'_>) -> Result<()> {
    if !is_on(tx)? {
        return Ok(());
    }
    let (request, place) = (asked.request, place_of(tx, asked.workspace)?);
    let who = name(tx, request.user_id)?.username;
    let verbs = joined(request);
    let lines = vec![
        format!("{who} asks for {place}: {verbs}, for {}.", words(request.lasts)),
        format!("Reason: {}", quoted(&request.reason)),
        format!("It waits for an answer until {}.", clock(request.expires_at)),
    ];
    let link = (format!("/requests/{}", request.id), "Answer it");
    write(tx, &approvers(tx, asked)?, &Letter::new(&format!("{who} asks for {place}"), lines, link))
}

/// Tells who asked what became of it.
pub(super) fn tell_requester(tx: &WriteTx<'_>, request: &Request, became: &str) -> Result<()> {
    let Some(workspace) = request.workspace_id else { return Ok(()) };
    if !is_on(tx)? {
        return Ok(());
    }
    let place = place_of(tx, workspace)?;
    let lines = vec![format!("Your request for {place} is {became}.")];
    let link = (format!("/requests/{}", request.id), "Look at it");
    let letter = Letter::new(&format!("Your request for {place} is {became}"), lines, link);
    write(tx, &BTreeSet::from([request.user_id]), &letter)
}

/// Tells who keeps a workspace, and who looks after the site, that someone let themselves in.
pub(super) fn tell_keepers(tx: &WriteTx<'_>, taken: &BreakGlass) -> Result<()> {
    if !is_on(tx)? {
        return Ok(());
    }
    let (who, place) = (name(tx, taken.user_id)?.username, place_of(tx, taken.workspace_id)?);
    let lines = vec![
        format!("{who} let themselves into {place} in an emergency, until {}.", clock(taken.until)),
        format!("Reason: {}", quoted(&taken.reason)),
        "What they do is recorded. Someone else has to look into it.".to_owned(),
    ];
    let mut to: BTreeSet<UserId> = rows::keepers(tx, MAX_TOLD)?.into_iter().collect();
    to.extend(keeper_of(tx, taken.workspace_id)?);
    to.remove(&taken.user_id);
    let link = ("/requests".to_owned(), "Look into it");
    write(tx, &to, &Letter::new(&format!("{who} let themselves into {place}"), lines, link))
}

/// Tells who looks after the site that access should be reviewed.
pub(super) fn tell_reviewers(tx: &WriteTx<'_>, since: Timestamp) -> Result<()> {
    let to: BTreeSet<UserId> = rows::keepers(tx, MAX_TOLD)?.into_iter().collect();
    let lines = vec![format!(
        "Who reaches which workspace should be reviewed and signed off; it is due since {}.",
        clock(since)
    )];
    let link = ("/access".to_owned(), "Review access");
    write(tx, &to, &Letter::new("Access should be reviewed", lines, link))
}

impl App {
    /// Tells by mail whose access ends within a day, each end once. Whether there may be more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell_ends_step(&self) -> Result<bool> {
        let is_due = |tx: &ReadTx<'_>| Ok::<_, Error>(is_on(tx)? && ends(tx)?.is_some());
        if !self.db.read(is_due).await? {
            return Ok(false);
        }
        self.db
            .write(|tx| {
                let Some((until, is_end)) = ends(tx)? else { return Ok(false) };
                if is_end {
                    let all = rows::ending(tx, (until, AHEAD), MAX_ENDING)?;
                    if all.len() == MAX_ENDING {
                        tracing::warn!(
                            until = until.0,
                            "access of more people ends than are told by mail"
                        );
                    }
                    for (grant, workspace, user) in all {
                        tell_end(tx, (grant, user), (workspace, until))?;
                    }
                }
                settings::put(tx, TOLD_UNTIL, until.0.to_string().as_bytes())?;
                Ok(is_end)
            })
            .await
    }
}

/// The next end that nobody was told of, or up to when there is none; none where that is known.
fn ends(tx: &ReadTx<'_>) -> Result<Option<(Timestamp, bool)>> {
    let kept = settings::find(tx, TOLD_UNTIL)?.and_then(|kept| String::from_utf8(kept).ok());
    let told: Option<i64> = kept.and_then(|kept| kept.parse().ok());
    let horizon = tx.now.plus(AHEAD);
    let Some(told) = told.map(Timestamp) else { return Ok(Some((horizon, false))) };
    // Of what is over already nobody is told.
    match rows::next_end(tx, (told.max(tx.now), horizon), AHEAD)? {
        Some(end) => Ok(Some((end, true))),
        // A row is written once a minute at most, and not where nothing happens.
        None => Ok((horizon.since(told) >= AHEAD / 2).then_some((horizon, false))),
    }
}

/// Tells someone that their access ends, unless they keep all of it by another right.
fn tell_end(
    tx: &WriteTx<'_>,
    (grant, user): (GrantId, UserId),
    (workspace, until): (WorkspaceId, Timestamp),
) -> Result<()> {
    let held = rights(tx, user, workspace)?;
    let lasts = |verb: Verb| {
        let mut other = held.iter().filter(|one| one.verb == verb && one.grant_id != Some(grant));
        other.any(|one| one.until.is_none_or(|end| end > until))
    };
    let mut ending = held.iter().filter(|one| one.grant_id == Some(grant));
    if ending.all(|one| lasts(one.verb)) {
        return Ok(());
    }
    let place = place_of(tx, workspace)?;
    let lines = vec![
        format!("Your access to {place} ends at {}.", clock(until)),
        "If you need it for longer, ask for more time.".to_owned(),
    ];
    let path = format!("/requests/new?workspace={place}");
    let letter =
        Letter::new(&format!("Your access to {place} ends"), lines, (path, "Ask for more time"));
    write(tx, &BTreeSet::from([user]), &letter)
}

/// Who may answer a request: its keeper, who may share by a grant, whom the rule names; where nobody of
/// them may, who looks after the site.
fn approvers(tx: &ReadTx<'_>, asked: &Asked<'_>) -> Result<BTreeSet<UserId>> {
    let mut near = BTreeSet::new();
    for grant in grants::list(tx, asked.workspace)? {
        if grant.verbs.contains(Verb::Share) {
            match grant.to {
                Recipient::User(user) => near.extend([user]),
                Recipient::Group(group) => near.extend(members(tx, group)?),
                Recipient::Rotation(rotation) => near.extend(on_call(tx, rotation)?),
                // Nobody in particular: they see it among the requests that wait for them.
                Recipient::Everyone => {}
            }
        }
    }
    if let Some(rule) = &asked.rule {
        near.extend(rule.group.map(|group| members(tx, group)).transpose()?.unwrap_or_default());
        near.extend(rule.rotation.map(|one| on_call(tx, one)).transpose()?.flatten());
    }
    // Whose it is comes first, however many others there are.
    let keeper = able(tx, asked, keeper_of(tx, asked.workspace)?.into_iter().collect())?;
    let near = able(tx, asked, near)?.into_iter().chain(keeper).collect::<BTreeSet<_>>();
    if !near.is_empty() {
        return Ok(near);
    }
    able(tx, asked, rows::keepers(tx, MAX_TOLD)?.into_iter().collect())
}

/// Those who may answer it as things are.
fn able(tx: &ReadTx<'_>, asked: &Asked<'_>, all: BTreeSet<UserId>) -> Result<BTreeSet<UserId>> {
    let mut found = BTreeSet::new();
    for user in all.into_iter().take(MAX_ASKED) {
        if found.len() < MAX_TOLD && asked.right_of(tx, user, &absent(tx))?.is_some() {
            found.insert(user);
        }
    }
    Ok(found)
}

fn members(tx: &ReadTx<'_>, group: GroupId) -> Result<Vec<UserId>> {
    Ok(groups::members(tx, group)?.into_iter().map(|user| user.id).collect())
}

fn on_call(tx: &ReadTx<'_>, rotation: RotationId) -> Result<Option<UserId>> {
    Ok(shifts::on_shift(tx, rotation)?.map(|(user, _)| user))
}

/// Who owns a workspace, or answers for the account that does.
fn keeper_of(tx: &ReadTx<'_>, workspace: WorkspaceId) -> Result<Option<UserId>> {
    let Some((owner, _)) = workspaces::belonging(tx, workspace)? else { return Ok(None) };
    let found = users::find(tx, owner)?;
    if found.is_some_and(|user| user.kind == UserKind::Service) {
        return Ok(service_accounts::find(tx, owner)?.and_then(|row| row.responsible));
    }
    Ok(person(tx, owner)?.map(|user| user.id))
}

fn place_of(tx: &ReadTx<'_>, id: WorkspaceId) -> Result<String> {
    let found = workspaces::find(tx, id)?.ok_or(Error::NotFound("workspace"))?;
    Ok(format!("{}/{}", found.owner.username, found.name))
}

fn joined(request: &Request) -> String {
    request.verbs.iter().map(Verb::as_str).collect::<Vec<_>>().join(", ")
}

/// A time as everyone reads it, whose clock is another.
fn clock(at: Timestamp) -> String {
    let text = at.rfc3339();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{day} {} UTC", time.get(..5).unwrap_or_default())
}
