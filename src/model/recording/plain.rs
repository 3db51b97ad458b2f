//! What a terminal showed as plain lines, and where a text is in them: control sequences are left out,
//! and what a person erased is gone. Pure: bytes in, places out, in bounded room.

/// Characters of a line that are kept in mind. A longer one goes on as the next.
const MAX_LINE: usize = 2048;
/// Characters of a line that are told with a place.
const MAX_TOLD: usize = 200;

/// A line that has the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// When the text was complete, in milliseconds from the recording's beginning.
    pub at_ms: i64,
    /// The line.
    pub line: String,
}

/// Looks for a text in what a terminal shows.
#[derive(Clone, Debug)]
pub struct Search {
    /// In small letters.
    wanted: Vec<char>,
    state: State,
    /// The beginning of a character whose end is still to come.
    carried: Vec<u8>,
    line: Vec<char>,
    /// Where the text was complete in this line.
    found_ms: Option<i64>,
}

/// Where in a control sequence the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In none.
    Text,
    /// Behind an escape.
    Escape,
    /// In one that ends with a letter.
    Csi,
    /// In a string that ends with a bell or an escape and a backslash.
    Words,
    /// In that, behind an escape.
    WordsEscape,
    /// Behind an escape that takes one more character.
    One,
}

impl Search {
    /// Looks for `text`, whatever its case.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            wanted: text.chars().flat_map(char::to_lowercase).collect(),
            state: State::Text,
            carried: Vec::new(),
            line: Vec::new(),
            found_ms: None,
        }
    }

    /// Takes what was shown at `at_ms`.
    pub fn feed(&mut self, bytes: &[u8], at_ms: i64, mut found: impl FnMut(Place)) {
        let mut all = std::mem::take(&mut self.carried);
        all.extend_from_slice(bytes);
        let mut chunks = all.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            for c in chunk.valid().chars() {
                self.take(c, at_ms, &mut found);
            }
            let rest = chunk.invalid();
            let is_begun = std::str::from_utf8(rest).is_err_and(|e| e.error_len().is_none());
            if chunks.peek().is_none() && is_begun {
                rest.clone_into(&mut self.carried);
            } else if !rest.is_empty() {
                self.take(char::REPLACEMENT_CHARACTER, at_ms, &mut found);
            }
        }
    }

    /// Nothing more comes.
    pub fn end(&mut self, mut found: impl FnMut(Place)) {
        self.end_line(&mut found);
    }

    fn take(&mut self, c: char, at_ms: i64, found: &mut impl FnMut(Place)) {
        self.state = match (self.state, c) {
            (State::Words, '\u{7}') | (State::WordsEscape, _) | (State::One, _) => State::Text,
            (State::Words, '\u{1b}') => State::WordsEscape,
            (State::Words, _) => State::Words,
            (_, '\u{1b}') => State::Escape,
            (State::Escape, '[') => State::Csi,
            (State::Escape, ']' | 'P' | '_' | '^' | 'X') => State::Words,
            (State::Escape, '(' | ')' | '*' | '+' | '#' | '%' | ' ') => State::One,
            (State::Escape, _) => State::Text,
            (State::Csi, '\u{40}'..='\u{7e}') => return self.end_csi(c, found),
            (State::Csi, ' '..='?') => State::Csi,
            (State::Csi | State::Text, _) => return self.show(c, at_ms, found),
        };
    }

    /// What moves to another line ends this one.
    fn end_csi(&mut self, last: char, found: &mut impl FnMut(Place)) {
        self.state = State::Text;
        if matches!(last, 'A' | 'B' | 'E' | 'F' | 'H' | 'J' | 'f' | 'd') {
            self.end_line(found);
        }
    }

    fn show(&mut self, c: char, at_ms: i64, found: &mut impl FnMut(Place)) {
        self.state = State::Text;
        match c {
            '\n' | '\r' => return self.end_line(found),
            '\u{8}' => {
                self.line.pop();
                return;
            }
            '\t' => self.line.push(' '),
            c if c.is_control() => return,
            c => self.line.push(c),
        }
        if self.found_ms.is_none() && self.ends_with_wanted() {
            self.found_ms = Some(at_ms);
        }
        if self.line.len() >= MAX_LINE {
            self.end_line(found);
        }
    }

    fn ends_with_wanted(&self) -> bool {
        let small = self.line.iter().rev().flat_map(|c| c.to_lowercase().rev());
        let mut small = small.take(self.wanted.len());
        !self.wanted.is_empty() && self.wanted.iter().rev().all(|c| small.next() == Some(*c))
    }

    fn end_line(&mut self, found: &mut impl FnMut(Place)) {
        let line = std::mem::take(&mut self.line);
        if let Some(at_ms) = self.found_ms.take() {
            found(Place { at_ms, line: line.into_iter().take(MAX_TOLD).collect() });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places(text: &str, shown: &[&str]) -> Vec<(i64, String)> {
        let (mut search, mut all) = (Search::new(text), vec![]);
        for (at_ms, piece) in (0..).zip(shown) {
            search.feed(piece.as_bytes(), at_ms, |place| all.push((place.at_ms, place.line)));
        }
        search.end(|place| all.push((place.at_ms, place.line)));
        all
    }

    #[test]
    fn a_text_is_found_in_any_pieces_and_whatever_its_case_and_colour() {
        let line = "$ Kubectl delete".to_owned();
        let shown = ["$ Ku", "\u{1b}[1;31mbec", "tl\u{1b}[0m de", "lete\r\n", "done\r\n"];
        assert_eq!(places("kubectl DEL", &shown), [(3, line)]);
        assert_eq!(places("kubectl done", &shown), []);
        assert_eq!(places("done", &shown), [(4, "done".to_owned())]);
        assert_eq!(places("", &shown), []);
    }

    #[test]
    fn what_is_not_shown_is_not_found() {
        let shown = [
            "\u{1b}]633;E;secret\u{7}\u{1b}]0;secret\u{1b}\\\u{1b}Psecret\u{1b}\\\u{1b}(Bs",
            "ecretx\u{8} ok\r\n",
        ];
        assert_eq!(places("secret", &shown), [(1, "secret ok".to_owned())]);
        assert_eq!(places("secretx", &["secr\u{1b}[2;1Hetx\n"]), []);
        assert_eq!(places("ab", &["a\u{8}b\n"]), []);
    }

    #[test]
    fn a_line_is_told_once_and_cut() {
        let long = format!("{}needle needle\n", "x".repeat(300));
        let all = places("needle", &[&long, "Needle"]);
        assert_eq!((all.len(), all[0].1.chars().count(), all[1].0), (2, MAX_TOLD, 1));
        let endless = "needle ".repeat(100_000);
        assert!(places("needle", &[&endless]).len() > 100);
    }

    proptest! {
        #[test]
        fn pieces_change_nothing(text in "[a-c\u{1b}\\[\n\r;é€]{0,60}", cut in 1usize..9) {
            let whole = places("ab", &[&text]);
            let (mut search, mut all) = (Search::new("ab"), vec![]);
            for piece in text.as_bytes().chunks(cut) {
                search.feed(piece, 0, |place| all.push((place.at_ms, place.line)));
            }
            search.end(|place| all.push((place.at_ms, place.line)));
            prop_assert_eq!(all, whole);
        }

        #[test]
        fn hostile_bytes_take_no_room(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
            let mut search = Search::new("a");
            search.feed(&bytes, 0, |place| assert!(place.line.chars().count() <= MAX_TOLD));
            prop_assert!(search.line.len() <= MAX_LINE && search.carried.len() <= 3);
        }
    }
}
