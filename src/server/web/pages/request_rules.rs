//! Who answers requests, as pages: for a workspace, and for an organization.

use axum::response::{IntoResponse, Response};

use super::organizations::Here;
use super::workspace::{At, find};
use super::{Html, Visitor, flash, mistake};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::workspace::Workspace;
use crate::server::app::request_rules::NewRule;
use crate::server::app::{Actor, Error};
use crate::server::html::pages::request_rules::RequestRules;
use crate::server::html::parts::form::Input;
use crate::server::html::paths::{self, Place};
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    let keep = Access::page_may(R::Organization, A::Update);
    routes
        .get(Access::Page, "/@{owner}/{name}/sharing/requests", show)
        .post(Access::Page, "/@{owner}/{name}/sharing/requests", set)
        .post(Access::Page, "/@{owner}/{name}/sharing/requests/unset", unset)
        .get(keep, paths::REQUEST_RULES, show_organization)
        .post(keep, paths::REQUEST_RULES, set_organization)
        .post(keep, paths::REQUEST_RULES_UNSET, unset_organization)
}

fn typed(fields: &Fields) -> Result<NewRule, Error> {
    let text = |name: &str| fields.get(name).unwrap_or_default().trim().to_owned();
    let approvals = text("approvals").parse();
    Ok(NewRule {
        approvals: approvals.map_err(|_| Error::invalid("approvals", "is not a number"))?,
        group: text("group"),
        rotation: text("rotation"),
        auto: text("auto"),
    })
}

/// The groups and rotations of an organization that the actor may see, by name.
async fn named(
    state: &State,
    actor: &Actor,
    organization: &str,
) -> Answer<(Vec<String>, Vec<String>)> {
    let groups = match state.app.groups(actor, organization).await {
        Ok(all) => {
            let own = all.into_iter().filter(|view| !view.is_everyone());
            own.map(|view| view.group.name).collect()
        }
        Err(Error::Denied(_)) => vec![],
        Err(other) => return Err(other.into()),
    };
    let rotations = state.app.rotations(actor, organization).await?.into_iter();
    Ok((groups, rotations.map(|view| view.rotation.name.to_string()).collect()))
}

async fn show(state: State, visitor: Visitor, at: At) -> Answer<Html> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    draw(&state, visitor, &workspace, Input::default()).await
}

async fn draw(
    state: &State,
    Visitor { actor, visit }: Visitor,
    workspace: &Workspace,
    input: Input,
) -> Answer<Html> {
    let rule = state.app.request_rule(&actor, workspace.id).await?;
    let offered = state.app.sharing_offered(&actor, workspace.id, "").await?;
    let everyone = workspace.organization_id.0;
    let groups = offered.groups.into_iter().filter(|(id, _)| id.0 != everyone);
    let place = Place::of(workspace);
    Ok(Html::of(&RequestRules {
        visit,
        of: (format!("Sharing {}", workspace.name), place.sharing()),
        action: place.request_rules(),
        rule,
        groups: groups.map(|(_, name)| name).collect(),
        rotations: offered.rotations.into_iter().map(|(_, name)| name).collect(),
        input,
    }))
}

async fn set(state: State, visitor: Visitor, at: At, fields: Fields) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    let done = async {
        let new = Some(typed(&fields)?);
        state.app.set_request_rule(&visitor.actor, workspace.id, new).await
    };
    match done.await {
        Ok(_) => {
            let path = Place::of(&workspace).request_rules();
            Ok(flash::done(&state.site, &path, "Saved."))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            Ok(draw(&state, visitor, &workspace, input).await?.into_response())
        }
    }
}

async fn unset(state: State, visitor: Visitor, at: At) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    state.app.set_request_rule(&visitor.actor, workspace.id, None).await?;
    Ok(flash::done(&state.site, &Place::of(&workspace).request_rules(), "The rule is removed."))
}

async fn show_organization(state: State, visitor: Visitor, here: Here) -> Answer<Html> {
    draw_organization(&state, visitor, here, Input::default()).await
}

async fn draw_organization(
    state: &State,
    Visitor { actor, visit }: Visitor,
    here: Here,
    input: Input,
) -> Answer<Html> {
    let rule = state.app.organization_request_rule(&actor, &here.key()).await?;
    let (groups, rotations) = named(state, &actor, &here.key()).await?;
    let organization = &here.0.organization;
    Ok(Html::of(&RequestRules {
        visit,
        of: (organization.label().to_owned(), paths::organization(&organization.name)),
        action: paths::request_rules(&organization.name),
        rule,
        groups,
        rotations,
        input,
    }))
}

async fn set_organization(
    state: State,
    visitor: Visitor,
    here: Here,
    fields: Fields,
) -> Answer<Response> {
    let done = async {
        let new = Some(typed(&fields)?);
        state.app.set_organization_request_rule(&visitor.actor, &here.key(), new).await
    };
    match done.await {
        Ok(_) => {
            let path = paths::request_rules(&here.0.organization.name);
            Ok(flash::done(&state.site, &path, "Saved."))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            Ok(draw_organization(&state, visitor, here, input).await?.into_response())
        }
    }
}

async fn unset_organization(state: State, visitor: Visitor, here: Here) -> Answer<Response> {
    state.app.set_organization_request_rule(&visitor.actor, &here.key(), None).await?;
    let path = paths::request_rules(&here.0.organization.name);
    Ok(flash::done(&state.site, &path, "The rule is removed."))
}
