//! Writes of requests for access that their time is over, which ended them already.

use std::time::Duration;

use crate::server::app::{App, Result};

/// Nothing waits for it: no request is answered after its time, whether that is written or not.
const EVERY: Duration = Duration::from_secs(30);

/// Looks again and again until it is dropped.
pub(super) async fn run(app: App) {
    loop {
        if let Err(error) = pass(&app).await {
            tracing::error!(%error, "requests whose time is over were not marked");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn pass(app: &App) -> Result<()> {
    while app.expire_requests_step().await? {}
    Ok(())
}
