//! GitHub: people sign in there, by being led there and back or by entering a code.

pub mod provider;
mod settings;
pub mod tokens;
mod trial;

use std::sync::Arc;

use anyhow::Context as _;
use url::Url;

pub use self::provider::{DeviceCode, GROUPS};
use self::provider::{Poll, Provider};
pub use self::settings::Settings;
use super::oidc::flow::{Flow, FlowKey};
use super::oidc::{Answer, Back, Failure, Finished, KEY_BYTES, Renewed, Stopped, conclude};
use crate::model::id::TokenId;
use crate::model::identity::{Arrival, GITHUB, Rules};
use crate::model::provider::Steps;
use crate::model::time::Timestamp;
use crate::model::user::LoginType;
use crate::net::dial::Dialer;
use crate::server::app::App;
use crate::server::app::identities::ProviderSignIn;
use crate::server::app::identity_grants::{Due, Granted};

/// The name of GitHub's settings, as grants have it.
pub const PROVIDER: &str = GITHUB;
/// Where GitHub leads back to, as with Coder.
pub const CALLBACK: &str = "/api/v2/users/oauth2/github/callback";

/// GitHub, if it is on; clones share everything.
#[derive(Clone)]
pub struct Github(Arc<Inner>);

struct Inner {
    app: App,
    provider: Option<Provider>,
    key: FlowKey,
}

/// What came of asking whether a person has entered their code.
pub enum Polled {
    /// They have.
    Done(Finished),
    /// Not yet.
    Waiting {
        /// What they enter.
        user_code: String,
        /// Where.
        at: String,
        /// Whether it was asked too early.
        slow: bool,
    },
}

