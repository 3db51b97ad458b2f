//! Verification of the whole log: the chain, and what checkpoints and who keeps one elsewhere know of it.

use super::chain::{Finding, Follower, Head, N_COLUMNS, Value, describe};

/// Compares the log, entry by entry, with itself and with what is known of it.
pub struct Verifier {
    follower: Follower,
    start: Head,
    marks: std::iter::Peekable<std::vec::IntoIter<Known>>,
    anchor: Option<Head>,
    is_anchored: bool,
}

/// What a checkpoint knows: its number, and how far the log went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The number of the checkpoint.
    pub number: i64,
    /// The entry it was made for.
    pub head: Head,
}

/// What was found where nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The last entry that was removed for its age; 0 for none.
    pub removed: i64,
    /// The last entry, and its hash.
    pub head: Head,
    /// Whether the anchor was found in it. One older than the log reaches cannot be.
    pub is_anchored: bool,
}

impl Verifier {
    /// Starts behind what was removed, with what checkpoints know, and perhaps a checkpoint that was
    /// kept elsewhere.
    #[must_use]
    pub fn new(start: Head, mut marks: Vec<Known>, anchor: Option<Head>) -> Self {
        marks.retain(|known| known.head.seq >= start.seq);
        marks.sort_by_key(|known| (known.head.seq, known.number));
        let marks = marks.into_iter().peekable();
        Self { follower: Follower::after(start), start, marks, anchor, is_anchored: false }
    }

    /// The number of the next entry.
    #[must_use]
    pub fn next_seq(&self) -> i64 {
        self.follower.head().seq.saturating_add(1)
    }

    /// Looks at what is known of the beginning. To be called before the first entry.
    ///
    /// # Errors
    /// What does not fit.
    pub fn begin(&mut self) -> Result<(), Finding> {
        self.compare(|seq| Finding::entry(seq, String::new()))
    }

    /// Takes the next entry as it is stored, with its hash.
    ///
    /// # Errors
    /// The entry that is wrong, or missing.
    pub fn take(&mut self, values: &[Value<'_>; N_COLUMNS], stored: &[u8]) -> Result<(), Finding> {
        self.follower.take(values, stored)?;
        self.compare(|seq| describe(seq, values))
    }

    /// Compares how far it came with what is known of that place.
    fn compare(&mut self, name: impl Fn(i64) -> Finding) -> Result<(), Finding> {
        let head = self.follower.head();
        let anew = |who: &str| {
            let why = format!(
                "is not the one that {who} vouches for: it or an entry before it was changed, and the \
                 hashes made anew"
            );
            Finding { why, ..name(head.seq) }
        };
        while let Some(known) = self.marks.next_if(|known| known.head.seq <= head.seq) {
            if known.head.hash != head.hash {
                return Err(anew(&format!("checkpoint {}", known.number)));
            }
        }
        if let Some(anchor) = self.anchor.filter(|anchor| anchor.seq == head.seq) {
            if anchor.hash != head.hash {
                return Err(anew("the checkpoint you gave"));
            }
            self.is_anchored = true;
        }
        Ok(())
    }

    /// The log has ended.
    ///
    /// # Errors
    /// The first entry that should have followed.
    pub fn finish(mut self) -> Result<Whole, Finding> {
        let (head, next) = (self.follower.head(), self.next_seq());
        if self.anchor.is_some_and(|anchor| anchor.seq > head.seq) {
            let why =
                "is missing: the log ends before it, and the checkpoint you gave goes further";
            return Err(Finding::entry(next, why));
        }
        if let Some(known) = self.marks.next() {
            let why = format!(
                "is missing: the log ends before it, and checkpoint {} was made at entry {}",
                known.number, known.head.seq
            );
            return Err(Finding::entry(next, why));
        }
        Ok(Whole { removed: self.start.seq, head, is_anchored: self.is_anchored })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::audit::chain::{FORM, GENESIS, hash};

    fn row(seq: i64) -> [Value<'static>; N_COLUMNS] {
        let mut row = [Value::Null; N_COLUMNS];
        (row[0], row[1]) = (Value::Integer(FORM), Value::Integer(seq));
        row
    }

    /// Where each of so many entries leaves the log.
    fn heads(n: i64) -> Vec<Head> {
        let mut head = Head::START;
        let next = |seq| {
            head = Head { seq, hash: hash(&head.hash, &row(seq)) };
            head
        };
        (1..=n).map(next).collect()
    }

    fn verify(n: i64, marks: &[Known], anchor: Option<Head>) -> Result<Whole, Finding> {
        let mut verifier = Verifier::new(Head::START, marks.to_vec(), anchor);
        verifier.begin()?;
        heads(n).iter().try_for_each(|head| verifier.take(&row(head.seq), &head.hash))?;
        verifier.finish()
    }

    #[test]
    fn what_is_known_of_the_log_must_fit() {
        let heads = heads(9);
        let known = |number, head| Known { number, head };
        let marks = [known(2, heads[8]), known(1, heads[3])];
        let whole = verify(9, &marks, Some(heads[5])).unwrap();
        assert_eq!((whole.head, whole.is_anchored), (heads[8], true));
        // The end was cut off.
        assert_eq!(verify(7, &marks, None).unwrap_err().number, 8);
        assert_eq!(verify(7, &[], Some(heads[8])).unwrap_err().number, 8);
        // Everything was written anew.
        let other = Head { hash: GENESIS, ..heads[3] };
        assert_eq!(verify(9, &[known(1, other)], None).unwrap_err().number, 4);
        assert_eq!(verify(9, &[], Some(other)).unwrap_err().number, 4);
        assert_eq!(verify(9, &[], None).unwrap().head.seq, 9);
    }

    #[test]
    fn a_log_whose_beginning_was_removed_is_followed_from_there() {
        let heads = heads(9);
        let mut verifier = Verifier::new(heads[3], vec![Known { number: 1, head: heads[1] }], None);
        verifier.begin().unwrap();
        for head in &heads[4..] {
            verifier.take(&row(head.seq), &head.hash).unwrap();
        }
        let whole = verifier.finish().unwrap();
        assert_eq!((whole.removed, whole.head.seq), (4, 9));
        let mut early = Verifier::new(heads[3], vec![], None);
        assert!(early.take(&row(4), &heads[3].hash).is_err());
    }
}
