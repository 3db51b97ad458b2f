//! Scripts of the template: run in parallel at start and at stop, alone on a schedule, with their
//! output as log lines.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::tz::TimeZone;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::model::cron::Schedule;
use crate::model::log::LogLevel;
use crate::model::resource::ScriptSpec;
use crate::tasks::OnPanic;
use crate::wire::agent::{FromAgent, Manifest};

use super::base::{Base, private_dir};
use super::env::{ScriptEnv, for_scripts};
use super::lifecycle::Outcome;
use super::output::Pipe;
use super::process::{Command, Ended, Process};
use super::script_file;

/// What stop scripts may take when they name no limit, and at most: what a machine gives a service to stop.
pub const STOP_LIMIT: Duration = Duration::from_secs(60);
/// How long output is awaited after a script ended. Servers it started may hold the pipe for ever.
const LAST_OUTPUT: Duration = Duration::from_secs(1);
/// Longest sleep before the clock is looked at again: it may be set, and machines are suspended.
const LONGEST_SLEEP: Duration = Duration::from_secs(600);

/// Why a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The workspace starts.
    Start,
    /// The workspace stops.
    Stop,
    /// Its time came.
    Cron,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Cron => "cron",
        }
    }

    fn takes(self, script: &ScriptSpec) -> bool {
        match self {
            Self::Start => script.run_on_start,
            Self::Stop => script.run_on_stop,
            Self::Cron => !script.cron.is_empty(),
        }
    }

    fn limit(self, script: &ScriptSpec) -> Duration {
        let own = Duration::from_secs(script.timeout_s.into());
        match self {
            Self::Start | Self::Cron => own,
            Self::Stop if own.is_zero() => STOP_LIMIT,
            Self::Stop => own.min(STOP_LIMIT),
        }
    }
}

/// Runs all scripts of a stage at the same time. They are ended when `stop` is cancelled.
pub async fn run_all(
    base: &Base,
    manifest: &Manifest,
    stage: Stage,
    stop: &CancellationToken,
) -> Outcome {
    let scripts = manifest.scripts.iter().filter(|s| stage.takes(s));
    let all = join_all(scripts.map(|s| run(base, manifest, s, stage, stop))).await;
    all.into_iter().max().unwrap_or(Outcome::Done)
}

/// Starts a task for each script with a schedule; they end when `stop` is cancelled.
pub fn schedule_all(base: &Base, manifest: &Arc<Manifest>, stop: &CancellationToken) {
    for script in manifest.scripts.iter().filter(|s| Stage::Cron.takes(s)) {
        let schedule = match Schedule::parse(&script.cron) {
            Ok(schedule) => schedule,
            Err(error) => {
                let text = format!("{:?} is not a schedule: {error}", script.cron);
                base.reports.line(script.log_source_id, LogLevel::Error, &text);
                continue;
            }
        };
        let (base, manifest, script) = (base.clone(), manifest.clone(), script.clone());
        let stop = stop.clone();
        base.tasks.clone().spawn_graceful("cron", OnPanic::Lose, async move {
            // A script that takes longer than its interval misses runs; it never overlaps itself.
            while next_time(&base, &schedule, &stop).await {
                run(&base, &manifest, &script, Stage::Cron, &stop).await;
            }
        });
    }
}

/// Waits for the next time of a schedule. False when it never comes, or `stop` is cancelled.
async fn next_time(base: &Base, schedule: &Schedule, stop: &CancellationToken) -> bool {
    let now = base.clock.now_ms();
    let Some(due) = schedule.next_after(now, &TimeZone::system()) else { return false };
    loop {
        let left = due.saturating_sub(base.clock.now_ms());
        let Ok(left @ 1..) = u64::try_from(left) else { return !stop.is_cancelled() };
        tokio::select! {
            () = sleep(Duration::from_millis(left).min(LONGEST_SLEEP)) => {}
            () = stop.cancelled() => return false,
        }
    }
}

async fn run(
    base: &Base,
    manifest: &Manifest,
    script: &ScriptSpec,
    stage: Stage,
    stop: &CancellationToken,
) -> Outcome {
    let _running = base.busy.begin();
    let started_ms = base.clock.now_ms();
    let limit = stage.limit(script);
    let ended = match start(base, manifest, script).await {
        Ok((process, output)) => {
            let ended = process.end(limit, stop).await;
            let _ = timeout(LAST_OUTPUT, output).await;
            ended
        }
        Err(error) => Err(error),
    };
    let complain = |text: &str| base.reports.line(script.log_source_id, LogLevel::Error, text);
    let Ended { code, timed_out } = ended.unwrap_or_else(|error| {
        complain(&format!("The script could not be run: {error}"));
        Ended { code: -1, timed_out: false }
    });
    if timed_out {
        complain(&format!("The script took longer than {} s and was ended.", limit.as_secs()));
    } else if code > 0 {
        complain(&format!("The script ended with exit code {code}."));
    }
    base.reports.event(FromAgent::ScriptDone {
        script: script.id,
        stage: stage.as_str().to_owned(),
        started_ms,
        ended_ms: base.clock.now_ms(),
        exit_code: code,
        timed_out,
    });
    match (timed_out, code) {
        (true, _) => Outcome::TimedOut,
        (false, 0) => Outcome::Done,
        (false, _) => Outcome::Failed,
    }
}

/// Starts a script and the task that reads its output. The receiver is answered, by an error, when
/// the output ended.
async fn start(
    base: &Base,
    manifest: &Manifest,
    script: &ScriptSpec,
) -> std::io::Result<(Process, oneshot::Receiver<()>)> {
    let data_dir = base.state_dir.join("data").join(script.log_source_id.to_string());
    private_dir(&data_dir)?;
    let dir = base.state_dir.join("scripts");
    let file = script_file::path(&dir, &script.id.to_string(), &script.script, &base.account.shell);
    script_file::write(&file, &script.script)?;
    let (program, args) = script_file::command_line(&script.script, &file, &base.account.shell);
    let own = ScriptEnv { token: &base.token, data_dir: &data_dir };
    let env = for_scripts(&base.account, manifest, own);
    let directory = base.account.directory(&manifest.directory);
    let copy = open_copy(base, script).await;
    let (process, out, err) = Command { program, args, env, directory }.start()?;
    let out = Pipe::of(out, LogLevel::Info)?;
    // Lines of standard error are errors.
    let err = Pipe::of(err, LogLevel::Error)?;
    let (ended, output) = oneshot::channel();
    let (base, source) = (base.clone(), script.log_source_id);
    base.tasks.clone().spawn("script output", OnPanic::Lose, async move {
        let line = |level, text: &str| base.reports.line(source, level, text);
        base.outputs.read((out, Some(err)), source, copy, line).await;
        drop(ended);
    });
    Ok((process, output))
}

/// The file on the workspace's disk that gets the output as well. Without it the script runs all the same.
async fn open_copy(base: &Base, script: &ScriptSpec) -> Option<tokio::fs::File> {
    if script.log_path.is_empty() {
        return None;
    }
    let path = base.account.path(&script.log_path);
    let opened = async {
        if let Some(parent) = path.parent() {
            tokio::fs::create_dir_all(parent).await?;
        }
        tokio::fs::File::create(&path).await
    };
    match opened.await {
        Ok(file) => Some(file),
        Err(error) => {
            let text = format!("The log file {} cannot be written: {error}", path.display());
            base.reports.line(script.log_source_id, LogLevel::Warn, &text);
            None
        }
    }
}

#[cfg(test)]
#[path = "scripts_tests.rs"]
mod tests;
