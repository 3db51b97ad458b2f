//! Forgets what is long over: ended tokens and failures of signing in, old logs and sessions.

use std::time::Duration;

use crate::server::app::retention::Old;
use crate::server::app::{App, Result};

/// Nothing here is urgent.
const EVERY: Duration = Duration::from_hours(1);
/// Between two steps, so that a first pass over years takes a small part of the writer's time.
const PAUSE: Duration = Duration::from_millis(50);

/// Tidies again and again until it is dropped.
pub(super) async fn run(app: App) {
    loop {
        for old in Old::ALL {
            if let Err(error) = forget(&app, old).await {
                tracing::error!(%error, what = ?old, "what is old was not removed");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn forget(app: &App, old: Old) -> Result<()> {
    while app.forget_step(old).await? {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
