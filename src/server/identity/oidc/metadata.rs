//! What a provider says of itself: its discovery document.

use serde::Deserialize;
use url::Url;

/// A discovery document, as far as it is used.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The issuer as its tokens name it.
    pub issuer: String,
    /// Where people are sent.
    pub authorization: Url,
    /// Where codes are exchanged.
    pub token: Url,
    /// Where the keys are.
    pub jwks: Url,
    /// Where claims are asked for.
    pub userinfo: Option<Url>,
    /// The client's secret goes into the body: the provider takes it nowhere else.
    pub secret_in_body: bool,
    /// Its answers in the browser say who they are from (RFC 9207).
    pub names_itself: bool,
    /// How it signs ID tokens; empty when it does not say.
    pub algorithms: Vec<String>,
    /// How a code may be bound to who asked for it (PKCE); empty when it does not say.
    pub challenges: Vec<String>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Where an issuer's discovery document is.
#[must_use]
pub fn address(issuer: &Url) -> String {
    format!("{}/.well-known/openid-configuration", issuer.as_str().trim_end_matches('/'))
}

impl Metadata {
    /// Reads a document of this issuer. A slash at the end may be there or not: people leave it out.
    ///
    /// # Errors
    /// Says what an operator has to mend.
    pub fn read(json: &[u8], issuer: &Url) -> Result<Self, String> {
        let found: Document = serde_json::from_slice(json)
            .map_err(|e| format!("the discovery document is not one: {}", short(&e.to_string())))?;
        let plain = |text: &str| text.trim_end_matches('/').to_owned();
        if plain(&found.issuer) != plain(issuer.as_str()) {
            let said = short(&found.issuer);
            return Err(format!("the provider calls itself {said:?}: make that the issuer"));
        }
        let ways = found.token_endpoint_auth_methods_supported.unwrap_or_default();
        let takes = |way: &str| ways.iter().any(|w| w == way);
        Ok(Self {
            issuer: found.issuer,
            authorization: endpoint("authorization_endpoint", &found.authorization_endpoint)?,
            token: endpoint("token_endpoint", &found.token_endpoint)?,
            jwks: endpoint("jwks_uri", &found.jwks_uri)?,
            userinfo: found
                .userinfo_endpoint
                .map(|text| endpoint("userinfo_endpoint", &text))
                .transpose()?,
            secret_in_body: takes("client_secret_post") && !takes("client_secret_basic"),
            names_itself: found.authorization_response_iss_parameter_supported,
            algorithms: found.id_token_signing_alg_values_supported,
            challenges: found.code_challenge_methods_supported,
        })
    }
}

/// What a provider says, for a log.
fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

fn endpoint(name: &str, text: &str) -> Result<Url, String> {
    let web = Url::parse(text).ok().filter(|u| matches!(u.scheme(), "https" | "http"));
    web.ok_or_else(|| format!("the discovery document's {name} is no web address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_of_the_issuer_that_was_asked() {
        let document = |issuer: &str| {
            format!(
                r#"{{"issuer":"{issuer}","authorization_endpoint":"https://a.test/auth",
                "token_endpoint":"https://a.test/token","jwks_uri":"https://a.test/jwks",
                "token_endpoint_auth_methods_supported":["client_secret_post"]}}"#
            )
        };
        let asked = Url::parse("https://a.test/realms/x").unwrap();
        let read = |issuer: &str| Metadata::read(document(issuer).as_bytes(), &asked);
        assert_eq!(read("https://a.test/realms/x/").unwrap().issuer, "https://a.test/realms/x/");
        assert!(read("https://a.test/realms/x").unwrap().secret_in_body);
        let error = read("https://a.test").unwrap_err();
        assert_eq!(error, "the provider calls itself \"https://a.test\": make that the issuer");
        assert!(Metadata::read(b"<html>", &asked).unwrap_err().contains("is not one"));
        assert_eq!(address(&asked), "https://a.test/realms/x/.well-known/openid-configuration");
    }
}
