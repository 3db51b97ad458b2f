//! `/organizations`: where users and templates belong.

use super::convert::people as convert;
use crate::model::user::{Organization, SiteRole};
use crate::server::app::organizations::UpdateOrganization;
use crate::server::app::{Actor, Error};
use crate::server::web::extract::{Json, ListQuery, Path, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::organizations as wire;
use crate::wire::coder::users::AssignableRole;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::User, "/api/v2/organizations", list)
        .get(Access::User, "/api/v2/organizations/{organization}", show)
        .patch(Access::Role(&[SiteRole::Owner]), "/api/v2/organizations/{organization}", update)
        .get(Access::User, "/api/v2/organizations/{organization}/members", members)
        .get(Access::User, "/api/v2/organizations/{organization}/paginated-members", paginated)
        .get(Access::User, "/api/v2/organizations/{organization}/members/roles", roles)
        .get(Access::User, "/api/v2/organizations/{organization}/members/{user}", member)
        .get(Access::User, "/api/v2/users/{user}/organizations", of_user)
        .get(Access::User, "/api/v2/users/{user}/organizations/{organization}", one_of_user)
}

/// Members in one answer at most.
const MAX_MEMBERS: i64 = 1000;

async fn list(state: State, Who(actor): Who) -> Answer<Json<Vec<wire::Organization>>> {
    Ok(all(&state.app.organizations(&actor).await?))
}

fn all(organizations: &[Organization]) -> Json<Vec<wire::Organization>> {
    Json(organizations.iter().map(convert::organization).collect())
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<wire::Organization>> {
    Ok(Json(convert::organization(&state.app.organization(&actor, &key).await?)))
}

async fn update(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<wire::UpdateOrganization>,
) -> Answer<Json<wire::Organization>> {
    let cmd = UpdateOrganization {
        name: body.name,
        display_name: body.display_name,
        description: body.description,
    };
    Ok(Json(convert::organization(&state.app.update_organization(&actor, &key, cmd).await?)))
}

async fn of_user(
    state: State,
    Who(actor): Who,
    Path(user): Path<String>,
) -> Answer<Json<Vec<wire::Organization>>> {
    Ok(all(&state.app.organizations_of(&actor, &user).await?))
}

async fn one_of_user(
    state: State,
    Who(actor): Who,
    Path((user, key)): Path<(String, String)>,
) -> Answer<Json<wire::Organization>> {
    let found = state.app.organization(&actor, &key).await?;
    let theirs = state.app.organizations_of(&actor, &user).await?;
    if theirs.iter().all(|o| o.id != found.id) {
        return Err(Error::NotFound("organization").into());
    }
    Ok(Json(convert::organization(&found)))
}

async fn members(
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
    let organization = state.app.organization(actor, key).await?;
    let (limit, offset) = (query.limit(MAX_MEMBERS), query.offset());
    let (members, count) = state.app.members(actor, key, limit, offset).await?;
    let shown = |(user, since): &(_, _)| convert::member(&organization, user, *since);
    Ok((members.iter().map(shown).collect(), count))
}

async fn member(
    state: State,
    Who(actor): Who,
    Path((key, user)): Path<(String, String)>,
) -> Answer<Json<wire::OrganizationMember>> {
    let organization = state.app.organization(&actor, &key).await?;
    let user = state.app.user(&actor, &user).await?;
    if !user.organizations.contains(&organization.id) {
        return Err(Error::NotFound("member").into());
    }
    Ok(Json(convert::member(&organization, &user, user.created_at)))
}

/// Roles in an organization: there are none besides the site's.
async fn roles(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<Vec<AssignableRole>>> {
    state.app.organization(&actor, &key).await?;
    Ok(Json(Vec::new()))
}
