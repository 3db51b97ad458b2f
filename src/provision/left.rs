//! Jobs that an earlier life of the server did not finish.

use std::path::Path;
use std::time::Duration;

use super::job::LeftBehind;
use super::proc::{self, Whose};
use super::work::{MARK, WorkDir};
use crate::model::id::JobId;

/// How long Terraform may take to end what it has under way, all jobs together: the server starts
/// meanwhile, and people wait for it.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);

/// Ends what still runs of the wanted jobs and reads what it left. Blocks; not for a task.
pub(super) fn resolve(work_dir: &Path, wanted: impl Fn(JobId) -> bool) -> Vec<LeftBehind> {
    let all: Vec<_> = WorkDir::all(work_dir)
        .into_iter()
        .filter(|work| wanted(work.job))
        .map(|work| {
            let running = work.noted().filter(proc::is_running);
            (work, running)
        })
        .collect();
    // Once each: a second interrupt makes Terraform leave at once and orphan its children.
    all.iter().filter_map(|(_, running)| running.as_ref()).for_each(proc::interrupt);
    let looks = PATIENCE.as_millis() / LOOK.as_millis();
    for _ in 0..looks {
        if !all.iter().any(|(_, running)| running.as_ref().is_some_and(proc::is_running)) {
            break;
        }
        std::thread::sleep(LOOK);
    }
    all.into_iter()
        .map(|(work, running)| {
            if let Some(noted) = work.noted() {
                end_rest(&work, noted.pid);
            }
            LeftBehind { job: work.job, ended_process: running.is_some(), state: work.state() }
        })
        .collect()
}

/// Ends Terraform where it did not end itself, and what a killed one left: only what stands in its
/// group and carries the job's mark.
fn end_rest(work: &WorkDir, group: i32) {
    let whose = Whose::Group { group, mark: format!("{MARK}={}", work.job) };
    if let Err(error) = proc::end(&whose) {
        tracing::error!(%error, job = %work.job, "processes of an interrupted job go on");
    }
}
