//! What the server offers: its configuration, its kinds of resource and their schemas.

use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::query::MAX_COUNT;
use super::{answer, base};
use crate::model::scim::Map;
use crate::model::scim::schema::{Attribute, GROUP, Kind, Mutability, Schema, USER};
use crate::server::app::scim::Part;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Problem, State};

const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Scim, "/scim/v2/ServiceProviderConfig", config)
        .get(Access::Scim, "/scim/v2/ResourceTypes", resource_types)
        .get(Access::Scim, "/scim/v2/ResourceTypes/{id}", one_resource_type)
        .get(Access::Scim, "/scim/v2/Schemas", schemas)
        .get(Access::Scim, "/scim/v2/Schemas/{id}", one_schema)
}

async fn config(state: State) -> Response {
    let off = json!({ "supported": false });
    let body = json!({
        "schemas": [CONFIG],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": MAX_COUNT },
        "changePassword": off,
        "sort": off,
        "etag": off,
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "The token that stands in the server's settings.",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{}/ServiceProviderConfig", base(&state)),
        },
    });
    answer::json(StatusCode::OK, &body)
}

async fn resource_types(state: State) -> Response {
    listed(&[&USER, &GROUP].map(|schema| resource_type(&base(&state), schema)))
}

async fn one_resource_type(state: State, Path(id): Path<String>) -> Answer<Response> {
    let schema = named(|schema| schema.name == id)?;
    Ok(answer::one(resource_type(&base(&state), schema)))
}

async fn schemas(state: State) -> Response {
    listed(&[&USER, &GROUP].map(|schema| described(&base(&state), schema)))
}

async fn one_schema(state: State, Path(urn): Path<String>) -> Answer<Response> {
    let schema = named(|schema| schema.urn.eq_ignore_ascii_case(&urn))?;
    Ok(answer::one(described(&base(&state), schema)))
}

fn named(is_it: impl Fn(&Schema) -> bool) -> Answer<&'static Schema> {
    [&USER, &GROUP].into_iter().find(|schema| is_it(schema)).ok_or_else(Problem::not_found)
}

fn listed(resources: &[Map; 2]) -> Response {
    let part = Part { offset: 0, limit: resources.len() };
    answer::list(resources.len(), part, resources)
}

fn map(value: Value) -> Map {
    match value {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

fn resource_type(base: &str, schema: &Schema) -> Map {
    map(json!({
        "schemas": [RESOURCE_TYPE],
        "id": schema.name,
        "name": schema.name,
        "endpoint": schema.endpoint,
        "description": schema.about,
        "schema": schema.urn,
        "meta": {
            "resourceType": "ResourceType",
            "location": format!("{base}/ResourceTypes/{}", schema.name),
        },
    }))
}

fn described(base: &str, schema: &Schema) -> Map {
    map(json!({
        "schemas": [SCHEMA],
        "id": schema.urn,
        "name": schema.name,
        "description": schema.about,
        "attributes": schema.attributes.iter().map(attribute).collect::<Vec<_>>(),
        "meta": {
            "resourceType": "Schema",
            "location": format!("{base}/Schemas/{}", schema.urn),
        },
    }))
}

fn attribute(of: &Attribute) -> Value {
    let kind = match of.kind {
        Kind::Text => "string",
        Kind::Truth => "boolean",
        Kind::Reference(_) => "reference",
        Kind::Complex(_) => "complex",
    };
    let mutability = match of.mutability {
        Mutability::ReadWrite => "readWrite",
        Mutability::Immutable => "immutable",
        Mutability::ReadOnly => "readOnly",
    };
    let mut out = map(json!({
        "name": of.name,
        "type": kind,
        "multiValued": of.is_multi,
        "description": of.about,
        "required": of.is_required,
        "caseExact": of.is_exact,
        "mutability": mutability,
        "returned": "default",
        "uniqueness": if of.is_unique { "server" } else { "none" },
    }));
    if let Kind::Reference(types) = of.kind {
        out.insert("referenceTypes".to_owned(), json!(types));
    }
    if !of.usual.is_empty() {
        out.insert("canonicalValues".to_owned(), json!(of.usual));
    }
    if let Kind::Complex(parts) = of.kind {
        let parts: Vec<Value> = parts.iter().map(attribute).collect();
        out.insert("subAttributes".to_owned(), Value::Array(parts));
    }
    Value::Object(out)
}
