//! What GitHub gives for a code: a token, which may end, and what renews it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::model::time::Timestamp;
use crate::server::identity::oidc::Failure;
use crate::server::identity::oidc::http::Reply;

/// The longest token that is kept.
const MAX_TOKEN: usize = 1000;
/// A token that ends sooner than this is renewed.
const LEAD: Duration = Duration::from_mins(10);
/// Errors that say that a code or a token is good for nothing any more.
const OVER: [&str; 4] =
    ["bad_verification_code", "bad_refresh_token", "invalid_grant", "expired_token"];

/// What is kept, sealed, of a sign-in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// What the API is asked with.
    pub access: Zeroizing<String>,
    /// What renews it, if it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Zeroizing<String>>,
    /// When it ends, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends_at: Option<i64>,
}

#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    access_token: Zeroizing<String>,
    #[serde(default)]
    refresh_token: Option<Zeroizing<String>>,
    #[serde(default)]
    expires_in: Option<Value>,
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// What came of asking for tokens.
pub enum Asked {
    /// They are given.
    Given(Tokens),
    /// The person has not entered the code yet.
    Pending,
    /// The same, and it was asked too early: from then on five seconds later (RFC 8628, 3.5).
    Slow,
}

impl Tokens {
    /// Reads an answer. GitHub answers 200 to what it refuses, and says so in the body.
    ///
    /// # Errors
    /// [`Failure::Ended`] when what was shown is good for nothing any more.
    pub fn read(reply: &Reply, now: Timestamp) -> Result<Asked, Failure> {
        let told: Given = serde_json::from_slice(&reply.body).map_err(|_| {
            Failure::Away(format!("its token endpoint answered {} with no JSON", reply.status))
        })?;
        match told.error.as_str() {
            "" => {}
            "authorization_pending" => return Ok(Asked::Pending),
            "slow_down" => return Ok(Asked::Slow),
            error if OVER.contains(&error) => return Err(Failure::Ended),
            error => {
                let said = format!("{error} {}", told.error_description);
                let said: String = said.trim().chars().take(200).collect();
                return Err(Failure::Wrong(format!("its token endpoint refused: {said:?}")));
            }
        }
        let access = told.access_token;
        if access.is_empty() || access.len() > MAX_TOKEN || !reply.status.is_success() {
            return Err(Failure::Away(format!("its token endpoint answered {}", reply.status)));
        }
        let refresh = told.refresh_token.filter(|t| !t.is_empty() && t.len() <= MAX_TOKEN);
        let lasts = told.expires_in.as_ref().and_then(|v| match v {
            Value::Number(n) => n.as_u64(),
            Value::String(text) => text.parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        });
        let ends_at = lasts.map(|s| now.plus(Duration::from_secs(s)).0);
        Ok(Asked::Given(Self { access, refresh, ends_at }))
    }

    /// As they are kept.
    #[must_use]
    pub fn to_kept(&self) -> Zeroizing<String> {
        Zeroizing::new(serde_json::to_string(self).unwrap_or_default())
    }

    /// Reads what was kept.
    #[must_use]
    pub fn from_kept(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// What renews them, when that is due.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Option<&str> {
        let end = self.ends_at?;
        let is_due = now.plus(LEAD).0 >= end;
        self.refresh.as_ref().filter(|_| is_due).map(|text| text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    fn read(status: u16, body: &'static str) -> Result<Asked, Failure> {
        let status = StatusCode::from_u16(status).unwrap();
        let location = String::new();
        Tokens::read(&Reply { status, body: body.as_bytes().into(), location }, NOW)
    }

    #[test]
    fn a_refusal_that_comes_with_200_is_one() {
        let wrong = read(200, "{\"error\":\"bad_verification_code\",\"access_token\":\"a\"}");
        assert!(matches!(wrong, Err(Failure::Ended)));
        let wrong = read(200, "{\"error\":\"incorrect_client_credentials\"}");
        assert!(matches!(wrong, Err(Failure::Wrong(_))));
        assert!(matches!(read(200, "{}"), Err(Failure::Away(_))));
        assert!(matches!(read(502, "<html>"), Err(Failure::Away(_))));
        assert!(matches!(read(500, "{\"access_token\":\"a\"}"), Err(Failure::Away(_))));
        let pending = read(200, "{\"error\":\"authorization_pending\"}");
        assert!(matches!(pending, Ok(Asked::Pending)));
        assert!(matches!(read(200, "{\"error\":\"slow_down\"}"), Ok(Asked::Slow)));
    }

    #[test]
    fn a_token_that_ends_is_renewed_before_it_does() {
        let body = "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"expires_in\":28800}";
        let Ok(Asked::Given(tokens)) = read(200, body) else { panic!("{body}") };
        assert_eq!(tokens.due(NOW), None);
        assert_eq!(tokens.due(NOW.plus(Duration::from_secs(28_300))), Some("r"));
        let kept = Tokens::from_kept(&tokens.to_kept()).unwrap();
        assert!(kept == tokens);
        let body = "{\"access_token\":\"a\"}";
        let Ok(Asked::Given(lasting)) = read(200, body) else { panic!("{body}") };
        assert_eq!(lasting.due(NOW.plus(Duration::from_hours(24 * 365))), None);
    }
}
