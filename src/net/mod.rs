//! The overlay: WireGuard between peers, streams in QUIC inside it, UDP or a relay beneath.

pub mod websocket;
