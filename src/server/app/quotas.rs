//! What people may use a day, and what they use: asked of each build between its plan and its apply.

use super::builds::record;
use super::{Actor, App, Error, Result, access, organizations, people};
use crate::model::audit::{AuditAction, Diff};
use crate::model::event::Event;
use crate::model::id::{BuildId, JobId, OrganizationId, UserId};
use crate::model::quota::{OverBudget, Quota, QuotaUse, QuotaView, bounded};
use crate::model::verb::Verb;
use crate::server::db::{ReadTx, builds, quotas, users, versions, workspaces};

/// Workspaces listed as users of a budget at most.
const MAX_USES: u32 = 100;

impl App {
    /// What someone uses in an organization, and may use there.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an organization or a member that the actor may not see.
    pub async fn quota(&self, actor: &Actor, organization: &str, user: &str) -> Result<Quota> {
        let (actor, keys) = (actor.clone(), (organization.to_owned(), user.to_owned()));
        self.db
            .read(move |tx| {
                let place = organizations::find(tx, &actor, &keys.0)?;
                let user = people::find_member(tx, &actor, &keys.1, place.id)?;
                Ok(quotas::of(tx, place.id, user.id)?)
            })
            .await
    }

    /// The same for members of an organization whom the actor was shown already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn quotas_of(
        &self,
        organization: OrganizationId,
        users: Vec<UserId>,
    ) -> Result<Vec<Quota>> {
        let rows = u32::try_from(users.len()).unwrap_or(u32::MAX);
        let of = move |tx: &ReadTx<'_>| {
            let all = users.iter().map(|user| Ok(quotas::of(tx, organization, *user)?));
            all.collect::<Result<Vec<Quota>>>()
        };
        self.db.read_rows(rows, of).await
    }

    /// The budget of the owner of a build's workspace, with what uses it now.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no build that the actor may see.
    pub async fn budget_of_build(&self, actor: &Actor, build: BuildId) -> Result<QuotaView> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let build = super::builds::find(tx, &actor, build)?;
                let of = workspaces::belonging(tx, build.workspace_id)?;
                let (owner, place) = of.ok_or(Error::NotFound("workspace"))?;
                view(tx, &actor, (place, owner))
            })
            .await
    }

    /// Asks whether a build may make what its plan costs, and counts it if so. Two builds that ask at
    /// once are asked one after the other, each with what the other was given.
    ///
    /// # Errors
    /// When there is no such build, or the database fails. That it does not fit is no error.
    pub async fn commit_cost(
        &self,
        job: JobId,
        planned: i64,
    ) -> Result<std::result::Result<(), OverBudget>> {
        self.db
            .write(move |tx| {
                let planned = bounded(planned);
                let build = builds::by_job(tx, job)?.ok_or(Error::NotFound("build"))?;
                let of = workspaces::belonging(tx, build.workspace_id)?;
                let (owner, place) = of.ok_or(Error::NotFound("workspace"))?;
                let held = quotas::held(tx, build.workspace_id)?;
                match quotas::of(tx, place, owner)?.admit(held, planned) {
                    Ok(counts) if counts == held => Ok(Ok(())),
                    Ok(counts) => {
                        quotas::hold(tx, build.workspace_id, counts)?;
                        tx.emit(Event::Workspace(build.workspace_id));
                        Ok(Ok(()))
                    }
                    Err(over) => {
                        builds::set_refused_cost(tx, build.id, planned)?;
                        let diff = Diff::new().field("quota", "", &over.to_string());
                        record(tx, &Actor::System, &build, (AuditAction::Write, diff))?;
                        Ok(Err(over))
                    }
                }
            })
            .await
    }
}

fn view(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (place, owner): (OrganizationId, UserId),
) -> Result<QuotaView> {
    let mut uses = Vec::new();
    for found in quotas::uses(tx, (place, owner), MAX_USES)? {
        if access::require(tx, actor, found.workspace, Verb::View).is_err() {
            continue;
        }
        let planned = versions::imported(tx, found.version)?.unwrap_or_default().stop_cost();
        uses.push(QuotaUse {
            workspace: found.workspace,
            name: found.name,
            cost: found.cost,
            freed_by_stop: (found.cost - planned).max(0),
        });
    }
    let quota = quotas::of(tx, place, owner)?;
    let owner = users::find(tx, owner)?.ok_or(Error::NotFound("user"))?.username;
    Ok(QuotaView { owner, quota, uses })
}
