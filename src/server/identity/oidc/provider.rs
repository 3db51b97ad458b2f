//! One provider: what it says of itself, kept for a while, and the exchanges with it.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;
use zeroize::Zeroizing;

use super::claims::{Expected, LogoutClaims, meets, second_factor};
use super::flow::Flow;
use super::http::{Client, Proof, Reply};
use super::jwks::KeySet;
use super::jwt::{BadToken, Unchecked};
use super::metadata::{self, Metadata};
use super::settings::Settings;
use super::tokens::{Tokens, read_tokens};
use crate::clock::Clock;
use crate::model::identity::{Arrival, Claims};
use crate::net::dial::Dialer;
use crate::server::app::identities::Strength;
use crate::server::app::identity_grants::Granted;

/// How long what a provider says of itself is kept.
const KEPT: Duration = Duration::from_hours(1);
/// A provider is asked for its keys, or again after it failed, no more often than this, whatever
/// tokens it is sent.
const ASKED_EVERY: Duration = Duration::from_secs(10);
/// What a grant is taken to last when the provider does not say.
const LASTS: Duration = Duration::from_mins(5);
/// The longest refresh token that is kept. With a longer one a grant cannot be renewed.
const MAX_REFRESH_TOKEN: usize = 8000;
/// The longest a grant is taken to last.
const LASTS_AT_MOST: Duration = Duration::from_hours(24 * 30);

/// Why an exchange with a provider came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It cannot be reached, or says nothing that can be used. Later it may.
    #[error("{0}")]
    Away(String),
    /// It refuses, or says what is not to be believed.
    #[error("{0}")]
    Wrong(String),
    /// What it granted holds no longer.
    #[error("the grant has ended")]
    Ended,
}

/// What came of a sign-in.
pub struct Exchanged {
    /// Who came.
    pub arrival: Arrival,
    /// What was granted.
    pub granted: Granted,
    /// How they proved it.
    pub strength: Strength,
}

/// A provider that people sign in at.
pub struct Provider {
    /// As the operator has set it up.
    pub settings: Settings,
    pub(super) client: Client,
    clock: Clock,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    metadata: Option<(Metadata, Instant)>,
    keys: Option<(KeySet, Instant)>,
    failed: Option<(String, Instant)>,
}

impl Provider {
    /// A provider that was not asked for anything yet.
    #[must_use]
    pub fn new(settings: Settings, dialer: Dialer, clock: Clock) -> Self {
        let client = Client::new(dialer, &settings.issuer, &settings.trusted_hosts);
        Self { settings, client, clock, known: Mutex::default() }
    }

    /// Where a person is sent to sign in.
    ///
    /// # Errors
    /// When the provider cannot be reached.
    pub async fn authorization_url(&self, flow: &Flow, callback: &str) -> Result<Url, Failure> {
        let mut url = self.metadata().await?.authorization;
        let scopes = self.settings.scopes.join(" ");
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", callback)
            .append_pair("scope", &scopes)
            .append_pair("state", &flow.state)
            .append_pair("nonce", &flow.nonce)
            .append_pair("code_challenge", &flow.challenge())
            .append_pair("code_challenge_method", "S256");
        if !self.settings.acr_values.is_empty() {
            url.query_pairs_mut().append_pair("acr_values", &self.settings.acr_values.join(" "));
        }
        url.query_pairs_mut().extend_pairs(&self.settings.auth_url_params);
        Ok(url)
    }

    /// Whether an answer that came by the browser is from this provider (RFC 9207).
    ///
    /// # Errors
    /// When it is another's, or does not say though this one always does.
    pub async fn check_answerer(&self, issuer: Option<&str>) -> Result<(), Failure> {
        let metadata = self.metadata().await?;
        match issuer {
            Some(said) if said == metadata.issuer => Ok(()),
            None if !metadata.names_itself => Ok(()),
            Some(_) | None => {
                Err(Failure::Wrong("the answer is from another provider (\"iss\")".to_owned()))
            }
        }
    }

