//! Addresses on the overlay: assigned by the server out of the deployment's own prefix (RFC 4193).

use std::net::Ipv6Addr;

use sha2::{Digest as _, Sha256};

use crate::clock::Entropy;
use crate::model::id::AgentId;
use crate::model::peer::PeerKey;

/// The deployment's /48.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix(pub [u8; 6]);

/// The subnet of the server, of agents, and of clients: the fourth group of an address.
const SERVER: u16 = 0;
const AGENTS: u16 = 1;
const CLIENTS: u16 = 2;

impl Prefix {
    /// A random prefix, as RFC 4193 asks.
    #[must_use]
    pub fn random(entropy: &Entropy) -> Self {
        let [a, b, c, d, e] = entropy.bytes();
        Self([0xfd, a, b, c, d, e])
    }

    /// Reads a stored prefix.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The server's address.
    #[must_use]
    pub fn server(self) -> Ipv6Addr {
        self.address(SERVER, [0, 0, 0, 0, 0, 0, 0, 1])
    }

    /// An agent's address: the same whenever it connects.
    #[must_use]
    pub fn agent(self, agent: AgentId) -> Ipv6Addr {
        // The last eight bytes of a version 7 UUID are its random part.
        let [.., a, b, c, d, e, f, g, h] = *agent.0.as_bytes();
        self.address(AGENTS, [a, b, c, d, e, f, g, h])
    }

    /// A client's address: the same when it connects again, so that its streams go on.
    #[must_use]
    pub fn client(self, key: &PeerKey) -> Ipv6Addr {
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(Sha256::digest(key.0));
        self.address(CLIENTS, [a, b, c, d, e, f, g, h])
    }

    fn address(self, subnet: u16, host: [u8; 8]) -> Ipv6Addr {
        let mut all = [0; 16];
        let parts = self.0.into_iter().chain(subnet.to_be_bytes()).chain(host);
        all.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        all.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_ours_and_agents_keep_theirs() {
        let prefix = Prefix::random(&Entropy::seeded(3));
        let agent = AgentId(uuid::Uuid::from_u128(7));
        assert_eq!(prefix.agent(agent), prefix.agent(agent));
        assert_ne!(prefix.agent(agent), prefix.server());
        let client = prefix.client(&PeerKey([1; 32]));
        assert_eq!(client, prefix.client(&PeerKey([1; 32])));
        assert_ne!(client, prefix.client(&PeerKey([2; 32])));
        for address in [prefix.server(), prefix.agent(agent), client] {
            assert!(address.is_unique_local());
            assert_eq!(address.octets()[..6], prefix.0);
        }
    }
}
