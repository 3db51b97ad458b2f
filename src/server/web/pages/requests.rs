//! Requests for access, as pages: asking, answering, and what has to be looked into.

use axum::response::{IntoResponse, Response};

use super::sharing::verbs;
use super::{Html, Visitor, flash, mistake};
use crate::model::id::{BreakGlassId, RequestId};
use crate::model::policy::{Action as A, Permission, ResourceType as R};
use crate::model::request::{MAX_PLACE, RequestState, RequestView, Verdict};
use crate::model::verb::Verbs;
use crate::server::app::request_decisions::Decision;
use crate::server::app::request_views::Show;
use crate::server::app::requests::NewRequest;
use crate::server::app::{Actor, Error};
use crate::server::html::pages::request::RequestPage;
use crate::server::html::pages::requests::{AskPage, Requests};
use crate::server::html::parts::ask::Wanted;
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::api::requests::long;
use crate::server::web::extract::{Path, Query};
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    let breaks = Access::page_may(R::Workspace, A::BreakGlass);
    routes
        .get(Access::Page, paths::REQUESTS, list)
        .post(Access::Page, paths::REQUESTS, ask)
        .get(Access::Page, paths::NEW_REQUEST, |visitor: Visitor, known: Query<Known>| async move {
            new(visitor, known)
        })
        .get(Access::Page, paths::REQUEST_LINK, by_link)
        .post(Access::Page, paths::REQUEST_LINK, answer_by_link)
        .get(Access::Page, "/requests/{request}", show)
        .post(Access::Page, "/requests/{request}/answer", answer)
        .post(Access::Page, "/requests/{request}/cancel", cancel)
        .post(Access::Page, "/requests/{request}/link", link)
        .post(breaks, paths::BREAK_GLASS, break_glass)
        .post(Access::Page, "/break-glass/{break_glass}/review", review)
}

async fn list(state: State, Visitor { actor, visit }: Visitor) -> Answer<Html> {
    let to_decide = state.app.requests(&actor, Show::ToDecide).await?;
    let own = state.app.requests(&actor, Show::Mine).await?;
    let broken = state.app.open_break_glass(&actor).await?;
    Ok(Html::of(&Requests { visit, to_decide, own, broken }))
}

/// What a form is to be filled in with.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Known {
    workspace: String,
    preset: String,
}

fn new(visitor: Visitor, Query(known): Query<Known>) -> Html {
    let verbs = Verbs::parse(&known.preset).unwrap_or_default();
    let workspace = known.workspace.chars().take(MAX_PLACE).collect();
    draw(visitor, Wanted { workspace, verbs }, (Input::default(), Input::default()))
}

fn draw(
    Visitor { actor, visit }: Visitor,
    wanted: Wanted,
    (input, emergency): (Input, Input),
) -> Html {
    let breaks_glass = breaks_glass(&actor);
    Html::of(&AskPage { visit, wanted, breaks_glass, input, emergency })
}

fn breaks_glass(actor: &Actor) -> bool {
    actor.require_ever(Permission(R::Workspace, A::BreakGlass)).is_ok()
}

async fn ask(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let text = |name: &str| fields.get(name).unwrap_or_default().trim().to_owned();
    let asked = async {
        let new = NewRequest {
            workspace: text("workspace"),
            verbs: verbs(&fields)?,
            reason: text("reason"),
            from: None,
            lasts: long("for", &text("for"))?,
            wait: None,
        };
        state.app.ask_access(&visitor.actor, new).await
    };
    match asked.await {
        Ok(made) => {
            let said = match made.request.state {
                RequestState::Approved => "You are let in.",
                RequestState::Pending
                | RequestState::Denied
                | RequestState::Cancelled
                | RequestState::Expired => "Asked. You are let in as soon as it is approved.",
            };
            Ok(flash::done(&state.site, &paths::request(made.request.id), said))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            let page = draw(visitor, Wanted::default(), (input, Input::default()));
            Ok(page.into_response())
        }
    }
}

async fn show(state: State, visitor: Visitor, Path(id): Path<RequestId>) -> Answer<Html> {
    let view = state.app.request(&visitor.actor, id).await?;
    Ok(page(visitor, view, (None, Input::default())))
}

