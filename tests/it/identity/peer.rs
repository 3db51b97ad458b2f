//! A real `OpenID` provider as a child, and a browser that signs in there.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use url::Url;

/// The provider; it ends with this.
pub struct Peer {
    pub issuer: Url,
    _child: Child,
}

/// What came back.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

/// A browser, with cookies of one site.
#[derive(Default)]
pub struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Peer {
    /// Starts a provider that knows one client: Steading at `base`.
    pub async fn start(base: &str, grants: &[&str]) -> Self {
        let client = json!({
            "client_id": "steading",
            "client_secret": "a secret for tests",
            "redirect_uris": [
                format!("{base}/login/oidc/sso/callback"), format!("{base}/api/v2/users/oidc/callback"),
            ],
            "response_types": ["code"],
            "grant_types": grants,
            "backchannel_logout_uri": format!("{base}/login/oidc/sso/backchannel-logout"),
            "backchannel_logout_session_required": true,
        });
        Self::run(&client, "").await
    }

    /// Starts an OAuth server with GitHub's paths and answers, for Steading at `base`.
    pub async fn github(base: &str) -> Self {
        let client = json!({
            "client_id": "steading",
            "client_secret": "a secret for tests",
            "redirect_uris": [format!("{base}/api/v2/users/oauth2/github/callback")],
            "response_types": ["code"],
            "grant_types": [
                "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
            ],
            "token_endpoint_auth_method": "client_secret_post",
        });
        Self::run(&client, "github").await
    }

    async fn run(client: &Value, kind: &str) -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
        assert!(dir.join("node_modules").is_dir(), "run .ci/peers first");
        let mut child = Command::new("node")
            .arg(dir.join("oidc.mjs"))
            .args([client.to_string().as_str(), kind])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let issuer = loop {
            let line = lines.next_line().await.unwrap().expect("the provider listens");
            if line.starts_with("http://") {
                break line.parse().unwrap();
            }
        };
        Self { issuer, _child: child }
    }

    /// Adds someone, or changes what is said of them.
    pub async fn put(&self, subject: &str, claims: Value) {
        let url = self.issuer.join(&format!("/people/{subject}")).unwrap();
        let body = claims.to_string();
        let page = Browser::default().send(Method::PUT, &url, "application/json", body).await;
        assert_eq!(page.status, 204);
    }

    /// Removes someone.
    pub async fn remove(&self, subject: &str) {
        let url = self.issuer.join(&format!("/people/{subject}")).unwrap();
        let page = Browser::default().send(Method::DELETE, &url, "", String::new()).await;
        assert_eq!(page.status, 204);
    }
}

impl Browser {
    /// Signs in as `subject` where Steading sent this browser; where the provider leads back to.
    pub async fn sign_in(&mut self, sent_to: &str, subject: &str, back: &str) -> String {
        let mut url: Url = sent_to.parse().unwrap();
        let mut page = self.get(&url).await;
        for _ in 0..12 {
            if let Some(to) = page.headers.get(header::LOCATION) {
                let to = to.to_str().unwrap();
                if to.starts_with(back) {
                    return to.to_owned();
                }
                url = url.join(to).unwrap();
                page = self.get(&url).await;
                continue;
            }
            assert_eq!(page.status, 200, "{}", page.text);
            let prompt = between(&page.text, "name=\"prompt\" value=\"", "\"");
            let fields =
                [("prompt", prompt.as_str()), ("login", subject), ("password", "any will do")];
            page = self.submit(&url, &page, &fields).await;
        }
        panic!("the provider leads around in circles: {url}");
    }

    /// Signs in at Steading at `base`, by the way there at `path`; the session it is given.
    pub async fn arrive(&mut self, base: &str, path: &str, subject: &str) -> String {
        let mut there = Self::default();
        let page = there.get(&format!("{base}{path}").parse().unwrap()).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let sent_to = page.headers[header::LOCATION].to_str().unwrap();
        let back = self.sign_in(sent_to, subject, base).await;
        let page = there.get(&back.parse().unwrap()).await;
        assert_eq!(page.status, 303, "{}", page.text);
        there.cookies.remove("coder_session_token").expect("a session")
    }

    /// Enters a device's code as `subject`.
    pub async fn enter_code(&mut self, at: &str, code: &str, subject: &str) {
        let mut url: Url = at.parse().unwrap();
        let mut page = self.get(&url).await;
        let xsrf = between(&page.text, "name=\"xsrf\" value=\"", "\"");
        page = self.submit(&url, &page, &[("xsrf", &xsrf), ("user_code", code)]).await;
        let xsrf = between(&page.text, "name=\"xsrf\" value=\"", "\"");
        let confirm = [("xsrf", xsrf.as_str()), ("user_code", code), ("confirm", "yes")];
        page = self.submit(&url, &page, &confirm).await;
        for _ in 0..12 {
            if let Some(to) = page.headers.get(header::LOCATION) {
                url = url.join(to.to_str().unwrap()).unwrap();
                page = self.get(&url).await;
            } else if page.text.contains("name=\"prompt\"") {
                let prompt = between(&page.text, "name=\"prompt\" value=\"", "\"");
                let fields = [("prompt", prompt.as_str()), ("login", subject), ("password", "any")];
                page = self.submit(&url, &page, &fields).await;
            } else {
                assert_eq!(page.status, 200, "{}", page.text);
                return;
            }
        }
        panic!("the provider leads around in circles: {url}");
    }

    /// Signs out at the provider, which tells every client.
    pub async fn sign_out(&mut self, peer: &Peer) {
        let url = peer.issuer.join("/session/end").unwrap();
        let page = self.get(&url).await;
        let xsrf = between(&page.text, "name=\"xsrf\" value=\"", "\"");
        let done = self.submit(&url, &page, &[("xsrf", &xsrf), ("logout", "yes")]).await;
        assert!(done.status.is_redirection(), "{}", done.text);
    }

    async fn submit(&mut self, at: &Url, page: &Page, fields: &[(&str, &str)]) -> Page {
        let action = between(&page.text, "action=\"", "\"");
        let url = at.join(&action).unwrap();
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.send(Method::POST, &url, "application/x-www-form-urlencoded", body).await
    }

    async fn get(&mut self, url: &Url) -> Page {
        self.send(Method::GET, url, "", String::new()).await
    }

    async fn send(&mut self, method: Method, url: &Url, kind: &str, body: String) -> Page {
        let address = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        let io = TokioIo::new(tokio::net::TcpStream::connect(address.clone()).await.unwrap());
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        let target =
            url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let cookies: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, format!("{}:{}", address.0, address.1))
            .header(header::COOKIE, cookies.join("; "));
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let exchange = async {
            let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            (parts, String::from_utf8_lossy(&bytes).into_owned())
        };
        let carried = async {
            let _ = connection.await;
            std::future::pending::<()>().await;
        };
        let (parts, text) = tokio::select! {
            done = exchange => done,
            () = carried => unreachable!(),
        };
        for set in parts.headers.get_all(header::SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Page { status: parts.status, headers: parts.headers, text }
    }
}

/// The text between two others.
fn between(text: &str, before: &str, after: &str) -> String {
    let start = text.find(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    let rest = &text[start + before.len()..];
    rest.split(after).next().unwrap().to_owned()
}