    /// Exchanges the code that a browser brought for who the person is.
    ///
    /// # Errors
    /// When the provider cannot be reached, refuses, or is not to be believed.
    pub async fn exchange(
        &self,
        flow: &Flow,
        code: &str,
        callback: &str,
    ) -> Result<Exchanged, Failure> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", callback),
            ("code_verifier", &flow.verifier),
        ];
        let tokens = self.ask_for_tokens(&form).await.map_err(|failure| match failure {
            Failure::Ended => Failure::Wrong("it does not know this sign-in any more".to_owned()),
            other @ (Failure::Away(_) | Failure::Wrong(_)) => other,
        })?;
        let Some(id_token) = &tokens.id_token else {
            let why = "it sent no ID token; is \"openid\" among the scopes?";
            return Err(Failure::Wrong(why.to_owned()));
        };
        let metadata = self.metadata().await?;
        let (subject, claims) = self.id_token(id_token, &metadata, Some(&flow.nonce)).await?;
        // Only what the provider has signed says how: userinfo is about the person.
        let trusted = Some(&claims.0).filter(|_| self.settings.trust_amr);
        let strength = Strength {
            is_met: meets(&claims.0, &self.settings.acr_values),
            mfa_at: trusted.and_then(|said| second_factor(said, self.clock.now())),
        };
        let granted = self.granted(&tokens, &claims);
        let claims = self.whole(&metadata, &tokens, (&subject, claims)).await?;
        let provider = self.settings.name.clone();
        let arrival = Arrival { provider, issuer: metadata.issuer, subject, claims };
        Ok(Exchanged { arrival, granted, strength })
    }

    /// Renews a grant. Says who the person is now, as far as the provider does.
    ///
    /// # Errors
    /// [`Failure::Ended`] when the provider ended it.
    pub async fn renew(
        &self,
        (subject, refresh_token): (&str, &str),
    ) -> Result<(Granted, Option<Claims>), Failure> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        let tokens = self.ask_for_tokens(&form).await?;
        let metadata = self.metadata().await?;
        let mut claims = None;
        if let Some(id_token) = &tokens.id_token {
            let (said, found) = self.id_token(id_token, &metadata, None).await?;
            if said != subject {
                return Err(Failure::Wrong("it renewed someone else's grant".to_owned()));
            }
            claims = Some(found);
        }
        let granted = self.granted(&tokens, claims.as_ref().unwrap_or(&Claims::default()));
        if claims.is_none() && (self.settings.ignore_user_info || metadata.userinfo.is_none()) {
            return Ok((granted, None));
        }
        // What was renewed is kept also when userinfo does not answer: the old token may be void.
        match self.whole(&metadata, &tokens, (subject, claims.unwrap_or_default())).await {
            Ok(claims) => Ok((granted, Some(claims))),
            Err(failure @ Failure::Wrong(_)) => Err(failure),
            Err(Failure::Away(why)) => {
                tracing::warn!(provider = self.settings.name, why, "userinfo did not answer");
                Ok((granted, None))
            }
            Err(Failure::Ended) => Err(Failure::Ended),
        }
    }

    /// Checks a logout token that the provider sent.
    ///
    /// # Errors
    /// When it is not the provider's, or not for us.
    pub async fn logout_token(&self, token: &str) -> Result<(String, LogoutClaims), Failure> {
        let wrong = |bad: BadToken| Failure::Wrong(format!("the logout token: {bad}"));
        let token = Unchecked::read(token).map_err(wrong)?;
        let metadata = self.metadata().await?;
        let claims = self.checked(&token, &metadata).await?.map_err(wrong)?;
        let said = self.expected(&metadata).check_logout_token(&claims).map_err(wrong)?;
        Ok((metadata.issuer, said))
    }

    async fn id_token(
        &self,
        token: &str,
        metadata: &Metadata,
        nonce: Option<&str>,
    ) -> Result<(String, Claims), Failure> {
        let wrong = |bad: BadToken| Failure::Wrong(format!("its ID token: {bad}"));
        let token = Unchecked::read(token).map_err(wrong)?;
        let claims = self.checked(&token, metadata).await?.map_err(wrong)?;
        let subject = self.expected(metadata).check_id_token(&claims, nonce).map_err(wrong)?;
        Ok((subject, Claims(claims)))
    }

    fn expected<'a>(&'a self, metadata: &'a Metadata) -> Expected<'a> {
        let client_id = &self.settings.client_id;
        Expected { issuer: &metadata.issuer, client_id, now: self.clock.now() }
    }

    /// The claims of a token, with those of userinfo over them.
    async fn whole(
        &self,
        metadata: &Metadata,
        tokens: &Tokens,
        (subject, claims): (&str, Claims),
    ) -> Result<Claims, Failure> {
        let Some(url) = metadata.userinfo.as_ref().filter(|_| !self.settings.ignore_user_info)
        else {
            return Ok(claims);
        };
        let proof = Proof::Bearer(tokens.access_token.0.clone());
        let reply = self.client.get(url, &proof).await.map_err(Failure::Away)?;
        if !reply.status.is_success() {
            return Err(Failure::Away(format!("userinfo answered {}", reply.status)));
        }
        let found: Map<String, Value> = serde_json::from_slice(&reply.body)
            .map_err(|_| Failure::Away("userinfo sent no JSON object".to_owned()))?;
        let found = Claims(found);
        // An access token may be another's (OpenID Connect Core, section 5.3.2).
        if found.0.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(Failure::Wrong("userinfo is about someone else (\"sub\")".to_owned()));
        }
        Ok(claims.merged(found))
    }

    fn granted(&self, tokens: &Tokens, claims: &Claims) -> Granted {
        let said = tokens.expires_in.as_ref().and_then(|v| match v {
            Value::Number(n) => n.as_u64(),
            Value::String(text) => text.parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        });
        let refresh_token = tokens.refresh_token.clone().filter(|t| t.0.len() <= MAX_REFRESH_TOKEN);
        let lasts = said.map_or(LASTS, Duration::from_secs).min(LASTS_AT_MOST);
        Granted {
            sid: claims.text("sid").to_owned(),
            refresh_token: refresh_token.map(|secret| secret.0),
            ends_at: self.clock.now().plus(lasts),
        }
    }

    async fn ask_for_tokens(&self, form: &[(&str, &str)]) -> Result<Tokens, Failure> {
        let metadata = self.metadata().await?;
        let reply = self.token_reply(&metadata, form).await.map_err(Failure::Away)?;
        read_tokens(&reply)
    }

    /// What the token endpoint answers to a form.
    ///
    /// # Errors
    /// Says why nothing came back.
    pub(super) async fn token_reply(
        &self,
        metadata: &Metadata,
        form: &[(&str, &str)],
    ) -> Result<Reply, String> {
        let mut form = form.to_vec();
        let (id, secret) = (&self.settings.client_id, &self.settings.client_secret);
        let proof = match secret {
            Some(secret) if !metadata.secret_in_body => {
                let both = Zeroizing::new(format!("{}:{}", encoded(id), encoded(secret)));
                Proof::Basic(Zeroizing::new(STANDARD.encode(both.as_bytes())))
            }
            Some(secret) => {
                form.extend([("client_id", id.as_str()), ("client_secret", secret.as_str())]);
                Proof::None
            }
            None => {
                form.push(("client_id", id));
                Proof::None
            }
        };
        self.client.post(&metadata.token, &proof, &form).await
    }

    /// What the provider says of itself. One request asks for it, however many want to know.
    async fn metadata(&self) -> Result<Metadata, Failure> {
        let mut known = self.known.lock().await;
        let now = self.clock.instant();
        if let Some((metadata, at)) = &known.metadata
            && now.duration_since(*at) < KEPT
        {
            return Ok(metadata.clone());
        }
        if let Some((why, at)) = &known.failed
            && now.duration_since(*at) < ASKED_EVERY
        {
            return Err(Failure::Away(why.clone()));
        }
        match self.discover().await {
            Ok(metadata) => {
                known.metadata = Some((metadata.clone(), now));
                known.failed = None;
                Ok(metadata)
            }
            Err(why) => {
                known.failed = Some((why.clone(), now));
                // What it said before is as good as it was.
                known.metadata.as_ref().map(|(m, _)| m.clone()).ok_or(Failure::Away(why))
            }
        }
    }

    async fn discover(&self) -> Result<Metadata, String> {
        let address = metadata::address(&self.settings.issuer);
        let url = Url::parse(&address).map_err(|_| format!("{address} is no address"))?;
        let reply = self.client.get(&url, &Proof::None).await?;
        if !reply.status.is_success() {
            return Err(format!("{address} answered {}; is the issuer right?", reply.status));
        }
        Metadata::read(&reply.body, &self.settings.issuer)
    }

    /// The claims of a token, when the provider has signed it. Its keys are asked for again when they
    /// are old, or none of them can be the one.
    async fn checked(
        &self,
        token: &Unchecked,
        metadata: &Metadata,
    ) -> Result<Result<Map<String, Value>, BadToken>, Failure> {
        let mut known = self.known.lock().await;
        let now = self.clock.instant();
        if let Some((keys, at)) = &known.keys {
            let (checked, age) = (token.check(keys), now.duration_since(*at));
            // A token that names no key may be of one that is new.
            let unknown =
                checked == Err(BadToken::UnknownKey) || (checked.is_err() && token.kid.is_none());
            if age < ASKED_EVERY || (age < KEPT && !unknown) {
                return Ok(checked);
            }
        }
        let reply = self.client.get(&metadata.jwks, &Proof::None).await.map_err(Failure::Away)?;
        let keys = KeySet::read(&reply.body).filter(|_| reply.status.is_success());
        let Some(keys) = keys else {
            let why = format!("its jwks_uri answered {} with no key set", reply.status);
            return Err(Failure::Away(why));
        };
        let checked = token.check(&keys);
        known.keys = Some((keys, now));
        Ok(checked)
    }
}

/// As a form has it: RFC 6749, section 2.3.1.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
