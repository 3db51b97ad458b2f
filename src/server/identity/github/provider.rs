//! The exchanges with GitHub: a code for a token, and with it who someone is.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use super::PROVIDER;
use super::settings::Settings;
use super::tokens::{Asked, Tokens};
use crate::clock::Clock;
use crate::model::identity::{Arrival, Claims};
use crate::net::dial::Dialer;
use crate::server::app::identity_grants::{ASKED_EVERY, Granted, LEAD};
use crate::server::identity::oidc::Failure;
use crate::server::identity::oidc::flow::Flow;
use crate::server::identity::oidc::http::{Client, Proof, Reply};

/// What is asked for: the addresses, and the organizations and teams someone is in.
const SCOPES: &str = "user:email read:org";
/// The longest code.
const MAX_CODE: usize = 200;
/// Entries of a page of a list, the most that GitHub gives.
const PAGE: usize = 100;
/// Pages of a list that are read.
const MAX_PAGES: usize = 10;
/// The claim with organizations and teams.
pub const GROUPS: &str = "groups";
/// The kind of grant that a device's code is (RFC 8628, section 3.4).
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// GitHub, as it is asked.
pub struct Provider {
    /// As the operator has set it up.
    pub settings: Settings,
    pub(super) client: Client,
    clock: Clock,
}

#[derive(Deserialize)]
struct Person {
    id: u64,
    login: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    email: String,
    primary: bool,
    verified: bool,
}

#[derive(Deserialize)]
struct Membership {
    state: String,
    organization: Organization,
}

#[derive(Deserialize)]
struct Organization {
    login: String,
}

#[derive(Deserialize)]
struct Team {
    slug: String,
    organization: Organization,
}

/// A code that a person is to enter there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DeviceCode {
    /// What we ask with whether they have.
    pub device_code: String,
    /// What they enter.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// For how long, in seconds.
    pub expires_in: u32,
    /// How often may be asked, in seconds.
    #[serde(default = "five")]
    pub interval: u32,
}

/// RFC 8628, section 3.2.
fn five() -> u32 {
    5
}

/// What came of asking whether a code was entered.
pub enum Poll {
    /// It was: who it is.
    In(Box<(Arrival, Granted)>),
    /// Not yet.
    Pending,
    /// Not yet, and it was asked too early.
    Slow,
}

impl Provider {
    /// GitHub, not asked for anything yet.
    #[must_use]
    pub fn new(settings: Settings, dialer: Dialer, clock: Clock) -> Self {
        let client = Client::new(dialer, &settings.base, &BTreeSet::new());
        Self { settings, client, clock }
    }

    /// Where a person is sent to sign in.
    #[must_use]
    pub fn authorization_url(&self, flow: &Flow, callback: &str) -> Url {
        let mut url = below(&self.settings.base, "login/oauth/authorize");
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", callback)
            .append_pair("scope", SCOPES)
            .append_pair("state", &flow.state)
            .append_pair("code_challenge", &flow.challenge())
            .append_pair("code_challenge_method", "S256");
        url
    }

