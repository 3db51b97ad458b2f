//! Handing a workspace over, as a page: what changes is shown first.

use axum::response::{IntoResponse as _, Response};

use super::workspace::{At, find};
use super::workspace_settings::show;
use super::{Html, Visitor, flash, mistake};
use crate::server::app::Error;
use crate::server::app::handover::Handover;
use crate::server::html::pages::handover::{HandoverPage, SEEN};
use crate::server::html::paths::{self, Place};
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.post(Access::Page, "/@{owner}/{name}/handover", hand_over)
}

async fn hand_over(state: State, visitor: Visitor, at: At, fields: Fields) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    let (actor, id, is_on) =
        (&visitor.actor, workspace.id, |name: &str| fields.get(name).is_some());
    let asked = Handover {
        to: fields.get("to").unwrap_or_default().trim().to_owned(),
        end_grants: is_on("end_grants"),
    };
    let end_grants = asked.end_grants;
    let done = if is_on(SEEN) {
        state.app.hand_over(actor, id, asked).await
    } else {
        state.app.try_handover(actor, id, asked).await
    };
    match done {
        Ok(done) if is_on(SEEN) => {
            let text = format!("{} is {}’s now.", workspace.name, done.to.username);
            let seen = state.app.may(actor, id, crate::model::verb::Verb::View).await.is_ok();
            let place = Place::of(&done.workspace);
            let to = if seen { place.page() } else { paths::WORKSPACES };
            Ok(flash::done(&state.site, to, &text))
        }
        Ok(would) => {
            let page = HandoverPage { visit: visitor.visit, workspace, would, end_grants };
            Ok(Html::of(&page).into_response())
        }
        Err(error) => {
            let input = mistake(&fields, beside(error))?;
            Ok(show(&state, actor, visitor.visit, (workspace, input)).await?.into_response())
        }
    }
}

/// Why it cannot become theirs is said beside whom it is to.
fn beside(error: Error) -> Error {
    match error {
        Error::Conflict(why) => Error::invalid("to", why),
        other @ (Error::NotFound(_)
        | Error::Denied(_)
        | Error::Unconfirmed(_)
        | Error::Invalid { .. }
        | Error::Unavailable(_)
        | Error::Internal(_)) => other,
    }
}
