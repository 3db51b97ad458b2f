//! The load of the whole machine, as Windows tells it.

use std::io;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sysinfo::{DiskRefreshKind, Disks, System};

use super::{Cpu, Disk, Memory};
use crate::clock::Clock;

/// Processor time, summed up: Windows tells how much was used since it was asked last.
struct Counted {
    system: Option<System>,
    clock: Clock,
    at: Instant,
    used: Duration,
}

static COUNTED: LazyLock<Mutex<Counted>> = LazyLock::new(|| {
    let clock = Clock::machine();
    let (mut system, at) = (System::new().ok(), clock.instant());
    if let Some(system) = &mut system {
        system.refresh_cpu_usage();
    }
    Mutex::new(Counted { system, clock, at, used: Duration::ZERO })
});

pub(super) fn cores() -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    f64::from(u32::try_from(cores).unwrap_or(u32::MAX))
}

pub(super) fn cpu() -> Cpu {
    let mut counted = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    let now = counted.clock.instant();
    let past = now.saturating_duration_since(counted.at);
    // Asked again sooner, it has nothing new to tell.
    if past >= sysinfo::MINIMUM_CPU_UPDATE_INTERVAL
        && let Some(system) = &mut counted.system
    {
        system.refresh_cpu_usage();
        let share = f64::from(system.global_cpu_usage()) / 100.0;
        let used = past.as_secs_f64() * cores() * share.clamp(0.0, 1.0);
        counted.used += Duration::try_from_secs_f64(used).unwrap_or_default();
        counted.at = now;
    }
    Cpu { used: counted.used, cores: cores() }
}

pub(super) fn memory() -> Memory {
    let Ok(mut system) = System::new() else { return Memory::default() };
    system.refresh_memory();
    let total = system.total_memory();
    Memory { used: total.saturating_sub(system.available_memory()), total }
}

/// Seconds since it started.
pub(super) fn uptime_s() -> u64 {
    System::uptime().unwrap_or_default()
}

/// Bytes in use and all there are on the volume that holds `path`.
pub(super) fn space(path: &Path) -> io::Result<(u64, u64)> {
    let kind = DiskRefreshKind::nothing().with_storage();
    let disks = Disks::new_with_refreshed_list_specifics(kind).map_err(io::Error::other)?;
    let holds = |disk: &&sysinfo::Disk| path.starts_with(disk.mount_point());
    // A volume may be mounted in a directory of another.
    let disk = disks.iter().filter(holds).max_by_key(|disk| disk.mount_point().as_os_str().len());
    let disk = disk.ok_or_else(|| io::Error::other("no volume is known to hold it"))?;
    let total = disk.total_space();
    Ok((total.saturating_sub(disk.available_space()), total))
}

/// The volume that holds `path`. It has no fixed number of files.
pub(super) fn disk(path: &Path) -> Disk {
    let (used, total) = space(path).unwrap_or_default();
    Disk { used, total, inodes_used: 0, inodes_total: 0 }
}
