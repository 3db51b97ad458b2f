//! Waking a machine that sleeps: the packet that does it, and who is on its network to send it.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// Most network cards that are kept of a machine.
pub const MAX_CARDS: usize = 8;
/// Most networks that are kept of a machine.
pub const MAX_NETWORKS: usize = 8;
/// Most machines that send for one that sleeps: some may be where a broadcast does not pass.
pub const MAX_SENDERS: usize = 4;
/// Bytes of a magic packet: six of ones, then sixteen times the address.
pub const PACKET: usize = 6 + 16 * 6;
/// The port it is sent to: a card reads the bytes and no port; nothing answers at this one.
pub const PORT: u16 = 9;
/// A machine is not woken again before this has passed.
pub const WAKES_APART: Duration = Duration::from_secs(10);
/// How long a machine counts as waking: what a slow board takes from power to its network.
pub const WAKES_WITHIN: Duration = Duration::from_secs(300);

/// Text that is no hardware address or network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is neither a hardware address like dc:a6:32:00:00:01 nor a network like 192.0.2.7/24"
)]
pub struct BadAddress(String);

/// The hardware address of a network card: `dc:a6:32:00:00:01`, of one card and not of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Card([u8; 6]);

impl Card {
    /// The packet that wakes the machine of this card. It says nothing else.
    #[must_use]
    pub fn packet(self) -> [u8; PACKET] {
        let mut packet = [0xff; PACKET];
        let (_, body) = packet.split_at_mut(6);
        body.chunks_mut(6).for_each(|chunk| chunk.copy_from_slice(&self.0));
        packet
    }
}

impl FromStr for Card {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(text.chars().take(32).collect());
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let is_byte =
                |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
            let part = parts.next().filter(is_byte).ok_or_else(bad)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| bad())?;
        }
        let is_of_many = bytes.first().is_none_or(|first| first & 1 == 1);
        if parts.next().is_some() || is_of_many || bytes == [0; 6] {
            return Err(bad());
        }
        Ok(Self(bytes))
    }
}

impl std::fmt::Display for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        f.write_str(&parts.join(":"))
    }
}

/// A machine's own address on a network, with the network: `192.168.1.20/24`. Networks from /8 to
/// /30, which is what homes and offices have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Interface {
    address: Ipv4Addr,
    bits: u8,
}

impl Interface {
    /// An address and the bits of it that name the network; none for what is no such network, such as
    /// a machine's own loop or one that nobody gave an address in.
    #[must_use]
    pub fn new(address: Ipv4Addr, bits: u8) -> Option<Self> {
        let is_one = !address.is_loopback() && !address.is_link_local() && !address.is_multicast();
        let is_any = address.octets().first() == Some(&0) || address.is_broadcast();
        (is_one && !is_any && (8..=30).contains(&bits)).then_some(Self { address, bits })
    }

    /// The machine's own address.
    #[must_use]
    pub const fn address(self) -> Ipv4Addr {
        self.address
    }

    /// The network: `192.168.1.0/24`.
    #[must_use]
    pub fn network(self) -> String {
        format!("{}/{}", Ipv4Addr::from_bits(self.base()), self.bits)
    }

    /// Where everyone on the network hears: its last address.
    #[must_use]
    pub fn broadcast(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base() | !self.mask())
    }

    /// The last address there that a machine may have.
    #[must_use]
    pub fn last(self) -> Ipv4Addr {
        Ipv4Addr::from_bits((self.base() | !self.mask()) - 1)
    }

    /// Whether both say that they are on a network of these addresses. Many homes have the same.
    #[must_use]
    pub fn is_like(self, other: Self) -> bool {
        self.bits == other.bits && self.base() == other.base()
    }

    fn base(self) -> u32 {
        self.address.to_bits() & self.mask()
    }

    fn mask(self) -> u32 {
        // 8 to 30, as `new` has it.
        u32::MAX << (32 - u32::from(self.bits))
    }
}

impl FromStr for Interface {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let read = || {
            let (address, bits) = text.split_once('/')?;
            Self::new(address.parse().ok()?, bits.parse().ok()?)
        };
        read().ok_or_else(|| BadAddress(text.chars().take(32).collect()))
    }
}

impl std::fmt::Display for Interface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

macro_rules! as_text {
    ($kind:ty) => {
        impl TryFrom<String> for $kind {
            type Error = BadAddress;

            fn try_from(text: String) -> Result<Self, BadAddress> {
                text.parse()
            }
        }

        impl From<$kind> for String {
            fn from(value: $kind) -> Self {
                value.to_string()
            }
        }
    };
}
as_text!(Card);
as_text!(Interface);