    /// Exchanges the code that a browser brought for who the person is.
    ///
    /// # Errors
    /// When GitHub cannot be reached, refuses, or says nothing that can be used.
    pub async fn exchange(
        &self,
        flow: &Flow,
        code: &str,
        callback: &str,
    ) -> Result<(Arrival, Granted), Failure> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", callback),
            ("code_verifier", &flow.verifier),
        ];
        match self.ask_for_tokens(&form).await {
            Ok(Asked::Given(tokens)) => self.arrival(&tokens).await,
            Ok(Asked::Pending | Asked::Slow) | Err(Failure::Ended) => {
                Err(Failure::Wrong("it does not know this sign-in any more".to_owned()))
            }
            Err(other @ (Failure::Away(_) | Failure::Wrong(_))) => Err(other),
        }
    }

    /// Asks for a code that a person is to enter there.
    ///
    /// # Errors
    /// When GitHub cannot be reached, or gives none.
    pub async fn device_code(&self) -> Result<DeviceCode, Failure> {
        let url = below(&self.settings.base, "login/device/code");
        let reply = self.post(&url, &[("scope", SCOPES)]).await?;
        let code: Option<DeviceCode> = serde_json::from_slice(&reply.body).ok();
        // It becomes a link on a page of ours.
        let fits = |code: &DeviceCode| {
            code.device_code.len() <= MAX_CODE
                && code.user_code.len() <= MAX_CODE
                && Url::parse(&code.verification_uri)
                    .is_ok_and(|at| at.origin() == self.settings.base.origin())
        };
        code.filter(fits).ok_or_else(|| {
            Failure::Wrong(format!(
                "it answered {} with no code; is the device flow on for this app?",
                reply.status
            ))
        })
    }

    /// Asks whether a person has entered their code.
    ///
    /// # Errors
    /// As [`Provider::exchange`]; [`Failure::Ended`] when the code is over.
    pub async fn poll(&self, device_code: &str) -> Result<Poll, Failure> {
        let form = [("grant_type", DEVICE_GRANT), ("device_code", device_code)];
        match self.ask_for_tokens(&form).await? {
            Asked::Given(tokens) => Ok(Poll::In(Box::new(self.arrival(&tokens).await?))),
            Asked::Pending => Ok(Poll::Pending),
            Asked::Slow => Ok(Poll::Slow),
        }
    }

    /// Asks again who someone is, with what was kept of their sign-in.
    ///
    /// # Errors
    /// [`Failure::Ended`] when they have taken it back.
    pub async fn renew(
        &self,
        subject: &str,
        kept: &str,
    ) -> Result<(Granted, Option<Claims>), Failure> {
        let mut tokens = Tokens::from_kept(kept).ok_or(Failure::Ended)?;
        let mut is_renewed = false;
        if let Some(refresh) = tokens.due(self.clock.now()) {
            let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
            if let Asked::Given(renewed) = self.ask_for_tokens(&form).await? {
                (tokens, is_renewed) = (renewed, true);
            }
        }
        let (arrival, granted) = match self.arrival(&tokens).await {
            // What was renewed is kept: the old token is void.
            Err(Failure::Away(why)) if is_renewed => {
                tracing::warn!(provider = PROVIDER, why, "who someone is was not answered");
                return Ok((self.granted(&tokens), None));
            }
            arrived => arrived?,
        };
        if arrival.subject != subject {
            return Err(Failure::Wrong("the token is someone else's".to_owned()));
        }
        Ok((granted, Some(arrival.claims)))
    }

    /// Asks the token endpoint.
    ///
    /// # Errors
    /// As [`Tokens::read`].
    pub(super) async fn ask_for_tokens(&self, form: &[(&str, &str)]) -> Result<Asked, Failure> {
        let url = below(&self.settings.base, "login/oauth/access_token");
        let reply = self.post(&url, form).await?;
        Tokens::read(&reply, self.clock.now())
    }

    async fn post(&self, url: &Url, form: &[(&str, &str)]) -> Result<Reply, Failure> {
        let (id, secret) = (&self.settings.client_id, &self.settings.client_secret);
        let ours = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
        let form: Vec<(&str, &str)> = form.iter().copied().chain(ours).collect();
        self.client.post(url, &Proof::None, &form).await.map_err(Failure::Away)
    }

    /// Who someone is: by the number that stays theirs, whatever they call themselves.
    async fn arrival(&self, tokens: &Tokens) -> Result<(Arrival, Granted), Failure> {
        let proof = Proof::Bearer(tokens.access.clone());
        let person: Person = self.get("user", &proof).await?;
        let emails: Vec<Email> = self.get("user/emails", &proof).await?;
        let mut claims = Map::new();
        claims.insert("login".to_owned(), Value::from(person.login));
        claims.insert("name".to_owned(), Value::from(person.name.unwrap_or_default()));
        // Only the first address, and only when it is proven: others may be anyone's.
        if let Some(email) = emails.into_iter().find(|e| e.primary && e.verified) {
            claims.insert("email".to_owned(), Value::from(email.email));
            claims.insert("email_verified".to_owned(), Value::Bool(true));
        }
        if self.settings.rules.asks_for_groups() {
            claims.insert(GROUPS.to_owned(), Value::from(self.groups(&proof).await?));
        }
        let (provider, issuer) = (PROVIDER.to_owned(), self.settings.issuer());
        let subject = person.id.to_string();
        let arrival = Arrival { provider, issuer, subject, claims: Claims(claims) };
        Ok((arrival, self.granted(tokens)))
    }

    /// The organizations someone is in for good, and their teams in these.
    async fn groups(&self, proof: &Proof) -> Result<Vec<String>, Failure> {
        let memberships: Vec<Membership> =
            self.list("user/memberships/orgs?state=active", proof).await?;
        let active = memberships.into_iter().filter(|m| m.state == "active");
        let organizations: BTreeSet<String> =
            active.map(|m| m.organization.login.to_lowercase()).collect();
        let teams: Vec<Team> = self.list("user/teams?", proof).await?;
        let mut all: Vec<String> = organizations.iter().cloned().collect();
        for team in teams {
            let organization = team.organization.login.to_lowercase();
            if organizations.contains(&organization) {
                all.push(format!("{organization}/{}", team.slug.to_lowercase()));
            }
        }
        Ok(all)
    }

    async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        proof: &Proof,
    ) -> Result<Vec<T>, Failure> {
        let mut all = vec![];
        for page in 1..=MAX_PAGES {
            let found: Vec<T> =
                self.get(&format!("{path}&per_page={PAGE}&page={page}"), proof).await?;
            let is_last = found.len() < PAGE;
            all.extend(found);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, proof: &Proof) -> Result<T, Failure> {
        let url = below(&self.settings.api, path);
        let reply = self.client.get(&url, proof).await.map_err(Failure::Away)?;
        match reply.status.as_u16() {
            401 => Err(Failure::Ended),
            200 => serde_json::from_slice(&reply.body)
                .map_err(|e| Failure::Away(format!("{}: {e}", url.path()))),
            status => Err(Failure::Away(format!("{} answered {status}", url.path()))),
        }
    }

    fn granted(&self, tokens: &Tokens) -> Granted {
        Granted {
            sid: String::new(),
            refresh_token: Some(tokens.to_kept()),
            ends_at: self.clock.now().plus(ASKED_EVERY).plus(LEAD),
        }
    }
}

/// An address below another.
pub(super) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url.set_query(query.map(|q| q.trim_start_matches('&')));
    url
}
