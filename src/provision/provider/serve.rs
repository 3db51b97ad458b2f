//! Providers inside this process, for one job: a socket each, named in `TF_REATTACH_PROVIDERS`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Map, Value as Json, json};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use super::values::Values;
use super::{Provider, Which, grpc};
use crate::clock::Entropy;
use crate::provision::log::Secrets;
use crate::tasks::{OnPanic, Tasks};

/// Longest path a Unix socket may have, with room for its zero.
const MAX_SOCKET_PATH: usize = 107;

/// What the providers of one job share.
pub(in crate::provision) struct JobValues<'a> {
    pub values: &'a Values,
    pub secrets: &'a Secrets,
    pub entropy: &'a Entropy,
    pub tasks: &'a Tasks,
}

/// The providers of one job. Dropping it closes their sockets.
pub(in crate::provision) struct Served {
    reattach: Json,
    dirs: Vec<PathBuf>,
    tasks: Tasks,
}

impl Served {
    /// Serves our providers on sockets in `dir`, which only this user can enter.
    pub(in crate::provision) fn start(
        dir: &Path,
        providers: Vec<(&'static str, Which)>,
        job: &JobValues<'_>,
    ) -> anyhow::Result<Self> {
        let mut served = Self { reattach: json!({}), dirs: vec![], tasks: job.tasks.child() };
        let mut entries = Map::new();
        for (name, which) in providers {
            let path = served.socket_path(dir, name, job.entropy)?;
            // The plan before this one had a socket of this name.
            let _ = std::fs::remove_file(&path);
            let listener = UnixListener::bind(&path)
                .with_context(|| format!("Opening the socket {}", path.display()))?;
            let (values, secrets) = (job.values.clone(), job.secrets.clone());
            let provider = Provider::new(which, values, job.entropy.clone(), secrets);
            let provider = Arc::new(provider);
            served.accept(listener, provider);
            let entry = json!({
                "Protocol": "grpc",
                "ProtocolVersion": 5,
                "Pid": std::process::id(),
                // Terraform must not end the process of this id: it is the server.
                "Test": true,
                "Addr": {"Network": "unix", "String": path},
            });
            for host in ["registry.terraform.io", "registry.opentofu.org"] {
                entries.insert(format!("{host}/{name}/{name}"), entry.clone());
            }
        }
        served.reattach = Json::Object(entries);
        Ok(served)
    }

    /// The text of `TF_REATTACH_PROVIDERS`.
    pub(in crate::provision) fn reattach(&self) -> String {
        self.reattach.to_string()
    }

    /// In `dir`, or in a private directory of its own where that path is too long for a socket.
    fn socket_path(
        &mut self,
        dir: &Path,
        name: &str,
        entropy: &Entropy,
    ) -> anyhow::Result<PathBuf> {
        let path = dir.join(name);
        if path.as_os_str().len() <= MAX_SOCKET_PATH {
            return Ok(path);
        }
        let short = Path::new("/tmp").join(format!("steading-{}", entropy.uuid4().simple()));
        crate::provision::dir::create_private(&short)?;
        let path = short.join(name);
        self.dirs.push(short);
        Ok(path)
    }

    fn accept(&self, listener: UnixListener, provider: Arc<Provider>) {
        let tasks = self.tasks.clone();
        self.tasks.spawn("provider-socket", OnPanic::Lose, async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (provider, group) = (Arc::clone(&provider), tasks.clone());
                tasks.spawn("provider-connection", OnPanic::Lose, async move {
                    // Terraform's commands come and go; what one asks for ends only itself.
                    grpc::serve(stream, provider, &group, CancellationToken::new()).await;
                });
            }
        });
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.tasks.cancel();
        for dir in &self.dirs {
            if let Err(error) = std::fs::remove_dir_all(dir) {
                tracing::warn!(%error, dir = %dir.display(), "a socket's directory stays");
            }
        }
    }
}
