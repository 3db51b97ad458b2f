//! What is inside the tunnel: IPv6 and UDP headers, and the pings that measure paths.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Bytes of an IPv6 and a UDP header.
pub const HEADER: usize = 48;
/// The tunnel's MTU on any path. With `WireGuard`'s 32 bytes, UDP and IPv6 beneath it fills 1500.
pub const MTU: usize = 1420;
/// The largest packet in the tunnel, where the network beneath carries it: jumbo frames of 9000
/// bytes, and the loopback of a machine that is server and workspace at once.
pub const JUMBO: usize = 8920;
/// A control message has one size, whatever it says.
pub const CONTROL: usize = 28;

const UDP: u8 = 17;
const HOPS: u8 = 64;
const PING: u8 = 1;
const PONG: u8 = 2;

/// What a packet carries; both ports have this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// QUIC.
    Streams = 4433,
    /// [`Control`].
    Control = 4434,
}

/// Which life of a node, as one peer sees it, sent a packet: random, carried in the IPv6 flow label, so that a peer
/// learns of a restart with the first packet and drops the streams of the earlier life at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boot(u32);

impl Boot {
    /// From random bytes.
    #[must_use]
    pub fn new(random: [u8; 4]) -> Self {
        Self(u32::from_be_bytes(random) & 0x000f_ffff)
    }
}

/// The headers of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whom it is from; never trusted before it is compared with the peer's assigned address.
    pub source: Ipv6Addr,
    /// Whom it is for.
    pub target: Ipv6Addr,
    /// The sender's life.
    pub boot: Boot,
    /// What it carries.
    pub port: Port,
}

impl Header {
    /// The headers of a packet with `payload` bytes after them.
    #[must_use]
    pub fn encode(&self, payload: usize) -> [u8; HEADER] {
        let length =
            u16::try_from(payload + 8).expect("a packet is no longer than the tunnel's MTU");
        let port = (self.port as u16).to_be_bytes();
        let mut out = [0; HEADER];
        out[..4].copy_from_slice(&(0x6000_0000 | self.boot.0).to_be_bytes());
        out[4..6].copy_from_slice(&length.to_be_bytes());
        out[6] = UDP;
        out[7] = HOPS;
        out[8..24].copy_from_slice(&self.source.octets());
        out[24..40].copy_from_slice(&self.target.octets());
        out[40..42].copy_from_slice(&port);
        out[42..44].copy_from_slice(&port);
        out[44..46].copy_from_slice(&length.to_be_bytes());
        // The checksum stays zero (RFC 6935): the tunnel authenticates every byte.
        out
    }

    /// Reads the headers of exactly one packet.
    #[must_use]
    pub fn decode(packet: &[u8]) -> Option<Self> {
        let (header, payload) = packet.split_first_chunk::<HEADER>()?;
        let word = |at: usize| Some(u16::from_be_bytes([*header.get(at)?, *header.get(at + 1)?]));
        let first = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
        let length = word(4)?;
        let plain = first >> 28 == 6 && header[6] == UDP && word(44)? == length;
        if !plain || usize::from(length) != payload.len() + 8 || word(40)? != word(42)? {
            return None;
        }
        let port = match word(42)? {
            4433 => Port::Streams,
            4434 => Port::Control,
            _ => return None,
        };
        let address = |at: usize| {
            let octets: [u8; 16] = header.get(at..at + 16)?.try_into().ok()?;
            Some(Ipv6Addr::from(octets))
        };
        let boot = Boot(first & 0x000f_ffff);
        Some(Self { source: address(8)?, target: address(24)?, boot, port })
    }
}

/// A message about a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Answer on the path that this came by.
    Ping {
        /// Returned in the answer.
        token: u64,
    },
    /// The answer.
    Pong {
        /// The ping's.
        token: u64,
        /// Where the ping seemed to come from; `None` by the relay.
        seen_as: Option<SocketAddr>,
    },
}

impl Control {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; CONTROL] {
        let mut out = [0; CONTROL];
        match self {
            Self::Ping { token } => {
                out[0] = PING;
                out[1..9].copy_from_slice(&token.to_be_bytes());
            }
            Self::Pong { token, seen_as } => {
                out[0] = PONG;
                out[1..9].copy_from_slice(&token.to_be_bytes());
                if let Some(address) = seen_as {
                    out[9] = 1;
                    let ip = match address.ip() {
                        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                        IpAddr::V6(ip) => ip,
                    };
                    out[10..26].copy_from_slice(&ip.octets());
                    out[26..28].copy_from_slice(&address.port().to_be_bytes());
                }
            }
        }
        out
    }

    /// Reads one message.
    #[must_use]
    pub fn decode(payload: &[u8]) -> Option<Self> {
        let payload: &[u8; CONTROL] = payload.try_into().ok()?;
        let token = u64::from_be_bytes(payload[1..9].try_into().ok()?);
        match payload[0] {
            PING => Some(Self::Ping { token }),
            PONG => {
                let octets: [u8; 16] = payload[10..26].try_into().ok()?;
                let port = u16::from_be_bytes([payload[26], payload[27]]);
                let ip = Ipv6Addr::from(octets).to_canonical();
                let seen_as = (payload[9] == 1).then(|| SocketAddr::new(ip, port));
                Some(Self::Pong { token, seen_as })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn headers_round_trip(a: [u8; 16], b: [u8; 16], boot: [u8; 4], streams: bool, payload in 0usize..=JUMBO - HEADER) {
            let port = if streams { Port::Streams } else { Port::Control };
            let header = Header { source: a.into(), target: b.into(), boot: Boot::new(boot), port };
            let mut packet = header.encode(payload).to_vec();
            packet.resize(HEADER + payload, 7);
            prop_assert_eq!(Header::decode(&packet), Some(header));
            packet.push(0);
            prop_assert_eq!(Header::decode(&packet), None);
        }

        #[test]
        fn control_messages_round_trip(token: u64, ip: [u8; 4], port: u16, seen: bool) {
            let seen_as = seen.then(|| SocketAddr::from((ip, port)));
            for message in [Control::Ping { token }, Control::Pong { token, seen_as }] {
                prop_assert_eq!(Control::decode(&message.encode()), Some(message));
            }
        }

        #[test]
        fn any_bytes_decode_without_a_panic(data in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = (Header::decode(&data), Control::decode(&data));
        }
    }
}
