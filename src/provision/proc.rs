//! What `/proc` tells of processes: who they are, whether they run, and how all of them are ended.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::bail;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// A process that cannot be taken for another one: pids are used again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(in crate::provision) struct Known {
    /// Its pid.
    pub pid: i32,
    /// When it started, in ticks since the machine did.
    pub started: u64,
    /// Which start of the machine that was.
    pub boot: String,
}

struct Stat {
    is_zombie: bool,
    parent: i32,
    group: i32,
    session: i32,
    started: u64,
}

fn stat(pid: i32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything, so the fields are counted after it.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |i: usize| fields.get(i).and_then(|f| f.parse().ok());
    Some(Stat {
        is_zombie: matches!(fields.first(), Some(&("Z" | "X"))),
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
        started: fields.get(19)?.parse().ok()?,
    })
}

fn boot() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// Notes who a running process is.
pub(in crate::provision) fn know(pid: i32) -> Option<Known> {
    Some(Known { pid, started: stat(pid)?.started, boot: boot() })
}

/// Whether it still runs.
pub(in crate::provision) fn is_running(known: &Known) -> bool {
    let same = stat(known.pid).is_some_and(|s| !s.is_zombie && s.started == known.started);
    same && known.boot == boot()
}

/// Which processes to end.
pub(in crate::provision) enum Whose {
    /// All of a user's.
    User(u32),
    /// All that carry this variable, with the leader's session and descendants.
    Marked {
        /// `NAME=value`.
        mark: String,
        /// The first of them.
        leader: Option<Known>,
    },
    /// All of a group that carry this variable.
    Group {
        /// The group.
        group: i32,
        /// `NAME=value`.
        mark: String,
    },
}

fn all() -> BTreeMap<i32, Stat> {
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != own && *pid != 1)
        .filter_map(|pid| Some((pid, stat(pid)?)))
        .filter(|(_, stat)| !stat.is_zombie)
        .collect()
}

fn has_uid(pid: i32, uid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    line.split_whitespace().any(|id| id.parse() == Ok(uid))
}

fn has_mark(pid: i32, mark: &str) -> bool {
    let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environ.split(|b| *b == 0).any(|variable| variable == mark.as_bytes())
}

fn found(whose: &Whose) -> Vec<i32> {
    let all = all();
    match whose {
        Whose::User(uid) => all.into_keys().filter(|pid| has_uid(*pid, *uid)).collect(),
        Whose::Group { group, mark } => all
            .into_iter()
            .filter(|(pid, stat)| stat.group == *group && has_mark(*pid, mark))
            .map(|(pid, _)| pid)
            .collect(),
        Whose::Marked { mark, leader } => {
            let session = leader.as_ref().filter(|l| is_running(l)).map(|l| l.pid);
            let is_ours = |pid: i32, stat: &Stat| {
                Some(stat.session) == session || Some(pid) == session || has_mark(pid, mark)
            };
            let mut ours: Vec<i32> = all
                .iter()
                .filter(|(pid, stat)| is_ours(**pid, stat))
                .map(|(pid, _)| *pid)
                .collect();
            let mut next = 0;
            while let Some(parent) = ours.get(next).copied() {
                let children: Vec<i32> = all
                    .iter()
                    .filter(|(pid, stat)| stat.parent == parent && !ours.contains(pid))
                    .map(|(pid, _)| *pid)
                    .collect();
                ours.extend(children);
                next += 1;
            }
            ours
        }
    }
}

/// How often to look whether all have ended: every 50 ms, for 5 s.
const LOOKS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// Ends them: asks, waits 5 s, then does not ask. Blocks; not for a task.
pub(in crate::provision) fn end(whose: &Whose) -> anyhow::Result<()> {
    for signal in [Signal::TERM, Signal::KILL] {
        for look in 0..LOOKS {
            let left = found(whose);
            if left.is_empty() {
                return Ok(());
            }
            // Asked once; but what forks while it is killed needs to be killed again.
            if look == 0 || signal == Signal::KILL {
                left.into_iter().filter_map(Pid::from_raw).for_each(|pid| {
                    let _ = kill_process(pid, signal);
                });
            }
            std::thread::sleep(PAUSE);
        }
    }
    bail!("{} processes do not end", found(whose).len())
}

/// Sends one interrupt to a process that is known and leads a group, and to all of the group.
pub(in crate::provision) fn interrupt_group(leader: &Known) {
    if let Some(pid) = Pid::from_raw(leader.pid).filter(|_| is_running(leader)) {
        let _ = kill_process_group(pid, Signal::INT);
    }
}

/// Sends one interrupt to a process that is known.
pub(in crate::provision) fn interrupt(known: &Known) {
    if let Some(pid) = Pid::from_raw(known.pid).filter(|_| is_running(known)) {
        let _ = kill_process(pid, Signal::INT);
    }
}
