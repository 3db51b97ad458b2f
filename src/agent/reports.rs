//! What the agent has to tell the server, gathered while it is away and told in order when it is there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::model::agent::{Lifecycle, MetadataValue};
use crate::model::app::AppHealth;
use crate::model::id::{AppId, LogSourceId};
use crate::model::log::{LogLevel, clip};
use crate::wire::agent::{AgentLine, FromAgent, ListeningPort, OWN_LOG_SOURCE, Stats};

use super::log_buffer::LogBuffer;

/// Most events (ends of scripts, sessions) kept while the server is away; the oldest go.
const MAX_EVENTS: usize = 1024;
/// Most lifecycle states kept: two whole lives of a build.
const MAX_STATES: usize = 16;
/// Most metadata values in a message; each is at most 2 KiB, or 12 KiB when JSON escapes all of it.
const MAX_VALUES: usize = 64;

/// The state of everything that is told. States are told again on each connection, events once.
#[derive(Debug, Default)]
struct Outbox {
    states: VecDeque<(Lifecycle, i64)>,
    last_state: Option<(Lifecycle, i64)>,
    events: VecDeque<FromAgent>,
    metadata: BTreeMap<String, MetadataValue>,
    untold_metadata: BTreeSet<String>,
    health: BTreeMap<AppId, AppHealth>,
    untold_health: BTreeMap<AppId, AppHealth>,
    logs: LogBuffer,
    ports: Vec<ListeningPort>,
    untold_ports: bool,
    stats: Option<Stats>,
}

impl Outbox {
    fn reconnected(&mut self) {
        if self.states.is_empty() {
            self.states.extend(self.last_state);
        }
        self.untold_metadata = self.metadata.keys().cloned().collect();
        self.untold_health.clone_from(&self.health);
        self.untold_ports = !self.ports.is_empty();
        self.logs.reconnected();
    }

    fn next(&mut self, now_ms: i64) -> Option<FromAgent> {
        if let Some((state, at_ms)) = self.states.pop_front() {
            return Some(FromAgent::Lifecycle { state, at_ms });
        }
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        if !self.untold_health.is_empty() {
            return Some(FromAgent::AppHealth { apps: std::mem::take(&mut self.untold_health) });
        }
        if let Some(values) = self.next_metadata() {
            return Some(FromAgent::Metadata { values });
        }
        if std::mem::take(&mut self.untold_ports) {
            return Some(FromAgent::Ports { ports: self.ports.clone() });
        }
        if let Some(stats) = self.stats.take() {
            return Some(FromAgent::Stats { stats: Stats { clock_ms: now_ms, ..stats } });
        }
        self.logs.next(now_ms)
    }

    fn next_metadata(&mut self) -> Option<Vec<MetadataValue>> {
        let mut values = vec![];
        while values.len() < MAX_VALUES
            && let Some(key) = self.untold_metadata.pop_first()
        {
            values.extend(self.metadata.get(&key).cloned());
        }
        (!values.is_empty()).then_some(values)
    }

    /// Whether everything that someone waits for was told: log lines are even acknowledged.
    fn is_empty(&self) -> bool {
        self.states.is_empty() && self.events.is_empty() && self.logs.is_empty()
    }
}

/// Takes reports from every part of the agent. Clones are the same; nothing here waits.
#[derive(Clone, Debug)]
pub struct Reports {
    outbox: Arc<Mutex<Outbox>>,
    changed: Arc<Notify>,
    heard: Arc<Notify>,
    clock: Clock,
}

