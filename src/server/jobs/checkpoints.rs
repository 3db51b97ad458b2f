//! Signs how far the audit log has come, after so many entries or an hour with any.

use std::time::Duration;

use crate::server::app::App;

/// How often is looked whether it is due: a busy server makes a thousand entries in minutes.
const EVERY: Duration = Duration::from_secs(60);

/// Looks again and again until it is dropped.
pub(super) async fn run(app: App) {
    loop {
        match app.checkpoint_pass(false).await {
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the audit log was not signed"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
