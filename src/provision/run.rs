//! The sequences: reading a template, and bringing a workspace to where its transition leads.

use anyhow::Context as _;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::job::{BuildEnd, BuildJob, Failure, ImportJob};
use super::log::Log;
use super::plan::{self, Object};
use super::resources::{Found, Wrong};
use super::session::{Planned, Session};
use super::work::{HeldState, WorkDir};
use super::{Provisioner, environment, questions, resources};
use crate::model::build::Transition;
use crate::model::id::JobId;
use crate::model::log::LogLevel;
use crate::model::parameter::{Parameter, Preset};
use crate::model::resource::ResourceSpec;
use crate::model::template::Imported;

impl Provisioner {
    pub(super) async fn run_import(
        &self,
        job: &ImportJob,
        log: &Log,
        cancel: &CancellationToken,
    ) -> Result<Imported, Failure> {
        log.secrets().add(environment::secrets_of_owner(&job.owner));
        log.stage("Setting up").await;
        let work = self.make_dir(job.id, &job.archive).await?;
        let result = self.import_in(job, &work, log, cancel).await;
        let result = result.map_err(|failure| work.explain(failure));
        log.stage("Cleaning Up").await;
        self.remove_dir(work).await;
        result
    }

    async fn import_in(
        &self,
        job: &ImportJob,
        work: &WorkDir,
        log: &Log,
        cancel: &CancellationToken,
    ) -> Result<Imported, Failure> {
        log.stage("Parsing template parameters").await;
        let mut session = Session::open(self, work, log, cancel, &job.variables).await?;
        if let Some(version) = &session.parsed.old_coder {
            let text = format!(
                "The template wants version {version} of coder/coder; it is run with {}",
                super::mirror::newest_coder()
            );
            log.say(LogLevel::Warn, &text).await;
        }
        let start = self.import_plan(&mut session, job, Transition::Start).await?;
        let stop = self.import_plan(&mut session, job, Transition::Stop).await?;
        let (start, stop) = (self.found(&start.objects, &start), self.found(&stop.objects, &stop));
        let (parameters, presets, warnings) =
            asked(&start, &session.parsed.parameters).map_err(Failure::Template)?;
        let start_resources = preview(&start)?;
        for warning in warnings.into_iter().chain(start.warnings()) {
            log.say(LogLevel::Warn, &warning).await;
        }
        Ok(Imported {
            parameters,
            presets,
            start_resources,
            stop_resources: preview(&stop)?,
            external_auth: questions::external_auth(&start),
            has_external_agent: start.has_external_agent(),
            variables: session.parsed.variables,
            readme: session.parsed.readme,
            tags: session.parsed.tags,
        })
    }

    async fn import_plan(
        &self,
        session: &mut Session<'_>,
        job: &ImportJob,
        transition: Transition,
    ) -> Result<Planned, Failure> {
        let (url, scripts) = (&self.settings.access_url, &self.settings.agent_scripts);
        let variables = environment::of_import(job, url, scripts, transition);
        let served = session.serve(&variables)?;
        let commands = session.commands(variables, &served);
        let stage = if transition == Transition::Start {
            session.init(&commands, None).await?;
            "Detecting persistent resources"
        } else {
            "Detecting ephemeral resources"
        };
        session.log.stage(stage).await;
        session.plan(&commands, &job.archive, false).await
    }

    pub(super) async fn run_build(
        &self,
        job: &BuildJob,
        log: &Log,
        cancel: &CancellationToken,
    ) -> BuildEnd {
        log.secrets().add(environment::secrets_of_build(job));
        log.stage("Setting up").await;
        let mut end = BuildEnd {
            result: Ok(()),
            state: None,
            resources: vec![],
            timings: vec![],
            daily_cost: 0,
        };
        end.result = self.build_in_dir(job, log, cancel, &mut end).await;
        if end.result.is_ok() && job.transition == Transition::Delete {
            end.result = self.remove_homes(&job.workspace.id).await.map_err(Failure::Internal);
        }
        log.stage("Cleaning Up").await;
        if end.state.is_none() {
            // With a state, the directory is the only place that has it until the caller does.
            self.forget(job.id).await;
        }
        end
    }

    async fn build_in_dir(
        &self,
        job: &BuildJob,
        log: &Log,
        cancel: &CancellationToken,
        end: &mut BuildEnd,
    ) -> Result<(), Failure> {
        let nothing_there = job.state.as_ref().is_none_or(|s| plan::is_empty_state(s));
        if job.transition == Transition::Delete && nothing_there {
            log.say(LogLevel::Info, "There is nothing to delete").await;
            return Ok(());
        }
        let work = self.make_dir(job.id, &job.archive).await?;
        if let Some(state) = &job.state {
            work.put_state(state)?;
        }
        let mut session = Session::open(self, &work, log, cancel, &job.variables).await?;
        let result = self.build_in(&mut session, job, end).await;
        end.timings = session.timings;
        result.map_err(|failure| work.explain(failure))
    }

