//! Where frames begin and end in bytes that come in any pieces, without taking the stream apart.

/// Bytes before a frame's payload: its kind, and its length.
pub const HEAD_BYTES: usize = 5;

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// A frame begins.
    Head([u8; HEAD_BYTES]),
    /// A piece of the payload of a frame of this kind.
    Payload(u8, &'a [u8]),
    /// A frame of this kind is over.
    End(u8),
}

/// One direction of a stream of frames.
#[derive(Clone, Copy, Debug, Default)]
pub struct Follower {
    head: [u8; HEAD_BYTES],
    /// Bytes of the head that came.
    n: usize,
    /// Bytes of the payload that are still to come.
    left: usize,
}

impl Follower {
    /// Whether one frame has ended and the next has not begun.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.n == 0
    }

    /// Follows what came, and says what is in it.
    pub fn feed<'a>(&mut self, mut bytes: &'a [u8], mut found: impl FnMut(Part<'a>)) {
        while let Some((first, behind)) = bytes.split_first() {
            if let Some(next) = self.head.get_mut(self.n) {
                (*next, bytes) = (*first, behind);
                self.n += 1;
                if self.n < HEAD_BYTES {
                    continue;
                }
                let [_, length @ ..] = self.head;
                self.left = u32::from_be_bytes(length) as usize;
                found(Part::Head(self.head));
            } else {
                let (piece, rest) = bytes.split_at(self.left.min(bytes.len()));
                self.left -= piece.len();
                bytes = rest;
                found(Part::Payload(self.kind(), piece));
            }
            if self.left == 0 {
                self.n = 0;
                found(Part::End(self.kind()));
            }
        }
    }

    fn kind(&self) -> u8 {
        let [kind, ..] = self.head;
        kind
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::*;
    use crate::wire::frame::Frame;

    proptest! {
        #[test]
        fn frames_are_found_however_they_are_cut(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..8),
            cut in 1usize..40,
        ) {
            let (mut all, mut follower) = (BytesMut::new(), Follower::default());
            payloads.iter().for_each(|p| Frame::Stderr(p.clone().into()).encode(&mut all));
            let (mut got, mut ended) = (vec![], 0);
            for piece in all.chunks(cut) {
                follower.feed(piece, |part| match part {
                    Part::Head(_) => got.push(vec![]),
                    Part::Payload(3, piece) => got.last_mut().unwrap().extend_from_slice(piece),
                    Part::End(3) => ended += 1,
                    other @ (Part::Payload(..) | Part::End(_)) => panic!("{other:?}"),
                });
                prop_assert_eq!(follower.is_between(), ended == got.len() && follower.n == 0);
            }
            prop_assert!(follower.is_between() && ended == payloads.len());
            prop_assert_eq!(got, payloads);
        }
    }
}
