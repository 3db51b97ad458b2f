//! What a token endpoint answers: tokens, or why there are none.

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::http::Reply;
use super::provider::Failure;

/// What a token endpoint gives.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) access_token: Secret,
    pub(super) id_token: Option<String>,
    pub(super) refresh_token: Option<Secret>,
    pub(super) expires_in: Option<Value>,
}

/// A text that does not stay in memory.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub(super) struct Secret(pub(super) Zeroizing<String>);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

/// What a token endpoint says instead of tokens.
#[derive(Deserialize)]
pub(super) struct Refused {
    pub(super) error: String,
    #[serde(default)]
    pub(super) error_description: String,
}

/// Reads the answer of a token endpoint.
///
/// # Errors
/// When it holds no tokens.
pub(super) fn read_tokens(reply: &Reply) -> Result<Tokens, Failure> {
    if reply.status.is_success() {
        return serde_json::from_slice(&reply.body)
            .map_err(|_| Failure::Away("its token endpoint sent no tokens".to_owned()));
    }
    let refused = serde_json::from_slice::<Refused>(&reply.body).ok();
    match refused {
        Some(refused) if refused.error == "invalid_grant" => Err(Failure::Ended),
        Some(refused) if reply.status.is_client_error() => {
            let said = format!("{} {}", refused.error, refused.error_description);
            let said: String = said.trim().chars().take(200).collect();
            Err(Failure::Wrong(format!("its token endpoint refused: {said:?}")))
        }
        Some(_) | None => {
            Err(Failure::Away(format!("its token endpoint answered {}", reply.status)))
        }
    }
}
