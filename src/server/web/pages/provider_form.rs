//! Adding, changing and removing ways to sign in, and trying out what was typed.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};

use super::{Html, Visitor, flash, mistake, sentence};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::provider::{ProviderKind, Steps};
use crate::model::provider_field::{fields, secret};
use crate::server::app::{Actor, Error};
use crate::server::html::pages::provider_form::{
    FormState, KEPT, ProviderForm, TRY_USERNAME, USUAL_NAME,
};
use crate::server::html::parts::form::{Input, SECRET};
use crate::server::html::parts::notice::Tone;
use crate::server::html::paths;
use crate::server::identity::editing::Draft;
use crate::server::identity::settings::typed;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    let may = Access::page_may(R::IdpsyncSettings, A::Update);
    routes
        .get(may, paths::PROVIDER_ADD, blank)
        .post(may, paths::PROVIDER_ADD, add)
        .post(may, paths::PROVIDER_ADD_TRY, try_new)
        .get(may, paths::PROVIDER, show)
        .post(may, paths::PROVIDER, save)
        .post(may, paths::PROVIDER_TRY, try_changed)
        .post(may, paths::PROVIDER_REMOVE, remove)
}

/// What is drawn into the form besides what is stored.
#[derive(Default)]
struct Drawn {
    values: BTreeMap<String, String>,
    input: Input,
    kept: String,
    tried: Option<Steps>,
}

/// A kind that can be set up here.
fn kind_of(word: &str) -> Answer<ProviderKind> {
    let kind = ProviderKind::from_word(word).filter(|kind| secret(*kind).is_some());
    Ok(kind.ok_or(Error::NotFound("kind of provider"))?)
}

async fn blank(state: State, visitor: Visitor, Path(kind): Path<String>) -> Answer<Html> {
    let kind = kind_of(&kind)?;
    // Asked before anything is typed: a secret is not carried over a second factor.
    state.app.require_provider_change(&visitor.actor)?;
    let values = typed::shown(kind, &toml::Table::new());
    let state_of_form = FormState::New(new_name(kind, None));
    draw(&state, visitor, (kind, state_of_form), Drawn { values, ..Drawn::default() })
}

/// There is one of each kind but of those that speak `OpenID` Connect.
fn new_name(kind: ProviderKind, typed: Option<&str>) -> String {
    if kind == ProviderKind::Oidc {
        typed.unwrap_or(USUAL_NAME).trim().to_owned()
    } else {
        kind.to_string()
    }
}

fn draw(
    state: &State,
    Visitor { visit, .. }: Visitor,
    (kind, form): (ProviderKind, FormState),
    drawn: Drawn,
) -> Answer<Html> {
    let (FormState::New(name) | FormState::Stored(name, _) | FormState::Behind(name)) = &form;
    let addresses = state.providers.now().addresses(kind, name);
    let Drawn { values, input, kept, tried } = drawn;
    Ok(Html::of(&ProviderForm { visit, kind, state: form, values, input, kept, tried, addresses }))
}

/// The draft of a form.
fn draft(
    state: &State,
    actor: &Actor,
    fields: &Fields,
    (kind, name, change): (ProviderKind, String, bool),
) -> Draft {
    let given = fields.get(SECRET).filter(|secret| !secret.is_empty());
    let carried = || state.app.open_draft(actor, fields.get(KEPT)?).ok()?;
    let secret = given.map(|secret| secret.to_owned().into()).or_else(carried);
    Draft { kind, name, typed: texts(kind, fields), secret, change }
}

/// Every text of a form's settings: a box that is not ticked is not sent.
fn texts(kind: ProviderKind, sent: &Fields) -> BTreeMap<String, String> {
    let text = |key: &str| sent.get(key).unwrap_or_default().to_owned();
    let shown = fields(kind).iter().filter(|field| Some(field.key) != secret(kind));
    shown.map(|field| (field.key.to_owned(), text(field.key))).collect()
}

/// What is drawn again after something was typed; the secret of it goes along sealed.
fn again(state: &State, actor: &Actor, draft: &Draft, outcome: Outcome<'_>) -> Answer<Drawn> {
    let sealed = draft.secret.as_ref().map(|secret| state.app.seal_draft(actor, secret));
    let kept = sealed.and_then(Result::ok).unwrap_or_default();
    let (input, tried) = match outcome {
        Outcome::Tried(fields, steps) => {
            let name =
                fields.get(TRY_USERNAME).map(|name| (TRY_USERNAME.to_owned(), name.to_owned()));
            (Input { values: name.into_iter().collect(), ..Input::default() }, Some(steps))
        }
        Outcome::Wrong(fields, error) => (wrong(draft.kind, fields, error)?, None),
    };
    Ok(Drawn { values: draft.typed.clone(), input, kept, tried })
}