/// Where a machine is, as it said when it last connected, and as the server saw it then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Its network cards; at most [`MAX_CARDS`].
    pub cards: Vec<Card>,
    /// Its addresses on the networks that they are plugged into; at most [`MAX_NETWORKS`].
    pub interfaces: Vec<Interface>,
    /// Where its connection came from.
    pub seen: IpAddr,
}

impl Spot {
    /// The other's address on a network that both are on, as far as that can be known. That both have
    /// addresses of one network says little: half of all homes have 192.168.1.0/24. So the server
    /// must have seen both from one public address, or within one network of IPv6, which is one
    /// household's; or each by the very address that it has on that network, so that no router that
    /// changes addresses is between: then the network is one that the server itself reaches, and there
    /// is one of it. An address that is neither (a proxy's that is not trusted, a container's
    /// gateway) says nothing.
    ///
    /// What is left is an access provider that puts several households behind one address: a packet
    /// in the wrong one wakes nothing there.
    #[must_use]
    pub fn shared_with(&self, other: &Self) -> Option<Interface> {
        let is_one_side = one_side(self.seen, other.seen);
        let of = |own: &Interface| {
            other.interfaces.iter().copied().find(|theirs| {
                let is_plain = self.is_seen_at(*own) && other.is_seen_at(*theirs);
                own.is_like(*theirs) && own.address != theirs.address && (is_one_side || is_plain)
            })
        };
        self.interfaces.iter().find_map(of)
    }

    /// Whether it can be known of anyone that they are on its network: see [`Self::shared_with`].
    #[must_use]
    pub fn is_telling(&self) -> bool {
        one_side(self.seen, self.seen) || self.interfaces.iter().any(|own| self.is_seen_at(*own))
    }

    fn is_seen_at(&self, interface: Interface) -> bool {
        self.seen.to_canonical() == IpAddr::V4(interface.address)
    }

    /// Its networks, as words.
    #[must_use]
    pub fn networks(&self) -> String {
        let all: Vec<String> = self.interfaces.iter().map(|i| i.network()).collect();
        all.join(" or ")
    }
}

/// Where a machine that someone else runs was last, and whether it is being woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// The name of its agent.
    pub name: String,
    /// Where it was.
    pub spot: Spot,
    /// When it was woken last; none since it connected.
    pub woken_at: Option<Timestamp>,
}

impl Whereabouts {
    /// Whether enough is known to wake it.
    #[must_use]
    pub fn can_be_woken(&self) -> bool {
        !self.spot.cards.is_empty() && !self.spot.interfaces.is_empty()
    }

    /// Since when it is waking, unless that was long ago.
    #[must_use]
    pub fn waking(&self, now: Timestamp) -> Option<Timestamp> {
        self.woken_at.filter(|at| (*at..at.plus(WAKES_WITHIN)).contains(&now))
    }
}

