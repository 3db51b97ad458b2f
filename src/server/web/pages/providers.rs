//! The ways to sign in, and trying one of them out.

use super::{Html, Visitor};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::provider::Steps;
use crate::server::html::pages::providers::Providers;
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::page_may(R::IdpsyncSettings, A::Read), paths::PROVIDERS, show).post(
        Access::page_may(R::IdpsyncSettings, A::Update),
        paths::PROVIDER_TEST,
        test,
    )
}

async fn show(state: State, visitor: Visitor) -> Answer<Html> {
    draw(&state, visitor, (None, Input::default())).await
}

async fn draw(
    state: &State,
    Visitor { actor, visit }: Visitor,
    (tried, input): (Option<(String, Steps)>, Input),
) -> Answer<Html> {
    let listed = state.providers.now().listed();
    let listed = state.app.sign_in_settings(&actor, listed).await?;
    let tries = state.app.may_try(&actor);
    Ok(Html::of(&Providers { visit, listed, tries, tried, input }))
}

/// What was found stands in this answer: nothing has changed that another page could show.
async fn test(
    state: State,
    visitor: Visitor,
    Path(name): Path<String>,
    fields: Fields,
) -> Answer<Html> {
    let username = fields.get("username").unwrap_or_default();
    let steps = state.providers.now().try_out(&visitor.actor, &name, username).await?;
    let values = fields.0.iter().filter(|(name, _)| name == "username").cloned().collect();
    let input = Input { values, ..Input::default() };
    draw(&state, visitor, (Some((name, steps)), input)).await
}
