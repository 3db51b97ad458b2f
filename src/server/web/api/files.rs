//! `/files`: archives of templates.

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request};
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};

use crate::model::id::FileId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::web::extract::{Path, created};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Problem, State, Who, limits};
use crate::wire::coder::templates::UploadResponse;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.up_to(limits::UPLOAD).post(Access::may(R::File, A::Create), "/api/v2/files", upload).get(
        Access::may(R::File, A::Read),
        "/api/v2/files/{file}",
        download,
    )
}

async fn upload(state: State, Who(actor): Who, req: Request) -> Answer<Response> {
    // Before a hundred megabytes are read: everyone signed in comes so far.
    state.app.may_upload(&actor).await?;
    let body = Bytes::from_request(req, &state).await.map_err(|_| cut_off())?;
    let id = state.app.upload_file(&actor, body).await?;
    Ok(created(UploadResponse { hash: id.0 }))
}

fn cut_off() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "The archive did not arrive whole.")
}

async fn download(state: State, Who(actor): Who, Path(id): Path<FileId>) -> Answer<Response> {
    let body = state.app.file(&actor, id).await?;
    Ok(([(header::CONTENT_TYPE, "application/x-tar")], body).into_response())
}
