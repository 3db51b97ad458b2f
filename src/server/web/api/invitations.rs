//! `/invitations`: links by which people make accounts.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;

use crate::model::id::InvitationId;
use crate::model::invitation::Invitation;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::user::SiteRole;
use crate::server::app::Error;
use crate::server::app::invitations::Invite;
use crate::server::html::paths;
use crate::server::web::extract::{Json, Path, created};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::users::MinimalUser;
use crate::wire::invitations as wire;

pub(super) fn routes(routes: Routes) -> Routes {
    let may = Access::may(R::User, A::Create);
    routes.get(may, "/api/v2/invitations", list).post(may, "/api/v2/invitations", create).delete(
        may,
        "/api/v2/invitations/{invitation}",
        revoke,
    )
}

async fn list(state: State, Who(actor): Who) -> Answer<Json<Vec<wire::Invitation>>> {
    let all = state.app.invitations(&actor).await?;
    Ok(Json(all.into_iter().map(|one| shown(one, String::new())).collect()))
}

async fn create(
    state: State,
    Who(actor): Who,
    Json(body): Json<wire::CreateInvitation>,
) -> Answer<Response> {
    let missing = |name: &String| Error::invalid("roles", format!("there is no role {name:?}"));
    let role = |name: &String| SiteRole::from_word(name).ok_or_else(|| missing(name));
    let lifetime = u64::try_from(body.lifetime).unwrap_or(0);
    let cmd = Invite {
        roles: body.roles.iter().map(role).collect::<Result<_, _>>()?,
        email: body.email,
        groups: body.groups,
        lifetime: (lifetime > 0).then(|| Duration::from_nanos(lifetime)),
    };
    let (token, made) = state.app.invite(&actor, cmd).await?;
    let url = format!("{}{}", state.site.access_url(), paths::invite(&token.expose()));
    Ok(created(shown(made, url)))
}

async fn revoke(state: State, Who(actor): Who, Path(id): Path<InvitationId>) -> Answer<StatusCode> {
    state.app.revoke_invitation(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(one: Invitation, url: String) -> wire::Invitation {
    wire::Invitation {
        id: one.id.0,
        email: one.email,
        roles: one.roles.iter().map(ToString::to_string).collect(),
        groups: one.groups.into_iter().map(|(_, name)| name).collect(),
        made_by: MinimalUser {
            id: one.made_by.id.0,
            username: one.made_by.username.to_string(),
            ..MinimalUser::default()
        },
        created_at: one.created_at.into(),
        expires_at: one.expires_at.into(),
        url,
    }
}
