//! The Terraform providers `coder/coder` and `steading/steading`, served by this process.

mod calls;
pub mod coder;
mod grpc;
pub mod plugin;
mod proto;
mod schema;
pub(super) mod serve;
pub(super) mod steading;
mod tls;
pub mod value;
pub(super) mod values;

use std::collections::BTreeMap;

use proto::Diagnostic;
use schema::Schema;
use steading::Processes;
use value::Value;
use values::Values;

use super::log::Secrets;
use crate::clock::Entropy;

/// The version of `steading/steading` that the mirror offers.
pub const STEADING_VERSION: &str = "1.0.0";

/// Which provider to be.
#[derive(Clone)]
pub(super) enum Which {
    /// `coder/coder`.
    Coder,
    /// `steading/steading`, with the processes of this machine; without, it can only plan.
    Steading(Option<Processes>),
}

/// A provider for one job.
pub(super) struct Provider {
    which: Which,
    values: Values,
    entropy: Entropy,
    secrets: Secrets,
    schema: Schema,
    resources: BTreeMap<&'static str, Schema>,
    data: BTreeMap<&'static str, Schema>,
}

impl Provider {
    /// A provider that knows of a job what `values` say.
    /// The tokens that it makes become `secrets`.
    pub(super) fn new(which: Which, values: Values, entropy: Entropy, secrets: Secrets) -> Self {
        let (schema, resources, data) = match &which {
            Which::Coder => {
                (coder::provider_schema(), coder::resource_schemas(), coder::data_schemas())
            }
            Which::Steading(_) => (Schema::default(), steading::schemas(), BTreeMap::new()),
        };
        Self { which, values, entropy, secrets, schema, resources, data }
    }

    fn context(&self, url: &str) -> coder::Context {
        let (values, entropy) = (self.values.clone(), self.entropy.clone());
        coder::Context { url: url.to_owned(), values, entropy }
    }

    fn configured_url(&self, config: &Value) -> Result<String, Diagnostic> {
        match self.which {
            Which::Coder => coder::configured_url(config, &self.values),
            Which::Steading(_) => Ok(String::new()),
        }
    }

    fn complete_plan(&self, kind: &str, prior: &Value, planned: &mut Value) -> Vec<Diagnostic> {
        match &self.which {
            Which::Coder => coder::complete_plan(kind, prior, planned),
            Which::Steading(processes) => {
                steading::complete_plan(processes.as_ref(), planned);
                vec![]
            }
        }
    }

    /// The resource as it is now; null when it is gone.
    async fn refresh(&self, kind: &str, url: &str, mut state: Value) -> Value {
        match &self.which {
            Which::Coder => {
                coder::refresh(kind, &self.context(url), &mut state);
                self.keep_secret(&state);
            }
            Which::Steading(processes) => {
                if !steading::is_alive(processes.as_ref(), &state).await {
                    state = Value::Null;
                }
            }
        }
        state
    }

    /// Makes the resource, or changes it in place when there is a prior one.
    async fn apply(
        &self,
        kind: &str,
        url: &str,
        prior: &Value,
        planned: &mut Value,
    ) -> Vec<Diagnostic> {
        match &self.which {
            Which::Coder if prior.is_null() => {
                let diagnostics = coder::create(kind, &self.context(url), planned);
                self.keep_secret(planned);
                diagnostics
            }
            Which::Steading(processes) if prior.is_null() => {
                steading::create(processes.as_ref(), &self.values, planned).await
            }
            Which::Coder | Which::Steading(_) => vec![],
        }
    }

    fn keep_secret(&self, agent: &Value) {
        self.secrets.add([agent.get("token").text().to_owned()]);
    }

    async fn delete(&self, prior: &Value) -> Vec<Diagnostic> {
        match &self.which {
            Which::Coder => vec![],
            Which::Steading(processes) => steading::delete(processes.as_ref(), prior).await,
        }
    }

    fn read_data(
        &self,
        kind: &str,
        url: &str,
        config: &Value,
        out: &mut Value,
    ) -> Result<(), Diagnostic> {
        match &self.which {
            Which::Coder => coder::read_data(kind, &self.context(url), config, out),
            Which::Steading(_) => Ok(()),
        }
    }
}

/// The operating system in Go's words.
#[must_use]
pub fn go_os() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    }
}

/// The processor in Go's words, as provider packages are named.
#[must_use]
pub fn go_mirror_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}

/// The processor in the words of `coder_agent.arch`.
#[must_use]
pub fn platform_arch() -> &'static str {
    match go_mirror_arch() {
        "arm" => "armv7",
        other => other,
    }
}
