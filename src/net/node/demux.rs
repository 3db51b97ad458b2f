//! Which peer a datagram is from.

use std::time::Instant;

use boringtun::noise::handshake::parse_handshake_anon;
use boringtun::noise::{Packet, Tunn, TunnResult};
use bytes::BytesMut;

use super::super::path::Path;
use super::super::relay;
use super::Node;
use crate::model::peer::PeerKey;

/// boringtun wants more room than a packet needs.
const ROOM: usize = 256;

impl Node {
    /// Datagrams from one source, `segment` bytes each but the last.
    pub fn input(&mut self, path: Path, data: &[u8], segment: usize, now: Instant) {
        let mut room = BytesMut::zeroed(data.len() + ROOM);
        let mut datagrams = data.chunks(segment.max(1)).peekable();
        while let Some(first) = datagrams.next() {
            let Some(index) = self.receiver(path, first) else { continue };
            let tag = first.get(..8).filter(|tag| tag.first() == Some(&4));
            self.with(index, now, |peer, ctx| {
                peer.input(ctx, path, first, &mut room);
                let follows = |next: &&[u8]| tag.is_some() && next.get(..8) == tag;
                while let Some(next) = datagrams.next_if(follows) {
                    peer.input(ctx, path, next, &mut room);
                }
            });
        }
    }

    /// A frame from the relay.
    pub fn input_frame(&mut self, frame: &[u8], now: Instant) {
        if let Some((_, segment, datagrams)) = relay::decode(frame) {
            self.input(Path::Relay, datagrams, segment, now);
        }
    }

    /// The peer that a datagram is from, as far as can be told without its keys. Who is unknown
    /// gets no answer.
    fn receiver(&mut self, path: Path, datagram: &[u8]) -> Option<u32> {
        let index = match Tunn::parse_incoming_packet(datagram).ok()? {
            Packet::HandshakeInit(_) => return self.initiator(path, datagram),
            Packet::HandshakeResponse(packet) => packet.receiver_idx,
            Packet::PacketCookieReply(packet) => packet.receiver_idx,
            Packet::PacketData(packet) => packet.receiver_idx,
        };
        let index = index >> 8;
        self.peers.contains_key(&index).then_some(index)
    }

    fn initiator(&mut self, path: Path, datagram: &[u8]) -> Option<u32> {
        let mut cookie = [0; ROOM];
        self.limiter.reset_count();
        let packet = match self.limiter.verify_packet(path.ip(), datagram, &mut cookie) {
            Ok(Packet::HandshakeInit(packet)) => packet,
            Err(TunnResult::WriteToNetwork(cookie)) => {
                self.out.push(path, &PeerKey([0; 32]), cookie);
                return None;
            }
            Ok(_) | Err(_) => return None,
        };
        let half = parse_handshake_anon(&self.me.secret, &self.me.public, &packet).ok()?;
        self.by_key.get(&PeerKey(half.peer_static_public)).copied()
    }
}
