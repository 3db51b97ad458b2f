//! Names that were checked once, when they were parsed, and need no check after.

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing was given.
    #[error("is empty")]
    Empty,
    /// More characters than the limit.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    /// A character or a place of a hyphen that is not allowed.
    #[error("may hold letters, digits and single hyphens between them")]
    Characters,
    /// Used by the program itself.
    #[error("is reserved")]
    Reserved,
}

macro_rules! define_name {
    ($($(#[$doc:meta])* $name:ident, $max:literal, $reserved:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The longest allowed, in characters.
            pub const MAX: usize = $max;

            /// Checks the text: letters, digits and single hyphens between them.
            ///
            /// # Errors
            /// Says what is wrong with the text.
            pub fn parse(text: &str) -> Result<Self, BadName> {
                check(text, $max)?;
                let reserved: &[&str] = &$reserved;
                if reserved.iter().any(|r| r.eq_ignore_ascii_case(text)) {
                    return Err(BadName::Reserved);
                }
                Ok(Self(text.to_owned()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                Self::parse(text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )+};
}

define_name! {
    /// A user's name, unique without regard to case.
    UserName, 32, ["me", "new", "system"];
    /// A workspace's name, unique per owner without regard to case.
    WorkspaceName, 32, ["new", "create"];
    /// A template's name, unique per organization without regard to case.
    TemplateName, 32, ["new"];
    /// An organization's or group's name.
    GroupName, 36, [];
    /// A role's name, unique per organization without regard to case.
    RoleName, 64, ["member"];
}

fn check(text: &str, max: usize) -> Result<(), BadName> {
    if text.is_empty() {
        return Err(BadName::Empty);
    }
    if text.chars().count() > max {
        return Err(BadName::TooLong(max));
    }
    let parts_are_words =
        text.split('-').all(|p| !p.is_empty() && p.chars().all(|c| c.is_ascii_alphanumeric()));
    if parts_are_words { Ok(()) } else { Err(BadName::Characters) }
}

/// The name of a template version: letters, digits, `.`, `_` and `-`, at most 64.
///
/// # Errors
/// Says what is wrong with the text.
pub fn check_version_name(text: &str) -> Result<(), BadName> {
    if text.is_empty() {
        return Err(BadName::Empty);
    }
    if text.len() > 64 {
        return Err(BadName::TooLong(64));
    }
    let ok = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if ok { Ok(()) } else { Err(BadName::Characters) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_joined_by_single_hyphens() {
        let check =
            |text: &str, ok: bool| assert_eq!(WorkspaceName::parse(text).is_ok(), ok, "{text}");
        check("kiln", true);
        check("my-box-2", true);
        check("", false);
        check("a--b", false);
        check("-a", false);
        check("a_b", false);
        check("new", false);
        check(&"a".repeat(33), false);
    }
}
