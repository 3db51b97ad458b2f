//! `/workspaces/{workspace}/acl` in Coder's roles, and `/grants` with all that a grant can say.

use std::collections::BTreeMap;

use axum::response::Response;
use http::StatusCode;

use super::convert::people as convert;
use crate::model::grant::{GrantView, Limits, Recipient, Via};
use crate::model::id::{GrantId, GroupId, UserId, WorkspaceId};
use crate::model::network::Network;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::time::Timestamp;
use crate::model::user::UserRef;
use crate::model::verb::{Preset, Verbs};
use crate::model::{duration, window};
use crate::server::app::Error;
use crate::server::app::recipients::{Named, recipient};
use crate::server::app::sharing::NewGrant;
use crate::server::web::extract::{Json, ListQuery, Path, Query, created};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::users::MinimalUser;
use crate::wire::coder::workspaces as coder;
use crate::wire::grants as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    const ACL: &str = "/api/v2/workspaces/{workspace}/acl";
    const ALL: &str = "/api/v2/workspaces/{workspace}/grants";
    const ONE: &str = "/api/v2/workspaces/{workspace}/grants/{grant}";
    let share = Access::may(R::Workspace, A::Share);
    routes
        .get(share, ACL, roles)
        .patch(share, ACL, set_roles)
        .delete(share, ACL, clear)
        .get(share, ALL, list)
        .post(share, ALL, create)
        .get(share, "/api/v2/workspaces/{workspace}/grants/available", available)
        .delete(share, ONE, end)
        .post(share, "/api/v2/workspaces/{workspace}/grants/{grant}/restore", restore)
        .post(Access::may(R::Workspace, A::Read), "/api/v2/workspaces/{workspace}/leave", leave)
}

