//! Starting, finding and ending the processes of workspaces on this machine.

use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;

use super::home::{self, Home};
use crate::clock::Clock;
use crate::provision::{ProcessSettings, proc};

/// The variable by which everything that a process started is found again.
const MARK: &str = "STEADING_PROCESS";

/// Largest log of a process. What the agent itself prints is little; more is a fault in a loop.
const MAX_LOG_BYTES: u64 = 1 << 20;

/// Whose process it is: a workspace's, and which of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::provision) struct Identity {
    workspace: String,
    name: String,
}

/// Letters, digits and hyphens, as many as a UUID has at most. It becomes part of a path.
pub(super) fn is_plain(text: &str) -> bool {
    (1..=36).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !text.starts_with('-')
}

impl Identity {
    pub(super) fn new(workspace: &str, name: &str) -> Option<Self> {
        (is_plain(workspace) && is_plain(name))
            .then(|| Self { workspace: workspace.to_owned(), name: name.to_owned() })
    }

    pub(super) fn parse(id: &str) -> Option<Self> {
        let (workspace, name) = id.split_once('/')?;
        Self::new(workspace, name)
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.workspace, self.name)
    }
}

/// The processes of this machine's workspaces. Clones share one lock: what looks at homes and
/// what makes them never meet.
#[derive(Clone)]
pub(in crate::provision) struct Processes {
    settings: Arc<ProcessSettings>,
    search_path: String,
    clock: Clock,
    lock: Arc<Mutex<()>>,
}

/// A process that was started.
pub(super) struct Started {
    pub pid: i32,
    pub at: String,
    pub home: String,
    pub user: String,
    pub isolated: bool,
}

/// What is written down of a process, so that another life of the server knows it again.
#[derive(serde::Serialize, serde::Deserialize)]
struct Record {
    #[serde(flatten)]
    process: proc::Known,
    uid: Option<u32>,
}

impl Processes {
    pub(in crate::provision) fn new(
        settings: ProcessSettings,
        search_path: String,
        clock: Clock,
    ) -> Self {
        Self { settings: Arc::new(settings), search_path, clock, lock: Arc::default() }
    }

    pub(super) fn agent_url(&self) -> &str {
        &self.settings.agent_url
    }

