//! Ports that something listens on: asked of the kernel, told when they change.

#[cfg(target_os = "linux")]
mod diag;
#[cfg_attr(windows, path = "ports/windows.rs")]
mod tables;

use std::time::Duration;

use tokio::time::sleep;

use super::base::Base;
use tables::Tables;

/// How often the kernel is asked while people work or ports change.
const OFTEN: Duration = Duration::from_secs(5);
/// How often it is asked when nothing changed for [`CALM_AFTER`] and nobody is there.
const SELDOM: Duration = Duration::from_secs(30);
/// After this long without a change it is asked seldom.
const CALM_AFTER: Duration = Duration::from_secs(60);
/// Most ports told; a machine with more has no use for the list.
const MAX_PORTS: usize = 256;
/// Lower ports are not for people (echo, discard, and what overlays use).
const LOWEST: u16 = 10;

/// Asks the kernel until it is dropped. `anyone` says whether there are sessions.
pub async fn watch(base: &Base, anyone: impl Fn() -> bool) {
    let (mut told, mut tables) = (vec![], Tables::default());
    let mut changed_at = base.clock.instant();
    loop {
        let found = tables.look().await;
        if found != told {
            changed_at = base.clock.instant();
            base.reports.ports(found.clone());
            told = found;
        }
        let calm = base.clock.instant().saturating_duration_since(changed_at) >= CALM_AFTER;
        sleep(if calm && !anyone() { SELDOM } else { OFTEN }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::place;
    use crate::tasks::OnPanic;
    use crate::wire::agent::FromAgent;

    #[tokio::test]
    async fn a_listener_of_this_process_is_told_with_its_name() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let place = place();
        let base = place.base.clone();
        place.base.tasks.spawn("ports", OnPanic::Lose, async move { watch(&base, || true).await });
        let FromAgent::Ports { ports } = place.base.reports.next().await else {
            panic!("ports are told")
        };
        let found = ports.iter().find(|p| p.port == port).unwrap();
        let own = std::fs::read_to_string("/proc/self/comm").unwrap();
        assert_eq!(found.process, own.trim_end());
    }
}
