//! `/files`: archives of templates.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use crate::model::id::FileId;
use crate::server::web::extract::{Path, created};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Problem, State, Who, limits};
use crate::wire::coder::templates::UploadResponse;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::User, "/api/v2/files/{file}", download).up_to(limits::UPLOAD).post(
        Access::User,
        "/api/v2/files",
        upload,
    )
}

async fn upload(
    state: State,
    Who(actor): Who,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<Response> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !matches!(kind, "application/x-tar" | "application/tar" | "application/octet-stream") {
        let message = "The archive must be a tar: send it as application/x-tar.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let hash = state.app.upload_file(&actor, body).await?.0;
    Ok(created(UploadResponse { hash }))
}

async fn download(state: State, Who(actor): Who, Path(file): Path<FileId>) -> Answer<Response> {
    let body = state.app.file(&actor, file).await?;
    Ok(([(header::CONTENT_TYPE, "application/x-tar")], body).into_response())
}
