//! Second factors: what someone has, what they are asked for, and who must have one.

use std::collections::BTreeSet;
use std::time::Duration;

use super::id::PasskeyId;
use super::secret::TokenHash;
use super::time::Timestamp;
use super::user::{OrganizationRole, SiteRole, User, UserKind, define_words};

/// How long a second factor that was given counts for what is dangerous.
pub const FRESH: Duration = Duration::from_mins(15);
/// Codes that are made at a time, for who has lost the rest.
pub const RECOVERY_CODES: usize = 10;
/// Passkeys of one person at most.
pub const MAX_PASSKEYS: usize = 20;
/// The longest name of a passkey.
pub const MAX_PASSKEY_NAME: usize = 64;
/// Random bytes of a recovery code: nobody guesses 80 bits, so that a plain hash is enough.
pub const RECOVERY_BYTES: usize = 10;
/// Whoever is signed in, as a role.
const EVERYONE: &str = "member";
/// Letters and digits that are not taken for each other.
const CLEAR: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

define_words! {
    /// What was given beside the password, or instead of it.
    FactorKind {
        /// A code of an app.
        Totp = "totp",
        /// A passkey.
        Passkey = "passkey",
        /// A code from the list for who has lost the rest.
        Recovery = "recovery_code",
        /// One that their provider has asked for.
        Provider = "provider",
    }
}

/// What a session says of second factors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mfa {
    /// When one was last given in it.
    pub at: Option<Timestamp>,
    /// Whether its user has one.
    pub has_factor: bool,
    /// Whether it began with a password that a directory checked, which asks for no second factor.
    pub by_directory: bool,
}

impl Mfa {
    /// Whether one was given lately. One from after now is from before the clock was put back.
    #[must_use]
    pub fn is_fresh(self, now: Timestamp, within: Duration) -> bool {
        self.at.is_some_and(|at| at <= now && now.since(at) <= within)
    }
}

/// What is asked of someone before they go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Their second factor.
    Factor,
    /// To set one up.
    SetUp,
}

impl Ask {
    /// The word by which programs know it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Factor => "mfa_required",
            Self::SetUp => "mfa_setup_required",
        }
    }
}

impl std::fmt::Display for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Factor => {
                "this needs your second factor, given in the last 15 minutes: give it in a browser, or \
                 send a code to POST /api/v2/users/confirm"
            }
            Self::SetUp => "your role needs a second factor; set one up under Settings, Sign-in",
        })
    }
}

/// The second factors of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// The app that shows codes.
    pub totp: Option<TotpEntry>,
    /// Passkeys, the oldest first.
    pub passkeys: Vec<Passkey>,
    /// Codes that are left for who has lost the rest.
    pub recovery_left: usize,
}

impl Factors {
    /// Whether there is one.
    #[must_use]
    pub fn any(&self) -> bool {
        self.totp.is_some() || !self.passkeys.is_empty()
    }
}

/// An app that shows codes, never its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TotpEntry {
    /// When it was set up.
    pub created_at: Timestamp,
    /// When a code of it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// A passkey as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its id.
    pub id: PasskeyId,
    /// The name it was given.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// A code that is good once, for who has lost the rest.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

impl RecoveryCode {
    /// Makes one from random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; RECOVERY_BYTES]) -> Self {
        Self(in_32(CLEAR, &bytes))
    }

    /// Reads what someone typed, with or without hyphens and in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let typed = text.bytes().filter(|b| *b != b'-' && *b != b' ');
        let code: Vec<u8> = typed.map(|b| b.to_ascii_lowercase()).take(17).collect();
        let fits = code.len() == 16 && code.iter().all(|b| CLEAR.contains(b));
        String::from_utf8(code).ok().filter(|_| fits).map(Self)
    }

    /// The text, to be shown once.
    #[must_use]
    pub fn expose(&self) -> String {
        let groups: Vec<&[u8]> = self.0.as_bytes().chunks(4).collect();
        String::from_utf8_lossy(&groups.join(&b'-')).into_owned()
    }

    /// What is stored of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

/// Roles whose holders must have a second factor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MfaRoles(Vec<String>);

