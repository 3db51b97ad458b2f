//! Questions, what looks like one, and what hides one.

use proptest::prelude::*;

use super::*;

fn pass(bytes: &[u8], cut: usize) -> (Vec<u8>, Vec<Query>) {
    let (mut queries, mut kept, mut asked) = (Queries::default(), vec![], vec![]);
    for piece in bytes.chunks(cut) {
        let (left, found) = queries.pass(&Bytes::copy_from_slice(piece));
        kept.extend_from_slice(&left);
        asked.extend(found.into_iter().map(|(_, query)| query));
    }
    (kept, asked)
}

#[test]
fn questions_are_found_and_taken_out_however_they_are_cut() {
    let asked = [
        ("\x1b[c", Query::Attributes),
        ("\x1b[0c", Query::Attributes),
        ("\x1bZ", Query::Attributes),
        ("\x1b[>c", Query::Second),
        ("\x1b[>0q", Query::Version),
        ("\x1b[5n", Query::Status),
        ("\x1b[6n", Query::Cursor { is_private: false }),
        ("\x1b[0000000000000006n", Query::Cursor { is_private: false }),
        ("\x1b[?6n", Query::Cursor { is_private: true }),
        ("\u{9b}6n", Query::Cursor { is_private: false }),
        ("\x1b[?2026$p", Query::Mode { is_private: true, number: 2026 }),
        ("\x1b[4$p", Query::Mode { is_private: false, number: 4 }),
        ("\x1b[18t", Query::Size),
        ("\x1b[?996n", Query::Other),
        ("\x1b[?u", Query::Other),
        ("\x1b]11;?\x07", Query::Color(11)),
        ("\x1b]10;?\x1b\\", Query::Color(10)),
        ("\u{9d}12;?\u{9c}", Query::Color(12)),
        ("\x1b]4;1;?\x07", Query::Other),
        ("\x1bP$qm\x1b\\", Query::Setting),
        ("\x1bP+q544e\x1b\\", Query::Capability),
    ];
    for (question, query) in asked {
        let text = format!("before{question}after");
        for cut in 1..text.len() {
            let (kept, found) = pass(text.as_bytes(), cut);
            let kept = String::from_utf8(kept).unwrap();
            assert_eq!((kept.as_str(), found), ("beforeafter", vec![query]), "{question:?}");
        }
    }
    let two = pass(b"\x1b]10;?;?\x07", 3).1;
    assert_eq!(two, [Query::Color(10), Query::Color(11)]);
}

#[test]
fn all_else_passes_unchanged() {
    let ordinary = "plain \u{e9}\u{4e16}\u{a0}\r\n\x1b[?1049h\x1b[1;38;2;250;128;255mred\x1b[m\
        \x1b[>4;2m\x1b[>4n\x1b[12;40H\x1b[2J\x1b]0;what; ? now\x07\x1b(B\x1b[!p\x1b[6 q\x1b[4\n2C\
        \x1b]8;;https://x.test/?a;?\x1b\\link\x1b]8;;\x1b\\\x1b]11;#102030\x07\x1b[22;2t\
        \x1b]11;rgb:1/2/3\u{9c}\x1bP1;2qsixel\x1b\\\x1b]133;A\x07\u{85}end";
    for cut in 1..ordinary.len() {
        let (kept, asked) = pass(ordinary.as_bytes(), cut);
        let kept = String::from_utf8(kept).unwrap();
        assert_eq!(
            kept.replace("\x1b[4\n2C", "").replace("\n\x1b[42C", ""),
            ordinary.replace("\x1b[4\n2C", "")
        );
        assert_eq!(asked, []);
    }
    let plain = Bytes::from_static(b"nothing special");
    assert_eq!(Queries::default().pass(&plain).0.as_ptr(), plain.as_ptr(), "without a copy");
}

#[test]
fn no_question_hides_behind_its_length_or_in_another() {
    let zeros = "0".repeat(100_000);
    let hidden = [
        format!("\x1b[{zeros}6n"),
        format!("\x1b]{zeros}11;?\x07"),
        format!("\x1b]4;1;{};2;?\x07", "r".repeat(100_000)),
        format!("\x1bP{zeros}$qm\x1b\\"),
        "\x1b[3\x1b[6n".to_owned(),
        "\x1b[\u{9b}6n".to_owned(),
        "\x1b]0;title\u{9b}6n".to_owned(),
        "\x1b]11;\u{9b}6n".to_owned(),
        "\x1b[\r\x006n".to_owned(),
        "\x1b[\x7f6n".to_owned(),
        "\x1b]1\n1;?\x07".to_owned(),
        "\x1b]11;\u{9b}6n?\x07".to_owned(),
        "\x1b]11;#1\x1b[6n;?\x07".to_owned(),
        "\x1b[3\x1b[6nn".to_owned(),
    ];
    for text in hidden {
        for cut in [1, 3, 1000, text.len()] {
            let (kept, _) = pass(text.as_bytes(), cut);
            let again = pass(&kept, 7);
            assert_eq!(again.1, [], "{:?}", String::from_utf8_lossy(&kept));
        }
    }
}

proptest! {
    #[test]
    fn what_is_left_holds_no_question_and_little_is_held(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just(b"\x1b".to_vec()), Just(b"[".to_vec()), Just(b"]".to_vec()),
                Just(b"P$q".to_vec()), Just(b"6n".to_vec()), Just(b"11;?".to_vec()),
                Just(b"\xc2".to_vec()), Just(b"\x9b".to_vec()), Just(b"\x9c".to_vec()),
                Just(b"\x9d".to_vec()), Just(b"\x07".to_vec()), Just(b"\x18".to_vec()),
                Just(b"0;".to_vec()), Just(b"c".to_vec()),
                proptest::collection::vec(any::<u8>(), 0..6),
            ],
            0..40,
        ),
        cut in 1usize..20,
    ) {
        let bytes = pieces.concat();
        let (kept, asked) = pass(&bytes, cut);
        prop_assert_eq!(&pass(&bytes, bytes.len().max(1)), &(kept.clone(), asked));
        prop_assert_eq!(pass(&kept, 3).1, vec![]);
        let mut queries = Queries::default();
        queries.pass(&bytes.into());
        prop_assert!(queries.held.len() <= MAX_HELD + 1);
    }
}
