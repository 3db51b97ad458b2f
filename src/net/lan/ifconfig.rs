//! What macOS says of its network cards: there is no file to read.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::Lan;
use crate::model::waking::{Card, Interface};

/// Where this machine is now; nothing is known when its program says nothing.
#[cfg(target_os = "macos")]
pub(super) fn read() -> Lan {
    let said = std::process::Command::new("/sbin/ifconfig").arg("-au").output();
    said.map(|said| parse(&String::from_utf8_lossy(&said.stdout))).unwrap_or_default()
}

/// The cards and networks in what `ifconfig` prints. Cards are `en0` and so on; bridges, tunnels and what
/// is made for virtual machines have other names.
fn parse(text: &str) -> Lan {
    let (mut cards, mut interfaces) = (BTreeSet::new(), BTreeSet::new());
    let mut is_card = false;
    for line in text.lines() {
        if let Some((name, _)) = line.split_once(": ").filter(|_| !line.starts_with(['\t', ' '])) {
            is_card = name.strip_prefix("en").is_some_and(|n| n.parse::<u16>().is_ok());
            continue;
        }
        if !is_card {
            continue;
        }
        match &*line.split_whitespace().collect::<Vec<_>>() {
            ["ether", address, ..] => cards.extend(address.parse::<Card>()),
            ["inet", address, "netmask", mask, ..] => interfaces.extend(interface(address, mask)),
            _ => {}
        }
    }
    Lan::of(cards, interfaces)
}

fn interface(address: &str, mask: &str) -> Option<Interface> {
    let mask = u32::from_str_radix(mask.strip_prefix("0x")?, 16).ok()?;
    let bits = u8::try_from(mask.leading_ones()).ok()?;
    let address: Ipv4Addr = address.parse().ok()?;
    (mask.count_ones() == u32::from(bits)).then(|| Interface::new(address, bits)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384
\toptions=1203<RXCSUM,TXCSUM,TXSTATUS,SW_TIMESTAMP>
\tinet 127.0.0.1 netmask 0xff000000
\tinet6 ::1 prefixlen 128
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tether 3c:22:fb:11:22:33
\tinet6 fe80::1c8a:aaaa:bbbb:cccc%en0 prefixlen 64 secured scopeid 0xb
\tinet 192.168.1.42 netmask 0xffffff00 broadcast 192.168.1.255
\tmedia: autoselect
\tstatus: active
en5: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tether 3c:22:fb:11:22:34
\tinet 169.254.9.9 netmask 0xffff0000 broadcast 169.254.255.255
bridge100: flags=8a63<UP,BROADCAST,SMART,RUNNING,ALLMULTI,SIMPLEX,MULTICAST> mtu 1500
\tether 3e:22:fb:aa:bb:64
\tinet 192.168.64.1 netmask 0xffffff00 broadcast 192.168.64.255
utun4: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1280
\tinet 100.101.102.103 --> 100.101.102.103 netmask 0xffffffff
";

    #[test]
    fn cards_and_their_networks_are_read() {
        let lan = parse(SAID);
        let cards: Vec<String> = lan.cards.iter().map(ToString::to_string).collect();
        assert_eq!(cards, ["3c:22:fb:11:22:33", "3c:22:fb:11:22:34"]);
        let interfaces: Vec<String> = lan.interfaces.iter().map(ToString::to_string).collect();
        assert_eq!(interfaces, ["192.168.1.42/24"]);
        assert_eq!(parse(""), Lan::default());
        assert_eq!(parse("\tether 3c:22:fb:11:22:33\n"), Lan::default());
    }
}
