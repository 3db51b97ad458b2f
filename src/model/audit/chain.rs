//! The chain of the audit log: each entry's hash covers its content and the hash before it.
//!
//! The hash of an entry is `SHA-256(previous hash ‖ canonical encoding)`; before the first entry
//! stand 32 zero bytes. The canonical encoding is made of the stored values of [`COLUMNS`], in that
//! order, with nothing between them:
//!
//! | Value | Bytes |
//! |---|---|
//! | NULL | `00` |
//! | integer | `01`, then the number in 8 bytes, two's complement, most significant first |
//! | text, blob | `02` or `03`, its length in bytes in 8 bytes, most significant first, then the bytes |
//!
//! Each value says its kind and length before its content, so that no two rows encode alike. The
//! first column, `form`, is the number of this encoding: a later one may cover more columns.

use sha2::{Digest as _, Sha256};

use crate::model::time::Timestamp;

/// The number of the encoding above.
pub const FORM: i64 = 1;

/// What the hash covers, in the order of the encoding: every column but the hash itself.
pub const COLUMNS: [&str; N_COLUMNS] = [
    "form",
    "seq",
    "id",
    "at",
    "actor",
    "user_id",
    "agent_id",
    "token_id",
    "ip",
    "user_agent",
    "request_id",
    "action",
    "target",
    "target_id",
    "target_name",
    "organization_id",
    "build_reason",
    "status",
    "reason",
    "diff",
];

/// How many columns the hash covers.
pub const N_COLUMNS: usize = 20;

/// The hash of an entry.
pub type Hash = [u8; 32];

/// What stands before the first entry.
pub const GENESIS: Hash = [0; 32];

/// A stored value, as it stands in the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A number.
    Integer(i64),
    /// Text; what is damaged need not be UTF-8.
    Text(&'a [u8]),
    /// Bytes, or what no column of ours holds.
    Blob(&'a [u8]),
}

impl<'a> Value<'a> {
    /// Text.
    #[must_use]
    pub fn text(text: &'a str) -> Self {
        Self::Text(text.as_bytes())
    }

    /// Text that may be absent.
    #[must_use]
    pub fn maybe(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::text)
    }

    fn encode(self, into: &mut Sha256) {
        let mut put = |kind: u8, bytes: &[u8]| {
            into.update([kind]);
            into.update((bytes.len() as u64).to_be_bytes());
            into.update(bytes);
        };
        match self {
            Self::Null => into.update([0]),
            Self::Integer(number) => {
                into.update([1]);
                into.update(number.to_be_bytes());
            }
            Self::Text(bytes) => put(2, bytes),
            Self::Blob(bytes) => put(3, bytes),
        }
    }

    /// As a person reads it.
    fn shown(self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Integer(number) => number.to_string(),
            Self::Text(bytes) | Self::Blob(bytes) => {
                String::from_utf8_lossy(bytes).chars().take(MAX_SHOWN).collect()
            }
        }
    }
}

/// Characters of a value that a finding shows: it may be damaged beyond its limits.
const MAX_SHOWN: usize = 80;

/// The hash of an entry after another.
#[must_use]
pub fn hash(previous: &Hash, values: &[Value<'_>; N_COLUMNS]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    for value in values {
        value.encode(&mut hasher);
    }
    hasher.finalize().into()
}

/// Where the log ends, or how far it was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of the last entry; 0 for none.
    pub seq: i64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// Before the first entry.
    pub const START: Self = Self { seq: 0, hash: GENESIS };
}

/// What is wrong with the log, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Finding {
    /// The number of the entry or checkpoint.
    pub number: i64,
    /// The entry's id, as far as it can be read; empty for what is missing and for checkpoints.
    pub id: String,
    /// What it is, in words: `entry 4711 (…)` or `checkpoint 12`.
    pub what: String,
    /// What is wrong with it.
    pub why: String,
}

impl Finding {
    /// An entry that should be there.
    #[must_use]
    pub fn missing(seq: i64) -> Self {
        Self::entry(seq, "is missing")
    }

