//! `/users`: people and service accounts.

use std::collections::BTreeMap;

use axum::response::Response;
use http::StatusCode;

use super::convert::people as convert;
use super::convert::workspaces::parameter;
use super::service_accounts;
use crate::model::id::{TemplateId, UserId};
use crate::model::people_filter::PeopleFilter;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::user::{LoginType, SiteRole, UserKind, UserStatus};
use crate::server::app::Error;
use crate::server::app::roles::site_roles;
use crate::server::app::users::{CreateUser, MAX_LIST, UserFilter};
use crate::server::web::extract::{Json, ListQuery, Path, Query, created, message};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Problem, State, Who};
use crate::wire::coder::builds::BuildParameter;
use crate::wire::coder::roles::AssignableRole;
use crate::wire::coder::users as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::may(R::User, A::Read), "/api/v2/users", list)
        .post(Access::may(R::User, A::Create), "/api/v2/users", create)
        .get(Access::may(R::AssignRole, A::Read), "/api/v2/users/roles", assignable_roles)
        .get(Access::may(R::User, A::Read), "/api/v2/users/{user}", show)
        .delete(Access::may(R::User, A::Delete), "/api/v2/users/{user}", delete)
        .put(
            Access::may(R::User, A::UpdatePersonal),
            "/api/v2/users/{user}/profile",
            update_profile,
        )
        .put(
            Access::may(R::User, A::UpdatePersonal),
            "/api/v2/users/{user}/password",
            update_password,
        )
        .put(Access::may(R::User, A::Update), "/api/v2/users/{user}/status/activate", activate)
        .put(Access::may(R::User, A::Update), "/api/v2/users/{user}/status/suspend", suspend)
        .get(Access::may(R::User, A::Read), "/api/v2/users/{user}/roles", roles)
        .put(Access::may(R::AssignRole, A::Assign), "/api/v2/users/{user}/roles", update_roles)
        .get(
            Access::may(R::User, A::ReadPersonal),
            "/api/v2/users/{user}/autofill-parameters",
            autofill,
        )
        .get(Access::may(R::User, A::ReadPersonal), "/api/v2/users/{user}/login-type", login_type)
        .post(
            Access::may(R::User, A::UpdatePersonal),
            "/api/v2/users/{user}/convert-login",
            convert_login,
        )
        .get(Access::may(R::User, A::ReadPersonal), "/api/v2/users/{user}/gitsshkey", git_ssh_key)
}

async fn list(
    state: State,
    Who(actor): Who,
    Query(query): Query<ListQuery>,
) -> Answer<Json<wire::UsersResponse>> {
    let (users, count) = state.app.users(&actor, people_asked_for(&query)?).await?;
    Ok(Json(wire::UsersResponse { users: users.into_iter().map(convert::listed).collect(), count }))
}

/// Which people a list is to hold.
pub(super) fn people_asked_for(query: &ListQuery) -> Result<UserFilter, Error> {
    Ok(UserFilter {
        wanted: PeopleFilter::parse(&query.q).map_err(|e| Error::invalid("q", e))?,
        of: None,
        sight: None,
        after: query.after_id.map(UserId),
        limit: query.limit(MAX_LIST),
        offset: query.offset(),
    })
}

async fn create(
    state: State,
    Who(actor): Who,
    Json(body): Json<wire::CreateUser>,
) -> Answer<Response> {
    let responsible = body.responsible.clone();
    let cmd = wanted(body)?;
    if cmd.kind == UserKind::Person {
        return Ok(created(convert::user(&state.app.create_user(&actor, cmd).await?)));
    }
    let made = state.app.create_service_account(&actor, cmd, &responsible).await?;
    Ok(created(service_accounts::shown(&state, &actor, &made).await?))
}

/// What a new user is to be; what is not said is as Coder has it.
fn wanted(body: wire::CreateUser) -> Answer<CreateUser> {
    let wrong = |field: &str, text: &str, words: &str| {
        Error::invalid(field, format!("{text:?} is none; write one of {words}"))
    };
    let (login, status) = (body.login_type.as_str(), body.user_status.as_str());
    let login_type = match (login, body.service_account) {
        ("", true) => LoginType::None,
        ("", false) => LoginType::Password,
        (word, _) => LoginType::from_word(word).ok_or_else(|| {
            let words = LoginType::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>();
            wrong("login_type", word, &words.join(", "))
        })?,
    };
    let status = match status {
        "" => UserStatus::Dormant,
        word => UserStatus::from_word(word)
            .ok_or_else(|| wrong("user_status", word, "active, dormant, suspended"))?,
    };
    let by_password = login_type == LoginType::Password && !body.service_account;
    let mut organizations = body.organization_ids;
    organizations
        .extend(body.organization_id.filter(|id| organizations.is_empty() && !id.is_nil()));
    Ok(CreateUser {
        username: body.username,
        email: body.email,
        name: body.name,
        password: (by_password || !body.password.is_empty()).then_some(body.password),
        kind: if body.service_account { UserKind::Service } else { UserKind::Person },
        login_type: Some(login_type),
        status,
        organizations: organizations.into_iter().map(Into::into).collect(),
    })
}

