//! Ports that something listens on: asked of the kernel, told when they change.

#[cfg(target_os = "linux")]
mod diag;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::sleep;

use crate::wire::agent::ListeningPort;

use super::base::Base;

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
/// The state LISTEN in the kernel's tables.
const LISTEN: &str = "0A";

/// A socket that listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Socket {
    inode: u64,
    /// Whose it is.
    uid: u32,
}

/// Asks the kernel until it is dropped. `anyone` says whether there are sessions.
pub async fn watch(base: &Base, anyone: impl Fn() -> bool) {
    let mut told = BTreeMap::new();
    // Also those that nobody was found for: they are not looked for again.
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    let mut changed_at = base.clock.instant();
    loop {
        let found = listening();
        if found != told {
            changed_at = base.clock.instant();
            names.retain(|inode, _| found.values().any(|socket| socket.inode == *inode));
            // Only new sockets are worth the walk through every process.
            let is_new = |socket: &&Socket| may_see(socket) && !names.contains_key(&socket.inode);
            let wanted: BTreeSet<u64> = found.values().filter(is_new).map(|s| s.inode).collect();
            if !wanted.is_empty() {
                names.extend(wanted.iter().map(|inode| (*inode, String::new())));
                // Hundreds of processes take milliseconds, which a terminal would notice.
                let found = tokio::task::spawn_blocking(move || owners(&wanted)).await;
                names.extend(found.unwrap_or_default());
            }
            base.reports.ports(list(&found, &names));
            told = found;
        }
        let calm = base.clock.instant().saturating_duration_since(changed_at) >= CALM_AFTER;
        sleep(if calm && !anyone() { SELDOM } else { OFTEN }).await;
    }
}

/// Whether this account is told whose programs hold a socket.
fn may_see(socket: &Socket) -> bool {
    #[cfg(unix)]
    let own = rustix::process::geteuid().as_raw();
    #[cfg(not(unix))]
    let own = 0;
    own == 0 || socket.uid == own
}

fn list(found: &BTreeMap<u16, Socket>, names: &BTreeMap<u64, String>) -> Vec<ListeningPort> {
    let process = |inode| names.get(inode).cloned().unwrap_or_default();
    found
        .iter()
        .take(MAX_PORTS)
        .map(|(port, socket)| ListeningPort { port: *port, process: process(&socket.inode) })
        .collect()
}

/// Ports with the sockets that listen on them. Empty where nobody tells of them.
fn listening() -> BTreeMap<u16, Socket> {
    #[cfg(target_os = "linux")]
    if let Ok(found) = diag::listening() {
        return found.into_iter().filter(|(port, _)| *port >= LOWEST).collect();
    }
    // Emulators, sandboxes and kernels without that part have only the table.
    let mut all = BTreeMap::new();
    for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
        all.extend(parse(&std::fs::read_to_string(table).unwrap_or_default()));
    }
    all
}

fn parse(table: &str) -> impl Iterator<Item = (u16, Socket)> + '_ {
    table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (_, port) = fields.nth(1)?.rsplit_once(':')?;
        if fields.nth(1)? != LISTEN {
            return None;
        }
        let port = u16::from_str_radix(port, 16).ok().filter(|port| *port >= LOWEST)?;
        let uid = fields.nth(3)?.parse().ok()?;
        Some((port, Socket { uid, inode: fields.nth(1)?.parse().ok()? }))
    })
}

/// The programs that own these sockets, as far as this account may see.
fn owners(wanted: &BTreeSet<u64>) -> BTreeMap<u64, String> {
    let mut names = BTreeMap::new();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    for process in processes
        .filter(|p| p.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit))
    {
        if names.len() == wanted.len() {
            break;
        }
        let files = std::fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        for inode in files.filter_map(|file| socket_inode(&file.path())) {
            // What a program has started may hold its sockets too; the kernel lists the oldest first.
            if wanted.contains(&inode) && !names.contains_key(&inode) {
                let name = std::fs::read_to_string(process.path().join("comm"));
                names.insert(inode, name.unwrap_or_default().trim_end().to_owned());
            }
        }
    }
    names
}

fn socket_inode(file: &std::path::Path) -> Option<u64> {
    let target = std::fs::read_link(file).ok()?;
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::place;
    use crate::tasks::OnPanic;
    use crate::wire::agent::FromAgent;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
        0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0 100 0 0 10 0\n\
        1: 0100007F:1F91 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 12346 1 0 20 4 30 10 -1\n\
        2: 00000000:0009 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12347 1 0 100 0 0 10 0\n";

    #[test]
    fn only_listening_ports_for_people_are_found() {
        assert_eq!(parse(TABLE).collect::<Vec<_>>(), [(8080, Socket { uid: 1000, inode: 12345 })]);
        assert_eq!(parse("").count(), 0);
        assert_eq!(parse("head\nnonsense\n1: :").count(), 0);
    }

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