impl Reports {
    /// Nothing to tell yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { outbox: Arc::default(), changed: Arc::default(), heard: Arc::default(), clock }
    }

    /// A line of a script's output.
    pub fn line(&self, source: LogSourceId, level: LogLevel, text: &str) {
        let at_ms = self.clock.now_ms();
        self.with(|o| o.logs.push(AgentLine { at_ms, level, source, output: clip(text) }));
    }

    /// A line of the agent itself.
    pub fn own_line(&self, level: LogLevel, text: &str) {
        self.line(OWN_LOG_SOURCE, level, text);
    }

    /// The lifecycle state changed.
    pub fn state(&self, state: Lifecycle) {
        let at_ms = self.clock.now_ms();
        self.with(|o| {
            o.last_state = Some((state, at_ms));
            o.states.push_back((state, at_ms));
            while o.states.len() > MAX_STATES {
                o.states.pop_front();
            }
        });
    }

    /// Something that is told once: the end of a script, a session.
    pub fn event(&self, event: FromAgent) {
        self.with(|o| {
            o.events.push_back(event);
            while o.events.len() > MAX_EVENTS {
                o.events.pop_front();
            }
        });
    }

    /// What a metadata command printed.
    pub fn metadata(&self, value: MetadataValue) {
        self.with(|o| {
            o.untold_metadata.insert(value.key.clone());
            o.metadata.insert(value.key.clone(), value);
        });
    }

    /// What a health check found.
    pub fn health(&self, app: AppId, health: AppHealth) {
        self.with(|o| {
            o.health.insert(app, health);
            o.untold_health.insert(app, health);
        });
    }

    /// Forgets metadata and apps of an older manifest.
    pub fn forget_observations(&self) {
        self.with(|o| {
            o.metadata.clear();
            o.untold_metadata.clear();
            o.health.clear();
            o.untold_health.clear();
        });
    }

    /// The ports that something listens on changed.
    pub fn ports(&self, ports: Vec<ListeningPort>) {
        self.with(|o| {
            o.ports = ports;
            o.untold_ports = true;
        });
    }

    /// The load. Only the last is kept, with the bytes of those that were not told.
    pub fn stats(&self, mut stats: Stats) {
        self.with(|o| {
            if let Some(untold) = o.stats {
                stats.rx_bytes += untold.rx_bytes;
                stats.tx_bytes += untold.tx_bytes;
            }
            o.stats = Some(stats);
        });
    }

    /// The server stored log batches up to this one.
    pub fn logs_stored(&self, seq: u64) {
        self.with(|o| o.logs.stored(seq));
        self.heard.notify_one();
    }

    /// A connection begins: states are told again, and log batches that were not stored.
    pub fn reconnected(&self) {
        self.with(Outbox::reconnected);
    }

    /// Waits for the next thing to tell. Only one may wait.
    pub async fn next(&self) -> FromAgent {
        loop {
            let next = self.lock().next(self.clock.now_ms());
            match next {
                Some(report) => return report,
                None => self.changed.notified().await,
            }
        }
    }

    /// Whether states, events and log lines were all told.
    #[must_use]
    pub fn all_told(&self) -> bool {
        self.lock().is_empty()
    }

    /// Waits until everything was told, and the server answered for the log lines that came last.
    pub async fn all_heard(&self) {
        while !self.all_told() {
            self.heard.notified().await;
        }
    }

    fn with(&self, change: impl FnOnce(&mut Outbox)) {
        change(&mut self.lock());
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    fn drain(reports: &Reports) -> Vec<FromAgent> {
        std::iter::from_fn(|| reports.lock().next(0)).collect()
    }

    fn value(key: &str) -> MetadataValue {
        let (value, error) = ("1".to_owned(), String::new());
        MetadataValue { key: key.to_owned(), value, error, collected_at: Timestamp(0) }
    }

    #[test]
    fn states_are_told_again_on_each_connection_and_events_once() {
        let reports = Reports::new(Clock::manual(Timestamp(10)));
        reports.state(Lifecycle::Starting);
        reports.state(Lifecycle::Ready);
        reports.metadata(value("cpu"));
        reports.metadata(value("cpu"));
        reports.event(FromAgent::Heartbeat);
        assert_eq!(drain(&reports).len(), 4);
        assert!(reports.all_told());
        reports.reconnected();
        let ready = FromAgent::Lifecycle { state: Lifecycle::Ready, at_ms: 10_000 };
        let metadata = FromAgent::Metadata { values: vec![value("cpu")] };
        assert_eq!(drain(&reports), [ready, metadata]);
    }

    #[test]
    fn stats_that_were_not_told_add_their_bytes_to_the_next() {
        let reports = Reports::new(Clock::manual(Timestamp(10)));
        for _ in 0..2 {
            reports.stats(Stats { rx_bytes: 5, tx_bytes: 1, ..Stats::default() });
        }
        let [FromAgent::Stats { stats }] = drain(&reports)[..] else { panic!("one message") };
        assert_eq!((stats.rx_bytes, stats.tx_bytes), (10, 2));
    }

    #[tokio::test]
    async fn whoever_waits_is_woken() {
        let reports = Reports::new(Clock::manual(Timestamp(10)));
        let (next, ()) =
            tokio::join!(reports.next(), async { reports.event(FromAgent::Heartbeat) });
        assert_eq!(next, FromAgent::Heartbeat);
    }
}
