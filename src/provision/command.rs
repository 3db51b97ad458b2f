//! Running one command of Terraform's: followed, limited in time, interrupted at most once.

use std::collections::BTreeMap;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::process::Child;
use tokio_util::sync::CancellationToken;

use super::job::Failure;
use super::log::Log;
use super::patience::{Limits, Patience};
use super::proc::{self, Known, Whose};
use super::says::{self, Times};
use super::seen::Seen;
use super::tail::Tail;
use super::work::{MARK, WorkDir};
use crate::clock::Clock;
use crate::model::log::LogLevel;

/// How long Terraform may take to end after it was interrupted: it waits for what it has under
/// way, and what it has under way may be a machine that boots.
const CANCEL_PATIENCE: Duration = Duration::from_secs(5 * 60);

/// The same when nothing is under way: all that is left to do is to write the state.
const IDLE_PATIENCE: Duration = Duration::from_secs(10);

const PATIENCE: Limits = Limits { work: CANCEL_PATIENCE, idle: IDLE_PATIENCE };

/// How often its output is looked at. It is written to files and not to pipes: a pipe would end
/// Terraform in the middle of its work when the server is killed.
const LOOK: Duration = Duration::from_millis(100);

/// Most lines told of why a command failed. Terraform says of each provider that it cannot have in
/// half a dozen.
const MAX_ERRORS: usize = 40;

/// The variable that names the directory of downloaded providers.
pub(super) const PLUGIN_CACHE: &str = "TF_PLUGIN_CACHE_DIR";

/// What all commands of a job share.
pub(super) struct Commands<'a> {
    pub program: PathBuf,
    pub work: &'a WorkDir,
    pub env: BTreeMap<String, String>,
    pub log: &'a Log,
    pub clock: &'a Clock,
    pub cancel: &'a CancellationToken,
    pub deadline: Instant,
    pub time_limit: Duration,
}

/// How the output of a command is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Lines of JSON, to the log.
    Json,
    /// Plain lines, to the log at this level.
    Plain,
    /// As a whole, as the answer.
    Answer,
}

/// A command that succeeded.
pub(super) struct Done {
    pub answer: Vec<u8>,
    pub times: Times,
}

/// Why a command is being ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Canceled,
    TimedOut,
    /// It answers more than anyone reads.
    TooMuch,
}

/// How far the ending of a command is.
#[derive(Clone, Copy)]
struct Ended {
    why: Ending,
    /// Since it was interrupted.
    patience: Patience,
    is_killed: bool,
}

