//! `/groups` and `/organizations/{organization}/groups`.

use std::collections::BTreeSet;

use axum::response::Response;

use super::convert::people as convert;
use super::users::people_asked_for;
use crate::model::id::GroupId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::app::groups::{CreateGroup, GroupView, UpdateGroup};
use crate::server::app::{Actor, Error};
use crate::server::web::extract::{Json, ListQuery, Path, Query, created, message};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::organizations as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::may(R::GroupMember, A::Read), "/api/v2/groups", list_all)
        .get(Access::may(R::GroupMember, A::Read), "/api/v2/groups/{group}", show)
        .get(Access::may(R::GroupMember, A::Read), "/api/v2/groups/{group}/members", members)
        .patch(Access::may(R::Group, A::Update), "/api/v2/groups/{group}", update)
        .delete(Access::may(R::Group, A::Delete), "/api/v2/groups/{group}", delete)
        .get(
            Access::may(R::GroupMember, A::Read),
            "/api/v2/organizations/{organization}/groups",
            list,
        )
        .post(
            Access::may(R::Group, A::Create),
            "/api/v2/organizations/{organization}/groups",
            create,
        )
        .get(
            Access::may(R::GroupMember, A::Read),
            "/api/v2/organizations/{organization}/groups/{name}",
            show_named,
        )
        .get(
            Access::may(R::GroupMember, A::Read),
            "/api/v2/organizations/{organization}/groups/{name}/members",
            members_named,
        )
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct ListGroups {
    organization: String,
    has_member: String,
    group_ids: String,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct ShowGroup {
    exclude_members: bool,
}

/// The groups of an organization: those that the actor sees, and by name those that they may share with.
async fn of(state: &State, actor: &Actor, key: &str) -> Result<Vec<GroupView>, Error> {
    let mut seen = state.app.groups(actor, key).await?;
    for group in state.app.nameable_groups(actor, key).await?.into_iter().flatten() {
        if seen.iter().all(|known| known.group.id != group.group.id) {
            seen.push(group);
        }
    }
    Ok(seen)
}

async fn list_all(
    state: State,
    Who(actor): Who,
    Query(query): Query<ListGroups>,
) -> Answer<Json<Vec<wire::Group>>> {
    let mut groups = match query.organization.as_str() {
        "" => state.app.all_groups(&actor).await?,
        organization => of(&state, &actor, organization).await?,
    };
    if !query.group_ids.is_empty() {
        let ids: Result<BTreeSet<GroupId>, _> =
            query.group_ids.split(',').map(str::parse).collect();
        let ids =
            ids.map_err(|_| Error::invalid("group_ids", "must be ids with commas between"))?;
        groups.retain(|g| ids.contains(&g.group.id));
    }
    if !query.has_member.is_empty() {
        let user = state.app.user(&actor, &query.has_member).await?;
        groups.retain(|g| g.members.iter().any(|m| m.id == user.id));
    }
    Ok(all(&groups))
}

async fn list(
    state: State,
    Who(actor): Who,
    Path(organization): Path<String>,
) -> Answer<Json<Vec<wire::Group>>> {
    Ok(all(&of(&state, &actor, &organization).await?))
}

fn all(groups: &[GroupView]) -> Json<Vec<wire::Group>> {
    Json(groups.iter().map(convert::group).collect())
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(id): Path<GroupId>,
    Query(query): Query<ShowGroup>,
) -> Answer<Json<wire::Group>> {
    let mut view = state.app.group(&actor, id).await?;
    view.members.retain(|_| !query.exclude_members);
    Ok(Json(convert::group(&view)))
}

async fn members(
    state: State,
    Who(actor): Who,
    Path(id): Path<GroupId>,
    Query(query): Query<ListQuery>,
) -> Answer<Json<wire::GroupMembers>> {
    let (users, count) = state.app.group_members(&actor, id, people_asked_for(&query)?).await?;
    Ok(Json(wire::GroupMembers { users: users.iter().map(convert::reduced_user).collect(), count }))
}

async fn members_named(
    state: State,
    Who(actor): Who,
    Path((organization, name)): Path<(String, String)>,
    query: Query<ListQuery>,
) -> Answer<Json<wire::GroupMembers>> {
    let id = state.app.group_named(&actor, &organization, &name).await?.group.id;
    members(state, Who(actor), Path(id), query).await
}

async fn show_named(
    state: State,
    Who(actor): Who,
    Path((organization, name)): Path<(String, String)>,
) -> Answer<Json<wire::Group>> {
    Ok(Json(convert::group(&state.app.group_named(&actor, &organization, &name).await?)))
}

async fn create(
    state: State,
    Who(actor): Who,
    Path(organization): Path<String>,
    Json(body): Json<wire::CreateGroup>,
) -> Answer<Response> {
    let cmd = CreateGroup {
        name: body.name,
        display_name: body.display_name,
        avatar_url: body.avatar_url,
        quota_allowance: body.quota_allowance,
    };
    let made = state.app.create_group(&actor, &organization, cmd).await?;
    Ok(created(convert::group(&made)))
}

async fn update(
    state: State,
    Who(actor): Who,
    Path(id): Path<GroupId>,
    Json(body): Json<wire::UpdateGroup>,
) -> Answer<Json<wire::Group>> {
    let cmd = UpdateGroup {
        name: body.name.filter(|n| !n.is_empty()),
        display_name: body.display_name,
        avatar_url: body.avatar_url,
        quota_allowance: body.quota_allowance,
        add_users: body.add_users,
        remove_users: body.remove_users,
    };
    Ok(Json(convert::group(&state.app.update_group(&actor, id, cmd).await?)))
}

async fn delete(state: State, Who(actor): Who, Path(id): Path<GroupId>) -> Answer<Response> {
    state.app.delete_group(&actor, id).await?;
    Ok(message("The group is deleted."))
}
