//! A provisioner on a directory of its own, and templates written on the spot.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use steading::clock::{Clock, Entropy};
use steading::model::build::Transition;
use steading::model::id::JobId;
use steading::model::log::LogLine;
use steading::model::parameter::ParameterValue;
use steading::model::template::Imported;
use steading::provision::starters::Starter;
use steading::provision::{
    BuildEnd, BuildJob, FIRST_UID, Failure, ImportJob, LogSink, Owner, ProcessSettings,
    Provisioner, Settings, Workspace,
};
use steading::tasks::Tasks;
use tokio_util::sync::CancellationToken;

/// Lines that a template begins with.
pub const HEAD: &str = "terraform {\n  required_providers {\n    coder = { source = \"coder/coder\" }\n    steading = { source = \"steading/steading\" }\n  }\n}\n";

/// The id of the workspace that every build is for.
pub const WORKSPACE: &str = "0199f3c4-0000-7000-8000-000000000001";

/// A provisioner, and what belongs to it.
pub struct World {
    pub dir: tempfile::TempDir,
    pub provisioner: Provisioner,
    pub tasks: Tasks,
    pub lines: Arc<Mutex<Vec<LogLine>>>,
}

/// Of this world alone: all processes of a uid are ended with its workspace.
fn first_uid(dir: &Path) -> u32 {
    let n = BuildHasherDefault::<DefaultHasher>::default().hash_one(dir) % 1_000_000;
    FIRST_UID + u32::try_from(n).unwrap() * 100
}

/// The settings of a provisioner in `dir`.
pub fn settings(dir: &Path) -> Settings {
    Settings {
        terraform: None,
        search_path: std::env::var_os("PATH").unwrap().into_string().unwrap(),
        work_dir: dir.join("work"),
        plugin_cache: dir.join("plugins"),
        provider_mirror: None,
        terraform_config: None,
        access_url: "http://127.0.0.1:7080".into(),
        env: BTreeMap::new(),
        agent_scripts: BTreeMap::from([(
            "linux_amd64".into(),
            "#!/bin/sh\necho ${ACCESS_URL} ${AUTH_TYPE}\n".into(),
        )]),
        process: ProcessSettings {
            homes: dir.join("homes"),
            binary: PathBuf::from(env!("CARGO_BIN_EXE_steading")),
            agent_url: "http://127.0.0.1:1".into(),
            first_uid: first_uid(dir),
        },
        time_limit: Duration::from_secs(300),
    }
}

impl World {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Workspaces' users pass through it on the way to their homes.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(dir.path(), open).unwrap();
        let settings = settings(dir.path());
        Self::with(dir, settings)
    }

    pub fn with(dir: tempfile::TempDir, settings: Settings) -> Self {
        let tasks = Tasks::new();
        let provisioner = Provisioner::new(settings, Clock::machine(), Entropy::machine(), &tasks);
        Self { dir, provisioner, tasks, lines: Arc::default() }
    }

    /// Does a job while its log is read to the end.
    async fn logged<T>(&self, work: impl AsyncFnOnce(LogSink) -> T) -> T {
        let (sink, mut lines) = tokio::sync::mpsc::channel(64);
        let read = async {
            while let Some(line) = lines.recv().await {
                self.lines.lock().unwrap().push(line);
            }
        };
        tokio::join!(work(sink), read).0
    }

    /// The log so far, a line each.
    pub fn log(&self) -> String {
        let lines = self.lines.lock().unwrap();
        lines.iter().map(|l| format!("[{}] {}\n", l.stage, l.output)).collect()
    }

    pub async fn import(&self, files: &[(&str, &str)]) -> Result<Imported, Failure> {
        self.import_with(files, &[]).await
    }

    pub async fn import_with(
        &self,
        files: &[(&str, &str)],
        variables: &[(&str, &str)],
    ) -> Result<Imported, Failure> {
        let job = ImportJob {
            id: job_id(),
            archive: archive(files),
            variables: map(variables),
            owner: owner(),
        };
        let import =
            async |sink| self.provisioner.import(job, sink, CancellationToken::new()).await;
        self.logged(import).await
    }

    pub async fn build(&self, job: BuildJob) -> BuildEnd {
        self.build_until(job, CancellationToken::new()).await
    }

    pub async fn build_until(&self, job: BuildJob, cancel: CancellationToken) -> BuildEnd {
        self.logged(async |sink| self.provisioner.build(job, sink, cancel).await).await
    }
}

pub fn job_id() -> JobId {
    JobId(Entropy::machine().uuid7(Clock::machine().now_ms()))
}

pub fn owner() -> Owner {
    Owner {
        id: "0199f3c4-0000-7000-8000-00000000000a".into(),
        name: "ada".into(),
        full_name: "Ada L".into(),
        email: "ada@example.com".into(),
        login_type: "password".into(),
        groups: vec!["Everyone".into()],
        roles: vec![("owner".into(), String::new())],
        session_token: "tok-session-0123456789".into(),
        ..Owner::default()
    }
}

pub fn build(files: &[(&str, &str)], transition: Transition, state: Option<Vec<u8>>) -> BuildJob {
    BuildJob {
        id: job_id(),
        archive: archive(files),
        variables: BTreeMap::new(),
        state: state.map(Bytes::from),
        transition,
        parameters: vec![],
        previous_parameters: vec![],
        workspace: Workspace {
            id: WORKSPACE.into(),
            name: "first".into(),
            build_id: "0199f3c4-0000-7000-8000-000000000002".into(),
            template_id: "0199f3c4-0000-7000-8000-000000000003".into(),
            template_name: "t".into(),
            template_version: "v1".into(),
            ..Workspace::default()
        },
        owner: owner(),
        external_auth: BTreeMap::new(),
        secrets: vec![],
        task: None,
        gate: None,
    }
}

pub fn value(name: &str, value: &str) -> ParameterValue {
    ParameterValue { name: name.into(), value: value.into() }
}

pub fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

pub fn archive(files: &[(&str, &str)]) -> Bytes {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().into()
}

/// Waits until `ready` gives something; panics after 30 s.
pub async fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let deadline = Clock::machine().instant() + Duration::from_secs(30);
    loop {
        if let Some(out) = ready() {
            return out;
        }
        assert!(Clock::machine().instant() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The mirror that `.ci/peers` fills.
pub fn mirror() -> PathBuf {
    let peers = std::env::var_os("STEADING_PEERS").map_or_else(
        || Path::new(&std::env::var_os("HOME").unwrap()).join(".cache/steading-peers"),
        PathBuf::from,
    );
    let mirror = peers.join("mirror");
    for source in ["kreuzwerker/docker", "dmacvicar/libvirt", "bpg/proxmox"] {
        assert!(mirror.join("registry.terraform.io").join(source).exists(), "run .ci/peers");
    }
    mirror
}

/// Starters whose providers `.ci/peers` does not build, since that takes hours: what they write is
/// held to no schema, unless someone put the providers into the mirror.
const WITHOUT_A_SCHEMA: [&str; 4] = ["kubernetes", "aws", "gcp", "azure"];

/// Whether the providers of a starter are at hand.
pub fn has_providers(starter: &Starter) -> bool {
    let registry = mirror().join("registry.terraform.io");
    let line = |text: &'static str| text.trim().strip_prefix("source")?.split('"').nth(1);
    let mut sources = starter.files[0].1.lines().filter_map(line);
    let there = sources.all(|source| {
        matches!(source, "coder/coder" | "steading/steading") || registry.join(source).exists()
    });
    assert!(there || WITHOUT_A_SCHEMA.contains(&starter.id), "{}: run .ci/peers", starter.id);
    there
}
