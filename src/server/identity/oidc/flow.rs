//! One sign-in under way: what the browser keeps between leaving for the provider and coming back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::clock::Entropy;
use crate::model::id::TokenId;
use crate::model::time::Timestamp;

/// How long a sign-in may take: a person may have to find a second factor.
pub const LASTS_S: u32 = 600;
/// Longest place to go on to that is kept; a longer one is forgotten.
const MAX_NEXT: usize = 1024;

/// A sign-in under way. The browser has it as a cookie that no script reads; nobody else's browser
/// has this state, so that nobody is signed in as someone else by a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// The name of the provider's settings.
    pub provider: String,
    /// Comes back with the code.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// Proves that who exchanges the code is who asked for it (PKCE).
    pub verifier: String,
    /// Where to go on to.
    pub next: String,
    /// When it is over.
    pub until: i64,
    /// The session whose account gets this way in; none for a sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joins: Option<TokenId>,
}

/// What cookies are signed with.
#[derive(Clone)]
pub struct FlowKey(hmac::Key);

impl FlowKey {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }
}

impl Flow {
    /// Begins a sign-in.
    #[must_use]
    pub fn begin(provider: &str, next: &str, entropy: &Entropy, now: Timestamp) -> Self {
        let random = || URL_SAFE_NO_PAD.encode(entropy.bytes::<32>());
        let next = if next.len() <= MAX_NEXT { next } else { "" };
        Self {
            provider: provider.to_owned(),
            state: random(),
            nonce: random(),
            verifier: random(),
            next: next.to_owned(),
            until: now.0.saturating_add(LASTS_S.into()),
            joins: None,
        }
    }

    /// The same, to add a way in to the account of a session.
    #[must_use]
    pub fn joining(self, session: Option<TokenId>) -> Self {
        Self { joins: session, ..self }
    }

    /// The challenge to the verifier (RFC 7636, S256).
    #[must_use]
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }

    /// As the browser keeps it.
    #[must_use]
    pub fn to_cookie(&self, key: &FlowKey) -> String {
        let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default());
        let mac = hmac::sign(&key.0, body.as_bytes());
        format!("{body}.{}", URL_SAFE_NO_PAD.encode(mac))
    }

    /// Reads what a browser kept; none when we did not make it, or it is over.
    #[must_use]
    pub fn from_cookie(key: &FlowKey, cookie: &str, now: Timestamp) -> Option<Self> {
        let (body, mac) = cookie.split_once('.')?;
        hmac::verify(&key.0, body.as_bytes(), &URL_SAFE_NO_PAD.decode(mac).ok()?).ok()?;
        let flow: Self = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
        (now.0 < flow.until).then_some(flow)
    }

    /// Whether an answer belongs to this sign-in. Compares in constant time.
    #[must_use]
    pub fn is_answered_by(&self, state: &str) -> bool {
        self.state.as_bytes().ct_eq(state.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    #[test]
    fn a_sign_in_is_answered_in_its_own_browser_and_in_time() {
        let (key, entropy) = (FlowKey::new(&[7; 32]), Entropy::seeded(1));
        let flow = Flow::begin("sso", "/@ada/kiln", &entropy, NOW);
        let cookie = flow.to_cookie(&key);
        assert_eq!(Flow::from_cookie(&key, &cookie, NOW), Some(flow.clone()));
        let late = Timestamp(NOW.0 + i64::from(LASTS_S));
        assert_eq!(Flow::from_cookie(&key, &cookie, late), None);
        assert_eq!(Flow::from_cookie(&FlowKey::new(&[8; 32]), &cookie, NOW), None);
        let other = Flow::begin("sso", "", &entropy, NOW);
        assert!(flow.is_answered_by(&flow.state) && !flow.is_answered_by(&other.state));
        assert!(!flow.is_answered_by(""));
        let mixed = format!("{}.{}", other.to_cookie(&key).split('.').next().unwrap(), "AA");
        assert_eq!(Flow::from_cookie(&key, &mixed, NOW), None);
        assert_eq!(Flow::begin("sso", &"/x".repeat(600), &entropy, NOW).next, "");
    }

    #[test]
    fn the_challenge_is_rfc_7636_s() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let flow = Flow { verifier, ..Flow::begin("sso", "", &Entropy::seeded(1), NOW) };
        assert_eq!(flow.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
