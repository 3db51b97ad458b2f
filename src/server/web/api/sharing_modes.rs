//! `/organizations/{organization}/settings/workspace-sharing`: whose workspaces may be shared.

use super::sharing::shown;
use crate::model::grant::Mode;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::app::Error;
use crate::server::app::sharing_modes::SharingMode;
use crate::server::web::extract::{Json, Path, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::organizations as coder;
use crate::wire::grants as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    const PATH: &str = "/api/v2/organizations/{organization}/settings/workspace-sharing";
    const ENDS: &str = "/api/v2/organizations/{organization}/settings/workspace-sharing/ends";
    const RESTORE: &str = "/api/v2/organizations/{organization}/settings/workspace-sharing/restore";
    let keep = Access::may(R::Organization, A::Update);
    routes
        .get(Access::may(R::Organization, A::Read), PATH, show)
        .patch(keep, PATH, set)
        .get(keep, ENDS, ends)
        .post(keep, RESTORE, restore)
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<coder::WorkspaceSharing>> {
    Ok(Json(told(&state.app.sharing_mode(&actor, &key).await?)))
}

async fn set(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<coder::PatchWorkspaceSharing>,
) -> Answer<Json<coder::WorkspaceSharing>> {
    let mode = match (body.shareable_workspace_owners, body.sharing_disabled) {
        (Some(word), _) => mode(&word)?,
        (None, Some(true)) => Mode::None,
        (None, Some(false)) => Mode::Everyone,
        (None, None) => {
            let why = "is missing; it is none, everyone or service_accounts";
            return Err(Error::invalid("shareable_workspace_owners", why).into());
        }
    };
    Ok(Json(told(&state.app.set_sharing_mode(&actor, &key, mode).await?)))
}

/// Of which mode is asked.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Asked {
    shareable_workspace_owners: String,
}

async fn ends(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer<Json<Vec<wire::ModeEnds>>> {
    let mode = mode(&asked.shareable_workspace_owners)?;
    let place = state.app.organization(&actor, &key).await?;
    let all = state.app.sharing_mode_ends(&actor, &key, mode).await?.into_iter();
    let told = all.map(|entry| wire::ModeEnds {
        workspace: entry.workspace,
        grant: shown(entry.view, place.id.0),
    });
    Ok(Json(told.collect()))
}

async fn restore(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<coder::WorkspaceSharing>> {
    state.app.restore_by_mode(&actor, &key).await?;
    Ok(Json(told(&state.app.sharing_mode(&actor, &key).await?)))
}

fn mode(word: &str) -> Result<Mode, Error> {
    Mode::from_word(word).ok_or_else(|| {
        let why = format!("{word:?} is none of none, everyone and service_accounts");
        Error::invalid("shareable_workspace_owners", why)
    })
}

fn told(now: &SharingMode) -> coder::WorkspaceSharing {
    let mode = if now.is_off { Mode::None } else { now.mode };
    coder::WorkspaceSharing {
        sharing_globally_disabled: now.is_off,
        sharing_disabled: mode == Mode::None,
        shareable_workspace_owners: mode.to_string(),
        restorable_grants: i64::try_from(now.restorable_count).unwrap_or(i64::MAX),
    }
}
