//! The server's HTTP in this process over a database in a temporary directory, with named people.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderMap, Method, Request, StatusCode, header};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use steading::clock::{Clock, Entropy};
use steading::model::factor::MfaRoles;
use steading::model::time::Timestamp;
use steading::model::user::SiteRole;
use steading::net::dial::Dialer;
use steading::server::app::programs::Programs;
use steading::server::app::retention::Retention;
use steading::server::app::users::CreateUser;
use steading::server::app::{App, Policy, settings};
use steading::server::config::{Config, Terraform};
use steading::server::db::Db;
use steading::server::fleet::address::Prefix;
use steading::server::fleet::{Fleet, Start};
use steading::server::identity::scim::Settings;
use steading::server::identity::{Fixed, Providers};
use steading::server::web::address::PeerAddress;
use steading::server::web::{self, Site, State};
use steading::tasks::Tasks;

/// The password of everyone.
pub const PASSWORD: &str = "kiln-and-clay";
/// The token with which a provider keeps users here.
pub const SCIM_TOKEN: &str = "a-token-for-scim-tests-that-is-long-enough";
/// Where the site is reached.
pub const URL: &str = "http://127.0.0.1:7080";

/// A server without sockets.
pub struct TestServer {
    pub app: App,
    pub clock: Clock,
    pub state: State,
    pub db_path: PathBuf,
    pub db: Db,
    router: axum::Router,
    _dir: tempfile::TempDir,
}

/// Someone who asks.
#[derive(Clone, Default)]
pub struct Client {
    pub token: Option<String>,
    pub cookie: Option<String>,
    pub headers: Vec<(&'static str, String)>,
    pub peer: Option<SocketAddr>,
}

/// What came back.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body as it came, and as a text.
    pub bytes: bytes::Bytes,
    pub text: String,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text))
    }

    /// The body, if the status is the expected one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

impl TestServer {
    /// A server nobody has set up.
    pub async fn empty() -> Self {
        Self::with(|_| {}, |_| {}).await
    }

    /// A server with people: `olga` owns it, `urs` is user admin, `tess` template admin, `aude`
    /// auditor, `ada` and `ben` are members.
    pub async fn start() -> Self {
        let server = Self::empty().await;
        let owner = server.app.create_first_user(person("olga")).await.unwrap();
        assert!(owner.has(SiteRole::Owner));
        let system = steading::server::app::Actor::System;
        for (name, role) in [
            ("urs", Some(SiteRole::UserAdmin)),
            ("tess", Some(SiteRole::TemplateAdmin)),
            ("aude", Some(SiteRole::Auditor)),
            ("ada", None),
            ("ben", None),
        ] {
            server.app.create_user(&system, person(name)).await.unwrap();
            let roles = role.into_iter().collect();
            server.app.set_user_roles(&system, name, roles).await.unwrap();
        }
        server
    }

    /// A server nobody has set up, with other settings.
    pub async fn with(policy: impl Fn(&mut Policy), config: impl Fn(&mut Config)) -> Self {
        Self::open(tempfile::tempdir().unwrap(), policy, config).await
    }

    /// Another server with what this one has now.
    pub async fn copy(&self) -> Self {
        self.copy_with(|_| {}).await
    }

    /// The same with other settings.
    pub async fn copy_with(&self, config: impl Fn(&mut Config)) -> Self {
        Self::open(self.copied(), |_| {}, config).await
    }

    /// The same with another policy.
    pub async fn copy_under(&self, policy: impl Fn(&mut Policy)) -> Self {
        Self::open(self.copied(), policy, |_| {}).await
    }

