//! How groups or roles of an organization follow providers, and trying that out.

use axum::response::{IntoResponse, Response};

use super::organizations::Here;
use super::{Html, Visitor, flash, mistake};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::set_sync::{SetSync, SyncChange, SyncKind};
use crate::model::sync::PlaceOutcome;
use crate::server::app::Error;
use crate::server::app::idp_syncs::{Lead, SyncAt};
use crate::server::html::pages::syncs::{SyncPage, Tried};
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::extract::{Path, Query};
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::page_may(R::IdpsyncSettings, A::Read), paths::SYNC, show).post(
        Access::page_may(R::IdpsyncSettings, A::Update),
        paths::SYNC,
        change,
    )
}

/// What follows, as a path names it.
#[derive(serde::Deserialize)]
struct Named {
    kind: String,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct By {
    provider: Option<String>,
}

/// What is shown besides what is in force.
#[derive(Default)]
struct Beside {
    tried: Option<(String, Tried)>,
    input: Input,
}

fn at(here: &Here, Named { kind }: &Named, By { provider }: By) -> Result<SyncAt, Error> {
    let kind = SyncKind::from_word(kind).filter(|kind| *kind != SyncKind::Organizations);
    let kind = kind.ok_or(Error::NotFound("setting"))?;
    Ok(SyncAt { organization: Some(here.key()), kind, provider })
}

async fn show(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(named): Path<Named>,
    Query(by): Query<By>,
) -> Answer<Html> {
    let at = at(&here, &named, by)?;
    draw(&state, visitor, (here, at), Beside::default()).await
}

async fn draw(
    state: &State,
    Visitor { actor, visit }: Visitor,
    (here, at): (Here, SyncAt),
    Beside { tried, input }: Beside,
) -> Answer<Html> {
    let view = state.app.idp_sync(&actor, at).await?;
    let changes = here.may(state, &actor, (R::IdpsyncSettings, A::Update));
    Ok(Html::of(&SyncPage {
        visit,
        place: here.0,
        kind: view.kind,
        provider: view.provider,
        providers: view.providers,
        settings: view.settings,
        origin: view.origin,
        mapping: lines(&view.leads),
        changes,
        tried,
        input,
    }))
}

/// A mapping as it is typed.
fn lines(leads: &[Lead]) -> String {
    let lines = leads.iter().map(|lead| format!("{} = {}", lead.word, lead.name));
    lines.collect::<Vec<_>>().join("\n")
}

/// What a form asks for. Names here have no `=` in them, words there may.
fn typed(fields: &Fields) -> Result<SetSync, Error> {
    let field = |name| fields.get(name).unwrap_or_default().trim().to_owned();
    let mut set = SetSync {
        field: field("field"),
        regex_filter: field("regex_filter"),
        auto_create: fields.get("auto_create").is_some(),
        ..SetSync::default()
    };
    for line in field("mapping").lines().map(str::trim).filter(|line| !line.is_empty()) {
        let wrong = || Error::invalid("mapping", format!("has no = in the line {line:?}"));
        let (word, here) = line.rsplit_once('=').ok_or_else(wrong)?;
        set.mapping.entry(word.trim().to_owned()).or_default().push(here.trim().to_owned());
    }
    Ok(set)
}

async fn change(
    state: State,
    visitor: Visitor,
    here: Here,
    (Path(named), Query(by)): (Path<Named>, Query<By>),
    fields: Fields,
) -> Answer<Response> {
    let at = at(&here, &named, by)?;
    let deed = fields.get("deed").unwrap_or_default();
    let person = fields.get("person").unwrap_or_default().trim();
    let asked = match deed {
        "back" => Ok(SyncChange::Back),
        _ => typed(&fields).map(SyncChange::All),
    };
    let is_trial = deed == "try";
    let done = match asked {
        Ok(change) if is_trial => {
            let tried = state.app.try_idp_sync(&visitor.actor, (at.clone(), change), person).await;
            tried.map(|tried| Some((person.to_owned(), told(at.kind, tried))))
        }
        Ok(change) => {
            state.app.set_idp_sync(&visitor.actor, at.clone(), change).await.map(|_| None)
        }
        Err(error) => Err(error),
    };
    let beside = match done {
        Ok(None) => {
            let provider = at.provider.unwrap_or_default();
            let page = paths::sync(&here.0.organization.name, at.kind.as_str(), &provider);
            return Ok(flash::done(
                &state.site,
                &page,
                "Saved. It holds from the next sign-in on.",
            ));
        }
        Ok(tried) => {
            let values = fields.0.iter().filter(|(name, _)| name != "csrf").cloned().collect();
            Beside { tried, input: Input { values, ..Input::default() } }
        }
        Err(error) => Beside { tried: None, input: mistake(&fields, error)? },
    };
    Ok(draw(&state, visitor, (here, at), beside).await?.into_response())
}

fn told(kind: SyncKind, tried: Option<PlaceOutcome>) -> Tried {
    let Some(PlaceOutcome { groups, roles, .. }) = tried else { return Tried::Unknown };
    match kind {
        SyncKind::Roles => roles.map_or(Tried::Off, Tried::Roles),
        SyncKind::Groups | SyncKind::Organizations => groups.map_or(Tried::Off, Tried::Groups),
    }
}
