//! Who may use and keep a template, as a page.

use std::collections::BTreeSet;

use axum::response::{IntoResponse, Response};

use super::organizations::Here;
use super::templates::{Named, find};
use super::{Html, Visitor, flash, mistake};
use crate::model::id::GroupId;
use crate::model::template::{Grantee, Template, TemplateRole};
use crate::model::user::UserRef;
use crate::server::app::Error;
use crate::server::app::groups::GroupView;
use crate::server::html::pages::template_permissions::{GroupEntry, TemplatePermissions};
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    let start = "/templates/{template}/permissions";
    [start, "/organizations/{organization}/templates/{template}/permissions"]
        .into_iter()
        .fold(routes, |routes, path| {
            routes.get(Access::Page, path, show).post(Access::Page, path, change)
        })
}

async fn show(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { template: name }): Path<Named>,
) -> Answer<Html> {
    let template = find(&state, &visitor.actor, (&here, &name)).await?;
    draw(&state, visitor, template, Input::default()).await
}

async fn draw(state: &State, visitor: Visitor, template: Template, input: Input) -> Answer<Html> {
    let Visitor { actor, visit } = visitor;
    let acl = state.app.template_acl(&actor, template.id).await?;
    let offered = state.app.template_acl_available(&actor, template.id, "").await?;
    let users: BTreeSet<_> = acl.users.iter().map(|(user, _)| user.id).collect();
    let groups: BTreeSet<_> = acl.groups.iter().map(|(view, _)| view.group.id).collect();
    let more_users = offered.users.iter().filter(|u| !users.contains(&u.id)).map(UserRef::of);
    let more_groups = offered.groups.iter().filter(|g| !groups.contains(&g.group.id)).map(entry);
    Ok(Html::of(&TemplatePermissions {
        visit,
        template,
        more_users: more_users.collect(),
        more_groups: more_groups.collect(),
        groups: acl.groups.iter().map(|(view, role)| (entry(view), *role)).collect(),
        users: acl.users,
        input,
    }))
}

fn entry(view: &GroupView) -> GroupEntry {
    GroupEntry { id: view.group.id, name: view.group.name.clone(), everyone: view.is_everyone() }
}

async fn change(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { template: name }): Path<Named>,
    fields: Fields,
) -> Answer<Response> {
    let template = find(&state, &visitor.actor, (&here, &name)).await?;
    let done = match asked(&template, &fields) {
        Ok(change) => {
            state.app.update_template_acl(&visitor.actor, template.id, vec![change]).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => {
            let path = paths::permissions(&template);
            Ok(flash::done(&state.site, &path, "Permissions saved."))
        }
        Err(error) => {
            let input = mistake(&fields, error.map_field(|_| "who".to_owned()))?;
            Ok(draw(&state, visitor, template, input).await?.into_response())
        }
    }
}

/// What the form asks for: whom, and which role; without one they are taken off.
fn asked(template: &Template, fields: &Fields) -> Result<(Grantee, Option<TemplateRole>), Error> {
    let missing = || Error::invalid("who", "is nobody; choose a group or a person");
    let (kind, id) = fields.get("who").and_then(|who| who.split_once(':')).ok_or_else(missing)?;
    let grantee = match kind {
        "group" => {
            let id: GroupId = id.parse().map_err(|_| missing())?;
            let everyone = id.0 == template.organization_id.0;
            if everyone { Grantee::Everyone } else { Grantee::Group(id) }
        }
        "user" => Grantee::User(id.parse().map_err(|_| missing())?),
        _ => return Err(missing()),
    };
    Ok((grantee, TemplateRole::from_word(fields.get("role").unwrap_or_default())))
}
