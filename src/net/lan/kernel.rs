//! What the files of Linux's kernel say of network cards. Where there are none, nothing is known.

use std::net::Ipv4Addr;
#[cfg(not(target_os = "macos"))]
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;

use super::Lan;
#[cfg(not(target_os = "macos"))]
use crate::model::waking::PORT;
use crate::model::waking::{Card, Interface};

/// How deep a device may lie below a bridge, a bond or a VLAN.
const MAX_DEPTH: u8 = 4;

/// Where this machine is now.
#[cfg(not(target_os = "macos"))]
pub(super) fn read() -> Lan {
    read_below(Path::new("/"), own_address)
}

fn read_below(root: &Path, own: impl Fn(Ipv4Addr) -> Option<Ipv4Addr>) -> Lan {
    let class = root.join("sys/class/net");
    let devices = std::fs::read_dir(&class).into_iter().flatten().flatten();
    let cards = devices.filter_map(|entry| card(&entry.path())).collect();
    let routes = std::fs::read_to_string(root.join("proc/net/route")).unwrap_or_default();
    let attached = routes.lines().skip(1).filter_map(attached);
    let real = attached.filter(|(device, ..)| leads_to_card(&class.join(device), 0));
    let interface = |(_, network, bits): (&str, Ipv4Addr, u8)| {
        let of = Interface::new(network, bits)?;
        // Any other address there does: nothing is sent to it.
        let own = Interface::new(own(of.last())?, bits)?;
        own.is_like(of).then_some(own)
    };
    Lan::of(cards, real.filter_map(interface).collect())
}

/// The address of a network card; none of what is no card.
fn card(device: &Path) -> Option<Card> {
    let address = std::fs::read_to_string(device.join("address")).ok()?;
    device.join("device").exists().then(|| address.trim().parse().ok()).flatten()
}

fn leads_to_card(device: &Path, depth: u8) -> bool {
    if device.join("device").exists() {
        return true;
    }
    let below = std::fs::read_dir(device).into_iter().flatten().flatten();
    let is_lower = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("lower_");
    let mut below = below.filter(|entry| is_lower(&entry.file_name()));
    depth < MAX_DEPTH && below.any(|entry| leads_to_card(&entry.path(), depth + 1))
}

/// The device, the network and its bits, of a line of `/proc/net/route` that needs no gateway.
fn attached(line: &str) -> Option<(&str, Ipv4Addr, u8)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let &[device, network, gateway, _, _, _, _, mask, ..] = &*fields else { return None };
    // As the kernel's own number of the bytes that go over the wire.
    let address =
        |hex: &str| u32::from_str_radix(hex, 16).ok().map(|n| Ipv4Addr::from(n.to_ne_bytes()));
    let is_direct = address(gateway)?.is_unspecified();
    let mask = address(mask)?.to_bits();
    let bits = u8::try_from(mask.leading_ones()).ok()?;
    (is_direct && mask.count_ones() == u32::from(bits)).then_some((device, address(network)?, bits))
}

/// The address that this machine speaks from to another one. Connecting a UDP socket sends nothing.
#[cfg(not(target_os = "macos"))]
fn own_address(to: Ipv4Addr) -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((to, PORT)).ok()?;
    match socket.local_addr().ok()? {
        SocketAddr::V4(own) => Some(*own.ip()),
        SocketAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n";

    /// A kernel's number of an address.
    fn hex(address: [u8; 4]) -> String {
        format!("{:08X}", u32::from_ne_bytes(address))
    }

    fn route(device: &str, network: [u8; 4], gateway: [u8; 4], mask: [u8; 4]) -> String {
        let [network, gateway, mask] = [network, gateway, mask].map(hex);
        format!("{device}\t{network}\t{gateway}\t0001\t0\t0\t100\t{mask}\t0\t0\t0\n")
    }

    /// A machine with a card behind a bridge, one by radio, a tunnel, and containers.
    fn machine() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        for (device, address, is_card) in [
            ("eth0", "dc:a6:32:00:00:01\n", true),
            ("wlan0", "dc:a6:32:00:00:02\n", true),
            ("br0", "dc:a6:32:00:00:01\n", false),
            ("docker0", "02:42:00:00:00:01\n", false),
            ("veth1", "02:42:00:00:00:02\n", false),
            ("wg0", "\n", false),
            ("lo", "00:00:00:00:00:00\n", false),
        ] {
            write(&format!("sys/class/net/{device}/address"), address);
            if is_card {
                write(&format!("sys/class/net/{device}/device/vendor"), "x");
            }
        }
        for (over, under) in [("br0", "eth0"), ("docker0", "veth1")] {
            let link = dir.path().join(format!("sys/class/net/{over}/lower_{under}"));
            std::os::unix::fs::symlink(format!("../{under}"), link).unwrap();
        }
        let routes = [
            route("br0", [0, 0, 0, 0], [192, 168, 1, 1], [0, 0, 0, 0]),
            route("br0", [192, 168, 1, 0], [0, 0, 0, 0], [255, 255, 255, 0]),
            route("br0", [192, 168, 9, 0], [192, 168, 1, 9], [255, 255, 255, 0]),
            route("wlan0", [10, 0, 0, 0], [0, 0, 0, 0], [255, 255, 0, 0]),
            route("wlan0", [169, 254, 0, 0], [0, 0, 0, 0], [255, 255, 0, 0]),
            route("docker0", [172, 17, 0, 0], [0, 0, 0, 0], [255, 255, 0, 0]),
            route("wg0", [10, 9, 0, 0], [0, 0, 0, 0], [255, 255, 255, 0]),
            "what is this\n".to_owned(),
        ];
        write("proc/net/route", &format!("{HEAD}{}", routes.concat()));
        dir
    }

    #[test]
    fn cards_and_the_networks_that_they_are_plugged_into_are_known() {
        let dir = machine();
        let own = |to: Ipv4Addr| {
            let [a, b, ..] = to.octets();
            Some(Ipv4Addr::new(a, b, 1, 20))
        };
        let lan = read_below(dir.path(), own);
        let text: Vec<String> = lan.cards.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["dc:a6:32:00:00:01", "dc:a6:32:00:00:02"]);
        let text: Vec<String> = lan.interfaces.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["10.0.1.20/16", "192.168.1.20/24"]);
        // A machine that speaks there from elsewhere, or not at all.
        let elsewhere = read_below(dir.path(), |_| Some(Ipv4Addr::new(10, 9, 9, 9)));
        assert!(elsewhere.interfaces.is_empty());
        assert!(read_below(dir.path(), |_| None).interfaces.is_empty());
        let bare = tempfile::tempdir().unwrap();
        assert_eq!(read_below(bare.path(), own), Lan::default());
    }
}
