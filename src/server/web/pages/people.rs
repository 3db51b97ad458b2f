//! People and what is done with their accounts.

use axum::response::{IntoResponse, Response};

use super::person_tokens::{sessions_of, tokens_of};
use super::what_if::{self, Asked};
use super::{Html, Visitor, flash, mistake, sentence};
use crate::model::filter::WorkspaceFilter;
use crate::model::people_filter::PeopleFilter;
use crate::model::policy::{Action, ResourceType};
use crate::model::quota::Quota;
use crate::model::user::{SiteRole, User, UserStatus};
use crate::model::what_if::Outlook;
use crate::server::app::users::{CreateUser, UserFilter};
use crate::server::app::what_if::Change;
use crate::server::app::{Actor, Error};
use crate::server::html::layout::{Section, Visit};
use crate::server::html::pages::people::People;
use crate::server::html::pages::person::Person;
use crate::server::html::pages::person_tokens::TheirTokens;
use crate::server::html::pages::tokens::Made;
use crate::server::html::parts::form::Input;
use crate::server::html::parts::notice::Tone;
use crate::server::html::paths;
use crate::server::web::extract::{Path, Query};
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

/// Workspaces on a person's page; the list of workspaces has the rest.
const MAX_WORKSPACES: u32 = 300;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::page_may(ResourceType::User, Action::Create), paths::PEOPLE, list)
        .post(Access::page_may(ResourceType::User, Action::Create), paths::PEOPLE, add)
        .get(Access::Page, "/people/{user}", person)
        .post(
            Access::page_may(ResourceType::User, Action::Update),
            "/people/{user}/suspend",
            suspend,
        )
        .post(
            Access::page_may(ResourceType::User, Action::Update),
            "/people/{user}/activate",
            activate,
        )
        .post(Access::page_may(ResourceType::User, Action::Delete), "/people/{user}/delete", delete)
        .post(
            Access::page_may(ResourceType::User, Action::Update),
            "/people/{user}/password",
            password,
        )
        .post(
            Access::page_may(ResourceType::User, Action::Update),
            "/people/{user}/factors/remove",
            remove_factors,
        )
        .post(
            Access::page_may(ResourceType::AssignRole, Action::Assign),
            "/people/{user}/roles",
            roles,
        )
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Filter {
    q: String,
    status: String,
    offset: i64,
}

async fn list(state: State, visitor: Visitor, Query(filter): Query<Filter>) -> Answer<Html> {
    show(&state, visitor, filter, Input::default()).await
}

async fn show(state: &State, visitor: Visitor, filter: Filter, input: Input) -> Answer<Html> {
    let status = UserStatus::from_word(&filter.status);
    let (limit, offset) = (People::ON_A_PAGE, filter.offset.max(0));
    let (text, only) = (filter.q.clone(), status.into_iter().collect());
    let wanted = PeopleFilter { text, status: only, ..PeopleFilter::default() };
    let wanted = UserFilter { wanted, limit, offset, ..UserFilter::default() };
    let (people, total) = state.app.users(&visitor.actor, wanted).await?;
    let quotas = match state.app.home_of(&visitor.actor).await? {
        (Some(home), _) => {
            state.app.quotas_of(home.id, people.iter().map(|u| u.id).collect()).await?
        }
        (None, _) => vec![Quota::default(); people.len()],
    };
    let visit = visitor.visit;
    Ok(Html::of(&People { visit, filter: filter.q, status, people, quotas, offset, total, input }))
}

async fn add(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let field = |name| fields.get(name).unwrap_or_default().to_owned();
    let cmd = CreateUser {
        username: field("username"),
        email: field("email"),
        name: field("name"),
        password: Some(field("password")),
        ..CreateUser::default()
    };
    match state.app.create_user(&visitor.actor, cmd).await {
        Ok(user) => {
            let text = format!("{} may sign in.", user.username);
            Ok(flash::done(&state.site, &paths::person(&user.username), &text))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            Ok(show(&state, visitor, Filter::default(), input).await?.into_response())
        }
    }
}

async fn person(state: State, visitor: Visitor, Path(key): Path<String>) -> Answer<Html> {
    let user = state.app.user(&visitor.actor, &key).await?;
    show_one(&state, &visitor.actor, visitor.visit, (user, Typed::default())).await
}

/// What was typed into the forms of someone's page, and what came of it.
#[derive(Default)]
pub(super) struct Typed {
    /// Into those of the account.
    pub(super) account: Input,
    /// Into that of a new token.
    pub(super) token: Input,
    /// The token that was made.
    pub(super) made: Option<Made>,
}

impl From<Input> for Typed {
    fn from(account: Input) -> Self {
        Self { account, ..Self::default() }
    }
}

