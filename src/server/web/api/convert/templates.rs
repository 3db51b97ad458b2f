//! Templates, their versions and what those ask, in Coder's words.

use crate::model::id::VersionId;
use crate::model::parameter::{Parameter, Preset, Variable};
use crate::model::template::{Template, Version};
use crate::model::user::UserRef;
use crate::provision::starters::Starter;
use crate::wire::coder::templates as wire;
use crate::wire::coder::users::MinimalUser;
use crate::wire::coder::versions;

use super::names::Names;

/// Every day of the week: a workspace may start by itself on each.
const DAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A template.
#[must_use]
pub fn template(t: &Template, names: &Names) -> wire::Template {
    let organization = names.organization(t.organization_id);
    let unknown = |transition: &str| (transition.to_owned(), wire::BuildTime::default());
    wire::Template {
        id: t.id.0,
        created_at: t.created_at.into(),
        updated_at: t.updated_at.into(),
        organization_id: t.organization_id.0,
        organization_name: organization.name,
        organization_display_name: organization.display_name,
        name: t.name.to_string(),
        display_name: t.display_name.clone(),
        provisioner: "terraform".to_owned(),
        active_version_id: t.active_version_id.0,
        active_user_count: -1,
        build_time_stats: ["start", "stop", "delete"].map(unknown).into(),
        description: t.description.clone(),
        deprecated: !t.deprecation.is_empty(),
        deprecation_message: t.deprecation.clone(),
        icon: t.icon.clone(),
        default_ttl_ms: t.default_ttl_s.saturating_mul(1000),
        // On no day, counted by the week.
        autostop_requirement: wire::AutostopRequirement { days_of_week: vec![], weeks: 1 },
        autostart_requirement: wire::AutostartRequirement {
            days_of_week: DAYS.map(str::to_owned).to_vec(),
        },
        created_by_id: t.created_by.id.0,
        created_by_name: t.created_by.username.to_string(),
        allow_user_autostart: true,
        allow_user_autostop: true,
        allow_user_cancel_workspace_jobs: true,
        max_port_share_level: "owner".to_owned(),
        cors_behavior: "simple".to_owned(),
        use_classic_parameter_flow: true,
        ..wire::Template::default()
    }
}

/// A starter.
#[must_use]
pub fn example(s: &Starter) -> wire::Example {
    let readme = s.files.iter().find(|(name, _)| *name == "README.md");
    wire::Example {
        id: s.id.to_owned(),
        url: String::new(),
        name: s.name.to_owned(),
        description: s.description.to_owned(),
        icon: s.icon.to_owned(),
        tags: s.tags.iter().map(|&tag| tag.to_owned()).collect(),
        markdown: readme.map(|(_, text)| (*text).to_owned()).unwrap_or_default(),
    }
}

/// A version.
#[must_use]
pub fn version(v: &Version) -> versions::Version {
    versions::Version {
        id: v.id.0,
        template_id: v.template_id.map(|t| t.0),
        organization_id: v.organization_id.0,
        created_at: v.created_at.into(),
        updated_at: v.updated_at.into(),
        name: v.name.clone(),
        message: v.message.clone(),
        job: super::jobs::of_version(v),
        readme: v.readme.clone(),
        created_by: minimal(&v.created_by),
        archived: v.archived,
        warnings: vec![],
        has_external_agent: v.has_external_agent,
    }
}

fn minimal(user: &UserRef) -> MinimalUser {
    MinimalUser { id: user.id.0, username: user.username.to_string(), ..MinimalUser::default() }
}

/// A parameter.
#[must_use]
pub fn parameter(p: &Parameter) -> versions::RichParameter {
    let options = p.options.iter().map(|o| versions::RichParameterOption {
        name: o.name.clone(),
        description: o.description.clone(),
        value: o.value.clone(),
        icon: o.icon.clone(),
    });
    versions::RichParameter {
        name: p.name.clone(),
        display_name: p.display_name.clone(),
        description: p.description.clone(),
        description_plaintext: p.description.clone(),
        r#type: p.kind.to_string(),
        form_type: p.form_type.to_string(),
        mutable: p.mutable,
        default_value: p.default_value.clone(),
        icon: p.icon.clone(),
        options: options.collect(),
        validation_error: p.validation.error.clone(),
        validation_regex: p.validation.regex.clone(),
        validation_min: p.validation.min,
        validation_max: p.validation.max,
        validation_monotonic: p.validation.monotonic.map(|m| m.to_string()).unwrap_or_default(),
        required: p.required,
        ephemeral: p.ephemeral,
    }
}

/// A variable.
#[must_use]
pub fn variable(v: &Variable) -> versions::Variable {
    versions::Variable {
        name: v.name.clone(),
        description: v.description.clone(),
        r#type: v.kind.clone(),
        value: v.value.clone(),
        default_value: v.default_value.clone(),
        required: v.required,
        sensitive: v.sensitive,
    }
}

/// A preset of a version.
#[must_use]
pub fn preset(p: &Preset, version: VersionId) -> versions::Preset {
    let parameters = p.parameters.iter().map(|(name, value)| versions::PresetParameter {
        name: name.clone(),
        value: value.clone(),
    });
    versions::Preset {
        id: p.id(version).0,
        name: p.name.clone(),
        parameters: parameters.collect(),
        default: p.is_default,
        desired_prebuild_instances: p.prebuilds,
        description: p.description.clone(),
        icon: p.icon.clone(),
    }
}
