//! Members of an organization, and their roles there.

use axum::response::{IntoResponse, Response};

use super::organizations::Here;
use super::what_if::{self, Asked};
use super::{Html, Visitor, flash, mistake};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::user::User;
use crate::model::what_if::Outlook;
use crate::server::app::what_if::Change;
use crate::server::app::{Actor, Error};
use crate::server::html::layout::Section;
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
        .get(
            Access::page_may(R::OrganizationMember, A::Read),
            "/organizations/{organization}/members",
            list,
        )
        .post(
            Access::page_may(R::OrganizationMember, A::Create),
            "/organizations/{organization}/members",
            add,
        )
        .get(
            Access::page_may(R::OrganizationMember, A::Read),
            "/organizations/{organization}/members/{user}",
            show,
        )
        .post(
            Access::page_may(R::AssignOrgRole, A::Assign),
            "/organizations/{organization}/members/{user}/roles",
            roles,
        )
        .post(
            Access::page_may(R::OrganizationMember, A::Delete),
            "/organizations/{organization}/members/{user}/remove",
            remove,
        )
}

/// The member whom a path names.
#[derive(serde::Deserialize)]
struct Named {
    user: String,
}

async fn list(
    state: State,
    visitor: Visitor,
    here: Here,
    Query(query): Query<ListQuery>,
) -> Answer<Html> {
    draw(&state, visitor, here, (query.offset(), Input::default())).await
}

async fn draw(
    state: &State,
    Visitor { actor, visit }: Visitor,
    here: Here,
    (offset, input): (i64, Input),
) -> Answer<Html> {
    let part = (Members::ON_A_PAGE, offset);
    let (members, total) = state.app.members(&actor, &here.key(), part.0, part.1).await?;
    let adds = here.may(state, &actor, (R::OrganizationMember, A::Create));
    Ok(Html::of(&Members { visit, place: here.0, members, offset, total, adds, input }))
}

async fn add(state: State, visitor: Visitor, here: Here, fields: Fields) -> Answer<Response> {
    let user = fields.get("user").unwrap_or_default().trim();
    match state.app.add_member(&visitor.actor, &here.key(), user).await {
        Ok((_, user)) => {
            let text = format!("{} is a member.", user.username);
            Ok(flash::done(&state.site, &here.home().member(&user.username), &text))
        }
        Err(error) => {
            let nobody = || Error::invalid("user", "is nobody with an account here");
            let unknown = matches!(error, Error::NotFound(_));
            let input = mistake(&fields, if unknown { nobody() } else { error })?;
            Ok(draw(&state, visitor, here, (0, input)).await?.into_response())
        }
    }
}

/// A member whom the actor may see.
async fn find(state: &State, actor: &Actor, (here, key): (&Here, &str)) -> Answer<User> {
    let (_, user, _) = state.app.member(actor, (&here.key(), key)).await?;
    Ok(user)
}

async fn show(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { user: key }): Path<Named>,
) -> Answer<Html> {
    let user = find(&state, &visitor.actor, (&here, &key)).await?;
    draw_one(&state, visitor, here, (user, Input::default())).await
}

async fn draw_one(
    state: &State,
    Visitor { actor, visit }: Visitor,
    here: Here,
    (user, input): (User, Input),
) -> Answer<Html> {
    let roles = state.app.organization_roles(&actor, &here.key()).await?;
    let own = actor.user_id() == Some(user.id);
    Ok(Html::of(&MemberPage {
        roles: roles.into_iter().map(|r| (r.name, r.display_name, r.assignable)).collect(),
        assigns: !own && here.may(state, &actor, (R::AssignOrgRole, A::Assign)),
        removes: here.may(state, &actor, (R::OrganizationMember, A::Delete)),
        place: here.0,
        visit,
        user,
        input,
    }))
}

async fn roles(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { user: key }): Path<Named>,
    fields: Fields,
) -> Answer<Response> {
    let wanted: Vec<String> = fields.all("role").map(str::to_owned).collect();
    let done = if what_if::is_look(&fields) {
        let (organization, user) = (here.key(), key.clone());
        let change = Change::MemberRoles { organization, user, roles: wanted };
        match state.app.what_if(&visitor.actor, change).await {
            Ok(outlook) => return ahead(&state, visitor, (&here, &key), (fields, outlook)).await,
            Err(error) => Err(error),
        }
    } else {
        state.app.set_member_roles(&visitor.actor, (&here.key(), &key), wanted).await
    };
    match done {
        Ok((_, user)) => {
            Ok(flash::done(&state.site, &here.home().member(&user.username), "Roles saved."))
        }
        Err(error) => {
            let user = find(&state, &visitor.actor, (&here, &key)).await?;
            let input = mistake(&fields, error)?;
            Ok(draw_one(&state, visitor, here, (user, input)).await?.into_response())
        }
    }
}

/// What other roles would give and take.
async fn ahead(
    state: &State,
    visitor: Visitor,
    (here, key): (&Here, &str),
    found: (Fields, Outlook),
) -> Answer<Response> {
    let user = find(state, &visitor.actor, (here, key)).await?;
    let name = user.username.to_string();
    let asked = Asked {
        section: Section::Members,
        said: format!("{name} would have other roles in {}.", here.0.organization.label()),
        back: (name, here.home().member(&user.username)),
        action: here.home().member_action(&user.username, "roles"),
    };
    Ok(what_if::page(visitor, asked, found))
}

async fn remove(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { user: key }): Path<Named>,
    fields: Fields,
) -> Answer<Response> {
    let user = find(&state, &visitor.actor, (&here, &key)).await?;
    let page = here.home().member(&user.username);
    let typed = (&fields, user.username.as_str());
    let back = (page.as_str(), "remove the member", "Nobody was removed");
    if let Some(asked) = flash::unless_typed(&state.site, typed, back) {
        return Ok(asked);
    }
    state.app.remove_member(&visitor.actor, &here.key(), &key).await?;
    let text = format!("{} is no member any more.", user.username);
    // Who removed themselves sees no members any more.
    let own = visitor.actor.user_id() == Some(user.id);
    let next = if own { paths::WORKSPACES.to_owned() } else { here.home().members() };
    Ok(flash::done(&state.site, &next, &text))
}
