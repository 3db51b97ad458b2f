//! `/access/what-if`: what a change of a group or of roles would give and take.

use crate::model::id::GroupId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::user::SiteRole;
use crate::model::verb::Verbs;
use crate::model::what_if::Outlook;
use crate::server::app::what_if::Change;
use crate::server::app::{Actor, Error};
use crate::server::web::extract::Json;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::what_if as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    // Whoever may make the change may look ahead to it.
    let read = Access::may(R::Workspace, A::Read);
    routes.post(read, "/api/v2/access/what-if", look)
}

async fn look(
    state: State,
    Who(actor): Who,
    Json(body): Json<wire::WhatIf>,
) -> Answer<Json<wire::Outlook>> {
    let change = asked(&state, &actor, body).await?;
    Ok(Json(shown(state.app.what_if(&actor, change).await?)))
}

async fn asked(state: &State, actor: &Actor, body: wire::WhatIf) -> Answer<Change> {
    let place = if body.organization.is_empty() { "default" } else { &body.organization };
    Ok(match (body.group.is_empty(), body.user.is_empty()) {
        (false, true) => {
            let group = match body.group.parse::<GroupId>() {
                Ok(id) => id,
                Err(_) => state.app.group_named(actor, place, &body.group).await?.group.id,
            };
            Change::Group { group, add: body.add_users, remove: body.remove_users }
        }
        (true, false) if body.organization.is_empty() => {
            let missing =
                |name: &String| Error::invalid("roles", format!("there is no role {name:?}"));
            let role = |name: &String| SiteRole::from_word(name).ok_or_else(|| missing(name));
            let roles = body.roles.iter().map(role).collect::<Result<_, _>>()?;
            Change::SiteRoles { user: body.user, roles }
        }
        (true, false) => Change::MemberRoles {
            organization: body.organization,
            user: body.user,
            roles: body.roles,
        },
        (true, true) | (false, false) => {
            return Err(Error::invalid("group", "name either a group or a user").into());
        }
    })
}

fn shown(outlook: Outlook) -> wire::Outlook {
    let words = |verbs: Verbs| verbs.iter().map(|verb| verb.to_string()).collect();
    let changes = outlook.shifts.into_iter().map(|shift| wire::Shift {
        user: shift.who,
        workspace: shift.workspace,
        gained: words(shift.gained),
        lost: words(shift.lost),
    });
    wire::Outlook { changes: changes.collect(), more: outlook.more, hidden: outlook.hidden }
}
