//! Trying a provider out: everything of a sign-in that needs no person.

use url::Url;

use super::jwks::KeySet;
use super::jwt::Algorithm;
use super::metadata::{self, Metadata};
use super::provider::Provider;
use super::tokens::Refused;
use crate::model::provider::Steps;
use crate::server::identity::oidc::http::{Proof, Reply};

/// A code that is none, and what would prove whose it is (RFC 7636: 43 characters or more).
const NO_CODE: &str = "a-trial-and-no-code";
const VERIFIER: &str = "a-trial-and-no-verifier-of-any-code-there-is-0";
/// The challenge to it is of no matter: no person comes.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

impl Provider {
    /// Notes each step up to the first that is wrong.
    pub(super) async fn try_out(&self, callback: &str, steps: &mut Steps) -> Option<()> {
        let document = steps.note("Discovery document", self.document().await)?;
        let metadata = Metadata::read(&document.body, &self.settings.issuer)
            .map(|found| (format!("it is of {}", found.issuer), found));
        let metadata = steps.note("Issuer", metadata)?;
        steps.note("Addresses", self.addresses(&metadata))?;
        steps.note("Keys", self.keys(&metadata).await)?;
        steps.note("Algorithms", algorithms(&metadata))?;
        steps.note("PKCE", challenges(&metadata))?;
        steps.note("Client", self.client_is_known(&metadata, callback).await)?;
        steps.note("Callback", self.callback_is_known(&metadata, callback).await)
    }

    async fn document(&self) -> Result<(String, Reply), String> {
        let address = metadata::address(&self.settings.issuer);
        let url = Url::parse(&address).map_err(|_| format!("{address} is no address"))?;
        let reply = self.client.get(&url, &Proof::None).await?;
        if !reply.status.is_success() {
            return Err(format!("{address} answered {}; is issuer right?", reply.status));
        }
        Ok((format!("{address} answers"), reply))
    }

    fn addresses(&self, metadata: &Metadata) -> Result<(String, ()), String> {
        let named = [
            ("authorization_endpoint", Some(&metadata.authorization)),
            ("token_endpoint", Some(&metadata.token)),
            ("jwks_uri", Some(&metadata.jwks)),
            ("userinfo_endpoint", metadata.userinfo.as_ref()),
        ];
        for (name, url) in named {
            if let Some(url) = url.filter(|url| !self.client.may_ask(url)) {
                let host = url.host_str().unwrap_or_default();
                return Err(format!(
                    "its {name} is {url}, without HTTPS; have it served by HTTPS, or name {host} in \
                     trusted_hosts where the network is your own"
                ));
            }
        }
        Ok(("all are reached by HTTPS, or on hosts that you trust".to_owned(), ()))
    }

    async fn keys(&self, metadata: &Metadata) -> Result<(String, ()), String> {
        let reply = self.client.get(&metadata.jwks, &Proof::None).await?;
        let keys = KeySet::read(&reply.body).filter(|_| reply.status.is_success());
        match keys.map(|keys| keys.count()) {
            None => Err(format!("{} answered {} with no key set", metadata.jwks, reply.status)),
            Some(0) => Err(format!(
                "{} has no key that can be used: RSA of 2048 bits, P-256, P-384 or Ed25519",
                metadata.jwks
            )),
            Some(1) => Ok(("1 key can be used".to_owned(), ())),
            Some(n) => Ok((format!("{n} keys can be used"), ())),
        }
    }

