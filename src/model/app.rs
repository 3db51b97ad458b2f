//! Apps: what an agent exposes to a browser, as Terraform declared them.

use super::id::AppId;
use super::user::define_words;

define_words! {
    /// Who may open an app.
    AppShare {
        /// The workspace's owner.
        Owner = "owner",
        /// Anyone signed in.
        Authenticated = "authenticated",
        /// Anyone.
        Public = "public",
    }
    /// Where an app opens.
    AppOpenIn {
        /// A new tab.
        Tab = "tab",
        /// A window without bars.
        SlimWindow = "slim-window",
    }
    /// What an app's health check found.
    AppHealth {
        /// It has none.
        Disabled = "disabled",
        /// Not checked yet.
        Initializing = "initializing",
        /// Answers.
        Healthy = "healthy",
        /// Does not answer.
        Unhealthy = "unhealthy",
    }
}

/// How an app is asked whether it is well.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HealthCheck {
    /// The URL, from inside the workspace.
    pub url: String,
    /// Seconds between two checks.
    pub interval_s: u32,
    /// Failures in a row that make it unhealthy.
    pub threshold: u32,
}

/// An app as Terraform declared it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AppSpec {
    /// Its id, from Terraform.
    pub id: AppId,
    /// The name in URLs, unique in the agent.
    pub slug: String,
    /// The name shown.
    pub display_name: String,
    /// What runs in a terminal, instead of a URL.
    pub command: String,
    /// The URL, from inside the workspace or outside when `external`.
    pub url: String,
    /// URL or path of an icon; may be empty.
    pub icon: String,
    /// Served at a host of its own.
    pub subdomain: bool,
    /// Who may open it.
    pub share: AppShare,
    /// The URL is outside the workspace.
    pub external: bool,
    /// How it is asked whether it is well.
    pub healthcheck: Option<HealthCheck>,
    /// The place in the list.
    pub order: i64,
    /// The heading it stands under; may be empty.
    pub group: String,
    /// Is not listed.
    pub hidden: bool,
    /// Where it opens.
    pub open_in: AppOpenIn,
    /// Shown on hover.
    pub tooltip: String,
}
