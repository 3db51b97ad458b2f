//! Starting, finding and ending the processes of workspaces on this machine.

use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use tokio::process::Child;

use super::account::{self, Account, Machine};
use super::home::{self, Home};
use super::view::View;
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
    /// Why names could not be renewed the last time: what stays the same is told once.
    unnamed: Arc<Mutex<BTreeMap<String, String>>>,
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
    /// The name that the uid has for its own processes; empty when it has none.
    #[serde(default)]
    name: String,
    #[serde(default)]
    shell: String,
    /// The view that the server gave it. Its user may have it enter another, with links of its own
    /// in every path.
    view: Option<View>,
}

/// Whom a process is to be.
struct Person {
    home: Home,
    name: String,
    shell: String,
}

impl Processes {
    pub(in crate::provision) fn new(
        settings: ProcessSettings,
        search_path: String,
        clock: Clock,
    ) -> Self {
        let (lock, unnamed) = (Arc::default(), Arc::default());
        Self { settings: Arc::new(settings), search_path, clock, lock, unnamed }
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
        env: &BTreeMap<String, String>,
    ) -> anyhow::Result<Started> {
        let _alone = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let homes = &self.settings.homes;
        let isolate = home::can_isolate();
        let home =
            Home::prepare(homes, &self.dir(identity), &identity.name, self.first_uid(isolate)?)?;
        // A server that died between the start and the state left one that no state tells of.
        self.end_all(identity, home.uid)?;
        if isolate {
            home::check_open(&self.settings.binary)?;
        }
        let machine = Machine::read();
        // Without a user of its own it is whoever the server is, and called what its owner is.
        let name = if isolate { machine.name_for(owner) } else { owner.to_owned() };
        let person = Person { home, name, shell: machine.shell() };
        let (child, is_named) = self.spawn(identity, &person, env, &machine)?;
        let Person { home, name, shell } = person;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).context("It ended at once")?;
        let process = proc::know(pid).context("It ended at once")?;
        let name = if is_named { name } else { String::new() };
        let view = is_named.then(|| View::open(pid)).transpose()?.map(|(view, _)| view);
        let record = serde_json::to_vec(&Record { process, uid: home.uid, name, shell, view })?;
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

    /// Starts the process. Says whether its uid has a name for it.
    fn spawn(
        &self,
        identity: &Identity,
        person: &Person,
        env: &BTreeMap<String, String>,
        machine: &Machine,
    ) -> anyhow::Result<(Child, bool)> {
        let spawn = |mut command: Command| {
            command.envs(env);
            tokio::process::Command::from(command)
                .spawn()
                .with_context(|| format!("Starting {}", self.settings.binary.display()))
        };
        let Some(uid) = person.home.uid else {
            let mut command = self.command(identity, person)?;
            crate::spawn::in_new_session(&mut command);
            return Ok((spawn(command)?, false));
        };
        let account =
            Account { name: &person.name, uid, home: &person.home.path, shell: &person.shell };
        let stand_ins = machine.write(&self.record(identity), &account)?;
        let mut named = self.command(identity, person)?;
        crate::spawn::in_own_view(&mut named, uid, stand_ins);
        let error = match spawn(named) {
            Ok(child) => return Ok((child, true)),
            Err(error) => format!("{error:#}"),
        };
        let mut nameless = self.command(identity, person)?;
        nameless.uid(uid).gid(uid);
        crate::spawn::in_new_session(&mut nameless);
        let child = spawn(nameless)?;
        tracing::warn!(
            error,
            uid,
            "a workspace's user has no name here, so that ssh and scp do not run in it: this \
             machine lets the server mount nothing (CAP_SYS_ADMIN)"
        );
        Ok((child, false))
    }

    fn command(&self, identity: &Identity, person: &Person) -> anyhow::Result<Command> {
        let log = self.log(identity);
        let out = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&log)
            .with_context(|| format!("Opening {}", log.display()))?;
        trim(&log);
        let Person { home, name, shell } = person;
        let mut command = Command::new(&self.settings.binary);
        command
            .arg("agent")
            .env_clear()
            .env("PATH", &self.search_path)
            .env("HOME", &home.path)
            .env("LANG", "C.UTF-8")
            .env("TERM", "xterm-256color")
            .env("USER", name)
            .env("LOGNAME", name)
            .env("SHELL", shell)
            .env(MARK, identity.to_string())
            .current_dir(&home.path)
            .stdin(Stdio::null())
            .stderr(out.try_clone()?)
            .stdout(out);
        Ok(command)
    }

    /// Lets processes see the machine's accounts as they are now: what replaces `/etc/passwd` takes
    /// the workspaces' own lines away.
    pub(in crate::provision) fn renew_names(&self) {
        if !home::can_isolate() {
            return;
        }
        let _alone = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let machine = Machine::read();
        let mut unnamed = BTreeMap::new();
        let mut told = self.unnamed.lock().unwrap_or_else(PoisonError::into_inner);
        for workspace in home::names(&self.settings.homes) {
            for name in home::names(&self.settings.homes.join(&workspace)) {
                let Some(identity) = Identity::new(&workspace, &name) else { continue };
                let Err(error) = self.renew_name(&identity, &machine) else { continue };
                let (identity, error) = (identity.to_string(), format!("{error:#}"));
                if told.get(&identity) != Some(&error) {
                    tracing::warn!(error, identity, "a workspace's user may have lost its name");
                }
                unnamed.insert(identity, error);
            }
        }
        *told = unnamed;
    }

    fn renew_name(&self, identity: &Identity, machine: &Machine) -> anyhow::Result<()> {
        let Some(record) = self.read_record(identity) else { return Ok(()) };
        let (Record { process, name, shell, view: Some(given), .. }, Some(uid)) =
            (&record, record.uid)
        else {
            return Ok(());
        };
        if name.is_empty() || !proc::is_running(process) {
            return Ok(());
        }
        let (view, entered) = View::open(process.pid)?;
        // Only now is it sure that the view was not another process's with the same pid.
        if view != *given || !proc::is_running(process) {
            return Ok(());
        }
        let home = self.dir(identity).join(&identity.name);
        let account = Account { name, uid, home: &home, shell };
        if machine.is_seen_by(process.pid, &account) {
            return Ok(());
        }
        let stand_ins = machine.write(&self.record(identity), &account)?;
        crate::spawn::renew_view(&entered, &stand_ins).context("Renewing the process's view")
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
        let record = self.record(identity);
        for file in account::files(&record).iter().chain([&record]) {
            remove_file(file)?;
        }
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
