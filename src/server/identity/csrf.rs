//! Whether a browser's request was meant: where it came from, and a token bound to its session.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::model::id::TokenId;

/// The bytes of an HMAC-SHA256, and of the pad that hides it.
pub const MAC: usize = 32;

/// Makes and checks the tokens in forms.
#[derive(Clone)]
pub struct Csrf(hmac::Key);

impl Csrf {
    /// Tokens under this key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The token for the forms of a session. Under another `pad` it is another text, so that the
    /// length of a compressed page tells nothing of it.
    #[must_use]
    pub fn token(&self, session: TokenId, pad: [u8; MAC]) -> String {
        let mac = hmac::sign(&self.0, &message(session));
        URL_SAFE_NO_PAD.encode([pad.as_slice(), &masked(mac.as_ref(), &pad)].concat())
    }

    /// Whether a token was made for this session. Compares in constant time.
    #[must_use]
    pub fn matches(&self, session: TokenId, token: &str) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return false };
        let Some((pad, mac)) = bytes.split_at_checked(MAC) else { return false };
        hmac::verify(&self.0, &message(session), &masked(mac, pad)).is_ok()
    }
}

fn masked(mac: &[u8], pad: &[u8]) -> Vec<u8> {
    mac.iter().zip(pad).map(|(m, p)| m ^ p).collect()
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
        let token = csrf.token(a, [3; MAC]);
        assert!(csrf.matches(a, &token) && csrf.matches(a, &csrf.token(a, [9; MAC])));
        assert_ne!(token, csrf.token(a, [9; MAC]));
        let pad: String = token.chars().take(token.len() / 2).collect();
        assert!(!csrf.matches(a, &pad), "a pad alone is no token");
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