async fn roles(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<Json<coder::WorkspaceAcl>> {
    let acl = state.app.workspace_acl(&actor, id).await?;
    let users = acl.users.iter().map(|(user, role)| coder::WorkspaceUser {
        id: user.id.0,
        username: user.username.to_string(),
        role: role.to_string(),
        ..coder::WorkspaceUser::default()
    });
    let groups = acl.groups.iter().map(|(view, role)| {
        let mut group = convert::group(view);
        for member in &mut group.members {
            // Who shares a workspace learns who reaches it, and no more of them.
            member.email = String::new();
        }
        coder::WorkspaceGroup { group, role: role.to_string() }
    });
    Ok(Json(coder::WorkspaceAcl { users: users.collect(), groups: groups.collect() }))
}

async fn set_roles(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<coder::UpdateWorkspaceAcl>,
) -> Answer<StatusCode> {
    let workspace = state.app.workspace(&actor, id).await?;
    let place = workspace.organization_id;
    let user = |id: UserId| Recipient::User(id);
    let mut all = changes("user_roles", &body.user_roles, user)?;
    let group = |id: GroupId| recipient(place, id);
    all.extend(changes("group_roles", &body.group_roles, group)?);
    state.app.set_roles(&actor, id, all).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a map from ids to roles asks for.
fn changes<T: std::str::FromStr>(
    field: &'static str,
    asked: &BTreeMap<String, String>,
    to: impl Fn(T) -> Recipient,
) -> Answer<BTreeMap<Recipient, Option<Preset>>> {
    let mut all = BTreeMap::new();
    for (id, role) in asked {
        let parsed =
            id.parse().map_err(|_| Error::invalid(field, format!("{id:?} is not an id")))?;
        let role = match role.as_str() {
            "" => None,
            "use" => Some(Preset::Use),
            "admin" => Some(Preset::Admin),
            word => {
                let why = format!("{word:?} is no role; use use, admin, or nothing to remove");
                return Err(Error::invalid(field, why).into());
            }
        };
        all.insert(to(parsed), role);
    }
    Ok(all)
}

async fn clear(state: State, Who(actor): Who, Path(id): Path<WorkspaceId>) -> Answer<StatusCode> {
    state.app.unshare_all(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<Json<Vec<wire::Grant>>> {
    let all = state.app.grants(&actor, id).await?;
    let place = state.app.workspace(&actor, id).await?.organization_id;
    Ok(Json(all.into_iter().map(|one| shown(one, place.0)).collect()))
}

async fn create(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<wire::CreateGrants>,
) -> Answer<Response> {
    let now = state.app.clock().now();
    let (verbs, limits) = (verbs(&body.verbs)?, limits(&body, now)?);
    let named = Named { users: body.users, groups: body.groups, rotations: body.rotations };
    let to = state.app.recipients(&actor, id, named).await?;
    let one = |to| {
        let (limits, reason) = (limits.clone(), body.reason.trim().to_owned());
        NewGrant { to, verbs, limits, reason, via: Via::Direct }
    };
    let made = state.app.share(&actor, id, to.into_iter().map(one).collect()).await?;
    let place = state.app.workspace(&actor, id).await?.organization_id;
    let made: Vec<wire::Grant> = made.into_iter().map(|one| shown(one, place.0)).collect();
    Ok(created(made))
}

async fn available(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Query(query): Query<ListQuery>,
) -> Answer<Json<wire::Available>> {
    let offered = state.app.sharing_offered(&actor, id, &query.words()).await?;
    let subject = |kind: &str, id: uuid::Uuid, name: String| wire::Subject {
        kind: kind.to_owned(),
        id,
        name,
        people: 0,
    };
    let groups = offered.groups.into_iter().map(|(id, name)| subject("group", id.0, name));
    let rotations = offered.rotations.into_iter().map(|(id, name)| subject("rotation", id.0, name));
    let groups = groups.chain(rotations);
    let users = offered.users.iter().map(minimal).collect();
    Ok(Json(wire::Available { users, groups: groups.collect() }))
}

async fn end(
    state: State,
    Who(actor): Who,
    Path((id, grant)): Path<(WorkspaceId, GrantId)>,
) -> Answer<StatusCode> {
    state.app.unshare(&actor, id, grant).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn restore(
    state: State,
    Who(actor): Who,
    Path((id, grant)): Path<(WorkspaceId, GrantId)>,
) -> Answer<StatusCode> {
    state.app.restore_grant(&actor, id, grant).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn leave(state: State, Who(actor): Who, Path(id): Path<WorkspaceId>) -> Answer<StatusCode> {
    state.app.leave_workspace(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The verbs that a body names; those of `use` for none.
///
/// # Errors
/// [`Error::Invalid`] for a word that is none.
pub(super) fn verbs(words: &[String]) -> Result<Verbs, Error> {
    if words.is_empty() {
        return Ok(Preset::Use.verbs());
    }
    let read = Verbs::parse(&words.join(","));
    read.map_err(|word| Error::invalid("verbs", format!("there is no verb {word:?}")))
}

/// The limits that a body asks for.
///
/// # Errors
/// [`Error::Invalid`] for what cannot be read.
pub(in crate::server::web) fn limits(
    body: &wire::CreateGrants,
    now: Timestamp,
) -> Result<Limits, Error> {
    let at = |field: &'static str, text: &str| {
        let wrong = "is not a time; write 2026-01-31T09:00:00Z";
        Timestamp::parse_rfc3339(text).ok_or_else(|| Error::invalid(field, wrong))
    };
    let from = if body.from.is_empty() { Timestamp::default() } else { at("from", &body.from)? };
    let until = match body.until.as_str() {
        "" => None,
        text => Some(match duration::parse(text) {
            Ok(long) => from.max(now).plus(long),
            Err(_) => at("until", text).map_err(|_| {
                let wrong = "is neither a time nor how long; write 2026-01-31T09:00:00Z or 8h";
                Error::invalid("until", wrong)
            })?,
        }),
    };
    let hours = match body.window.trim() {
        "" => String::new(),
        text => {
            let read = window::parse(text);
            window::words(&read.map_err(|bad| Error::invalid("window", bad.to_string()))?)
        }
    };
    let networks: Result<Vec<Network>, _> =
        body.networks.iter().map(|n| n.trim().parse()).collect();
    Ok(Limits {
        from,
        until,
        hours,
        networks: networks.map_err(|bad| Error::invalid("networks", format!("{bad}")))?,
        needs_mfa: body.require_mfa,
        is_recorded: body.record,
    })
}

pub(super) fn minimal(user: &UserRef) -> MinimalUser {
    let (id, username) = (user.id.0, user.username.to_string());
    MinimalUser { id, username, ..MinimalUser::default() }
}

/// A grant as the API has it.
pub(super) fn shown(view: GrantView, organization: uuid::Uuid) -> wire::Grant {
    let GrantView { grant, name, people, by, holds, may_end } = view;
    let (kind, id) = match grant.to {
        Recipient::User(id) => ("user", id.0),
        Recipient::Group(id) => ("group", id.0),
        Recipient::Rotation(id) => ("rotation", id.0),
        Recipient::Everyone => ("everyone", organization),
    };
    wire::Grant {
        id: grant.id.0,
        workspace_id: grant.workspace_id.0,
        subject: wire::Subject { kind: kind.to_owned(), id, name, people },
        verbs: grant.verbs.iter().map(|verb| verb.to_string()).collect(),
        preset: grant.verbs.preset().map(|preset| preset.to_string()).unwrap_or_default(),
        from: grant.limits.from.max(grant.granted_at).into(),
        until: grant.limits.until.map(Into::into),
        window: grant.limits.hours,
        networks: grant.limits.networks.iter().map(ToString::to_string).collect(),
        require_mfa: grant.limits.needs_mfa,
        record: grant.limits.is_recorded,
        reason: grant.reason,
        granted_by: by.as_ref().map(minimal),
        granted_at: grant.granted_at.into(),
        via: grant.via.to_string(),
        holds,
        may_end,
    }
}