    /// Does work that waits for the disk and for processes where that holds nobody up.
    pub(in crate::provision) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || work(&this)).await.context("The worker ended early")?
    }

    pub(super) fn start(
        &self,
        identity: &Identity,
        owner: &str,
        env: BTreeMap<String, String>,
    ) -> anyhow::Result<Started> {
        let _alone = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let homes = &self.settings.homes;
        let isolate = home::can_isolate();
        let home =
            Home::prepare(homes, &self.dir(identity), &identity.name, self.first_uid(isolate)?)?;
        // A server that died between the start and the state left one that no state tells of.
        self.end_all(identity, home.uid)?;
        let program = &self.settings.binary;
        if isolate {
            home::check_open(program)?;
        }
        let mut command = self.command(program, identity, &home, owner)?;
        command.envs(env);
        let child = tokio::process::Command::from(command)
            .spawn()
            .with_context(|| format!("Starting {}", program.display()))?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).context("It ended at once")?;
        let process = proc::know(pid).context("It ended at once")?;
        let record = serde_json::to_vec(&Record { process, uid: home.uid })?;
        crate::provision::dir::write_private(&self.record(identity), &record)?;
        let user = home.uid.unwrap_or_else(|| rustix::process::geteuid().as_raw());
        Ok(Started {
            pid,
            at: self.clock.now().rfc3339(),
            home: home.path.to_string_lossy().into_owned(),
            user: user.to_string(),
            isolated: home.uid.is_some(),
        })
    }

    /// The first uid to give out; none where processes run as the server does.
    fn first_uid(&self, isolate: bool) -> anyhow::Result<Option<u32>> {
        if !isolate {
            return Ok(None);
        }
        home::first_uid(self.settings.first_uid).map(Some)
    }

    fn command(
        &self,
        program: &Path,
        identity: &Identity,
        home: &Home,
        owner: &str,
    ) -> anyhow::Result<Command> {
        let log = self.log(identity);
        let out = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&log)
            .with_context(|| format!("Opening {}", log.display()))?;
        trim(&log);
        let shell = ["/bin/bash", "/bin/sh"].into_iter().find(|s| Path::new(s).exists());
        let mut command = Command::new(program);
        command
            .arg("agent")
            .env_clear()
            .env("PATH", &self.search_path)
            .env("HOME", &home.path)
            .env("LANG", "C.UTF-8")
            .env("TERM", "xterm-256color")
            .env("USER", owner)
            .env("LOGNAME", owner)
            .env("SHELL", shell.unwrap_or("/bin/sh"))
            .env(MARK, identity.to_string())
            .current_dir(&home.path)
            .stdin(Stdio::null())
            .stderr(out.try_clone()?)
            .stdout(out);
        if let Some(uid) = home.uid {
            command.uid(uid).gid(uid);
        }
        crate::spawn::in_new_session(&mut command);
        Ok(command)
    }

    /// Whether the process that was written down still runs, and is the one of this pid.
    pub(super) fn is_alive(&self, identity: &Identity, pid: Option<i64>) -> anyhow::Result<bool> {
        let _alone = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        trim(&self.log(identity));
        let Some(record) = self.read_record(identity) else { return Ok(false) };
        Ok(Some(i64::from(record.process.pid)) == pid && proc::is_running(&record.process))
    }

    /// Ends the process with all it started, and removes its home unless that is to stay.
    pub(super) fn end(&self, identity: &Identity, keep_home: bool) -> anyhow::Result<()> {
        let _alone = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let home = self.dir(identity).join(&identity.name);
        self.end_all(identity, home::owner_of(&home))?;
        remove_file(&self.record(identity))?;
        if !keep_home {
            home::remove(&home)?;
        }
        Ok(())
    }

    /// Ends every process of a workspace and removes its homes.
    pub(in crate::provision) fn remove_workspace(&self, workspace: &str) -> anyhow::Result<()> {
        let _alone = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(any) = Identity::new(workspace, "any") else { return Ok(()) };
        let dir = self.dir(&any);
        for name in home::names(&dir) {
            if let Some(identity) = Identity::new(workspace, &name) {
                self.end_all(&identity, home::owner_of(&dir.join(&name)))?;
            }
        }
        home::remove(&dir)
    }

    /// Cuts logs that grew too long; called now and then.
    pub(in crate::provision) fn trim_logs(&self) {
        for workspace in home::names(&self.settings.homes) {
            let dir = self.settings.homes.join(workspace);
            for name in home::names(&dir) {
                trim(&dir.join(format!("{name}.log")));
            }
        }
    }

    fn end_all(&self, identity: &Identity, uid: Option<u32>) -> anyhow::Result<()> {
        let whose = match (uid, home::can_isolate()) {
            // A uid of its own: whatever has it is the workspace's.
            (Some(uid), true) => proc::Whose::User(uid),
            _ => proc::Whose::Marked {
                mark: format!("{MARK}={identity}"),
                leader: self.read_record(identity).map(|r| r.process),
            },
        };
        proc::end(&whose)
    }

    fn read_record(&self, identity: &Identity) -> Option<Record> {
        serde_json::from_slice(&std::fs::read(self.record(identity)).ok()?).ok()
    }

    fn dir(&self, identity: &Identity) -> PathBuf {
        self.settings.homes.join(&identity.workspace)
    }

    fn record(&self, identity: &Identity) -> PathBuf {
        self.dir(identity).join(format!("{}.json", identity.name))
    }

    fn log(&self, identity: &Identity) -> PathBuf {
        self.dir(identity).join(format!("{}.log", identity.name))
    }
}

/// Empties a log that grew too long. It is open for appending, so what comes next starts anew.
fn trim(log: &Path) {
    let is_long = std::fs::metadata(log).is_ok_and(|m| m.len() > MAX_LOG_BYTES);
    if is_long && let Ok(file) = std::fs::OpenOptions::new().write(true).open(log) {
        let _ = file.set_len(0);
    }
}

fn remove_file(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("Removing {}", path.display()))
        }
        _ => Ok(()),
    }
}
