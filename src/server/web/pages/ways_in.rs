//! Adding a way to sign in to one's own account, and taking one off it.

use axum::response::{IntoResponse, Response};
use http::header;
use url::Url;

use super::settings::show_security;
use super::{Html, Visitor, flash, mistake, sentence};
use crate::model::id::{IdentityId, TokenId};
use crate::server::app::Error;
use crate::server::html::pages::ways_in::{GoOn, WaysIn};
use crate::server::html::parts::notice::Tone;
use crate::server::html::paths;
use crate::server::identity::github;
use crate::server::identity::oidc::Stopped;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, cookies};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.post(Access::Page, paths::WAYS_IN, add).post(Access::Page, paths::WAY_IN_REMOVE, remove)
}

/// The ways by which someone comes in, and could.
pub(super) async fn of(state: &State, visitor: &Visitor) -> Answer<WaysIn> {
    let identities = state.app.own_identities(&visitor.actor).await?;
    let is_new = |(name, _): &(String, String)| !identities.iter().any(|i| i.provider == *name);
    let joinable = joinable(state).into_iter().filter(is_new).collect();
    Ok(WaysIn { identities, joinable })
}

/// Providers that can be added: those that lead people there and back.
fn joinable(state: &State) -> Vec<(String, String)> {
    let now = state.providers.now();
    let by_oidc = now.oidc.all().map(|s| (s.name.clone(), s.name.clone()));
    let github = now.github.settings().filter(|s| !s.device_flow);
    let github = github.map(|_| (github::PROVIDER.to_owned(), "GitHub".to_owned()));
    by_oidc.chain(github).collect()
}

async fn add(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let field = |name| fields.get(name).unwrap_or_default();
    let found = joinable(&state).into_iter().find(|(name, _)| name == field("provider"));
    let begun = match found {
        None => Err(Error::invalid("provider", "is no provider of this server")),
        Some(provider) => {
            let session = state.app.begin_joining(&visitor.actor, field("password_now")).await;
            session.map(|session| (provider, session))
        }
    };
    match begun {
        Ok(((name, title), session)) => go_on(&state, (&name, title), session).await,
        Err(Error::Conflict(why)) => {
            Ok(flash::tell(&state.site, paths::SECURITY, Tone::Bad, &sentence(&why)))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            Ok(show_security(&state, visitor, input).await?.into_response())
        }
    }
}

async fn go_on(state: &State, (name, title): (&str, String), session: TokenId) -> Answer<Response> {
    match begin(state, name, session).await {
        Ok((href, flow)) => {
            let page = Html::of(&GoOn { title, href: href.into() });
            let cookie = cookies::keep_flow(&state.site, &flow);
            Ok(([(header::SET_COOKIE, cookie)], page).into_response())
        }
        Err(Stopped::App(error)) => Err(error.into()),
        Err(stopped) => {
            let why = sentence(&stopped.to_string());
            Ok(flash::tell(&state.site, paths::SECURITY, Tone::Bad, &why))
        }
    }
}

async fn begin(state: &State, name: &str, session: TokenId) -> Result<(Url, String), Stopped> {
    match name {
        github::PROVIDER => state.providers.now().github.begin("", Some(session)),
        oidc => state.providers.now().oidc.begin(oidc, "", Some(session)).await,
    }
}

async fn remove(state: State, visitor: Visitor, Path(id): Path<IdentityId>) -> Answer<Response> {
    let in_force = state.providers.now().names().into_iter().collect();
    match state.app.remove_identity(&visitor.actor, id, in_force).await {
        Ok(()) => {
            let text = "This way in is removed; what began with it is over.";
            Ok(flash::done(&state.site, paths::SECURITY, text))
        }
        Err(Error::Conflict(why)) => {
            Ok(flash::tell(&state.site, paths::SECURITY, Tone::Bad, &sentence(&why)))
        }
        Err(other) => Err(other.into()),
    }
}
