//! Share codes: texts by which someone who is signed in gets a grant on a workspace.

use std::time::Duration;

use super::id::{CodeId, WorkspaceId};
use super::secret::TokenHash;
use super::time::Timestamp;
use super::user::UserRef;
use super::verb::{Verb, Verbs};

/// What every share code begins with.
pub const PREFIX: &str = "sc_";
/// Random bytes of a code: 160 bits.
pub const BYTES: usize = 20;
/// Letters behind the prefix: five bits each.
const LETTERS: usize = BYTES * 8 / 5;
/// Thirty-two letters and digits that nobody takes for another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// How long a code can be redeemed at most.
pub const MAX_LIFETIME: Duration = Duration::from_hours(30 * 24);
/// How long a grant by a code lasts at most: a code is kept for as long after its end, so that its grants
/// can be taken back by it.
pub const MAX_GRANT: Duration = Duration::from_hours(30 * 24);
/// How often a code can be redeemed at most.
pub const MAX_USES: i64 = 100;

/// A code as its holder sees it: [`PREFIX`] and 32 letters.
#[derive(Clone, PartialEq, Eq)]
pub struct ShareCode(String);

/// A code as it is kept and listed: never its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Its id.
    pub id: CodeId,
    /// On what it gives a grant.
    pub workspace_id: WorkspaceId,
    /// What it gives.
    pub verbs: Verbs,
    /// Whether what is done by it is recorded.
    pub is_recorded: bool,
    /// Why, in the maker's words; may be empty.
    pub reason: String,
    /// Who made it.
    pub made_by: UserRef,
    /// When.
    pub created_at: Timestamp,
    /// Nobody redeems it from then on.
    pub expires_at: Timestamp,
    /// How long each grant by it lasts.
    pub grant_ttl: Duration,
    /// How often it may be redeemed.
    pub max_uses: i64,
    /// How often it was.
    pub uses: i64,
    /// When it last was.
    pub last_used_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// Whether a code can be redeemed, as far as the code itself goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeState {
    /// It can.
    Open,
    /// It was taken back.
    Revoked,
    /// It was redeemed as often as it may be.
    UsedUp,
    /// Its time is over.
    Expired,
}

impl ShareCode {
    /// Makes a code of random bytes.
    #[must_use]
    pub fn from_random(bytes: &[u8; BYTES]) -> Self {
        let mut text = String::with_capacity(PREFIX.len() + LETTERS);
        text.push_str(PREFIX);
        for five in bytes.chunks(5) {
            let bits = five.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
            for place in (0..8).rev() {
                let at = usize::try_from((bits >> (place * 5)) & 31).unwrap_or_default();
                text.extend(ALPHABET.get(at).map(|letter| char::from(*letter)));
            }
        }
        Self(text)
    }

    /// Reads what someone typed or pasted.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let letters = text.strip_prefix(PREFIX)?;
        let fits = letters.len() == LETTERS && letters.bytes().all(|b| ALPHABET.contains(&b));
        fits.then(|| Self(text.to_owned()))
    }

    /// The whole text, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What to store. A code has enough entropy that a plain hash is safe.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl std::fmt::Debug for ShareCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShareCode(…)")
    }
}

impl Code {
    /// Whether it can be redeemed at `now`, as far as it goes itself.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> CodeState {
        match self {
            Self { revoked_at: Some(_), .. } => CodeState::Revoked,
            _ if self.uses >= self.max_uses => CodeState::UsedUp,
            _ if now >= self.expires_at => CodeState::Expired,
            _ => CodeState::Open,
        }
    }
}

/// What no code gives: passing on, and what cannot be taken back. Whoever finds a code could use it.
#[must_use]
pub fn never_given() -> Verbs {
    [Verb::Share, Verb::Delete].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_code_is_read_back_and_each_bit_counts(
            bytes in any::<[u8; BYTES]>(), at in 0..BYTES, bit in 0_u8..8
        ) {
            let code = ShareCode::from_random(&bytes);
            prop_assert_eq!(code.expose().len(), PREFIX.len() + LETTERS);
            let read = ShareCode::parse(&format!(" {}\n", code.expose()));
            prop_assert_eq!(read.map(|read| read.hash()), Some(code.hash()));
            let mut other = bytes;
            other[at] ^= 1 << bit;
            prop_assert!(ShareCode::from_random(&other) != code);
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,80}") {
            let _ = ShareCode::parse(&text);
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        let code = ShareCode::from_random(&[7; BYTES]);
        let text = code.expose();
        let (_, letters) = text.split_at(PREFIX.len());
        let (short, _) = text.split_at(text.len() - 1);
        assert!(!format!("{code:?}").contains(letters));
        for wrong in ["", PREFIX, letters, short, &text.to_uppercase(), "sc_ä"] {
            assert_eq!(ShareCode::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_code_is_over_when_it_was_taken_back_used_up_or_its_time_has_come() {
        let username = crate::model::name::UserName::parse("ada").unwrap();
        let open = Code {
            id: CodeId(uuid::Uuid::nil()),
            workspace_id: WorkspaceId(uuid::Uuid::nil()),
            verbs: crate::model::verb::Preset::Use.verbs(),
            is_recorded: false,
            reason: String::new(),
            made_by: UserRef { id: uuid::Uuid::nil().into(), username },
            created_at: Timestamp(0),
            expires_at: Timestamp(100),
            grant_ttl: Duration::from_hours(2),
            max_uses: 2,
            uses: 1,
            last_used_at: None,
            revoked_at: None,
        };
        assert_eq!(open.state(Timestamp(99)), CodeState::Open);
        assert_eq!(open.state(Timestamp(100)), CodeState::Expired);
        let used = Code { uses: 2, ..open };
        assert_eq!(used.state(Timestamp(1)), CodeState::UsedUp);
        let revoked = Code { revoked_at: Some(Timestamp(1)), ..used };
        assert_eq!(revoked.state(Timestamp(1)), CodeState::Revoked);
    }
}
