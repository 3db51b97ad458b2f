//! The networks that this machine is plugged into: what its kernel says of them, and the packet that
//! wakes another machine there. Linux and macOS are asked; elsewhere nothing is known.

#[cfg(any(test, target_os = "macos"))]
mod ifconfig;
#[cfg(any(test, not(target_os = "macos")))]
mod kernel;

use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, UdpSocket};

#[cfg(target_os = "macos")]
use ifconfig as system;
#[cfg(not(target_os = "macos"))]
use kernel as system;

use crate::model::waking::{Card, Interface, MAX_CARDS, MAX_NETWORKS, PORT};

/// Where this machine is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lan {
    /// The addresses of its network cards.
    pub cards: Vec<Card>,
    /// Its addresses on the networks that they are plugged into. What leads to no card, such as a
    /// tunnel or the bridge of its containers, is left out: no other machine hears there.
    pub interfaces: Vec<Interface>,
}

/// Where this machine is now.
#[must_use]
pub fn read() -> Lan {
    system::read()
}

impl Lan {
    /// What was found, each once, and no more than is kept.
    fn of(cards: BTreeSet<Card>, interfaces: BTreeSet<Interface>) -> Self {
        Self {
            cards: cards.into_iter().take(MAX_CARDS).collect(),
            interfaces: interfaces.into_iter().take(MAX_NETWORKS).collect(),
        }
    }
}

/// Sends what wakes the machine of each of these cards to everyone on a network of this machine.
///
/// # Errors
/// When the network takes nothing.
pub fn wake(cards: &[Card], on: Interface) -> io::Result<()> {
    let socket = UdpSocket::bind((on.address(), 0))?;
    socket.set_broadcast(true)?;
    let to = SocketAddr::from((on.broadcast(), PORT));
    cards.iter().take(MAX_CARDS).try_for_each(|card| socket.send_to(&card.packet(), to).map(drop))
}