/// What came of what was typed.
enum Outcome<'a> {
    Tried(&'a Fields, Steps),
    Wrong(&'a Fields, Error),
}

/// What is wrong, beside the field and by its name on the page.
fn wrong(kind: ProviderKind, sent: &Fields, error: Error) -> Answer<Input> {
    let error = match error {
        Error::Invalid { field, why } => {
            let known = fields(kind).iter().find(|known| known.key == field);
            let why = match (known, why.strip_prefix(&field)) {
                (Some(known), Some(rest)) => format!("{}{rest}", known.label),
                (Some(_) | None, _) => why,
            };
            let is_secret = Some(field.as_str()) == secret(kind);
            let field = if is_secret { SECRET.to_owned() } else { field };
            Error::Invalid { field, why }
        }
        other @ (Error::NotFound(_)
        | Error::Denied(_)
        | Error::Unconfirmed(_)
        | Error::Conflict(_)
        | Error::Unavailable(_)
        | Error::Internal(_)) => other,
    };
    mistake(sent, error)
}

async fn add(
    state: State,
    visitor: Visitor,
    Path(kind): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    let kind = kind_of(&kind)?;
    let name = new_name(kind, fields.get("name"));
    let draft = draft(&state, &visitor.actor, &fields, (kind, name.clone(), false));
    match state.providers.put(&visitor.actor, &draft).await {
        Ok(()) => Ok(flash::done(&state.site, paths::PROVIDERS, &format!("{name} is in force."))),
        Err(error) => {
            let drawn = again(&state, &visitor.actor, &draft, Outcome::Wrong(&fields, error))?;
            Ok(draw(&state, visitor, (kind, FormState::New(name)), drawn)?.into_response())
        }
    }
}

async fn try_new(
    state: State,
    visitor: Visitor,
    Path(kind): Path<String>,
    fields: Fields,
) -> Answer<Html> {
    let kind = kind_of(&kind)?;
    let name = new_name(kind, fields.get("name"));
    let draft = draft(&state, &visitor.actor, &fields, (kind, name.clone(), false));
    let drawn = tried(&state, &visitor.actor, &draft, &fields).await?;
    draw(&state, visitor, (kind, FormState::New(name)), drawn)
}

async fn tried(state: &State, actor: &Actor, draft: &Draft, fields: &Fields) -> Answer<Drawn> {
    let username = fields.get(TRY_USERNAME).unwrap_or_default();
    let outcome = match state.providers.try_draft(actor, draft, username).await {
        Ok(steps) => Outcome::Tried(fields, steps),
        Err(error) => Outcome::Wrong(fields, error),
    };
    again(state, actor, draft, outcome)
}

/// The form of what is stored.
async fn stored(state: &State, actor: &Actor, name: &str) -> Answer<(ProviderKind, FormState)> {
    let (kind, _) = state.providers.stored(name).ok_or(Error::NotFound("provider"))?;
    if state.providers.is_fixed(name) {
        return Ok((kind, FormState::Behind(name.to_owned())));
    }
    let comers = state.providers.comers(actor, name).await?;
    Ok((kind, FormState::Stored(name.to_owned(), comers)))
}

async fn show(state: State, visitor: Visitor, Path(name): Path<String>) -> Answer<Html> {
    let (_, values) = state.providers.stored(&name).ok_or(Error::NotFound("provider"))?;
    state.app.require_provider_change(&visitor.actor)?;
    let form = stored(&state, &visitor.actor, &name).await?;
    draw(&state, visitor, form, Drawn { values, ..Drawn::default() })
}

async fn save(
    state: State,
    visitor: Visitor,
    Path(name): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    let form = stored(&state, &visitor.actor, &name).await?;
    let draft = draft(&state, &visitor.actor, &fields, (form.0, name.clone(), true));
    match state.providers.put(&visitor.actor, &draft).await {
        Ok(()) => Ok(flash::done(&state.site, paths::PROVIDERS, &format!("{name} is changed."))),
        Err(error) => {
            let drawn = again(&state, &visitor.actor, &draft, Outcome::Wrong(&fields, error))?;
            Ok(draw(&state, visitor, form, drawn)?.into_response())
        }
    }
}

async fn try_changed(
    state: State,
    visitor: Visitor,
    Path(name): Path<String>,
    fields: Fields,
) -> Answer<Html> {
    let form = stored(&state, &visitor.actor, &name).await?;
    let draft = draft(&state, &visitor.actor, &fields, (form.0, name, true));
    let drawn = tried(&state, &visitor.actor, &draft, &fields).await?;
    draw(&state, visitor, form, drawn)
}

async fn remove(
    state: State,
    visitor: Visitor,
    Path(name): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    state.providers.stored(&name).ok_or(Error::NotFound("provider"))?;
    let page = paths::provider(&name);
    let back = (page.as_str(), "remove it", "Nothing was removed");
    if let Some(asked) = flash::unless_typed(&state.site, (&fields, &name), back) {
        return Ok(asked);
    }
    match state.providers.remove(&visitor.actor, &name).await {
        Ok(()) => Ok(flash::done(&state.site, paths::PROVIDERS, &format!("{name} is removed."))),
        Err(Error::Conflict(why)) => {
            Ok(flash::tell(&state.site, &page, Tone::Bad, &sentence(&why)))
        }
        Err(other) => Err(other.into()),
    }
}
