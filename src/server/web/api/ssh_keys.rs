//! `/users/{user}/ssh-keys`, ours: public keys that open workspaces by plain SSH.

use axum::response::Response;
use http::StatusCode;

use super::convert::people as convert;
use crate::model::id::SshKeyId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::web::extract::{Json, Path, created};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::tokens as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::may(R::User, A::ReadPersonal), "/api/v2/users/{user}/ssh-keys", list)
        .post(Access::may(R::User, A::UpdatePersonal), "/api/v2/users/{user}/ssh-keys", add)
        .delete(
            Access::may(R::User, A::UpdatePersonal),
            "/api/v2/users/{user}/ssh-keys/{key}",
            remove,
        )
}

async fn list(
    state: State,
    Who(actor): Who,
    Path(user): Path<String>,
) -> Answer<Json<Vec<wire::SshKey>>> {
    let keys = state.app.ssh_keys(&actor, &user).await?;
    Ok(Json(keys.iter().map(convert::ssh_key).collect()))
}

async fn add(
    state: State,
    Who(actor): Who,
    Path(user): Path<String>,
    Json(body): Json<wire::CreateSshKey>,
) -> Answer<Response> {
    let key = state.app.add_ssh_key(&actor, &user, &body.name, &body.public_key).await?;
    Ok(created(convert::ssh_key(&key)))
}

async fn remove(
    state: State,
    Who(actor): Who,
    Path((_, key)): Path<(String, SshKeyId)>,
) -> Answer<StatusCode> {
    state.app.remove_ssh_key(&actor, key).await?;
    Ok(StatusCode::NO_CONTENT)
}
