//! What the operator asked for, with its meaning: parsed, resolved, ready to use.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Everything the server is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the database lives; the rest in it is a cache. Made with mode 0700.
    pub data: PathBuf,
    /// Where pages and the API are served.
    pub http: SocketAddr,
    /// Where the SSH front door is.
    pub ssh: SocketAddr,
    /// Where the overlay's UDP socket is.
    pub wireguard: SocketAddr,
    /// Where the server is reached from outside; from the HTTP address when absent.
    pub access_url: Option<String>,
    /// Certificate and key files, when TLS is served here.
    pub tls: Option<Tls>,
    /// Proxies whose forwarded headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// Terraform and what it is given.
    pub terraform: Terraform,
    /// How many builds run at once.
    pub runners: usize,
    /// How long a session lasts without use.
    pub session_duration: Duration,
    /// The longest life of an API token.
    pub max_token_lifetime: Duration,
    /// Whether people may sign in by password.
    pub password_auth: bool,
    /// A file with the master key, 32 bytes in hex or base64; in the database when absent.
    pub master_key_file: Option<PathBuf>,
}

/// TLS by certificate files.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The chain, PEM.
    pub cert: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
}

/// Terraform and what it is given.
#[derive(Clone, Debug)]
pub struct Terraform {
    /// The binary; looked up on `path` when absent.
    pub binary: Option<PathBuf>,
    /// The operator's own CLI configuration, merged with ours.
    pub config: Option<PathBuf>,
    /// A filesystem mirror of providers.
    pub mirror: Option<PathBuf>,
    /// How long a job may take.
    pub time_limit: Duration,
    /// `PATH` and what else of the server's environment programs of a job may see: proxies and
    /// certificate files.
    pub environment: std::collections::BTreeMap<String, String>,
}

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
        if bits > width { Err(bad()) } else { Ok(Self { address, bits }) }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl Config {
    /// Where the server is reached, without a slash at the end.
    #[must_use]
    pub fn reached_at(&self, bound: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        match &self.access_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("{scheme}://{}", reachable(bound)),
        }
    }
}

/// An address that can be dialled from this machine: a wildcard becomes loopback.
#[must_use]
pub fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, bound.port())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        check("fd00::/8", "fd12::1", true);
        check("fd00::/8", "fe80::1", false);
        assert!("10.0.0.0/33".parse::<Network>().is_err());
        assert!("ten".parse::<Network>().is_err());
    }
}
