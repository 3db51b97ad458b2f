//! Jobs that an earlier life of the server did not finish.

use std::path::Path;
use std::time::{Duration, Instant};

use super::job::LeftBehind;
use super::proc::{self, Known, Whose};
use super::says::{self, Times};
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
    let mut patience = Patience { begun: clock.instant(), idle_since: None };
    // Once: a second interrupt makes it leave at once, and what it has under way is forgotten. To
    // its whole group, as Ctrl-C does: commands that the template runs are to end as well.
    proc::interrupt_group(terraform);
    let mut said = vec!["Terraform was still at work and was interrupted.".to_owned()];
    let mut under_way = vec![];
    let mut read_at: Option<Instant> = None;
    loop {
        let now = clock.instant();
        if !proc::is_running(terraform) {
            let took = now.saturating_duration_since(patience.begun);
            said.push(format!("It ended by itself after {:.1} s.", took.as_secs_f64()));
            return said;
        }
        if read_at.is_none_or(|at| now.saturating_duration_since(at) >= READ_EVERY) {
            read_at = Some(now);
            let before = std::mem::replace(&mut under_way, objects_under_way(work));
            if before != under_way && !under_way.is_empty() {
                tracing::info!(job = %work.job, ?under_way, "an interrupted job is waited for");
            }
        }
        if patience.is_over(now, !under_way.is_empty(), work.applies()) {
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

/// How long an interrupted command is waited for.
struct Patience {
    begun: Instant,
    idle_since: Option<Instant>,
}

impl Patience {
    fn is_over(&mut self, now: Instant, works: bool, applies: bool) -> bool {
        let (since, most) = match (works, applies) {
            (true, _) => {
                self.idle_since = None;
                (self.begun, PATIENCE)
            }
            (false, true) => (*self.idle_since.get_or_insert(now), WRITE_PATIENCE),
            (false, false) => (*self.idle_since.get_or_insert(now), PLAN_PATIENCE),
        };
        now.saturating_duration_since(since) >= most
    }
}

/// The objects that its apply began with and has not ended.
fn objects_under_way(work: &WorkDir) -> Vec<String> {
    let said = std::fs::read(work.output("apply")).unwrap_or_default();
    let mut times = Times::default();
    let lines = String::from_utf8_lossy(&said);
    lines.lines().filter_map(|line| says::understand(line).event).for_each(|e| times.add(e));
    times.under_way()
}

/// Ends Terraform where it did not end itself, and what a killed one left: only what stands in its
/// group and carries the job's mark.
fn end_rest(work: &WorkDir, group: i32) {
    let whose = Whose::Group { group, mark: format!("{MARK}={}", work.job) };
    if let Err(error) = proc::end(&whose) {
        tracing::error!(%error, job = %work.job, "processes of an interrupted job go on");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_write_begins_when_the_work_has_ended() {
        let begun = Clock::machine().instant();
        let at = |secs: u64| begun + Duration::from_secs(secs);
        let mut patience = Patience { begun, idle_since: None };
        assert!(!patience.is_over(at(0), true, true));
        assert!(!patience.is_over(at(60), true, true));
        assert!(!patience.is_over(at(60), false, true), "it has just ended its work");
        assert!(!patience.is_over(at(74), false, true));
        assert!(!patience.is_over(at(75), true, true), "it works again");
        assert!(!patience.is_over(at(119), false, true));
        assert!(patience.is_over(at(134), false, true));
        assert!(patience.is_over(at(135), true, true));
        let mut plans = Patience { begun, idle_since: None };
        assert!(!plans.is_over(at(0), false, false));
        assert!(plans.is_over(at(1), false, false));
    }
}