impl Github {
    /// GitHub with these settings. It is not asked for anything before it is needed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn new(app: App, settings: Option<Settings>, dialer: Dialer) -> anyhow::Result<Self> {
        let key = app.secret("github_key", |e| e.bytes::<KEY_BYTES>().to_vec()).await;
        let key = FlowKey::new(&key.context("Reading the key for sign-ins at GitHub")?);
        app.set_rules(PROVIDER, settings.as_ref().map(|s| Arc::clone(&s.rules)));
        let provider = settings.map(|s| Provider::new(s, dialer, app.clock().clone()));
        Ok(Self(Arc::new(Inner { app, provider, key })))
    }

    /// Its settings, if it is on.
    #[must_use]
    pub fn settings(&self) -> Option<&Settings> {
        self.0.provider.as_ref().map(|p| &p.settings)
    }

    /// Where to send a browser that wants to sign in, or to add this way in to the account of the
    /// session `joins`; and the cookie that it keeps.
    ///
    /// # Errors
    /// When GitHub is off.
    pub fn begin(&self, next: &str, joins: Option<TokenId>) -> Result<(Url, String), Stopped> {
        let provider = self.provider()?;
        let flow = Flow::begin(PROVIDER, next, self.0.app.entropy(), self.0.app.clock().now());
        let flow = flow.joining(joins);
        let url = provider.authorization_url(&flow, &self.callback());
        Ok((url, flow.to_cookie(&self.0.key)))
    }

    /// Ends a sign-in with what the browser brought back.
    ///
    /// # Errors
    /// When it was begun elsewhere, or GitHub did not sign the person in.
    pub async fn finish(&self, answer: &Answer, back: Back<'_>) -> Result<Finished, Stopped> {
        let provider = self.provider()?;
        let flow = self.flow(back.cookie)?;
        if !flow.is_answered_by(&answer.state) {
            return Err(Stopped::NotBegun);
        }
        if flow.joins.is_none() && back.actor.is_some() {
            return Ok(Finished::In);
        }
        if !answer.error.is_empty() {
            return Err(answer.declined(PROVIDER));
        }
        let exchanged = provider.exchange(&flow, &answer.code, &self.callback()).await;
        let exchanged = exchanged.map_err(|failure| failed(&failure))?;
        self.conclude(exchanged, flow, back).await
    }

    /// What lets a browser with the session `joins` add this way in, for a program that leads it
    /// there; and when that is over.
    ///
    /// # Errors
    /// When GitHub is off, or people enter a code there.
    pub fn ticket(&self, joins: TokenId) -> Result<(String, Timestamp), Stopped> {
        if self.provider()?.settings.device_flow {
            return Err(Stopped::NoProvider);
        }
        let flow = Flow::begin(PROVIDER, "", self.0.app.entropy(), self.0.app.clock().now());
        let until = Timestamp(flow.until);
        Ok((flow.joining(Some(joins)).to_cookie(&self.0.key), until))
    }

    /// Begins with a ticket: the session it is for.
    #[must_use]
    pub fn read_ticket(&self, ticket: &str) -> Option<TokenId> {
        self.flow(ticket).ok()?.joins
    }

    /// A code for a person to enter there, and the cookie that their browser keeps.
    ///
    /// # Errors
    /// When GitHub or this way is off, or it is away.
    pub async fn begin_device(&self, next: &str) -> Result<(DeviceCode, String), Stopped> {
        let provider = self.provider()?;
        if !provider.settings.device_flow {
            return Err(Stopped::NoProvider);
        }
        let code = provider.device_code().await.map_err(|failure| failed(&failure))?;
        let flow = Flow::begin(PROVIDER, next, self.0.app.entropy(), self.0.app.clock().now());
        // The code is this browser's, as a state is: nobody else's sign-in is ended in it. What the
        // page shows is kept where the other way has what proves it.
        let flow = Flow {
            state: code.device_code.clone(),
            nonce: code.user_code.clone(),
            verifier: code.verification_uri.clone(),
            ..flow
        };
        Ok((code, flow.to_cookie(&self.0.key)))
    }

    /// Whether the person has entered the code that this browser keeps.
    ///
    /// # Errors
    /// When it was begun elsewhere, or is over.
    pub async fn poll_device(&self, back: Back<'_>) -> Result<Polled, Stopped> {
        let provider = self.provider()?;
        if !provider.settings.device_flow {
            return Err(Stopped::NoProvider);
        }
        let flow = self.flow(back.cookie)?;
        match provider.poll(&flow.state).await {
            Ok(Poll::In(exchanged)) => {
                self.conclude(*exchanged, flow, back).await.map(Polled::Done)
            }
            Ok(poll @ (Poll::Pending | Poll::Slow)) => {
                let slow = matches!(poll, Poll::Slow);
                Ok(Polled::Waiting { user_code: flow.nonce, at: flow.verifier, slow })
            }
            Err(Failure::Ended) => Err(Stopped::NotBegun),
            Err(failure @ (Failure::Away(_) | Failure::Wrong(_))) => Err(failed(&failure)),
        }
    }

    /// Renews a grant: the rules, and who the person is now; none when GitHub is off.
    pub async fn renew(&self, due: &Due) -> Option<(&Arc<Rules>, Renewed)> {
        let provider = self.0.provider.as_ref()?;
        let renewed = provider.renew(&due.identity.subject, &due.refresh_token).await;
        Some((&provider.settings.rules, renewed))
    }

    async fn conclude(
        &self,
        (arrival, granted): (Arrival, Granted),
        flow: Flow,
        back: Back<'_>,
    ) -> Result<Finished, Stopped> {
        let rules = Arc::clone(&self.provider()?.settings.rules);
        let (login_type, how) = (LoginType::Github, back.came.clone());
        let came = ProviderSignIn { arrival, rules, granted, login_type, came: how };
        conclude(&self.0.app, flow, back.actor, came).await
    }

    fn provider(&self) -> Result<&Provider, Stopped> {
        self.0.provider.as_ref().ok_or(Stopped::NoProvider)
    }

    fn flow(&self, cookie: &str) -> Result<Flow, Stopped> {
        let flow = Flow::from_cookie(&self.0.key, cookie, self.0.app.clock().now());
        flow.filter(|f| f.provider == PROVIDER).ok_or(Stopped::NotBegun)
    }

    /// Tries it out, as far as that goes without a person; none when it is off.
    pub async fn try_out(&self, steps: &mut Steps) -> Option<()> {
        let provider = self.0.provider.as_ref()?;
        provider.try_out(&self.callback(), steps).await;
        Some(())
    }

    /// Where GitHub leads back to, as it was told when we were registered there.
    #[must_use]
    pub fn callback(&self) -> String {
        format!("{}{CALLBACK}", self.0.app.policy.access_url)
    }
}

fn failed(failure: &Failure) -> Stopped {
    tracing::warn!(provider = PROVIDER, why = %failure, "a sign-in at a provider failed");
    Stopped::Failed("GitHub".to_owned())
}
