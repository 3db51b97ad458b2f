//! Sharing a workspace, as a page.

use axum::response::{IntoResponse, Response};

use super::workspace::{At, find};
use super::{Html, Visitor, flash, mistake};
use crate::model::grant::{Limits, Via};
use crate::model::id::GrantId;
use crate::model::verb::{Preset, Verb, Verbs};
use crate::model::workspace::Workspace;
use crate::server::app::Error;
use crate::server::app::recipients::Named;
use crate::server::app::sharing::NewGrant;
use crate::server::html::pages::sharing::Sharing;
use crate::server::html::parts::form::Input;
use crate::server::html::parts::may::CUSTOM;
use crate::server::html::paths::{self, Place};
use crate::server::web::api::sharing::limits;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};
use crate::wire::grants::CreateGrants;

pub(super) fn routes(routes: Routes) -> Routes {
    const PATH: &str = "/@{owner}/{name}/sharing";
    routes
        .get(Access::Page, PATH, show)
        .post(Access::Page, PATH, share)
        .post(Access::Page, "/@{owner}/{name}/sharing/{grant}/revoke", revoke)
        .post(Access::Page, "/@{owner}/{name}/sharing/{grant}/restore", restore)
        .post(Access::Page, "/@{owner}/{name}/leave", leave)
}

async fn show(state: State, visitor: Visitor, at: At) -> Answer<Html> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    draw(&state, visitor, workspace, Input::default()).await
}

async fn draw(state: &State, visitor: Visitor, workspace: Workspace, input: Input) -> Answer<Html> {
    let Visitor { actor, visit } = visitor;
    let grants = state.app.grants(&actor, workspace.id).await?;
    let undoable = state.app.undoable_grants(&actor, workspace.id).await?;
    let offered = state.app.sharing_offered(&actor, workspace.id, "").await?;
    let groups = offered.groups.into_iter().map(|(_, name)| format!("group:{name}"));
    let rotations = offered.rotations.into_iter().map(|(_, name)| format!("rotation:{name}"));
    let groups = groups.chain(rotations).collect();
    let people = offered.users;
    let broken = state.app.break_glass_in(&actor, workspace.id).await?;
    Ok(Html::of(&Sharing { visit, workspace, grants, undoable, people, groups, broken, input }))
}

async fn share(state: State, visitor: Visitor, at: At, fields: Fields) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    match try_share(&state, &visitor, &workspace, &fields).await {
        Ok(name) => {
            let text = format!("Shared with {name}.");
            Ok(flash::done(&state.site, &Place::of(&workspace).sharing(), &text))
        }
        Err(error) => {
            let input = mistake(&fields, beside(error))?;
            Ok(draw(&state, visitor, workspace, input).await?.into_response())
        }
    }
}

/// What is wrong, by the form's fields. What one may not give is said beside what was chosen.
fn beside(error: Error) -> Error {
    if let Error::Denied(why) | Error::Conflict(why) = error {
        return Error::invalid("verbs", why);
    }
    error.map_field(|field| match field.as_str() {
        "user" | "group" | "rotation" | "users" | "groups" | "rotations" | "grants" => {
            "who".to_owned()
        }
        "from" => "until".to_owned(),
        _ => field,
    })
}

/// Shares it as the form asks; gives whom with.
async fn try_share(
    state: &State,
    visitor: &Visitor,
    workspace: &Workspace,
    fields: &Fields,
) -> Result<String, Error> {
    let text = |key: &str| fields.get(key).unwrap_or_default().trim().to_owned();
    let who = text("who");
    let one = |name: &str| vec![name.to_owned()];
    let named = match who.split_once(':') {
        Some(("group", name)) => Named { groups: one(name), ..Named::default() },
        Some(("rotation", name)) => Named { rotations: one(name), ..Named::default() },
        Some(_) | None => Named { users: one(&who), ..Named::default() },
    };
    let until = match text("ends").as_str() {
        "at" => format!("{}:00Z", text("until_at")),
        "never" => String::new(),
        long => long.to_owned(),
    };
    let asked = CreateGrants {
        until,
        window: text("window"),
        networks: text("networks")
            .split(',')
            .map(str::trim)
            .filter(|n| !n.is_empty())
            .map(Into::into)
            .collect(),
        require_mfa: fields.get("require_mfa").is_some(),
        record: fields.get("record").is_some(),
        ..CreateGrants::default()
    };
    let limits: Limits = limits(&asked, state.app.clock().now())?;
    let to = state.app.recipients(&visitor.actor, workspace.id, named).await?;
    let (verbs, reason) = (verbs(fields)?, text("reason"));
    let one = |to| NewGrant {
        to,
        verbs,
        limits: limits.clone(),
        reason: reason.clone(),
        via: Via::Direct,
    };
    state.app.share(&visitor.actor, workspace.id, to.into_iter().map(one).collect()).await?;
    Ok(who)
}

/// The verbs that a form asks for.
///
/// # Errors
/// [`Error::Invalid`] when none is marked.
pub(super) fn verbs(fields: &Fields) -> Result<Verbs, Error> {
    let preset = fields.get("preset").unwrap_or_default();
    if preset != CUSTOM {
        let preset = Preset::from_word(preset).unwrap_or(Preset::Use);
        return Ok(preset.verbs());
    }
    let is_marked = |verb: &&Verb| fields.get(&format!("v.{verb}")).is_some();
    let marked: Verbs = Verb::ALL.iter().filter(is_marked).copied().collect();
    if marked.is_empty() {
        return Err(Error::invalid("verbs", "are none; mark at least one"));
    }
    Ok(marked.and(Preset::Viewer.verbs()))
}

async fn revoke(
    state: State,
    visitor: Visitor,
    Path((owner, name, grant)): Path<(String, String, GrantId)>,
) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &Path((owner, name))).await?;
    state.app.unshare(&visitor.actor, workspace.id, grant).await?;
    Ok(flash::done(&state.site, &Place::of(&workspace).sharing(), "Taken back."))
}

async fn restore(
    state: State,
    visitor: Visitor,
    Path((owner, name, grant)): Path<(String, String, GrantId)>,
) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &Path((owner, name))).await?;
    state.app.restore_grant(&visitor.actor, workspace.id, grant).await?;
    Ok(flash::done(&state.site, &Place::of(&workspace).sharing(), "Restored."))
}

async fn leave(state: State, visitor: Visitor, at: At) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    state.app.leave_workspace(&visitor.actor, workspace.id).await?;
    let text = format!("You left {}/{}.", workspace.owner.username, workspace.name);
    Ok(flash::done(&state.site, paths::WORKSPACES, &text))
}
