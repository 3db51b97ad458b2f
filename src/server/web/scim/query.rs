//! Reading what is asked for: the parameters of lists, and bodies.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::Method;
use http::request::Parts;
use serde_json::Value;

use crate::model::scim::filter::Filter;
use crate::model::scim::patch;
use crate::model::scim::project::Wanted;
use crate::model::scim::{Bad, BadKind, Map};
use crate::server::app::Error;
use crate::server::app::scim::Part;
use crate::server::app::scim_users::Change;
use crate::server::web::{Answer, Problem};

/// Resources in one answer at most.
pub(super) const MAX_COUNT: usize = 200;
/// Resources in an answer when nothing is said.
const COUNT: usize = 100;

/// A body that is a JSON object.
#[derive(Clone, Debug)]
pub(super) struct Body(pub Map);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(req: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(req, state)
            .await
            .map_err(|e| Problem::new(e.status(), "The body could not be read."))?;
        let bad = |e: serde_json::Error| {
            let why = format!("the body has to be a JSON object: {e}");
            Problem::from(Error::from(Bad::new(BadKind::InvalidSyntax, why)))
        };
        serde_json::from_slice(&body).map(Self).map_err(bad)
    }
}

/// What a list is asked with.
#[derive(Clone, Debug, Default)]
pub(super) struct Search {
    filter: String,
    attributes: String,
    without: String,
    start: String,
    count: String,
}

impl Search {
    fn set(&mut self, name: &str, text: String) {
        let field = match name.to_ascii_lowercase().as_str() {
            "filter" => &mut self.filter,
            "attributes" => &mut self.attributes,
            "excludedattributes" => &mut self.without,
            "startindex" => &mut self.start,
            "count" => &mut self.count,
            _ => return,
        };
        *field = text;
    }

    /// Reads the body of a search by `POST`.
    pub(super) fn from_body(body: &Map) -> Answer<Self> {
        let mut search = Self::default();
        for (name, value) in body {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                Value::Array(names) => {
                    names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
                }
                Value::Number(number) => number.to_string(),
                Value::Bool(_) | Value::Object(_) => {
                    let why = Bad::value(name, "has to be a text, a number or a list of names");
                    return Err(Error::from(why).into());
                }
            };
            search.set(name, text);
        }
        Ok(search)
    }

    /// What it means. Places begin with 1; there may be fewer resources than are asked for.
    pub(super) fn read(&self) -> Answer<(Filter, Wanted, Part)> {
        let filter = Filter::parse(&self.filter).map_err(Error::from)?;
        let wanted = Wanted::parse(&self.attributes, &self.without).map_err(Error::from)?;
        let start = number("startIndex", &self.start, 1)?;
        let count = number("count", &self.count, COUNT)?;
        let part = Part { offset: start.saturating_sub(1), limit: count.min(MAX_COUNT) };
        Ok((filter, wanted, part))
    }
}

/// A number; what is below zero stands for zero.
fn number(name: &str, text: &str, default: usize) -> Answer<usize> {
    if text.is_empty() {
        return Ok(default);
    }
    let number: Result<i64, _> = text.trim().parse();
    let number = number.map_err(|_| Error::from(Bad::value(name, "has to be a number")))?;
    Ok(usize::try_from(number.clamp(0, i64::from(i32::MAX))).unwrap_or(0))
}

impl<S: Send + Sync> FromRequestParts<S> for Search {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
            .map_err(|e| Problem::bad("A parameter of the address cannot be read.", e))?;
        let mut search = Self::default();
        for (name, value) in pairs {
            search.set(&name, value);
        }
        Ok(search)
    }
}

/// Which attributes of a resource are asked for, in the query.
pub(super) struct Asked(pub Wanted);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let (_, wanted, _) = Search::from_request_parts(parts, state).await?.read()?;
        Ok(Self(wanted))
    }
}

/// How a resource is to change: `PUT` sends it whole, `PATCH` in parts.
pub(super) struct Changed(pub Change);

impl<S: Send + Sync> FromRequest<S> for Changed {
    type Rejection = Problem;

    async fn from_request(req: Request, state: &S) -> Result<Self, Problem> {
        let is_whole = req.method() == Method::PUT;
        let Body(body) = Body::from_request(req, state).await?;
        if is_whole {
            return Ok(Self(Change::Whole(body)));
        }
        Ok(Self(Change::Parts(patch::parse(&body).map_err(Error::from)?)))
    }
}
