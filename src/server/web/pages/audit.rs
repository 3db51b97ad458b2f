//! The audit log as pages: entries, one entry, and the searches that people keep.

use axum::response::{IntoResponse, Response};
use http::HeaderMap;

use super::{Html, Visitor, document, flash, mistake, sentence, wants_part};
use crate::model::audit::quick::Quick;
use crate::model::audit::saved::FilterText;
use crate::model::audit::search::AuditSearch;
use crate::model::audit::shown::Found;
use crate::model::audit::{AuditAction, AuditTarget};
use crate::model::id::AuditFilterId;
use crate::model::policy::{Action, ResourceType};
use crate::server::app::{Actor, Error};
use crate::server::html::pages::audit::Audit;
use crate::server::html::pages::audit_entry::EntryPage;
use crate::server::html::pages::audit_filters::{AuditFilters, Which};
use crate::server::html::paths;
use crate::server::web::extract::{Path, Query};
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    let may = Access::page_may(ResourceType::AuditLog, Action::Read);
    routes
        .get(may, paths::AUDIT, list)
        .get(may, paths::AUDIT_FILTERS, filters)
        .post(may, paths::AUDIT_FILTERS, save)
        .post(may, "/audit/filters/{filter}", change)
        .post(may, "/audit/filters/{filter}/delete", delete)
        .get(may, "/audit/{entry}", entry)
}

/// What is asked of the log.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Asked {
    q: String,
    who: String,
    action: String,
    kind: String,
    from: String,
    to: String,
    denied: String,
    offset: i64,
}

impl Asked {
    fn quick(&self) -> Quick {
        Quick {
            who: self.who.trim().to_owned(),
            action: AuditAction::from_word(&self.action),
            target: AuditTarget::from_word(&self.kind),
            from: self.from.trim().to_owned(),
            to: self.to.trim().to_owned(),
            is_denied: !self.denied.is_empty(),
        }
    }
}

async fn list(
    state: State,
    Visitor { actor, visit }: Visitor,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Answer<Response> {
    let quick = asked.quick();
    let found = look(&state, &actor, (&asked.q, &quick), asked.offset).await?;
    let extent = state.app.audit_extent(&actor).await?;
    let (own, shared) = state.app.audit_filters(&actor).await?;
    let page = Audit { visit, typed: asked.q, quick, extent, own, shared, found };
    let part = wants_part(&headers);
    Ok(if part { document(page.list()) } else { Html::of(&page).into_response() })
}

/// What a search finds, or why it cannot be read.
async fn look(
    state: &State,
    actor: &Actor,
    (typed, quick): (&str, &Quick),
    offset: i64,
) -> Answer<Result<Found, String>> {
    // Alone first: what is wrong with it is told with its place in the box.
    if let Err(why) = AuditSearch::parse(typed) {
        return Ok(Err(sentence(&why.to_string())));
    }
    match state.app.audit_page(actor, &quick.and(typed), offset).await {
        Ok(found) => Ok(Ok(found)),
        Err(Error::Invalid { why, .. }) => Ok(Err(sentence(&why))),
        Err(other) => Err(other.into()),
    }
}

async fn entry(
    state: State,
    Visitor { actor, visit }: Visitor,
    Path(key): Path<String>,
) -> Answer<Html> {
    let entry = state.app.audit_entry(&actor, &key).await?;
    Ok(Html::of(&EntryPage { visit, entry }))
}

async fn filters(state: State, visitor: Visitor) -> Answer<Html> {
    show_filters(&state, visitor, None).await
}

async fn show_filters(
    state: &State,
    Visitor { actor, visit }: Visitor,
    wrong: Option<(Which, (Fields, Error))>,
) -> Answer<Html> {
    let wrong = match wrong {
        Some((which, (fields, error))) => Some((which, mistake(&fields, error)?)),
        None => None,
    };
    let (own, shared) = state.app.audit_filters(&actor).await?;
    Ok(Html::of(&AuditFilters { visit, own, shared, wrong }))
}

fn text(fields: &Fields) -> FilterText {
    let field = |name| fields.get(name).unwrap_or_default().to_owned();
    FilterText { name: field("name"), query: field("q"), is_shared: !field("shared").is_empty() }
}

async fn save(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    match state.app.save_audit_filter(&visitor.actor, text(&fields)).await {
        Ok(saved) => {
            let said = format!("The search {} is saved.", saved.name);
            Ok(flash::done(&state.site, &paths::audit_where(&saved.query), &said))
        }
        Err(error) => {
            let wrong = Some((Which::New, (fields, error)));
            Ok(show_filters(&state, visitor, wrong).await?.into_response())
        }
    }
}

async fn change(
    state: State,
    visitor: Visitor,
    Path(id): Path<AuditFilterId>,
    fields: Fields,
) -> Answer<Response> {
    match state.app.change_audit_filter(&visitor.actor, id, text(&fields)).await {
        Ok(saved) => {
            let said = format!("The search {} is saved.", saved.name);
            Ok(flash::done(&state.site, paths::AUDIT_FILTERS, &said))
        }
        Err(error) => {
            let wrong = Some((Which::Kept(id), (fields, error)));
            Ok(show_filters(&state, visitor, wrong).await?.into_response())
        }
    }
}

async fn delete(state: State, visitor: Visitor, Path(id): Path<AuditFilterId>) -> Answer<Response> {
    let gone = state.app.delete_audit_filter(&visitor.actor, id).await?;
    let said = format!("The search {} is deleted.", gone.name);
    Ok(flash::done(&state.site, paths::AUDIT_FILTERS, &said))
}