impl std::fmt::Display for MfaRoles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl MfaRoles {
    /// Reads their names; `member` is everyone.
    ///
    /// # Errors
    /// With what is no role.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let known = |name: &str| {
            name == EVERYONE
                || SiteRole::from_word(name).is_some()
                || OrganizationRole::from_word(name).is_some()
        };
        let names = names.into_iter().map(str::trim).filter(|name| !name.is_empty());
        names
            .map(|name| if known(name) { Ok(name.to_owned()) } else { Err(name) })
            .collect::<Result<BTreeSet<_>, _>>()
            .map(|names| Self(names.into_iter().collect()))
            .map_err(|name| {
                let mut all = vec![EVERYONE];
                all.extend(SiteRole::ALL.iter().map(|role| role.as_str()));
                all.extend(OrganizationRole::ALL.iter().map(|role| role.as_str()));
                format!("{name:?} is no role; write one of {}", all.join(", "))
            })
    }

    /// Their names, each once.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a role is among them.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|role| role == name)
    }

    /// Whether everyone is meant, whatever their role.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        self.has(EVERYONE)
    }

    /// These and others.
    #[must_use]
    pub fn with(&self, others: &Self) -> Self {
        let more = others.0.iter().filter(|name| !self.has(name));
        Self(self.0.iter().chain(more).cloned().collect())
    }

    /// These but for others.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        Self(self.0.iter().filter(|name| !others.has(name)).cloned().collect())
    }

    /// Whether someone must have a second factor. Service accounts sign in nowhere.
    #[must_use]
    pub fn ask(&self, user: &User) -> bool {
        let held = |name: &String| {
            name == EVERYONE
                || user.roles.iter().any(|role| role.as_str() == name)
                || user.organization_roles.iter().any(|held| held.role.as_str() == name)
        };
        user.kind == UserKind::Person && self.0.iter().any(held)
    }
}

/// Bytes as letters of an alphabet of 32, five bits each; the last one is filled up with zeros.
pub(super) fn in_32(alphabet: &[u8; 32], bytes: &[u8]) -> String {
    let (mut text, mut held, mut bits) = (String::new(), 0u32, 0u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(alphabet, held >> bits));
        }
    }
    if bits > 0 {
        text.push(letter(alphabet, held << (5 - bits)));
    }
    text
}

fn letter(alphabet: &[u8; 32], value: u32) -> char {
    let place = usize::try_from(value & 31).unwrap_or_default();
    alphabet.get(place).map_or('a', |byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_is_read_as_people_type_it() {
        let code = RecoveryCode::from_random([0xa5; RECOVERY_BYTES]);
        let text = code.expose();
        assert_eq!(text.len(), 19);
        for typed in
            [text.clone(), text.replace('-', ""), text.to_uppercase(), text.replace('-', " ")]
        {
            assert_eq!(RecoveryCode::parse(&typed), Some(code.clone()), "{typed}");
        }
        assert_eq!(RecoveryCode::parse("123456"), None);
        assert_eq!(RecoveryCode::parse(&format!("{text}a")), None);
        assert!(!format!("{code:?}").contains(&text));
        assert_ne!(RecoveryCode::from_random([1; RECOVERY_BYTES]).hash(), code.hash());
    }

    #[test]
    fn a_role_that_is_none_is_not_passed_over() {
        assert!(MfaRoles::parse(["owner", " user-admin", "organization-admin", "member"]).is_ok());
        assert!(MfaRoles::parse(["ownr"]).unwrap_err().contains("write one of member, owner"));
        assert_eq!(MfaRoles::parse([""]), Ok(MfaRoles::default()));
    }

    #[test]
    fn a_second_factor_ages() {
        let now = Timestamp(10_000);
        let at = |at| Mfa { at: Some(Timestamp(at)), has_factor: true, by_directory: false };
        assert!(at(10_000).is_fresh(now, FRESH) && at(9_100).is_fresh(now, FRESH));
        assert!(!at(9_099).is_fresh(now, FRESH) && !at(10_001).is_fresh(now, FRESH));
        assert!(!Mfa::default().is_fresh(now, FRESH));
    }
}
