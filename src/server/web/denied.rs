//! What was denied, as the audit log has it: named by the route that was asked.

use axum::extract::MatchedPath;
use axum::response::Response;
use http::request::Parts;
use http::{Method, StatusCode};
use uuid::Uuid;

use super::{Problem, State};
use crate::model::audit::{AuditAction, AuditEntry, AuditTarget};
use crate::server::app::Actor;
use crate::server::app::refusals::Denied;

/// Characters of a path's parameters that are kept as the name of a thing.
const MAX_NAME: usize = 256;
/// Parts of a route that may stand for a link as it was sent: who has it can use it.
const SECRETS: [&str; 2] = ["{link}", "{token}"];

/// What is kept of a request that would change something.
pub(super) struct Change {
    entry: AuditEntry,
}

impl Change {
    /// What a request asks for; none for one that only reads.
    pub(super) fn of(parts: &Parts) -> Option<Self> {
        if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return None;
        }
        let pattern = parts.extensions.get::<MatchedPath>()?.as_str();
        Some(Self { entry: entry(&parts.method, pattern, parts.uri.path()) })
    }

    /// Notes that an actor was denied it, if the answer says so. That something may not even be known
    /// of is answered as if it were not there, and leaves nothing.
    pub(super) fn answered(self, state: &State, actor: &Actor, response: &Response) {
        let status = response.status();
        if status != StatusCode::FORBIDDEN {
            return;
        }
        let said = response.extensions().get::<Problem>().map(|problem| problem.message.clone());
        let reason = said.unwrap_or_default();
        state.app.refuse(actor, Denied { entry: self.entry, status: status.as_u16(), reason });
    }
}

fn entry(method: &Method, pattern: &str, path: &str) -> AuditEntry {
    let pairs = || pattern.split('/').zip(path.split('/'));
    let is_secret = |part: &str| SECRETS.contains(&part);
    let fixed = || pattern.split('/').rev().filter(|part| !part.starts_with('{'));
    let values: Vec<(&str, &str)> = pairs()
        .filter(|(part, _)| part.contains('{'))
        .map(|(part, value)| (part, value.trim_start_matches('@')))
        .collect();
    let id = values.iter().rev().find_map(|(_, value)| value.parse::<Uuid>().ok());
    let names: Vec<&str> = values
        .into_iter()
        .filter(|(part, value)| !is_secret(part) && value.parse::<Uuid>().is_err())
        .map(|(_, value)| value)
        .collect();
    let name = match names.is_empty() {
        true if pattern.split('/').any(is_secret) => pattern.to_owned(),
        true => path.to_owned(),
        false => names.join("/"),
    };
    AuditEntry {
        action: action(method, pattern.starts_with("/api/"), fixed().next().unwrap_or_default()),
        target: fixed().find_map(target).unwrap_or(AuditTarget::Setting),
        target_id: id.unwrap_or_default(),
        target_name: name.chars().take(MAX_NAME).collect(),
        organization: None,
        diff: "{}".to_owned(),
    }
}

/// Pages post everything; the end of their path says what.
fn action(method: &Method, is_api: bool, last: &str) -> AuditAction {
    match (method, last) {
        (&Method::DELETE, _) | (_, "delete" | "remove" | "revoke") => AuditAction::Delete,
        (_, "start" | "restart") => AuditAction::Start,
        (_, "stop") => AuditAction::Stop,
        (&Method::POST, _) if is_api => AuditAction::Create,
        _ => AuditAction::Write,
    }
}

/// The kind of thing that a part of a path names.
fn target(part: &str) -> Option<AuditTarget> {
    Some(match part {
        "keys" | "tokens" => AuditTarget::ApiKey,
        "ssh-keys" | "gitsshkey" => AuditTarget::GitSshKey,
        "templates" | "starter-templates" => AuditTarget::Template,
        "templateversions" | "versions" => AuditTarget::TemplateVersion,
        "workspaces" | "workspace" => AuditTarget::Workspace,
        "workspacebuilds" => AuditTarget::WorkspaceBuild,
        "groups" => AuditTarget::Group,
        "members" => AuditTarget::OrganizationMember,
        "idpsync" | "sync" => AuditTarget::Setting,
        "organizations" => AuditTarget::Organization,
        "invitations" => AuditTarget::Invitation,
        "rotations" => AuditTarget::Rotation,
        "recordings" => AuditTarget::Recording,
        "requests" => AuditTarget::Request,
        "break-glass" => AuditTarget::BreakGlass,
        "users" | "people" | "service-accounts" => AuditTarget::User,
        other if other.starts_with("@{") => AuditTarget::Workspace,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_change_is_named_by_its_route() {
        let check = |method: &Method, pattern: &str, path: &str, expected: &str| {
            let entry = entry(method, pattern, path);
            let id = if entry.target_id.is_nil() { "" } else { " by id" };
            let said = format!("{} {} {}{id}", entry.action, entry.target, entry.target_name);
            assert_eq!(said, expected);
        };
        let api = "/api/v2";
        let put = |pattern: &str, path: &str, expected: &str| {
            check(&Method::PUT, &format!("{api}{pattern}"), &format!("{api}{path}"), expected);
        };
        put("/users/{user}/status/suspend", "/users/grace/status/suspend", "write user grace");
        put("/users/{user}/roles", "/users/ada/roles", "write user ada");
        let id = "01890000-0000-7000-8000-000000000003";
        let path = format!("{api}/workspaces/{id}/builds");
        let pattern = "/api/v2/workspaces/{workspace}/builds";
        check(&Method::POST, pattern, &path, &format!("create workspace {path} by id"));
        let pattern = "/api/v2/users/{user}/keys/tokens";
        let path = "/api/v2/users/ben/keys/tokens";
        check(&Method::POST, pattern, path, "create api_key ben");
        let (pattern, path) = ("/@{owner}/{name}/stop", "/@ada/kiln/stop");
        check(&Method::POST, pattern, path, "stop workspace ada/kiln");
        let (pattern, path) = ("/people/{user}/delete", "/people/ada/delete");
        check(&Method::POST, pattern, path, "delete user ada");
        // What opens something is not named.
        let (pattern, path) = ("/requests/link/{link}", "/requests/link/live-secret");
        check(&Method::POST, pattern, path, &format!("write access_request {pattern}"));
        let (pattern, path) =
            ("/people/{user}/tokens/{token}/revoke", "/people/ada/tokens/t/revoke");
        check(&Method::POST, pattern, path, "delete api_key ada");
    }
}
