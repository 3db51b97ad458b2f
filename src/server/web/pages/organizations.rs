//! The organizations, and the one that a page of groups, members or roles is about.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Response};
use http::request::Parts;

use super::{Html, Visitor, flash, mistake};
use crate::model::policy::{Action as A, Object, ResourceType as R};
use crate::server::app::Actor;
use crate::server::app::organizations::UpdateOrganization;
use crate::server::html::pages::organizations::{OrganizationPage, Organizations};
use crate::server::html::parts::form::Input;
use crate::server::html::parts::place::Place;
use crate::server::html::paths::{self, Home};
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, MaybeWho, Problem, State};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Page, paths::ORGANIZATIONS, list)
        .post(Access::page_may(R::Organization, A::Create), paths::ORGANIZATIONS, create)
        .get(Access::Page, paths::ORGANIZATION, show)
        .post(Access::page_may(R::Organization, A::Update), paths::ORGANIZATION, edit)
        .post(Access::page_may(R::Organization, A::Delete), paths::ORGANIZATION_DELETE, delete)
}

/// The organization that a page is about: the one that the path names, or that of the start.
pub(super) struct Here(pub Place);

impl FromRequestParts<State> for Here {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let found = parts.extensions.get::<MaybeWho>().and_then(|who| who.0.clone());
        let actor = found.ok_or_else(Problem::signed_out)?;
        let named = RawPathParams::from_request_parts(parts, state).await;
        let named = named.map_err(|_| Problem::not_found())?;
        let key = named.iter().find(|(name, _)| *name == "organization");
        let key = key.map_or("default", |(_, value)| value);
        let (organization, is_one_of_many) = state.app.organization_of_many(&actor, key).await?;
        let settings = Object::site(R::IdpsyncSettings).within(organization.id);
        let syncs = actor.may(state.app.clock().now(), A::Read, &settings);
        Ok(Self(Place { organization, is_one_of_many, syncs }))
    }
}

impl Here {
    /// How use cases are told of it.
    pub(super) fn key(&self) -> String {
        self.0.organization.id.to_string()
    }

    /// Where its pages begin.
    pub(super) fn home(&self) -> Home {
        self.0.home()
    }

    /// Whether the actor may do something to things of a kind in it.
    pub(super) fn may(&self, state: &State, actor: &Actor, (kind, action): (R, A)) -> bool {
        let object = Object::site(kind).within(self.0.organization.id);
        actor.may(state.app.clock().now(), action, &object)
    }
}

async fn list(state: State, visitor: Visitor) -> Answer<Html> {
    draw(&state, visitor, Input::default()).await
}

async fn draw(state: &State, Visitor { actor, visit }: Visitor, input: Input) -> Answer<Html> {
    let organizations = state.app.organizations(&actor).await?;
    let all = Object::site(R::Organization);
    let creates = actor.may(state.app.clock().now(), A::Create, &all);
    Ok(Html::of(&Organizations { visit, organizations, creates, input }))
}

fn typed(fields: &Fields) -> UpdateOrganization {
    let field = |name| fields.get(name).map(|text| text.trim().to_owned());
    UpdateOrganization {
        name: field("name"),
        display_name: field("display_name"),
        description: field("description"),
        icon: field("icon"),
    }
}

async fn create(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    match state.app.create_organization(&visitor.actor, typed(&fields)).await {
        Ok(made) => {
            let text = format!("The organization {} is there, and you keep it.", made.label());
            Ok(flash::done(&state.site, &paths::organization(&made.name), &text))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            Ok(draw(&state, visitor, input).await?.into_response())
        }
    }
}

async fn show(state: State, visitor: Visitor, here: Here) -> Answer<Html> {
    draw_one(&state, visitor, here, Input::default()).await
}

async fn draw_one(
    state: &State,
    Visitor { actor, visit }: Visitor,
    here: Here,
    input: Input,
) -> Answer<Html> {
    let changes = here.may(state, &actor, (R::Organization, A::Update));
    let holds = state.app.organization_contents(&actor, &here.0.organization).await?;
    Ok(Html::of(&OrganizationPage { visit, place: here.0, changes, holds, input }))
}

async fn edit(state: State, visitor: Visitor, here: Here, fields: Fields) -> Answer<Response> {
    match state.app.update_organization(&visitor.actor, &here.key(), typed(&fields)).await {
        Ok(new) => {
            Ok(flash::done(&state.site, &paths::organization(&new.name), "Organization saved."))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            Ok(draw_one(&state, visitor, here, input).await?.into_response())
        }
    }
}

async fn delete(state: State, visitor: Visitor, here: Here, fields: Fields) -> Answer<Response> {
    let name = here.0.organization.name.clone();
    let page = paths::organization(&name);
    let back = (page.as_str(), "delete it", "Nothing was deleted");
    if let Some(asked) = flash::unless_typed(&state.site, (&fields, &name), back) {
        return Ok(asked);
    }
    state.app.delete_organization(&visitor.actor, &here.key()).await?;
    Ok(flash::done(&state.site, paths::ORGANIZATIONS, &format!("{name} is deleted.")))
}
