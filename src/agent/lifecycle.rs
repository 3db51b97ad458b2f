//! How far an agent's scripts are, as a pure state machine: what happened goes in, the state to
//! report comes out.

use std::collections::BTreeSet;

use crate::model::agent::Lifecycle;
use crate::model::id::ScriptId;
use crate::wire::agent::Manifest;

/// How a group of scripts, or one of them, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// With success.
    Done,
    /// Some with a failure.
    Failed,
    /// Some took longer than they may.
    TimedOut,
}

/// How far the scripts are.
#[derive(Debug)]
pub struct Progress {
    state: Lifecycle,
    /// The scripts of the build whose start scripts ran, or run. Ids are made new for each build.
    started: Option<BTreeSet<ScriptId>>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { state: Lifecycle::Created, started: None }
    }
}

impl Progress {
    /// The state now.
    #[must_use]
    pub fn state(&self) -> Lifecycle {
        self.state
    }

    /// A manifest came; `ran` says that its start scripts ran in an earlier life of the agent. Says
    /// whether they are to run now.
    pub fn manifest(&mut self, manifest: &Manifest, ran: bool) -> bool {
        let scripts = manifest.scripts.iter().map(|s| s.id).collect();
        if self.state == Lifecycle::ShuttingDown || self.started.as_ref() == Some(&scripts) {
            return false;
        }
        self.started = Some(scripts);
        self.state = if ran { Lifecycle::Ready } else { Lifecycle::Starting };
        !ran
    }

    /// The start scripts ended. Says whether that is news: it is not when stopping began meanwhile.
    pub fn start_ended(&mut self, outcome: Outcome) -> bool {
        if self.state != Lifecycle::Starting {
            return false;
        }
        self.state = match outcome {
            Outcome::Done => Lifecycle::Ready,
            Outcome::Failed => Lifecycle::StartError,
            Outcome::TimedOut => Lifecycle::StartTimeout,
        };
        true
    }

    /// The workspace is to stop. Says whether the stop scripts are to run now.
    pub fn shut_down(&mut self) -> bool {
        let before = self.state;
        match before {
            Lifecycle::Created
            | Lifecycle::Starting
            | Lifecycle::StartTimeout
            | Lifecycle::StartError
            | Lifecycle::Ready => {
                self.state = Lifecycle::ShuttingDown;
                true
            }
            Lifecycle::ShuttingDown
            | Lifecycle::ShutdownTimeout
            | Lifecycle::ShutdownError
            | Lifecycle::Off => false,
        }
    }

    /// The stop scripts ended.
    pub fn stop_ended(&mut self, outcome: Outcome) {
        self.state = match outcome {
            Outcome::Done => Lifecycle::Off,
            Outcome::Failed => Lifecycle::ShutdownError,
            Outcome::TimedOut => Lifecycle::ShutdownTimeout,
        };
    }

    /// Whether stopping is over, with or without success.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, Lifecycle::Off | Lifecycle::ShutdownError | Lifecycle::ShutdownTimeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::{manifest, script};

    fn of_build(n: u128) -> Manifest {
        Manifest { scripts: vec![script(n, "true")], ..manifest() }
    }

    #[test]
    fn start_scripts_run_once_a_build() {
        let mut progress = Progress::default();
        assert!(progress.manifest(&of_build(1), false));
        assert_eq!(progress.state(), Lifecycle::Starting);
        assert!(!progress.manifest(&of_build(1), false), "a reconnect while they run");
        assert!(progress.start_ended(Outcome::Done));
        assert!(!progress.manifest(&of_build(1), false), "a reconnect afterwards");
        assert_eq!(progress.state(), Lifecycle::Ready);
        assert!(progress.manifest(&of_build(2), false), "the next build");
    }

    #[test]
    fn a_restarted_agent_does_not_run_them_again() {
        let mut progress = Progress::default();
        assert!(!progress.manifest(&of_build(1), true));
        assert_eq!(progress.state(), Lifecycle::Ready);
    }

    #[test]
    fn each_way_to_end_has_its_state() {
        let check = |outcome, start, stop| {
            let mut progress = Progress::default();
            progress.manifest(&of_build(1), false);
            progress.start_ended(outcome);
            assert_eq!(progress.state(), start);
            assert!(progress.shut_down());
            assert_eq!(progress.state(), Lifecycle::ShuttingDown);
            assert!(!progress.shut_down());
            progress.stop_ended(outcome);
            assert_eq!(progress.state(), stop);
            assert!(progress.is_over());
        };
        check(Outcome::Done, Lifecycle::Ready, Lifecycle::Off);
        check(Outcome::Failed, Lifecycle::StartError, Lifecycle::ShutdownError);
        check(Outcome::TimedOut, Lifecycle::StartTimeout, Lifecycle::ShutdownTimeout);
    }

    #[test]
    fn stopping_wins_over_start_scripts_that_still_run() {
        let mut progress = Progress::default();
        progress.manifest(&of_build(1), false);
        assert!(progress.shut_down());
        assert!(!progress.start_ended(Outcome::Failed));
        assert!(!progress.manifest(&of_build(2), false));
        assert_eq!(progress.state(), Lifecycle::ShuttingDown);
    }
}
