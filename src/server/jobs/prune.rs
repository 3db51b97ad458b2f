//! Forgets what is long over: ended tokens, old failures of signing in.

use std::time::Duration;

use crate::server::app::App;

/// Nothing here is urgent.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Tidies again and again until it is dropped.
pub(super) async fn run(app: App) {
    loop {
        if let Err(error) = app.tidy_accounts_pass().await {
            tracing::error!(%error, "old tokens were not removed");
        }
        tokio::time::sleep(EVERY).await;
    }
}
