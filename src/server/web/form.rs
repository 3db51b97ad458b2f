//! Forms of pages, and the proof that one of our pages showed them.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
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

/// Reads the form's token and gives the request back whole. A form with files is let pass on its
/// origin alone, which was checked before: its body may be too large to be read twice.
pub(super) async fn require_token(
    csrf: &Csrf,
    session: TokenId,
    limit: usize,
    req: Box<Request>,
) -> Answer<Box<Request>> {
    if content_type(req.headers()).starts_with("multipart/form-data") {
        return Ok(req);
    }
    let (parts, body) = req.into_parts();
    let body = axum::body::to_bytes(body, limit).await.map_err(|_| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The form is larger than may be sent.")
    })?;
    let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    let field = layout::Csrf::FIELD;
    if !Fields(fields).get(field).is_some_and(|token| csrf.matches(session, token)) {
        let message = "This form is out of date. Go back, reload the page and try again.";
        return Err(Problem::new(StatusCode::FORBIDDEN, message));
    }
    Ok(Box::new(Request::from_parts(parts, Body::from(body))))
}
