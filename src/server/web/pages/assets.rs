//! The files a browser loads, compressed as it likes, kept for ever.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::server::html::assets::{self, Asset, CACHE_CONTROL};
use crate::server::web::extract::Path;
use crate::server::web::packed::Coding;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Problem};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::Public, "/assets/{version}/{name}", asset).get(
        Access::Public,
        "/favicon.ico",
        favicon,
    )
}

async fn asset(
    Path((version, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<Response> {
    let path = format!("/assets/{version}/{name}");
    assets::find(&path).map(|asset| send(asset, &headers)).ok_or_else(Problem::not_found)
}

async fn favicon(headers: HeaderMap) -> Answer<Response> {
    assets::find(assets::FAVICON_SVG)
        .map(|asset| send(asset, &headers))
        .ok_or_else(Problem::not_found)
}

fn send(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let fixed = HeaderValue::from_static;
    let told = |name| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kept = [
        (header::ETAG, fixed(asset.etag)),
        (header::CACHE_CONTROL, fixed(CACHE_CONTROL)),
        (header::VARY, fixed("accept-encoding")),
    ];
    if told(header::IF_NONE_MATCH) == asset.etag {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    let kind = [(header::CONTENT_TYPE, fixed(asset.content_type))];
    let packed = match Coding::of(headers) {
        Some(coding @ Coding::Brotli) => Some((coding, asset.brotli)),
        Some(coding @ Coding::Gzip) => Some((coding, asset.gzip)),
        None => None,
    };
    match packed {
        Some((coding, bytes)) => {
            (kept, kind, [(header::CONTENT_ENCODING, fixed(coding.name()))], bytes).into_response()
        }
        None => (kept, kind, asset.raw).into_response(),
    }
}
