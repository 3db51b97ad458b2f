//! What the deployment says about itself.

use std::collections::BTreeMap;

use axum::response::Response;
use serde_json::{Value, json};

use super::authcheck;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::session::SessionKind;
use crate::server::web::extract::{Json, message};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::VERSION;
use crate::wire::coder::deployment as wire;
use crate::wire::coder::users::{AuthCheck, AuthCheckResponse};

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Public, "/api/v2", hello)
        .get(Access::Public, "/api/v2/", hello)
        .get(Access::Public, "/api/v2/buildinfo", build_info)
        .get(Access::SignedIn, "/api/v2/deployment/ssh", ssh)
        .get(Access::may(R::DeploymentConfig, A::Read), "/api/v2/deployment/config", config)
        .get(Access::may(R::DeploymentConfig, A::Read), "/api/v2/deployment/stats", stats)
        .get(Access::Public, "/api/v2/appearance", appearance)
        .get(Access::SignedIn, "/api/v2/experiments", experiments)
        .get(Access::SignedIn, "/api/v2/experiments/available", available_experiments)
        .get(Access::SignedIn, "/api/v2/entitlements", entitlements)
        .get(Access::SignedIn, "/api/v2/regions", regions)
        .get(Access::Public, "/api/v2/updatecheck", update_check)
        .get(Access::SignedIn, "/api/v2/applications/host", app_host)
        .post(Access::SignedIn, "/api/v2/authcheck", auth_check)
}

/// The versions of the protocols that Coder's clients ask after.
const AGENT_API: &str = "2.7";
const PROVISIONER_API: &str = "1.12";

/// What Coder sells and we have: clients look here before they offer it.
const FEATURES: [&str; 14] = [
    "access_control",
    "advanced_template_scheduling",
    "appearance",
    "audit_log",
    "connection_log",
    "control_shared_ports",
    "custom_roles",
    "external_provisioner_daemons",
    "external_token_encryption",
    "multiple_organizations",
    "template_rbac",
    "user_limit",
    "user_role_management",
    "workspace_external_agent",
];

/// What Coder sells and we do not have, or have without it.
const MISSING: [&str; 9] = [
    "aibridge",
    "boundary",
    "browser_only",
    "high_availability",
    "managed_agent_limit",
    "multiple_external_auth",
    "workspace_batch_actions",
    "workspace_prebuilds",
    "workspace_proxy",
];

async fn hello() -> Response {
    message("Steading speaks Coder's API.")
}

async fn build_info(state: State) -> Json<wire::BuildInfo> {
    let url = state.site.access_url().to_owned();
    Json(wire::BuildInfo {
        external_url: url.clone(),
        version: VERSION.to_owned(),
        dashboard_url: url,
        agent_api_version: AGENT_API.to_owned(),
        provisioner_api_version: PROVISIONER_API.to_owned(),
        deployment_id: state.deployment_id.to_string(),
        ..Default::default()
    })
}

async fn ssh(state: State) -> Json<wire::SshConfig> {
    Json(wire::SshConfig {
        hostname_prefix: "coder.".to_owned(),
        hostname_suffix: "coder".to_owned(),
        ssh_config_options: BTreeMap::new(),
        ssh_address: state.site.ssh_address.clone(),
    })
}

async fn config(state: State) -> Json<Value> {
    let policy = &state.app.policy;
    Json(json!({
        "config": {
            "access_url": state.site.access_url(),
            "disable_password_auth": !policy.password_auth,
            "session_lifetime": {
                "default_duration": nanos(policy.session_duration),
                "max_token_lifetime": nanos(policy.max_token_lifetime),
            },
            "telemetry": { "enable": false },
        },
        "options": [],
    }))
}

/// Counted when it is asked for, so nothing is older than the answer.
async fn stats(state: State, Who(actor): Who) -> Answer<Json<wire::Stats>> {
    use crate::model::build::WorkspaceStatus as S;
    let (stats, now) = (state.app.stats(&actor).await?, state.app.clock().now().into());
    Ok(Json(wire::Stats {
        aggregated_from: now,
        collected_at: now,
        next_update_at: now,
        workspaces: wire::WorkspaceStats {
            pending: stats.workspaces_in(&[S::Pending]),
            building: stats.workspaces_in(&[S::Starting, S::Stopping, S::Deleting, S::Canceling]),
            running: stats.workspaces_in(&[S::Running]),
            failed: stats.workspaces_in(&[S::Failed]),
            stopped: stats.workspaces_in(&[S::Stopped, S::Canceled]),
            connection_latency_ms: wire::Latency { p50: -1.0, p95: -1.0 },
            rx_bytes: stats.bytes_in,
            tx_bytes: stats.bytes_out,
        },
        session_count: wire::SessionCount {
            vscode: stats.sessions_by(&[SessionKind::Vscode]),
            ssh: stats.sessions_by(&[SessionKind::Ssh, SessionKind::Sftp, SessionKind::Tunnel]),
            jetbrains: stats.sessions_by(&[SessionKind::Jetbrains]),
            reconnecting_pty: stats.sessions_by(&[SessionKind::Terminal]),
        },
    }))
}

fn nanos(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

async fn appearance() -> Json<wire::Appearance> {
    Json(wire::Appearance { application_name: "Steading".to_owned(), ..Default::default() })
}

async fn experiments() -> Json<Vec<String>> {
    Json(Vec::new())
}

async fn available_experiments() -> Json<Value> {
    Json(json!({ "safe": [] }))
}

async fn entitlements(state: State) -> Json<wire::Entitlements> {
    let feature =
        |entitlement: &str, enabled| wire::Feature { entitlement: entitlement.to_owned(), enabled };
    let mut features: BTreeMap<String, wire::Feature> =
        FEATURES.iter().map(|name| ((*name).to_owned(), feature("entitled", true))).collect();
    features.insert("scim".to_owned(), feature("entitled", state.providers.now().scim.is_some()));
    features
        .extend(MISSING.iter().map(|name| ((*name).to_owned(), feature("not_entitled", false))));
    Json(wire::Entitlements {
        features,
        has_license: true,
        refreshed_at: state.app.clock().now().into(),
        ..Default::default()
    })
}

async fn regions(state: State) -> Json<wire::Regions> {
    let region = wire::Region {
        id: state.deployment_id,
        name: "default".to_owned(),
        display_name: "Default".to_owned(),
        healthy: true,
        path_app_url: state.site.access_url().to_owned(),
        ..Default::default()
    };
    Json(wire::Regions { regions: vec![region] })
}

async fn update_check() -> Json<wire::UpdateCheck> {
    Json(wire::UpdateCheck { current: true, version: VERSION.to_owned(), url: String::new() })
}

async fn app_host() -> Json<wire::AppHost> {
    Json(wire::AppHost::default())
}

async fn auth_check(
    state: State,
    Who(actor): Who,
    Json(body): Json<AuthCheck>,
) -> Answer<Json<AuthCheckResponse>> {
    let mut answers = AuthCheckResponse::new();
    for (name, question) in body.checks.into_iter().take(authcheck::MAX_QUESTIONS) {
        let may = authcheck::may(&state, &actor, &question).await?;
        answers.insert(name, may);
    }
    Ok(Json(answers))
}
