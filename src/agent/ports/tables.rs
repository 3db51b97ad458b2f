//! What listens on Linux: asked of its kernel, or read from its tables.

use std::collections::{BTreeMap, BTreeSet};

use super::{LOWEST, MAX_PORTS};
use crate::wire::agent::ListeningPort;

/// The state LISTEN in the kernel's tables.
const LISTEN: &str = "0A";

/// A socket that listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Socket {
    /// Its number.
    pub(super) inode: u64,
    /// Whose it is.
    pub(super) uid: u32,
}

/// What was found before.
#[derive(Default)]
pub(super) struct Tables {
    found: BTreeMap<u16, Socket>,
    /// Also those that nobody was found for: they are not looked for again.
    names: BTreeMap<u64, String>,
}

impl Tables {
    /// What listens now.
    pub(super) async fn look(&mut self) -> Vec<ListeningPort> {
        let found = listening();
        if found != self.found {
            self.names.retain(|inode, _| found.values().any(|socket| socket.inode == *inode));
            // Only new sockets are worth the walk through every process.
            let is_new =
                |socket: &&Socket| may_see(socket) && !self.names.contains_key(&socket.inode);
            let wanted: BTreeSet<u64> = found.values().filter(is_new).map(|s| s.inode).collect();
            if !wanted.is_empty() {
                self.names.extend(wanted.iter().map(|inode| (*inode, String::new())));
                // Hundreds of processes take milliseconds, which a terminal would notice.
                let names = tokio::task::spawn_blocking(move || owners(&wanted)).await;
                self.names.extend(names.unwrap_or_default());
            }
            self.found = found;
        }
        let process = |socket: &Socket| self.names.get(&socket.inode).cloned().unwrap_or_default();
        let ports = self.found.iter().take(MAX_PORTS);
        ports
            .map(|(port, socket)| ListeningPort { port: *port, process: process(socket) })
            .collect()
    }
}

/// Whether this account is told whose programs hold a socket.
fn may_see(socket: &Socket) -> bool {
    let own = rustix::process::geteuid().as_raw();
    own == 0 || socket.uid == own
}

/// Ports with the sockets that listen on them. Empty where nobody tells of them.
fn listening() -> BTreeMap<u16, Socket> {
    #[cfg(target_os = "linux")]
    if let Ok(found) = super::diag::listening() {
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
}
