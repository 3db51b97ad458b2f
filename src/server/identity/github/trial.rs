//! Trying GitHub out: whether it knows us, and where its API is.

use http::StatusCode;
use zeroize::Zeroizing;

use super::provider::{Provider, below};
use crate::model::provider::Steps;
use crate::server::identity::oidc::Failure;
use crate::server::identity::oidc::http::Proof;

/// A code, a verifier and a token that are none.
const NO_CODE: &str = "0123456789abcdef0123";
const VERIFIER: &str = "a-trial-and-no-verifier-of-any-code-there-is-0";
const NO_TOKEN: &str = "gho_0123456789";

impl Provider {
    /// Notes each step up to the first that is wrong.
    pub(super) async fn try_out(&self, callback: &str, steps: &mut Steps) -> Option<()> {
        steps.note("Client", self.client_is_known(callback).await)?;
        steps.note("API", self.api_answers().await)
    }

    async fn client_is_known(&self, callback: &str) -> Result<(String, ()), String> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", NO_CODE),
            ("redirect_uri", callback),
            ("code_verifier", VERIFIER),
        ];
        let base = &self.settings.base;
        match self.ask_for_tokens(&form).await {
            Err(Failure::Ended) => {
                Ok((format!("{base} takes client_id and client_secret, and no false code"), ()))
            }
            Err(Failure::Away(why)) => {
                Err(format!("{why}; is enterprise_base_url right, and can this server reach it?"))
            }
            Err(Failure::Wrong(why)) if is_about_client(&why) => Err(format!(
                "it does not take client_id and client_secret ({why}); compare both with the OAuth \
                 app there"
            )),
            Err(Failure::Wrong(why)) if why.contains("redirect_uri") => {
                Err(format!("{why}; make {callback} the callback of the OAuth app there"))
            }
            Err(Failure::Wrong(why)) => Err(why),
            Ok(_) => Err("it gives tokens for a code that is none".to_owned()),
        }
    }

    /// Whether something answers there that knows tokens, and not this one.
    async fn api_answers(&self) -> Result<(String, ()), String> {
        let (api, url) = (&self.settings.api, below(&self.settings.api, "user"));
        let proof = Proof::Bearer(Zeroizing::new(NO_TOKEN.to_owned()));
        let reply = self.client.get(&url, &proof).await?;
        match reply.status {
            StatusCode::UNAUTHORIZED => Ok((format!("{api} answers"), ())),
            status => Err(format!(
                "{url} answered {status} to a token that is none, where GitHub says 401; is \
                 enterprise_base_url right?"
            )),
        }
    }
}

fn is_about_client(why: &str) -> bool {
    ["incorrect_client_credentials", "invalid_client", "Not Found"].iter().any(|w| why.contains(w))
}
