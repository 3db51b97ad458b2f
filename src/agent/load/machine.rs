//! The load of the whole machine, by the kernel's tables.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::{Cpu, Disk, Memory, read};

/// The kernel's clock ticks of processor time a second, in user space always this.
const TICKS: u64 = 100;

pub(super) fn cores() -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    f64::from(u32::try_from(cores).unwrap_or(u32::MAX))
}

pub(super) fn cpu() -> Cpu {
    let text = read("/proc/stat").unwrap_or_default();
    Cpu { used: busy(&text).unwrap_or_default(), cores: cores() }
}

pub(super) fn memory() -> Memory {
    meminfo(&read("/proc/meminfo").unwrap_or_default()).unwrap_or_default()
}

/// Bytes in use and all there are on the filesystem that holds `path`, those of the system's included.
pub(super) fn space(path: &Path) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::statvfs(path)?;
    let size = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Ok((size(stat.f_blocks.saturating_sub(stat.f_bfree)), size(stat.f_blocks)))
}

/// The filesystem that holds `path`.
pub(super) fn disk(path: &Path) -> Disk {
    let Ok(stat) = rustix::fs::statvfs(path) else { return Disk::default() };
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    let used = stat.f_blocks.saturating_sub(stat.f_bfree);
    let inodes_used = stat.f_files.saturating_sub(stat.f_ffree);
    Disk {
        used: bytes(used),
        total: bytes(used.saturating_add(stat.f_bavail)),
        inodes_used,
        inodes_total: inodes_used.saturating_add(stat.f_favail),
    }
}

/// Time that was not idle, from the first line of `/proc/stat`: user, nice, system, idle, iowait,
/// irq, softirq, steal.
fn busy(text: &str) -> Option<Duration> {
    let fields = text.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = fields.split_whitespace().map_while(|f| f.parse().ok()).collect();
    let idle = ticks.get(3)? + ticks.get(4)?;
    let all: u64 = ticks.iter().take(8).sum();
    Some(Duration::from_millis((all - idle) * 1000 / TICKS))
}

fn meminfo(text: &str) -> Option<Memory> {
    let field = |name: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    };
    let (total, free) = (field("MemTotal")?, field("MemAvailable")?);
    Some(Memory { used: total.saturating_sub(free), total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        let stat = "cpu  100 0 50 1000 200 5 5 0 0 0\ncpu0 1 1 1 1\n";
        assert_eq!(busy(stat), Some(Duration::from_millis(1600)));
        let info = "MemTotal:        1000 kB\nMemFree: 1 kB\nMemAvailable:     600 kB\n";
        assert_eq!(meminfo(info), Some(Memory { used: 400 << 10, total: 1000 << 10 }));
        assert_eq!((busy(""), meminfo("")), (None, None));
    }
}
