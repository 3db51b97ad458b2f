//! The seven kinds of error as answers: JSON as Coder's clients read it; `outer` makes pages of them.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::server::app;
use crate::wire::coder::error::{Error as Body, Validation};

/// What handlers return.
pub type Answer<T> = Result<T, Problem>;

/// Why a request was not answered as asked. Travels as an extension of its response too.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The status code.
    pub status: StatusCode,
    /// What went wrong, for the person.
    pub message: String,
    /// More of it; may be empty.
    pub detail: String,
    /// The fields that were wrong.
    pub validations: Vec<Validation>,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// A problem with nothing more to say.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            detail: String::new(),
            validations: Vec::new(),
            retry_after: None,
        }
    }

    /// A request that makes no sense.
    #[must_use]
    pub fn bad(message: impl Into<String>, detail: impl std::fmt::Display) -> Self {
        Self { detail: detail.to_string(), ..Self::new(StatusCode::BAD_REQUEST, message) }
    }

    /// There is no such thing, or it may not be known.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing here that you may see.")
    }

    /// Who asks is not signed in.
    #[must_use]
    pub fn signed_out() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "You are not signed in, or your session is over.")
    }

    /// An agent's token that is none, or none any more.
    #[must_use]
    pub fn token_over() -> Self {
        let why =
            "This agent's token counts no more: its workspace was deleted, stopped or built anew.";
        Self::new(StatusCode::UNAUTHORIZED, why)
    }

    /// What the JSON says.
    #[must_use]
    pub fn body(&self) -> Body {
        Body {
            message: self.message.clone(),
            detail: self.detail.clone(),
            validations: self.validations.clone(),
        }
    }
}

impl From<app::Error> for Problem {
    fn from(error: app::Error) -> Self {
        let text = sentence(&error.to_string());
        match error {
            app::Error::NotFound(_) => {
                let message = format!("{}, or you may not see it.", text.trim_end_matches('.'));
                Self::new(StatusCode::NOT_FOUND, message)
            }
            app::Error::Denied(_) => Self::new(StatusCode::FORBIDDEN, text),
            app::Error::Unconfirmed(ask) => {
                Self { detail: ask.code().to_owned(), ..Self::new(StatusCode::FORBIDDEN, text) }
            }
            app::Error::Conflict(_) => Self::new(StatusCode::CONFLICT, text),
            app::Error::Invalid { field, why } => Self {
                detail: text,
                validations: vec![Validation { field, detail: why }],
                ..Self::new(StatusCode::BAD_REQUEST, "A field does not fit.")
            },
            app::Error::Unavailable(_) => Self {
                retry_after: Some(Duration::from_secs(5)),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, text)
            },
            app::Error::Internal(source) => {
                tracing::error!(error = format!("{source:#}"), "a request failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The server failed here.")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body())).into_response();
        if let Some(after) = self.retry_after {
            let seconds = HeaderValue::from(after.as_secs().max(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// A capital letter in front and a full stop behind.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let rest = chars.as_str();
    let stop = if rest.ends_with(['.', '?', '`']) { "" } else { "." };
    format!("{first}{rest}{stop}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_their_status_and_internal_text_stays_inside() {
        let status = |e: app::Error| Problem::from(e).status.as_u16();
        assert_eq!(status(app::Error::NotFound("user")), 404);
        assert_eq!(status(app::Error::denied("no")), 403);
        assert_eq!(status(app::Error::conflict("no")), 409);
        assert_eq!(status(app::Error::invalid("name", "no")), 400);
        assert_eq!(status(app::Error::Unavailable("no".into())), 503);
        let inner = app::Error::Internal(anyhow::anyhow!("password is hunter2"));
        let problem = Problem::from(inner);
        assert!(!format!("{problem:?}").contains("hunter2"));
    }
}
