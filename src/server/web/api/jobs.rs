//! `/organizations/{organization}/provisionerjobs`: what runners did and do.

use super::convert::jobs as convert;
use crate::model::build::{JobFilter, JobStatus};
use crate::model::id::JobId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::app::Error;
use crate::server::app::job_views::{JobView, MAX_LIST};
use crate::server::web::extract::{Json, Path, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::jobs as wire;

/// Jobs told when no limit is asked for, as Coder has it.
const USUAL: i64 = 50;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    const ALL: &str = "/api/v2/organizations/{organization}/provisionerjobs";
    const ONE: &str = "/api/v2/organizations/{organization}/provisionerjobs/{job}";
    let read = Access::may(R::Template, A::Update);
    routes.get(read, ALL, list).get(read, ONE, show)
}

/// How a list of jobs is asked for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct JobsQuery {
    status: String,
    ids: String,
    limit: u32,
}

async fn list(
    state: State,
    Who(actor): Who,
    Path(organization): Path<String>,
    Query(query): Query<JobsQuery>,
) -> Answer<Json<Vec<wire::ProvisionerJob>>> {
    let status = |word: &str| {
        JobStatus::from_word(word)
            .ok_or_else(|| Error::invalid("status", format!("{word:?} is no status")))
    };
    let id = |word: &str| {
        word.parse().map_err(|_| Error::invalid("ids", format!("{word:?} is no UUID")))
    };
    let limit = if query.limit == 0 { USUAL } else { i64::from(query.limit).min(MAX_LIST) };
    let wanted =
        JobFilter { statuses: each(&query.status, status)?, ids: each(&query.ids, id)?, limit };
    let found = state.app.jobs(&actor, &organization, wanted).await?;
    Ok(Json(found.iter().map(job).collect()))
}

/// What stands between commas, if anything does.
fn each<T>(list: &str, read: impl Fn(&str) -> Result<T, Error>) -> Result<Option<Vec<T>>, Error> {
    let words = list.split(',').map(str::trim).filter(|word| !word.is_empty());
    let found = words.map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(found).filter(|found| !found.is_empty()))
}

async fn show(
    state: State,
    Who(actor): Who,
    Path((organization, id)): Path<(String, JobId)>,
) -> Answer<Json<wire::ProvisionerJob>> {
    Ok(Json(job(&state.app.job(&actor, &organization, id).await?)))
}

fn job(view: &JobView) -> wire::ProvisionerJob {
    match view {
        JobView::Import(version) => convert::of_version(version),
        JobView::Build(build, workspace) => {
            let job = convert::of_build(build);
            let metadata = wire::JobMetadata {
                template_id: workspace.template_id.0,
                template_name: workspace.template_name.to_string(),
                template_display_name: workspace.template_display_name.clone(),
                template_icon: workspace.template_icon.clone(),
                workspace_name: workspace.name.to_string(),
                ..job.metadata
            };
            wire::ProvisionerJob { organization_id: workspace.organization_id.0, metadata, ..job }
        }
    }
}
