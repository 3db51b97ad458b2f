//! What comes with a browser's request: addresses, origins, cookies, tokens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap, HeaderValue, header};
use steading::model::id::TokenId;
use steading::model::network::Network;
use steading::model::peer::PeerKey;
use steading::model::secret::{Token, TokenHash};
use steading::server::identity::csrf::{self, Csrf, MAC, Source};
use steading::server::web::address::{self, PeerAddress};
use steading::server::web::cookies;

use super::Bytes;

const OWN: &str = "https://dev.example.org";

/// The address of a client that no trusted proxy vouches for is its connection's, and what it wrote
/// itself changes nothing; only our own hosts are taken for ours.
pub fn headers(data: &[u8]) {
    let mut input = Bytes(data);
    let mut headers = HeaderMap::new();
    for _ in 0..input.u8() % 4 {
        if let Ok(value) = HeaderValue::from_bytes(input.piece()) {
            headers.append("x-forwarded-for", value);
        }
    }
    forwarded(headers);
    let (site, origin, host) = (input.text(), input.text(), input.text());
    let site = Some(site.as_str()).filter(|s| !s.is_empty());
    let judged = csrf::source(site, Some(&origin), OWN, Some(&host));
    if judged == Source::Own && site.is_none() {
        let named = origin.split_once("://").map(|(_, named)| named).unwrap_or_default();
        let ours = [host.as_str(), "dev.example.org"];
        assert!(ours.iter().any(|ours| ours.eq_ignore_ascii_case(named)), "{origin:?} is not ours");
    }
    assert_ne!(csrf::source(Some("cross-site"), Some(&origin), OWN, Some(&host)), Source::Own);
}

fn forwarded(mut headers: HeaderMap) {
    let trusted: [Network; 1] = ["10.0.0.0/8".parse().expect("a network")];
    let from = |peer: Ipv4Addr, headers: &HeaderMap| {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(PeerAddress(SocketAddr::new(IpAddr::V4(peer), 4711))));
        address::find(&extensions, headers, &trusted).0
    };
    let (stranger, proxy) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(10, 0, 0, 1));
    assert_eq!(from(stranger, &headers), stranger);
    let _ = from(proxy, &headers);
    headers.append("x-forwarded-for", HeaderValue::from_static("198.51.100.7, 10.0.0.9"));
    assert_eq!(from(proxy, &headers), Ipv4Addr::new(198, 51, 100, 7), "a client chose its address");
}

/// Our cookie is found whatever others stand beside it, and no text is a token by chance.
pub fn cookies_and_tokens(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(data) {
        headers.append(header::COOKIE, value);
    }
    let known = Token::from_random(&[7; 64]);
    let ours = format!("{}={}", cookies::SESSION, known.expose());
    headers.append(header::COOKIE, HeaderValue::from_str(&ours).expect("a token is plain text"));
    let found: Vec<&str> = cookies::all(&headers, cookies::SESSION).collect();
    assert_eq!(found.last().copied(), Some(known.expose().as_str()));
    assert!(found.iter().all(|value| !value.contains(';')));
    if let Some(token) = Token::parse(&text) {
        assert_eq!(token.expose(), text);
        assert!(token.hash().matches(&token) && !format!("{token:?}").contains(&*text));
        assert!(token == known || !known.hash().matches(&token) || same_secret(&token, &known));
    }
    let _ = TokenHash::of(&text);
    if let Ok(key) = text.parse::<PeerKey>() {
        assert_eq!(key.to_string(), text);
    }
    form_token(&text);
}

/// The hash is of the secret half alone: the other half is how it is looked up.
fn same_secret(a: &Token, b: &Token) -> bool {
    let half = |t: &Token| t.expose().split_once('-').map(|(_, secret)| secret.to_owned());
    half(a) == half(b)
}

fn form_token(text: &str) {
    let (csrf, session) = (Csrf::new(&[7; 32]), TokenId(uuid::Uuid::from_u128(1)));
    let good = csrf.token(session, [3; MAC]);
    assert!(csrf.matches(session, &good) && !csrf.matches(session, text));
}
