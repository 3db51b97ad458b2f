//! Watching a job to its end: a line a phase, the log below it, and whether it went well.

use std::time::Duration;

use uuid::Uuid;

use super::Exit;
use super::client::{Client, status_of};
use super::context::{Context, Detail};
use super::output::{Output, Paint};
use super::stream::Follow;
use crate::model::build::JobStatus;
use crate::wire::coder::builds::Build;
use crate::wire::coder::jobs::{JobLog, ProvisionerJob};
use crate::wire::coder::versions::Version;

/// How often the running phase's seconds are shown anew.
const TICK: Duration = Duration::from_secs(1);
/// How long to wait before following a lost log again. The server is back from a restart in seconds.
const AGAIN: Duration = Duration::from_millis(500);
/// How often following may fail before it is given up: a minute and a half without a server.
const PATIENCE: u32 = 180;

/// What a command ends with that was interrupted: 128 and the number of SIGINT, as shells have it.
const INTERRUPTED: u8 = 130;

/// A job whose log can be followed.
pub trait Watched: Sized {
    /// Reads it again.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    fn read(client: &Client, id: Uuid) -> impl Future<Output = anyhow::Result<Self>>;
    /// Where its log is.
    fn log_path(id: Uuid) -> String;
    /// Where it is cancelled.
    fn cancel_path(id: Uuid) -> String;
    /// Its job.
    fn job(&self) -> &ProvisionerJob;
}

impl Watched for Build {
    fn read(client: &Client, id: Uuid) -> impl Future<Output = anyhow::Result<Self>> {
        client.build(id)
    }
    fn log_path(id: Uuid) -> String {
        format!("/api/v2/workspacebuilds/{id}/logs")
    }
    fn cancel_path(id: Uuid) -> String {
        format!("/api/v2/workspacebuilds/{id}/cancel")
    }
    fn job(&self) -> &ProvisionerJob {
        &self.job
    }
}

impl Watched for Version {
    fn read(client: &Client, id: Uuid) -> impl Future<Output = anyhow::Result<Self>> {
        client.version(id)
    }
    fn log_path(id: Uuid) -> String {
        format!("/api/v2/templateversions/{id}/logs")
    }
    fn cancel_path(id: Uuid) -> String {
        format!("/api/v2/templateversions/{id}/cancel")
    }
    fn job(&self) -> &ProvisionerJob {
        &self.job
    }
}

