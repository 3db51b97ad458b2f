//! A rotation's feed and webhook, as its page makes them: what is secret is shown once, in the answer.

use axum::response::{IntoResponse, Response};

use super::organizations::Here;
use super::rotations::{Named, Shown, draw_one};
use super::{Visitor, flash};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::app::rotations::RotationView;
use crate::server::html::pages::rotation::Made;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::page_may(R::Rotation, A::Read);
    let update = Access::page_may(R::Rotation, A::Update);
    routes
        .post(read, "/rotations/{name}/feed", feed)
        .post(update, "/rotations/{name}/webhook", webhook)
        .post(read, "/organizations/{organization}/rotations/{name}/feed", feed)
        .post(update, "/organizations/{organization}/rotations/{name}/webhook", webhook)
}

async fn feed(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { name }): Path<Named>,
) -> Answer<Response> {
    let view = state.app.rotation_named(&visitor.actor, (&here.key(), &name)).await?;
    let token = state.app.new_calendar_feed(&visitor.actor).await?;
    let path = paths::calendar(&token.expose(), view.rotation.id);
    let url = format!("{}{path}", state.site.access_url());
    made(&state, visitor, here, (view, Made::Feed(url))).await
}

async fn webhook(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { name }): Path<Named>,
    fields: Fields,
) -> Answer<Response> {
    let mut view = state.app.rotation_named(&visitor.actor, (&here.key(), &name)).await?;
    let id = view.rotation.id;
    if fields.get("remove").is_some() {
        state.app.remove_rotation_webhook(&visitor.actor, id).await?;
        let text = "The webhook is closed.";
        return Ok(flash::done(&state.site, &here.home().rotation(&name), text));
    }
    let secret = state.app.set_rotation_webhook(&visitor.actor, id, None).await?.to_string();
    view.has_webhook = true;
    let url = format!("{}{}", state.site.access_url(), paths::rotation_webhook(id));
    made(&state, visitor, here, (view, Made::Webhook { url, secret })).await
}

async fn made(
    state: &State,
    visitor: Visitor,
    here: Here,
    (view, made): (RotationView, Made),
) -> Answer<Response> {
    let shown = Shown { made: Some(made), ..Shown::default() };
    Ok(draw_one(state, visitor, here, (view, shown)).await?.into_response())
}
