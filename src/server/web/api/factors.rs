//! `/users/{user}/factors`, ours: what second factors someone has, and removing them for who has
//! lost theirs.

use http::StatusCode;

use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::web::extract::{Json, Path};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::users as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::may(R::User, A::ReadPersonal), "/api/v2/users/{user}/factors", show).delete(
        Access::may(R::User, A::UpdatePersonal),
        "/api/v2/users/{user}/factors",
        remove,
    )
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(user): Path<String>,
) -> Answer<Json<wire::Factors>> {
    let factors = state.app.factors(&actor, &user).await?;
    let passkey = |p: crate::model::factor::Passkey| wire::Passkey {
        id: p.id.0,
        name: p.name,
        created_at: p.created_at.into(),
        last_used_at: p.last_used_at.map(Into::into),
    };
    Ok(Json(wire::Factors {
        totp: factors.totp.is_some(),
        passkeys: factors.passkeys.into_iter().map(passkey).collect(),
        recovery_codes_left: i64::try_from(factors.recovery_left).unwrap_or(i64::MAX),
    }))
}

async fn remove(state: State, Who(actor): Who, Path(user): Path<String>) -> Answer<StatusCode> {
    state.app.remove_factors(&actor, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}
