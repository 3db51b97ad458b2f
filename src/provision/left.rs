//! Jobs that an earlier life of the server did not finish.

use std::path::Path;
use std::time::{Duration, Instant};

use super::job::LeftBehind;
use super::patience::{Limits, Patience};
use super::proc::{self, Known, Whose};
use super::seen::Orphan;
use super::work::{MARK, WorkDir};
use crate::clock::Clock;
use crate::model::id::JobId;

/// How long Terraform may take to end what it has under way: a machine that boots, say. No new
/// build starts meanwhile, so it is less than what a person who cancels one waits.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long it may take to end once nothing is under way, when it may have to write its state: a
/// busy disk takes its time, and a state that is cut is lost.
const WRITE_PATIENCE: Duration = Duration::from_secs(15);
/// The same when it only plans or fetches providers: there is no state to lose.
const PLAN_PATIENCE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(20);
/// How often its output is read for what it has under way.
const READ_EVERY: Duration = Duration::from_millis(500);

/// Ends what still runs of the wanted jobs, all at once, and reads what it left. Blocks; not for a
/// task.
pub(super) fn resolve(
    work_dir: &Path,
    clock: &Clock,
    wanted: impl Fn(JobId) -> bool,
) -> Vec<LeftBehind> {
    let all = WorkDir::all(work_dir).into_iter().filter(|work| wanted(work.job));
    std::thread::scope(|scope| {
        let each: Vec<_> = all.map(|work| scope.spawn(move || resolve_one(&work, clock))).collect();
        each.into_iter().filter_map(|one| one.join().ok()).collect()
    })
}

fn resolve_one(work: &WorkDir, clock: &Clock) -> LeftBehind {
    let noted = work.noted();
    let running = noted.clone().filter(proc::is_running);
    let said = running.map(|terraform| end(work, &terraform, clock)).unwrap_or_default();
    if let Some(noted) = noted {
        end_rest(work, noted.pid);
    }
    LeftBehind { job: work.job, said, state: work.state() }
}

/// Interrupts Terraform and waits for its end as long as that makes sense. Tells what happened.
fn end(work: &WorkDir, terraform: &Known, clock: &Clock) -> Vec<String> {
    let mut patience = Patience::new(clock.instant());
    let mut output = Orphan::new(work, "apply");
    // Once: a second interrupt makes it leave at once, and what it has under way is forgotten. To
    // its whole group, as Ctrl-C does: commands that the template runs are to end as well.
    proc::interrupt_group(terraform);
    let mut said = vec!["Terraform was still at work and was interrupted.".to_owned()];
    let mut under_way = vec![];
    let mut read_at: Option<Instant> = None;
    loop {
        let now = clock.instant();
        if !proc::is_running(terraform) {
            let took = patience.took(now);
            said.push(format!("It ended by itself after {:.1} s.", took.as_secs_f64()));
            return said;
        }
        if read_at.is_none_or(|at| now.saturating_duration_since(at) >= READ_EVERY) {
            read_at = Some(now);
            let before = std::mem::replace(&mut under_way, output.under_way());
            if before != under_way && !under_way.is_empty() {
                tracing::info!(job = %work.job, ?under_way, "an interrupted job is waited for");
            }
        }
        let idle = if work.applies() { WRITE_PATIENCE } else { PLAN_PATIENCE };
        if patience.is_over(now, !under_way.is_empty(), Limits { work: PATIENCE, idle }) {
            break;
        }
        std::thread::sleep(LOOK);
    }
    said.push(match under_way.as_slice() {
        [] => "It did not end, with nothing under way, and was killed.".to_owned(),
        objects => format!(
            "It did not end within {} and was killed while it worked on {}: look after that by hand.",
            crate::model::time::words(PATIENCE),
            objects.join(", "),
        ),
    });
    said
}

/// Ends Terraform where it did not end itself, and what a killed one left: only what stands in its
/// group and carries the job's mark.
fn end_rest(work: &WorkDir, group: i32) {
    let whose = Whose::Group { group, mark: format!("{MARK}={}", work.job) };
    if let Err(error) = proc::end(&whose) {
        tracing::error!(%error, job = %work.job, "processes of an interrupted job go on");
    }
}
