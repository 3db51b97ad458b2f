//! Templates, versions and jobs in Coder's words.

use uuid::Uuid;

use crate::model::build::{Job, JobStatus};
use crate::model::id::VersionId;
use crate::model::log::StoredLine;
use crate::model::parameter::{Parameter, Preset, Variable};
use crate::model::template::{Template, Version};
use crate::provision::starters::Starter;
use crate::server::app::settings::DEFAULT_ORGANIZATION;
use crate::wire::coder::{Time, jobs, templates, users, versions};

/// What a job is for, as Coder names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobFor {
    /// An import.
    Import(VersionId),
    /// A build.
    Build(Uuid),
}

/// A template.
#[must_use]
pub fn template(t: &Template) -> templates::Template {
    templates::Template {
        id: t.id.0,
        created_at: t.created_at.into(),
        updated_at: t.updated_at.into(),
        organization_id: t.organization_id.0,
        organization_name: DEFAULT_ORGANIZATION.to_owned(),
        organization_display_name: "Default".to_owned(),
        name: t.name.to_string(),
        display_name: t.display_name.clone(),
        provisioner: "terraform".to_owned(),
        active_version_id: t.active_version_id.0,
        active_user_count: t.n_workspaces,
        description: t.description.clone(),
        deprecated: !t.deprecation.is_empty(),
        deprecation_message: t.deprecation.clone(),
        icon: t.icon.clone(),
        default_ttl_ms: t.default_ttl_s.saturating_mul(1000),
        created_by_id: t.created_by.id.0,
        created_by_name: t.created_by.username.to_string(),
        allow_user_autostart: true,
        allow_user_autostop: true,
        allow_user_cancel_workspace_jobs: true,
        max_port_share_level: "owner".to_owned(),
        cors_behavior: "simple".to_owned(),
        // The form is asked of the server as the person types only by our own pages.
        use_classic_parameter_flow: true,
        ..templates::Template::default()
    }
}

/// A version.
#[must_use]
pub fn version(v: &Version) -> versions::Version {
    let mut job = job(&v.job, JobFor::Import(v.id));
    job.file_id = v.file_id.0;
    job.organization_id = v.organization_id.0;
    job.initiator_id = v.created_by.id.0;
    job.metadata.template_version_name.clone_from(&v.name);
    job.metadata.template_id = v.template_id.map(|t| t.0).unwrap_or_default();
    versions::Version {
        id: v.id.0,
        template_id: v.template_id.map(|t| t.0),
        organization_id: v.organization_id.0,
        created_at: v.created_at.into(),
        updated_at: v.updated_at.into(),
        name: v.name.clone(),
        message: v.message.clone(),
        job,
        readme: v.readme.clone(),
        created_by: users::MinimalUser {
            id: v.created_by.id.0,
            username: v.created_by.username.to_string(),
            ..users::MinimalUser::default()
        },
        archived: v.archived,
        warnings: Vec::new(),
        has_external_agent: v.has_external_agent,
    }
}

/// A job.
#[must_use]
pub fn job(job: &Job, what: JobFor) -> jobs::ProvisionerJob {
    let (input, kind) = match what {
        JobFor::Import(id) => (
            jobs::JobInput { template_version_id: Some(id.0), ..Default::default() },
            "template_version_import",
        ),
        JobFor::Build(id) => (
            jobs::JobInput { workspace_build_id: Some(id), ..Default::default() },
            "workspace_build",
        ),
    };
    let canceled = matches!(job.status, JobStatus::Canceled);
    jobs::ProvisionerJob {
        id: job.id.0,
        created_at: job.created_at.into(),
        started_at: job.started_at.map(Time::from),
        completed_at: job.ended_at.map(Time::from),
        canceled_at: job.ended_at.filter(|_| canceled).map(Time::from),
        error: job.error.clone(),
        status: job.status.to_string(),
        worker_name: job.started_at.map(|_| "steading".to_owned()).unwrap_or_default(),
        input,
        r#type: kind.to_owned(),
        ..jobs::ProvisionerJob::default()
    }
}

/// A line of a job's log.
#[must_use]
pub fn log_line(stored: &StoredLine) -> jobs::JobLog {
    jobs::JobLog {
        id: stored.id,
        created_at: Time(stored.line.at_ms),
        log_source: stored.line.source.to_string(),
        log_level: stored.line.level.to_string(),
        stage: stored.line.stage.clone(),
        output: stored.line.output.clone(),
    }
}

/// A parameter.
#[must_use]
pub fn parameter(p: &Parameter) -> versions::RichParameter {
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
        options: p
            .options
            .iter()
            .map(|o| versions::RichParameterOption {
                name: o.name.clone(),
                description: o.description.clone(),
                value: o.value.clone(),
                icon: o.icon.clone(),
            })
            .collect(),
        validation_error: p.validation.error.clone(),
        validation_regex: p.validation.regex.clone(),
        validation_min: p.validation.min,
        validation_max: p.validation.max,
        validation_monotonic: p.validation.monotonic.map(|m| m.to_string()).unwrap_or_default(),
        required: p.required,
        ephemeral: p.ephemeral,
    }
}

/// A variable; a sensitive one without its value.
#[must_use]
pub fn variable(v: &Variable) -> versions::Variable {
    let shown = |text: &String| if v.sensitive { String::new() } else { text.clone() };
    versions::Variable {
        name: v.name.clone(),
        description: v.description.clone(),
        r#type: v.kind.clone(),
        value: shown(&v.value),
        default_value: shown(&v.default_value),
        required: v.required,
        sensitive: v.sensitive,
    }
}

/// A preset.
#[must_use]
pub fn preset(p: &Preset, of: VersionId) -> versions::Preset {
    let parameters = p.parameters.iter().map(|(name, value)| versions::PresetParameter {
        name: name.clone(),
        value: value.clone(),
    });
    versions::Preset {
        id: p.id(of).0,
        name: p.name.clone(),
        parameters: parameters.collect(),
        default: p.is_default,
        desired_prebuild_instances: p.prebuilds,
        description: p.description.clone(),
        icon: p.icon.clone(),
    }
}

/// A starter.
#[must_use]
pub fn example(s: &Starter) -> templates::Example {
    let readme = s.files.iter().find(|(path, _)| *path == "README.md");
    templates::Example {
        id: s.id.to_owned(),
        url: String::new(),
        name: s.name.to_owned(),
        description: s.description.to_owned(),
        icon: s.icon.to_owned(),
        tags: Vec::new(),
        markdown: readme.map(|(_, text)| (*text).to_owned()).unwrap_or_default(),
    }
}

/// Seconds out of Coder's milliseconds.
#[must_use]
pub fn seconds(ms: i64) -> i64 {
    ms.div_euclid(1000)
}
