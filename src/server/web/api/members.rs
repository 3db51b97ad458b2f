//! `/organizations/{organization}/members`: who belongs to an organization, and their roles there.

use http::StatusCode;

use super::convert::people as convert;
use super::users::people_asked_for;
use crate::model::policy::{Action as A, Permission, Permissions, ResourceType as R};
use crate::model::time::Timestamp;
use crate::model::user::{Organization, User};
use crate::server::app::roles::{PutRole, RoleView};
use crate::server::app::{Actor, Error};
use crate::server::web::extract::{Json, ListQuery, Path, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::organizations as wire;
use crate::wire::coder::roles as roles_wire;
use crate::wire::coder::users::{MinimalUser, UpdateRoles};

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    const ONE: &str = "/api/v2/organizations/{organization}/members/{user}";
    const ROLES: &str = "/api/v2/organizations/{organization}/members/roles";
    let read = Access::may(R::OrganizationMember, A::Read);
    routes
        .get(read, "/api/v2/organizations/{organization}/members", list)
        .get(read, "/api/v2/organizations/{organization}/paginated-members", paginated)
        .get(Access::may(R::AssignOrgRole, A::Read), ROLES, roles)
        .post(Access::may(R::AssignOrgRole, A::Create), ROLES, create_role)
        .put(Access::may(R::AssignOrgRole, A::Update), ROLES, update_role)
        .delete(
            Access::may(R::AssignOrgRole, A::Delete),
            "/api/v2/organizations/{organization}/members/roles/{name}",
            delete_role,
        )
        .get(read, "/api/v2/workspace-quota/{user}", own_quota)
        .get(read, "/api/v2/organizations/{organization}/members/{user}/workspace-quota", quota)
        .get(
            read,
            "/api/v2/organizations/{organization}/members/{user}/workspaces/available-users",
            owners,
        )
        .get(read, ONE, show)
        .post(Access::may(R::OrganizationMember, A::Create), ONE, add)
        .delete(Access::may(R::OrganizationMember, A::Delete), ONE, remove)
        .put(
            Access::may(R::AssignOrgRole, A::Assign),
            "/api/v2/organizations/{organization}/members/{user}/roles",
            set_roles,
        )
}

