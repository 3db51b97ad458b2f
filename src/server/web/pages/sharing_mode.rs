//! Whose workspaces may be shared in an organization, as a page that says first what a change ends.

use axum::response::{IntoResponse, Response};

use super::organizations::Here;
use super::{Html, Visitor, flash};
use crate::model::grant::{GrantView, Mode};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::app::Error;
use crate::server::app::sharing_modes::ModeEntry;
use crate::server::html::pages::sharing_mode::{SharingMode, label};
use crate::server::html::paths;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    let keep = Access::page_may(R::Organization, A::Update);
    routes.get(keep, paths::SHARING_MODE, show).post(keep, paths::SHARING_MODE, set).post(
        keep,
        paths::SHARING_RESTORE,
        restore,
    )
}

async fn show(state: State, visitor: Visitor, here: Here) -> Answer<Html> {
    draw(&state, visitor, here, None).await
}

async fn draw(
    state: &State,
    Visitor { actor, visit }: Visitor,
    here: Here,
    asked: Option<Mode>,
) -> Answer<Html> {
    let now = state.app.sharing_mode(&actor, &here.key()).await?;
    let asked = match asked {
        Some(mode) => {
            let ends = state.app.sharing_mode_ends(&actor, &here.key(), mode).await?;
            Some((mode, ends.into_iter().map(named).collect()))
        }
        None => None,
    };
    let restorable = now.restorable.into_iter().map(named).collect();
    let (mode, is_off, place) = (now.mode, now.is_off, here.0);
    Ok(Html::of(&SharingMode { visit, place, mode, is_off, restorable, asked }))
}

fn named(entry: ModeEntry) -> (String, GrantView) {
    (entry.workspace, entry.view)
}

async fn set(state: State, visitor: Visitor, here: Here, fields: Fields) -> Answer<Response> {
    let mode = Mode::from_word(fields.get("mode").unwrap_or_default())
        .ok_or_else(|| Error::invalid("mode", "is none of those offered"))?;
    let ends = state.app.sharing_mode_ends(&visitor.actor, &here.key(), mode).await?;
    if !ends.is_empty() && fields.get("confirm").is_none() {
        return Ok(draw(&state, visitor, here, Some(mode)).await?.into_response());
    }
    state.app.set_sharing_mode(&visitor.actor, &here.key(), mode).await?;
    let text = format!("May be shared: {}.", label(mode).to_lowercase());
    Ok(flash::done(&state.site, &paths::sharing_mode(&here.0.organization.name), &text))
}

async fn restore(state: State, visitor: Visitor, here: Here) -> Answer<Response> {
    let restored = state.app.restore_by_mode(&visitor.actor, &here.key()).await?;
    let text = format!("Restored: {restored}.");
    Ok(flash::done(&state.site, &paths::sharing_mode(&here.0.organization.name), &text))
}
