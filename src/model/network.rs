//! Networks of addresses, as operators write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bits before the address in an IPv4 address in IPv6 clothes.
const MAPPED_BITS: u8 = 96;

/// A network in CIDR form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// A text that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a network; write 10.0.0.0/8, or an address for itself alone")]
pub struct BadNetwork(String);

impl Network {
    /// Whether the address is in the network. An IPv4 address in IPv6 clothes counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let prefix = |all: u128, width: u8| {
            let shift = u32::from(width - self.bits);
            all.checked_shr(shift).unwrap_or(0)
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                prefix(u128::from(a.to_bits()), 32) == prefix(u128::from(b.to_bits()), 32)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => prefix(a.to_bits(), 128) == prefix(b.to_bits(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl Network {
    /// Whether every address of it is in `other`.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.bits >= other.bits
            && self.address.is_ipv4() == other.address.is_ipv4()
            && other.contains(self.address)
    }
}

/// Whether an address is one of the public internet: not of this machine, a private network, a cloud's
/// own services, or one that leads to such by translation.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let special = (a == 192 && b == 0 && c == 0) || (a == 198 && (b == 18 || b == 19));
    !(a == 0
        || a >= 224
        || shared
        || special
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Global unicast, but for what is documentation, or carries an IPv4 address (Teredo, 6to4).
    let global = (a & 0xe000) == 0x2000;
    let carries = (a == 0x2001 && b == 0) || a == 0x2002;
    global && !carries && !(a == 0x2001 && b == 0x0db8)
}

impl std::str::FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let bad = || BadNetwork(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| bad())?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| bad())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits > width {
            return Err(bad());
        }
        Ok(match (address.to_canonical(), bits.checked_sub(MAPPED_BITS)) {
            (address @ IpAddr::V4(_), Some(bits)) if width == 128 => Self { address, bits },
            _ => Self { address, bits },
        })
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_within_a_wider_one() {
        let check = |inner: &str, outer: &str, within: bool| {
            let (inner, outer): (Network, Network) =
                (inner.parse().unwrap(), outer.parse().unwrap());
            assert_eq!(inner.is_within(&outer), within, "{inner} {outer}");
        };
        check("10.1.0.0/16", "10.0.0.0/8", true);
        check("10.0.0.0/8", "10.0.0.0/8", true);
        check("10.0.0.0/8", "10.1.0.0/16", false);
        check("192.168.0.1", "10.0.0.0/8", false);
        check("fd00::/64", "fd00::/48", true);
        check("::/0", "0.0.0.0/0", false);
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let check = |network: &str, address: &str, inside: bool| {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), inside, "{network} {address}");
        };
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("10.0.0.2", "10.0.0.2", true);
        check("10.0.0.2", "10.0.0.3", false);
        check("0.0.0.0/0", "203.0.113.9", true);
        check("10.0.0.0/8", "::ffff:10.1.1.1", true);
        check("::ffff:10.0.0.0/104", "10.1.1.1", true);
        check("::ffff:10.0.0.2", "10.0.0.2", true);
        check("::ffff:10.0.0.2", "10.0.0.3", false);
        check("fd00::/8", "fd12::1", true);
        check("fd00::/8", "fe80::1", false);
        assert!("10.0.0.0/33".parse::<Network>().is_err());
        assert!("ten".parse::<Network>().is_err());
    }

    #[test]
    fn only_the_public_internet_is_public() {
        let check = |text: &str, public: bool| {
            assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
        };
        check("1.1.1.1", true);
        check("2606:4700::1111", true);
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "192.0.0.192",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "fc00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:0:a00:1::",
            "2001:db8::1",
        ] {
            check(inside, false);
        }
    }
}