    async fn build_in(
        &self,
        session: &mut Session<'_>,
        job: &BuildJob,
        end: &mut BuildEnd,
    ) -> Result<(), Failure> {
        let (url, scripts) = (&self.settings.access_url, &self.settings.agent_scripts);
        let variables = environment::of_build(job, url, scripts);
        let served = session.serve(&variables)?;
        let commands = session.commands(variables, &served);
        session.init(&commands, job.state.as_deref()).await?;

        session.log.stage("Planning Infrastructure").await;
        let destroy = job.transition == Transition::Delete;
        let planned = session.plan(&commands, &job.archive, destroy).await?;
        if !destroy {
            // A workspace that cannot be described is refused before it is made.
            let found = self.found(&planned.objects, &planned);
            found.resources().map_err(Failure::Template)?;
            found.require_known_cost().map_err(Failure::Template)?;
            ask_gate(job, found.daily_cost()).await?;
        }

        let stage = match job.transition {
            Transition::Start => "Starting workspace",
            Transition::Stop => "Stopping workspace",
            Transition::Delete => "Deleting workspace",
        };
        session.log.stage(stage).await;
        let held = session.work.hold_state()?;
        let applied = session.apply(&commands).await;
        self.take_state(session, held, end).await;
        applied?;
        let state = end.state.as_deref().context("Terraform left no state")?;
        if !destroy {
            let objects = plan::stored(state).context("Reading the state")?;
            let found = self.found(&objects, &planned);
            end.resources = found.resources().map_err(Failure::Template)?;
            end.daily_cost = found.daily_cost();
        }
        Ok(())
    }

    /// The state counts whatever the apply's result is: what exists has to be known.
    async fn take_state(&self, session: &Session<'_>, mut held: HeldState, end: &mut BuildEnd) {
        end.state = session.work.state().or_else(|| held.read());
        if end.state.is_none() {
            let text = "Terraform left no readable state. The last one is kept; what this build made \
                        may not be in it and may need care by hand.";
            session.log.say(LogLevel::Error, text).await;
        }
    }

    fn found<'a>(&'a self, objects: &'a [Object], planned: &'a Planned) -> Found<'a> {
        let (entropy, now_ms) = (&self.entropy, self.clock.now_ms());
        let nodes = resources::by_node(objects);
        Found { objects, graph: &planned.graph, entropy, now_ms, nodes }
    }

    async fn make_dir(&self, job: JobId, archive: &Bytes) -> Result<WorkDir, Failure> {
        let (work_dir, archive) = (self.settings.work_dir.clone(), archive.clone());
        let make = move || WorkDir::make(&work_dir, job, &archive);
        let made = tokio::task::spawn_blocking(make).await.context("Unpacking the template")?;
        if made.is_err() {
            self.remove_dir(WorkDir::of(&self.settings.work_dir, job)).await;
        }
        made
    }

    pub(super) async fn remove_dir(&self, work: WorkDir) {
        if let Err(error) = tokio::task::spawn_blocking(move || work.remove()).await {
            tracing::warn!(%error, "removing a job's directory");
        }
    }
}

async fn ask_gate(job: &BuildJob, daily_cost: i64) -> Result<(), Failure> {
    match &job.gate {
        Some(gate) => gate(daily_cost).await.map_err(Failure::Refused),
        None => Ok(()),
    }
}

type Asked = (Vec<Parameter>, Vec<Preset>, Vec<String>);

fn asked(found: &Found<'_>, appearance: &[String]) -> Result<Asked, Wrong> {
    let parameters = questions::parameters(found, appearance)?;
    let (presets, mut warnings) = questions::presets(found, &parameters)?;
    if let Some(order) = found.data("coder_script_order").next() {
        warnings
            .push(format!("{}: scripts start together; their order is not kept", order.address));
    }
    Ok((parameters, presets, warnings))
}

/// What a template would make. Tokens are made anew by each build and mean nothing here.
fn preview(found: &Found<'_>) -> Result<Vec<ResourceSpec>, Failure> {
    let mut specs = found.resources().map_err(Failure::Template)?;
    for agent in specs.iter_mut().flat_map(|spec| &mut spec.agents) {
        agent.token.clear();
    }
    Ok(specs)
}
