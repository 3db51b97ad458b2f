//! Recordings and commands for who may see them: who may manage the workspace, auditors and owners
//! of the site. Each look into a recording is told in the audit log.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::access::{require, require_scope};
use super::recording_blocks::unpack;
use super::{Actor, App, Error, Page, Result, recordings as cases};
use crate::model::audit::{AuditAction, Diff};
use crate::model::id::{RecordingId, UserId, WorkspaceId};
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::recording::cast::Cast;
use crate::model::recording::{MAX_SEARCH, RanCommand, Recording, Sought};
use crate::model::time::Timestamp;
use crate::model::verb::Verb;
use crate::server::db::{ReadTx, commands, recording_blocks, recordings, users, workspaces};

/// Workspaces whose recordings one list holds at most.
const MAX_WORKSPACES: u32 = 2000;
/// Entries that a list is read at once.
pub(super) const MAX_LIST: u32 = 200;
/// Blocks that one step of an export reads: a megabyte of what passed.
const STEP: u32 = 4;
/// The fewest characters that a search goes by.
const LEAST_SEARCH: usize = 3;
/// Looks of one person into one recording within this time are one.
const SAME_LOOK: Duration = Duration::from_mins(10);
/// Looks that are kept in mind; beyond that each is told.
const MAX_LOOKS: usize = 10_000;

/// What recordings or commands are looked for, as people write it.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `OWNER/NAME` or an id; empty for every workspace.
    pub workspace: String,
    /// A name or an id; empty for everyone.
    pub user: String,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// A text in a command; empty for all.
    pub search: String,
}

impl Asked {
    /// What the audit log says of it.
    pub(super) fn told(&self) -> Diff {
        Diff::new()
            .field("workspace", "", self.workspace.as_str())
            .field("user", "", self.user.as_str())
            .field("search", "", self.search.as_str())
    }
}

/// Which part of a recording is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// From here on, in milliseconds.
    pub from_ms: i64,
    /// Up to the end of the block in which so many bytes have passed; none for all.
    pub most: Option<u64>,
}

/// A recording on its way to whoever reads it.
#[derive(Debug)]
pub struct Export {
    recording: Recording,
    part: Part,
    cast: Option<Cast>,
    next: i64,
    passed: u64,
}

impl Export {
    /// What is exported.
    #[must_use]
    pub fn recording(&self) -> &Recording {
        &self.recording
    }
}

/// Who looked into what, and when.
#[derive(Default)]
pub(super) struct Looks(Mutex<BTreeMap<(UserId, RecordingId), Timestamp>>);

impl Looks {
    /// Whether it is another look than the one before.
    fn is_new(&self, key: (UserId, RecordingId), now: Timestamp) -> bool {
        let all = self.lock();
        let since = all.get(&key).map(|at| (now.since(*at), *at <= now));
        since.is_none_or(|(since, is_past)| !is_past || since >= SAME_LOOK)
    }

