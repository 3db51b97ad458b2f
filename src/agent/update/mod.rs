//! A newer program of the server's in this one's place: fetched and checked at once, put in place
//! when nobody is here, run in the same process, and taken back when it does not reach the server.

#[cfg(unix)]
pub mod copy;
mod fetch;
pub mod next;
mod place;
mod record;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::model::log::LogLevel;
use crate::tasks::OnPanic;
use crate::wire::agent::Update;
use crate::wire::program::{is_newer, version};

use super::Options;
use super::base::Base;
use super::sessions::Sessions;
use place::Place;
use record::Record;

/// How long a new program waits for a moment in which nobody is here. Then it waits no longer: what
/// it mends may be dangerous.
const QUIET_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);
/// How often it is looked whether somebody is here.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The pause after a program could not be fetched or put in place.
const AGAIN_AFTER: Duration = Duration::from_secs(30 * 60);

/// Whether an agent replaces its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// When the server offers a newer one. It is offered to agents whose machine nobody else keeps
    /// up to date.
    WhenOffered {
        /// How long a new program may take to reach the server.
        patience: Duration,
    },
    /// Never.
    Never,
}

/// An agent's updates. Clones are the same.
#[derive(Clone)]
pub struct Updates(Arc<Inner>);

struct Inner {
    options: Options,
    place: Place,
    offer: watch::Sender<Option<Update>>,
    connected: watch::Sender<bool>,
}

impl Updates {
    /// None yet.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let place = Place::of(&options.binary);
        let (offer, connected) = (watch::Sender::new(None), watch::Sender::new(false));
        Self(Arc::new(Inner { options: options.clone(), place, offer, connected }))
    }

    /// Whether the server is asked for newer programs. It is not where they could not be put in place:
    /// whoever installed this one keeps it up to date.
    #[must_use]
    pub fn are_wanted(&self) -> bool {
        self.0.options.updates != Mode::Never && self.0.place.is_ours()
    }

    /// The server has a newer program.
    pub fn offered(&self, update: Update) {
        self.0.offer.send_replace(Some(update));
    }

    /// The server is reached: this program does what it must.
    pub fn connected(&self) {
        self.0.connected.send_replace(true);
    }

    /// Reads on what the program before this one in the same process has read.
    pub fn go_on(&self, base: &Base) {
        let Some(mut record) = Record::read(&base.state_dir) else { return };
        let left = record.take_left();
        // Once: the numbers may be others' later.
        if let Err(error) = record.write(&base.state_dir) {
            return tracing::warn!(%error, "what scripts print is read no more");
        }
        for pipe in left {
            match pipe.take() {
                Ok((pipe, source)) => {
                    let base = base.clone();
                    base.tasks.clone().spawn("script output", OnPanic::Lose, async move {
                        let line = |level, text: &str| base.reports.line(source, level, text);
                        base.outputs.read((pipe, None), source, None, line).await;
                    });
                }
                Err(error) => tracing::warn!(%error, "what a script prints is read no more"),
            }
        }
    }

    /// Leaves to the program in this one's place what it is to go on with.
    pub async fn leave(&self, base: &Base) {
        let pipes = base.outputs.leave().await;
        if let Some(record) = Record::read(&base.state_dir)
            && let Err(error) = record.leaving(pipes).write(&base.state_dir)
        {
            tracing::warn!(%error, "what scripts print is read no more");
        }
    }

    /// Waits until another program is in this one's place, to be run instead of it.
    pub async fn due(&self, base: &Base, sessions: &Sessions) {
        let Mode::WhenOffered { patience } = self.0.options.updates else {
            return std::future::pending().await;
        };
        if self.is_to_be_taken_back(base, patience).await && self.take_back(base) {
            return;
        }
        loop {
            let update = self.next_offer(base).await;
            match self.carry_out(&update, base, sessions).await {
                Ok(()) => return,
                Err(error) => {
                    let text = format!("The agent stays as it is: {error:#}.");
                    base.reports.own_line(LogLevel::Warn, &text);
                    tracing::warn!(error = format!("{error:#}"), "the program was not replaced");
                }
            }
            sleep(AGAIN_AFTER).await;
        }
    }

    /// Whether this program was put in place by an update and is not well. Waits for what shows it.
    async fn is_to_be_taken_back(&self, base: &Base, patience: Duration) -> bool {
        let record = Record::read(&base.state_dir).filter(|r| r.is_trial_of(version()));
        let Some(record) = record else { return false };
        let record = Record { starts: record.starts.saturating_add(1), ..record };
        if let Err(error) = record.write(&base.state_dir) {
            tracing::warn!(%error, "that the new program was started is not remembered");
        }
        let mut connected = self.0.connected.subscribe();
        if !record.is_hopeless() && timeout(patience, connected.wait_for(|is| *is)).await.is_ok() {
            self.0.place.keep();
            record::forget(&base.state_dir);
            let text = format!("The agent is version {} now.", version());
            base.reports.own_line(LogLevel::Info, &text);
            return false;
        }
        true
    }

    /// Puts the program before in place; false when it is not there any more.
    fn take_back(&self, base: &Base) -> bool {
        tracing::error!(
            version = version(),
            "the server is not reached; the program before is run"
        );
        if let Err(error) = self.0.place.take_back() {
            tracing::error!(%error, "the program before cannot be put in place");
            return false;
        }
        if let Some(record) = Record::read(&base.state_dir)
            && let Err(error) = record.failed(base.clock.now_ms()).write(&base.state_dir)
        {
            tracing::warn!(%error, "that the new program failed is not remembered");
        }
        true
    }

    /// The next offer that is worth it.
    async fn next_offer(&self, base: &Base) -> Update {
        let mut offer = self.0.offer.subscribe();
        loop {
            let update = offer.borrow_and_update().clone();
            if let Some(update) = update
                && is_newer(&update.version, version())
            {
                let record = Record::read(&base.state_dir);
                let now = base.clock.now_ms();
                if record.is_none_or(|record| record.allows(&update.version, now)) {
                    return update;
                }
                tracing::info!(version = update.version, "taken back before; tried again later");
            }
            tokio::select! {
                changed = offer.changed() => if changed.is_err() {
                    return std::future::pending().await;
                },
                () = sleep(AGAIN_AFTER) => {}
            }
        }
    }

    async fn carry_out(
        &self,
        update: &Update,
        base: &Base,
        sessions: &Sessions,
    ) -> anyhow::Result<()> {
        let Inner { options, place, .. } = &*self.0;
        fetch::fetch(update, &options.url, &options.dialer, &place.new).await?;
        let text = format!(
            "The server has version {} of the agent; this is {}. It is replaced when nobody is here, \
             within {} hours.",
            update.version,
            version(),
            QUIET_WITHIN.as_secs() / 3600
        );
        base.reports.own_line(LogLevel::Info, &text);
        let latest = Instant::now() + QUIET_WITHIN;
        while !(sessions.is_quiet() && base.busy.is_idle()) && Instant::now() < latest {
            sleep(LOOK_EVERY).await;
        }
        let record = Record::trial(&update.version, Record::read(&base.state_dir).as_ref());
        record.write(&base.state_dir)?;
        place.put().inspect_err(|_| record::forget(&base.state_dir))?;
        Ok(())
    }
}
