//! The logs of builds and imports, for whoever may see the build or the version.

use super::{Actor, App, Result, builds, versions};
use crate::model::id::{BuildId, JobId, VersionId};
use crate::model::log::{LogEnd, StoredLine};
use crate::server::db::{ReadTx, job_logs};

/// Lines that are looked at for the step they belong to; few say none.
const LOOK_BACK: u32 = 50;

/// Whose log it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogOf {
    /// A build's.
    Build(BuildId),
    /// The import's of a version.
    Version(VersionId),
}

impl App {
    /// Lines after the one with id `after`, oldest first.
    ///
    /// # Errors
    /// When there is no such build or version that the actor may see.
    pub async fn log_lines(
        &self,
        actor: &Actor,
        of: LogOf,
        (after, limit): (i64, u32),
    ) -> Result<Vec<StoredLine>> {
        let actor = actor.clone();
        self.db
            .read_rows(limit, move |tx| Ok(job_logs::list(tx, job(tx, &actor, of)?, after, limit)?))
            .await
    }

    /// The last lines, at most `most`.
    ///
    /// # Errors
    /// When there is no such build or version that the actor may see.
    pub async fn log_end(&self, actor: &Actor, of: LogOf, most: u32) -> Result<LogEnd> {
        let actor = actor.clone();
        self.db
            .read_rows(most, move |tx| {
                let job = job(tx, &actor, of)?;
                let lines = job_logs::last(tx, job, i64::MAX, most)?;
                let first = lines.first().map_or(0, |l| l.id);
                Ok(LogEnd {
                    left_out: job_logs::count_before(tx, job, first)?,
                    cursor: lines.last().map_or(0, |l| l.id),
                    lines: lines.into_iter().map(|l| l.line).collect(),
                })
            })
            .await
    }

    /// The step that the line with id `at` belongs to; empty when none is known.
    ///
    /// # Errors
    /// When there is no such build or version that the actor may see.
    pub async fn log_stage(&self, actor: &Actor, of: LogOf, at: i64) -> Result<String> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let lines = job_logs::last(tx, job(tx, &actor, of)?, at, LOOK_BACK)?;
                let stages = lines.into_iter().rev().map(|l| l.line.stage);
                Ok(stages.into_iter().find(|s| !s.is_empty()).unwrap_or_default())
            })
            .await
    }
}

fn job(tx: &ReadTx<'_>, actor: &Actor, of: LogOf) -> Result<JobId> {
    match of {
        LogOf::Build(id) => Ok(builds::find(tx, actor, id)?.job.id),
        LogOf::Version(id) => Ok(versions::find(tx, actor, id)?.job.id),
    }
}
