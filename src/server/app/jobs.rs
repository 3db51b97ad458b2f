//! Jobs as runners see them: claimed, fed, watched.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::builds::open_state;
use super::job_ends::{finish_build, finish_import, keep_late_state, resolve};
use super::{App, Error, Result, versions as version_cases};
use crate::model::build::{Build, JobKind, JobStatus, Timing, Transition};
use crate::model::event::Event;
use crate::model::id::{BuildId, JobId, UserId};
use crate::model::log::LogLine;
use crate::model::parameter::ParameterValue;
use crate::model::resource::ResourceSpec;
use crate::model::secret::Token;
use crate::model::template::{Imported, Version};
use crate::model::user::{Group, TokenKind, TokenLimits, User};
use crate::model::workspace::Workspace;
use crate::server::db::seal::Seal;
use crate::server::db::tokens::NewToken;
use crate::server::db::{
    ReadTx, WriteTx, agents, archives, build_parameters, builds, groups, job_logs, jobs, states,
    tokens, users, versions, workspaces,
};

/// A job that a runner has now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The job.
    pub job: JobId,
    /// What for.
    pub kind: JobKind,
}

/// A workspace's owner, as templates are told.
#[derive(Clone, Debug)]
pub struct OwnerFacts {
    /// The user.
    pub user: User,
    /// The groups they were put into.
    pub groups: Vec<Group>,
}

/// Everything a build needs.
#[derive(Debug)]
pub struct BuildWork {
    /// The build.
    pub build: Build,
    /// Its workspace.
    pub workspace: Workspace,
    /// Whose that is.
    pub owner: OwnerFacts,
    /// Delete the record only.
    pub orphan: bool,
    /// The template.
    pub archive: Bytes,
    /// Values for the root module's variables.
    pub variables: BTreeMap<String, String>,
    /// The last state; none for a new workspace.
    pub state: Option<Vec<u8>>,
    /// The values of this build.
    pub parameters: Vec<ParameterValue>,
    /// The values of the build before.
    pub previous_parameters: Vec<ParameterValue>,
    /// A token in the owner's name; empty but for a start.
    pub session_token: String,
    /// Its agents keep their tokens.
    pub keeps_tokens: bool,
}

/// Everything an import needs.
#[derive(Debug)]
pub struct ImportWork {
    /// The version.
    pub version: Version,
    /// Who pushed it.
    pub owner: OwnerFacts,
    /// The template.
    pub archive: Bytes,
    /// Values for the root module's variables.
    pub variables: BTreeMap<String, String>,
}

/// How a build ended.
#[derive(Clone, Debug, Default)]
pub struct BuildOutcome {
    /// Why it failed.
    pub error: Option<String>,
    /// It was asked to stop.
    pub canceled: bool,
    /// The state to keep; none to keep the last.
    pub state: Option<Vec<u8>>,
    /// What exists now.
    pub resources: Vec<ResourceSpec>,
    /// How long its steps took.
    pub timings: Vec<Timing>,
    /// Credits a day.
    pub daily_cost: i64,
}

/// Why an import gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportFailure {
    /// It was asked to stop.
    Canceled,
    /// It failed, for this reason.
    Failed(String),
}

/// What an interrupted job left on disk.
#[derive(Clone, Debug, Default)]
pub struct Left {
    /// How Terraform was ended, for the job's log; empty when it was not at work any more.
    pub said: Vec<String>,
    /// What its state says exists.
    pub state: Option<Vec<u8>>,
}

impl App {
    /// Gives the oldest waiting job to a runner. A workspace has at most one build that is not
    /// over, so no two runners are ever at one workspace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_job(&self, runner: &str) -> Result<Option<Claim>> {
        let runner = runner.to_owned();
        self.db
            .write(move |tx| {
                let Some((job, kind)) = jobs::claim(tx, &runner)? else { return Ok(None) };
                emit_subject(tx, job, kind)?;
                Ok(Some(Claim { job, kind }))
            })
            .await
    }

    /// Everything that a claimed build needs. A start is lent a fresh token in its owner's name.
    ///
    /// # Errors
    /// When something of it is not there.
    pub async fn build_work(&self, job: JobId) -> Result<BuildWork> {
        let lifetime = self.policy.max_token_lifetime;
        let session_token = self
            .db
            .write(move |tx| {
                let build = builds::by_job(tx, job)?.ok_or(Error::NotFound("build"))?;
                tokens::delete_lent(tx, build.workspace_id)?;
                match build.transition {
                    Transition::Start => lend_token(tx, &build, lifetime),
                    Transition::Stop | Transition::Delete => Ok(String::new()),
                }
            })
            .await?;
        let seal = self.seal.clone();
        self.db.read_large(move |tx| build_work(tx, &seal, job, session_token)).await
    }

    /// Everything that a claimed import needs.
    ///
    /// # Errors
    /// When something of it is not there.
    pub async fn import_work(&self, job: JobId) -> Result<ImportWork> {
        let seal = self.seal.clone();
        self.db
            .read_large(move |tx| {
                let version =
                    versions::by_job(tx, job)?.ok_or(Error::NotFound("template version"))?;
                Ok(ImportWork {
                    owner: owner_facts(tx, version.created_by.id)?,
                    archive: archive(tx, &version)?,
                    variables: version_cases::variables(tx, &seal, version.id)?,
                    version,
                })
            })
            .await
    }

    /// Notes that a job's runner is alive. Says whether the job was asked to stop.
    ///
    /// # Errors
    /// When the job is not the runner's any more.
    pub async fn beat_job(&self, job: JobId) -> Result<bool> {
        self.db
            .write(move |tx| {
                if !jobs::beat(tx, job)? {
                    return Err(Error::conflict("the job is over"));
                }
                is_canceling(tx, job)
            })
            .await
    }

    /// Whether a job was asked to stop.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_canceling(&self, job: JobId) -> Result<bool> {
        self.db.read(move |tx| is_canceling(tx, job)).await
    }

    /// Keeps lines of a job's log, within its limit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append_logs(&self, claim: Claim, lines: Vec<LogLine>) -> Result<()> {
        self.db
            .write(move |tx| {
                job_logs::append(tx, claim.job, &lines)?;
                emit_log(tx, claim.job, claim.kind)
            })
            .await
    }

    /// Ends a build: its state is stored in the same transaction, whatever the ending is.
    ///
    /// # Errors
    /// When the job is over already.
    pub async fn finish_build(&self, job: JobId, outcome: BuildOutcome) -> Result<()> {
        let seal = self.seal.clone();
        self.db.write(move |tx| finish_build(tx, &seal, job, &outcome)).await
    }

    /// Ends an import.
    ///
    /// # Errors
    /// When the job is over already.
    pub async fn finish_import(
        &self,
        job: JobId,
        result: std::result::Result<Imported, ImportFailure>,
    ) -> Result<()> {
        self.db.write(move |tx| finish_import(tx, job, result)).await
    }

    /// Ends the jobs that an earlier life of the server left running, each with the state that was
    /// found on its disk. Says how many there were. To be called at start, before any claim.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resolve_interrupted(&self, mut left: BTreeMap<JobId, Left>) -> Result<usize> {
        let seal = self.seal.clone();
        self.db
            .write(move |tx| {
                let interrupted = jobs::claimed(tx)?;
                for (job, kind) in &interrupted {
                    resolve(tx, &seal, (*job, *kind), left.remove(job).unwrap_or_default())?;
                }
                for (job, left) in left {
                    keep_late_state(tx, &seal, job, left)?;
                }
                Ok(interrupted.len())
            })
            .await
    }
}

