//! A body that fits, for each route that takes one.

use base64::Engine as _;
use http::Method;
use serde_json::{Value, json};

use crate::harness::PASSWORD;

/// What is sent.
pub enum Body {
    Json(Value),
    Form(Vec<(&'static str, String)>),
}

/// A public key of someone's, each another.
pub fn ssh_key(of: &str) -> String {
    let mut blob = vec![0, 0, 0, 11];
    blob.extend(b"ssh-ed25519");
    blob.extend([0, 0, 0, 32]);
    let mut key = [7_u8; 32];
    key.iter_mut().zip(of.bytes()).for_each(|(to, from)| *to = from);
    blob.extend(key);
    format!("ssh-ed25519 {} {of}", base64::engine::general_purpose::STANDARD.encode(blob))
}

/// The body of a request; none for one that takes none.
pub fn of(method: &Method, route: &str, value: &dyn Fn(&str) -> String) -> Option<Body> {
    if *method == Method::GET || *method == Method::DELETE {
        return None;
    }
    if !route.starts_with("/api/") && !route.starts_with("/scim/") {
        return Some(Body::Form(form(route, value)));
    }
    Some(Body::Json(json_of(method, route, value)))
}

fn json_of(method: &Method, route: &str, value: &dyn Fn(&str) -> String) -> Value {
    let name_of_role = if *method == Method::PUT { "helper" } else { "another" };
    let end = route.rsplit('/').next().unwrap_or_default();
    match (route, end) {
        ("/api/v2/users", _) => json!({ "username": "newcomer", "email": "new@example.org",
            "password": PASSWORD }),
        ("/api/v2/invitations", _) => json!({ "email": "guest@example.org" }),
        (_, "control") => json!({ "deed": "take" }),
        ("/api/v2/requests" | "/api/v2/break-glass", _) => {
            json!({ "workspace": format!("{}/kiln", value("{user}")), "reason": "the alarm" })
        }
        (_, "request-hook") => json!({ "url": "https://hooks.example.org/steading" }),
        (_, "request-rules") => json!({ "approvals": 1 }),
        (_, "mail") => json!({ "server": "127.0.0.1", "port": 9, "from": "kiln@example.org" }),
        (_, "review") => json!({ "note": "it was the valve" }),
        (_, "responsible") => json!({ "responsible": "olga" }),
        ("/api/v2/organizations", _) => json!({ "name": "orchard" }),
        ("/api/v2/rotations/{rotation}", _) => json!({ "zone": "Europe/Berlin" }),
        (_, "rotations") => rotation("nights"),
        (_, "overrides") => json!({ "user": "olga", "until": "2026-11-19T09:00:00Z" }),
        ("/api/v2/organizations/{organization}", _) => json!({ "display_name": "Orchard" }),
        ("/api/v2/authcheck", _) => json!({ "checks": {} }),
        ("/api/v2/organizations/{organization}/members/roles", _) => json!({ "name": name_of_role,
            "organization_permissions": [{ "resource_type": "workspace", "action": "read" }] }),
        ("/api/v2/groups/{group}", _) => json!({ "display_name": "Potters" }),
        ("/api/v2/templates/{template}" | "/api/v2/templateversions/{version}", _) => {
            json!({ "description": "New.", "message": "New." })
        }
        ("/api/v2/templates/{template}/acl", _) => json!({ "user_perms": {} }),
        ("/api/v2/workspaces/{workspace}/acl", _) => json!({ "user_roles": {} }),
        (_, "workspace-sharing") => json!({ "shareable_workspace_owners": "everyone" }),
        (_, "revoke") => json!({ "grants": [] }),
        (_, "grants") => json!({ "users": ["visitor"], "verbs": ["view"] }),
        (_, "handover" | "preview") => json!({ "to": "visitor" }),
        (_, "what-if") => json!({ "group": "potters" }),
        (_, "charter") => json!({ "text": "ends = true" }),
        (_, "offer" | "redeem") => json!({ "code": "sc_none" }),
        ("/api/v2/templates/{template}/versions", _) => json!({ "id": value("{version}") }),
        ("/api/v2/settings/idpsync/organization", _) => json!({ "field": "" }),
        (_, "{kind}") => json!({ "field": "teams" }),
        (_, "mapping") => json!({ "remove": [{ "given": "nobody", "gets": "nowhere" }] }),
        (_, "groups") => json!({ "name": "glazers" }),
        (_, "templates") => {
            json!({ "name": "second", "template_version_id": value("{version}") })
        }
        (_, "templateversions") => json!({ "example_id": "docker", "storage_method": "file",
            "provisioner": "terraform" }),
        (_, "workspaces") => json!({ "name": "second", "template_id": value("{template}") }),
        (_, "builds") => json!({ "transition": "stop" }),
        (_, "roles") => json!({ "roles": [] }),
        (_, "profile") => json!({ "username": value("{user}"), "name": "New Name" }),
        (_, "password") => json!({ "old_password": PASSWORD, "password": "another-kiln-and-clay" }),
        (_, "convert-login") => json!({ "to_type": "oidc", "password": PASSWORD }),
        (_, "tokens") => json!({ "token_name": "second" }),
        (_, "ssh-keys") => json!({ "public_key": ssh_key("another") }),
        (_, end) => of_workspace(end),
    }
}

/// What is said of a workspace.
fn of_workspace(end: &str) -> Value {
    match end {
        "autostart" => json!({ "schedule": "CRON_TZ=UTC 30 9 * * 1-5" }),
        "ttl" => json!({ "ttl_ms": 7_200_000 }),
        "extend" => json!({ "deadline": "2026-11-19T12:00:00Z" }),
        "autoupdates" => json!({ "automatic_updates": "always" }),
        "{workspace}" => json!({ "name": "renamed" }),
        _ => json!({}),
    }
}

/// A rotation of one.
pub fn rotation(name: &str) -> Value {
    json!({ "name": name, "zone": "UTC", "layers": [
        { "members": ["olga"], "handoff": "mon 09:00", "length": "1w" } ] })
}

/// A provider that nobody reaches.
pub fn provider(name: &'static str) -> [(&'static str, &'static str); 5] {
    [
        ("name", name),
        ("issuer", "https://127.0.0.1:1"),
        ("client_id", "c"),
        ("secret", "s"),
        ("organization_assign_default", "yes"),
    ]
}

/// A form of a page of rotations.
fn rotation_form(end: &str) -> &'static [(&'static str, &'static str)] {
    match end {
        "delete" => &[("confirm", "on-call")],
        "{name}" => &[
            ("name", "on-call"),
            ("zone", "UTC"),
            ("members-0", "olga"),
            ("handoff-0", "mon 09:00"),
            ("length-0", "1w"),
        ],
        "rotations" => &[
            ("name", "nights"),
            ("zone", "UTC"),
            ("members", "olga"),
            ("handoff", "21:00"),
            ("length", "1d"),
        ],
        "overrides" => {
            &[("user", "olga"), ("from", "2026-11-18T12:00"), ("until", "2026-11-19T09:00")]
        }
        _ => &[],
    }
}

/// A form about how someone signs in.
fn way_in_form(end: &str) -> &'static [(&'static str, &'static str)] {
    match end {
        "ways" => &[("provider", "none"), ("password_now", PASSWORD)],
        "password" => &[("password", "another-kiln-and-clay")],
        "totp" => &[("password_now", PASSWORD)],
        "{passkey}" => &[("name", "another")],
        "security" => &[
            ("old_password", PASSWORD),
            ("password", "another-kiln-and-clay"),
            ("again", "another-kiln-and-clay"),
        ],
        _ => &[],
    }
}

