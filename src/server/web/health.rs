//! Whether the server lives and can serve, for who watches it.

use http::StatusCode;

use super::routes::Routes;
use super::{Access, Answer, Problem, State};

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::Public, "/healthz", alive).get(Access::Public, "/readyz", ready).get(
        Access::Public,
        "/latency-check",
        alive,
    )
}

async fn alive() -> &'static str {
    "OK\n"
}

/// Ready is who can read the database.
async fn ready(state: State) -> Answer<&'static str> {
    match state.app.has_users().await {
        Ok(_) => Ok("OK\n"),
        Err(error) => {
            tracing::error!(%error, "not ready: the database cannot be read");
            let message = "The database cannot be read.";
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, message))
        }
    }
}
