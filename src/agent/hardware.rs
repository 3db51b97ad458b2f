//! Which machine this is: what is on no disk, so that a copied one does not carry it along.

#[cfg(unix)]
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::platform;
use crate::net::lan::{self, Lan};
use crate::wire::agent::Machine;

/// Bytes of the hash that name a machine: no two of one token are the same by chance.
const PRINT: usize = 8;

/// This machine.
#[must_use]
pub fn machine() -> Machine {
    #[cfg(unix)]
    let facts = facts(Path::new("/"));
    #[cfg(windows)]
    let facts = facts();
    let Lan { cards, interfaces } = lan::read();
    Machine {
        name: platform::host(),
        print: print(&facts),
        cards: cards.iter().map(ToString::to_string).collect(),
        interfaces: interfaces.iter().map(ToString::to_string).collect(),
    }
}

fn print(facts: &[String]) -> String {
    if facts.iter().all(String::is_empty) {
        return String::new();
    }
    let hash = Sha256::digest(facts.join("\n").as_bytes());
    hex::encode(hash.get(..PRINT).unwrap_or_default())
}

/// The board's serial number and the addresses of its network cards; where it has neither, this start
/// of its system.
#[cfg(unix)]
fn facts(root: &Path) -> Vec<String> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let mut facts = vec![read("proc/device-tree/serial-number")];
    facts.extend(cards(&root.join("sys/class/net")));
    if facts.iter().all(String::is_empty) {
        facts.push(read("proc/sys/kernel/random/boot_id"));
    }
    facts
}

/// The same, once: Windows takes its time to tell.
#[cfg(windows)]
fn facts() -> Vec<String> {
    static FACTS: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    FACTS.get_or_init(cards).clone()
}

/// The addresses of network cards, sorted. Those that the system made up are left out.
#[cfg(windows)]
fn cards() -> Vec<String> {
    let Ok(networks) = sysinfo::Networks::new_with_refreshed_list() else { return vec![] };
    let addresses = networks.values().map(sysinfo::NetworkData::mac_address);
    // Those that a system gave itself, for bridges and tunnels, have this bit.
    let is_real = |address: &sysinfo::MacAddr| {
        *address != sysinfo::MacAddr::UNSPECIFIED && address.0[0] & 2 == 0
    };
    let cards: std::collections::BTreeSet<String> =
        addresses.filter(is_real).map(|address| address.to_string()).collect();
    cards.into_iter().collect()
}

/// The addresses of network cards, sorted. Those of bridges and tunnels come and go; they count only
/// where there is nothing else, as in a container.
#[cfg(unix)]
fn cards(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let all: Vec<(bool, String)> = entries
        .filter_map(|entry| {
            let address = std::fs::read_to_string(entry.path().join("address")).ok()?;
            let address = address.trim().to_owned();
            let is_set = address.chars().any(|c| !matches!(c, '0' | ':'));
            is_set.then(|| (entry.path().join("device").exists(), address))
        })
        .collect();
    let any_real = all.iter().any(|(real, _)| *real);
    let kept = all.into_iter().filter(|(real, _)| *real || !any_real);
    let mut cards: Vec<String> = kept.map(|(_, address)| address).collect();
    cards.sort();
    cards
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print_of(root: &Path) -> String {
        print(&facts(root))
    }

    /// A machine with these network cards, and a bridge of random address.
    fn with(cards: &[&str], bridge: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: String, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        for (n, card) in cards.iter().enumerate() {
            write(format!("sys/class/net/eth{n}/address"), &format!("{card}\n"));
            write(format!("sys/class/net/eth{n}/device/vendor"), "x");
        }
        write("sys/class/net/lo/address".to_owned(), "00:00:00:00:00:00\n");
        write("sys/class/net/br0/address".to_owned(), bridge);
        write("proc/sys/kernel/random/boot_id".to_owned(), "one start");
        write("etc/machine-id".to_owned(), "copied with the disk");
        dir
    }

    #[test]
    fn a_copied_disk_in_another_machine_is_another() {
        let one = with(&["dc:a6:32:00:00:01"], "02:42:00:00:00:01");
        let later = with(&["dc:a6:32:00:00:01"], "02:42:00:00:00:77");
        let clone = with(&["dc:a6:32:00:00:02"], "02:42:00:00:00:01");
        assert_eq!(print_of(one.path()), print_of(later.path()));
        assert_ne!(print_of(one.path()), print_of(clone.path()));
        assert_eq!(print_of(one.path()).len(), 2 * PRINT);
        std::fs::create_dir_all(one.path().join("proc/device-tree")).unwrap();
        std::fs::write(one.path().join("proc/device-tree/serial-number"), "1000").unwrap();
        assert_ne!(print_of(one.path()), print_of(later.path()));
    }

    #[test]
    fn what_cannot_be_told_is_empty() {
        assert_eq!(print_of(tempfile::tempdir().unwrap().path()), "");
        assert_ne!(print_of(with(&[], "").path()), "", "this start of its system");
    }
}
