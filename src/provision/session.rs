//! One job at work: its directory, its Terraform, and the steps that imports and builds share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::command::{Commands, Done, Output, PLUGIN_CACHE};
use super::dir::{create_private, write_private};
use super::graph::Graph;
use super::graphs::Key;
use super::job::Failure;
use super::log::Log;
use super::parse::{self, Parsed};
use super::plan::{self, Object};
use super::provider::Which;
use super::provider::serve::{JobValues, Served};
use super::provider::values::Values;
use super::says::Times;
use super::terraform::Terraform;
use super::work::WorkDir;
use super::{Provisioner, config, planfile, source};
use crate::model::build::Timing;
use crate::model::log::LogLevel;

/// Terraform's name for the plan, in the template's directory.
const PLAN: &str = "terraform.tfplan";
/// Our files beside the template.
const CONFIG: &str = "terraformrc";
const VALUES: &str = "given.tfvars.json";

/// What Terraform says when a registry cannot be reached.
const OUT_OF_REACH: &str = "failed to request discovery document";
const WITHOUT_REGISTRY: &str = "A registry cannot be reached from the server. Without it, providers \
    come from the directory given as --provider-mirror, and modules from what `host` blocks of the \
    file given as --terraform-config name, from git, or from the template itself (./modules).";

/// A job at work.
pub(super) struct Session<'a> {
    pub provisioner: &'a Provisioner,
    pub work: &'a WorkDir,
    pub log: &'a Log,
    pub cancel: &'a CancellationToken,
    pub deadline: Instant,
    pub terraform: Terraform,
    pub parsed: Parsed,
    pub timings: Vec<Timing>,
}

/// What a plan would leave, and the graph of its configuration.
pub(super) struct Planned {
    pub objects: Vec<Object>,
    pub graph: Arc<Graph>,
}

/// A graph, and when it was drawn, if it was.
type Drawn = (Arc<Graph>, Option<(i64, i64)>);

impl<'a> Session<'a> {
    /// Finds Terraform, reads the template, and writes what all commands need.
    pub(super) async fn open(
        provisioner: &'a Provisioner,
        work: &'a WorkDir,
        log: &'a Log,
        cancel: &'a CancellationToken,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, Failure> {
        let settings = &provisioner.settings;
        let deadline = provisioner.clock.instant() + settings.time_limit;
        let terraform = tokio::select! {
            terraform = provisioner.terraform() => terraform?,
            () = cancel.cancelled() => return Err(Failure::Canceled),
        };
        log.say(LogLevel::Info, &terraform.words).await;
        let parsed = parse::parse(&work.template(), variables)?;
        let secret = parsed.variables.iter().filter(|v| v.sensitive);
        log.secrets().add(secret.map(|v| v.value.clone()));
        for name in variables.keys().filter(|n| parsed.variables.iter().all(|v| v.name != **n)) {
            let text = format!("The template has no variable {name:?}; its value is not used");
            log.say(LogLevel::Warn, &text).await;
        }
        if let Some(name) = parsed.missing(variables) {
            return Err(Failure::MissingVariable(name.to_owned()));
        }
        let file = settings.terraform_config.as_deref();
        let config = config::merged(file, settings.provider_mirror.as_deref())?;
        write_private(&work.file(CONFIG), config.as_bytes())?;
        write_private(&work.file(VALUES), parsed.values_file(variables)?.as_bytes())?;
        create_private(&settings.plugin_cache)?;
        let timings = Vec::new();
        Ok(Self { provisioner, work, log, cancel, deadline, terraform, parsed, timings })
    }

    /// Serves our providers with what the job says.
    pub(super) fn serve(&self, variables: &BTreeMap<String, String>) -> Result<Served, Failure> {
        let processes = self.provisioner.processes.clone();
        let providers =
            vec![("coder", Which::Coder), ("steading", Which::Steading(Some(processes)))];
        let job = JobValues {
            values: &Values::new(variables.clone()),
            secrets: self.log.secrets(),
            entropy: &self.provisioner.entropy,
            tasks: &self.provisioner.tasks,
        };
        Ok(Served::start(&self.work.sockets(), providers, &job)?)
    }

