//! Cookies: the session's, and reading them.

use http::{HeaderMap, HeaderValue, header};

use super::Site;
use crate::model::secret::Token;
use crate::server::identity::oidc::flow::LASTS_S;

/// The session's name where browsers reach us by TLS: no sister domain can set it.
pub const SECURE_SESSION: &str = "__Host-steading_session";
/// The session's name on plain HTTP, and the one Coder's clients send.
pub const SESSION: &str = "coder_session_token";
/// The name of a sign-in under way at a provider, with TLS and without.
const SECURE_FLOW: &str = "__Host-steading_oidc";
const FLOW: &str = "steading_oidc";
/// The server ends sessions; the browser keeps the cookie as long as browsers do.
const MAX_AGE_S: u32 = 400 * 86_400;

/// Every value of a cookie.
pub fn all<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(move |pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The header that begins a session in a browser.
#[must_use]
pub fn begin_session(site: &Site, token: &Token) -> HeaderValue {
    set(site, session_name(site), &token.expose(), MAX_AGE_S)
}

/// The header that ends it.
#[must_use]
pub fn end_session(site: &Site) -> HeaderValue {
    set(site, session_name(site), "", 0)
}

/// The header that keeps a sign-in at a provider; empty to forget it.
#[must_use]
pub fn keep_flow(site: &Site, flow: &str) -> HeaderValue {
    let name = if site.is_https() { SECURE_FLOW } else { FLOW };
    set(site, name, flow, if flow.is_empty() { 0 } else { LASTS_S })
}

/// The sign-in at a provider that this browser has begun; empty when there is none.
#[must_use]
pub fn flow<'a>(site: &Site, headers: &'a HeaderMap) -> &'a str {
    let name = if site.is_https() { SECURE_FLOW } else { FLOW };
    all(headers, name).next().unwrap_or_default()
}

/// A cookie of ours. `value` holds nothing that a cookie may not.
pub(super) fn set(site: &Site, name: &str, value: &str, max_age_s: u32) -> HeaderValue {
    let secure = if site.is_https() { "; Secure" } else { "" };
    let text =
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{secure}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn session_name(site: &Site) -> &'static str {
    if site.is_https() { SECURE_SESSION } else { SESSION }
}
