//! The client's address: the connection's, or what a trusted proxy says of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;
use http::{Extensions, HeaderMap};

use super::Problem;
use crate::model::network::Network;

/// The other end of a request's connection: the client, or a proxy.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddress(pub SocketAddr);

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self(IpAddr::from([0, 0, 0, 0]))))
    }
}

/// Finds the rightmost address that is no trusted proxy's. What stands left of it was written by
/// the client and may be anything.
pub fn find(extensions: &Extensions, headers: &HeaderMap, trusted: &[Network]) -> ClientAddress {
    let peer = extensions
        .get::<ConnectInfo<PeerAddress>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.0.ip().to_canonical());
    let is_trusted = |ip: IpAddr| trusted.iter().any(|network| network.contains(ip));
    if !is_trusted(peer) {
        return ClientAddress(peer);
    }
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut found = peer;
    for hop in hops.iter().rev() {
        // What cannot be read was not written by a proxy of ours.
        let Some(ip) = parse_hop(hop.trim()) else { break };
        found = ip;
        if !is_trusted(ip) {
            break;
        }
    }
    ClientAddress(found)
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let ip = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|a| a.ip()))
        .or_else(|_| text.trim_matches(['[', ']']).parse())
        .ok()?;
    Some(ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, forwarded: &[&str]) -> String {
        let mut extensions = Extensions::new();
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        extensions.insert(ConnectInfo(PeerAddress(peer)));
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        find(&extensions, &headers, &trusted).0.to_string()
    }

    #[test]
    fn forwarded_headers_count_only_from_trusted_proxies() {
        assert_eq!(from("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(from("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn the_rightmost_untrusted_hop_is_the_client() {
        let forged = ["1.2.3.4, 198.51.100.7, 10.0.0.9"];
        assert_eq!(from("10.0.0.1", &forged), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &["1.2.3.4", "[2001:db8::1]:99, 10.0.0.9"]), "2001:db8::1");
        assert_eq!(from("10.0.0.1", &["198.51.100.7, junk, 10.0.0.9"]), "10.0.0.9");
    }
}
