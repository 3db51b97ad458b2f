//! What an agent and its peers say: frames, opening messages, the control channel.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use serde::Serialize;
use serde::de::DeserializeOwned;
use steading::ssh::opening;
use steading::wire::agent::{FromAgent, ToAgent};
use steading::wire::frame::{Frame, MAX_FRAME_BYTES};
use steading::wire::peer::{FromClient, ToClient};
use steading::wire::session::{Open, OpenBack, Opened};

/// Frames are the same however the stream is cut, and are read back as they are written.
pub fn frames(data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let whole = read_frames(stream, stream.len());
    assert_eq!(read_frames(stream, usize::from(*cut) + 1), whole, "a cut changes what is read");
    for frame in &whole.0 {
        let mut out = BytesMut::new();
        frame.encode(&mut out);
        assert!(out.len() <= MAX_FRAME_BYTES + 5);
        assert_eq!(Frame::decode(&mut out).as_ref(), Ok(&Some(frame.clone())));
        assert!(out.is_empty(), "a frame is longer than it says");
    }
}

/// The frames of a stream that arrives in pieces, and whether it broke.
fn read_frames(stream: &[u8], piece: usize) -> (Vec<Frame>, bool) {
    let (mut input, mut frames) = (BytesMut::new(), Vec::new());
    for piece in stream.chunks(piece.max(1)) {
        input.extend_from_slice(piece);
        loop {
            match Frame::decode(&mut input) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => return (frames, true),
            }
        }
    }
    (frames, false)
}

/// Messages say the same when they are written and read again.
pub fn messages(data: &[u8]) {
    let Some((kind, json)) = data.split_first() else { return };
    match kind % 7 {
        0 => again::<FromAgent>(json),
        1 => again::<ToAgent>(json),
        2 => again::<FromClient>(json),
        3 => again::<ToClient>(json),
        4 => again::<Opened>(json),
        5 => framed(json, |mut stream| {
            now(opening::read_open(&mut stream)).map(|o| same::<Open>(&o))
        }),
        _ => framed(json, |mut stream| {
            now(opening::read_back(&mut stream)).map(|o| same::<OpenBack>(&o))
        }),
    }
}

/// Reads JSON as this type; what was understood survives being written.
pub fn again<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(json: &[u8]) {
    if let Ok(said) = serde_json::from_slice::<T>(json) {
        same(&said);
    }
}

fn same<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(said: &T) {
    let json = serde_json::to_string(said).expect("what was read can be written");
    let read: T = serde_json::from_str(&json).expect("what was written can be read");
    // The last digit of a fraction may change on the way, and only figures of load are fractions.
    assert!(json.contains("\"cpu\":") || read == *said, "{json} is read as {read:?}");
}

/// A whole message is read; one that ends early or is too long is refused, whatever it says.
fn framed(json: &[u8], read: impl Fn(&[u8]) -> std::io::Result<()>) {
    let length = u32::try_from(json.len()).unwrap_or(u32::MAX).to_be_bytes();
    let stream = [length.as_slice(), json].concat();
    let _ = read(&stream);
    assert!(read(stream.split_last().map_or(&[], |(_, rest)| rest)).is_err());
    assert!(read(&[&[0xff; 4], json].concat()).is_err());
}

/// The result of what never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("reading from memory waits for nothing"),
    }
}