async fn show(state: State, Who(actor): Who, Path(key): Path<String>) -> Answer<Json<wire::User>> {
    let user = state.app.user(&actor, &key).await?;
    Ok(Json(service_accounts::shown(&state, &actor, &user).await?))
}

async fn delete(state: State, Who(actor): Who, Path(key): Path<String>) -> Answer<Response> {
    state.app.delete_user(&actor, &key).await?;
    Ok(message("The user is deleted."))
}

async fn update_profile(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<wire::UpdateProfile>,
) -> Answer<Json<wire::User>> {
    let user = state.app.update_profile(&actor, &key, &body.username, &body.name).await?;
    Ok(Json(convert::user(&user)))
}

async fn update_password(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<wire::UpdatePassword>,
) -> Answer<StatusCode> {
    let old = Some(body.old_password.as_str());
    state.app.change_password(&actor, &key, old, &body.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn activate(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<wire::User>> {
    Ok(Json(convert::user(&state.app.set_user_status(&actor, &key, true).await?)))
}

async fn suspend(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<wire::User>> {
    Ok(Json(convert::user(&state.app.set_user_status(&actor, &key, false).await?)))
}

async fn roles(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<wire::UserRoles>> {
    let user = state.app.user(&actor, &key).await?;
    let mut organization_roles: BTreeMap<_, _> =
        user.organizations.iter().map(|o| (o.0, Vec::new())).collect();
    for held in &user.organization_roles {
        organization_roles.entry(held.organization.0).or_default().push(held.role.to_string());
    }
    let roles = user.roles.iter().map(ToString::to_string).collect();
    Ok(Json(wire::UserRoles { roles, organization_roles }))
}

async fn update_roles(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<wire::UpdateRoles>,
) -> Answer<Json<wire::User>> {
    let mut roles = Vec::new();
    // Everyone is a member without a row.
    for name in body.roles.iter().filter(|name| *name != "member") {
        let missing = || Error::invalid("roles", format!("there is no role {name:?}"));
        roles.push(SiteRole::from_word(name).ok_or_else(missing)?);
    }
    let user = state.app.set_user_roles(&actor, &key, roles).await?;
    Ok(Json(convert::user(&user)))
}

async fn assignable_roles(state: State, Who(actor): Who) -> Json<Vec<AssignableRole>> {
    let roles = site_roles(state.app.clock().now(), &actor);
    Json(roles.into_iter().map(|(role, may)| convert::site_role(role, may)).collect())
}

/// Which template's form is to be filled in.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Autofill {
    template_id: Option<TemplateId>,
}

async fn autofill(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Query(query): Query<Autofill>,
) -> Answer<Json<Vec<BuildParameter>>> {
    let user = state.app.user(&actor, &key).await?.id.to_string();
    let template = query.template_id.ok_or_else(|| Error::invalid("template_id", "is missing"))?;
    let answers = state.app.last_answers(&actor, &user, template).await?;
    Ok(Json(answers.iter().map(parameter).collect()))
}

async fn login_type(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<wire::UserLoginType>> {
    let user = state.app.user(&actor, &key).await?;
    Ok(Json(wire::UserLoginType { login_type: user.login_type.to_string() }))
}

/// Only by oneself: nobody else has the password, nor the account at the provider.
async fn convert_login(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<wire::ConvertLogin>,
) -> Answer<Response> {
    let user = state.app.user(&actor, &key).await?;
    if actor.user_id() != Some(user.id) {
        return Err(Error::denied("a way to sign in is added by who has the account").into());
    }
    let begun = state.app.begin_joining(&actor, &body.password).await;
    let session = begun.map_err(|error| error.map_field(|_| "password".to_owned()))?;
    let ticket = state.providers.now().ticket(&body.to_type, session);
    let no_such = |_| Error::invalid("to_type", "is no provider that can be added; write oidc");
    let (state_string, until) = ticket.map_err(no_such)?;
    let (to_type, user_id) = (body.to_type, user.id.0);
    let expires_at = until.into();
    Ok(created(wire::ConvertLoginResponse { state_string, expires_at, to_type, user_id }))
}

async fn git_ssh_key(state: State, Who(actor): Who, Path(key): Path<String>) -> Answer<StatusCode> {
    state.app.user(&actor, &key).await?;
    let message = "No key for Git is kept here: use agent forwarding or a key of the workspace's.";
    Err(Problem::new(StatusCode::NOT_FOUND, message))
}
