//! What is seen of SFTP: a whole transfer in any pieces, and nothing that takes room.

use bytes::{BufMut as _, BytesMut};
use proptest::prelude::*;

use super::*;

fn packet(kind: u8, id: u32, fields: &[&[u8]]) -> Vec<u8> {
    let rest: Vec<u8> = fields.concat();
    let mut out = BytesMut::new();
    out.put_u32(u32::try_from(5 + rest.len()).unwrap());
    out.put_u8(kind);
    out.put_u32(id);
    out.put_slice(&rest);
    out.to_vec()
}

fn text(text: &[u8]) -> Vec<u8> {
    [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text].concat()
}

const fn number(n: u32) -> [u8; 4] {
    n.to_be_bytes()
}

/// What is said turn by turn: who says it, and what.
fn conversation() -> Vec<(bool, Vec<u8>)> {
    let (zero, data) = ([0; 8], vec![7; 40_000]);
    let handle = text(&[0, 0, 0, 3]);
    vec![
        (true, packet(1, 3, &[])),
        (false, packet(2, 3, &[&text(b"limits@openssh.com"), &text(b"1")])),
        (true, packet(17, 1, &[&text(b"/srv")])),
        (false, packet(105, 1, &[&number(0)])),
        (true, packet(3, 2, &[&text(b"/srv/new"), &number(0x1a), &number(0)])),
        (false, packet(102, 2, &[&handle])),
        (true, packet(6, 3, &[&handle, &zero, &text(&data)])),
        (true, packet(6, 4, &[&handle, &zero, &text(b"end")])),
        (false, packet(101, 3, &[&number(0), &text(b""), &text(b"")])),
        (false, packet(101, 4, &[&number(0), &text(b""), &text(b"")])),
        (true, packet(4, 5, &[&handle])),
        (false, packet(101, 5, &[&number(0)])),
        (true, packet(3, 6, &[&text(b"/srv/old"), &number(1), &number(0)])),
        (false, packet(102, 6, &[&handle])),
        (true, packet(5, 7, &[&handle, &zero, &number(100_000)])),
        (true, packet(5, 8, &[&handle, &zero, &number(100_000)])),
        (false, packet(103, 7, &[&text(&data)])),
        (false, packet(101, 8, &[&number(1)])),
        (true, packet(18, 9, &[&text(b"a"), &text(b"b")])),
        (false, packet(101, 9, &[&number(0)])),
        (true, packet(200, 10, &[&text(b"posix-rename@openssh.com"), &text(b"b"), &text(b"c")])),
        (false, packet(101, 10, &[&number(0)])),
        (true, packet(13, 11, &[&text(b"c")])),
        (false, packet(101, 11, &[&number(0)])),
        (true, packet(13, 12, &[&text(b"not there")])),
        (false, packet(101, 12, &[&number(2)])),
    ]
}

fn seen(pieces: usize) -> Vec<Deed> {
    let (mut watch, mut deeds) = (Watch::default(), vec![]);
    for (is_client, bytes) in conversation() {
        for piece in bytes.chunks(pieces) {
            if is_client {
                watch.asks(piece, |deed| deeds.push(deed));
            } else {
                watch.answers(piece, |deed| deeds.push(deed));
            }
        }
    }
    deeds
}

fn expected() -> Vec<Deed> {
    let path = |path: &[u8]| path.to_vec();
    vec![
        Deed::Opened { file: 0, path: path(b"/srv/new"), writes: true },
        Deed::Wrote { file: 0, bytes: 40_000 },
        Deed::Wrote { file: 0, bytes: 3 },
        Deed::Closed { file: 0 },
        Deed::Opened { file: 1, path: path(b"/srv/old"), writes: false },
        Deed::Read { file: 1, bytes: 40_000 },
        Deed::Renamed { from: path(b"a"), to: path(b"b") },
        Deed::Renamed { from: path(b"b"), to: path(b"c") },
        Deed::Removed { path: path(b"c") },
    ]
}

