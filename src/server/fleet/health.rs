//! The health of the machines that agents run on: what they say is taken as far as it can be true, and
//! who stays away for too long is lost.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{Fleet, Presence, lock};
use crate::model::health::{Figures, Path};
use crate::model::id::AgentId;
use crate::server::app::health::Away;
use crate::wire::agent::Stats;

/// How long an agent may be away before its machine is lost, after its connection ended. One that is
/// silent ends after [`crate::model::agent::SILENCE`], so that a machine without power is lost after a
/// minute. An agent tries again every 15 seconds at the latest.
const AWAY_FOR: Duration = Duration::from_secs(30);
/// The same for those that were there before this server started: it may have been away for long.
const START_FOR: Duration = Duration::from_secs(60);
/// How late it may be found.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Most cores and programs that a machine is believed to have: figures beyond are no figures.
const MOST: f64 = 1e6;
/// Most that a clock may be off, in milliseconds, before it is called just that: 68 years.
const MOST_AHEAD_MS: i64 = 1 << 41;

/// Agents that are away, and until when they may be.
#[derive(Default)]
pub(super) struct Missing(Mutex<BTreeMap<AgentId, Instant>>);

impl Missing {
    fn due(&self, now: Instant) -> Vec<AgentId> {
        lock(&self.0).iter().filter(|(_, end)| **end <= now).map(|(agent, _)| *agent).collect()
    }

    fn expect(&self, agent: AgentId, until: Instant) {
        lock(&self.0).insert(agent, until);
    }

    fn settle(&self, agent: AgentId) {
        lock(&self.0).remove(&agent);
    }
}

impl Fleet {
    /// Takes what an agent's machine said of itself.
    pub(super) fn take_stats(&self, agent: AgentId, stats: &Stats) {
        let figures = figures(stats, self.presence(agent).as_ref(), self.0.clock.now_ms());
        self.heard(agent, Some(figures));
    }

    /// An agent went: it may come again for some time.
    pub(super) fn miss(&self, agent: AgentId) {
        self.0.missing.expect(agent, self.0.clock.instant() + AWAY_FOR);
    }

    /// Looks again and again for agents that stay away, until it is dropped.
    pub(super) async fn watch_missing(&self) {
        match self.0.app.agents_to_expect().await {
            Ok(agents) => {
                let until = self.0.clock.instant() + START_FOR;
                agents.into_iter().for_each(|agent| self.0.missing.expect(agent, until));
            }
            Err(error) => tracing::error!(%error, "which machines were here is not known"),
        }
        loop {
            sleep(LOOK_EVERY).await;
            for agent in self.0.missing.due(self.0.clock.instant()) {
                if self.is_connected(agent) {
                    self.0.missing.settle(agent);
                    continue;
                }
                match self.0.app.agent_lost(agent).await {
                    Ok(Away::Settled) => self.0.missing.settle(agent),
                    // Each look is a write, and a build may wait for long.
                    Ok(Away::Later) => self.miss(agent),
                    Err(error) => tracing::error!(%error, "that a machine is lost was not stored"),
                }
            }
        }
    }
}

/// What an agent said, as far as it can be true.
fn figures(stats: &Stats, presence: Option<&Presence>, now_ms: i64) -> Figures {
    let number =
        |value: f64, most: f64| if value.is_finite() { value.clamp(0.0, most) } else { 0.0 };
    let maybe = |value: Option<f64>| value.filter(|v| v.is_finite());
    let ahead = stats.clock_ms.saturating_sub(now_ms).clamp(-MOST_AHEAD_MS, MOST_AHEAD_MS);
    Figures {
        cpu: number(stats.cpu, 1.0),
        cores: number(stats.cores, MOST),
        load: maybe(stats.load).map(|load| load.clamp(0.0, MOST)),
        memory_used: stats.memory_used.min(stats.memory_total),
        memory_total: stats.memory_total,
        disk_used: stats.disk_used.min(stats.disk_total),
        disk_total: stats.disk_total,
        inodes_used: stats.inodes_used.min(stats.inodes_total),
        inodes_total: stats.inodes_total,
        temperature: maybe(stats.temperature).map(|t| t.clamp(-100.0, 1000.0)),
        temperature_mark: maybe(stats.temperature_mark).map(|t| t.clamp(0.0, 200.0)),
        under_voltage: stats.under_voltage,
        throttled: stats.throttled,
        uptime_s: Some(stats.uptime_s).filter(|up| *up > 0),
        ahead_ms: (stats.clock_ms != 0).then_some(ahead),
        path: presence.and_then(|p| Path::from_word(p.path)),
        latency_ms: presence.and_then(|p| maybe(p.latency_ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::health::judge::Verdict;

    #[test]
    fn what_an_older_agent_says_is_understood() {
        let old = r#"{ "cpu": 0.5, "cores": 4.0, "memory_used": 1, "memory_total": 4, "disk_used": 3,
            "disk_total": 4, "sessions": 0, "rx_bytes": 0, "tx_bytes": 0 }"#;
        let stats: Stats = serde_json::from_str(old).unwrap();
        let told = figures(&stats, None, 1_795_000_000_000);
        assert_eq!((told.disk(), told.inodes(), told.ahead_ms), (Some(0.75), None, None));
        assert_eq!((told.uptime_s, told.temperature), (None, None));
    }

    #[test]
    fn what_cannot_be_is_no_figure() {
        let stats = Stats {
            cpu: 1e308,
            cores: -1e308,
            memory_used: u64::MAX,
            disk_used: u64::MAX,
            disk_total: 1,
            load: Some(1e308),
            temperature: Some(-1e308),
            uptime_s: u64::MAX,
            clock_ms: i64::MAX,
            ..Stats::default()
        };
        let told = figures(&stats, None, 0);
        assert_eq!((told.cpu, told.cores, told.disk(), told.memory()), (1.0, 0.0, Some(1.0), None));
        assert_eq!(told.ahead_ms, Some(MOST_AHEAD_MS));
        let verdict = Verdict::default().heard(&told);
        assert!(!verdict.troubles.is_empty());
        assert!(serde_json::to_string(&told).unwrap().len() < 1024);
    }

    #[test]
    fn a_clock_is_compared_with_the_servers() {
        let stats = Stats { clock_ms: 1_000, ..Stats::default() };
        assert_eq!(figures(&stats, None, 8_000).ahead_ms, Some(-7_000));
        let presence = Presence { path: "relay", latency_ms: Some(12.5), clash: None };
        let told = figures(&stats, Some(&presence), 0);
        assert_eq!((told.path, told.latency_ms), (Some(Path::Relay), Some(12.5)));
    }
}
