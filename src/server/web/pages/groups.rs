//! Groups of an organization.

use std::collections::BTreeSet;

use axum::response::{IntoResponse, Response};

use super::organizations::Here;
use super::what_if::{self, Asked};
use super::{Html, Visitor, flash, mistake};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::user::UserRef;
use crate::server::app::Error;
use crate::server::app::groups::{CreateGroup, GroupView, UpdateGroup};
use crate::server::app::what_if::Change;
use crate::server::html::layout::Section;
use crate::server::html::pages::group::GroupPage;
use crate::server::html::pages::groups::{GroupRow, Groups};
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

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
        .get(Access::Page, "/organizations/{organization}/groups", list)
        .post(Access::page_may(R::Group, A::Create), "/organizations/{organization}/groups", create)
        .get(Access::Page, "/organizations/{organization}/groups/{name}", show)
        .post(
            Access::page_may(R::Group, A::Update),
            "/organizations/{organization}/groups/{name}",
            edit,
        )
        .post(
            Access::page_may(R::Group, A::Update),
            "/organizations/{organization}/groups/{name}/members",
            members,
        )
        .post(
            Access::page_may(R::Group, A::Delete),
            "/organizations/{organization}/groups/{name}/delete",
            delete,
        )
}

/// The group that a path names.
#[derive(serde::Deserialize)]
struct Named {
    name: String,
}

async fn list(state: State, visitor: Visitor, here: Here) -> Answer<Html> {
    draw(&state, visitor, (here, Input::default())).await
}

async fn draw(
    state: &State,
    Visitor { actor, visit }: Visitor,
    (here, input): (Here, Input),
) -> Answer<Html> {
    let found = state.app.groups(&actor, &here.key()).await?;
    let groups = found.into_iter().map(|view| GroupRow {
        everyone: view.is_everyone(),
        n_members: view.total,
        name: view.group.name,
        display_name: view.group.display_name,
        source: view.group.source,
        quota_allowance: view.group.quota_allowance,
    });
    let creates = here.may(state, &actor, (R::Group, A::Create));
    let groups = groups.collect();
    Ok(Html::of(&Groups { visit, groups, creates, input, place: here.0 }))
}

async fn create(state: State, visitor: Visitor, here: Here, fields: Fields) -> Answer<Response> {
    let field = |name| fields.get(name).unwrap_or_default().trim().to_owned();
    let made = async {
        let cmd = CreateGroup {
            name: field("name"),
            display_name: field("display_name"),
            avatar_url: String::new(),
            quota_allowance: credits(&fields)?.unwrap_or_default(),
        };
        state.app.create_group(&visitor.actor, &here.key(), cmd).await
    };
    match made.await {
        Ok(made) => {
            let text = format!("The group {} is there.", made.group.name);
            Ok(flash::done(&state.site, &here.home().group(&made.group.name), &text))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            Ok(draw(&state, visitor, (here, input)).await?.into_response())
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

async fn show(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { name }): Path<Named>,
) -> Answer<Html> {
    let view = state.app.group_named(&visitor.actor, &here.key(), &name).await?;
    draw_one(&state, visitor, here, (view, Input::default())).await
}

async fn draw_one(
    state: &State,
    Visitor { actor, visit }: Visitor,
    here: Here,
    (view, input): (GroupView, Input),
) -> Answer<Html> {
    let (everyone, place) = (view.is_everyone(), view.organization.id);
    let changes = here.may(state, &actor, (R::Group, A::Update));
    let mut more = vec![];
    if changes && !everyone {
        let inside: BTreeSet<_> = view.members.iter().map(|u| u.id).collect();
        let (all, _) = state.app.members(&actor, &here.key(), MAX_OFFERED, 0).await?;
        let outside = all.iter().filter(|(user, _)| !inside.contains(&user.id));
        more.extend(outside.map(|(user, _)| UserRef::of(user)));
    }
    let ids = view.members.iter().map(|u| u.id).collect();
    let quotas = state.app.quotas_of(place, ids).await?;
    Ok(Html::of(&GroupPage {
        templates: state.app.group_templates(&actor, view.group.id).await?,
        deletes: here.may(state, &actor, (R::Group, A::Delete)),
        members: view.members.into_iter().zip(quotas).collect(),
        group: view.group,
        visit,
        everyone,
        more,
        changes,
        input,
        place: here.0,
    }))
}

async fn edit(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { name }): Path<Named>,
    fields: Fields,
) -> Answer<Response> {
    let text = |name| fields.get(name).map(|text| text.trim().to_owned());
    let change = credits(&fields).map(|quota_allowance| UpdateGroup {
        name: text("name"),
        display_name: text("display_name"),
        quota_allowance,
        ..UpdateGroup::default()
    });
    update(&state, visitor, (here, &name), (change, &fields)).await
}

async fn members(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { name }): Path<Named>,
    fields: Fields,
) -> Answer<Response> {
    let these = |name| fields.get(name).map(str::to_owned).into_iter().collect();
    let (add, remove): (Vec<String>, Vec<String>) = (these("add"), these("remove"));
    if what_if::is_look(&fields) {
        return ahead(&state, visitor, (here, &name), (fields, add, remove)).await;
    }
    let change = UpdateGroup { add_users: add, remove_users: remove, ..UpdateGroup::default() };
    update(&state, visitor, (here, &name), (Ok(change), &fields)).await
}

/// What another member, or one fewer, would give and take.
async fn ahead(
    state: &State,
    visitor: Visitor,
    (here, name): (Here, &str),
    (fields, add, remove): (Fields, Vec<String>, Vec<String>),
) -> Answer<Response> {
    let view = state.app.group_named(&visitor.actor, &here.key(), name).await?;
    let change = Change::Group { group: view.group.id, add, remove };
    match state.app.what_if(&visitor.actor, change).await {
        Ok(outlook) => {
            let asked = Asked {
                section: Section::Groups,
                said: format!("{name} would have other members."),
                back: (name.to_owned(), here.home().group(name)),
                action: here.home().group_action(name, "members"),
            };
            Ok(what_if::page(visitor, asked, (fields, outlook)))
        }
        Err(error) => {
            let add = |field| if field == "add_users" { "add".to_owned() } else { field };
            let input = mistake(&fields, error.map_field(add))?;
            Ok(draw_one(state, visitor, here, (view, input)).await?.into_response())
        }
    }
}

async fn update(
    state: &State,
    visitor: Visitor,
    (here, name): (Here, &str),
    (change, fields): (Result<UpdateGroup, Error>, &Fields),
) -> Answer<Response> {
    let view = state.app.group_named(&visitor.actor, &here.key(), name).await?;
    let done = match change {
        Ok(change) => state.app.update_group(&visitor.actor, view.group.id, change).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(new) => {
            let page = here.home().group(&new.group.name);
            Ok(flash::done(&state.site, &page, "Group saved."))
        }
        Err(error) => {
            let add = |field| if field == "add_users" { "add".to_owned() } else { field };
            let input = mistake(fields, error.map_field(add))?;
            Ok(draw_one(state, visitor, here, (view, input)).await?.into_response())
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
    let group = state.app.group_named(&visitor.actor, &here.key(), &name).await?.group;
    let page = here.home().group(&group.name);
    let typed = (&fields, group.name.as_str());
    let back = (page.as_str(), "delete it", "Nothing was deleted");
    if let Some(asked) = flash::unless_typed(&state.site, typed, back) {
        return Ok(asked);
    }
    state.app.delete_group(&visitor.actor, group.id).await?;
    Ok(flash::done(&state.site, &here.home().groups(), &format!("{} is deleted.", group.name)))
}