fn page(
    Visitor { visit, .. }: Visitor,
    view: RequestView,
    (link, input): (Option<String>, Input),
) -> Html {
    let answer_to = paths::request_action(view.request.id, "answer");
    Html::of(&RequestPage { visit, view, answer_to, link, input })
}

fn decision(fields: &Fields) -> Result<Decision, Error> {
    let said = fields.get("verdict").and_then(Verdict::from_word);
    let verdict = said.ok_or_else(|| Error::invalid("verdict", "is approve or deny"))?;
    let lasts = match verdict {
        Verdict::Approve => long("for", fields.get("for").unwrap_or_default())?,
        Verdict::Deny => None,
    };
    Ok(Decision { verdict, note: fields.get("note").unwrap_or_default().to_owned(), lasts })
}

fn answered(view: &RequestView) -> String {
    let who = &view.by.username;
    match view.request.state {
        RequestState::Approved => format!("Approved: {who} is let in."),
        RequestState::Denied => "Denied.".to_owned(),
        RequestState::Pending | RequestState::Cancelled | RequestState::Expired => {
            "Your answer is noted; more have to say yes.".to_owned()
        }
    }
}

async fn answer(
    state: State,
    visitor: Visitor,
    Path(id): Path<RequestId>,
    fields: Fields,
) -> Answer<Response> {
    let decided = async {
        let decision = decision(&fields)?;
        state.app.decide_request(&visitor.actor, id, decision).await
    };
    match decided.await {
        Ok(view) => Ok(flash::done(&state.site, &paths::request(id), &answered(&view))),
        Err(error) => {
            let input = mistake(&fields, error)?;
            let view = state.app.request(&visitor.actor, id).await?;
            Ok(page(visitor, view, (None, input)).into_response())
        }
    }
}

async fn cancel(state: State, visitor: Visitor, Path(id): Path<RequestId>) -> Answer<Response> {
    state.app.cancel_request(&visitor.actor, id).await?;
    Ok(flash::done(&state.site, paths::REQUESTS, "The request is taken back."))
}

/// The page after it is not led to: the link is shown once, in this answer.
async fn link(state: State, visitor: Visitor, Path(id): Path<RequestId>) -> Answer<Html> {
    let token = state.app.link_request(&visitor.actor, id).await?;
    let view = state.app.request(&visitor.actor, id).await?;
    let link = format!("{}{}", state.site.access_url(), paths::request_link(&token.expose()));
    Ok(page(visitor, view, (Some(link), Input::default())))
}

async fn by_link(state: State, visitor: Visitor, Path(token): Path<String>) -> Answer<Html> {
    let view = state.app.linked_request(&visitor.actor, &token).await?;
    let (link, input, visit) = (None, Input::default(), visitor.visit);
    let answer_to = paths::request_link(&token);
    Ok(Html::of(&RequestPage { visit, view, answer_to, link, input }))
}

async fn answer_by_link(
    state: State,
    visitor: Visitor,
    Path(token): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    let decision = decision(&fields)?;
    let view = state.app.decide_linked(&visitor.actor, &token, decision).await?;
    let path = paths::request(view.request.id);
    Ok(flash::done(&state.site, &path, &answered(&view)))
}

async fn break_glass(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let text = |name: &str| fields.get(name).unwrap_or_default().trim();
    let asked = (text("workspace"), text("reason"));
    match state.app.break_glass(&visitor.actor, asked).await {
        Ok(taken) => {
            let said = "You are let in for 60 minutes. What you do is recorded.";
            Ok(flash::done(&state.site, &format!("/@{}", taken.workspace), said))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            let page = draw(visitor, Wanted::default(), (Input::default(), input));
            Ok(page.into_response())
        }
    }
}

async fn review(
    state: State,
    visitor: Visitor,
    Path(id): Path<BreakGlassId>,
    fields: Fields,
) -> Answer<Response> {
    let note = fields.get("note").unwrap_or_default();
    state.app.review_break_glass(&visitor.actor, id, note).await?;
    Ok(flash::done(&state.site, paths::REQUESTS, "Noted: you looked into it."))
}
