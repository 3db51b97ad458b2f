//! One message from the page that did something to the page that is shown after it, in a cookie.

use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderValue, header};

use crate::server::html::parts::notice::{Flash, Tone};
use crate::server::html::paths;
use crate::server::web::form::Fields;
use crate::server::web::{Site, cookies};

const COOKIE: &str = "steading_flash";
/// Longest message kept; it is one sentence.
const MAX_BYTES: usize = 600;
/// Seconds a message may wait for its page.
const MAX_AGE_S: u32 = 60;

/// Leads on to `path`, where `text` is shown once.
pub fn tell(site: &Site, path: &str, tone: Tone, text: &str) -> Response {
    let mark = match tone {
        Tone::Good => 'g',
        Tone::Info => 'i',
        Tone::Warn => 'w',
        Tone::Bad => 'b',
    };
    let end = text.floor_char_boundary(MAX_BYTES);
    let value = format!("{mark}{}", paths::segment(text.get(..end).unwrap_or_default()));
    let mut response = Redirect::to(path).into_response();
    response
        .headers_mut()
        .append(header::SET_COOKIE, cookies::set(site, COOKIE, &value, MAX_AGE_S));
    response
}

/// Leads on to `path` with good news.
pub fn done(site: &Site, path: &str, text: &str) -> Response {
    tell(site, path, Tone::Good, text)
}

/// Leads back when the name was not typed that is asked for before something is deleted. `deed` says
/// what was meant, `outcome` what did not happen.
pub fn unless_typed(
    site: &Site,
    (fields, name): (&Fields, &str),
    (page, deed, outcome): (&str, &str, &str),
) -> Option<Response> {
    if fields.get("confirm") == Some(name) {
        return None;
    }
    Some(tell(site, page, Tone::Bad, &format!("Type {name} to {deed}. {outcome}.")))
}

/// The message that waits.
pub fn read(headers: &HeaderMap) -> Option<Flash> {
    let value = cookies::all(headers, COOKIE).next()?;
    let mut chars = value.chars();
    let tone = match chars.next()? {
        'g' => Tone::Good,
        'i' => Tone::Info,
        'w' => Tone::Warn,
        'b' => Tone::Bad,
        _ => return None,
    };
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(&format!("t={}", chars.as_str())).ok()?;
    let text = pairs.into_iter().next()?.1;
    (!text.is_empty() && text.len() <= MAX_BYTES).then_some(Flash { tone, text })
}

/// Takes the message back.
pub fn forget() -> HeaderValue {
    HeaderValue::from_static("steading_flash=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_told() {
        let text = "Build 31 starts kiln; “ä” = 100 %.";
        let value = format!("{COOKIE}=g{}", paths::segment(text));
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(&value).unwrap());
        assert_eq!(read(&headers), Some(Flash { tone: Tone::Good, text: text.to_owned() }));
        headers.insert(header::COOKIE, HeaderValue::from_static("steading_flash=x"));
        assert_eq!(read(&headers), None);
    }
}
