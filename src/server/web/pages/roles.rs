//! Roles of an organization.

use axum::response::{IntoResponse, Response};

use super::organizations::Here;
use super::{Html, Visitor, flash, mistake};
use crate::model::policy::{Action as A, Permission, Permissions, ResourceType as R};
use crate::server::app::roles::{PutRole, RoleView};
use crate::server::app::{Actor, Error};
use crate::server::html::pages::roles::{RolePage, RoleRow, Roles};
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::page_may(R::AssignOrgRole, A::Read), paths::ROLES, list)
        .post(Access::page_may(R::AssignOrgRole, A::Create), paths::ROLES, create)
        .get(Access::page_may(R::AssignOrgRole, A::Read), "/roles/{name}", show)
        .post(Access::page_may(R::AssignOrgRole, A::Update), "/roles/{name}", edit)
        .post(Access::page_may(R::AssignOrgRole, A::Delete), "/roles/{name}/delete", delete)
        .get(
            Access::page_may(R::AssignOrgRole, A::Read),
            "/organizations/{organization}/roles",
            list,
        )
        .post(
            Access::page_may(R::AssignOrgRole, A::Create),
            "/organizations/{organization}/roles",
            create,
        )
        .get(
            Access::page_may(R::AssignOrgRole, A::Read),
            "/organizations/{organization}/roles/{name}",
            show,
        )
        .post(
            Access::page_may(R::AssignOrgRole, A::Update),
            "/organizations/{organization}/roles/{name}",
            edit,
        )
        .post(
            Access::page_may(R::AssignOrgRole, A::Delete),
            "/organizations/{organization}/roles/{name}/delete",
            delete,
        )
}

/// The role that a path names.
#[derive(serde::Deserialize)]
struct Named {
    name: String,
}

/// What the actor holds in the organization, and so can give.
fn held(actor: &Actor, here: &Here) -> Answer<Permissions> {
    Ok(actor.caller()?.subject.held_in(here.0.organization.id))
}

/// The permissions that a form's boxes name.
fn chosen(fields: &Fields) -> Permissions {
    fields.all("permission").filter_map(Permission::parse).collect()
}

fn entry(role: RoleView) -> RoleRow {
    RoleRow {
        name: role.name,
        display_name: role.display_name,
        permissions: role.permissions,
        built_in: role.built_in,
    }
}

async fn list(state: State, visitor: Visitor, here: Here) -> Answer<Html> {
    draw(&state, visitor, here, (Permissions::EMPTY, Input::default())).await
}

async fn draw(
    state: &State,
    Visitor { actor, visit }: Visitor,
    here: Here,
    (chosen, input): (Permissions, Input),
) -> Answer<Html> {
    let roles = state.app.organization_roles(&actor, &here.key()).await?;
    Ok(Html::of(&Roles {
        roles: roles.into_iter().map(entry).collect(),
        creates: here.may(state, &actor, (R::AssignOrgRole, A::Create)),
        held: held(&actor, &here)?,
        place: here.0,
        visit,
        chosen,
        input,
    }))
}

async fn create(state: State, visitor: Visitor, here: Here, fields: Fields) -> Answer<Response> {
    let cmd = PutRole {
        name: fields.get("name").unwrap_or_default().to_owned(),
        display_name: fields.get("display_name").unwrap_or_default().to_owned(),
        permissions: chosen(&fields),
    };
    match state.app.put_role(&visitor.actor, &here.key(), (cmd, false)).await {
        Ok((_, role)) => {
            let text = format!("The role {} is there. Give it to members.", role.name);
            Ok(flash::done(&state.site, &here.home().role(&role.name), &text))
        }
        Err(error) => {
            let input = (chosen(&fields), mistake(&fields, error)?);
            Ok(draw(&state, visitor, here, input).await?.into_response())
        }
    }
}

async fn find(state: &State, actor: &Actor, (here, name): (&Here, &str)) -> Answer<RoleView> {
    let all = state.app.organization_roles(actor, &here.key()).await?;
    let found = all.into_iter().find(|role| role.name.eq_ignore_ascii_case(name));
    Ok(found.ok_or(Error::NotFound("role"))?)
}

async fn show(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { name }): Path<Named>,
) -> Answer<Html> {
    let role = find(&state, &visitor.actor, (&here, &name)).await?;
    draw_one(&state, visitor, here, (role, Input::default()))
}

fn draw_one(
    state: &State,
    Visitor { actor, visit }: Visitor,
    here: Here,
    (role, input): (RoleView, Input),
) -> Answer<Html> {
    let own = !role.built_in;
    Ok(Html::of(&RolePage {
        changes: own && here.may(state, &actor, (R::AssignOrgRole, A::Update)),
        deletes: own && here.may(state, &actor, (R::AssignOrgRole, A::Delete)),
        held: held(&actor, &here)?,
        role: entry(role),
        place: here.0,
        visit,
        input,
    }))
}

async fn edit(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { name }): Path<Named>,
    fields: Fields,
) -> Answer<Response> {
    let role = find(&state, &visitor.actor, (&here, &name)).await?;
    let cmd = PutRole {
        name: role.name.clone(),
        display_name: fields.get("display_name").unwrap_or_default().to_owned(),
        permissions: chosen(&fields),
    };
    match state.app.put_role(&visitor.actor, &here.key(), (cmd, true)).await {
        Ok((_, role)) => Ok(flash::done(&state.site, &here.home().role(&role.name), "Role saved.")),
        Err(error) => {
            let input = mistake(&fields, error)?;
            let role = RoleView { permissions: chosen(&fields), ..role };
            Ok(draw_one(&state, visitor, here, (role, input))?.into_response())
        }
    }
}

async fn delete(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { name }): Path<Named>,
    fields: Fields,
) -> Answer<Response> {
    let role = find(&state, &visitor.actor, (&here, &name)).await?;
    let page = here.home().role(&role.name);
    let typed = (&fields, role.name.as_str());
    let back = (page.as_str(), "delete it", "Nothing was deleted");
    if let Some(asked) = flash::unless_typed(&state.site, typed, back) {
        return Ok(asked);
    }
    state.app.delete_role(&visitor.actor, &here.key(), &role.name).await?;
    Ok(flash::done(&state.site, &here.home().roles(), &format!("{} is deleted.", role.name)))
}
