//! `/settings/idpsync`: what providers say of people, and how organizations follow it.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::set_sync::{SetSync, SyncChange, SyncConfig, SyncKind};
use crate::model::sync::Origin;
use crate::server::app::idp_syncs::{SyncAt, SyncView};
use crate::server::app::{Actor, Error};
use crate::server::web::error::Problem;
use crate::server::web::extract::{Json, Path, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::idpsync as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    const ORGANIZATION: &str = "/api/v2/settings/idpsync/organization";
    const PLACE: &str = "/api/v2/organizations/{organization}/settings/idpsync/{kind}";
    let read = Access::may(R::IdpsyncSettings, A::Read);
    let update = Access::may(R::IdpsyncSettings, A::Update);
    routes
        .get(Access::may(R::User, A::ReadPersonal), "/api/v2/users/oidc-claims", own)
        .get(read, "/api/v2/settings/idpsync/available-fields", fields)
        .get(read, "/api/v2/settings/idpsync/field-values", values)
        .get(read, ORGANIZATION, show)
        .patch(update, ORGANIZATION, set)
        .delete(update, ORGANIZATION, unset)
        .patch(update, "/api/v2/settings/idpsync/organization/config", configure)
        .patch(update, "/api/v2/settings/idpsync/organization/mapping", remap)
        .get(read, "/api/v2/organizations/{organization}/settings/idpsync/available-fields", fields)
        .get(read, "/api/v2/organizations/{organization}/settings/idpsync/field-values", values)
        .get(read, PLACE, show)
        .patch(update, PLACE, set)
        .delete(update, PLACE, unset)
        .patch(
            update,
            "/api/v2/organizations/{organization}/settings/idpsync/{kind}/config",
            configure,
        )
        .patch(
            update,
            "/api/v2/organizations/{organization}/settings/idpsync/{kind}/mapping",
            remap,
        )
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Asked {
    claim_field: String,
}

/// Where it follows, in the path; nothing for organizations themselves.
#[derive(serde::Deserialize)]
struct Where {
    organization: Option<String>,
    kind: Option<String>,
}

/// Coder knows one provider; here any can be named.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct By {
    provider: Option<String>,
}

/// What was last said of whoever asks; nothing of who never came by a provider.
async fn own(state: State, Who(actor): Who) -> Answer<Json<wire::OidcClaims>> {
    let (_, logins) = state.app.login_methods(&actor, "me").await?;
    let last = logins.methods.into_iter().max_by_key(|m| m.identity.last_used_at);
    let claims = last.map(|m| m.claims.0.into_iter().collect()).unwrap_or_default();
    Ok(Json(wire::OidcClaims { claims }))
}

async fn fields(
    state: State,
    Who(actor): Who,
    Path(Where { organization, .. }): Path<Where>,
) -> Answer<Json<Vec<String>>> {
    Ok(Json(state.app.claim_fields(&actor, organization).await?))
}

async fn values(
    state: State,
    Who(actor): Who,
    Path(Where { organization, .. }): Path<Where>,
    Query(asked): Query<Asked>,
) -> Answer<Json<Vec<String>>> {
    Ok(Json(state.app.claim_values(&actor, organization, &asked.claim_field).await?))
}

/// What is meant by the path and the query.
struct At(SyncAt);

impl<S: Send + Sync> FromRequestParts<S> for At {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(Where { organization, kind }) = Path::from_request_parts(parts, state).await?;
        let Query(By { provider }) = Query::from_request_parts(parts, state).await?;
        let kind = match kind.as_deref() {
            None => SyncKind::Organizations,
            Some(word) => SyncKind::from_word(word).ok_or(Error::NotFound("setting"))?,
        };
        Ok(Self(SyncAt { organization, kind, provider }))
    }
}

async fn show(state: State, Who(actor): Who, At(at): At) -> Answer<Json<wire::Sync>> {
    Ok(Json(shown(state.app.idp_sync(&actor, at).await?)))
}

async fn set(
    state: State,
    Who(actor): Who,
    At(at): At,
    Json(body): Json<wire::PatchSync>,
) -> Answer<Json<wire::Sync>> {
    let mapping = body.mapping.into_iter();
    let all = SetSync {
        field: body.field.unwrap_or_default(),
        mapping: mapping.map(|(word, all)| (word, all.unwrap_or_default())).collect(),
        regex_filter: body.regex_filter.flatten().unwrap_or_default(),
        auto_create: body.auto_create_missing_groups.unwrap_or_default(),
        assign_default: body.organization_assign_default.unwrap_or_default(),
    };
    change(&state, &actor, at, SyncChange::All(all)).await
}

async fn unset(state: State, Who(actor): Who, At(at): At) -> Answer<Json<wire::Sync>> {
    change(&state, &actor, at, SyncChange::Back).await
}

async fn configure(
    state: State,
    Who(actor): Who,
    At(at): At,
    Json(body): Json<wire::PatchSync>,
) -> Answer<Json<wire::Sync>> {
    let config = SyncConfig {
        field: body.field,
        regex_filter: body.regex_filter.map(Option::unwrap_or_default),
        auto_create: body.auto_create_missing_groups,
        assign_default: body.assign_default.or(body.organization_assign_default),
    };
    change(&state, &actor, at, SyncChange::Config(config)).await
}

async fn remap(
    state: State,
    Who(actor): Who,
    At(at): At,
    Json(body): Json<wire::PatchMapping>,
) -> Answer<Json<wire::Sync>> {
    if body.add.is_empty() && body.remove.is_empty() {
        return Err(Error::invalid(
            "add",
            "and remove are empty; name a word and what it leads to",
        )
        .into());
    }
    let pairs = |all: Vec<wire::Led>| all.into_iter().map(|led| (led.given, led.gets)).collect();
    let mapping = SyncChange::Mapping { add: pairs(body.add), remove: pairs(body.remove) };
    change(&state, &actor, at, mapping).await
}

async fn change(
    state: &State,
    actor: &Actor,
    at: SyncAt,
    change: SyncChange,
) -> Answer<Json<wire::Sync>> {
    Ok(Json(shown(state.app.set_idp_sync(actor, at, change).await?)))
}

/// In Coder's words, which have ids for groups and organizations: what is not here has none.
fn shown(view: SyncView) -> wire::Sync {
    let mut mapping: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for lead in view.leads {
        let here = match view.kind {
            SyncKind::Roles => Some(lead.here),
            SyncKind::Groups | SyncKind::Organizations => lead.id.map(|id| id.to_string()),
        };
        mapping.entry(lead.word).or_default().extend(here);
    }
    let SetSync { field, regex_filter, auto_create, assign_default, .. } = view.settings;
    let provider = view.provider;
    let source = match view.origin {
        Origin::File => "file",
        Origin::Set => "set",
    };
    let source = source.to_owned();
    match view.kind {
        SyncKind::Groups => wire::Sync::Groups(wire::GroupSync {
            field,
            mapping,
            regex_filter: Some(regex_filter).filter(|text| !text.is_empty()),
            auto_create_missing_groups: auto_create,
            provider,
            source,
        }),
        SyncKind::Roles => wire::Sync::Roles(wire::RoleSync { field, mapping, provider, source }),
        SyncKind::Organizations => wire::Sync::Organizations(wire::OrganizationSync {
            field,
            mapping,
            organization_assign_default: assign_default,
            provider,
            source,
        }),
    }
}
