//! `/templates/{template}/acl`: who may use and keep a template.

use std::collections::BTreeMap;

use axum::response::Response;

use super::convert::people as convert;
use crate::model::id::{GroupId, TemplateId, UserId};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::template::{Grantee, TemplateRole};
use crate::server::app::Error;
use crate::server::app::template_acl::AclChange;
use crate::server::web::extract::{Json, ListQuery, Path, Query, message};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::templates as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    const ACL: &str = "/api/v2/templates/{template}/acl";
    let keep = Access::may(R::Template, A::Update);
    routes.get(keep, ACL, show).patch(keep, ACL, update).get(
        keep,
        "/api/v2/templates/{template}/acl/available",
        available,
    )
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(id): Path<TemplateId>,
) -> Answer<Json<wire::TemplateAcl>> {
    let acl = state.app.template_acl(&actor, id).await?;
    let users = acl.users.into_iter().map(|(user, role)| wire::TemplateUser {
        user: convert::listed(user),
        role: role.to_string(),
    });
    let groups = acl.groups.iter().map(|(view, role)| wire::TemplateGroup {
        group: convert::group(view),
        role: role.to_string(),
    });
    Ok(Json(wire::TemplateAcl { users: users.collect(), group: groups.collect() }))
}

async fn available(
    state: State,
    Who(actor): Who,
    Path(id): Path<TemplateId>,
    Query(query): Query<ListQuery>,
) -> Answer<Json<wire::AclAvailable>> {
    let offered = state.app.template_acl_available(&actor, id, &query.words()).await?;
    Ok(Json(wire::AclAvailable {
        users: offered.users.iter().map(convert::reduced_user).collect(),
        groups: offered.groups.iter().map(convert::group).collect(),
    }))
}

async fn update(
    state: State,
    Who(actor): Who,
    Path(id): Path<TemplateId>,
    Json(body): Json<wire::UpdateTemplateAcl>,
) -> Answer<Response> {
    let template = state.app.template(&actor, id).await?;
    let everyone = GroupId(template.organization_id.0);
    let users = changes("user_perms", &body.user_perms, Grantee::User as fn(UserId) -> Grantee)?;
    let group = move |id| if id == everyone { Grantee::Everyone } else { Grantee::Group(id) };
    let groups = changes("group_perms", &body.group_perms, group)?;
    state.app.update_template_acl(&actor, id, [users, groups].concat()).await?;
    Ok(message("The template's list is changed."))
}

/// What a map from ids to roles asks for.
fn changes<T: std::str::FromStr>(
    field: &'static str,
    asked: &BTreeMap<String, String>,
    grantee: impl Fn(T) -> Grantee,
) -> Answer<Vec<AclChange>> {
    let mut all = Vec::with_capacity(asked.len());
    for (id, role) in asked {
        let parsed =
            id.parse().map_err(|_| Error::invalid(field, format!("{id:?} is not an id")))?;
        let role = match role.as_str() {
            "" => None,
            word => Some(TemplateRole::from_word(word).ok_or_else(|| {
                let why = format!("{word:?} is no role; use use, admin, or nothing to remove");
                Error::invalid(field, why)
            })?),
        };
        all.push((grantee(parsed), role));
    }
    Ok(all)
}
