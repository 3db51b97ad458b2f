//! Jobs and their logs in Coder's words.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::model::build::{Build, Job, JobStatus};
use crate::model::log::StoredLine;
use crate::model::template::Version;
use crate::wire::coder::{Time, jobs as wire};

/// What a build's runner does.
#[must_use]
pub fn of_build(build: &Build) -> wire::ProvisionerJob {
    wire::ProvisionerJob {
        initiator_id: build.initiator.id.0,
        input: wire::JobInput { workspace_build_id: Some(build.id.0), ..wire::JobInput::default() },
        r#type: "workspace_build".to_owned(),
        error_code: match build.refused_cost {
            Some(_) => "INSUFFICIENT_QUOTA".to_owned(),
            None => String::new(),
        },
        metadata: wire::JobMetadata {
            template_version_name: build.version_name.clone(),
            workspace_id: Some(build.workspace_id.0),
            ..wire::JobMetadata::default()
        },
        ..job(&build.job)
    }
}

/// What the runner of an import does.
#[must_use]
pub fn of_version(version: &Version) -> wire::ProvisionerJob {
    wire::ProvisionerJob {
        initiator_id: version.created_by.id.0,
        file_id: version.file_id.0,
        organization_id: version.organization_id.0,
        input: wire::JobInput {
            template_version_id: Some(version.id.0),
            ..wire::JobInput::default()
        },
        r#type: "template_version_import".to_owned(),
        metadata: wire::JobMetadata {
            template_version_name: version.name.clone(),
            template_id: version.template_id.map_or(Uuid::nil(), |t| t.0),
            ..wire::JobMetadata::default()
        },
        ..job(&version.job)
    }
}

fn job(job: &Job) -> wire::ProvisionerJob {
    let canceled = matches!(job.status, JobStatus::Canceling | JobStatus::Canceled);
    let tags = [("owner", ""), ("scope", "organization")];
    wire::ProvisionerJob {
        id: job.id.0,
        created_at: job.created_at.into(),
        started_at: job.started_at.map(Time::from),
        completed_at: job.ended_at.map(Time::from),
        canceled_at: job.ended_at.or(job.started_at).filter(|_| canceled).map(Time::from),
        error: job.error.clone(),
        status: job.status.to_string(),
        tags: tags
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        ..wire::ProvisionerJob::default()
    }
}

/// A line of a job's log.
#[must_use]
pub fn log(stored: &StoredLine) -> wire::JobLog {
    wire::JobLog {
        id: stored.id,
        created_at: Time(stored.line.at_ms),
        log_source: stored.line.source.to_string(),
        log_level: stored.line.level.to_string(),
        stage: stored.line.stage.clone(),
        output: stored.line.output.clone(),
    }
}