/// Someone's page.
pub(super) async fn show_one(
    state: &State,
    actor: &Actor,
    visit: Visit,
    (user, typed): (User, Typed),
) -> Answer<Html> {
    let owners = vec![user.username.to_string()];
    let filter = WorkspaceFilter { owners, ..WorkspaceFilter::default() };
    let workspaces = state.app.find_workspaces(actor, filter, MAX_WORKSPACES).await?;
    let administers = state.app.administers(actor, &user).await?;
    let key = user.id.to_string();
    let quota = allowed(state.app.quota(actor, "default", user.username.as_str()).await)?;
    let factors = allowed(state.app.factors(actor, &key).await)?;
    let logins = allowed(state.app.login_methods(actor, &key).await)?.map(|(_, logins)| logins);
    let account = state.app.service_account(actor, user.username.as_str()).await?;
    let answers = account.as_ref().map(super::service_accounts::answers);
    let tokens = tokens_of(state, actor, &user).await?;
    let Typed { account: input, token, made } = typed;
    Ok(Html::of(&Person {
        sessions: sessions_of(state, actor, &user).await?,
        tokens: tokens.map(|tokens| TheirTokens { made, input: token, ..tokens }),
        visit,
        user,
        workspaces,
        quota,
        administers,
        factors,
        logins,
        answers,
        input,
    }))
}

/// A part of a page, unless it is not for who looks.
fn allowed<T>(found: Result<T, Error>) -> Answer<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error::Denied(_) | Error::NotFound(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

async fn suspend(state: State, visitor: Visitor, Path(key): Path<String>) -> Answer<Response> {
    let user = state.app.set_user_status(&visitor.actor, &key, false).await?;
    let text = format!("{} is suspended.", user.username);
    Ok(flash::done(&state.site, &paths::person(&user.username), &text))
}

async fn activate(state: State, visitor: Visitor, Path(key): Path<String>) -> Answer<Response> {
    let user = state.app.set_user_status(&visitor.actor, &key, true).await?;
    let text = format!("{} may sign in again.", user.username);
    Ok(flash::done(&state.site, &paths::person(&user.username), &text))
}

async fn delete(
    state: State,
    visitor: Visitor,
    Path(key): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    let user = state.app.user(&visitor.actor, &key).await?;
    let page = paths::person(&user.username);
    let typed = (&fields, user.username.as_str());
    let back = (page.as_str(), "delete the account", "Nothing was deleted");
    if let Some(asked) = flash::unless_typed(&state.site, typed, back) {
        return Ok(asked);
    }
    state.app.delete_user(&visitor.actor, &key).await?;
    let text = format!("The account of {} is deleted.", user.username);
    Ok(flash::done(&state.site, paths::PEOPLE, &text))
}

async fn password(
    state: State,
    visitor: Visitor,
    Path(key): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    let user = state.app.user(&visitor.actor, &key).await?;
    let new = fields.get("password").unwrap_or_default();
    match state.app.change_password(&visitor.actor, &key, fields.get("old"), new).await {
        Ok(()) => {
            let text = format!("{} has a new password and is signed out.", user.username);
            Ok(flash::done(&state.site, &paths::person(&user.username), &text))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            let page =
                show_one(&state, &visitor.actor, visitor.visit, (user, input.into())).await?;
            Ok(page.into_response())
        }
    }
}

async fn remove_factors(
    state: State,
    visitor: Visitor,
    Path(key): Path<String>,
) -> Answer<Response> {
    let user = state.app.user(&visitor.actor, &key).await?;
    match state.app.remove_factors(&visitor.actor, &key).await {
        Ok(user) => {
            let text = format!("{} signs in by password alone now.", user.username);
            Ok(flash::done(&state.site, &paths::person(&user.username), &text))
        }
        Err(Error::Conflict(why)) => {
            let (page, why) = (paths::person(&user.username), sentence(&why));
            Ok(flash::tell(&state.site, &page, Tone::Bad, &why))
        }
        Err(other) => Err(other.into()),
    }
}

async fn roles(
    state: State,
    visitor: Visitor,
    Path(key): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    let wanted: Vec<SiteRole> = fields.all("role").filter_map(SiteRole::from_word).collect();
    let done = if what_if::is_look(&fields) {
        let change = Change::SiteRoles { user: key.clone(), roles: wanted };
        match state.app.what_if(&visitor.actor, change).await {
            Ok(outlook) => return ahead(&state, visitor, &key, (fields, outlook)).await,
            Err(error) => Err(error),
        }
    } else {
        state.app.set_user_roles(&visitor.actor, &key, wanted).await
    };
    match done {
        Ok(user) => Ok(flash::done(&state.site, &paths::person(&user.username), "Roles saved.")),
        Err(error) => {
            let user = state.app.user(&visitor.actor, &key).await?;
            let mut input = mistake(&fields, error)?;
            input.errors =
                input.errors.into_values().map(|why| ("roles".to_owned(), why)).collect();
            let page =
                show_one(&state, &visitor.actor, visitor.visit, (user, input.into())).await?;
            Ok(page.into_response())
        }
    }
}

/// What other roles would give and take.
async fn ahead(
    state: &State,
    visitor: Visitor,
    key: &str,
    found: (Fields, Outlook),
) -> Answer<Response> {
    let user = state.app.user(&visitor.actor, key).await?;
    let name = user.username.to_string();
    let asked = Asked {
        section: Section::People,
        said: format!("{name} would have other roles on the site."),
        back: (name, paths::person(&user.username)),
        action: paths::person_action(&user.username, "roles"),
    };
    Ok(what_if::page(visitor, asked, found))
}
