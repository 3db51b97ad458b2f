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
