//! The load of the agent's container, by its control group (version 2, or the older one).

use std::time::Duration;

use super::{Cpu, Memory, read};

const V2: &str = "/sys/fs/cgroup";
const V1_CPU: &str = "/sys/fs/cgroup/cpu";
const V1_USAGE: &str = "/sys/fs/cgroup/cpuacct/cpuacct.usage";
const V1_MEMORY: &str = "/sys/fs/cgroup/memory";

/// Whether this is a container, as far as its control group says so.
pub(super) fn is_container() -> bool {
    cpu(f64::MAX).is_some()
}

/// Processor time of the container; none where there is no container, or none of this kind. The
/// root of a machine has no `memory.current`: where it is there, it is a container's.
pub(super) fn cpu(machine_cores: f64) -> Option<Cpu> {
    if read(&format!("{V2}/memory.current")).is_some() {
        let used = field(&read(&format!("{V2}/cpu.stat"))?, "usage_usec")?;
        let quota = read(&format!("{V2}/cpu.max")).and_then(|text| quota_v2(&text));
        let cores = quota.map_or(machine_cores, |q| q.min(machine_cores));
        return Some(Cpu { used: Duration::from_micros(used), cores });
    }
    let number = |name: &str| read(&format!("{V1_CPU}/{name}"))?.trim().parse::<f64>().ok();
    let (quota, period) = (number("cpu.cfs_quota_us")?, number("cpu.cfs_period_us")?);
    // Without a quota it cannot be told from the machine's own group.
    if quota <= 0.0 || period <= 0.0 {
        return None;
    }
    let used = read(V1_USAGE)?.trim().parse().ok()?;
    Some(Cpu { used: Duration::from_nanos(used), cores: (quota / period).min(machine_cores) })
}

/// Memory of the container; none where there is no container, or none of this kind.
pub(super) fn memory(machine_total: u64) -> Option<Memory> {
    if let Some(current) = read(&format!("{V2}/memory.current")) {
        let stat = read(&format!("{V2}/memory.stat")).unwrap_or_default();
        let limit = read(&format!("{V2}/memory.max"))?;
        return of(&current, field(&stat, "inactive_file"), &limit, machine_total);
    }
    let limit = read(&format!("{V1_MEMORY}/memory.limit_in_bytes"))?;
    // Without a limit it cannot be told from the machine's own group.
    if limit.trim().parse().map_or(true, |limit: u64| limit >= machine_total) {
        return None;
    }
    let current = read(&format!("{V1_MEMORY}/memory.usage_in_bytes"))?;
    let stat = read(&format!("{V1_MEMORY}/memory.stat")).unwrap_or_default();
    of(&current, field(&stat, "total_inactive_file"), &limit, machine_total)
}

/// Pages of files that may be dropped at any time do not count as used.
fn of(current: &str, droppable: Option<u64>, limit: &str, machine_total: u64) -> Option<Memory> {
    let current: u64 = current.trim().parse().ok()?;
    let total = limit.trim().parse().map_or(machine_total, |limit: u64| limit.min(machine_total));
    Some(Memory { used: current.saturating_sub(droppable.unwrap_or(0)), total })
}

/// `200000 100000` is two cores, `max 100000` none in particular.
fn quota_v2(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then_some(quota / period)
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_use_are_read() {
        assert_eq!(quota_v2("150000 100000\n"), Some(1.5));
        assert_eq!(quota_v2("max 100000\n"), None);
        let stat = "anon 10\ninactive_file 300\nactive_file 5\n";
        assert_eq!(field(stat, "inactive_file"), Some(300));
        let memory = |limit| of("1000\n", Some(300), limit, 8000);
        assert_eq!(memory("4000\n"), Some(Memory { used: 700, total: 4000 }));
        assert_eq!(memory("max\n"), Some(Memory { used: 700, total: 8000 }));
    }
}
