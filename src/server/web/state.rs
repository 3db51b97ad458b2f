//! What every handler can reach.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use axum::extract::FromRequestParts;
use http::request::Parts;
use url::Url;

use super::streams::Streams;
use crate::model::network::Network;
use crate::server::app::App;
use crate::server::config::Config;
use crate::server::fleet::Fleet;
use crate::server::identity::Providers;
use crate::server::identity::csrf::Csrf;
use crate::tasks::Tasks;

/// What every handler can reach; clones share everything, and cost one count. A handler takes it as
/// an argument.
#[derive(Clone)]
pub struct State(Arc<Shared>);

/// What the clones of a [`State`] share.
pub struct Shared {
    /// The use cases.
    pub app: App,
    /// Who is connected.
    pub fleet: Fleet,
    /// Where the tasks of sockets and streams run.
    pub tasks: Tasks,
    /// What this site is.
    pub site: Site,
    /// The tokens in forms.
    pub csrf: Csrf,
    /// Where people sign in besides here, and who keeps them here.
    pub providers: Providers,
    /// The streams that people have open.
    pub streams: Streams,
    /// The id of the deployment.
    pub deployment_id: uuid::Uuid,
    /// The first user exists; it is never unmade.
    pub(super) set_up: AtomicBool,
}

impl Deref for State {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What this site is.
#[derive(Clone, Debug)]
pub struct Site {
    /// Where it is reached.
    pub access_url: Url,
    /// Where the SSH front door is, as clients reach it: `host:port`.
    pub ssh_address: String,
    /// The fingerprint of the front door's key.
    pub ssh_fingerprint: String,
    /// Proxies whose forwarded headers are believed.
    pub trusted_proxies: Vec<Network>,
}

/// Bytes of the key that tokens in forms are made with.
const CSRF_KEY_BYTES: usize = 32;

impl State {
    /// Gathers what handlers need. [`App::ensure_start`] ran before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn new(
        app: App,
        fleet: Fleet,
        site: Site,
        providers: Providers,
        tasks: Tasks,
    ) -> anyhow::Result<Self> {
        let key = app.secret("csrf_key", |e| e.bytes::<CSRF_KEY_BYTES>().to_vec()).await;
        let csrf = Csrf::new(&key.context("Reading the key for forms")?);
        let deployment_id = app.deployment_id().await.context("Reading the deployment's id")?;
        let (set_up, streams) = (AtomicBool::new(false), Streams::default());
        let shared =
            Shared { app, fleet, tasks, site, csrf, providers, streams, deployment_id, set_up };
        Ok(Self(Arc::new(shared)))
    }
}

impl Site {
    /// The site of a configuration, reached at `url`, with its front door at `ssh`.
    ///
    /// # Errors
    /// When the access URL is none.
    pub fn new(
        config: &Config,
        url: &str,
        ssh: SocketAddr,
        ssh_fingerprint: String,
    ) -> anyhow::Result<Self> {
        let access_url = Url::parse(url)
            .ok()
            .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
            .with_context(|| format!("{url:?} is no access URL; write https://host"))?;
        let host = access_url.host_str().unwrap_or_default().to_owned();
        Ok(Self {
            access_url,
            ssh_address: format!("{host}:{}", ssh.port()),
            ssh_fingerprint,
            trusted_proxies: config.trusted_proxies.clone(),
        })
    }

    /// Whether browsers reach it by TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.access_url.scheme() == "https"
    }

    /// Where it is reached, without a slash at the end.
    #[must_use]
    pub fn access_url(&self) -> &str {
        self.access_url.as_str().trim_end_matches('/')
    }
}

impl FromRequestParts<Self> for State {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, state: &Self) -> Result<Self, Infallible> {
        Ok(state.clone())
    }
}