/// Follows a job until it has ended, and shows it.
///
/// # Errors
/// When it failed or was cancelled, or the server is gone for too long.
pub async fn watch<W: Watched>(ctx: &Context, client: &Client, id: Uuid) -> anyhow::Result<W> {
    let mut phases = Phases::new(ctx.detail);
    let mut last_id = 0;
    let mut failures = 0;
    loop {
        let followed = follow::<W>(ctx, client, id, (&mut phases, &mut last_id)).await;
        let read = W::read(client, id).await;
        match (followed, read) {
            (_, Ok(watched)) if !is_active(watched.job()) => {
                catch_up::<W>(ctx, client, id, (&mut phases, &mut last_id)).await;
                return ended(ctx, &mut phases, watched);
            }
            (Ok(()), Ok(_)) => failures = 0,
            (_, Err(error)) if failures >= PATIENCE || status_of(&error).is_some() => {
                return Err(error);
            }
            (Err(error), _) | (_, Err(error)) => {
                tracing::debug!("following the log: {error:#}");
                failures += 1;
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Follows a job that this command began; Ctrl-C cancels it, a second one leaves it to the server.
///
/// # Errors
/// When it failed or was cancelled, or the server is gone for too long.
pub async fn watch_own<W: Watched>(ctx: &Context, client: &Client, id: Uuid) -> anyhow::Result<W> {
    let interrupted = async {
        interrupt().await;
        ctx.out.note("Cancelling; it may take a moment. Ctrl-C again leaves it to the server.");
        if let Err(error) = client.cancel(&W::cancel_path(id)).await {
            ctx.out.note(&format!("It could not be cancelled: {error:#}"));
        }
        interrupt().await;
    };
    tokio::select! {
        done = watch(ctx, client, id) => done,
        () = interrupted => Err(Exit::Code(INTERRUPTED).into()),
    }
}

async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn is_active(job: &ProvisionerJob) -> bool {
    JobStatus::from_word(&job.status).is_some_and(JobStatus::is_active)
}

async fn follow<W: Watched>(
    ctx: &Context,
    client: &Client,
    id: Uuid,
    (phases, last_id): (&mut Phases, &mut i64),
) -> anyhow::Result<()> {
    let after = last_id.to_string();
    let query = [("follow", "true"), ("after", after.as_str())];
    let mut stream = Follow::open(client, &ctx.tasks, &W::log_path(id), &query).await?;
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            line = stream.next::<JobLog>() => match line? {
                None => return Ok(()),
                Some(line) if line.id <= *last_id => {}
                Some(line) => {
                    *last_id = line.id;
                    phases.take(&line).iter().for_each(|l| show(&ctx.out, l));
                }
            },
            _ = tick.tick() => {
                if let Some(text) = phases.running(ctx.clock.now_ms()) {
                    ctx.out.passing(&ctx.out.paint(Paint::Busy, &text));
                }
            }
        }
    }
}

/// Shows the lines that the stream did not bring before it ended.
async fn catch_up<W: Watched>(
    ctx: &Context,
    client: &Client,
    id: Uuid,
    (phases, last_id): (&mut Phases, &mut i64),
) {
    let after = last_id.to_string();
    let rest = client.query::<Vec<JobLog>>(&W::log_path(id), &[("after", &after)]).await;
    for line in rest.unwrap_or_default().iter().filter(|l| l.id > *last_id) {
        phases.take(line).iter().for_each(|l| show(&ctx.out, l));
    }
}

fn ended<W: Watched>(ctx: &Context, phases: &mut Phases, watched: W) -> anyhow::Result<W> {
    let job = watched.job();
    let at = job.completed_at.map_or_else(|| ctx.clock.now_ms(), |t| t.0);
    let good = job.status == JobStatus::Succeeded.as_str();
    if let Some(line) = phases.end(at, good) {
        show(&ctx.out, &line);
    }
    if good {
        return Ok(watched);
    }
    let why = if job.error.is_empty() { "it does not say why" } else { &job.error };
    ctx.out.note(&ctx.out.paint(Paint::Bad, &format!("The job {}: {why}", job.status)));
    Err(Exit::Failed.into())
}

fn show(out: &Output, line: &Line) {
    match line {
        Line::Log(text) => out.note(&out.paint(Paint::Dim, &format!("  {text}"))),
        Line::Warning(text) => out.note(&out.paint(Paint::Busy, &format!("  {text}"))),
        Line::Error(text) => out.note(&out.paint(Paint::Bad, &format!("  {text}"))),
        Line::Began(phase) => out.note(&out.paint(Paint::Strong, &format!("{phase} …"))),
        Line::Done(text) => out.note(&out.paint(Paint::Good, text)),
        Line::Failed(text) => out.note(&out.paint(Paint::Bad, text)),
    }
}

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A phase began.
    Began(String),
    /// A line of its log.
    Log(String),
    /// A line of its log that may need care.
    Warning(String),
    /// A line of its log that says what failed.
    Error(String),
    /// A phase ended well.
    Done(String),
    /// A phase ended otherwise.
    Failed(String),
}

/// Turns log lines into phases with their times.
#[derive(Debug)]
pub struct Phases {
    detail: Detail,
    current: Option<(String, i64)>,
}

impl Phases {
    /// None yet.
    #[must_use]
    pub fn new(detail: Detail) -> Self {
        Self { detail, current: None }
    }

    /// What a line of the log makes visible.
    pub fn take(&mut self, log: &JobLog) -> Vec<Line> {
        let mut lines = Vec::new();
        let same = self.current.as_ref().is_some_and(|(phase, _)| *phase == log.stage);
        if !same && !log.stage.is_empty() {
            lines.extend(self.end(log.created_at.0, true));
            if self.detail != Detail::Phases {
                lines.push(Line::Began(log.stage.clone()));
            }
            self.current = Some((log.stage.clone(), log.created_at.0));
        }
        let text = || log.output.trim_end().to_owned();
        match &*log.log_level {
            _ if log.output.trim().is_empty() || log.output.trim() == log.stage => {}
            "error" => lines.push(Line::Error(text())),
            "warn" => lines.push(Line::Warning(text())),
            "trace" | "debug" if self.detail != Detail::All => {}
            _ if self.detail == Detail::Phases => {}
            _ => lines.push(Line::Log(text())),
        }
        lines
    }

    /// The running phase with its seconds so far.
    #[must_use]
    pub fn running(&self, now_ms: i64) -> Option<String> {
        let (phase, since) = self.current.as_ref()?;
        Some(format!("{phase} … {} s", (now_ms - since).max(0) / 1000))
    }

    /// Ends the running phase.
    pub fn end(&mut self, at_ms: i64, good: bool) -> Option<Line> {
        let (phase, since) = self.current.take()?;
        let ms = (at_ms - since).max(0);
        let text = format!("{phase}: {}.{} s", ms / 1000, ms % 1000 / 100);
        Some(if good { Line::Done(text) } else { Line::Failed(format!("{text}, failed")) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::coder::Time;

    #[test]
    fn phases_are_told_with_their_seconds() {
        let mut phases = Phases::new(Detail::Lines);
        let mut log = |ms: i64, level: &str, stage: &str, output: &str| {
            phases.take(&JobLog {
                created_at: Time(ms),
                log_level: level.into(),
                stage: stage.into(),
                output: output.into(),
                ..JobLog::default()
            })
        };
        assert_eq!(log(1_000, "info", "Planning", ""), [Line::Began("Planning".into())]);
        assert_eq!(log(1_100, "debug", "Planning", "quiet"), []);
        assert_eq!(log(1_200, "info", "Planning", "a line\n"), [Line::Log("a line".into())]);
        assert_eq!(
            log(3_250, "error", "Applying", "no"),
            [
                Line::Done("Planning: 2.2 s".into()),
                Line::Began("Applying".into()),
                Line::Error("no".into())
            ]
        );
        assert_eq!(phases.running(5_400).as_deref(), Some("Applying … 2 s"));
        assert_eq!(phases.end(4_250, false), Some(Line::Failed("Applying: 1.0 s, failed".into())));
        assert_eq!(phases.end(4_250, true), None);
    }
}
