//! Ports that are bound again after their server was killed, or by another program than this one.

use std::hash::{BuildHasher as _, RandomState};
use std::net::{TcpListener, UdpSocket};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Below what Linux gives to outgoing connections, any of which may have a port for a while.
const PORTS: std::ops::Range<u16> = 10_000..32_768;

/// A port of 127.0.0.1 that nobody has, never twice in a run.
pub fn free() -> u16 {
    static START: OnceLock<u64> = OnceLock::new();
    static GIVEN: AtomicU64 = AtomicU64::new(0);
    // Another run on this machine starts elsewhere.
    let start = *START.get_or_init(|| RandomState::new().hash_one(()) >> 32);
    let count = u64::from(PORTS.end - PORTS.start);
    let next = || {
        let n = (start + GIVEN.fetch_add(1, Ordering::Relaxed)) % count;
        PORTS.start + u16::try_from(n).unwrap()
    };
    let is_free = |port: &u16| {
        let at = ("127.0.0.1", *port);
        TcpListener::bind(at).is_ok() && UdpSocket::bind(at).is_ok()
    };
    (0..count).map(|_| next()).find(is_free).expect("a port is free")
}
