//! The list of commands of one recording, as a shell's marks make it.

use super::marks::Mark;

/// Commands of one recording that are listed. One a second for three hours; a loop that forges more
/// is in the recording all the same.
pub const MAX_COMMANDS: i64 = 10_000;

/// What the list is to say from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Another command began.
    Began {
        /// Its place, from 0.
        number: i64,
        /// What is run; empty when that is not known.
        text: String,
        /// In which directory; empty when that is not known.
        directory: String,
        /// When, in milliseconds from the recording's beginning.
        at_ms: i64,
    },
    /// The one with this number ended.
    Ended {
        /// Its place.
        number: i64,
        /// How long it took, in milliseconds.
        length_ms: i64,
        /// What it ended with.
        code: Option<u32>,
    },
}

/// The commands of one recording.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    next: i64,
    /// The text that was said, until its command begins.
    text: Option<String>,
    directory: String,
    /// The command that runs: its place and when it began.
    running: Option<(i64, i64)>,
}

impl Ledger {
    /// Takes a mark that came at `at_ms`.
    pub fn mark(&mut self, mark: Mark, at_ms: i64) -> Option<Change> {
        match mark {
            Mark::Text(text) => {
                self.text = Some(text);
                None
            }
            Mark::Directory(directory) => {
                // What a command says while it runs is of another shell, perhaps of another machine.
                if self.running.is_none() {
                    self.directory = directory;
                }
                None
            }
            Mark::Began if self.running.is_some() => None,
            Mark::Began => self.began(at_ms),
            Mark::Ended(code) => self.ended(at_ms, code),
        }
    }

    /// A command that was asked for as one, without a shell to say so.
    pub fn asked(&mut self, text: &str) -> Option<Change> {
        self.text = Some(text.chars().take(super::MAX_TEXT).collect());
        self.began(0)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> i64 {
        self.next
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.next == 0
    }

    fn began(&mut self, at_ms: i64) -> Option<Change> {
        if self.next >= MAX_COMMANDS {
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.running = Some((number, at_ms));
        let text = self.text.take().unwrap_or_default();
        Some(Change::Began { number, text, directory: self.directory.clone(), at_ms })
    }

    /// The command that runs ended; none when none runs.
    pub fn ended(&mut self, at_ms: i64, code: Option<u32>) -> Option<Change> {
        let (number, began_ms) = self.running.take()?;
        Some(Change::Ended { number, length_ms: at_ms.saturating_sub(began_ms).max(0), code })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_a_text_a_place_a_length_and_an_end() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.mark(Mark::Ended(Some(0)), 1), None, "the first prompt");
        ledger.mark(Mark::Directory("/srv".to_owned()), 2);
        ledger.mark(Mark::Text("make".to_owned()), 3);
        let began = ledger.mark(Mark::Began, 5);
        let (text, directory) = ("make".to_owned(), "/srv".to_owned());
        assert_eq!(began, Some(Change::Began { number: 0, text, directory, at_ms: 5 }));
        ledger.mark(Mark::Directory("/elsewhere".to_owned()), 6);
        assert_eq!(ledger.mark(Mark::Began, 7), None, "a shell within it");
        let ended = ledger.mark(Mark::Ended(Some(2)), 905);
        assert_eq!(ended, Some(Change::Ended { number: 0, length_ms: 900, code: Some(2) }));
        let unknown = ledger.mark(Mark::Began, 1000);
        let (text, directory) = (String::new(), "/srv".to_owned());
        assert_eq!(unknown, Some(Change::Began { number: 1, text, directory, at_ms: 1000 }));
    }

    #[test]
    fn the_list_has_an_end() {
        let mut ledger = Ledger::default();
        for n in 0..MAX_COMMANDS {
            assert!(ledger.mark(Mark::Began, n).is_some());
            assert!(ledger.mark(Mark::Ended(None), n).is_some());
        }
        assert_eq!(ledger.mark(Mark::Began, 0), None);
        assert_eq!(ledger.mark(Mark::Ended(None), 0), None);
    }
}
