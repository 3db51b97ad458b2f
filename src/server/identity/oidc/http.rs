//! The few requests that a provider is sent: bounded in size and time, and only to where they may go.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::sync::Semaphore;
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::net::dial::Dialer;

/// Time for an answer to come whole. A person waits for it.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Longest answer that is read. Key sets with certificates in them have some ten kilobytes.
const MAX_ANSWER: usize = 512 << 10;
/// Requests to one provider at once: whoever opens the sign-in page can cause some. More wait.
const AT_ONCE: usize = 16;

/// Sends requests to one provider.
#[derive(Clone)]
pub struct Client {
    dialer: Dialer,
    /// Hosts that the operator has named: the issuer's, and those that may be private.
    named: BTreeSet<String>,
    turns: Arc<Semaphore>,
}

/// How a request proves who sends it.
#[derive(Clone)]
pub enum Proof {
    /// Not at all.
    None,
    /// With the client's id and secret.
    Basic(Zeroizing<String>),
    /// With a person's access token.
    Bearer(Zeroizing<String>),
}

/// What a provider answered.
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Bytes,
    /// Where it leads; empty when nowhere.
    pub location: String,
}

/// Whether this may be asked: by TLS, or on this machine, or where the operator says so.
#[must_use]
pub fn may_ask(url: &Url, named: &BTreeSet<String>) -> bool {
    let plain = || is_here(url) || url.host_str().is_some_and(|host| named.contains(host));
    url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && plain()))
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Client {
    /// A client of the provider `issuer`. Its own host may be in a private network, since the
    /// operator chose it; so may `trusted` ones. All others have to be public.
    #[must_use]
    pub fn new(dialer: Dialer, issuer: &Url, trusted: &BTreeSet<String>) -> Self {
        let own = issuer.host_str().map(str::to_owned);
        let named = trusted.iter().cloned().chain(own).collect();
        Self { dialer, named, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// `GET`.
    ///
    /// # Errors
    /// Says why nothing came back.
    pub async fn get(&self, url: &Url, proof: &Proof) -> Result<Reply, String> {
        self.send(url, proof, None).await
    }

    /// `POST` of a form.
    ///
    /// # Errors
    /// Says why nothing came back.
    pub async fn post(
        &self,
        url: &Url,
        proof: &Proof,
        form: &[(&str, &str)],
    ) -> Result<Reply, String> {
        let body = serde_urlencoded::to_string(form).map_err(|e| e.to_string())?;
        self.send(url, proof, Some(Bytes::from(body))).await
    }

    /// What a browser would be answered that is sent there: redirects are not followed.
    ///
    /// # Errors
    /// Says why nothing came back.
    pub async fn visit(&self, url: &Url) -> Result<Reply, String> {
        self.ask(url, &Proof::None, None).await
    }

    /// Whether an address may be asked.
    #[must_use]
    pub fn may_ask(&self, url: &Url) -> bool {
        may_ask(url, &self.named)
    }

    async fn send(&self, url: &Url, proof: &Proof, form: Option<Bytes>) -> Result<Reply, String> {
        let reply = self.ask(url, proof, form).await?;
        if reply.status.is_redirection() {
            let place = place(url);
            return Err(format!("{place} leads elsewhere ({}); write where to", reply.status));
        }
        Ok(reply)
    }

    async fn ask(&self, url: &Url, proof: &Proof, form: Option<Bytes>) -> Result<Reply, String> {
        let place = place(url);
        if !may_ask(url, &self.named) {
            return Err(format!("{place} is not asked: it has to be https://"));
        }
        let request = request(url, proof, form).map_err(|e| format!("{place}: {e}"))?;
        let asked = async {
            let _turn = self.turns.acquire().await?;
            self.exchange(url, request).await
        };
        let reply = tokio::time::timeout(ANSWER_WITHIN, asked)
            .await
            .map_err(|_| format!("{place} did not answer in {} s", ANSWER_WITHIN.as_secs()))?
            .map_err(|e| format!("{place} cannot be reached: {e:#}"))?;
        Ok(reply)
    }

    async fn exchange(&self, url: &Url, request: Request<Full<Bytes>>) -> anyhow::Result<Reply> {
        let named = url.host_str().is_some_and(|host| self.named.contains(host));
        let dialled =
            if named { self.dialer.dial(url).await } else { self.dialer.dial_public(url).await };
        let (mut sender, connection) = handshake(TokioIo::new(dialled?)).await?;
        let answer = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            let location = response.headers().get(header::LOCATION);
            let location = location.and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
            let collected = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
            let body = collected.map_err(|e| anyhow::anyhow!("{e}"))?.to_bytes();
            anyhow::Ok(Reply { status, body, location })
        };
        // The connection lives as long as its one exchange.
        let carried = async {
            let _ = connection.await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            answered = answer => answered,
            () = carried => anyhow::bail!("the connection ended"),
        }
    }
}

/// An address as it may be told: without what a query may hold.
fn place(url: &Url) -> String {
    let text = format!("{}{}", url.origin().ascii_serialization(), url.path());
    text.chars().take(200).collect()
}

fn request(url: &Url, proof: &Proof, form: Option<Bytes>) -> anyhow::Result<Request<Full<Bytes>>> {
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let target = url
        .query()
        .map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let mut request = Request::builder()
        .method(if form.is_some() { "POST" } else { "GET" })
        .uri(target)
        .header(header::HOST, host)
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, concat!("steading/", env!("CARGO_PKG_VERSION")));
    match proof {
        Proof::None => {}
        Proof::Basic(text) => {
            request = request.header(header::AUTHORIZATION, secret("Basic", text)?);
        }
        Proof::Bearer(text) => {
            request = request.header(header::AUTHORIZATION, secret("Bearer", text)?);
        }
    }
    if form.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    Ok(request.body(Full::new(form.unwrap_or_default()))?)
}

fn secret(kind: &str, text: &str) -> anyhow::Result<http::HeaderValue> {
    let mut value = http::HeaderValue::from_str(&format!("{kind} {text}"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_asked_by_tls_unless_it_is_here_or_named() {
        let named = BTreeSet::from(["auth.lan".to_owned()]);
        let check =
            |url: &str, may| assert_eq!(may_ask(&url.parse().unwrap(), &named), may, "{url}");
        check("https://sso.example.org/", true);
        check("http://127.0.0.1:9/", true);
        check("http://[::1]:9/", true);
        check("http://localhost/", true);
        check("http://auth.lan/", true);
        check("http://sso.example.org/", false);
        check("http://localhost.example.org/", false);
        check("file:///etc/passwd", false);
    }

    #[tokio::test]
    async fn what_a_provider_names_in_a_private_network_is_not_reached() {
        let issuer = "https://sso.example.org".parse().unwrap();
        let client = Client::new(Dialer::default(), &issuer, &BTreeSet::new());
        for inside in ["https://127.0.0.1:1/", "https://169.254.169.254/", "https://[fd00::1]/"] {
            let error = client.get(&inside.parse().unwrap(), &Proof::None).await.err().unwrap();
            assert!(error.contains("has no public address"), "{error}");
        }
    }
}
