//! What the server does by itself: builds and imports, stops that are due, tidying.

mod autostop;
mod checkpoints;
mod ends;
mod log_pump;
mod prune;
mod requests;
mod review;
mod rotations;
mod runner;
mod work;

use std::collections::BTreeMap;

use anyhow::Context as _;

use crate::provision::Provisioner;
use crate::server::app::App;
use crate::server::app::jobs::Left;
use crate::tasks::{OnPanic, Tasks};

/// Ends what an earlier life of the server left running, then starts `runners` of builds and the
/// jobs that come round. To be called once.
///
/// # Errors
/// When the database fails.
pub async fn start(
    app: &App,
    provisioner: &Provisioner,
    tasks: &Tasks,
    runners: usize,
) -> anyhow::Result<()> {
    resolve_interrupted(app, provisioner).await?;
    // A server that was off for long may have come to the end of what was planned.
    rotations::pass(app).await.context("Planning shifts")?;
    for n in 1..=runners {
        let runner = runner::Runner::new(app, provisioner, tasks, format!("runner-{n}"));
        // A runner ends its build before it stops, so that the build's state is stored.
        tasks.spawn_graceful("runner", OnPanic::Stop, runner.run());
    }
    tasks.spawn("autostop", OnPanic::Lose, autostop::run(app.clone()));
    tasks.spawn("checkpoints", OnPanic::Lose, checkpoints::run(app.clone()));
    tasks.spawn("ends", OnPanic::Lose, ends::run(app.clone()));
    tasks.spawn("prune", OnPanic::Lose, prune::run(app.clone()));
    tasks.spawn("requests", OnPanic::Lose, requests::run(app.clone()));
    tasks.spawn("review", OnPanic::Lose, review::run(app.clone()));
    tasks.spawn("rotations", OnPanic::Lose, rotations::run(app.clone()));
    Ok(())
}

/// Stores the states that interrupted jobs left on disk, and marks the jobs.
async fn resolve_interrupted(app: &App, provisioner: &Provisioner) -> anyhow::Result<()> {
    let found = provisioner.left_behind().await;
    let jobs: Vec<_> = found.iter().map(|l| l.job).collect();
    let left: BTreeMap<_, _> =
        found.into_iter().map(|l| (l.job, Left { said: l.said, state: l.state })).collect();
    let n = app.resolve_interrupted(left).await.context("Resolving interrupted builds")?;
    if n > 0 {
        tracing::warn!(jobs = n, "the server was stopped during jobs; they are marked as failed");
    }
    for job in jobs {
        provisioner.forget(job).await;
    }
    Ok(())
}
