//! What strangers and peers send into the overlay.

use bytes::Bytes as Shared;
use steading::model::peer::PeerKey;
use steading::net::packet::{Control, Header};
use steading::net::relay::{self, MAX_QUEUED_BYTES, MAX_QUEUED_FRAMES, RelayQueues, Verdict};

use super::Bytes;

const SENDER: PeerKey = PeerKey([1; 32]);

/// Frames and packets are read as they are written; queues stay small, and every receiver is told
/// the true sender.
pub fn relay(data: &[u8]) {
    let mut input = Bytes(data);
    let mut queues = RelayQueues::new();
    let mut waiting = 0;
    while !input.0.is_empty() {
        let frame = input.piece();
        packet(frame);
        if let Some((key, segment, datagrams)) = relay::decode(frame) {
            let short = u16::try_from(segment).expect("a segment's size has two bytes");
            assert_eq!(relay::encode(&key, short, datagrams), frame);
            queues.connect(key);
        }
        if let Verdict::Queued(to) = queues.push(&SENDER, Shared::copy_from_slice(frame), allowed) {
            waiting += 1;
            let received = queues.pop(&to).expect("what was queued waits");
            assert_eq!(relay::decode(&received).map(|(from, _, _)| from), Some(SENDER));
            queues.push(&SENDER, Shared::copy_from_slice(frame), allowed);
            bounded(&mut queues, &to, frame);
        }
    }
    assert!(waiting <= data.len());
}

fn allowed(_: &PeerKey, to: &PeerKey) -> bool {
    to.0[0] != 0
}

/// Fills a peer's queue: it never holds more than it may.
fn bounded(queues: &mut RelayQueues, to: &PeerKey, frame: &[u8]) {
    for _ in 0..=MAX_QUEUED_FRAMES {
        queues.push(&SENDER, Shared::copy_from_slice(frame), allowed);
    }
    let held: Vec<Shared> = std::iter::from_fn(|| queues.pop(to)).collect();
    assert!(held.len() <= MAX_QUEUED_FRAMES);
    assert!(held.iter().map(Shared::len).sum::<usize>() <= MAX_QUEUED_BYTES);
}

/// What is inside the tunnel.
fn packet(bytes: &[u8]) {
    if let Some(header) = Header::decode(bytes) {
        let payload = bytes.len() - steading::net::packet::HEADER;
        assert_eq!(
            Header::decode(&[&header.encode(payload), &bytes[bytes.len() - payload..]].concat()),
            Some(header)
        );
    }
    if let Some(control) = Control::decode(bytes) {
        assert_eq!(Control::decode(&control.encode()), Some(control));
    }
}
