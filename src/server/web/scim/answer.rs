//! Answers in SCIM's form: resources, lists of them, and problems.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::model::scim::schema::{GROUP, Schema, USER};
use crate::model::scim::{BadKind, Map};
use crate::model::time::Timestamp;
use crate::server::app::scim::Part;
use crate::server::app::scim_groups::ScimGroup;
use crate::server::app::scim_users::ScimUser;
use crate::server::web::Problem;

const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// An answer with a body.
pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    let kind = HeaderValue::from_static("application/scim+json");
    (status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response()
}

/// A problem as RFC 7644, section 3.12, has it.
pub(in crate::server::web) fn fault(problem: &Problem) -> Response {
    let named = problem.validations.first();
    let kind = named.and_then(|named| BadKind::from_word(&named.field));
    let status =
        if kind == Some(BadKind::Uniqueness) { StatusCode::CONFLICT } else { problem.status };
    let more = if problem.detail.is_empty() { "" } else { " " };
    let detail = match named {
        Some(named) => named.detail.clone(),
        None => format!("{}{more}{}", problem.message, problem.detail),
    };
    let mut body = json!({
        "schemas": [ERROR], "status": status.as_u16().to_string(), "detail": detail,
    });
    if let (Some(kind), Value::Object(map)) = (kind, &mut body) {
        map.insert("scimType".to_owned(), kind.as_str().into());
    }
    let mut response = json(status, &body);
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(after) = problem.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    }
    response
}

/// A part of a list.
pub(super) fn list(total: usize, part: Part, resources: &[Map]) -> Response {
    let body = json!({
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": part.offset + 1,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    });
    json(StatusCode::OK, &body)
}

/// A resource that was made.
pub(super) fn created(resource: Map) -> Response {
    let place = resource.get("meta").and_then(|meta| meta.get("location")?.as_str());
    let place = place.and_then(|place| HeaderValue::from_str(place).ok());
    let mut response = json(StatusCode::CREATED, &Value::Object(resource));
    if let Some(place) = place {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// A resource.
pub(super) fn one(resource: Map) -> Response {
    json(StatusCode::OK, &Value::Object(resource))
}

/// A user with what every resource has.
pub(super) fn user(base: &str, user: ScimUser) -> Map {
    let times = (user.created_at, user.updated_at);
    with_common(base, &USER, (user.id.to_string(), times), user.attributes)
}

/// A group with what every resource has.
pub(super) fn group(base: &str, group: &ScimGroup) -> Map {
    let times = (group.created_at, group.updated_at);
    with_common(base, &GROUP, (group.id.to_string(), times), group.wish.to_map(base))
}

fn with_common(
    base: &str,
    schema: &Schema,
    (id, (created, changed)): (String, (Timestamp, Timestamp)),
    mut attributes: Map,
) -> Map {
    let meta = json!({
        "resourceType": schema.name,
        "created": created.rfc3339(),
        "lastModified": changed.rfc3339(),
        "location": format!("{base}{}/{id}", schema.endpoint),
    });
    attributes.insert("schemas".to_owned(), json!([schema.urn]));
    attributes.insert("id".to_owned(), id.into());
    attributes.insert("meta".to_owned(), meta);
    attributes
}
