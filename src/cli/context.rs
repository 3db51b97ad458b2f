//! What every command is handed: flags, surroundings, output, time, chance.

use std::sync::Arc;

use anyhow::Context as _;

use super::args::{Globals, Surroundings};
use super::client::Client;
use super::config::Config;
use super::output::Output;
use crate::clock::{Clock, Entropy};
use crate::net::dial::Dialer;
use crate::tasks::Tasks;

/// What every command is handed. Clones share it.
#[derive(Clone)]
pub struct Context {
    /// The global flags.
    pub globals: Globals,
    /// What the environment says beyond flags.
    pub around: Surroundings,
    /// What `login` stored.
    pub config: Config,
    /// Where to write.
    pub out: Output,
    /// Time.
    pub clock: Clock,
    /// Chance.
    pub entropy: Entropy,
    /// What runs in the background; stopped when the command ends.
    pub tasks: Tasks,
    /// How much of a job's log is shown.
    pub detail: Detail,
}

/// How much of a job's log is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A line a phase, and what went wrong.
    Phases,
    /// What matters to who waits.
    Lines,
    /// Everything.
    All,
}

impl Context {
    /// A context for the flags given.
    #[must_use]
    pub fn new(globals: Globals) -> Self {
        let around = Surroundings::read();
        Self {
            config: Config::locate(&globals, &around),
            out: Output::new(&around),
            clock: Clock::machine(),
            entropy: Entropy::machine(),
            tasks: Tasks::new(),
            detail: if globals.verbose { Detail::All } else { Detail::Lines },
            globals,
            around,
        }
    }

    /// Whether a server's address was given or is stored.
    #[must_use]
    pub fn knows_server(&self) -> bool {
        self.globals.url.is_some() || self.config.url().is_some()
    }

    /// The server's address: given, else stored.
    ///
    /// # Errors
    /// When there is none, or it is not one.
    pub fn url(&self) -> anyhow::Result<url::Url> {
        let text = self
            .globals
            .url
            .clone()
            .or_else(|| self.config.url())
            .context("No server is known. Sign in with `steading login URL`, or give --url.")?;
        read_url(&text)
    }

    /// The session token: given, else the one stored for this server.
    ///
    /// # Errors
    /// When there is none.
    pub fn token(&self) -> anyhow::Result<String> {
        if let Some(token) = &self.globals.token {
            return Ok(token.clone());
        }
        let url = self.url()?;
        let stored = self.config.url().and_then(|u| read_url(&u).ok());
        let fits = stored.is_none_or(|stored| stored == url);
        self.config.session().filter(|_| fits).with_context(|| {
            let url = url.as_str().trim_end_matches('/');
            format!("You are not signed in to {url}. Sign in with `steading login {url}`.")
        })
    }

    /// A client with the person's session.
    ///
    /// # Errors
    /// When no server or no session is known.
    pub fn client(&self) -> anyhow::Result<Arc<Client>> {
        let url = self.url()?;
        let token = self.token()?;
        self.client_for(url, Some(&token))
    }

    /// A client for a server, with a token or without.
    ///
    /// # Errors
    /// When a header given by flag is not one.
    pub fn client_for(&self, url: url::Url, token: Option<&str>) -> anyhow::Result<Arc<Client>> {
        let headers = super::headers::collect(&self.globals, token)?;
        let dialer = Dialer::new(self.around.proxies());
        Ok(Arc::new(Client::new(url, headers, dialer, self.tasks.clone())))
    }
}

/// Reads a server's address. A host that stands alone is asked by `https`, this machine by `http`.
///
/// # Errors
/// When it is not one.
pub fn read_url(text: &str) -> anyhow::Result<url::Url> {
    let text = text.trim().trim_end_matches('/');
    let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url: url::Url =
        full.parse().with_context(|| format!("{text:?} is not a server's address"))?;
    if !text.contains("://") && is_loopback(&url) {
        // Read anew: changing the scheme of what was read would lose the port 443.
        url = format!("http://{text}").parse()?;
    }
    anyhow::ensure!(
        matches!(url.scheme(), "http" | "https") && url.has_host(),
        "{text:?} is not a server's address: it must begin with https:// or http://"
    );
    Ok(url)
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_scheme() {
        let check = |text: &str, expected: Option<&str>| {
            let read = read_url(text).ok();
            assert_eq!(read.as_ref().map(url::Url::as_str), expected, "{text}");
        };
        check("https://x.example/", Some("https://x.example/"));
        check("x.example", Some("https://x.example/"));
        check("http://127.0.0.1:7080", Some("http://127.0.0.1:7080/"));
        check("127.0.0.1:7080", Some("http://127.0.0.1:7080/"));
        check("localhost:443", Some("http://localhost:443/"));
        check("[::1]:7080", Some("http://[::1]:7080/"));
        check("10.0.0.1:7080", Some("https://10.0.0.1:7080/"));
        check("ftp://x", None);
        check("", None);
    }
}
