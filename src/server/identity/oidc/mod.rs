//! `OpenID` Connect: people sign in at providers that the operator has set up.

pub mod claims;
pub mod flow;
pub mod http;
pub mod jwks;
pub mod jwt;
pub mod metadata;
pub mod provider;
mod settings;
mod tokens;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use url::Url;

use self::flow::{Flow, FlowKey};
pub use self::provider::Failure;
use self::provider::{Exchanged, Provider};
pub use self::settings::Settings;
use crate::model::id::TokenId;
use crate::model::identity::{Claims, Rules};
use crate::model::provider::Steps;
use crate::model::time::Timestamp;
use crate::model::user::LoginType;
use crate::net::dial::Dialer;
use crate::server::app::attempts::Came;
use crate::server::app::identities::ProviderSignIn;
use crate::server::app::identity_grants::{Due, Granted, LoggedOut};
use crate::server::app::sessions::SignIn;
use crate::server::app::{self, Actor, App};

/// The provider of Coder's settings, which has Coder's callback.
pub const CODER_PROVIDER: &str = "oidc";
/// Where Coder's provider leads back to.
pub const CODER_CALLBACK: &str = "/api/v2/users/oidc/callback";
/// Bytes of the key that sign-ins under way are signed with.
pub const KEY_BYTES: usize = 32;
/// Logout tokens that are remembered, each for as long as it could be sent again.
const MAX_SEEN: usize = 4096;
const SEEN_FOR: Duration = Duration::from_mins(10);

/// What came of a renewal: what is granted now, and what is said anew of the person.
pub type Renewed = Result<(Granted, Option<Claims>), Failure>;

/// The providers; clones share everything.
#[derive(Clone)]
pub struct Oidc(Arc<Inner>);

struct Inner {
    shared: Shared,
    providers: BTreeMap<String, Arc<Provider>>,
}

/// What stays when providers come and go.
#[derive(Clone)]
struct Shared {
    app: App,
    dialer: Dialer,
    key: FlowKey,
    /// The ids of logout tokens that came.
    seen: Arc<Mutex<BTreeMap<String, Timestamp>>>,
}

impl Shared {
    fn provider(&self, settings: Settings) -> (String, Arc<Provider>) {
        let name = settings.name.clone();
        let clock = self.app.clock().clone();
        (name, Arc::new(Provider::new(settings, self.dialer.clone(), clock)))
    }
}

impl std::ops::Deref for Inner {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

/// A browser that a provider has led back.
#[derive(Clone, Copy)]
pub struct Back<'a> {
    /// What it kept.
    pub cookie: &'a str,
    /// How it comes.
    pub came: &'a Came,
    /// Who is signed in there.
    pub actor: Option<&'a Actor>,
}

/// What a browser brought back from a provider.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Answer {
    /// To be exchanged.
    pub code: String,
    /// What was sent along.
    pub state: String,
    /// The provider, if it says so.
    pub iss: Option<String>,
    /// Why not, in the protocol's word.
    pub error: String,
    /// Why not, in the provider's words: for the log only.
    pub error_description: String,
}

impl Answer {
    /// What a provider says goes into the log, shortened; only its code is shown.
    #[must_use]
    pub fn declined(&self, provider: &str) -> Stopped {
        let said: String = self.error_description.chars().take(200).collect();
        let code = self.error.chars().filter(|c| c.is_ascii_lowercase() || *c == '_').take(64);
        let code: String = code.collect();
        tracing::warn!(provider, code, ?said, "a provider did not sign someone in");
        Stopped::Declined(provider.to_owned(), code)
    }
}

/// Why a sign-in at a provider did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// There is no such provider.
    #[error("there is no such provider")]
    NoProvider,
    /// The answer is to no sign-in of this browser.
    #[error("this sign-in was begun in another browser, or more than ten minutes ago; try again")]
    NotBegun,
    /// The provider let the person go without signing them in.
    #[error("{0} did not sign you in ({1})")]
    Declined(String, String),
    /// The exchange failed; the log says why.
    #[error("signing in at {0} failed; the server's log says why")]
    Failed(String),
    /// The use case failed.
    #[error(transparent)]
    App(#[from] app::Error),
}

