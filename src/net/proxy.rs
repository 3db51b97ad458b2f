//! The proxies that an environment names: which one leads to an address, and which addresses need none.

use std::collections::BTreeMap;
use std::net::IpAddr;

use url::{Host, Url};

use crate::model::network::Network;

/// Proxies and exceptions. None by default.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    http: Option<Result<Url, BadProxy>>,
    https: Option<Result<Url, BadProxy>>,
    direct: Vec<Direct>,
}

/// Their passwords are not for logs.
impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = |proxy: &Option<Result<Url, BadProxy>>| match proxy {
            Some(Ok(url)) => url.host_str().map(str::to_owned),
            Some(Err(bad)) => Some(bad.to_string()),
            None => None,
        };
        f.debug_struct("Proxies")
            .field("http", &host(&self.http))
            .field("https", &host(&self.https))
            .field("direct", &self.direct)
            .finish()
    }
}

/// What is reached without a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Direct {
    /// Everything.
    All,
    /// Addresses of a network.
    Network(Network),
    /// A host, and every host below it; at one port when that is said.
    Host { name: String, port: Option<u16> },
}

/// A proxy that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value:?}: write a proxy as http://HOST:PORT or https://HOST:PORT")]
pub struct BadProxy {
    /// The variable.
    name: String,
    /// Its value, without a password.
    value: String,
}

impl Proxies {
    /// Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in capitals or not; capitals win.
    #[must_use]
    pub fn from_env(env: &BTreeMap<String, String>) -> Self {
        let of = |name: &str| {
            let values = [env.get(name), env.get(&name.to_lowercase())];
            values.into_iter().flatten().map(|v| v.trim()).find(|v| !v.is_empty())
        };
        let proxy = |name: &str| of(name).map(|value| read(name, value));
        let direct = of("NO_PROXY").unwrap_or_default();
        Self {
            http: proxy("HTTP_PROXY"),
            https: proxy("HTTPS_PROXY"),
            direct: direct.split([',', ' ']).filter_map(Direct::read).collect(),
        }
    }

    /// Those of them that can be used.
    #[must_use]
    pub fn usable(self) -> Self {
        let usable = |proxy: Option<Result<Url, BadProxy>>| proxy.filter(Result::is_ok);
        Self { http: usable(self.http), https: usable(self.https), direct: self.direct }
    }

    /// The proxy for an address. This machine is never reached through one.
    ///
    /// # Errors
    /// When the proxy for it cannot be used.
    pub fn of(&self, url: &Url) -> Result<Option<&Url>, BadProxy> {
        let proxy = if matches!(url.scheme(), "https" | "wss") { &self.https } else { &self.http };
        let (Some(host), port) = (url.host(), url.port_or_known_default()) else {
            return Ok(None);
        };
        let is_here = match host {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let is_direct = is_here || self.direct.iter().any(|d| d.holds(&host, port));
        match proxy {
            Some(_) if is_direct => Ok(None),
            Some(Err(bad)) => Err(bad.clone()),
            Some(Ok(url)) => Ok(Some(url)),
            None => Ok(None),
        }
    }
}

fn read(name: &str, value: &str) -> Result<Url, BadProxy> {
    let full = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let fits = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    full.parse().ok().filter(fits).ok_or_else(|| {
        let shown = value.rsplit_once('@').map_or(value, |(_, host)| host);
        BadProxy { name: name.to_owned(), value: shown.to_owned() }
    })
}

impl Direct {
    /// Reads `*`, `10.0.0.0/8`, `10.0.0.1`, `example.org`, `.example.org` or `example.org:8080`.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if text == "*" {
            return Some(Self::All);
        }
        if let Ok(network) = text.trim_matches(['[', ']']).parse() {
            return Some(Self::Network(network));
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let name = name.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
        Some(Self::Host { name, port })
    }

    fn holds(&self, host: &Host<&str>, at: Option<u16>) -> bool {
        let address = match *host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
        };
        match self {
            Self::All => true,
            Self::Network(network) => address.is_some_and(|a| network.contains(a)),
            Self::Host { name, port } => {
                let host = host.to_string();
                let below = host.strip_suffix(name).is_some_and(|h| h.ends_with('.'));
                (host == *name || below) && port.is_none_or(|port| Some(port) == at)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(env: &[(&str, &str)]) -> Proxies {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Proxies::from_env(&env)
    }

    #[test]
    fn each_scheme_has_its_proxy_and_capitals_win() {
        let proxies = proxies(&[
            ("http_proxy", "plain.test:3128"),
            ("HTTPS_PROXY", "http://ada:secret@safe.test:3129"),
            ("https_proxy", "http://lower.test"),
        ]);
        let check = |url: &str, proxy: Option<&str>| {
            let url: Url = url.parse().unwrap();
            let of = proxies.of(&url).unwrap();
            assert_eq!(of.and_then(Url::host_str), proxy, "{url}");
        };
        check("http://example.org", Some("plain.test"));
        check("ws://example.org", Some("plain.test"));
        check("https://example.org", Some("safe.test"));
        check("wss://example.org", Some("safe.test"));
        check("http://localhost:7080", None);
        check("http://127.0.0.1:7080", None);
        check("https://[::1]", None);
        assert_eq!(Proxies::default().of(&"https://x".parse().unwrap()), Ok(None));
    }

    #[test]
    fn exceptions_are_hosts_those_below_them_and_networks() {
        let check = |rule: &str, url: &str, direct: bool| {
            let proxies = proxies(&[("HTTP_PROXY", "p.test"), ("NO_PROXY", rule)]);
            let url: Url = url.parse().unwrap();
            assert_eq!(proxies.of(&url).unwrap().is_none(), direct, "{rule} {url}");
        };
        check("example.org", "http://example.org", true);
        check("example.org", "http://EXAMPLE.org", true);
        check("example.org", "http://a.example.org", true);
        check("example.org", "http://badexample.org", false);
        check(".example.org", "http://a.example.org", true);
        check("*.example.org", "http://a.example.org", true);
        check("a.test, b.test", "http://b.test", true);
        check("example.org:8080", "http://example.org:8080", true);
        check("example.org:80", "http://example.org", true);
        check("example.org:8080", "http://example.org", false);
        check("10.0.0.0/8", "http://10.1.2.3", true);
        check("10.0.0.0/8", "http://11.1.2.3", false);
        check("192.0.2.7", "http://192.0.2.7:7080", true);
        check("fd00::/8", "http://[fd00::1]:7080", true);
        check("*", "http://example.org", true);
        check("", "http://example.org", false);
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_its_password() {
        let proxies = proxies(&[("HTTPS_PROXY", "socks5://ada:secret@p.test")]);
        let far: Url = "https://example.org".parse().unwrap();
        let error = proxies.of(&far).unwrap_err().to_string();
        assert!(error.contains("HTTPS_PROXY") && error.contains("p.test"), "{error}");
        assert!(!error.contains("secret"), "{error}");
        assert_eq!(proxies.of(&"https://localhost".parse().unwrap()), Ok(None));
        assert_eq!(proxies.of(&"http://example.org".parse().unwrap()), Ok(None));
        assert_eq!(proxies.usable().of(&far), Ok(None));
    }
}