    /// Exchanges a code that is none: who is refused for it has shown who they are before.
    async fn client_is_known(
        &self,
        metadata: &Metadata,
        callback: &str,
    ) -> Result<(String, ()), String> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", NO_CODE),
            ("redirect_uri", callback),
            ("code_verifier", VERIFIER),
        ];
        let reply = self.token_reply(metadata, &form).await?;
        let refused = serde_json::from_slice::<Refused>(&reply.body).ok();
        let Some(Refused { error, error_description }) = refused else {
            let (at, status) = (&metadata.token, reply.status);
            return Err(format!("{at} answered {status} with no JSON; is it a token endpoint?"));
        };
        match error.as_str() {
            "invalid_grant" => {
                Ok(("it takes client_id and client_secret, and no false code".to_owned(), ()))
            }
            "invalid_client" => Err(format!(
                "it does not take client_id and client_secret ({error_description:?}); compare both \
                 with what is registered there"
            )),
            "unauthorized_client" => Err(format!(
                "the client may not exchange codes ({error_description:?}); allow it the grant \
                 authorization_code there"
            )),
            // Some look at the code first.
            other => {
                Ok((format!("it answers {other:?}, which does not tell whether it knows us"), ()))
            }
        }
    }

    /// Goes where a person would be sent, without signing anyone in.
    async fn callback_is_known(
        &self,
        metadata: &Metadata,
        callback: &str,
    ) -> Result<(String, ()), String> {
        let mut url = metadata.authorization.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", callback)
            .append_pair("scope", &self.settings.scopes.join(" "))
            .append_pair("state", "a-trial")
            .append_pair("nonce", "a-trial")
            .append_pair("code_challenge", CHALLENGE)
            .append_pair("code_challenge_method", "S256")
            .append_pair("prompt", "none");
        let reply = self.client.visit(&url).await?;
        if reply.status.is_client_error() {
            return Err(format!(
                "it refuses to lead people back ({}); register {callback} there, and look whether \
                 client_id is right",
                reply.status
            ));
        }
        if !reply.location.starts_with(callback) {
            let said = "it sends people on; whether it leads them back shows a sign-in";
            return Ok((said.to_owned(), ()));
        }
        let said = error_of(&reply.location);
        match said.as_deref() {
            Some("invalid_scope") => Err(format!(
                "it does not give the scopes {}; change scopes, or allow them to the client there",
                self.settings.scopes.join(" ")
            )),
            Some("unauthorized_client" | "unsupported_response_type") => {
                let why = "the client may not ask for a code; allow it the authorization code flow";
                Err(why.to_owned())
            }
            Some(_) | None => Ok((format!("it leads back to {callback}"), ())),
        }
    }
}

/// The protocol's word in an address that a browser is led back to.
fn error_of(location: &str) -> Option<String> {
    let url = Url::parse(location).ok()?;
    url.query_pairs().find(|(name, _)| name == "error").map(|(_, value)| value.into_owned())
}

fn algorithms(metadata: &Metadata) -> Result<(String, ()), String> {
    let all = &metadata.algorithms;
    let known: Vec<&str> =
        all.iter().map(String::as_str).filter(|name| Algorithm::read(name).is_some()).collect();
    match (all.is_empty(), known.is_empty()) {
        (true, _) => Ok(("it does not say how it signs; RS256 is usual, and taken".to_owned(), ())),
        (false, false) => Ok((format!("it can sign with {}", known.join(", ")), ())),
        (false, true) => Err(format!(
            "it signs with {} alone; have it sign with RS256, ES256 or EdDSA",
            all.join(", ")
        )),
    }
}

fn challenges(metadata: &Metadata) -> Result<(String, ()), String> {
    let all = &metadata.challenges;
    if all.iter().any(|way| way == "S256") {
        return Ok(("it binds codes to who asked for them (S256)".to_owned(), ()));
    }
    if all.is_empty() {
        let said = "it does not say whether it binds codes to who asked; S256 is sent anyway";
        return Ok((said.to_owned(), ()));
    }
    Err(format!("it knows {} and not S256; update it", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(more: &str) -> Metadata {
        let json = format!(
            r#"{{"issuer":"https://a.test","authorization_endpoint":"https://a.test/auth",
            "token_endpoint":"https://a.test/token","jwks_uri":"https://a.test/jwks"{more}}}"#
        );
        Metadata::read(json.as_bytes(), &"https://a.test".parse().unwrap()).unwrap()
    }

    #[test]
    fn what_a_provider_cannot_do_is_said_with_what_to_do() {
        let silent = metadata("");
        assert!(algorithms(&silent).is_ok() && challenges(&silent).is_ok());
        let shared = metadata(r#","id_token_signing_alg_values_supported":["HS256","none"]"#);
        assert!(algorithms(&shared).unwrap_err().contains("HS256, none alone"));
        let plain = metadata(r#","code_challenge_methods_supported":["plain"]"#);
        assert!(challenges(&plain).unwrap_err().contains("plain and not S256"));
        let back = "https://dev.test/login/oidc/sso/callback?error=invalid_scope&state=x";
        assert_eq!(error_of(back).as_deref(), Some("invalid_scope"));
    }
}
