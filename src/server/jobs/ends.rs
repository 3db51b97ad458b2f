//! Tells people by mail that their access ends.

use std::time::Duration;

use crate::server::app::{App, Result};

/// It is told a day before: no minute matters.
const EVERY: Duration = Duration::from_mins(1);

/// Looks again and again until it is dropped.
pub(super) async fn run(app: App) {
    loop {
        if let Err(error) = pass(&app).await {
            tracing::error!(%error, "whose access ends could not be told");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn pass(app: &App) -> Result<()> {
    while app.tell_ends_step().await? {}
    Ok(())
}
