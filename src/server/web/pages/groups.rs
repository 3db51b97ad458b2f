//! Groups of the organization that exists from the start.

use std::collections::BTreeSet;

use axum::response::{IntoResponse, Response};

use super::{Html, Visitor, flash, mistake};
use crate::model::policy::{Action as A, Object, ResourceType as R};
use crate::model::user::UserRef;
use crate::server::app::groups::{CreateGroup, GroupView, UpdateGroup};
use crate::server::app::{Actor, Error};
use crate::server::html::pages::group::GroupPage;
use crate::server::html::pages::groups::{GroupRow, Groups};
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

/// The organization that pages are about.
pub(super) const PLACE: &str = "default";
/// People offered to be put into a group at most.
const MAX_OFFERED: i64 = 1000;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Page, paths::GROUPS, list)
        .post(Access::page_may(R::Group, A::Create), paths::GROUPS, create)
        .get(Access::Page, "/groups/{name}", show)
        .post(Access::page_may(R::Group, A::Update), "/groups/{name}", edit)
        .post(Access::page_may(R::Group, A::Update), "/groups/{name}/members", members)
        .post(Access::page_may(R::Group, A::Delete), "/groups/{name}/delete", delete)
}

/// Whether the actor may do something to things of a kind in the organization.
pub(super) async fn may(state: &State, actor: &Actor, (kind, action): (R, A)) -> Answer<bool> {
    let place = state.app.organization(actor, PLACE).await?.id;
    Ok(actor.may(state.app.clock().now(), action, &Object::site(kind).within(place)))
}

async fn list(state: State, visitor: Visitor) -> Answer<Html> {
    draw(&state, visitor, Input::default()).await
}

async fn draw(state: &State, Visitor { actor, visit }: Visitor, input: Input) -> Answer<Html> {
    let found = state.app.groups(&actor, PLACE).await?;
    let groups = found.into_iter().map(|view| GroupRow {
        everyone: view.is_everyone(),
        n_members: view.members.len(),
        name: view.group.name,
        display_name: view.group.display_name,
        source: view.group.source,
        quota_allowance: view.group.quota_allowance,
    });
    let creates = may(state, &actor, (R::Group, A::Create)).await?;
    Ok(Html::of(&Groups { visit, groups: groups.collect(), creates, input }))
}

async fn create(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let field = |name| fields.get(name).unwrap_or_default().trim().to_owned();
    let made = async {
        let cmd = CreateGroup {
            name: field("name"),
            display_name: field("display_name"),
            avatar_url: String::new(),
            quota_allowance: credits(&fields)?.unwrap_or_default(),
        };
        state.app.create_group(&visitor.actor, PLACE, cmd).await
    };
    match made.await {
        Ok(made) => {
            let text = format!("The group {} is there.", made.group.name);
            Ok(flash::done(&state.site, &paths::group(&made.group.name), &text))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            Ok(draw(&state, visitor, input).await?.into_response())
        }
    }
}

/// The credits that a form names, if it has the field.
fn credits(fields: &Fields) -> Result<Option<i64>, Error> {
    let Some(text) = fields.get("quota_allowance").map(str::trim).filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    let number = text.parse().map_err(|_| Error::invalid("quota_allowance", "is not a number"))?;
    Ok(Some(number))
}

async fn show(state: State, visitor: Visitor, Path(name): Path<String>) -> Answer<Html> {
    let view = state.app.group_named(&visitor.actor, PLACE, &name).await?;
    draw_one(&state, visitor, (view, Input::default())).await
}

async fn draw_one(
    state: &State,
    Visitor { actor, visit }: Visitor,
    (view, input): (GroupView, Input),
) -> Answer<Html> {
    let (everyone, place) = (view.is_everyone(), view.organization.id);
    let changes = may(state, &actor, (R::Group, A::Update)).await?;
    let mut more = vec![];
    if changes && !everyone {
        let inside: BTreeSet<_> = view.members.iter().map(|u| u.id).collect();
        let (all, _) = state.app.members(&actor, PLACE, MAX_OFFERED, 0).await?;
        let outside = all.iter().filter(|(user, _)| !inside.contains(&user.id));
        more.extend(outside.map(|(user, _)| UserRef::of(user)));
    }
    let ids = view.members.iter().map(|u| u.id).collect();
    let quotas = state.app.quotas_of(place, ids).await?;
    Ok(Html::of(&GroupPage {
        templates: state.app.group_templates(&actor, view.group.id).await?,
        deletes: may(state, &actor, (R::Group, A::Delete)).await?,
        members: view.members.into_iter().zip(quotas).collect(),
        group: view.group,
        visit,
        everyone,
        more,
        changes,
        input,
    }))
}

async fn edit(
    state: State,
    visitor: Visitor,
    Path(name): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    let text = |name| fields.get(name).map(|text| text.trim().to_owned());
    let change = credits(&fields).map(|quota_allowance| UpdateGroup {
        name: text("name"),
        display_name: text("display_name"),
        quota_allowance,
        ..UpdateGroup::default()
    });
    update(&state, visitor, &name, (change, &fields)).await
}

async fn members(
    state: State,
    visitor: Visitor,
    Path(name): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    let these = |name| fields.get(name).map(str::to_owned).into_iter().collect();
    let change = UpdateGroup {
        add_users: these("add"),
        remove_users: these("remove"),
        ..UpdateGroup::default()
    };
    update(&state, visitor, &name, (Ok(change), &fields)).await
}

async fn update(
    state: &State,
    visitor: Visitor,
    name: &str,
    (change, fields): (Result<UpdateGroup, Error>, &Fields),
) -> Answer<Response> {
    let view = state.app.group_named(&visitor.actor, PLACE, name).await?;
    let done = match change {
        Ok(change) => state.app.update_group(&visitor.actor, view.group.id, change).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(new) => Ok(flash::done(&state.site, &paths::group(&new.group.name), "Group saved.")),
        Err(error) => {
            let add = |field| if field == "add_users" { "add".to_owned() } else { field };
            let input = mistake(fields, error.map_field(add))?;
            Ok(draw_one(state, visitor, (view, input)).await?.into_response())
        }
    }
}

async fn delete(
    state: State,
    visitor: Visitor,
    Path(name): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    let group = state.app.group_named(&visitor.actor, PLACE, &name).await?.group;
    let page = paths::group(&group.name);
    let typed = (&fields, group.name.as_str());
    let back = (page.as_str(), "delete it", "Nothing was deleted");
    if let Some(asked) = flash::unless_typed(&state.site, typed, back) {
        return Ok(asked);
    }
    state.app.delete_group(&visitor.actor, group.id).await?;
    Ok(flash::done(&state.site, paths::GROUPS, &format!("{} is deleted.", group.name)))
}
