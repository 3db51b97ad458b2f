//! A null cipher for QUIC inside the tunnel: `WireGuard` has already encrypted and authenticated
//! every packet.

use std::any::Any;
use std::sync::Arc;

use bytes::BytesMut;
use quinn_proto::crypto::{
    self, AeadKey, CryptoError, ExportKeyingMaterialError, HeaderKey, HmacKey, KeyPair, Keys,
    PacketKey, UnsupportedVersion,
};
use quinn_proto::transport_parameters::TransportParameters;
use quinn_proto::{ConnectError, ConnectionId, Side, TransportError, TransportErrorCode};

/// The last byte of every packet. A stateless reset is recognised by its last 16 bytes, which
/// frames carry in the clear; no token ends in this byte, so no packet can be taken for a reset.
const TAG: u8 = 0;

struct NullKey;

impl HeaderKey for NullKey {
    fn decrypt(&self, _: usize, _: &mut [u8]) {}
    fn encrypt(&self, _: usize, _: &mut [u8]) {}
    fn sample_size(&self) -> usize {
        0
    }
}

impl PacketKey for NullKey {
    fn encrypt(&self, _: u64, packet: &mut [u8], _: usize) {
        if let Some(last) = packet.last_mut() {
            *last = TAG;
        }
    }
    fn decrypt(&self, _: u64, _: &[u8], payload: &mut BytesMut) -> Result<(), CryptoError> {
        match payload.last() {
            Some(&TAG) => {
                payload.truncate(payload.len() - 1);
                Ok(())
            }
            _ => Err(CryptoError),
        }
    }
    fn tag_len(&self) -> usize {
        1
    }
    fn confidentiality_limit(&self) -> u64 {
        u64::MAX
    }
    fn integrity_limit(&self) -> u64 {
        u64::MAX
    }
}

fn packet_keys() -> KeyPair<Box<dyn PacketKey>> {
    KeyPair { local: Box::new(NullKey), remote: Box::new(NullKey) }
}

fn keys() -> Keys {
    let header = KeyPair { local: Box::new(NullKey) as _, remote: Box::new(NullKey) as _ };
    Keys { header, packet: packet_keys() }
}

/// A handshake that only exchanges transport parameters.
struct Session {
    side: Side,
    ours: TransportParameters,
    theirs: Option<TransportParameters>,
    written: bool,
    epoch: u8,
}

impl Session {
    fn start(side: Side, ours: TransportParameters) -> Box<dyn crypto::Session> {
        Box::new(Self { side, ours, theirs: None, written: false, epoch: 0 })
    }

    fn write_ours(&mut self, out: &mut Vec<u8>) {
        if !self.written {
            self.ours.write(out);
            self.written = true;
        }
    }
}

impl crypto::Session for Session {
    fn initial_keys(&self, _: &ConnectionId, _: Side) -> Keys {
        keys()
    }
    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        self.theirs.map(|theirs| Box::new(theirs) as _)
    }
    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        None
    }
    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        None
    }
    fn early_data_accepted(&self) -> Option<bool> {
        Some(false)
    }
    fn is_handshaking(&self) -> bool {
        self.theirs.is_none() || (!self.written && self.epoch < 2)
    }
    fn read_handshake(&mut self, mut data: &[u8]) -> Result<bool, TransportError> {
        if self.theirs.is_none() {
            let read = TransportParameters::read(self.side, &mut data);
            self.theirs = Some(read.map_err(|_| TransportError {
                code: TransportErrorCode::PROTOCOL_VIOLATION,
                frame: None,
                reason: "malformed transport parameters".into(),
            })?);
        }
        Ok(true)
    }
    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        Ok(self.theirs)
    }
    fn write_handshake(&mut self, out: &mut Vec<u8>) -> Option<Keys> {
        if self.side.is_client() {
            self.write_ours(out);
        }
        self.epoch = self.epoch.saturating_add(1);
        match self.epoch {
            1 => Some(keys()),
            2 => {
                self.write_ours(out);
                Some(keys())
            }
            _ => None,
        }
    }
    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        Some(packet_keys())
    }
    fn is_valid_retry(&self, _: &ConnectionId, _: &[u8], _: &[u8]) -> bool {
        false
    }
    fn export_keying_material(
        &self,
        _: &mut [u8],
        _: &[u8],
        _: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        Err(ExportKeyingMaterialError)
    }
}

