//! Output of a process cut into lines that are safe to keep, as a pure function of its bytes.

use crate::model::log::{MAX_LINE_BYTES, clip};

/// Collects bytes and gives whole lines.
#[derive(Debug, Default)]
pub struct Lines {
    partial: Vec<u8>,
    /// Bytes of the line at hand that were thrown away because it is too long.
    dropped: usize,
}

/// The start of a line that is kept while its end is awaited: enough that [`clip`] has something to cut.
const MAX_PARTIAL: usize = MAX_LINE_BYTES + 4;

impl Lines {
    /// Takes bytes; `line` is called for each line that they end.
    pub fn push(&mut self, bytes: &[u8], mut line: impl FnMut(String)) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let (head, tail) = rest.split_at(end);
            self.keep(head);
            line(self.take());
            rest = tail.get(1..).unwrap_or_default();
        }
        self.keep(rest);
    }

    /// The output ended: gives what is left without a newline.
    pub fn end(&mut self) -> Option<String> {
        (!self.partial.is_empty()).then(|| self.take())
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_PARTIAL.saturating_sub(self.partial.len());
        let (kept, dropped) = bytes.split_at(room.min(bytes.len()));
        self.partial.extend_from_slice(kept);
        self.dropped += dropped.len();
    }

    fn take(&mut self) -> String {
        let bytes = std::mem::take(&mut self.partial);
        let dropped = std::mem::take(&mut self.dropped);
        let text = String::from_utf8_lossy(&bytes);
        // A progress bar overwrites itself: what stands at the end is what a person saw.
        let text = text.strip_suffix('\r').unwrap_or(&text);
        let text = text.rsplit_once('\r').map_or(text, |(_, last)| last);
        let text = text.replace('\0', "");
        if dropped == 0 { clip(&text) } else { format!("{text} … ({dropped} bytes more)") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut got) = (Lines::default(), vec![]);
        pieces.iter().for_each(|p| lines.push(p, |l| got.push(l)));
        got.extend(lines.end());
        got
    }

    #[test]
    fn lines_are_whole_clean_and_bounded() {
        let check = |pieces: &[&[u8]], expected: &[&str]| assert_eq!(lines(pieces), expected);
        check(&[b"a\nb", b"c\n", b"d"], &["a", "bc", "d"]);
        check(&[b"a\r\n\n"], &["a", ""]);
        check(&[b"10%\r50%\r100%\n"], &["100%"]);
        check(&[b"x\0y\xff\n"], &["xy\u{fffd}"]);
        let long = lines(&[&[b'a'; 9000], b"\nb\n"]);
        assert!(long[0].len() < MAX_LINE_BYTES + 40 && long[0].ends_with(" bytes more)"));
        assert_eq!(long[1], "b");
    }

    proptest::proptest! {
        #[test]
        fn any_cut_gives_the_same_lines(text in "[a-z\n]{0,200}", cut in 1usize..20) {
            let pieces: Vec<_> = text.as_bytes().chunks(cut).collect();
            proptest::prop_assert_eq!(lines(&pieces), lines(&[text.as_bytes()]));
        }
    }
}
