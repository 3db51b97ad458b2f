//! What the provisioner is asked to do, and what it answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::model::build::{Timing, Transition};
use crate::model::id::JobId;
use crate::model::parameter::ParameterValue;
use crate::model::resource::ResourceSpec;

/// Reads a template: its variables, what it asks, and what it would make.
#[derive(Clone, Debug)]
pub struct ImportJob {
    /// The job; names its work directory.
    pub id: JobId,
    /// The template, a tar archive.
    pub archive: Bytes,
    /// Values for the root module's variables.
    pub variables: BTreeMap<String, String>,
    /// Whom the plans are made for.
    pub owner: Owner,
}

/// Starts, stops or deletes a workspace.
#[derive(Clone)]
pub struct BuildJob {
    /// The job; names its work directory.
    pub id: JobId,
    /// The template, a tar archive.
    pub archive: Bytes,
    /// Values for the root module's variables.
    pub variables: BTreeMap<String, String>,
    /// The state of the last build; none for a new workspace.
    pub state: Option<Bytes>,
    /// What to do.
    pub transition: Transition,
    /// The values of this build.
    pub parameters: Vec<ParameterValue>,
    /// The values of the last build, for numbers that may only grow or shrink.
    pub previous_parameters: Vec<ParameterValue>,
    /// The workspace.
    pub workspace: Workspace,
    /// Its owner.
    pub owner: Owner,
    /// The owner's tokens by external auth id.
    pub external_auth: BTreeMap<String, String>,
    /// The owner's secrets.
    pub secrets: Vec<UserSecret>,
    /// The task this workspace was made for.
    pub task: Option<Task>,
    /// Asked between plan and apply, with the planned credits a day.
    pub gate: Option<Gate>,
}

/// May refuse a build after its plan, with the words to tell the person.
pub type Gate = Arc<dyn Fn(i64) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The workspace of a build, as its template sees it.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// Its id; also names its home directories on this machine.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The build's id.
    pub build_id: String,
    /// Its template's id.
    pub template_id: String,
    /// Its template's name.
    pub template_name: String,
    /// Its template version's name.
    pub template_version: String,
    /// Nobody owns it yet.
    pub prebuild: bool,
    /// It gets its owner with this build.
    pub prebuild_claim: bool,
    /// The agent's token to keep, for a claim; empty otherwise.
    pub running_agent_token: String,
    /// Its agents keep the tokens that the state has: they are on machines that someone else runs.
    pub keeps_tokens: bool,
}

/// A workspace's owner, as its template sees them.
#[derive(Clone, Debug, Default)]
pub struct Owner {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their full name.
    pub full_name: String,
    /// Their e-mail address.
    pub email: String,
    /// How they sign in.
    pub login_type: String,
    /// Names of their groups.
    pub groups: Vec<String>,
    /// Their roles: name, and organization id or empty.
    pub roles: Vec<(String, String)>,
    /// The key their workspaces present to git hosts.
    pub ssh_public_key: String,
    /// Its secret half.
    pub ssh_private_key: String,
    /// A token lent to this build.
    pub session_token: String,
    /// Their token of the OIDC provider; may be empty.
    pub oidc_access_token: String,
}

/// A secret of the owner that a template may ask for.
#[derive(Clone, Debug)]
pub enum UserSecret {
    /// By the name of an environment variable.
    Env {
        /// The name.
        name: String,
        /// The value.
        value: String,
    },
    /// By the path of a file.
    File {
        /// The path, as the template writes it.
        path: String,
        /// The content.
        value: String,
    },
}

/// What a workspace was made to do.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// What was asked.
    pub prompt: String,
}

/// How a build ended. The state is worth keeping whatever the result is.
#[derive(Debug)]
pub struct BuildEnd {
    /// Whether it did what it should.
    pub result: Result<(), Failure>,
    /// The state to store. None: nothing was changed or nothing readable was left, keep the last.
    pub state: Option<Vec<u8>>,
    /// What exists now; empty unless it succeeded.
    pub resources: Vec<ResourceSpec>,
    /// How long its steps took.
    pub timings: Vec<Timing>,
    /// Credits a day of what exists now.
    pub daily_cost: i64,
}

/// Why a job did not succeed. Its text is for the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It was asked to stop.
    #[error("cancelled")]
    Canceled,
    /// It took too long.
    #[error("not finished within {0}, which --build-time-limit of the server sets; it was ended")]
    TimedOut(String),
    /// There is no Terraform, or one that will not do.
    #[error("{0}")]
    NoTerraform(String),
    /// A variable without default got no value.
    #[error("the template needs a value for its variable {0:?}")]
    MissingVariable(String),
    /// The template cannot be used as it is.
    #[error("{0}")]
    Template(String),
    /// Terraform did not do it: its own words.
    #[error("{0}")]
    Terraform(String),
    /// The gate closed.
    #[error("{0}")]
    Refused(String),
    /// A fault of ours or of the machine.
    #[error("{0:#}")]
    Internal(#[from] anyhow::Error),
}

/// A job that an earlier life of the server did not finish.
#[derive(Debug)]
pub struct LeftBehind {
    /// The job.
    pub job: JobId,
    /// How Terraform was ended, for the job's log; empty when it was not at work any more.
    pub said: Vec<String>,
    /// What its state says exists; none when it holds nothing readable.
    pub state: Option<Vec<u8>>,
}
