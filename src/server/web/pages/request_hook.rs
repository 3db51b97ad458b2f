//! The program that is told of requests in an organization, as a page.

use axum::response::{IntoResponse, Response};

use super::organizations::Here;
use super::{Html, Visitor, flash, mistake};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::html::pages::request_hook::RequestHookPage;
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    let keep = Access::page_may(R::Organization, A::Update);
    routes.get(keep, paths::REQUEST_HOOK, show).post(keep, paths::REQUEST_HOOK, set).post(
        keep,
        paths::REQUEST_HOOK_REMOVE,
        remove,
    )
}

async fn show(state: State, visitor: Visitor, here: Here) -> Answer<Html> {
    draw(&state, visitor, here, (None, Input::default())).await
}

async fn draw(
    state: &State,
    Visitor { actor, visit }: Visitor,
    here: Here,
    (secret, input): (Option<String>, Input),
) -> Answer<Html> {
    let hook = state.app.request_hook(&actor, &here.key()).await?;
    Ok(Html::of(&RequestHookPage { visit, place: here.0, hook, secret, input }))
}

/// The page after it is not led to: the secret is shown once, in this answer.
async fn set(state: State, visitor: Visitor, here: Here, fields: Fields) -> Answer<Response> {
    let url = fields.get("url").unwrap_or_default();
    let done = match state.app.set_request_hook(&visitor.actor, &here.key(), url).await {
        Ok((_, secret)) => (Some(secret.to_string()), Input::default()),
        Err(error) => (None, mistake(&fields, error)?),
    };
    Ok(draw(&state, visitor, here, done).await?.into_response())
}

async fn remove(state: State, visitor: Visitor, here: Here) -> Answer<Response> {
    state.app.remove_request_hook(&visitor.actor, &here.key()).await?;
    let path = paths::request_hook(&here.0.organization.name);
    Ok(flash::done(&state.site, &path, "No program is told any more."))
}
