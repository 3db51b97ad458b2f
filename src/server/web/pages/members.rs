//! Members of the organization that exists from the start, and their roles there.

use axum::response::{IntoResponse, Response};

use super::groups::{PLACE, may};
use super::{Html, Visitor, flash, mistake};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::user::User;
use crate::server::app::{Actor, Error};
use crate::server::html::pages::members::{MemberPage, Members};
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::extract::{ListQuery, Path, Query};
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::page_may(R::OrganizationMember, A::Read), paths::MEMBERS, list)
        .post(Access::page_may(R::OrganizationMember, A::Create), paths::MEMBERS, add)
        .get(Access::page_may(R::OrganizationMember, A::Read), "/members/{user}", show)
        .post(Access::page_may(R::AssignOrgRole, A::Assign), "/members/{user}/roles", roles)
        .post(Access::page_may(R::OrganizationMember, A::Delete), "/members/{user}/remove", remove)
}

async fn list(state: State, visitor: Visitor, Query(query): Query<ListQuery>) -> Answer<Html> {
    draw(&state, visitor, (query.offset(), Input::default())).await
}

async fn draw(
    state: &State,
    Visitor { actor, visit }: Visitor,
    (offset, input): (i64, Input),
) -> Answer<Html> {
    let organization = state.app.organization(&actor, PLACE).await?;
    let (members, total) = state.app.members(&actor, PLACE, Members::ON_A_PAGE, offset).await?;
    let adds = may(state, &actor, (R::OrganizationMember, A::Create)).await?;
    Ok(Html::of(&Members { visit, organization, members, offset, total, adds, input }))
}

async fn add(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let user = fields.get("user").unwrap_or_default().trim();
    match state.app.add_member(&visitor.actor, PLACE, user).await {
        Ok((_, user)) => {
            let text = format!("{} is a member.", user.username);
            Ok(flash::done(&state.site, &paths::member(&user.username), &text))
        }
        Err(error) => {
            let nobody = || Error::invalid("user", "is nobody with an account here");
            let unknown = matches!(error, Error::NotFound(_));
            let input = mistake(&fields, if unknown { nobody() } else { error })?;
            Ok(draw(&state, visitor, (0, input)).await?.into_response())
        }
    }
}

/// A member whom the actor may see.
async fn find(state: &State, actor: &Actor, key: &str) -> Answer<User> {
    let place = state.app.organization(actor, PLACE).await?.id;
    let user = state.app.user(actor, key).await?;
    if user.organizations.contains(&place) {
        return Ok(user);
    }
    Err(Error::NotFound("member").into())
}

async fn show(state: State, visitor: Visitor, Path(key): Path<String>) -> Answer<Html> {
    let user = find(&state, &visitor.actor, &key).await?;
    draw_one(&state, visitor, (user, Input::default())).await
}

async fn draw_one(
    state: &State,
    Visitor { actor, visit }: Visitor,
    (user, input): (User, Input),
) -> Answer<Html> {
    let roles = state.app.organization_roles(&actor, PLACE).await?;
    let own = actor.user_id() == Some(user.id);
    Ok(Html::of(&MemberPage {
        organization: state.app.organization(&actor, PLACE).await?,
        roles: roles.into_iter().map(|r| (r.name, r.display_name, r.assignable)).collect(),
        assigns: !own && may(state, &actor, (R::AssignOrgRole, A::Assign)).await?,
        removes: may(state, &actor, (R::OrganizationMember, A::Delete)).await?,
        visit,
        user,
        input,
    }))
}

async fn roles(
    state: State,
    visitor: Visitor,
    Path(key): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    let wanted = fields.all("role").map(str::to_owned).collect();
    match state.app.set_member_roles(&visitor.actor, (PLACE, &key), wanted).await {
        Ok((_, user)) => {
            Ok(flash::done(&state.site, &paths::member(&user.username), "Roles saved."))
        }
        Err(error) => {
            let user = find(&state, &visitor.actor, &key).await?;
            let input = mistake(&fields, error)?;
            Ok(draw_one(&state, visitor, (user, input)).await?.into_response())
        }
    }
}

async fn remove(
    state: State,
    visitor: Visitor,
    Path(key): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    let user = find(&state, &visitor.actor, &key).await?;
    let page = paths::member(&user.username);
    let typed = (&fields, user.username.as_str());
    let back = (page.as_str(), "remove the member", "Nobody was removed");
    if let Some(asked) = flash::unless_typed(&state.site, typed, back) {
        return Ok(asked);
    }
    state.app.remove_member(&visitor.actor, PLACE, &key).await?;
    let text = format!("{} is no member any more.", user.username);
    // Who removed themselves sees no members any more.
    let own = visitor.actor.user_id() == Some(user.id);
    let next = if own { paths::WORKSPACES } else { paths::MEMBERS };
    Ok(flash::done(&state.site, next, &text))
}
