//! Coder's HTTP API, version 2: one file a noun.

mod files;
mod template_json;
mod templates;
mod versions;

use super::routes::Routes;

/// Every route of the API.
pub(super) fn routes(routes: Routes) -> Routes {
    versions::routes(templates::routes(files::routes(routes)))
}
