//! The pages: each handler asks one use case and draws, or does one thing and leads on.

mod access_review;
mod assets;
mod attach;
mod audit;
mod charters;
mod claims;
mod codes;
mod confirm;
mod create;
mod doors;
mod factors;
mod find;
mod flash;
mod github;
mod groups;
mod handover;
mod history;
mod invitations;
mod leaked_token;
mod lists;
mod live;
mod log_tail;
mod mail;
mod members;
mod oidc;
mod open;
mod organizations;
mod password_strength;
mod people;
mod person_tokens;
mod provider_form;
mod providers;
mod recordings;
mod request_hook;
mod request_rules;
mod requests;
mod roles;
mod rotation_doors;
mod rotations;
mod second_factors;
mod service_accounts;
mod settings;
mod sharing;
mod sharing_mode;
mod starters;
mod stream;
mod syncs;
mod template_permissions;
mod templates;
mod terminal;
mod visitor;
mod ways_in;
mod what_if;
mod workspace;
mod workspace_settings;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use maud::{Markup, Render};

pub(super) use confirm::confirm_first;
pub(super) use doors::sign_in_again;
pub use visitor::{Visitor, problem_page};
pub(super) use workspace::ssh_address;

use super::routes::Routes;
use crate::model::text;
use crate::server::app;
use crate::server::html::layout::Csrf;
use crate::server::html::parts::form::{Input, is_secret};
use crate::server::web::Problem;
use crate::server::web::form::Fields;

/// Every route of the pages.
pub(super) fn routes(routes: Routes) -> Routes {
    let routes = assets::routes(github::routes(oidc::routes(doors::routes(routes))));
    let routes = open::routes(attach::routes(workspace::routes(lists::routes(routes))));
    let routes = live::routes(history::routes(routes));
    let routes = terminal::routes(workspace_settings::routes(create::routes(routes)));
    let routes = sharing_mode::routes(codes::routes(sharing::routes(routes)));
    let routes = charters::routes(handover::routes(routes));
    let routes = access_review::routes(routes);
    let routes = starters::routes(templates::routes(claims::routes(people::routes(routes))));
    let routes = template_permissions::routes(routes);
    let routes = roles::routes(members::routes(groups::routes(routes)));
    let routes = syncs::routes(organizations::routes(routes));
    let routes = rotation_doors::routes(rotations::routes(routes));
    let routes = leaked_token::routes(invitations::routes(service_accounts::routes(routes)));
    let routes = person_tokens::routes(audit::routes(routes));
    let routes = ways_in::routes(providers::routes(password_strength::routes(routes)));
    let routes = mail::routes(provider_form::routes(second_factors::routes(routes)));
    let routes =
        request_hook::routes(request_rules::routes(requests::routes(recordings::routes(routes))));
    find::routes(factors::routes(confirm::routes(settings::routes(routes))))
}

/// A page as an answer; it has shown the message of the page before.
pub struct Html(Markup);

impl Html {
    /// A whole page.
    pub fn of(page: &impl Render) -> Self {
        Self(page.render())
    }
}

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        let mut response = document(self.0);
        response.headers_mut().append(header::SET_COOKIE, flash::forget());
        response
    }
}

/// Markup with its type.
fn document(markup: Markup) -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], text::shown_page(markup.into_string())).into_response()
}

/// Whether htmx asks for a part of a page.
fn wants_part(headers: &HeaderMap) -> bool {
    headers.get("hx-request-type").is_some_and(|v| v == "partial")
}

/// What was typed into a form and is wrong; problems that no field can mend stay problems.
fn mistake(fields: &Fields, error: app::Error) -> Result<Input, Problem> {
    let values = || {
        fields
            .0
            .iter()
            .filter(|(name, _)| name != Csrf::FIELD && !is_secret(name))
            .cloned()
            .collect()
    };
    match error {
        app::Error::Invalid { field, why } => Ok(Input::wrong(values(), &field, &sentence(&why))),
        app::Error::Conflict(why) => Ok(Input::wrong(values(), "form", &sentence(&why))),
        other @ (app::Error::NotFound(_)
        | app::Error::Denied(_)
        | app::Error::Unconfirmed(_)
        | app::Error::Unavailable(_)
        | app::Error::Internal(_)) => Err(other.into()),
    }
}

/// A capital letter in front and a full stop behind.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let stop = if text.ends_with(['.', '?']) { "" } else { "." };
    format!("{first}{}{stop}", chars.as_str())
}
