//! Reading of requests, with our own words for what cannot be read.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::Problem;
use crate::wire::coder::error::Validation;

/// A JSON body; as an answer, JSON.
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(req: Request, state: &S) -> Result<Self, Problem> {
        read(&bytes(req, state).await?).map(Self)
    }
}

/// A JSON body that may be left out.
#[derive(Clone, Debug)]
pub struct Sent<T>(pub Option<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(req: Request, state: &S) -> Result<Self, Problem> {
        let body = bytes(req, state).await?;
        if body.is_empty() { Ok(Self(None)) } else { read(&body).map(|body| Self(Some(body))) }
    }
}

async fn bytes<S: Send + Sync>(req: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(req, state)
        .await
        .map_err(|e| Problem { detail: e.body_text(), ..Problem::new(e.status(), UNREAD) })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|e| Problem::bad("The body must be JSON of the expected form.", e))
}

const UNREAD: &str = "The body could not be read.";

impl<T: serde::Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        json(StatusCode::OK, &self.0)
    }
}

/// Written into one vector at once: a list has thousands of small pieces.
fn json<T: serde::Serialize>(status: StatusCode, body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(text) => {
            let kind = HeaderValue::from_static("application/json");
            (status, [(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The server failed here.")
                .into_response()
        }
    }
}

/// An answer of 201 with JSON.
pub fn created<T: serde::Serialize>(body: T) -> Response {
    json(StatusCode::CREATED, &body)
}

/// An answer of 200 that says one sentence.
pub fn message(text: &str) -> Response {
    let message = text.to_owned();
    axum::Json(crate::wire::coder::error::Message { message }).into_response()
}

/// Parameters of the path. What does not parse names nothing: 404.
#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        found.map(|axum::extract::Path(value)| Self(value)).map_err(|_| Problem::not_found())
    }
}

/// Parameters of the query.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        serde_urlencoded::from_str(parts.uri.query().unwrap_or_default())
            .map(Self)
            .map_err(|e| unread_query(&e.to_string()))
    }
}

/// A parameter that does not fit; what says `name: why` names the one.
fn unread_query(text: &str) -> Problem {
    let is_name = |name: &&str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let named = text.split_once(": ").filter(|(name, _)| is_name(name));
    let validations = named
        .map(|(field, detail)| Validation { field: field.to_owned(), detail: detail.to_owned() });
    let problem = Problem::bad("A parameter of the address cannot be read.", text);
    Problem { validations: validations.into_iter().collect(), ..problem }
}

/// What lists are asked with.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(try_from = "AskedList")]
pub struct ListQuery {
    /// Words and `key:value` filters.
    pub q: String,
    /// At most so many; 0 for the most there may be.
    pub limit: i64,
    /// After so many.
    pub offset: i64,
    /// Those that come after this one.
    pub after_id: Option<Uuid>,
}

/// The same as it is written in an address.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct AskedList {
    q: String,
    limit: String,
    offset: String,
    after_id: String,
}

impl TryFrom<AskedList> for ListQuery {
    type Error = String;

    fn try_from(asked: AskedList) -> Result<Self, String> {
        let number = |name: &str, text: &str| match text {
            "" => Ok(0),
            text => text
                .parse::<u32>()
                .map(i64::from)
                .map_err(|_| format!("{name}: must be a number from 0")),
        };
        let after_id = match asked.after_id.as_str() {
            "" => None,
            text => Some(text.parse::<Uuid>().map_err(|_| "after_id: must be an id".to_owned())?),
        };
        Ok(Self {
            limit: number("limit", &asked.limit)?,
            offset: number("offset", &asked.offset)?,
            after_id: after_id.filter(|id| !id.is_nil()),
            q: asked.q,
        })
    }
}

impl ListQuery {
    /// At most so many as asked for, and `max`.
    #[must_use]
    pub fn limit(&self, max: i64) -> i64 {
        if self.limit <= 0 { max } else { self.limit.min(max) }
    }

    /// After how many.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.offset.max(0)
    }

    /// The value of a `key:value` filter in `q`.
    #[must_use]
    pub fn filter(&self, key: &str) -> Option<&str> {
        self.q.split_whitespace().find_map(|w| w.strip_prefix(key)?.strip_prefix(':'))
    }

    /// The words of `q` that are no filters, in one text.
    #[must_use]
    pub fn words(&self) -> String {
        let words: Vec<&str> = self.q.split_whitespace().filter(|w| !w.contains(':')).collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_and_words_of_a_query_are_told_apart() {
        let query = ListQuery { q: "ada  status:active lovelace".into(), ..Default::default() };
        assert_eq!(query.filter("status"), Some("active"));
        assert_eq!(query.filter("role"), None);
        assert_eq!(query.words(), "ada lovelace");
        assert_eq!(query.limit(50), 50);
        let read = |text| serde_urlencoded::from_str::<ListQuery>(text).map_err(|e| e.to_string());
        let query = read("limit=10&offset=&q=a&other=1").unwrap();
        assert_eq!((query.limit, query.offset, query.after_id), (10, 0, None));
        for wrong in ["limit=-1", "offset=ten", "after_id=7"] {
            let problem = unread_query(&read(wrong).unwrap_err());
            assert_eq!(problem.validations[0].field, wrong.split('=').next().unwrap());
        }
    }
}
