//! Whether a browser's request was meant: where it came from, and a token bound to its session.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::model::id::TokenId;

/// Makes and checks the tokens in forms.
#[derive(Clone)]
pub struct Csrf(hmac::Key);

impl Csrf {
    /// Tokens under this key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The token for the forms of a session.
    #[must_use]
    pub fn token(&self, session: TokenId) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, &message(session)))
    }

    /// Whether a token was made for this session. Compares in constant time.
    #[must_use]
    pub fn matches(&self, session: TokenId, token: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(token)
            .is_ok_and(|mac| hmac::verify(&self.0, &message(session), &mac).is_ok())
    }
}

fn message(session: TokenId) -> Vec<u8> {
    format!("form\0{session}").into_bytes()
}

/// Where a request came from, as the browser tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Our own pages, or the person's own hand.
    Own,
    /// Another site.
    Foreign,
    /// The browser did not say, or it is none.
    Unknown,
}

/// Judges by `Sec-Fetch-Site`, and by `Origin` for browsers that do not send it. An origin is ours
/// when it is the access URL's, or when it names the host the request was sent to.
#[must_use]
pub fn source(
    fetch_site: Option<&str>,
    origin: Option<&str>,
    access_origin: &str,
    host: Option<&str>,
) -> Source {
    match (fetch_site, origin) {
        (Some("same-origin" | "none"), _) => Source::Own,
        // Apps live on sister domains: the same site is not us.
        (Some(_), _) => Source::Foreign,
        (None, Some(origin)) if origin.eq_ignore_ascii_case(access_origin) => Source::Own,
        (None, Some(origin)) => match (origin.split_once("://"), host) {
            (Some((_, named)), Some(host)) if named.eq_ignore_ascii_case(host) => Source::Own,
            (Some(_) | None, _) => Source::Foreign,
        },
        (None, None) => Source::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_own_session_only() {
        let csrf = Csrf::new(&[7; 32]);
        let (a, b) = (TokenId(uuid::Uuid::from_u128(1)), TokenId(uuid::Uuid::from_u128(2)));
        let token = csrf.token(a);
        assert!(csrf.matches(a, &token));
        assert!(!csrf.matches(b, &token));
        assert!(!csrf.matches(a, ""));
        assert!(!Csrf::new(&[8; 32]).matches(a, &token));
    }

    #[test]
    fn requests_of_other_sites_are_told_apart() {
        let own = "https://dev.example.org";
        let check = |site, origin, expected| {
            let judged = source(site, origin, own, Some("box.lan:7080"));
            assert_eq!(judged, expected, "{site:?} {origin:?}");
        };
        check(Some("same-origin"), Some(own), Source::Own);
        check(Some("none"), None, Source::Own);
        check(Some("same-site"), Some("https://app.example.org"), Source::Foreign);
        check(Some("cross-site"), Some(own), Source::Foreign);
        check(None, Some(own), Source::Own);
        check(None, Some("http://box.lan:7080"), Source::Own);
        check(None, Some("https://dev.example.org.evil.net"), Source::Foreign);
        check(None, Some("null"), Source::Foreign);
        check(None, None, Source::Unknown);
    }
}