proptest! {
    #[test]
    fn what_is_done_is_seen_in_any_pieces(pieces in 1usize..70_000) {
        prop_assert_eq!(seen(pieces), expected());
    }

    #[test]
    fn hostile_bytes_take_no_room(
        all in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..400)), 0..20),
    ) {
        let mut watch = Watch::default();
        for (is_client, bytes) in all {
            if is_client { watch.asks(&bytes, |_| {}) } else { watch.answers(&bytes, |_| {}) }
            prop_assert!(watch.asked.held.len() <= MAX_NAMED);
            prop_assert!(watch.answered.held.len() <= MAX_HANDLED);
        }
    }

    #[test]
    fn hostile_packets_take_no_room(
        all in proptest::collection::vec(
            (any::<bool>(), prop_oneof![3u8..=20, 101u8..=105, Just(200u8)], 0u32..50,
             proptest::collection::vec(any::<u8>(), 0..60)),
            0..300,
        ),
    ) {
        let mut watch = Watch::default();
        for (is_client, kind, id, rest) in all {
            let bytes = packet(kind, id, &[&rest]);
            if is_client { watch.asks(&bytes, |_| {}) } else { watch.answers(&bytes, |_| {}) }
        }
        prop_assert!(watch.waiting.len() <= MAX_WAITING && watch.open.len() <= MAX_OPEN);
        let names = watch.waiting.iter().filter(|(_, question)| question.has_names()).count();
        prop_assert!(names <= MAX_NAMES && (watch.asked.is_blind || names == watch.names));
    }

    #[test]
    fn a_file_that_was_opened_is_named_or_unseen_whatever_numbers_a_client_uses(
        asks in proptest::collection::vec((any::<bool>(), 0u32..3), 1..40),
    ) {
        let (mut watch, mut deeds, mut opened) = (Watch::default(), vec![], 0);
        for (is_open, id) in &asks {
            let bytes = match is_open {
                true => packet(3, *id, &[&text(b"/secret"), &number(1), &number(0)]),
                false => packet(17, *id, &[&text(b"/tmp")]),
            };
            watch.asks(&bytes, |deed| deeds.push(deed));
        }
        for (n, (is_open, id)) in (0u32..).zip(&asks) {
            let bytes = match is_open {
                true => packet(102, *id, &[&text(&number(n))]),
                false => packet(105, *id, &[&number(0)]),
            };
            opened += usize::from(*is_open);
            watch.answers(&bytes, |deed| deeds.push(deed));
        }
        let named = |deed: &&Deed| matches!(deed, Deed::Opened { path, .. } if path == b"/secret");
        prop_assert_eq!(deeds.iter().filter(named).count(), opened);
    }
}

#[test]
fn an_answer_out_of_turn_and_a_handle_that_nobody_gave_are_told() {
    let told = |ask: Vec<u8>, answer: Vec<u8>| {
        let (mut watch, mut deeds) = (Watch::default(), vec![]);
        watch.asks(&ask, |deed| deeds.push(deed));
        watch.answers(&answer, |deed| deeds.push(deed));
        deeds
    };
    let open = packet(3, 5, &[&text(b"/secret"), &number(1), &number(0)]);
    assert_eq!(told(open, packet(102, 6, &[&text(b"h")])), [Deed::Unseen]);
    let read = packet(5, 5, &[&text(b"h"), &[0; 8], &number(9)]);
    assert_eq!(told(read, packet(103, 5, &[&text(b"something")])), [Deed::Unseen]);
    let link = packet(200, 5, &[&text(b"hardlink@openssh.com"), &text(b"a"), &text(b"b")]);
    assert_eq!(told(link, packet(101, 5, &[&number(0)])), [Deed::Unseen]);
}

#[test]
fn what_is_in_one_piece_is_seen_too() {
    assert_eq!(seen(usize::MAX), expected());
}

#[test]
fn more_than_is_kept_in_mind_is_told_and_takes_no_room() {
    let (mut watch, mut unseen) = (Watch::default(), 0);
    for id in 0..10_000u32 {
        let open = packet(3, id, &[&text(&[b'x'; 4096]), &number(1), &number(0)]);
        watch.asks(&open, |deed| unseen += usize::from(deed == Deed::Unseen));
        assert!(watch.waiting.len() <= MAX_WAITING && watch.names <= MAX_NAMES);
    }
    assert!(watch.asked.is_blind && watch.answered.is_blind && unseen == 1);
    let (mut watch, mut opened, mut unseen) = (Watch::default(), 0, 0);
    for id in 0..1000u32 {
        watch.asks(&packet(3, id, &[&text(b"x"), &number(1), &number(0)]), |_| {});
        watch.answers(&packet(102, id, &[&text(&number(id))]), |deed| {
            opened += usize::from(matches!(deed, Deed::Opened { .. }));
            unseen += usize::from(deed == Deed::Unseen);
        });
    }
    assert_eq!((opened, unseen), (MAX_OPEN, 1000 - MAX_OPEN));
}

#[test]
fn what_is_no_sftp_is_not_looked_at() {
    let mut watch = Watch::default();
    let mut deeds = vec![];
    watch.asks(b"\xff\xff\xff\xff lots of it", |deed| deeds.push(deed));
    assert_eq!(deeds, [Deed::Unseen]);
    watch.asks(&packet(13, 1, &[&text(b"a")]), |deed| panic!("{deed:?}"));
    assert!(watch.asked.is_blind && watch.waiting.is_empty());
}
