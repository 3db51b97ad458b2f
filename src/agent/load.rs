//! Load of the agent's machine: of its container where it has one, else of the whole machine.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::clock::Clock;
use crate::wire::agent::Stats;

use self::board::Board;
use super::base::Base;
use super::sessions::Sessions;

mod board;
mod cgroup;
#[cfg_attr(windows, path = "load/windows.rs")]
mod machine;

/// How often the load is told.
const EVERY: Duration = Duration::from_secs(30);
/// The first report comes sooner, so that a page is not empty for half a minute.
const FIRST_AFTER: Duration = Duration::from_secs(2);

/// Processor time used so far, and the cores it is out of.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cpu {
    used: Duration,
    cores: f64,
}

/// Bytes of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Memory {
    used: u64,
    total: u64,
}

/// What is in use, and out of how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// In use.
    pub used: f64,
    /// All there is.
    pub total: f64,
}

/// How long processor time is counted for one answer.
const COUNT_FOR: Duration = Duration::from_secs(1);

/// Cores in use now: of the container where there is one, unless the machine is asked for.
pub async fn cpu_now(clock: &Clock, of_host: bool) -> Usage {
    let read = || if of_host { machine::cpu() } else { cpu() };
    let look = || Look { at: clock.instant(), cpu: read() };
    let before = look();
    sleep(COUNT_FOR).await;
    let now = look();
    Usage { used: share(&before, &now) * now.cpu.cores, total: now.cpu.cores }
}

/// Bytes of memory in use now, as [`cpu_now`].
#[must_use]
pub fn memory_now(of_host: bool) -> Usage {
    let memory = if of_host { machine::memory() } else { memory() };
    bytes(memory.used, memory.total)
}

/// Bytes in use now on the disk that holds `path`.
///
/// # Errors
/// When there is no such path.
pub fn disk_now(path: &Path) -> std::io::Result<Usage> {
    path.metadata()?;
    let (used, total) = machine::space(path)?;
    Ok(bytes(used, total))
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 8 PiB to the byte")]
fn bytes(used: u64, total: u64) -> Usage {
    Usage { used: used as f64, total: total as f64 }
}

/// One look at the machine.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Instant,
    cpu: Cpu,
}

/// Tells the load until it is dropped.
pub async fn watch(base: &Base, sessions: &Sessions) {
    let mut before = Look { at: base.clock.instant(), cpu: cpu() };
    let mut counted = sessions.counts();
    let mut wait = FIRST_AFTER;
    loop {
        sleep(wait).await;
        wait = EVERY;
        let now = Look { at: base.clock.instant(), cpu: cpu() };
        let counts = sessions.counts();
        let memory = memory();
        let (disk, board) = (machine::disk(&base.account.home), board());
        base.reports.stats(Stats {
            cpu: share(&before, &now),
            cores: now.cpu.cores,
            memory_used: memory.used,
            memory_total: memory.total,
            disk_used: disk.used,
            disk_total: disk.total,
            inodes_used: disk.inodes_used,
            inodes_total: disk.inodes_total,
            load: board.load,
            temperature: board.heat.map(|heat| heat.temperature),
            temperature_mark: board.heat.and_then(|heat| heat.mark),
            under_voltage: board.under_voltage,
            throttled: board.throttled,
            uptime_s: board.uptime_s,
            // The reports put it in when this is told.
            clock_ms: 0,
            sessions: counts.sessions,
            rx_bytes: counts.rx_bytes.saturating_sub(counted.rx_bytes),
            tx_bytes: counts.tx_bytes.saturating_sub(counted.tx_bytes),
        });
        (before, counted) = (now, counts);
    }
}

/// The share of all cores between two looks, 0 to 1.
fn share(before: &Look, now: &Look) -> f64 {
    let used = now.cpu.used.saturating_sub(before.cpu.used).as_secs_f64();
    let had = now.at.saturating_duration_since(before.at).as_secs_f64() * now.cpu.cores;
    if had > 0.0 { (used / had).clamp(0.0, 1.0) } else { 0.0 }
}

fn cpu() -> Cpu {
    cgroup::cpu(machine::cores()).unwrap_or_else(machine::cpu)
}

fn memory() -> Memory {
    let machine = machine::memory();
    cgroup::memory(machine.total).unwrap_or(machine)
}

/// A filesystem as its users have it: what is kept for the system alone does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Disk {
    used: u64,
    total: u64,
    inodes_used: u64,
    inodes_total: u64,
}

/// What the board suffers from; Windows tells only how long it is up. In a container it would be what
/// its host suffers from, and each container there would tell of it.
fn board() -> Board {
    #[cfg(unix)]
    return match cgroup::is_container() {
        true => Board::default(),
        false => board::look(Path::new("/")),
    };
    #[cfg(windows)]
    Board { uptime_s: machine::uptime_s(), ..Board::default() }
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_of_all_cores() {
        let at = Clock::machine().instant();
        let look = |secs, used| Look {
            at: at + Duration::from_secs(secs),
            cpu: Cpu { used: Duration::from_secs(used), cores: 4.0 },
        };
        let check = |a: &Look, b: &Look, expected: f64| {
            assert!((share(a, b) - expected).abs() < 1e-9, "{}", share(a, b));
        };
        check(&look(0, 0), &look(10, 20), 0.5);
        check(&look(0, 0), &look(10, 400), 1.0);
        check(&look(5, 0), &look(5, 1), 0.0);
        check(&look(0, 10), &look(10, 0), 0.0);
    }

    #[test]
    fn this_machine_has_memory_cores_and_a_disk() {
        let (memory, cpu) = (memory(), cpu());
        assert!(memory.total > 0 && memory.used <= memory.total, "{memory:?}");
        assert!(cpu.cores > 0.0, "{cpu:?}");
        let disk = machine::disk(Path::new("/"));
        assert!(disk.used <= disk.total && disk.total > 0, "{disk:?}");
        assert!(disk.inodes_used <= disk.inodes_total, "{disk:?}");
    }
}
