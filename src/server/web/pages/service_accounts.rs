//! Service accounts and who answers for them.

use axum::response::{IntoResponse, Response};

use super::{Html, Visitor, flash, mistake};
use crate::model::policy::{Action, ResourceType};
use crate::model::user::{UserKind, UserRef};
use crate::server::app::service_accounts::ServiceAccount;
use crate::server::app::users::CreateUser;
use crate::server::html::pages::service_accounts::{Answers, ServiceAccounts};
use crate::server::html::parts::form::Input;
use crate::server::html::parts::notice::Tone;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    let may = |action| Access::page_may(ResourceType::User, action);
    routes
        .get(may(Action::Create), paths::SERVICE_ACCOUNTS, list)
        .post(may(Action::Create), paths::SERVICE_ACCOUNTS, add)
        .post(may(Action::Update), "/people/{user}/responsible", name)
}

/// Who answers for an account, as pages show it.
pub(super) fn answers(account: &ServiceAccount) -> Answers {
    let who = account.responsible.as_ref().map(UserRef::of);
    Answers { who, is_lacking: account.is_lacking() }
}

async fn list(state: State, visitor: Visitor) -> Answer<Html> {
    show(&state, visitor, Input::default()).await
}

async fn show(state: &State, visitor: Visitor, input: Input) -> Answer<Html> {
    let all = state.app.service_accounts(&visitor.actor).await?;
    let accounts = all.into_iter().map(|a| (a.user.clone(), answers(&a))).collect();
    Ok(Html::of(&ServiceAccounts { visit: visitor.visit, accounts, input }))
}

async fn add(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let field = |name| fields.get(name).unwrap_or_default().to_owned();
    let cmd = CreateUser {
        username: field("username"),
        name: field("name"),
        kind: UserKind::Service,
        ..CreateUser::default()
    };
    let made = state.app.create_service_account(&visitor.actor, cmd, &field("responsible")).await;
    match made {
        Ok(user) => {
            let text = format!("{} is there. An owner makes its tokens.", user.username);
            Ok(flash::done(&state.site, &paths::person(&user.username), &text))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            Ok(show(&state, visitor, input).await?.into_response())
        }
    }
}

async fn name(
    state: State,
    visitor: Visitor,
    Path(key): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    let user = state.app.user(&visitor.actor, &key).await?;
    let (who, page) =
        (fields.get("responsible").unwrap_or_default(), paths::person(&user.username));
    match state.app.set_responsible(&visitor.actor, &key, who).await {
        Ok(_) => {
            let text = format!("{who} answers for {}.", user.username);
            Ok(flash::done(&state.site, &page, &text))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            let why = input.errors.into_values().next().unwrap_or_default();
            Ok(flash::tell(&state.site, &page, Tone::Bad, &why))
        }
    }
}