async fn list(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<Vec<wire::OrganizationMember>>> {
    let (members, _) = page(&state, &actor, &key, &ListQuery::default()).await?;
    Ok(Json(members))
}

async fn paginated(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer<Json<wire::PaginatedMembers>> {
    let (members, count) = page(&state, &actor, &key, &query).await?;
    Ok(Json(wire::PaginatedMembers { members, count }))
}

async fn page(
    state: &State,
    actor: &Actor,
    key: &str,
    query: &ListQuery,
) -> Answer<(Vec<wire::OrganizationMember>, i64)> {
    let asked = people_asked_for(query)?;
    if let Some((place, all)) = state.app.nameable_members(actor, key, &asked.wanted.text).await? {
        return Ok(named(&place, &all, query));
    }
    let organization = state.app.organization(actor, key).await?;
    let (members, count) = state.app.find_members(actor, key, asked).await?;
    let shown = |(user, since): &(_, _)| convert::member(&organization, user, *since);
    Ok((members.iter().map(shown).collect(), count))
}

/// A part of the members of whom no more than the name is told, and how many there are.
fn named(
    place: &Organization,
    all: &[User],
    query: &ListQuery,
) -> (Vec<wire::OrganizationMember>, i64) {
    let size = |n: i64| usize::try_from(n).unwrap_or_default();
    let most = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let part = all.iter().skip(size(query.offset())).take(size(query.limit(most)));
    (part.map(|user| convert::member(place, user, Timestamp::default())).collect(), most)
}

async fn show(
    state: State,
    Who(actor): Who,
    Path((key, user)): Path<(String, String)>,
) -> Answer<Json<wire::OrganizationMember>> {
    let (organization, user, since) = state.app.member(&actor, (&key, &user)).await?;
    Ok(Json(convert::member(&organization, &user, since)))
}

async fn quota(
    state: State,
    Who(actor): Who,
    Path((key, user)): Path<(String, String)>,
) -> Answer<Json<wire::WorkspaceQuota>> {
    let quota = state.app.quota(&actor, &key, &user).await?;
    let budget = quota.budget.unwrap_or(-1);
    Ok(Json(wire::WorkspaceQuota { credits_consumed: quota.consumed, budget }))
}

async fn own_quota(
    state: State,
    who: Who,
    Path(user): Path<String>,
) -> Answer<Json<wire::WorkspaceQuota>> {
    quota(state, who, Path(("default".to_owned(), user))).await
}

/// For whom the caller could make a workspace, as far as they know them. `user` is who asks.
async fn owners(
    state: State,
    Who(actor): Who,
    Path((key, _)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> Answer<Json<Vec<MinimalUser>>> {
    let (members, _) = state.app.find_members(&actor, &key, people_asked_for(&query)?).await?;
    let shown = |(user, _): &(User, Timestamp)| MinimalUser {
        id: user.id.0,
        username: user.username.to_string(),
        name: user.name.clone(),
        ..MinimalUser::default()
    };
    Ok(Json(members.iter().map(shown).collect()))
}

async fn add(
    state: State,
    Who(actor): Who,
    Path((key, user)): Path<(String, String)>,
) -> Answer<Json<wire::OrganizationMember>> {
    let (organization, user) = state.app.add_member(&actor, &key, &user).await?;
    Ok(Json(convert::member(&organization, &user, state.app.clock().now())))
}

async fn remove(
    state: State,
    Who(actor): Who,
    Path((key, user)): Path<(String, String)>,
) -> Answer<StatusCode> {
    state.app.remove_member(&actor, &key, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_roles(
    state: State,
    Who(actor): Who,
    Path((key, user)): Path<(String, String)>,
    Json(body): Json<UpdateRoles>,
) -> Answer<Json<wire::OrganizationMember>> {
    state.app.set_member_roles(&actor, (&key, &user), body.roles).await?;
    let (organization, user, since) = state.app.member(&actor, (&key, &user)).await?;
    Ok(Json(convert::member(&organization, &user, since)))
}

async fn roles(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<Vec<roles_wire::AssignableRole>>> {
    let id = state.app.organization(&actor, &key).await?.id.to_string();
    let roles = state.app.organization_roles(&actor, &key).await?;
    Ok(Json(roles.into_iter().map(|role| convert::role(role, &id)).collect()))
}

async fn create_role(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<roles_wire::PutRole>,
) -> Answer<Json<roles_wire::AssignableRole>> {
    put(&state, &actor, &key, (body, false)).await
}

async fn update_role(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<roles_wire::PutRole>,
) -> Answer<Json<roles_wire::AssignableRole>> {
    put(&state, &actor, &key, (body, true)).await
}

async fn put(
    state: &State,
    actor: &Actor,
    key: &str,
    (body, change): (roles_wire::PutRole, bool),
) -> Answer<Json<roles_wire::AssignableRole>> {
    let elsewhere = |field, these: &[_]| {
        let why = "a custom role holds in its organization only; use organization_permissions";
        if these.is_empty() { Ok(()) } else { Err(Error::invalid(field, why)) }
    };
    elsewhere("site_permissions", &body.site_permissions)?;
    elsewhere("user_permissions", &body.user_permissions)?;
    elsewhere("organization_member_permissions", &body.organization_member_permissions)?;
    let permissions =
        body.organization_permissions.iter().map(permission).collect::<Result<Vec<_>, _>>()?;
    let permissions = permissions.into_iter().fold(Permissions::EMPTY, Permissions::union);
    let cmd = PutRole { name: body.name, display_name: body.display_name, permissions };
    let (organization, role) = state.app.put_role(actor, key, (cmd, change)).await?;
    Ok(Json(convert::role(RoleView { assignable: true, ..role }, &organization.to_string())))
}

/// One of Coder's permissions; `*` stands for every action.
fn permission(given: &roles_wire::Permission) -> Result<Permissions, Error> {
    let bad = |why: String| Error::invalid("organization_permissions", why);
    if given.negate {
        return Err(bad("a role only adds; leave negate out".to_owned()));
    }
    let text = format!("{}:{}", given.resource_type, given.action);
    let unknown = || bad(format!("{text:?} is no permission"));
    if given.action == "*" {
        let kind = R::from_word(&given.resource_type).ok_or_else(unknown)?;
        return Ok(Permissions::EMPTY.and_every(&[kind]));
    }
    Ok([Permission::parse(&text).ok_or_else(unknown)?].into_iter().collect())
}

async fn delete_role(
    state: State,
    Who(actor): Who,
    Path((key, name)): Path<(String, String)>,
) -> Answer<StatusCode> {
    state.app.delete_role(&actor, &key, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