    fn keep(&self, key: (UserId, RecordingId), now: Timestamp) {
        let mut all = self.lock();
        all.retain(|_, at| now.since(*at) < SAME_LOOK);
        if all.len() < MAX_LOOKS {
            all.insert(key, now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(UserId, RecordingId), Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Recordings that the actor may see, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a workspace that is not there for them, [`Error::Invalid`] for a search
    /// that is too short or too long.
    pub async fn recordings(
        &self,
        actor: &Actor,
        asked: Asked,
        page: Page,
    ) -> Result<Vec<Recording>> {
        let (actor, page) = (actor.clone(), Page::new(page.limit.min(MAX_LIST), page.offset));
        self.db
            .read_large(move |tx| match resolve(tx, &actor, &asked)? {
                None => Ok(vec![]),
                Some((within, sought)) => {
                    Ok(recordings::list(tx, within.as_deref(), &sought, page.pair())?)
                }
            })
            .await
    }

    /// Commands that were run in recordings that the actor may see, newest first.
    ///
    /// # Errors
    /// As [`App::recordings`].
    pub async fn commands(
        &self,
        actor: &Actor,
        asked: Asked,
        page: Page,
    ) -> Result<Vec<RanCommand>> {
        let (looker, page) = (actor.clone(), Page::new(page.limit.min(MAX_LIST), page.offset));
        let said = asked.told();
        let found: Vec<RanCommand> = self
            .db
            .read_large(move |tx| -> Result<_> {
                match resolve(tx, &looker, &asked)? {
                    None => Ok(vec![]),
                    Some((within, sought)) => {
                        Ok(commands::list(tx, within.as_deref(), &sought, page.pair())?)
                    }
                }
            })
            .await?;
        if !found.is_empty() {
            self.tell_look(actor, "commands", said).await?;
        }
        Ok(found)
    }

    /// What is known of a recording.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none that the actor may see.
    pub async fn recording(&self, actor: &Actor, id: RecordingId) -> Result<Recording> {
        let actor = actor.clone();
        self.db.read(move |tx| find(tx, &actor, id)).await
    }

    /// A recording with its commands, in the order in which they were run; that someone looks is told
    /// in the audit log.
    ///
    /// # Errors
    /// As [`App::recording`].
    pub async fn commands_of(
        &self,
        actor: &Actor,
        id: RecordingId,
        page: Page,
    ) -> Result<(Recording, Vec<RanCommand>)> {
        let recording = self.look(actor, id).await?;
        let list = move |tx: &ReadTx<'_>| commands::of_recording(tx, id, page.pair());
        let all = self.db.read_rows(page.limit, list).await?;
        Ok((recording, all))
    }

    /// Begins to read a recording, and tells that in the audit log.
    ///
    /// # Errors
    /// As [`App::recording`].
    pub async fn begin_cast(&self, actor: &Actor, id: RecordingId, part: Part) -> Result<Export> {
        let recording = self.look(actor, id).await?;
        let at = part.from_ms.max(0);
        let next = self.db.read(move |tx| recording_blocks::at(tx, id, at)).await?;
        let part = Part { from_ms: at, ..part };
        Ok(Export { recording, part, cast: None, next: next.unwrap_or_default(), passed: 0 })
    }

    /// Reads on; none at the end. The lines are asciicast's; the last of a part that is not the end
    /// says in a comment where the next begins.
    ///
    /// # Errors
    /// As [`App::recording`], and when a block cannot be read.
    pub async fn cast_step(
        &self,
        actor: &Actor,
        export: Export,
    ) -> Result<Option<(String, Export)>> {
        let actor = actor.clone();
        self.db
            .read_large(move |tx| {
                find(tx, &actor, export.recording.id)?;
                step(tx, export)
            })
            .await
    }

    /// Notes that someone looks into a recording.
    pub(super) async fn look(&self, actor: &Actor, id: RecordingId) -> Result<Recording> {
        let now = self.clock.now();
        let key = (actor.user_id().ok_or(Error::NotFound("recording"))?, id);
        if !self.looks.is_new(key, now) {
            return self.recording(actor, id).await;
        }
        let actor = actor.clone();
        let recording = self
            .db
            .write(move |tx| {
                let recording = find(tx, &actor, id)?;
                cases::told(tx, &actor, AuditAction::Open, &recording)?;
                Ok::<_, Error>(recording)
            })
            .await?;
        self.looks.keep(key, now);
        Ok(recording)
    }
}

fn step(tx: &ReadTx<'_>, mut export: Export) -> Result<Option<(String, Export)>> {
    let is_enough = export.part.most.is_some_and(|most| export.passed >= most);
    let most = if is_enough { 1 } else { STEP };
    let blocks = recording_blocks::list(tx, export.recording.id, export.next, most)?;
    let mut out = String::new();
    if is_enough {
        // Whoever asked for a part has it: what is left begins with this block.
        let Some(block) = blocks.first() else { return Ok(None) };
        let at = block.began_ms;
        export.next = i64::MAX;
        return Ok(Some((format!("# next {}.{:03}\n", at / 1000, at % 1000), export)));
    }
    for block in &blocks {
        let (picture, events) = unpack(block)?;
        let cast = match &mut export.cast {
            Some(cast) => cast,
            none => {
                let (cast, header) = Cast::begin(&export.recording, &picture, export.part.from_ms);
                out.push_str(&header);
                none.insert(cast)
            }
        };
        for event in &events {
            export.passed += event.what.passed() as u64;
            cast.put(&mut out, event);
        }
        export.next = block.number + 1;
        if export.part.most.is_some_and(|most| export.passed >= most) {
            break;
        }
    }
    if export.cast.is_none() {
        // Nothing was written yet.
        let picture = crate::model::recording::events::Picture {
            size: export.recording.size,
            drawn: Vec::new(),
        };
        let (cast, header) = Cast::begin(&export.recording, &picture, export.part.from_ms);
        export.cast = Some(cast);
        return Ok(Some((header, export)));
    }
    Ok((!blocks.is_empty()).then_some((out, export)))
}

/// Whether the actor reads the whole record of what happened here.
fn sees_all(tx: &ReadTx<'_>, actor: &Actor) -> bool {
    actor.may(tx.now, Action::Read, &Object::site(ResourceType::AuditLog))
}

/// Asks for the right to see what was recorded in a workspace.
fn require_sight(tx: &ReadTx<'_>, actor: &Actor, workspace: WorkspaceId) -> Result<()> {
    let missing = || Error::NotFound("recording");
    let Some(user) = actor.user_id() else { return Err(missing()) };
    if sees_all(tx, actor) {
        return Ok(());
    }
    if workspaces::is_deleted(tx, workspace)? {
        require_scope(actor, workspace, Verb::Manage.actions()).map_err(|_| missing())?;
        let owner = workspaces::owner(tx, workspace)?;
        return if owner == Some(user) { Ok(()) } else { Err(missing()) };
    }
    require(tx, actor, workspace, Verb::Manage).map_err(|error| match error {
        Error::Denied(_) | Error::NotFound(_) => missing(),
        other @ (Error::Unconfirmed(_)
        | Error::Conflict(_)
        | Error::Invalid { .. }
        | Error::Unavailable(_)
        | Error::Internal(_)) => other,
    })
}

pub(super) fn find(tx: &ReadTx<'_>, actor: &Actor, id: RecordingId) -> Result<Recording> {
    let recording = recordings::find(tx, id)?.ok_or(Error::NotFound("recording"))?;
    require_sight(tx, actor, recording.workspace_id)?;
    Ok(recording)
}

/// What a search means for who asks; none when nothing can be found.
pub(super) type Resolved = Option<(Option<Vec<WorkspaceId>>, Sought)>;

pub(super) fn resolve(tx: &ReadTx<'_>, actor: &Actor, asked: &Asked) -> Result<Resolved> {
    let text = asked.search.trim();
    let n_chars = text.chars().count();
    if n_chars > MAX_SEARCH || (1..LEAST_SEARCH).contains(&n_chars) {
        let why = format!("wants {LEAST_SEARCH} to {MAX_SEARCH} characters");
        return Err(Error::invalid("search", why));
    }
    let mut sought =
        Sought { from: asked.from, until: asked.until, text: text.to_owned(), ..Sought::default() };
    if !asked.user.is_empty() {
        sought.user = user(tx, actor, &asked.user)?;
        if sought.user.is_none() {
            return Ok(None);
        }
    }
    if !asked.workspace.is_empty() {
        let found = workspace(tx, actor, &asked.workspace)?;
        let found = found.ok_or(Error::NotFound("workspace"))?;
        require_sight(tx, actor, found).map_err(|_| Error::NotFound("workspace"))?;
        return Ok(Some((Some(vec![found]), sought)));
    }
    if sees_all(tx, actor) {
        return Ok(Some((None, sought)));
    }
    let Some(me) = actor.user_id() else { return Ok(None) };
    let mut within = recordings::within_reach(tx, me, MAX_WORKSPACES)?;
    within.retain(|id| require_sight(tx, actor, *id).is_ok());
    Ok(Some((Some(within), sought)))
}

fn user(tx: &ReadTx<'_>, actor: &Actor, key: &str) -> Result<Option<UserId>> {
    if key == "me" {
        return Ok(actor.user_id());
    }
    if let Ok(id) = key.parse() {
        return Ok(Some(id));
    }
    Ok(users::find_by_name(tx, key)?.map(|user| user.id))
}

fn workspace(tx: &ReadTx<'_>, actor: &Actor, key: &str) -> Result<Option<WorkspaceId>> {
    if let Ok(id) = key.parse() {
        return Ok(Some(id));
    }
    let (owner, name) = key.split_once('/').unwrap_or(("me", key));
    match user(tx, actor, owner)? {
        Some(owner) => Ok(workspaces::id_by_name(tx, owner, name)?),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_told_once_in_a_while() {
        let looks = Looks::default();
        let key = (UserId(uuid::Uuid::nil()), RecordingId(uuid::Uuid::nil()));
        assert!(looks.is_new(key, Timestamp(1000)));
        looks.keep(key, Timestamp(1000));
        assert!(!looks.is_new(key, Timestamp(1599)));
        assert!(looks.is_new(key, Timestamp(1600)));
        assert!(looks.is_new(key, Timestamp(900)), "a clock that went back hides no look");
    }
}
