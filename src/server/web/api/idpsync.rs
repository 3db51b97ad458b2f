//! `/settings/idpsync`: what providers say of people, and how organizations follow it.

use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::web::extract::{Json, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::idpsync as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::may(R::IdpsyncSettings, A::Read);
    routes
        .get(Access::may(R::User, A::ReadPersonal), "/api/v2/users/oidc-claims", own)
        .get(read, "/api/v2/settings/idpsync/available-fields", fields)
        .get(read, "/api/v2/settings/idpsync/field-values", values)
        .get(read, "/api/v2/settings/idpsync/organization", organization)
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Asked {
    claim_field: String,
}

/// What was last said of whoever asks; nothing of who never came by a provider.
async fn own(state: State, Who(actor): Who) -> Answer<Json<wire::OidcClaims>> {
    let (_, logins) = state.app.login_methods(&actor, "me").await?;
    let last = logins.methods.into_iter().max_by_key(|m| m.identity.last_used_at);
    let claims = last.map(|m| m.claims.0.into_iter().collect()).unwrap_or_default();
    Ok(Json(wire::OidcClaims { claims }))
}

async fn fields(state: State, Who(actor): Who) -> Answer<Json<Vec<String>>> {
    Ok(Json(state.app.claim_fields(&actor).await?))
}

async fn values(
    state: State,
    Who(actor): Who,
    Query(asked): Query<Asked>,
) -> Answer<Json<Vec<String>>> {
    Ok(Json(state.app.claim_values(&actor, &asked.claim_field).await?))
}

async fn organization(state: State, Who(actor): Who) -> Answer<Json<wire::OrganizationSync>> {
    let sync = state.app.organization_sync(&actor).await?;
    Ok(Json(wire::OrganizationSync {
        field: sync.field,
        mapping: sync.mapping,
        organization_assign_default: sync.assign_default,
    }))
}