/// What a provider has ended.
pub enum Finished {
    /// A sign-in: what came of it, and where to go on to.
    SignIn(SignIn, String),
    /// A way in was added to the account of who began that.
    Joined,
    /// Nothing: who came back is signed in.
    In,
}

impl Oidc {
    /// The providers of these settings. None is asked for anything before it is needed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn new(app: App, settings: Vec<Settings>, dialer: Dialer) -> anyhow::Result<Self> {
        let key = app.secret("oidc_key", |e| e.bytes::<KEY_BYTES>().to_vec()).await;
        let key = FlowKey::new(&key.context("Reading the key for sign-ins at providers")?);
        let shared = Shared { app, dialer, key, seen: Arc::default() };
        let providers = settings.into_iter().map(|s| shared.provider(s)).collect();
        Ok(Self(Arc::new(Inner { shared, providers })))
    }

    /// The providers of these names as they are, and new ones.
    #[must_use]
    pub fn with(&self, kept: &BTreeSet<String>, new: Vec<Settings>) -> Self {
        let all = self.0.providers.iter().filter(|(name, _)| kept.contains(*name));
        let all = all.map(|(name, provider)| (name.clone(), Arc::clone(provider)));
        let providers = all.chain(new.into_iter().map(|s| self.0.shared.provider(s))).collect();
        Self(Arc::new(Inner { shared: self.0.shared.clone(), providers }))
    }

    /// The settings of each provider, by name.
    pub fn all(&self) -> impl Iterator<Item = &Settings> {
        self.0.providers.values().map(|p| &p.settings)
    }

    /// Where to send a browser that wants to sign in, or to add this way in to the account of the
    /// session `joins`; and the cookie that it keeps.
    ///
    /// # Errors
    /// When there is no such provider, or it is away.
    pub async fn begin(
        &self,
        name: &str,
        next: &str,
        joins: Option<TokenId>,
    ) -> Result<(Url, String), Stopped> {
        let provider = self.find(name)?;
        let flow = Flow::begin(name, next, self.0.app.entropy(), self.0.app.clock().now());
        let flow = flow.joining(joins);
        let url = provider.authorization_url(&flow, &self.callback(name)).await;
        let url = url.map_err(|failure| failed(provider, &failure))?;
        Ok((url, flow.to_cookie(&self.0.key)))
    }

    /// Ends a sign-in with what the browser brought back to the callback of the provider `name`.
    ///
    /// # Errors
    /// When it was begun elsewhere, or the provider did not sign the person in.
    pub async fn finish(
        &self,
        name: &str,
        answer: &Answer,
        back: Back<'_>,
    ) -> Result<Finished, Stopped> {
        let provider = self.find(name)?;
        let cookie = back.cookie;
        let flow = Flow::from_cookie(&self.0.key, cookie, self.0.app.clock().now());
        let flow = flow.filter(|f| f.provider == name && f.is_answered_by(&answer.state));
        let flow = flow.ok_or(Stopped::NotBegun)?;
        if flow.joins.is_none() && back.actor.is_some() {
            return Ok(Finished::In);
        }
        if flow.joins.is_some() && back.actor.is_none() {
            return Err(Stopped::NotBegun);
        }
        let failed = |failure| failed(provider, &failure);
        provider.check_answerer(answer.iss.as_deref()).await.map_err(failed)?;
        if !answer.error.is_empty() {
            return Err(answer.declined(name));
        }
        let callback = self.callback(name);
        let exchanged = provider.exchange(&flow, &answer.code, &callback).await;
        let Exchanged { arrival, granted, strength } = exchanged.map_err(failed)?;
        let rules = Arc::clone(&provider.settings.rules);
        let (login_type, how) = (LoginType::Oidc, back.came.clone());
        let came = ProviderSignIn { arrival, rules, granted, login_type, strength, came: how };
        conclude(&self.0.app, flow, back.actor, came).await
    }

    /// What lets a browser with the session `joins` add a way in, for a program that leads it there;
    /// and when that is over.
    ///
    /// # Errors
    /// When there is no such provider.
    pub fn ticket(&self, name: &str, joins: TokenId) -> Result<(String, Timestamp), Stopped> {
        self.find(name)?;
        let flow = Flow::begin(name, "", self.0.app.entropy(), self.0.app.clock().now());
        let until = Timestamp(flow.until);
        Ok((flow.joining(Some(joins)).to_cookie(&self.0.key), until))
    }

    /// Begins with a ticket: the provider's name, and the session it is for.
    #[must_use]
    pub fn read_ticket(&self, ticket: &str) -> Option<(String, TokenId)> {
        let flow = Flow::from_cookie(&self.0.key, ticket, self.0.app.clock().now())?;
        Some((flow.provider, flow.joins?))
    }

    /// A provider says that someone left there. How many grants ended.
    ///
    /// # Errors
    /// When the token is not the provider's, or came before.
    pub async fn logged_out(&self, name: &str, token: &str) -> Result<usize, Stopped> {
        let provider = self.find(name)?;
        let checked = provider.logout_token(token).await;
        let (issuer, said) = checked.map_err(|failure| failed(provider, &failure))?;
        if !self.is_new(&format!("{issuer} {}", said.jti)) {
            let again = Failure::Wrong("the logout token came before (\"jti\")".to_owned());
            return Err(failed(provider, &again));
        }
        let said = LoggedOut { issuer, subject: said.subject, sid: said.sid };
        Ok(self.0.app.provider_logged_out(said).await?)
    }

    /// Notes the id of a logout token. Whether it did not come before.
    fn is_new(&self, id: &str) -> bool {
        let now = self.0.app.clock().now();
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, at| now.since(*at) < SEEN_FOR);
        let id = id.chars().take(512).collect();
        seen.len() < MAX_SEEN && seen.insert(id, now).is_none()
    }

    /// Renews a grant: the provider's rules, and what it grants now; none without the provider.
    pub async fn renew(&self, due: &Due) -> Option<(&Arc<Rules>, Renewed)> {
        let provider = self.0.providers.get(&due.provider)?;
        let renewed = provider.renew((&due.identity.subject, &due.refresh_token)).await;
        Some((&provider.settings.rules, renewed))
    }

    /// Tries a provider out, as far as that goes without a person; none without such a provider.
    pub async fn try_out(&self, name: &str, steps: &mut Steps) -> Option<()> {
        let provider = self.find(name).ok()?;
        provider.try_out(&self.callback(name), steps).await;
        Some(())
    }

    /// Tries settings out that are not in force.
    pub async fn try_draft(&self, settings: Settings, steps: &mut Steps) -> Option<()> {
        let (name, provider) = self.0.shared.provider(settings);
        provider.try_out(&self.callback(&name), steps).await
    }

    fn find(&self, name: &str) -> Result<&Arc<Provider>, Stopped> {
        self.0.providers.get(name).ok_or(Stopped::NoProvider)
    }

    /// Where a provider leads back to, as it was told when we were registered there.
    #[must_use]
    pub fn callback(&self, name: &str) -> String {
        let base = &self.0.app.policy.access_url;
        if name == CODER_PROVIDER {
            format!("{base}{CODER_CALLBACK}")
        } else {
            format!("{base}/login/oidc/{name}/callback")
        }
    }
}

/// Signs in who came back, or adds the way in to the account of who began that.
///
/// # Errors
/// When nobody is signed in who could have begun it, or the use case fails.
pub(super) async fn conclude(
    app: &App,
    flow: Flow,
    actor: Option<&Actor>,
    came: ProviderSignIn,
) -> Result<Finished, Stopped> {
    match (flow.joins, actor) {
        (None, _) => Ok(Finished::SignIn(app.sign_in_by_provider(came).await?, flow.next)),
        (Some(session), Some(actor)) => {
            app.join_identity(actor, session, came).await?;
            Ok(Finished::Joined)
        }
        (Some(_), None) => Err(Stopped::NotBegun),
    }
}

fn failed(provider: &Provider, failure: &Failure) -> Stopped {
    let name = provider.settings.name.clone();
    tracing::warn!(provider = name, why = %failure, "a sign-in at a provider failed");
    Stopped::Failed(name)
}
