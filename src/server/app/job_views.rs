//! What runners did and do, for who looks after the templates of an organization.

use super::{Actor, App, Error, Result, organizations};
use crate::model::build::{Build, JobFilter, JobKind};
use crate::model::id::{JobId, OrganizationId};
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::template::Version;
use crate::model::workspace::Workspace;
use crate::server::db::{ReadTx, builds, jobs, versions, workspaces};

/// Jobs told at once, at most.
pub const MAX_LIST: i64 = 100;

/// A job with what it is for.
#[derive(Debug)]
pub enum JobView {
    /// The build of a workspace.
    Build(Box<Build>, Box<Workspace>),
    /// The import of a template's version.
    Import(Box<Version>),
}

impl App {
    /// The last jobs of an organization that are wanted, newest first.
    ///
    /// # Errors
    /// When the actor does not look after the organization's templates.
    pub async fn jobs(
        &self,
        actor: &Actor,
        organization: &str,
        wanted: JobFilter,
    ) -> Result<Vec<JobView>> {
        let (actor, key) = (actor.clone(), organization.to_owned());
        self.db
            .read_large(move |tx| {
                let of = organization_of(tx, &actor, &key)?;
                let wanted = JobFilter { limit: wanted.limit.clamp(1, MAX_LIST), ..wanted };
                let found = jobs::recent(tx, of, &wanted)?;
                let views = found.into_iter().map(|job| view(tx, job));
                views.filter_map(Result::transpose).collect()
            })
            .await
    }

    /// A job of an organization.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none; as [`App::jobs`].
    pub async fn job(&self, actor: &Actor, organization: &str, id: JobId) -> Result<JobView> {
        let (actor, key) = (actor.clone(), organization.to_owned());
        self.db
            .read(move |tx| {
                let of = organization_of(tx, &actor, &key)?;
                let kinds = [JobKind::Build, JobKind::Import];
                let views = kinds.into_iter().map(|kind| view(tx, (id, kind)));
                let found = views.filter_map(Result::transpose).next().transpose()?;
                let found = found.ok_or(Error::NotFound("job"))?;
                if found.organization() == of { Ok(found) } else { Err(Error::NotFound("job")) }
            })
            .await
    }
}

impl JobView {
    fn organization(&self) -> OrganizationId {
        match self {
            Self::Build(_, workspace) => workspace.organization_id,
            Self::Import(version) => version.organization_id,
        }
    }
}

fn organization_of(tx: &ReadTx<'_>, actor: &Actor, key: &str) -> Result<OrganizationId> {
    let found = organizations::find(tx, actor, key)?.id;
    let all = Object::site(ResourceType::Template).within(found);
    actor.require(tx.now, Action::Update, &all)?;
    Ok(found)
}

fn view(tx: &ReadTx<'_>, (id, kind): (JobId, JobKind)) -> Result<Option<JobView>> {
    Ok(match kind {
        JobKind::Build => match builds::by_job(tx, id)? {
            Some(build) => workspaces::find(tx, build.workspace_id)?
                .map(|workspace| JobView::Build(Box::new(build), Box::new(workspace))),
            None => None,
        },
        JobKind::Import => {
            versions::by_job(tx, id)?.map(|version| JobView::Import(Box::new(version)))
        }
    })
}
