//! Plans shifts further as time goes on, and anew where someone may not be on call any more.

use std::time::Duration;

use crate::server::app::{App, Result};

/// How late a turn may go to the next one when its person was suspended: until then nobody has it.
const EVERY: Duration = Duration::from_secs(30);

/// Looks again and again until it is dropped.
pub(super) async fn run(app: App) {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = pass(&app).await {
            tracing::error!(%error, "shifts were not planned further");
        }
    }
}

/// Plans what is due.
///
/// # Errors
/// When the database fails.
pub(super) async fn pass(app: &App) -> Result<()> {
    while app.plan_step().await? {}
    Ok(())
}