fn build_work(tx: &ReadTx<'_>, seal: &Seal, job: JobId, token: String) -> Result<BuildWork> {
    let build = builds::by_job(tx, job)?.ok_or(Error::NotFound("build"))?;
    let workspace =
        workspaces::find(tx, build.workspace_id)?.ok_or(Error::NotFound("workspace"))?;
    let version =
        versions::find(tx, build.version_id)?.ok_or(Error::NotFound("template version"))?;
    let state = match states::newest(tx, workspace.id)? {
        Some((of, sealed)) => Some(open_state(seal, of, &sealed)?),
        None => None,
    };
    let previous = builds::by_number(tx, workspace.id, build.number - 1)?;
    Ok(BuildWork {
        owner: owner_facts(tx, workspace.owner.id)?,
        orphan: builds::is_orphan(tx, build.id)?,
        archive: archive(tx, &version)?,
        variables: version_cases::variables(tx, seal, version.id)?,
        state,
        parameters: build_parameters::list(tx, build.id)?,
        previous_parameters: match previous {
            Some(previous) => build_parameters::list(tx, previous.id)?,
            None => vec![],
        },
        session_token: token,
        keeps_tokens: build.transition == Transition::Start
            && agents::keep_tokens(tx, workspace.id)?,
        build,
        workspace,
    })
}

fn owner_facts(tx: &ReadTx<'_>, user: UserId) -> Result<OwnerFacts> {
    Ok(OwnerFacts {
        user: users::find(tx, user)?.ok_or(Error::NotFound("user"))?,
        groups: groups::list_of(tx, user)?,
    })
}

fn archive(tx: &ReadTx<'_>, version: &Version) -> Result<Bytes> {
    archives::body(tx, version.file_id)?.map(Bytes::from).ok_or(Error::NotFound("file"))
}

fn lend_token(tx: &WriteTx<'_>, build: &Build, lifetime: std::time::Duration) -> Result<String> {
    let token = Token::from_random(&tx.entropy().bytes());
    let owner = workspaces::owner(tx, build.workspace_id)?.ok_or(Error::NotFound("workspace"))?;
    let new = NewToken {
        id: tx.fresh(),
        public_id: token.public_id().to_owned(),
        hash: token.hash(),
        user: owner,
        kind: TokenKind::Workspace,
        name: String::new(),
        workspace: Some(build.workspace_id),
        lifetime,
        ip: String::new(),
        limits: TokenLimits::NONE,
        parent: None,
        identity_grant: None,
        mfa_at: None,
    };
    tokens::insert(tx, &new)?;
    Ok(token.expose())
}

fn is_canceling(tx: &ReadTx<'_>, job: JobId) -> Result<bool> {
    Ok(jobs::find(tx, job)?.is_some_and(|j| j.status == JobStatus::Canceling))
}

fn emit_subject(tx: &WriteTx<'_>, job: JobId, kind: JobKind) -> Result<()> {
    match kind {
        JobKind::Build => {
            if let Some(b) = builds::by_job(tx, job)? {
                tx.emit(Event::Workspace(b.workspace_id));
            }
        }
        JobKind::Import => {
            if let Some(v) = versions::by_job(tx, job)? {
                tx.emit(Event::Version(v.id));
            }
        }
    }
    Ok(())
}

/// Announces lines of a job's log.
pub(super) fn emit_log(tx: &WriteTx<'_>, job: JobId, kind: JobKind) -> Result<()> {
    match kind {
        JobKind::Build => {
            let found: Option<BuildId> = builds::by_job(tx, job)?.map(|b| b.id);
            found.into_iter().for_each(|id| tx.emit(Event::BuildLog(id)));
        }
        JobKind::Import => {
            let found = versions::by_job(tx, job)?.map(|v| v.id);
            found.into_iter().for_each(|id| tx.emit(Event::VersionLog(id)));
        }
    }
    Ok(())
}
