//! Stops workspaces whose time is over.

use std::time::Duration;

use crate::model::build::{BuildReason, Transition};
use crate::server::app::build_requests::BuildRequest;
use crate::server::app::{Actor, App, Error, Result};

/// How late a stop may be.
const EVERY: Duration = Duration::from_secs(30);

/// Looks again and again until it is dropped.
pub(super) async fn run(app: App) {
    loop {
        if let Err(error) = pass(&app).await {
            tracing::error!(%error, "workspaces that are due were not stopped");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Asks for a stop of each workspace that is due.
///
/// # Errors
/// When the database fails.
pub(super) async fn pass(app: &App) -> Result<()> {
    for id in app.overdue_workspaces().await? {
        let request = BuildRequest::new(Transition::Stop, BuildReason::Autostop);
        match app.create_build(&Actor::System, id, request).await {
            Ok(build) => tracing::info!(workspace.id = %id, build.id = %build.id, "autostop"),
            // Someone was faster.
            Err(Error::Conflict(_) | Error::NotFound(_)) => {}
            Err(error) => tracing::warn!(workspace.id = %id, %error, "autostop failed"),
        }
    }
    Ok(())
}