fn form(route: &str, value: &dyn Fn(&str) -> String) -> Vec<(&'static str, String)> {
    let fixed: &[(&str, &str)] = match route.rsplit('/').next().unwrap_or_default() {
        "delete" if route.starts_with("/people") => {
            return vec![("confirm", value("{user}"))];
        }
        "undo" => return vec![("id", value("{override}"))],
        "open" => &[("in", "vscode"), ("agent", "main")],
        _ if matches!(route, "/requests" | "/break-glass") => {
            let workspace = format!("{}/kiln", value("{user}"));
            return vec![("workspace", workspace), ("reason", "the alarm".to_owned())];
        }
        "requests" => &[("approvals", "1")],
        "answer" | "{link}" => &[("verdict", "approve")],
        "review" => &[("note", "it was the valve")],
        end if route.contains("/rotations") => rotation_form(end),
        "delete" if route.contains("/groups/") => &[("confirm", "potters")],
        "delete" if route.contains("/roles/") => &[("confirm", "helper")],
        "sharing" if route.starts_with("/organizations") => &[("mode", "everyone")],
        "request-hook" => &[("url", "https://hooks.example.org/steading")],
        "mail" => &[("server", "127.0.0.1"), ("tls", "none"), ("from", "kiln@example.org")],
        "codes" => &[("preset", "viewer"), ("for", "2h"), ("until", "1d"), ("uses", "1")],
        "redeem" => &[("share_code", "sc_none")],
        "charter" => &[("text", "ends = true")],
        "handover" => &[("to", "visitor"), ("seen", "yes")],
        "sharing" => &[("who", "visitor"), ("preset", "viewer"), ("ends", "2h")],
        "groups" => &[("name", "glazers"), ("quota_allowance", "3")],
        "remove" if route.contains("/sign-in/") => &[("confirm", "sso")],
        _ if route.contains("/sign-in/{name}") || route.contains("/add-sign-in/") => {
            &provider("another")
        }
        "members" if !route.contains("/groups/") => return vec![("user", value("{user}"))],
        "roles" if !route.contains("{user}") => {
            &[("name", "another"), ("permission", "workspace:read")]
        }
        "remove" if route.contains("/members/") => return vec![("confirm", value("{user}"))],
        "delete" if route.contains("/templates/") => &[("confirm", "kiln")],
        "delete" if route.starts_with("/organizations") => &[("confirm", "default")],
        "organizations" => &[("name", "orchard")],
        "{kind}" => &[("field", "teams")],
        "{organization}" => &[("name", "default"), ("display_name", "Orchard")],
        "delete" => &[("confirm", "kiln")],
        "people" => {
            &[("username", "newcomer"), ("email", "new@example.org"), ("password", PASSWORD)]
        }
        "service-accounts" => &[("username", "newcomer"), ("responsible", "olga")],
        "responsible" => &[("responsible", "olga")],
        "invitations" => &[("email", "guest@example.org"), ("days", "7")],
        "workspace" => &[("name", "second")],
        "settings" => &[("name", "renamed")],
        "tokens" => &[("name", "second"), ("days", "30")],
        "account" => &[("username", "renamed")],
        "filters" | "{filter}" => &[("name", "another"), ("q", "action:start")],
        end => way_in_form(end),
    };
    fixed.iter().map(|(name, text)| (*name, (*text).to_owned())).collect()
}
