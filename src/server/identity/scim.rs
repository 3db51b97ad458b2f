//! The identity provider that keeps users and groups here by SCIM: its token, and how its people sign in.

use subtle::ConstantTimeEq as _;

use crate::model::secret::TokenHash;

/// Characters of the token at least: it stands for every account that the provider keeps.
pub const MIN_TOKEN: usize = 32;

/// What the operator chose.
#[derive(Clone, Debug)]
pub struct Settings {
    hash: TokenHash,
    /// The settings of the provider by which its people sign in; empty for none.
    pub provider: String,
}

impl Settings {
    /// Settings with a token; none when it is too short.
    #[must_use]
    pub fn new(token: &str, provider: &str) -> Option<Self> {
        let token = bare(token);
        let fits = token.len() >= MIN_TOKEN;
        fits.then(|| Self { hash: TokenHash::of(token), provider: provider.to_owned() })
    }

    /// Whether the header `Authorization` shows the token. Coder's clients send it bare, too.
    #[must_use]
    pub fn matches(&self, authorization: &str) -> bool {
        let shown = TokenHash::of(bare(authorization));
        self.hash.0.ct_eq(&shown.0).into()
    }
}

/// The token without the word before it.
fn bare(text: &str) -> &str {
    const SCHEME: &str = "bearer ";
    let text = text.trim();
    match text.split_at_checked(SCHEME.len()) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(SCHEME) => token.trim(),
        Some(_) | None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_shown_bare_or_with_its_word() {
        let settings = Settings::new("Bearer 0123456789abcdef0123456789abcdef", "").unwrap();
        assert!(settings.matches("Bearer 0123456789abcdef0123456789abcdef"));
        assert!(settings.matches("bearer  0123456789abcdef0123456789abcdef"));
        assert!(settings.matches("0123456789abcdef0123456789abcdef"));
        for wrong in [
            "",
            "Bearer ",
            "Bearer 0123456789abcdef0123456789abcdeF",
            "Basic 0123456789abcdef0123456789abcdef",
        ] {
            assert!(!settings.matches(wrong), "{wrong}");
        }
        assert!(Settings::new("0123456789abcdef0123456789abcde", "").is_none());
    }
}
