//! The search for people in Coder's words: `status:active role:owner ada`.

use super::filter::{BadFilter, MAX, words};
use super::time::Timestamp;
use super::user::{LoginType, SiteRole, UserStatus};

/// What a search asks for; every given part has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleFilter {
    /// A part of the name, the full name or the e-mail address, without regard to case; empty for
    /// all.
    pub text: String,
    /// In one of these states; in any when empty.
    pub status: Vec<UserStatus>,
    /// With one of these site roles; with any when empty.
    pub roles: Vec<SiteRole>,
    /// Signing in by one of these; by any when empty.
    pub login_types: Vec<LoginType>,
    /// Service accounts, or those who are none.
    pub service: Option<bool>,
    /// Made at this time or before.
    pub created_before: Option<Timestamp>,
    /// Made at this time or after.
    pub created_after: Option<Timestamp>,
    /// Last seen at this time or before, or never.
    pub seen_before: Option<Timestamp>,
    /// Last seen at this time or after.
    pub seen_after: Option<Timestamp>,
}

/// The keys a search may hold.
const KEYS: &str = "status, role, login_type, service_account, created_before, created_after, \
    last_seen_before, last_seen_after, search";

/// Coder's old word for an owner, which its documentation still has.
const ADMIN: &str = "admin";
/// Everyone has this role.
const MEMBER: &str = "member";

impl PeopleFilter {
    /// Reads a search. Words without a key are one text that is looked for in names and addresses; a
    /// key takes several values with commas between them.
    ///
    /// # Errors
    /// Names the key or value that cannot be read.
    pub fn parse(query: &str) -> Result<Self, BadFilter> {
        if query.len() > MAX {
            return Err(BadFilter::new(format!("is longer than {MAX} bytes")));
        }
        let mut filter = Self::default();
        let mut text = Vec::new();
        for word in words(query) {
            match word.split_once(':') {
                Some(("search", value)) => text.push(value.trim_matches('"')),
                Some((key, value)) => filter.add(key, value.trim_matches('"'))?,
                None => text.push(word.trim_matches('"')),
            }
        }
        filter.text = text.join(" ");
        Ok(filter)
    }

    /// Whether it leaves nobody out.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, key: &str, value: &str) -> Result<(), BadFilter> {
        let time = || {
            let at = Timestamp::parse_rfc3339(value).ok_or_else(|| {
                BadFilter::new(format!("{key} wants a time such as 2026-01-31T09:00:00Z"))
            });
            at.map(Some)
        };
        match key {
            "status" => {
                let known =
                    |w: &str| UserStatus::from_word(w).filter(|s| *s != UserStatus::Deleted);
                self.status.extend(each((key, value), known)?);
            }
            "role" if value.split(',').any(|word| word.eq_ignore_ascii_case(MEMBER)) => {}
            "role" => {
                let known = |w: &str| SiteRole::from_word(if w == ADMIN { "owner" } else { w });
                self.roles.extend(each((key, value), known)?);
            }
            "login_type" => self.login_types.extend(each((key, value), LoginType::from_word)?),
            "service_account" => self.service = Some(yes((key, value))?),
            "created_before" => self.created_before = time()?,
            "created_after" => self.created_after = time()?,
            "last_seen_before" => self.seen_before = time()?,
            "last_seen_after" => self.seen_after = time()?,
            _ => return Err(BadFilter::new(format!("{key:?} is not a key; there are {KEYS}"))),
        }
        Ok(())
    }
}

/// The values of a key.
fn each<T>(
    (key, value): (&str, &str),
    known: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, BadFilter> {
    let one = |word: &str| {
        known(&word.to_ascii_lowercase())
            .ok_or_else(|| BadFilter::new(format!("{word:?} is no {key}")))
    };
    value.split(',').map(one).collect()
}

fn yes((key, value): (&str, &str)) -> Result<bool, BadFilter> {
    value.parse().map_err(|_| BadFilter::new(format!("{key} wants true or false, not {value:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_are_read_in_coders_words() {
        let parse = |query| PeopleFilter::parse(query).unwrap();
        assert!(parse("").is_wide() && parse("role:member").is_wide());
        assert_eq!(parse("ada  lovelace").text, "ada lovelace");
        assert_eq!(parse("search:\"ada l\" x").text, "ada l x");
        let found = parse("status:active,Dormant role:admin login_type:none service_account:true");
        assert_eq!(found.status, [UserStatus::Active, UserStatus::Dormant]);
        assert_eq!(
            (found.roles, found.login_types),
            (vec![SiteRole::Owner], vec![LoginType::None])
        );
        assert_eq!(found.service, Some(true));
        let found =
            parse("last_seen_before:\"2026-07-01T00:00:00Z\" created_after:2026-01-01T00:00:00Z");
        assert_eq!(found.seen_before, Timestamp::parse_rfc3339("2026-07-01T00:00:00Z"));
        assert!(found.created_after.is_some() && found.created_before.is_none());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (query, named) in [
            ("colour:red", "last_seen_before"),
            ("status:deleted", "deleted"),
            ("role:king", "king"),
            ("login_type:token", "token"),
            ("service_account:perhaps", "perhaps"),
            ("created_before:july", "2026-01-31"),
        ] {
            let error = PeopleFilter::parse(query).unwrap_err().to_string();
            assert!(error.contains(named), "{query}: {error}");
        }
        assert!(PeopleFilter::parse(&"a".repeat(MAX + 1)).is_err());
    }
}
