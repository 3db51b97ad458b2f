//! What every handler can reach.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use axum::extract::FromRequestParts;
use http::request::Parts;
use url::Url;

use crate::server::app::App;
use crate::server::config::Network;
use crate::server::fleet::Fleet;
use crate::server::identity::csrf::Csrf;
use crate::tasks::Tasks;

/// What every handler can reach; clones share everything. A handler takes it as an argument.
#[derive(Clone)]
pub struct State {
    /// The use cases.
    pub app: App,
    /// Who is connected.
    pub fleet: Fleet,
    /// Where the tasks of sockets and streams run.
    pub tasks: Tasks,
    /// What this site is.
    pub site: Arc<Site>,
}

/// What this site is.
pub struct Site {
    /// Where it is reached.
    pub access_url: Url,
    /// The id of the deployment.
    pub deployment_id: uuid::Uuid,
    /// `host:port` of the SSH front door; empty when there is none.
    pub ssh_address: String,
    /// The tokens in forms.
    pub csrf: Csrf,
    pub(super) trusted_proxies: Vec<Network>,
    /// The first user exists; it is never unmade.
    pub(super) set_up: AtomicBool,
}

/// What the operator says of the site.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is reached.
    pub access_url: String,
    /// `host:port` of the SSH front door; empty when there is none.
    pub ssh_address: String,
    /// Proxies whose forwarded headers are believed.
    pub trusted_proxies: Vec<Network>,
}

/// Bytes of the key that tokens in forms are made with.
const CSRF_KEY_BYTES: usize = 32;

impl State {
    /// Gathers what handlers need. [`App::ensure_start`] ran before.
    ///
    /// # Errors
    /// When the access URL is none or the database fails.
    pub async fn load(
        app: App,
        fleet: Fleet,
        tasks: Tasks,
        settings: Settings,
    ) -> anyhow::Result<Self> {
        let access_url = Url::parse(&settings.access_url)
            .ok()
            .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
            .with_context(|| format!("{:?} is no access URL", settings.access_url))?;
        let key = app.secret("csrf_key", |e| e.bytes::<CSRF_KEY_BYTES>().to_vec()).await;
        let site = Site {
            access_url,
            deployment_id: app.deployment_id().await.context("Reading the deployment's id")?,
            ssh_address: settings.ssh_address,
            csrf: Csrf::new(&key.context("Reading the key for forms")?),
            trusted_proxies: settings.trusted_proxies,
            set_up: AtomicBool::new(false),
        };
        Ok(Self { app, fleet, tasks, site: Arc::new(site) })
    }
}

impl Site {
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