impl Commands<'_> {
    /// Runs `terraform ARGS` in the template's directory.
    pub(super) async fn run(&self, args: &[&str], output: Output) -> Result<Done, Failure> {
        if self.cancel.is_cancelled() {
            return Err(Failure::Canceled);
        }
        let name = args.first().copied().unwrap_or_default();
        let mut followed = Followed::new(self.work, name, output)?;
        let mut child = self.start(args, &followed)?;
        let known = child.id().and_then(|id| i32::try_from(id).ok()).and_then(proc::know);
        // What only answers ends by itself and may run beside another command.
        let is_noted = output != Output::Answer;
        if is_noted {
            self.work.note(known.clone())?;
        }
        let (status, ending) = self.follow(&mut child, known.as_ref(), &mut followed).await?;
        if status.signal().is_some() {
            // Something killed it, and what it had under way was left alone.
            end_group(known.as_ref(), self.work).await?;
        }
        followed.finish(self.log).await?;
        if is_noted {
            self.work.note(None)?;
        }
        match ending {
            Some(Ending::Canceled) => return Err(Failure::Canceled),
            Some(Ending::TimedOut) => {
                return Err(Failure::TimedOut(crate::model::time::words(self.time_limit)));
            }
            Some(Ending::TooMuch) => {
                let why = format!("terraform {name} printed more than can be read; it was ended");
                return Err(Failure::Terraform(why));
            }
            None => {}
        }
        if status.success() {
            return followed.done();
        }
        Err(Failure::Terraform(followed.why(name, status, self.log)))
    }

    fn start(&self, args: &[&str], followed: &Followed) -> Result<Child, Failure> {
        // Only this one fills the cache; the others would fail where it was deleted meanwhile.
        let is_init = args.first() == Some(&"init");
        let mut command = std::process::Command::new(&self.program);
        command
            .args(args)
            .env_clear()
            .envs(self.env.iter().filter(|(key, _)| is_init || *key != PLUGIN_CACHE))
            .current_dir(self.work.template())
            .stdin(Stdio::null())
            .stdout(followed.out.append()?)
            .stderr(followed.err.append()?)
            // Ctrl-C at the server's terminal is not for Terraform.
            .process_group(0);
        tokio::process::Command::from(command)
            .spawn()
            .with_context(|| format!("Starting {}", self.program.display()))
            .map_err(Failure::Internal)
    }

    /// Waits for the end, and brings it about when it is asked for or overdue.
    async fn follow(
        &self,
        child: &mut Child,
        known: Option<&Known>,
        followed: &mut Followed,
    ) -> Result<(std::process::ExitStatus, Option<Ending>), Failure> {
        let mut ended: Option<Ended> = None;
        let mut more = false;
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                status = child.wait() => {
                    let status = status.context("Waiting for terraform")?;
                    return Ok((status, ended.map(|ended| ended.why)));
                }
                () = self.cancel.cancelled(), if ended.is_none() => {
                    ended = Some(self.interrupt(Ending::Canceled, known).await);
                }
                () = std::future::ready(()), if more => more = followed.look(self.log, false).await?,
                _ = looks.tick() => more = followed.look(self.log, false).await?,
            }
            match &mut ended {
                None => {
                    if let Some(why) = self.overdue(followed)? {
                        ended = Some(self.interrupt(why, known).await);
                    }
                }
                Some(ended) if !ended.is_killed => {
                    let (now, works) = (self.clock.instant(), followed.has_work());
                    if ended.patience.is_over(now, works, PATIENCE) {
                        ended.is_killed = true;
                        self.log.say(LogLevel::Error, &followed.killed_words()).await;
                        end_hard(child, known, self.work).await?;
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// Why the command is to be ended now, if it is.
    fn overdue(&self, followed: &Followed) -> Result<Option<Ending>, Failure> {
        if self.clock.instant() >= self.deadline {
            return Ok(Some(Ending::TimedOut));
        }
        let too_much = followed.output == Output::Answer && followed.out.is_too_much()?;
        Ok(too_much.then_some(Ending::TooMuch))
    }

    async fn interrupt(&self, why: Ending, known: Option<&Known>) -> Ended {
        // Once: a second interrupt makes it leave at once and orphan its children.
        known.into_iter().for_each(proc::interrupt);
        let (level, words) = match why {
            Ending::Canceled => {
                (LogLevel::Warn, "Cancelling: Terraform ends what it has under way")
            }
            Ending::TimedOut => (LogLevel::Error, "The job takes too long: Terraform is ended"),
            Ending::TooMuch => (LogLevel::Error, "Terraform prints too much: it is ended"),
        };
        self.log.say(level, words).await;
        Ended { why, patience: Patience::new(self.clock.instant()), is_killed: false }
    }
}

async fn end_hard(child: &mut Child, known: Option<&Known>, work: &WorkDir) -> Result<(), Failure> {
    child.start_kill().context("Killing terraform")?;
    end_group(known, work).await
}

async fn end_group(known: Option<&Known>, work: &WorkDir) -> Result<(), Failure> {
    let Some(group) = known.map(|k| k.pid) else { return Ok(()) };
    let whose = Whose::Group { group, mark: format!("{MARK}={}", work.job) };
    tokio::task::spawn_blocking(move || proc::end(&whose)).await.context("Killing terraform")??;
    Ok(())
}

/// The output of a running command.
struct Followed {
    out: Tail,
    err: Tail,
    output: Output,
    work: WorkDir,
    name: String,
    errors: Vec<String>,
    times: Times,
    /// Some of what it said was not read, so that what it has under way is not known.
    is_partial: bool,
}

impl Followed {
    fn new(work: &WorkDir, name: &str, output: Output) -> Result<Self, Failure> {
        Seen::forget(work, name);
        let out = Tail::new(work.output(name))?;
        let err = Tail::new(work.file(&format!("{name}.err")))?;
        Ok(Self {
            out,
            err,
            output,
            work: work.clone(),
            name: name.to_owned(),
            errors: vec![],
            times: Times::default(),
            is_partial: false,
        })
    }

    /// Passes on all that is left.
    async fn finish(&mut self, log: &Log) -> Result<(), Failure> {
        while self.look(log, true).await? {}
        Ok(())
    }

    /// Passes on some of what was written since the last look. Whether there may be more.
    async fn look(&mut self, log: &Log, at_end: bool) -> Result<bool, Failure> {
        let err = self.err.lines(at_end)?;
        self.passed_over(err.passed_over, log).await;
        for line in err.lines {
            // Beside an answer, the command that works says the same.
            if self.output != Output::Answer {
                log.terraform(LogLevel::Error, &line).await;
            }
            self.add_error(line);
        }
        if self.output == Output::Answer {
            return Ok(err.more);
        }
        let out = self.out.lines(at_end)?;
        self.passed_over(out.passed_over, log).await;
        for line in out.lines {
            self.take(&line, log).await;
        }
        self.give_back();
        Ok(err.more || out.more)
    }

    /// Frees the disk of what was read, once a later life of the server can do without it.
    fn give_back(&mut self) {
        if self.err.is_due() {
            self.err.give_back();
        }
        if !self.out.is_due() {
            return;
        }
        let (at, open) = (self.out.done(), self.times.open().to_vec());
        let seen = Seen { at, open, is_partial: self.is_partial };
        match seen.write(&self.work, &self.name) {
            Ok(()) => self.out.give_back(),
            Err(error) => tracing::debug!(%error, job = %self.work.job, "an output is kept"),
        }
    }

    async fn passed_over(&mut self, bytes: u64, log: &Log) {
        if bytes > 0 {
            self.is_partial = true;
            let size = bytes >> 20;
            let words = format!("Terraform prints faster than it can be read: {size} MiB left out");
            log.say(LogLevel::Warn, &words).await;
        }
    }

    fn has_work(&self) -> bool {
        self.is_partial || !self.times.under_way().is_empty()
    }

    fn killed_words(&self) -> String {
        let time = if self.has_work() { PATIENCE.work } else { PATIENCE.idle };
        let time = crate::model::time::words(time);
        match self.times.under_way().as_slice() {
            [] => format!("Terraform did not end within {time} and is killed"),
            objects => format!(
                "Terraform did not end within {time} and is killed while it works on {}: look \
                 after that by hand",
                objects.join(", ")
            ),
        }
    }

    async fn take(&mut self, line: &str, log: &Log) {
        if self.output == Output::Plain {
            return log.terraform(LogLevel::Debug, line).await;
        }
        let line = says::understand(line);
        line.error.into_iter().for_each(|error| self.add_error(error));
        line.event.into_iter().for_each(|event| self.times.add(event));
        log.terraform(line.level.unwrap_or(LogLevel::Info), &line.text).await;
    }

    fn add_error(&mut self, error: String) {
        if self.errors.len() < MAX_ERRORS && !error.trim().is_empty() {
            self.errors.push(error);
        }
    }

    fn done(self) -> Result<Done, Failure> {
        let answer = match self.output {
            Output::Answer => self.out.whole()?,
            Output::Json | Output::Plain => vec![],
        };
        Ok(Done { answer, times: self.times })
    }

    fn why(&self, name: &str, status: std::process::ExitStatus, log: &Log) -> String {
        let errors: Vec<String> = self.errors.iter().map(|e| log.masked(e.trim())).collect();
        if errors.is_empty() {
            return format!("terraform {name} ended with {status}");
        }
        crate::model::log::clip(&errors.join("\n"))
    }
}
