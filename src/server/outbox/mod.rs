//! What the server tells other programs: written with what it tells of, and sent until it is taken. To several
//! at once, so that one that does not answer keeps nobody else waiting; to each one by one, in order.

mod webhook;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{MissedTickBehavior, interval};

use crate::model::id::OrganizationId;
use crate::net::dial::Dialer;
use crate::server::app::{App, Result};
use crate::tasks::{OnPanic, Tasks};

/// How long a notice waits at most before it is sent for the first time.
const EVERY: Duration = Duration::from_secs(2);
/// Programs that are told at once. One that never answers holds its place for ten seconds, then waits for
/// a minute and longer.
const AT_ONCE: usize = 16;
/// Notices that one program is sent before others have their turn.
const IN_A_ROW: usize = 20;

/// Begins to send. To be called once.
pub fn start(app: &App, dialer: Dialer, tasks: &Tasks) {
    tasks.spawn("outbox", OnPanic::Lose, run(app.clone(), dialer));
}

async fn run(app: App, dialer: Dialer) {
    let mut look = interval(EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut told, mut telling) = (BTreeSet::new(), FuturesUnordered::new());
    loop {
        tokio::select! {
            Some(done) = telling.next() => {
                told.remove(&done);
            }
            _ = look.tick() => {
                // Those that are told now are the ones that have waited longest.
                let due = match app.due_notices(AT_ONCE + told.len()).await {
                    Ok(due) => due,
                    Err(error) => {
                        tracing::error!(%error, "what is to be told could not be read");
                        continue;
                    }
                };
                for to in due {
                    if telling.len() < AT_ONCE && told.insert(to) {
                        telling.push(tell_or_log(&app, &dialer, to));
                    }
                }
            }
        }
    }
}

/// Sends what is due.
///
/// # Errors
/// When the database fails.
pub async fn pass(app: &App, dialer: &Dialer) -> Result<()> {
    let due = app.due_notices(usize::MAX).await?;
    let telling = futures_util::stream::iter(due).map(|to| tell_or_log(app, dialer, to));
    telling.buffer_unordered(AT_ONCE).for_each(|_| std::future::ready(())).await;
    Ok(())
}

async fn tell_or_log(app: &App, dialer: &Dialer, to: OrganizationId) -> OrganizationId {
    if let Err(error) = tell(app, dialer, to).await {
        tracing::error!(%error, organization.id = %to, "notices were not sent");
    }
    to
}

/// Sends one program what it is to be told, until it does not take something.
async fn tell(app: &App, dialer: &Dialer, to: OrganizationId) -> Result<()> {
    for _ in 0..IN_A_ROW {
        let Some(notice) = app.next_notice(to).await? else { return Ok(()) };
        match webhook::send(dialer, &notice).await {
            Ok(()) => app.notice_taken(notice.seq).await?,
            Err(why) => {
                tracing::warn!(why, "a notice was not taken");
                return app.notice_failed(to).await;
            }
        }
    }
    Ok(())
}
