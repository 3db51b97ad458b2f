//! How QUIC is set up inside the tunnel: the settings of every connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn_proto::{
    AckFrequencyConfig, ClientConfig, Connection, Endpoint, EndpointConfig, MtuDiscoveryConfig,
    ServerConfig, TransportConfig, VarInt,
};

use super::cc::BbrFactory;
use super::null::{NoTokens, NullCrypto, ResetKey};
use super::packet::{HEADER, JUMBO, MTU};
use crate::clock::Entropy;

/// What one stream may have in flight: 100 Mbit/s at 300 ms, 1 Gbit/s at 30 ms. Twice as much
/// brings nothing on paths that people have, and all of it may lie in memory for a slow reader.
const STREAM_WINDOW: u32 = 4 << 20;
/// What all streams of one connection may have in flight, and so the most memory that a peer can
/// fill on the receiving side.
const CONNECTION_WINDOW: u32 = 4 * STREAM_WINDOW;
/// Bytes written and not yet acknowledged, for one connection.
const SEND_WINDOW: u64 = 2 * STREAM_WINDOW as u64;
/// Streams that a peer may have open to us; a browser behind a port opens dozens.
const MAX_STREAMS: u32 = 1024;
/// Silence after which a connection and its streams fail.
pub const DEAD_AFTER: Duration = Duration::from_secs(15);
/// ACKs come for each this many packets: fewer of them are a quarter of the work less.
const ACK_THRESHOLD: u32 = 10;

/// The QUIC payload of a packet on any path.
pub const PAYLOAD: usize = MTU - HEADER;
/// The same where the network carries more: a packet costs about the same whatever its size.
const JUMBO_PAYLOAD: usize = JUMBO - HEADER;
/// The search for a path's own size ends at this precision: seven sizes, each tried three times.
const MTU_STEP: u16 = 100;

/// The settings that all connections with a peer share.
pub struct Quic {
    client: ClientConfig,
    server: Arc<ServerConfig>,
    controllers: Arc<BbrFactory>,
    entropy: Entropy,
}

impl Quic {
    /// The settings for a peer.
    #[must_use]
    pub fn new(entropy: &Entropy) -> Self {
        let controllers = Arc::new(BbrFactory::new(u64::from_be_bytes(entropy.bytes())));
        let transport = Arc::new(transport(&controllers));
        let mut client = ClientConfig::new(Arc::new(NullCrypto));
        client.transport_config(Arc::clone(&transport));
        let mut server = ServerConfig::new(Arc::new(NullCrypto), Arc::new(NoTokens));
        server.transport_config(transport).migration(false);
        server.validation_token.sent(0);
        Self { client, server: Arc::new(server), controllers, entropy: entropy.clone() }
    }

    /// What connects to a peer.
    #[must_use]
    pub fn client(&self) -> ClientConfig {
        self.client.clone()
    }

    /// The network beneath a connection has changed: what its congestion control learnt is of no
    /// use.
    pub fn path_changed(&self, connection: &mut Connection, now: Instant) {
        let window = connection.stats().path.cwnd;
        self.controllers.replacing(window, || connection.path_changed(now));
        connection.ping();
    }

    /// An endpoint for one peer, with reset tokens of its own.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        let mut config = EndpointConfig::new(Arc::new(ResetKey::new(self.entropy.bytes())));
        config.rng_seed(Some(self.entropy.bytes())).grease_quic_bit(false);
        config.max_udp_payload_size(size(JUMBO_PAYLOAD)).expect("QUIC allows 1200 and more");
        Endpoint::new(Arc::new(config), Some(Arc::clone(&self.server)), true, None)
    }
}

fn size(payload: usize) -> u16 {
    u16::try_from(payload).expect("the tunnel's packets fit in 16 bits")
}

fn transport(controllers: &Arc<BbrFactory>) -> TransportConfig {
    let mut acks = AckFrequencyConfig::default();
    acks.ack_eliciting_threshold(VarInt::from_u32(ACK_THRESHOLD));
    // Starts with what fits nearly everywhere and looks for more; only a network that loses all
    // big packets brings it down, to 1200.
    let mut search = MtuDiscoveryConfig::default();
    search.upper_bound(size(JUMBO_PAYLOAD)).minimum_change(MTU_STEP);
    let idle = u32::try_from(DEAD_AFTER.as_millis()).expect("the constant is seconds");
    let mut transport = TransportConfig::default();
    transport
        .initial_mtu(size(PAYLOAD))
        .mtu_discovery_config(Some(search))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(CONNECTION_WINDOW))
        .send_window(SEND_WINDOW)
        .max_concurrent_bidi_streams(VarInt::from_u32(MAX_STREAMS))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(Some(VarInt::from_u32(idle).into()))
        .congestion_controller_factory(Arc::clone(controllers) as Arc<_>)
        .ack_frequency_config(Some(acks));
    transport
}
