//! What a deployment says about itself.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Time, null_is_default, shapes};

shapes! {
    /// `GET /buildinfo`.
    pub struct BuildInfo {
        pub external_url: String,
        pub version: String,
        pub dashboard_url: String,
        pub telemetry: bool,
        pub workspace_proxy: bool,
        pub agent_api_version: String,
        pub provisioner_api_version: String,
        pub upgrade_message: String,
        pub deployment_id: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub webpush_public_key: String,
    }

    /// `GET /deployment/ssh`: what clients put into their SSH configuration.
    pub struct SshConfig {
        pub hostname_prefix: String,
        pub hostname_suffix: String,
        #[serde(deserialize_with = "null_is_default")]
        pub ssh_config_options: BTreeMap<String, String>,
        /// Ours: `host:port` of the plain SSH endpoint; empty when there is none.
        pub ssh_address: String,
    }

    /// `GET /appearance`.
    pub struct Appearance {
        pub application_name: String,
        pub logo_url: String,
        pub docs_url: String,
        pub service_banner: Banner,
        pub announcement_banners: Vec<Banner>,
        pub support_links: Vec<SupportLink>,
    }

    /// A line above every page.
    pub struct Banner {
        pub enabled: bool,
        pub message: String,
        pub background_color: String,
    }

    /// A link for who needs help.
    pub struct SupportLink {
        pub name: String,
        pub target: String,
        pub icon: String,
    }

    /// `GET /entitlements`.
    pub struct Entitlements {
        pub features: BTreeMap<String, Feature>,
        pub warnings: Vec<String>,
        pub errors: Vec<String>,
        pub has_license: bool,
        pub trial: bool,
        pub require_telemetry: bool,
        pub refreshed_at: Time,
    }

    /// Whether a feature is there.
    pub struct Feature {
        pub entitlement: String,
        pub enabled: bool,
    }

    /// `GET /deployment/stats`.
    pub struct Stats {
        pub aggregated_from: Time,
        pub collected_at: Time,
        pub next_update_at: Time,
        pub workspaces: WorkspaceStats,
        pub session_count: SessionCount,
    }

    /// How many workspaces there are, and what their sessions carry.
    pub struct WorkspaceStats {
        pub pending: i64,
        pub building: i64,
        pub running: i64,
        pub failed: i64,
        pub stopped: i64,
        pub connection_latency_ms: Latency,
        pub rx_bytes: i64,
        pub tx_bytes: i64,
    }

    /// Milliseconds; -1 where none were measured.
    pub struct Latency {
        #[serde(rename = "P50")]
        pub p50: f64,
        #[serde(rename = "P95")]
        pub p95: f64,
    }

    /// How many sessions last.
    pub struct SessionCount {
        pub vscode: i64,
        pub ssh: i64,
        pub jetbrains: i64,
        pub reconnecting_pty: i64,
    }

    /// `GET /applications/host`.
    pub struct AppHost {
        pub host: String,
    }

    /// `GET /updatecheck`.
    pub struct UpdateCheck {
        pub current: bool,
        pub version: String,
        pub url: String,
    }

    /// `GET /regions`.
    pub struct Regions {
        pub regions: Vec<Region>,
    }

    /// A place that serves apps and terminals.
    pub struct Region {
        pub id: Uuid,
        pub name: String,
        pub display_name: String,
        pub icon_url: String,
        pub healthy: bool,
        pub path_app_url: String,
        pub wildcard_hostname: String,
    }
}
