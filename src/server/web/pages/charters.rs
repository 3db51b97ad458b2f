//! Charters of organizations and of workspaces, as pages.

use axum::response::{IntoResponse as _, Response};

use super::organizations::Here;
use super::workspace::{At, find};
use super::{Html, Visitor, flash, mistake};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::workspace::Workspace;
use crate::server::app::charters::CharterOf;
use crate::server::html::layout::Section;
use crate::server::html::pages::charter::CharterPage;
use crate::server::html::parts::form::Input;
use crate::server::html::paths::{self, Place};
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    const PATH: &str = "/@{owner}/{name}/charter";
    let keep = Access::page_may(R::Organization, A::Update);
    routes
        .get(keep, paths::CHARTER, show_of_organization)
        .post(keep, paths::CHARTER, set_of_organization)
        .get(Access::Page, PATH, show_of_workspace)
        .post(Access::Page, PATH, set_of_workspace)
}

/// What a page needs to know of whose charter it is.
struct Of {
    of: CharterOf,
    section: Section,
    crumbs: Vec<(String, String)>,
    name: String,
    action: String,
}

impl Of {
    fn organization(here: &Here) -> Self {
        let organization = &here.0.organization;
        let step = |text: &str, href: &str| (text.to_owned(), href.to_owned());
        Self {
            of: CharterOf::Organization(here.key()),
            section: Section::Organizations,
            crumbs: vec![
                step("Organizations", paths::ORGANIZATIONS),
                step(organization.label(), &paths::organization(&organization.name)),
            ],
            name: organization.label().to_owned(),
            action: paths::charter(&organization.name),
        }
    }

    fn workspace(workspace: &Workspace) -> Self {
        let place = Place::of(workspace);
        let step = |text: &str, href: &str| (text.to_owned(), href.to_owned());
        Self {
            of: CharterOf::Workspace(workspace.id),
            section: Section::Workspaces,
            crumbs: vec![
                step("Workspaces", paths::WORKSPACES),
                step(workspace.name.as_str(), place.page()),
                step("Sharing", &place.sharing()),
            ],
            name: workspace.name.to_string(),
            action: place.charter(),
        }
    }
}

async fn show_of_organization(state: State, visitor: Visitor, here: Here) -> Answer<Html> {
    draw(&state, visitor, Of::organization(&here), Input::default()).await
}

async fn show_of_workspace(state: State, visitor: Visitor, at: At) -> Answer<Html> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    draw(&state, visitor, Of::workspace(&workspace), Input::default()).await
}

async fn draw(
    state: &State,
    Visitor { actor, visit }: Visitor,
    of: Of,
    input: Input,
) -> Answer<Html> {
    let found = state.app.charter(&actor, of.of).await?;
    let (text, set) = match found.own {
        Some(row) => (row.text, Some((row.set_by.username.to_string(), row.set_at))),
        None => (String::new(), None),
    };
    let above = found.above.map(|row| row.text);
    let Of { section, crumbs, name, action, .. } = of;
    Ok(Html::of(&CharterPage { visit, section, crumbs, name, action, text, set, above, input }))
}

async fn set_of_organization(
    state: State,
    visitor: Visitor,
    here: Here,
    fields: Fields,
) -> Answer<Response> {
    set(&state, visitor, Of::organization(&here), &fields).await
}

async fn set_of_workspace(
    state: State,
    visitor: Visitor,
    at: At,
    fields: Fields,
) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    set(&state, visitor, Of::workspace(&workspace), &fields).await
}

async fn set(state: &State, visitor: Visitor, of: Of, fields: &Fields) -> Answer<Response> {
    // Browsers send what stands in a text area with the ends of lines of old.
    let text = fields.get("text").unwrap_or_default().replace("\r\n", "\n");
    match state.app.set_charter(&visitor.actor, of.of.clone(), &text).await {
        Ok(()) => Ok(flash::done(&state.site, &of.action, "The charter is saved.")),
        Err(error) => {
            let input = mistake(fields, error)?;
            Ok(draw(state, visitor, of, input).await?.into_response())
        }
    }
}
