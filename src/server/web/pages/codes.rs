//! Share codes: the list of a workspace's, and where one is redeemed.

use axum::response::{IntoResponse as _, Response};

use super::sharing::verbs;
use super::visitor::form_token;
use super::workspace::{At, find};
use super::{Html, Visitor, flash, mistake};
use crate::model::code::ShareCode;
use crate::model::id::CodeId;
use crate::model::workspace::Workspace;
use crate::server::app::codes::{NewCode, Offer};
use crate::server::app::{Actor, Error};
use crate::server::html::layout::Csrf;
use crate::server::html::pages::codes::{Codes, Listed};
use crate::server::html::pages::redeem::{FIELD, Offered, Redeem, TAKE};
use crate::server::html::parts::form::Input;
use crate::server::html::paths::{self, Place};
use crate::server::web::api::codes::asked;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, MaybeWho, State};
use crate::wire::codes::CreateCode;

pub(super) fn routes(routes: Routes) -> Routes {
    const PATH: &str = "/@{owner}/{name}/sharing/codes";
    routes
        .get(Access::Page, PATH, show)
        .post(Access::Page, PATH, make)
        .post(Access::Page, "/@{owner}/{name}/sharing/codes/{code}/revoke", revoke)
        // Whoever is not signed in pastes the code here first; it is kept over the sign-in.
        .get(Access::Public, paths::REDEEM, enter)
        .post(Access::Page, paths::REDEEM, redeem)
}

async fn show(state: State, visitor: Visitor, at: At) -> Answer<Html> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    draw(&state, visitor, workspace, (None, Input::default())).await
}

async fn draw(
    state: &State,
    Visitor { actor, visit }: Visitor,
    workspace: Workspace,
    (made, input): (Option<String>, Input),
) -> Answer<Html> {
    let all = state.app.codes(&actor, workspace.id).await?.into_iter();
    let listed = all.map(|view| Listed {
        code: view.code,
        state: view.state,
        holds: view.holds,
        grants: view.grants,
    });
    Ok(Html::of(&Codes { visit, workspace, codes: listed.collect(), made, input }))
}

/// The page after it is not led to: the code is shown once, in this answer.
async fn make(state: State, visitor: Visitor, at: At, fields: Fields) -> Answer<Html> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    let new = match chosen(&state, &fields) {
        Ok(new) => new,
        Err(error) => {
            let input = mistake(&fields, error)?;
            return draw(&state, visitor, workspace, (None, input)).await;
        }
    };
    let (made, input) = match state.app.create_code(&visitor.actor, workspace.id, new).await {
        Ok((text, _)) => {
            let link = format!("{}{}", state.site.access_url(), paths::redeem(text.expose()));
            (Some(link), Input::default())
        }
        Err(Error::Denied(why)) => (None, mistake(&fields, Error::invalid("verbs", why))?),
        Err(error) => (None, mistake(&fields, error)?),
    };
    draw(&state, visitor, workspace, (made, input)).await
}

fn chosen(state: &State, fields: &Fields) -> Result<NewCode, Error> {
    let text = |key: &str| fields.get(key).unwrap_or_default().trim().to_owned();
    let uses = text("uses");
    let body = CreateCode {
        lasts: text("for"),
        until: text("until"),
        uses: uses.parse().map_err(|_| Error::invalid("uses", "is not a number"))?,
        record: fields.get("record").is_some(),
        reason: text("reason"),
        verbs: vec![],
    };
    let new = asked(&body, state.app.clock().now())?;
    Ok(NewCode { verbs: verbs(fields)?, ..new })
}

async fn revoke(
    state: State,
    visitor: Visitor,
    Path((owner, name, code)): Path<(String, String, CodeId)>,
    fields: Fields,
) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &Path((owner, name))).await?;
    let with_grants = fields.get("grants").is_some();
    state.app.revoke_code(&visitor.actor, code, with_grants).await?;
    let text = if with_grants { "Taken back, with what came by it." } else { "Taken back." };
    Ok(flash::done(&state.site, &Place::of(&workspace).codes(), text))
}

async fn enter(state: State, MaybeWho(actor): MaybeWho) -> Html {
    Html::of(&page(&state, actor.as_ref(), (None, Input::default())))
}

fn page(state: &State, actor: Option<&Actor>, (offer, input): (Option<Offered>, Input)) -> Redeem {
    let caller = actor.and_then(|actor| actor.caller().ok());
    let token = caller.and_then(|caller| caller.token());
    let csrf = Csrf(token.map(|token| form_token(state, token)).unwrap_or_default());
    let username = caller.map(|caller| caller.user.username.to_string());
    Redeem { csrf, username, offer, input }
}

/// Shows what a code gives, and gives it to who has seen that.
async fn redeem(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let text = fields.get(FIELD).unwrap_or_default();
    let actor = &visitor.actor;
    let wrong = if fields.get(TAKE).is_some() {
        match state.app.redeem_code(actor, text).await {
            Ok((_, workspace)) => {
                let said = format!("{} is shared with you now.", workspace.name);
                return Ok(flash::done(&state.site, Place::of(&workspace).page(), &said));
            }
            Err(error) => error,
        }
    } else {
        match state.app.offer_of_code(actor, text).await {
            Ok(Offer { code, workspace }) => {
                // As it was read: what else was typed is not carried on.
                let text =
                    ShareCode::parse(text).map(|c| c.expose().to_owned()).unwrap_or_default();
                let offer = Offered { text, code, workspace, now: state.app.clock().now() };
                let page = page(&state, Some(actor), (Some(offer), Input::default()));
                return Ok(Html::of(&page).into_response());
            }
            Err(error) => error,
        }
    };
    let wrong = match wrong {
        Error::NotFound(_) => Error::invalid(FIELD, WRONG),
        Error::Conflict(why) => Error::invalid(FIELD, why),
        other @ (Error::Denied(_)
        | Error::Unconfirmed(_)
        | Error::Invalid { .. }
        | Error::Unavailable(_)
        | Error::Internal(_)) => other,
    };
    // The code itself is not shown again.
    let input = mistake(&Fields::default(), wrong)?;
    Ok(Html::of(&page(&state, Some(actor), (None, input))).into_response())
}

/// Whatever is wrong with it.
const WRONG: &str = "is none that you could redeem: it may be mistyped, over, used up or taken back, or \
                     for an organization that you are not in";
