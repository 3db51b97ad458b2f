//! Running one command of Terraform's: followed, limited in time, interrupted at most once.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::process::Child;
use tokio_util::sync::CancellationToken;

use super::job::Failure;
use super::log::Log;
use super::proc::{self, Known, Whose};
use super::says::{self, Times};
use super::work::{MARK, WorkDir};
use crate::clock::Clock;
use crate::model::log::{LogLevel, MAX_LINE_BYTES};

/// How long Terraform may take to end after it was interrupted: it waits for what it has under
/// way, and what it has under way may be a machine that boots.
pub(super) const CANCEL_PATIENCE: Duration = Duration::from_secs(5 * 60);

/// How often its output is looked at. It is written to files and not to pipes: a pipe would end
/// Terraform in the middle of its work when the server is killed.
const LOOK: Duration = Duration::from_millis(100);

/// Largest answer of a command that is read as a whole. A plan of a thousand objects has 20 MiB.
const MAX_ANSWER_BYTES: u64 = 128 << 20;

/// Most lines told of why a command failed. Terraform says of each provider that it cannot have in
/// half a dozen.
const MAX_ERRORS: usize = 40;

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
        followed.look(self.log, true).await?;
        if is_noted {
            self.work.note(None)?;
        }
        match ending {
            Some(Ending::Canceled) => return Err(Failure::Canceled),
            Some(Ending::TimedOut) => {
                return Err(Failure::TimedOut(crate::model::time::words(self.time_limit)));
            }
            None => {}
        }
        if status.success() {
            return followed.done();
        }
        Err(Failure::Terraform(followed.why(name, status, self.log)))
    }

    fn start(&self, args: &[&str], followed: &Followed) -> Result<Child, Failure> {
        let mut command = std::process::Command::new(&self.program);
        command
            .args(args)
            .env_clear()
            .envs(&self.env)
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
        let mut ending: Option<(Ending, Instant)> = None;
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                status = child.wait() => {
                    let status = status.context("Waiting for terraform")?;
                    return Ok((status, ending.map(|(ending, _)| ending)));
                }
                () = self.cancel.cancelled(), if ending.is_none() => {
                    ending = Some((Ending::Canceled, self.clock.instant() + CANCEL_PATIENCE));
                    // Once: a second interrupt makes it leave at once and orphan its children.
                    known.into_iter().for_each(proc::interrupt);
                    self.log.say(LogLevel::Warn, "Cancelling: Terraform ends what it has under way").await;
                }
                _ = looks.tick() => followed.look(self.log, false).await?,
            }
            let now = self.clock.instant();
            match ending {
                None if now >= self.deadline => {
                    ending = Some((Ending::TimedOut, now + CANCEL_PATIENCE));
                    known.into_iter().for_each(proc::interrupt);
                    self.log
                        .say(LogLevel::Error, "The job takes too long: Terraform is ended")
                        .await;
                }
                Some((_, until)) if now >= until => {
                    self.log.say(LogLevel::Error, "Terraform did not end and is killed").await;
                    end_hard(child, known, self.work).await?;
                }
                _ => {}
            }
        }
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
    errors: Vec<String>,
    times: Times,
}

impl Followed {
    fn new(work: &WorkDir, name: &str, output: Output) -> Result<Self, Failure> {
        let out = Tail::new(work.output(name))?;
        let err = Tail::new(work.file(&format!("{name}.err")))?;
        Ok(Self { out, err, output, errors: vec![], times: Times::default() })
    }

    /// Passes on what was written since the last look.
    async fn look(&mut self, log: &Log, at_end: bool) -> Result<(), Failure> {
        loop {
            let (lines, more_err) = self.err.lines(at_end)?;
            for line in lines {
                // Beside an answer, the command that works says the same.
                if self.output != Output::Answer {
                    log.terraform(LogLevel::Error, &line).await;
                }
                self.add_error(line);
            }
            let more_out = match self.output {
                Output::Answer => false,
                Output::Json | Output::Plain => {
                    let (lines, more) = self.out.lines(at_end)?;
                    for line in lines {
                        self.take(&line, log).await;
                    }
                    more
                }
            };
            if !more_err && !more_out {
                return Ok(());
            }
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

/// A file that a command writes to and that is read while it grows.
struct Tail {
    path: PathBuf,
    file: File,
    rest: Vec<u8>,
    /// How much was read.
    at: u64,
}

/// How much is read at once.
const CHUNK: u64 = 256 << 10;

impl Tail {
    fn new(path: PathBuf) -> Result<Self, Failure> {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("Making {}", path.display()))?;
        Ok(Self { path, file, rest: vec![], at: 0 })
    }

    fn append(&self) -> Result<File, Failure> {
        let file = std::fs::OpenOptions::new().append(true).open(&self.path);
        Ok(file.with_context(|| format!("Opening {}", self.path.display()))?)
    }

    /// The whole lines that came, and whether there may be more. A line that has no end is given
    /// out at the end, or once it is longer than any line that is kept.
    fn lines(&mut self, at_end: bool) -> Result<(Vec<String>, bool), Failure> {
        let mut chunk = Vec::new();
        let read = (&self.file).take(CHUNK).read_to_end(&mut chunk).context("Reading output")?;
        self.rest.extend_from_slice(&chunk);
        let more = read as u64 == CHUNK;
        if more {
            self.give_back();
        }
        self.at += read as u64;
        let is_too_long = self.rest.len() > MAX_LINE_BYTES * 64 && !self.rest.contains(&b'\n');
        let end = if (at_end && !more) || is_too_long {
            self.rest.len()
        } else {
            self.rest.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1)
        };
        let whole: Vec<u8> = self.rest.drain(..end).collect();
        let lines = String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect();
        Ok((lines, more))
    }

    /// Frees the disk of what was read before: a command may print for an hour.
    fn give_back(&self) {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{FallocateFlags, fallocate};
            let how = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // Where the file system cannot, the file grows as it would.
            let _ = fallocate(&self.file, how, 0, self.at.max(1));
        }
    }

    fn whole(mut self) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        self.file.seek(SeekFrom::Start(0)).context("Reading an answer")?;
        self.file.take(MAX_ANSWER_BYTES).read_to_end(&mut out).context("Reading an answer")?;
        Ok(out)
    }
}