/// Whether two public addresses are of one household.
fn one_side(one: IpAddr, other: IpAddr) -> bool {
    match (one.to_canonical(), other.to_canonical()) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            let [a, b, ..] = one.octets();
            let is_inside = one.is_private()
                || one.is_loopback()
                || one.is_link_local()
                || one.is_unspecified()
                || (a == 100 && (64..128).contains(&b));
            one == other && !is_inside
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            let is_public = one.segments().first().is_some_and(|first| first >> 13 == 1);
            is_public && one.to_bits() >> 64 == other.to_bits() >> 64
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(interfaces: &[&str], seen: &str) -> Spot {
        let interfaces = interfaces.iter().map(|text| text.parse().unwrap()).collect();
        Spot { cards: vec![], interfaces, seen: seen.parse().unwrap() }
    }

    fn shared(one: (&str, &str), other: (&str, &str)) -> bool {
        let (one, other) = (spot(&[one.0], one.1), spot(&[other.0], other.1));
        let found = one.shared_with(&other);
        assert_eq!(found.is_some(), other.shared_with(&one).is_some(), "the same both ways");
        found.is_some()
    }

    #[test]
    fn a_packet_is_ones_and_sixteen_times_the_address() {
        let card: Card = "DC:a6:32:00:00:01".parse().unwrap();
        let packet = card.packet();
        assert_eq!(packet.len(), 102);
        assert_eq!(packet[..6], [0xff; 6]);
        assert_eq!(packet[6..], [0xdc, 0xa6, 0x32, 0, 0, 1].repeat(16));
        assert_eq!(card.to_string(), "dc:a6:32:00:00:01");
        assert_eq!(serde_json::to_string(&card).unwrap(), "\"dc:a6:32:00:00:01\"");
        let no =
            ["", "dc:a6:32:00:00", "dc:a6:32:00:00:01:02", "dca6:32:00:00:01", "00:00:00:00:00:00"];
        let of_many =
            ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "+1:a6:32:00:00:01", "ä:a6:32:00:00:01"];
        for bad in no.iter().chain(&of_many) {
            assert!(bad.parse::<Card>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_interface_knows_its_network() {
        let interface: Interface = "192.168.1.20/24".parse().unwrap();
        assert_eq!(interface.network(), "192.168.1.0/24");
        assert_eq!(interface.broadcast(), Ipv4Addr::new(192, 168, 1, 255));
        let wide: Interface = "10.3.77.1/16".parse().unwrap();
        assert_eq!(
            (wide.network(), wide.broadcast()),
            ("10.3.0.0/16".into(), [10, 3, 255, 255].into())
        );
        let small: Interface = "10.0.0.5/30".parse().unwrap();
        assert_eq!(
            (small.network(), small.broadcast()),
            ("10.0.0.4/30".into(), [10, 0, 0, 7].into())
        );
        for bad in [
            "10.0.0.1",
            "10.0.0.1/7",
            "10.0.0.1/31",
            "127.0.0.1/24",
            "169.254.3.4/16",
            "224.0.0.1/24",
            "0.0.0.0/24",
            "fe80::1/64",
            "10.0.0.1/-24",
            "10.0.0.1/024x",
        ] {
            assert!(bad.parse::<Interface>().is_err(), "{bad}");
        }
    }

    #[test]
    fn two_homes_with_the_same_addresses_are_not_one() {
        let pi = ("192.168.1.20/24", "203.0.113.7");
        assert!(shared(pi, ("192.168.1.30/24", "203.0.113.7")), "one public address");
        assert!(!shared(pi, ("192.168.1.30/24", "203.0.113.8")), "another home");
        assert!(!shared(pi, ("192.168.2.30/24", "203.0.113.7")), "another network of the home");
        assert!(!shared(pi, ("192.168.1.30/25", "203.0.113.7")), "not the same network");
        assert!(
            !shared(pi, ("192.168.1.20/24", "203.0.113.7")),
            "two with one address are two networks"
        );
        assert!(shared(pi, ("192.168.1.30/24", "::ffff:203.0.113.7")));
        assert!(!shared(pi, ("192.168.1.30/24", "2001:db8::1")), "by another protocol: not known");
        let six = |one, other| shared(("192.168.1.20/24", one), ("192.168.1.30/24", other));
        assert!(six("2001:db8:1:2::a", "2001:db8:1:2::b"));
        assert!(!six("2001:db8:1:2::a", "2001:db8:1:3::b"));
        assert!(!six("fe80::a", "fe80::b"), "each link has these");
        assert!(!six("fd00::a", "fd00::b"), "nobody assigns these");
    }

    #[test]
    fn an_inner_address_counts_only_as_the_machines_own() {
        let pi = ("192.168.1.20/24", "192.168.1.20");
        assert!(shared(pi, ("192.168.1.30/24", "192.168.1.30")), "the server is in the same house");
        assert!(!shared(pi, ("192.168.1.30/24", "192.168.1.5")), "by a proxy there, from anywhere");
        for seen in ["127.0.0.1", "172.17.0.1", "100.64.0.9", "169.254.0.1"] {
            assert!(!shared(("192.168.1.20/24", seen), ("192.168.1.30/24", seen)), "{seen}");
            assert!(!spot(&["192.168.1.20/24"], seen).is_telling(), "{seen}");
        }
    }

    #[test]
    fn of_several_networks_the_shared_one_is_told() {
        let one = spot(&["10.0.0.2/24", "192.168.1.20/24"], "203.0.113.7");
        let other = spot(&["172.16.0.1/16", "192.168.1.30/24"], "203.0.113.7");
        assert_eq!(one.shared_with(&other), Some("192.168.1.30/24".parse().unwrap()));
        assert!(one.is_telling() && spot(&["10.0.0.2/24"], "10.0.0.2").is_telling());
        assert_eq!(one.networks(), "10.0.0.0/24 or 192.168.1.0/24");
    }
}