    /// The commands of the job, with its environment: nothing of the server's but what is listed.
    pub(super) fn commands(
        &self,
        variables: BTreeMap<String, String>,
        served: &Served,
    ) -> Commands<'a> {
        let settings = &self.provisioner.settings;
        let path = |p: &std::path::Path| p.to_string_lossy().into_owned();
        let own = [
            ("PATH", settings.search_path.clone()),
            ("HOME", path(&self.work.home())),
            ("LANG", "C.UTF-8".to_owned()),
            ("CHECKPOINT_DISABLE", "1".to_owned()),
            ("TF_IN_AUTOMATION", "1".to_owned()),
            ("TF_CLI_CONFIG_FILE", path(&self.work.file(CONFIG))),
            (PLUGIN_CACHE, path(&settings.plugin_cache)),
            // The lock file goes with the job, so that it may be incomplete harms nobody.
            ("TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE", "1".to_owned()),
            ("TF_REATTACH_PROVIDERS", served.reattach()),
        ];
        let mut env = settings.env.clone();
        env.extend(variables);
        env.extend(own.map(|(name, value)| (name.to_owned(), value)));
        env.extend(self.work.mark());
        Commands {
            program: self.terraform.path.clone(),
            work: self.work,
            env,
            log: self.log,
            clock: &self.provisioner.clock,
            cancel: self.cancel,
            deadline: self.deadline,
            time_limit: settings.time_limit,
        }
    }

    /// Fetches modules and the providers of others. Skipped where there are none.
    pub(super) async fn init(
        &mut self,
        commands: &Commands<'_>,
        state: Option<&[u8]>,
    ) -> Result<(), Failure> {
        let in_state = state.map(plan::providers_of_state).unwrap_or_default();
        if !self.parsed.needs_init && in_state.iter().all(|p| source::is_served(p)) {
            return Ok(());
        }
        self.log.stage("Initializing Terraform Directory").await;
        // Terraform's cache of providers is not safe for two at once.
        let _alone = tokio::select! {
            alone = self.provisioner.init_lock.lock() => alone,
            () = self.cancel.cancelled() => return Err(Failure::Canceled),
            () = tokio::time::sleep_until(self.deadline.into()) => {
                let limit = self.provisioner.settings.time_limit;
                return Err(Failure::TimedOut(crate::model::time::words(limit)));
            }
        };
        let begun = self.now();
        let done = commands.run(&["init", "-no-color", "-input=false"], Output::Plain).await;
        self.timed("init", begun, Times::default());
        match done {
            Err(Failure::Terraform(why)) if why.contains(OUT_OF_REACH) => {
                self.log.say(LogLevel::Warn, WITHOUT_REGISTRY).await;
                Err(Failure::Terraform(why))
            }
            done => done.map(drop),
        }
    }

    /// Plans, and reads the plan. The graph of the template in `archive` is drawn beside it.
    pub(super) async fn plan(
        &mut self,
        commands: &Commands<'_>,
        archive: &[u8],
        destroy: bool,
    ) -> Result<Planned, Failure> {
        let begun = self.now();
        let values = format!("-var-file={}", self.work.file(VALUES).display());
        let out = format!("-out={PLAN}");
        let mut args = vec!["plan", "-no-color", "-input=false", "-json", &out, &values];
        if destroy {
            args.push("-destroy");
        }
        let graph = async {
            if destroy { Ok(None) } else { self.graph(commands, archive).await.map(Some) }
        };
        let (done, graph) = tokio::join!(commands.run(&args, Output::Json), graph);
        let times = done.map(|done| done.times);
        let times = match times {
            Ok(times) => times,
            Err(failure) => {
                self.timed("plan", begun, Times::default());
                return Err(failure);
            }
        };
        self.timed("plan", begun, times);
        let Some((graph, drawn)) = graph? else {
            return Ok(Planned { objects: vec![], graph: Arc::default() });
        };
        self.timings.extend(drawn.map(|(began, ended)| stage_timing("graph", began, ended)));
        let objects = self.planned(commands).await?;
        Ok(Planned { objects, graph })
    }

    /// Reads the plan's file, by `terraform show` where that is of a form that is not known here.
    async fn planned(&self, commands: &Commands<'_>) -> Result<Vec<Object>, Failure> {
        let file = std::fs::read(self.work.template().join(PLAN)).context("Reading the plan")?;
        if let Some(objects) = planfile::read(&file) {
            return Ok(objects);
        }
        tracing::debug!("the plan's file is of another form; terraform reads it");
        let shown = commands.run(&["show", "-json", "-no-color", PLAN], Output::Answer).await?;
        plan::planned(&shown.answer).map_err(|e| {
            Failure::Internal(anyhow::Error::new(e).context("Reading terraform's plan"))
        })
    }

    async fn graph(&self, commands: &Commands<'_>, archive: &[u8]) -> Result<Drawn, Failure> {
        let (graphs, key) = (&self.provisioner.graphs, Key::of(archive, self.work));
        if let Some(graph) = key.and_then(|key| graphs.find(key)) {
            return Ok((graph, None));
        }
        let began = self.now();
        let Done { answer, .. } = commands.run(&["graph", "-type=plan"], Output::Answer).await?;
        let graph = Arc::new(Graph::parse(&String::from_utf8_lossy(&answer)));
        if let Some(key) = key {
            graphs.keep(key, &graph);
        }
        Ok((graph, Some((began, self.now()))))
    }

    /// A plan is understood only by the Terraform that made it.
    async fn is_same_terraform(&self) -> Result<(), Failure> {
        let now = self.provisioner.terraform().await?;
        if now.words == self.terraform.words {
            return Ok(());
        }
        Err(Failure::Terraform(format!(
            "{} was replaced by {} between the plan and the apply. Nothing was changed: start the \
             build again",
            self.terraform.words, now.words
        )))
    }

    /// Does what was planned.
    pub(super) async fn apply(&mut self, commands: &Commands<'_>) -> Result<(), Failure> {
        self.is_same_terraform().await?;
        let begun = self.now();
        let args = ["apply", "-no-color", "-auto-approve", "-input=false", "-json", PLAN];
        let done = commands.run(&args, Output::Json).await;
        let (result, times) = match done {
            Ok(done) => (Ok(()), done.times),
            Err(failure) => (Err(failure), Times::default()),
        };
        self.timed("apply", begun, times);
        result
    }

    fn now(&self) -> i64 {
        self.provisioner.clock.now_ms()
    }

    fn timed(&mut self, stage: &str, begun: i64, times: Times) {
        self.timings.push(stage_timing(stage, begun, self.now()));
        self.timings.extend(times.timings(stage));
    }
}

fn stage_timing(stage: &str, started_ms: i64, ended_ms: i64) -> Timing {
    Timing {
        stage: stage.to_owned(),
        source: "terraform".to_owned(),
        action: stage.to_owned(),
        resource: String::new(),
        started_ms,
        ended_ms,
    }
}
