//! Templates and their versions.

use super::build::Job;
use super::id::{FileId, GroupId, OrganizationId, TemplateId, UserId, VersionId};
use super::name::TemplateName;
use super::parameter::{Parameter, Preset, Variable};
use super::policy::{Permissions, role};
use super::quota;
use super::resource::ResourceSpec;
use super::time::Timestamp;
use super::user::{UserRef, define_words};

define_words! {
    /// What a template's own list gives, in Coder's words; the later gives what the earlier does.
    TemplateRole {
        /// See it and make workspaces from it.
        Use = "use",
        /// Keep it: push versions, change it and its list, delete it.
        Admin = "admin",
    }
}

impl TemplateRole {
    /// What it holds on the template.
    #[must_use]
    pub const fn permissions(self) -> Permissions {
        match self {
            Self::Use => role::TEMPLATE_USE,
            Self::Admin => role::TEMPLATE_ADMIN,
        }
    }
}

/// Who is on a template's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grantee {
    /// Everyone in its organization.
    Everyone,
    /// The members of a group.
    Group(GroupId),
    /// One person or service account.
    User(UserId),
}

/// A Terraform module that people start workspaces from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// Where it belongs.
    pub organization_id: OrganizationId,
    /// The name of that in addresses; empty for the one of the start, which they leave out.
    pub home: String,
    /// Its name.
    pub name: TemplateName,
    /// The name shown; empty for the name itself.
    pub display_name: String,
    /// What it is for, a sentence.
    pub description: String,
    /// URL or path of an icon; may be empty.
    pub icon: String,
    /// The version new workspaces use.
    pub active_version_id: VersionId,
    /// That version's name.
    pub active_version_name: String,
    /// Who made it.
    pub created_by: UserRef,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Why it should not be used any more; empty for a current one.
    pub deprecation: String,
    /// Seconds a workspace runs before it stops by itself; 0 for no end.
    pub default_ttl_s: i64,
    /// How many workspaces are made from it.
    pub n_workspaces: i64,
}

impl Template {
    /// The name shown.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.display_name.is_empty() { self.name.as_str() } else { &self.display_name }
    }
}

/// One import of a template; it does not change once imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its id.
    pub id: VersionId,
    /// Its template; none while it is the first one and not promoted.
    pub template_id: Option<TemplateId>,
    /// Where it belongs.
    pub organization_id: OrganizationId,
    /// Its name, unique in the template.
    pub name: String,
    /// What changed.
    pub message: String,
    /// Its archive.
    pub file_id: FileId,
    /// The import.
    pub job: Job,
    /// Who pushed it.
    pub created_by: UserRef,
    /// When it was pushed.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Is not offered any more.
    pub archived: bool,
    /// The text of its README.md; may be empty.
    pub readme: String,
    /// Someone else runs its agent.
    pub has_external_agent: bool,
}

/// What an import found in a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Imported {
    /// The root module's variables.
    pub variables: Vec<Variable>,
    /// What it asks.
    pub parameters: Vec<Parameter>,
    /// Answers under a name.
    pub presets: Vec<Preset>,
    /// What a start would make.
    pub start_resources: Vec<ResourceSpec>,
    /// What stays after a stop.
    pub stop_resources: Vec<ResourceSpec>,
    /// The external logins it asks for: id, and whether it can do without.
    pub external_auth: Vec<(String, bool)>,
    /// The text of README.md; may be empty.
    pub readme: String,
    /// `coder_workspace_tags`.
    pub tags: std::collections::BTreeMap<String, String>,
    /// Someone else runs its agent.
    pub has_external_agent: bool,
}

impl Imported {
    /// Credits a day of a workspace that is stopped, as far as the plan of the import knew.
    #[must_use]
    pub fn stop_cost(&self) -> i64 {
        cost(&self.stop_resources)
    }
}

fn cost(resources: &[ResourceSpec]) -> i64 {
    let all = resources.iter().map(|r| quota::bounded(r.daily_cost));
    quota::bounded(all.fold(0, i64::saturating_add))
}
