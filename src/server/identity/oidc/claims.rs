//! What an ID token and a logout token must say before they are believed.

use serde_json::{Map, Value};

use super::jwt::BadToken;
use crate::model::identity::MAX_SUBJECT;
use crate::model::time::Timestamp;

/// What clocks may differ by.
const LEEWAY_S: i64 = 60;
/// How old a logout token may be: it is sent at once.
const LOGOUT_AGE_S: i64 = 300;
/// What a logout token says happened.
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What is expected of a token.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Who made it.
    pub issuer: &'a str,
    /// Whom it is for: us, as the provider knows us.
    pub client_id: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// What a logout token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutClaims {
    /// Its own id, used once.
    pub jti: String,
    /// Who; may be empty.
    pub subject: String,
    /// Which session; may be empty.
    pub sid: String,
}

impl Expected<'_> {
    /// Checks the claims of an ID token; whom it is about. `nonce` is what was sent at a sign-in;
    /// none for a renewal, which has none.
    ///
    /// # Errors
    /// Says which claim is wrong.
    pub fn check_id_token(
        &self,
        claims: &Map<String, Value>,
        nonce: Option<&str>,
    ) -> Result<String, BadToken> {
        self.check_issuer_and_audience(claims)?;
        if claims.contains_key("events") {
            return Err(wrong("it is about an event and not about who signs in (\"events\")"));
        }
        let end = number(claims, "exp").ok_or_else(|| wrong("it does not say when it ends"))?;
        if self.now.0 >= end.saturating_add(LEEWAY_S) {
            return Err(wrong(&format!("it ended {} s ago; compare the clocks", self.now.0 - end)));
        }
        self.check_made(claims)?;
        if number(claims, "nbf").is_some_and(|at| at > self.now.0.saturating_add(LEEWAY_S)) {
            return Err(wrong("it does not hold yet (\"nbf\"); compare the clocks"));
        }
        if nonce.is_some_and(|nonce| text(claims, "nonce") != nonce) {
            return Err(wrong("it was made for another sign-in (\"nonce\")"));
        }
        let subject = text(claims, "sub");
        if subject.is_empty() || subject.chars().count() > MAX_SUBJECT {
            return Err(wrong("it does not say who it is about (\"sub\")"));
        }
        Ok(subject.to_owned())
    }

    /// Checks the claims of a logout token (`OpenID` Connect Back-Channel Logout, section 2.6).
    ///
    /// # Errors
    /// Says which claim is wrong.
    pub fn check_logout_token(
        &self,
        claims: &Map<String, Value>,
    ) -> Result<LogoutClaims, BadToken> {
        self.check_issuer_and_audience(claims)?;
        let made = self.check_made(claims)?;
        let end = number(claims, "exp").unwrap_or(i64::MAX);
        if self.now.0 >= end.saturating_add(LEEWAY_S) || self.now.0 - made > LOGOUT_AGE_S {
            return Err(wrong("it is too old; compare the clocks"));
        }
        let event = claims.get("events").and_then(|events| events.get(LOGOUT_EVENT));
        if !event.is_some_and(Value::is_object) {
            return Err(wrong("it is not about a logout (\"events\")"));
        }
        if claims.contains_key("nonce") {
            return Err(wrong("it is an ID token (\"nonce\")"));
        }
        let said = LogoutClaims {
            jti: text(claims, "jti").to_owned(),
            subject: text(claims, "sub").to_owned(),
            sid: text(claims, "sid").to_owned(),
        };
        if said.jti.is_empty() || (said.subject.is_empty() && said.sid.is_empty()) {
            return Err(wrong("it names neither a person nor a session"));
        }
        Ok(said)
    }

    fn check_issuer_and_audience(&self, claims: &Map<String, Value>) -> Result<(), BadToken> {
        let issuer = text(claims, "iss");
        if issuer != self.issuer {
            let (said, expected) = (shown(issuer), self.issuer);
            return Err(BadToken::Claim(format!("it is of {said:?} and not of {expected:?}")));
        }
        let audience: Vec<&str> = match claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            Some(_) | None => vec![],
        };
        if !audience.contains(&self.client_id) {
            let (said, expected) = (shown(&audience.join(" ")), self.client_id);
            return Err(BadToken::Claim(format!("it is for {said:?} and not for {expected:?}")));
        }
        let party = text(claims, "azp");
        let shared = audience.len() > 1 || claims.contains_key("azp");
        if shared && party != self.client_id {
            return Err(wrong("it was given to another client (\"azp\")"));
        }
        Ok(())
    }

    fn check_made(&self, claims: &Map<String, Value>) -> Result<i64, BadToken> {
        let made =
            number(claims, "iat").ok_or_else(|| wrong("it does not say when it was made"))?;
        if made > self.now.0.saturating_add(LEEWAY_S) {
            return Err(wrong("it was made in the future (\"iat\"); compare the clocks"));
        }
        Ok(made)
    }
}

/// Methods that are a second factor or take one in (RFC 8176, section 2). A code by mail or text
/// message is none: whoever has the mailbox or the number has it.
const SECOND_FACTORS: [&str; 5] = ["mfa", "otp", "hwk", "swk", "sc"];

/// When a second factor was given at the provider, as its ID token says. One that does not say when
/// was given long ago, as far as we know.
#[must_use]
pub fn second_factor(claims: &Map<String, Value>, now: Timestamp) -> Option<Timestamp> {
    let methods = claims.get("amr").and_then(Value::as_array)?;
    let is_one = |method: &Value| method.as_str().is_some_and(|m| SECOND_FACTORS.contains(&m));
    let at = number(claims, "auth_time").unwrap_or(0);
    methods.iter().any(is_one).then(|| Timestamp(at.clamp(0, now.0)))
}

/// Whether a sign-in was as strong as one of these values asks for.
#[must_use]
pub fn meets(claims: &Map<String, Value>, acr_values: &[String]) -> bool {
    acr_values.is_empty() || acr_values.iter().any(|value| value == text(claims, "acr"))
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> &'a str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A time. Some providers send a fraction.
fn number(claims: &Map<String, Value>, name: &str) -> Option<i64> {
    let value = claims.get(name)?;
    #[expect(clippy::cast_possible_truncation, reason = "a float too large becomes the largest")]
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

fn wrong(why: &str) -> BadToken {
    BadToken::Claim(why.to_owned())
}

/// What a token says, for a log.
fn shown(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
