//! Coder's HTTP API, version 2: one file a noun.

mod access_review;
mod agents;
pub mod audit;
mod audit_export;
pub mod authcheck;
mod binary;
mod break_glass;
mod builds;
mod charters;
pub mod codes;
mod connections;
pub mod convert;
pub mod deployment;
mod external_agents;
mod factors;
mod files;
mod follow;
pub mod groups;
mod handover;
mod idpsync;
mod invitations;
mod jobs;
mod machines;
mod mail;
mod members;
pub mod organizations;
mod presence;
pub mod recordings;
mod request_hooks;
pub mod requests;
mod rotation_doors;
mod rotations;
mod service_accounts;
pub mod sessions;
pub mod sharing;
mod sharing_modes;
mod ssh_keys;
mod template_acl;
mod templates;
mod terminals;
pub mod tokens;
pub mod users;
mod versions;
mod watch;
mod what_if;
mod workspaces;

pub(super) use audit_export::time as audit_time;

use super::routes::Routes;

/// Every route of the API.
pub(super) fn routes(routes: Routes) -> Routes {
    let routes = mail::routes(deployment::routes(routes));
    let routes = sessions::routes(routes);
    let routes = users::routes(routes);
    let routes = service_accounts::routes(invitations::routes(routes));
    let routes = tokens::routes(routes);
    let routes = ssh_keys::routes(routes);
    let routes = factors::routes(routes);
    let routes = organizations::routes(routes);
    let routes = members::routes(routes);
    let routes = groups::routes(routes);
    let routes = idpsync::routes(routes);
    let routes = rotation_doors::routes(rotations::routes(routes));
    let routes = jobs::routes(connections::routes(audit::routes(routes)));
    let routes = recordings::routes(routes);
    let routes = break_glass::routes(request_hooks::routes(requests::routes(routes)));
    let routes = files::routes(routes);
    let routes = templates::routes(routes);
    let routes = template_acl::routes(routes);
    let routes = versions::routes(routes);
    let routes = sharing_modes::routes(sharing::routes(workspaces::routes(routes)));
    let routes = charters::routes(handover::routes(codes::routes(routes)));
    let routes = what_if::routes(routes);
    let routes = builds::routes(routes);
    let routes = external_agents::routes(agents::routes(routes));
    let routes = terminals::routes(presence::routes(access_review::routes(routes)));
    let routes = machines::routes(routes);
    binary::routes(routes)
}
