//! A workspace goes over to an editor on one's own machine, which is signed in by a token of its own.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};

use super::workspace::{At, find};
use super::{Html, Visitor};
use crate::model::editor::Editor;
use crate::server::app::Error;
use crate::server::html::pages::opening::{Opening, link_to};
use crate::server::web::form::Form;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.post(Access::Page, "/@{owner}/{name}/open", open)
}

/// What is opened where.
#[derive(Debug, serde::Deserialize)]
struct Wanted {
    /// The editor.
    r#in: String,
    /// The agent's name.
    agent: String,
}

async fn open(
    state: State,
    visitor: Visitor,
    at: At,
    Form(wanted): Form<Wanted>,
) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    let editor = Editor::from_word(&wanted.r#in).filter(|editor| editor.takes_token());
    let editor = editor.ok_or_else(|| Error::invalid("in", "is no editor that takes a token"))?;
    let mut agents = workspace.latest_build.resources.iter().flat_map(|r| &r.agents);
    let agent = agents.find(|agent| agent.spec.name == wanted.agent);
    let agent = agent.ok_or(Error::NotFound("agent"))?;
    let token = state.app.session_for(&visitor.actor, editor).await?.expose();
    let link = link_to(editor, state.site.access_url(), (&workspace, agent), &token);
    // A browser follows it as it follows a link; a redirect from a form it would not.
    let refresh = HeaderValue::from_str(&format!("0;url={link}")).map_err(anyhow::Error::from);
    let page = Html::of(&Opening { editor, link, workspace });
    let refresh = refresh.map_err(Error::Internal)?;
    Ok(([(header::REFRESH, refresh)], page).into_response())
}
