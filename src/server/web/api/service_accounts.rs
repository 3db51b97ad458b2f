//! Service accounts, and who answers for them.

use super::convert::people as convert;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::user::{User, UserKind};
use crate::server::app::Actor;
use crate::server::app::service_accounts::ServiceAccount;
use crate::server::web::extract::{Json, Path};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::users as wire;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::may(R::User, A::Read), "/api/v2/service-accounts", list).put(
        Access::may(R::User, A::Update),
        "/api/v2/users/{user}/responsible",
        name,
    )
}

async fn list(state: State, Who(actor): Who) -> Answer<Json<Vec<wire::User>>> {
    let all = state.app.service_accounts(&actor).await?;
    Ok(Json(all.iter().map(with_responsible).collect()))
}

async fn name(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<wire::Responsible>,
) -> Answer<Json<wire::User>> {
    let account = state.app.set_responsible(&actor, &key, &body.responsible).await?;
    Ok(Json(with_responsible(&account)))
}

/// A user, with who answers for it where it is a service account.
pub(super) async fn shown(state: &State, actor: &Actor, user: &User) -> Answer<wire::User> {
    if user.kind == UserKind::Person {
        return Ok(convert::user(user));
    }
    let account = state.app.service_account(actor, &user.id.to_string()).await?;
    Ok(account.as_ref().map_or_else(|| convert::user(user), with_responsible))
}

fn with_responsible(account: &ServiceAccount) -> wire::User {
    let minimal = |user: &User| wire::MinimalUser {
        id: user.id.0,
        username: user.username.to_string(),
        name: user.name.clone(),
        avatar_url: String::new(),
    };
    wire::User {
        responsible: account.responsible.as_ref().map(minimal),
        ..convert::user(&account.user)
    }
}