    /// Something about an entry of which no more is known than its number.
    #[must_use]
    pub fn entry(seq: i64, why: impl Into<String>) -> Self {
        let what = format!("entry {seq}");
        Self { number: seq, id: String::new(), what, why: why.into() }
    }

    /// Something about a checkpoint.
    #[must_use]
    pub fn checkpoint(number: i64, why: impl Into<String>) -> Self {
        let what = format!("checkpoint {number}");
        Self { number, id: String::new(), what, why: why.into() }
    }
}

/// Names an entry by what can be read of it.
#[must_use]
pub fn describe(seq: i64, values: &[Value<'_>; N_COLUMNS]) -> Finding {
    let [_, _, id, at, _, _, _, _, _, _, _, action, target, _, name, ..] = values;
    let when = match at {
        Value::Integer(at) => Timestamp(*at).rfc3339(),
        other @ (Value::Null | Value::Text(_) | Value::Blob(_)) => other.shown(),
    };
    let (id, action, target, name) = (id.shown(), action.shown(), target.shown(), name.shown());
    let what = format!("entry {seq} (id {id}, {action} {target} {name:?}, {when})");
    Finding { number: seq, id, what, why: String::new() }
}

/// Follows the chain, entry by entry.
#[derive(Clone, Debug)]
pub struct Follower {
    head: Head,
}

impl Follower {
    /// Starts behind an entry that is known: the last one removed, or [`Head::START`].
    #[must_use]
    pub fn after(head: Head) -> Self {
        Self { head }
    }

    /// How far it has come.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// Takes the next entry as it is stored, with its hash.
    ///
    /// # Errors
    /// The entry that is wrong, or missing.
    pub fn take(&mut self, values: &[Value<'_>; N_COLUMNS], stored: &[u8]) -> Result<(), Finding> {
        let [form, seq, ..] = values;
        let expected = self.head.seq.saturating_add(1);
        let seq = match seq {
            Value::Integer(seq) => *seq,
            Value::Null | Value::Text(_) | Value::Blob(_) => expected,
        };
        if seq > expected {
            return Err(Finding::missing(expected));
        }
        let wrong = |why: &str| Finding { why: why.to_owned(), ..describe(seq, values) };
        if seq < expected {
            return Err(wrong("stands twice, or behind later ones"));
        }
        if *form != Value::Integer(FORM) {
            return Err(wrong("is in a form that this program does not know"));
        }
        let hash = hash(&self.head.hash, values);
        if hash != stored {
            return Err(wrong("its content does not match its hash"));
        }
        self.head = Head { seq, hash };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A value that owns what it holds.
    #[derive(Clone, Debug, PartialEq)]
    enum Owned {
        Null,
        Integer(i64),
        Text(Vec<u8>),
        Blob(Vec<u8>),
    }

    impl Owned {
        fn value(&self) -> Value<'_> {
            match self {
                Self::Null => Value::Null,
                Self::Integer(n) => Value::Integer(*n),
                Self::Text(bytes) => Value::Text(bytes),
                Self::Blob(bytes) => Value::Blob(bytes),
            }
        }

        /// With one byte changed; none when it holds no such byte.
        fn flipped(&self, at: usize, by: u8) -> Option<Self> {
            let change = |bytes: &[u8]| {
                let mut bytes = bytes.to_vec();
                *bytes.get_mut(at)? ^= by;
                Some(bytes)
            };
            match self {
                Self::Null => None,
                Self::Integer(n) => {
                    let bytes = change(&n.to_be_bytes())?;
                    Some(Self::Integer(i64::from_be_bytes(bytes.try_into().unwrap())))
                }
                Self::Text(bytes) => change(bytes).map(Self::Text),
                Self::Blob(bytes) => change(bytes).map(Self::Blob),
            }
        }
    }

    type Row = (Vec<Owned>, Vec<u8>);

    fn values(row: &[Owned]) -> [Value<'_>; N_COLUMNS] {
        let all: Vec<Value<'_>> = row.iter().map(Owned::value).collect();
        all.try_into().unwrap()
    }

    /// So many entries with these words in them, chained.
    fn log(words: &[(String, Option<i64>)]) -> Vec<Row> {
        let mut head = GENESIS;
        let entry = |(seq, (word, number)): (i64, &(String, Option<i64>))| {
            let mut row = vec![Owned::Integer(FORM), Owned::Integer(seq)];
            while row.len() < N_COLUMNS {
                row.push(match (row.len() % 3, number) {
                    (0, Some(number)) => Owned::Integer(*number),
                    (0, None) => Owned::Null,
                    _ => Owned::Text(word.clone().into_bytes()),
                });
            }
            head = hash(&head, &values(&row));
            (row, head.to_vec())
        };
        (1..).zip(words).map(entry).collect()
    }

    fn follow(log: &[Row]) -> Result<Head, Finding> {
        let mut follower = Follower::after(Head::START);
        for (row, stored) in log {
            follower.take(&values(row), stored)?;
        }
        Ok(follower.head())
    }

    fn words() -> impl Strategy<Value = Vec<(String, Option<i64>)>> {
        proptest::collection::vec((".{0,12}", proptest::option::of(any::<i64>())), 1..8)
    }

    proptest! {
        #[test]
        fn one_byte_changed_anywhere_names_the_entry(
            words in words(),
            (entry, column, at) in (any::<prop::sample::Index>(), 0..=N_COLUMNS, 0..12_usize),
            by in 1..=255_u8,
        ) {
            let mut log = log(&words);
            prop_assert_eq!(follow(&log).unwrap().seq, i64::try_from(log.len()).unwrap());
            let place = entry.index(log.len());
            let seq = i64::try_from(place).unwrap() + 1;
            let (row, stored) = &mut log[place];
            match row.get(column).map(|value| value.flipped(at, by)) {
                Some(Some(flipped)) => row[column] = flipped,
                Some(None) => return Ok(()),
                None => stored[at] ^= by,
            }
            let found = follow(&log).unwrap_err();
            // A number that was changed may make it stand before its place, under the new number.
            prop_assert!(found.number == seq || column == 1, "{found}");
        }

        #[test]
        fn what_is_left_out_or_moved_is_found(words in words(), at in any::<prop::sample::Index>()) {
            let whole = log(&words);
            let place = at.index(whole.len());
            let mut without = whole.clone();
            without.remove(place);
            if place < without.len() {
                let seq = i64::try_from(place).unwrap() + 1;
                prop_assert_eq!(follow(&without).unwrap_err(), Finding::missing(seq));
            }
            let mut moved = whole;
            moved.swap(place, 0);
            prop_assert_eq!(follow(&moved).is_ok(), place == 0);
        }
    }

    #[test]
    fn no_two_rows_encode_alike() {
        let row = |a: &'static str, b: Value<'static>| {
            let mut row = [Value::Null; N_COLUMNS];
            (row[2], row[3]) = (Value::text(a), b);
            hash(&GENESIS, &row)
        };
        assert_ne!(row("ab", Value::text("c")), row("a", Value::text("bc")));
        assert_ne!(row("a", Value::text("")), row("a", Value::Null));
        assert_ne!(row("a", Value::text("1")), row("a", Value::Blob(b"1")));
        assert_ne!(row("a", Value::Integer(0)), row("a", Value::Null));
        assert_ne!(row("a", Value::Blob(&[0; 8])), row("a", Value::Integer(0)));
    }

    #[test]
    fn the_encoding_stays_as_it_is() {
        let mut row = [Value::Null; N_COLUMNS];
        (row[0], row[1], row[2]) = (Value::Integer(1), Value::Integer(-2), Value::text("é"));
        let hex = hex::encode(hash(&GENESIS, &row));
        // As `printf` and `sha256sum` make it from the table above.
        let mut bytes = vec![0; 32];
        bytes.extend([1, 0, 0, 0, 0, 0, 0, 0, 1]);
        bytes.extend([1, 255, 255, 255, 255, 255, 255, 255, 254]);
        bytes.extend([2, 0, 0, 0, 0, 0, 0, 0, 2, 0xc3, 0xa9]);
        bytes.extend([0; N_COLUMNS - 3]);
        assert_eq!(hex, hex::encode(Sha256::digest(&bytes)));
    }
}
