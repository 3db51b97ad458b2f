//! The API as a client without patience for retries: what a request was answered, and nothing more.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::e2e::site::{PATIENCE, Site};

/// Ada's session at a site.
pub struct Api {
    address: String,
    pub token: String,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: String,
}

impl Reply {
    /// The body as JSON, if the status is the expected one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl Api {
    /// With the session of the command line.
    pub fn of(site: &Site) -> Self {
        let session = std::fs::read_to_string(site.path("cli/session")).unwrap();
        Self::with(site, session.trim())
    }

    /// With a token.
    pub fn with(site: &Site, token: &str) -> Self {
        let address = site.url.trim_start_matches("http://").to_owned();
        Self { address, token: token.to_owned() }
    }

    /// One request on a connection of its own; an error when no whole answer came.
    pub fn try_ask(&self, method: &str, path: &str, body: &str) -> std::io::Result<Reply> {
        let path = format!("/api/v2{path}");
        self.send((method, &path), ("application/json", body.len()), body.as_bytes())
    }

    /// Sends a body that is announced as `len` bytes long.
    fn send(
        &self,
        (method, path): (&str, &str),
        (kind, len): (&str, usize),
        body: &[u8],
    ) -> std::io::Result<Reply> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nCoder-Session-Token: {1}\r\n\
             Cookie: coder_session_token={1}\r\nConnection: close\r\n\
             Content-Type: {kind}\r\nContent-Length: {len}\r\n\r\n",
            self.address, self.token,
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut all = Vec::new();
        stream.read_to_end(&mut all)?;
        let all = String::from_utf8_lossy(&all);
        let cut = || std::io::Error::other(format!("cut off: {all:?}"));
        let (head, body) = all.split_once("\r\n\r\n").ok_or_else(cut)?;
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(cut)?;
        Ok(Reply { status, body: body.to_owned() })
    }

    /// A page as a browser gets it.
    #[track_caller]
    pub fn page(&self, path: &str) -> String {
        let reply = self.send(("GET", path), ("text/plain", 0), b"").unwrap();
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.body
    }

    /// Uploads a template's archive, of which more may be announced than is sent.
    pub fn upload(&self, archive: &[u8], announced: usize) -> Reply {
        let kind = ("application/x-tar", announced);
        self.send(("POST", "/api/v2/files"), kind, archive).unwrap()
    }

    /// One request that is answered.
    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.try_ask(method, path, &body).unwrap_or_else(|e| panic!("{method} {path}: {e}"))
    }

    /// Reads what is there.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.ask("GET", path, &Value::Null).expect(200)
    }

    /// Makes something.
    #[track_caller]
    pub fn made(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", path, body).expect(201)
    }
}
