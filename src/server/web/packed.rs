//! Pages travel compressed; what is served as it lies, or has no end, goes as it is.

use std::io::Write as _;

use axum::body::{Body, HttpBody as _};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};

/// Smaller bodies fit a packet as they are.
const LEAST: usize = 1024;
/// Larger ones are not held in memory twice.
const MOST: usize = 8 << 20;

/// The codings that are offered, the better one first. What is served as it was built is there in
/// both; a page is made with gzip: the other's encoder weighs a megabyte and saves a tenth of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
}

impl Coding {
    /// The best one that a request takes.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        [Self::Brotli, Self::Gzip].into_iter().find(|coding| takes(headers, *coding))
    }

    /// The value of `Content-Encoding`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Whether a request takes gzip.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    takes(headers, Coding::Gzip)
}

fn takes(headers: &HeaderMap, coding: Coding) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        parts.next() == Some(coding.name()) && parts.next() != Some("q=0")
    })
}

/// Packs a page. The tokens in its forms are masked, so its length tells nothing of them.
pub(super) async fn pack(is_taken: bool, response: Response) -> Response {
    let headers = response.headers();
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("text/html") || headers.contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    parts.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    let size = body.size_hint().exact().unwrap_or(u64::MAX);
    let fits = usize::try_from(size).is_ok_and(|size| (LEAST..=MOST).contains(&size));
    if !(is_taken && fits) {
        return Response::from_parts(parts, body);
    }
    let Ok(bytes) = axum::body::to_bytes(body, MOST).await else {
        return Response::from_parts(parts, Body::empty());
    };
    match gzip(&bytes) {
        Ok(packed) => {
            parts.headers.remove(header::CONTENT_LENGTH);
            let name = HeaderValue::from_static(Coding::Gzip.name());
            parts.headers.insert(header::CONTENT_ENCODING, name);
            Response::from_parts(parts, Body::from(packed))
        }
        Err(_) => Response::from_parts(parts, Body::from(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_coding_is_chosen_as_the_browser_likes_and_unpacks_to_the_page() {
        let of = |accepted: &'static str| {
            let name = header::ACCEPT_ENCODING;
            Coding::of(&HeaderMap::from_iter([(name, HeaderValue::from_static(accepted))]))
        };
        assert_eq!(of("gzip, deflate, br, zstd"), Some(Coding::Brotli));
        assert_eq!(of("gzip, br;q=0"), Some(Coding::Gzip));
        assert_eq!(of("identity"), None);
        assert_eq!(Coding::of(&HeaderMap::new()), None);
        let page = "<p>again and again</p>".repeat(200).into_bytes();
        let mut out = Vec::new();
        let packed = gzip(&page).unwrap();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut out).unwrap();
        assert_eq!(out, page);
    }
}