/// The crypto of both sides of a connection.
pub struct NullCrypto;

impl crypto::ClientConfig for NullCrypto {
    fn start_session(
        self: Arc<Self>,
        _: u32,
        _: &str,
        ours: &TransportParameters,
    ) -> Result<Box<dyn crypto::Session>, ConnectError> {
        Ok(Session::start(Side::Client, *ours))
    }
}

impl crypto::ServerConfig for NullCrypto {
    fn initial_keys(&self, _: u32, _: &ConnectionId) -> Result<Keys, UnsupportedVersion> {
        Ok(keys())
    }
    fn retry_tag(&self, _: u32, _: &ConnectionId, _: &[u8]) -> [u8; 16] {
        [0; 16]
    }
    fn start_session(
        self: Arc<Self>,
        _: u32,
        ours: &TransportParameters,
    ) -> Box<dyn crypto::Session> {
        Session::start(Side::Server, *ours)
    }
}

/// Retry and address tokens are not used: peers are known before their first QUIC packet.
pub struct NoTokens;

impl crypto::HandshakeTokenKey for NoTokens {
    fn aead_from_hkdf(&self, _: &[u8]) -> Box<dyn AeadKey> {
        Box::new(Self)
    }
}

impl AeadKey for NoTokens {
    fn seal(&self, _: &mut Vec<u8>, _: &[u8]) -> Result<(), CryptoError> {
        Ok(())
    }
    fn open<'a>(&self, _: &'a mut [u8], _: &[u8]) -> Result<&'a mut [u8], CryptoError> {
        Err(CryptoError)
    }
}

/// Makes the reset token of each connection id: different for each, never ending in [`TAG`].
pub struct ResetKey(ring::hmac::Key);

/// The size of a token; the rest of a signature is not used.
const RESET_TOKEN: usize = 16;

impl ResetKey {
    /// From random bytes.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &random))
    }
}

impl HmacKey for ResetKey {
    fn sign(&self, data: &[u8], out: &mut [u8]) {
        for (out, byte) in out.iter_mut().zip(ring::hmac::sign(&self.0, data).as_ref()) {
            *out = *byte;
        }
        if let Some(last @ &mut TAG) = out.get_mut(RESET_TOKEN - 1) {
            *last = !TAG;
        }
    }
    fn signature_len(&self) -> usize {
        32
    }
    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let mut ours = [0; 32];
        self.sign(data, &mut ours);
        if ours == signature { Ok(()) } else { Err(CryptoError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_packet_ends_like_a_reset_token() {
        let key = ResetKey::new([3; 32]);
        for id in 0..2000u32 {
            let mut token = [0; 32];
            key.sign(&id.to_be_bytes(), &mut token);
            assert_ne!(token[RESET_TOKEN - 1], TAG);
        }
        let mut packet = [9; 20];
        PacketKey::encrypt(&NullKey, 0, &mut packet, 0);
        assert_eq!(packet[19], TAG);
    }

    #[test]
    fn a_packet_without_the_tag_is_refused() {
        let mut packet = BytesMut::from(&[1, 2, 3][..]);
        assert!(PacketKey::decrypt(&NullKey, 0, &[], &mut packet).is_err());
        let mut packet = BytesMut::from(&[1, 2, TAG][..]);
        PacketKey::decrypt(&NullKey, 0, &[], &mut packet).unwrap();
        assert_eq!(&packet[..], [1, 2]);
    }
}
