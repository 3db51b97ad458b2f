//! Puts on record that access should be reviewed again.

use std::time::Duration;

use crate::server::app::App;

/// A quarter does not end on the minute.
const EVERY: Duration = Duration::from_hours(1);

/// Looks again and again until it is dropped.
pub(super) async fn run(app: App) {
    loop {
        if let Err(error) = app.remind_of_access_review().await {
            tracing::error!(%error, "whether access should be reviewed could not be told");
        }
        tokio::time::sleep(EVERY).await;
    }
}
