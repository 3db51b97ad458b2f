//! Coder's HTTP API, version 2: one file a noun.

pub mod audit;
pub mod authcheck;
pub mod convert;
pub mod deployment;
mod files;
pub mod groups;
pub mod organizations;
pub mod sessions;
pub mod ssh_keys;
mod template_json;
mod templates;
pub mod tokens;
pub mod users;
mod versions;

use super::routes::Routes;

/// Every route of the API.
pub(super) fn routes(routes: Routes) -> Routes {
    let routes = deployment::routes(routes);
    let routes = sessions::routes(routes);
    let routes = users::routes(routes);
    let routes = tokens::routes(routes);
    let routes = ssh_keys::routes(routes);
    let routes = organizations::routes(routes);
    let routes = groups::routes(routes);
    let routes = audit::routes(routes);
    versions::routes(templates::routes(files::routes(routes)))
}
