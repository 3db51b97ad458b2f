//! The documented shapes: every field with its type, and whether it may be absent or null.

use serde_json::Value;

use Is::{Any, Each, Id, List, Maybe, Number, Object, OrNull, Text, Time, Truth, Word};

/// What a value is.
#[derive(Debug)]
pub enum Is {
    /// No body.
    Nothing,
    /// Whatever there is.
    Any,
    Text,
    /// One of these texts.
    Word(&'static [&'static str]),
    /// A UUID, of zeros for none.
    Id,
    /// RFC 3339 in UTC, in the year 1 for never.
    Time,
    /// A whole number.
    Number,
    Truth,
    /// A list: never null.
    List(&'static Is),
    /// A map of texts to values: never null.
    Each(&'static Is),
    /// An object with these fields, and maybe more.
    Object(&'static [(&'static str, Is)]),
    /// Absent where it is empty; never null.
    Maybe(&'static Is),
    /// Null for none; never absent.
    OrNull(&'static Is),
}

impl Is {
    /// What does not fit.
    pub fn wrong_in(&self, value: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        self.check(value, "$", &mut wrong);
        wrong
    }

    fn check(&self, value: &Value, at: &str, wrong: &mut Vec<String>) {
        let text = |fits: &dyn Fn(&str) -> bool| value.as_str().is_some_and(fits);
        let fits = match self {
            Is::Nothing => false,
            Any => true,
            Text => value.is_string(),
            Word(words) => text(&|t| words.contains(&t)),
            Id => text(&|t| t.len() == 36 && t.parse::<uuid::Uuid>().is_ok()),
            Time => text(&|t| t.ends_with('Z') && t.parse::<jiff::Timestamp>().is_ok()),
            Number => value.is_i64(),
            Truth => value.is_boolean(),
            List(of) => {
                for (n, entry) in value.as_array().into_iter().flatten().enumerate() {
                    of.check(entry, &format!("{at}[{n}]"), wrong);
                }
                value.is_array()
            }
            Each(of) => {
                for (name, entry) in value.as_object().into_iter().flatten() {
                    of.check(entry, &format!("{at}.{name}"), wrong);
                }
                value.is_object()
            }
            Object(fields) => {
                for (name, of) in *fields {
                    let at = format!("{at}.{name}");
                    match (value.get(name), of) {
                        (Some(value), of) => of.check(value, &at, wrong),
                        (None, Maybe(_)) => {}
                        (None, _) => wrong.push(format!("{at} is absent")),
                    }
                }
                value.is_object()
            }
            Maybe(of) => return of.check(value, at, wrong),
            OrNull(_) if value.is_null() => true,
            OrNull(of) => return of.check(value, at, wrong),
        };
        if !fits {
            wrong.push(format!("{at} is {value}, not {self:?}"));
        }
    }
}

/// The answer of a change, and every error.
pub const RESPONSE: Is = Object(&[
    ("message", Text),
    ("detail", Maybe(&Text)),
    ("validations", Maybe(&List(&Object(&[("field", Text), ("detail", Text)])))),
]);

const LOGIN_TYPE: Is = Word(&["", "password", "github", "oidc", "token", "none"]);
const STATUS: Is = Word(&["active", "dormant", "suspended"]);

const SLIM_ROLE: Is =
    Object(&[("name", Text), ("display_name", Text), ("organization_id", Maybe(&Id))]);

pub const USER: Is = Object(&[
    ("id", Id),
    ("username", Text),
    ("name", Maybe(&Text)),
    ("avatar_url", Maybe(&Text)),
    ("email", Text),
    ("created_at", Time),
    ("updated_at", Time),
    ("last_seen_at", Time),
    ("status", STATUS),
    ("login_type", LOGIN_TYPE),
    ("theme_preference", Maybe(&Text)),
    ("is_service_account", Maybe(&Truth)),
    ("organization_ids", List(&Id)),
    ("roles", List(&SLIM_ROLE)),
    ("has_ai_seat", Truth),
]);

pub const USERS: Is = Object(&[("users", List(&USER)), ("count", Number)]);

pub const REDUCED_USER: Is = Object(&[
    ("id", Id),
    ("username", Text),
    ("name", Maybe(&Text)),
    ("avatar_url", Maybe(&Text)),
    ("email", Text),
    ("created_at", Time),
    ("updated_at", Time),
    ("last_seen_at", Time),
    ("status", STATUS),
    ("login_type", LOGIN_TYPE),
    ("theme_preference", Maybe(&Text)),
    ("is_service_account", Maybe(&Truth)),
]);

pub const USER_ROLES: Is =
    Object(&[("roles", List(&Text)), ("organization_roles", Each(&List(&Text)))]);

pub const ORGANIZATION: Is = Object(&[
    ("id", Id),
    ("name", Text),
    ("display_name", Text),
    ("description", Text),
    ("icon", Text),
    ("created_at", Time),
    ("updated_at", Time),
    ("is_default", Truth),
    ("default_org_member_roles", List(&Text)),
]);

pub const MEMBER: Is = Object(&[
    ("user_id", Id),
    ("organization_id", Id),
    ("created_at", Time),
    ("updated_at", Time),
    ("roles", List(&SLIM_ROLE)),
    ("username", Text),
    ("name", Maybe(&Text)),
    ("avatar_url", Maybe(&Text)),
    ("email", Text),
    ("global_roles", List(&SLIM_ROLE)),
    ("status", STATUS),
    ("login_type", LOGIN_TYPE),
    ("has_ai_seat", Truth),
    ("is_service_account", Maybe(&Truth)),
    ("last_seen_at", Time),
    ("user_created_at", Time),
    ("user_updated_at", Time),
]);

pub const PAGE_OF_MEMBERS: Is = Object(&[("members", List(&MEMBER)), ("count", Number)]);

const PERMISSION: Is = Object(&[("negate", Truth), ("resource_type", Text), ("action", Text)]);

/// `codersdk.Role`, and with the last two fields `codersdk.AssignableRoles`.
pub const ROLE: Is = Object(&[
    ("name", Text),
    ("display_name", Text),
    ("organization_id", Maybe(&Id)),
    ("site_permissions", List(&PERMISSION)),
    ("organization_permissions", List(&PERMISSION)),
    ("organization_member_permissions", List(&PERMISSION)),
    ("user_permissions", List(&PERMISSION)),
    ("assignable", Truth),
    ("built_in", Truth),
]);

pub const GROUP: Is = Object(&[
    ("id", Id),
    ("name", Text),
    ("display_name", Text),
    ("organization_id", Id),
    ("members", List(&REDUCED_USER)),
    ("total_member_count", Number),
    ("avatar_url", Text),
    ("quota_allowance", Number),
    ("source", Word(&["user", "oidc"])),
    ("organization_name", Text),
    ("organization_display_name", Text),
]);

pub const GROUP_MEMBERS: Is = Object(&[("users", List(&REDUCED_USER)), ("count", Number)]);

pub const NEW_KEY: Is = Object(&[("key", Text)]);

pub const API_KEY: Is = Object(&[
    ("id", Text),
    ("user_id", Id),
    ("last_used", Time),
    ("expires_at", Time),
    ("created_at", Time),
    ("updated_at", Time),
    ("login_type", Word(&["password", "github", "oidc", "token"])),
    ("scope", Text),
    ("scopes", List(&Text)),
    ("token_name", Text),
    ("lifetime_seconds", Number),
    ("allow_list", List(&Text)),
    ("username", Text),
]);

pub const QUOTA: Is = Object(&[("credits_consumed", Number), ("budget", Number)]);

/// A list's entry is a user or a group, with the role it has.
pub const TEMPLATE_ACL: Is = Object(&[("users", List(&USER)), ("group", List(&GROUP))]);

pub const ACL_AVAILABLE: Is = Object(&[("users", List(&REDUCED_USER)), ("groups", List(&GROUP))]);

pub const AUDIT_LOGS: Is =
    Object(&[("audit_logs", List(&AUDIT_LOG)), ("count", Number), ("count_cap", Number)]);

const AUDIT_LOG: Is = Object(&[
    ("id", Id),
    ("request_id", Id),
    ("time", Time),
    ("ip", Text),
    ("user_agent", Text),
    ("resource_type", Text),
    ("resource_id", Id),
    ("resource_target", Text),
    ("resource_icon", Text),
    (
        "action",
        Word(&[
            "create",
            "write",
            "delete",
            "start",
            "stop",
            "login",
            "logout",
            "register",
            "connect",
            "disconnect",
            "open",
            "close",
            "request_password_reset",
        ]),
    ),
    ("diff", Each(&Object(&[("old", Maybe(&Any)), ("new", Maybe(&Any)), ("secret", Truth)]))),
    ("status_code", Number),
    ("additional_fields", Each(&Any)),
    ("description", Text),
    ("resource_link", Text),
    ("is_deleted", Truth),
    ("organization_id", Id),
    ("organization", Maybe(&MINIMAL_ORGANIZATION)),
    ("user", OrNull(&USER)),
]);

const MINIMAL_ORGANIZATION: Is =
    Object(&[("id", Id), ("name", Text), ("display_name", Text), ("icon", Text)]);

pub const BUILD_INFO: Is = Object(&[
    ("external_url", Text),
    ("version", Text),
    ("dashboard_url", Text),
    ("telemetry", Truth),
    ("workspace_proxy", Truth),
    ("agent_api_version", Text),
    ("provisioner_api_version", Text),
    ("upgrade_message", Text),
    ("deployment_id", Text),
    ("webpush_public_key", Maybe(&Text)),
]);

const BANNER: Is = Object(&[("enabled", Truth), ("message", Text), ("background_color", Text)]);

pub const APPEARANCE: Is = Object(&[
    ("application_name", Text),
    ("logo_url", Text),
    ("docs_url", Text),
    ("service_banner", BANNER),
    ("announcement_banners", List(&BANNER)),
    ("support_links", List(&Any)),
]);

pub const ENTITLEMENTS: Is = Object(&[
    (
        "features",
        Each(&Object(&[
            ("entitlement", Word(&["entitled", "grace_period", "not_entitled"])),
            ("enabled", Truth),
            ("limit", Maybe(&Number)),
            ("actual", Maybe(&Number)),
        ])),
    ),
    ("warnings", List(&Text)),
    ("errors", List(&Text)),
    ("has_license", Truth),
    ("trial", Truth),
    ("require_telemetry", Truth),
    ("refreshed_at", Time),
]);

pub const REGIONS: Is = Object(&[(
    "regions",
    List(&Object(&[
        ("id", Id),
        ("name", Text),
        ("display_name", Text),
        ("icon_url", Text),
        ("healthy", Truth),
        ("path_app_url", Text),
        ("wildcard_hostname", Text),
    ])),
)]);

pub const SSH_CONFIG: Is = Object(&[
    ("hostname_prefix", Text),
    ("hostname_suffix", Text),
    ("ssh_config_options", Each(&Text)),
]);

pub const UPDATE_CHECK: Is = Object(&[("current", Truth), ("version", Text), ("url", Text)]);

pub const DEPLOYMENT_CONFIG: Is = Object(&[("config", Each(&Any)), ("options", List(&Any))]);

pub const AUTH_METHODS: Is = Object(&[
    ("terms_of_service_url", Maybe(&Text)),
    ("password", Object(&[("enabled", Truth)])),
    ("github", Object(&[("enabled", Truth), ("default_provider_configured", Truth)])),
    ("oidc", Object(&[("enabled", Truth), ("signInText", Text), ("iconUrl", Text)])),
]);

#[test]
fn what_does_not_fit_a_shape_is_named() {
    let wrong = |value: Value| QUOTA.wrong_in(&value).join("; ");
    assert_eq!(wrong(serde_json::json!({ "credits_consumed": 1, "budget": -1, "more": null })), "");
    assert!(wrong(serde_json::json!({ "budget": null })).contains("$.budget is null"));
    assert!(wrong(serde_json::json!([])).contains("credits_consumed is absent"));
    assert_eq!(ROLE.wrong_in(&serde_json::json!({ "organization_id": null })).len(), 9);
}
