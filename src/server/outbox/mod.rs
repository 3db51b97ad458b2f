//! What the server tells other programs and, by mail, people: written with what it tells of, sent one by
//! one, until it is taken.

mod letter;
mod smtp;
mod webhook;

use std::time::Duration;

use crate::model::mail::MailServer;
use crate::net::dial::Dialer;
use crate::server::app::mails::{Outgoing, Sent};
use crate::server::app::{App, Result};
use crate::tasks::{OnPanic, Tasks};
use smtp::Way;

/// How long a notice waits at most before it is sent for the first time.
const EVERY: Duration = Duration::from_secs(2);

/// Begins to send. To be called once.
pub fn start(app: &App, dialer: Dialer, tasks: &Tasks) {
    tasks.spawn("outbox", OnPanic::Lose, run(app.clone(), dialer));
    tasks.spawn("mails", OnPanic::Lose, run_mails(app.clone()));
}

async fn run(app: App, dialer: Dialer) {
    loop {
        if let Err(error) = pass(&app, &dialer).await {
            tracing::error!(%error, "notices were not sent");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Apart from the programs, so that neither waits for the other's servers.
async fn run_mails(app: App) {
    loop {
        if let Err(error) = mails_pass(&app).await {
            tracing::error!(%error, "mails were not sent");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Sends the mails that are due.
///
/// # Errors
/// When the database fails.
pub async fn mails_pass(app: &App) -> Result<()> {
    let due = app.outgoing_mails().await?;
    if due.is_empty() {
        return Ok(());
    }
    let Some(server) = app.mail_server().await? else { return Ok(()) };
    let mut way = Way::new(&server, &app.policy.access_url);
    for mail in due {
        let sent = way.send(&mail).await;
        if let Sent::Later(why) | Sent::Never(why) = &sent {
            tracing::warn!(why, tries = mail.tries + 1, "a mail was not taken");
        }
        app.mail_sent(mail.seq, mail.tries, sent).await?;
    }
    way.close().await;
    Ok(())
}

/// Sends one mail now, and says the first thing that is wrong.
///
/// # Errors
/// Says what is wrong, for who set the server up.
pub async fn try_mail(
    server: &MailServer,
    (mail, base): (&Outgoing, &str),
) -> std::result::Result<(), String> {
    let mut way = Way::new(server, base);
    let sent = way.send(mail).await;
    way.close().await;
    match sent {
        Sent::Taken => Ok(()),
        Sent::Later(why) | Sent::Never(why) => Err(why),
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
