//! Lines of a job's log on their way into the database: in batches, so that a loud build costs few
//! transactions and a quiet one is seen at once.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::model::log::LogLine;
use crate::server::app::App;
use crate::server::app::jobs::Claim;

/// Lines that may wait between a job and the database; a job that is faster waits.
pub(super) const WAITING: usize = 1000;
/// Lines in one transaction.
const BATCH: usize = 100;
/// The longest a line waits for others.
const PATIENCE: Duration = Duration::from_millis(100);

/// Keeps lines until the job drops its end.
pub(super) async fn run(app: &App, claim: Claim, mut lines: mpsc::Receiver<LogLine>) {
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(first) = lines.recv().await {
        batch.push(first);
        let more = async {
            while batch.len() < BATCH {
                let Some(line) = lines.recv().await else { break };
                batch.push(line);
            }
        };
        // Out of patience is no fault: what there is goes.
        let _ = tokio::time::timeout(PATIENCE, more).await;
        if let Err(error) = app.append_logs(claim, std::mem::take(&mut batch)).await {
            tracing::error!(job.id = %claim.job, %error, "lines of a job's log are lost");
        }
    }
}
