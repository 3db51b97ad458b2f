//! What the server tells other programs: written with what it tells of, sent one by one, until it is taken.

mod webhook;

use std::time::Duration;

use crate::net::dial::Dialer;
use crate::server::app::{App, Result};
use crate::tasks::{OnPanic, Tasks};

/// How long a notice waits at most before it is sent for the first time.
const EVERY: Duration = Duration::from_secs(2);

/// Begins to send. To be called once.
pub fn start(app: &App, dialer: Dialer, tasks: &Tasks) {
    tasks.spawn("outbox", OnPanic::Lose, run(app.clone(), dialer));
}

async fn run(app: App, dialer: Dialer) {
    loop {
        if let Err(error) = pass(&app, &dialer).await {
            tracing::error!(%error, "notices were not sent");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Sends what is due.
///
/// # Errors
/// When the database fails.
pub async fn pass(app: &App, dialer: &Dialer) -> Result<()> {
    for notice in app.outgoing_notices().await? {
        let sent = webhook::send(dialer, &notice).await;
        if let Err(why) = &sent {
            tracing::warn!(why, tries = notice.tries + 1, "a notice was not taken");
        }
        app.notice_sent(notice.seq, notice.tries, sent.is_ok()).await?;
    }
    Ok(())
}
