//! Forms of pages, and the proof that one of our pages showed them.

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{FromRequest, Request};
use bytes::BytesMut;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use super::{Answer, Problem};
use crate::model::id::TokenId;
use crate::server::html::layout;
use crate::server::identity::csrf::Csrf;

/// The fields of a form, urlencoded; unknown fields are passed over.
#[derive(Clone, Debug)]
pub struct Form<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(req: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(req, state)
            .await
            .map_err(|e| Problem::new(e.status(), "The form could not be read."))?;
        serde_urlencoded::from_bytes(&body)
            .map(Self)
            .map_err(|e| Problem::bad("The form lacks something or has too much.", e))
    }
}

/// Every field of a form by name, in order: for forms whose fields are known only at run time.
#[derive(Clone, Debug, Default)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// The first value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Problem;

    async fn from_request(req: Request, state: &S) -> Result<Self, Problem> {
        let Form(fields) = Form::from_request(req, state).await?;
        Ok(Self(fields))
    }
}

/// Whether the body is a form that pages send.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    content_type(headers).starts_with("application/x-www-form-urlencoded")
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

/// Enough for the head of a form's first part and the token in it.
const FIRST_PART: usize = 4 << 10;

/// Reads the form's token and gives the request back whole. A form with files carries it as its first
/// field: the rest may be too large to be held.
pub(super) async fn require_token(
    csrf: &Csrf,
    session: TokenId,
    limit: usize,
    req: Box<Request>,
) -> Answer<Box<Request>> {
    let kind = content_type(req.headers()).to_owned();
    let (parts, body) = req.into_parts();
    let (token, body) = match boundary(&kind) {
        Some(boundary) => first_field(body.into_data_stream(), boundary).await,
        None => {
            let body = whole(body, limit).await?;
            let fields = Fields(serde_urlencoded::from_bytes(&body).unwrap_or_default());
            (fields.get(layout::Csrf::FIELD).map(str::to_owned), Body::from(body))
        }
    };
    if !token.is_some_and(|token| csrf.matches(session, &token)) {
        let message = "This form is out of date. Go back, reload the page and try again.";
        return Err(Problem::new(StatusCode::FORBIDDEN, message));
    }
    Ok(Box::new(Request::from_parts(parts, body)))
}

/// Every field of a form, but its token.
pub(super) async fn sent(req: Box<Request>, limit: usize) -> Answer<Fields> {
    Ok(fields(&whole(req.into_body(), limit).await?))
}

/// The fields of a form that was read, but its token.
pub(super) fn fields(body: &[u8]) -> Fields {
    let mut fields: Vec<(String, String)> = serde_urlencoded::from_bytes(body).unwrap_or_default();
    fields.retain(|(name, _)| name != layout::Csrf::FIELD);
    Fields(fields)
}

/// A body of at most `limit` bytes.
pub(super) async fn whole(body: Body, limit: usize) -> Answer<Bytes> {
    axum::body::to_bytes(body, limit).await.map_err(|_| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The form is larger than may be sent.")
    })
}

/// What divides the parts of a form with files.
fn boundary(content_type: &str) -> Option<&str> {
    let rest = content_type.strip_prefix("multipart/form-data")?;
    let named = rest.split(';').find_map(|p| p.trim().strip_prefix("boundary="));
    Some(named.unwrap_or_default().trim_matches('"'))
}

/// The token, if the first field is it, and the body as it was.
async fn first_field(mut body: BodyDataStream, boundary: &str) -> (Option<String>, Body) {
    let mut head = BytesMut::new();
    let token = loop {
        if let Some(token) = token_in(&head, boundary) {
            break Some(token);
        }
        match body.next().await {
            Some(Ok(more)) if head.len() < FIRST_PART => head.extend_from_slice(&more),
            // Too long, broken or over: without a token nobody reads on.
            Some(_) | None => break None,
        }
    };
    let start = stream::iter([Ok(head.freeze())]);
    (token, Body::from_stream(start.chain(body)))
}

/// The value of the first part, when it is whole and is the token's.
fn token_in(head: &[u8], boundary: &str) -> Option<String> {
    // What follows the token may be no text at all.
    let text = String::from_utf8_lossy(head.get(..FIRST_PART).unwrap_or(head));
    let part = text.strip_prefix(&format!("--{boundary}\r\n"))?;
    let (headers, rest) = part.split_once("\r\n\r\n")?;
    let (value, _) = rest.split_once(&format!("\r\n--{boundary}"))?;
    let named = format!("form-data; name=\"{}\"", layout::Csrf::FIELD);
    let ours = headers.lines().any(|line| {
        let (name, value) = line.split_once(':').unwrap_or_default();
        name.eq_ignore_ascii_case("content-disposition") && value.trim() == named
    });
    ours.then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "--x7\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n";

    async fn read(body: &[u8], chunk: usize) -> (Option<String>, Bytes) {
        let chunks: Vec<Result<Bytes, std::io::Error>> =
            body.chunks(chunk).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
        let stream = Body::from_stream(stream::iter(chunks)).into_data_stream();
        let kind = "multipart/form-data; boundary=\"x7\"";
        let (token, body) = first_field(stream, boundary(kind).unwrap()).await;
        (token, axum::body::to_bytes(body, 1 << 20).await.unwrap())
    }

    #[tokio::test]
    async fn the_token_of_a_form_with_files_is_its_first_field_and_the_rest_goes_on() {
        let file = "--x7\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n";
        let rest = [file.as_bytes(), &[0xff, 0, 0xfe].repeat(9000), b"\r\n--x7--\r\n"].concat();
        let whole = [HEAD.as_bytes(), &rest].concat();
        for chunk in [1, 7, 100, 1 << 20] {
            let (token, body) = read(&whole, chunk).await;
            assert_eq!(
                (token.as_deref(), body.as_ref()),
                (Some("abc"), whole.as_slice()),
                "{chunk}"
            );
        }
        assert_eq!(read(&rest, 100).await.0, None);
        assert_eq!(read(b"", 1).await.0, None);
        assert_eq!(read(&HEAD.replace("csrf", "other").into_bytes(), 9).await.0, None);
    }
}