    fn copied(&self) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().join("steading.db");
        let conn = rusqlite::Connection::open(&self.db_path).unwrap();
        conn.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
        dir
    }

    async fn open(
        dir: tempfile::TempDir,
        policy: impl Fn(&mut Policy),
        config: impl Fn(&mut Config),
    ) -> Self {
        let clock = Clock::manual(Timestamp(1_795_000_000));
        let entropy = Entropy::machine();
        let db_path = dir.path().join("steading.db");
        let db = Db::open(&db_path, clock.clone(), entropy.clone()).unwrap();
        let seal = settings::load_seal(&db, None, entropy.clone()).await.unwrap();
        let mut chosen = Policy {
            access_url: URL.to_owned(),
            session_duration: Duration::from_hours(24),
            max_token_lifetime: Duration::from_hours(24 * 365),
            password_auth: true,
            breached: None,
            mfa_roles: MfaRoles::default(),
            retention: Retention::default(),
            recording: steading::model::recording::Policy::default(),
            programs: Programs::new(dir.path().join("programs"), dir.path().join("packed")),
            mail: None,
        };
        policy(&mut chosen);
        let mut told = told(dir.path().to_owned());
        config(&mut told);
        let url = told.access_url.clone().unwrap_or_else(|| URL.to_owned());
        let app = App::new(db.clone(), clock.clone(), entropy.clone(), seal, chosen);
        app.ensure_start().await.unwrap();
        let ssh = "127.0.0.1:7022".parse().unwrap();
        let site = Site::new(&told, &url, ssh, "SHA256:x".to_owned()).unwrap();
        let tasks = Tasks::new();
        let start = Start {
            secret: [1; 32],
            marks_key: [2; 32],
            prefix: Prefix::random(&entropy),
            bind: told.wireguard,
        };
        let fleet = Fleet::start(app.clone(), start, clock.clone(), entropy, &tasks).await.unwrap();
        let fixed = Fixed {
            oidc: told.oidc.clone(),
            github: told.github.clone(),
            ldap: told.ldap.clone(),
            scim: told.scim.clone(),
            told: told.told.clone(),
        };
        let ways = Providers::start(app.clone(), fixed, Dialer::default()).await.unwrap();
        let state = State::new(app.clone(), fleet, site, ways, tasks).await.unwrap();
        let router = web::router(state.clone());
        Self { app, clock, state, db_path, db, router, _dir: dir }
    }

    /// Signs someone in over HTTP.
    pub async fn sign_in(&self, name: &str) -> Client {
        let body = json!({ "email": name, "password": PASSWORD });
        let reply = self.post(&Client::default(), "/api/v2/users/login", body).await.expect(201);
        let token = reply.json()["session_token"].as_str().unwrap().to_owned();
        Client { token: Some(token), ..Client::default() }
    }

    pub async fn get(&self, client: &Client, path: &str) -> Reply {
        self.call(client, Method::GET, path, None).await
    }

    pub async fn post(&self, client: &Client, path: &str, body: Value) -> Reply {
        self.call(client, Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, client: &Client, path: &str, body: Value) -> Reply {
        self.call(client, Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, client: &Client, path: &str, body: Value) -> Reply {
        self.call(client, Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, client: &Client, path: &str) -> Reply {
        self.call(client, Method::DELETE, path, None).await
    }

    /// Sends a request with a JSON body.
    pub async fn call(
        &self,
        client: &Client,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Reply {
        let mut request = client.request(method, path);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |b| Body::from(b.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    /// Sends a form.
    pub async fn form(&self, client: &Client, path: &str, fields: &[(&str, &str)]) -> Reply {
        let request = client
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let service = TowerToHyperService::new(self.router.clone());
        let (parts, body) = service.call(request).await.unwrap().into_parts();
        // A stream of events has no end.
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let stream = kind.is_some_and(|k| k.starts_with("text/event-stream"));
        let body = if stream { Body::empty() } else { body };
        let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Reply { status: parts.status, headers: parts.headers, bytes, text }
    }
}

impl Client {
    /// A request of theirs, to be given a body.
    pub fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let peer = self.peer.unwrap_or_else(|| "192.0.2.10:4711".parse().unwrap());
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "127.0.0.1:7080")
            .extension(ConnectInfo(PeerAddress(peer)));
        if let Some(token) = &self.token {
            request = request.header("Coder-Session-Token", token);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request
    }

    /// The same person in a browser: by cookie instead of by header.
    pub fn in_browser(&self, headers: &[(&'static str, &str)]) -> Self {
        Self {
            token: None,
            cookie: self.token.as_ref().map(|token| format!("coder_session_token={token}")),
            headers: headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
            peer: self.peer,
        }
    }
}

/// What someone named so is made from.
pub fn person(name: &str) -> CreateUser {
    CreateUser {
        username: name.to_owned(),
        email: format!("{name}@example.org"),
        name: String::new(),
        password: Some(PASSWORD.to_owned()),
        ..CreateUser::default()
    }
}

fn told(data: PathBuf) -> Config {
    let any = "127.0.0.1:0".parse().unwrap();
    Config {
        programs: data.join("programs"),
        data,
        http: any,
        ssh: any,
        wireguard: any,
        access_url: None,
        tls: None,
        trusted_proxies: Vec::new(),
        terraform: Terraform {
            binary: None,
            config: None,
            mirror: None,
            time_limit: Duration::from_secs(60),
            environment: BTreeMap::new(),
        },
        runners: 1,
        session_duration: Duration::from_hours(24),
        max_token_lifetime: Duration::from_hours(24),
        password_auth: true,
        sharing_off: false,
        breached_passwords: None,
        mfa_roles: MfaRoles::default(),
        oidc: vec![],
        github: None,
        ldap: None,
        scim: Some(Settings::new(SCIM_TOKEN, "").unwrap()),
        retention: Retention::default(),
        recording: steading::model::recording::Policy::default(),
        mail: None,
        told: vec![],
        master_key_file: None,
    }
}
