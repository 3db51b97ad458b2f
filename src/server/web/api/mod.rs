//! Coder's HTTP API, version 2: one file a noun.

use super::routes::Routes;

/// Every route of the API.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
}
