//! Charters: what was agreed that people may at most, and which grants go beyond it.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::access::record;
use super::{Actor, App, Error, Result, access, organizations as places, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::charter::{self, Charter, Who, Whom};
use crate::model::grant::{Grant, Reason, Recipient};
use crate::model::id::{OrganizationId, UserId, WorkspaceId};
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::verb::Verb;
use crate::server::db::charters::{self, CharterRow};
use crate::server::db::{ReadTx, groups, workspaces};

/// Lines of a charter that the log keeps: the rest is said to be more.
const MAX_SAID: usize = 4 << 10;
/// What a review says of grants under a charter that it cannot read.
const UNREADABLE: &str = "the charter cannot be read any more: save it again";

/// Where a charter holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CharterOf {
    /// In an organization, by name or id.
    Organization(String),
    /// On a workspace, besides its organization's.
    Workspace(WorkspaceId),
}

/// A charter and what holds besides it.
#[derive(Clone, Debug, Default)]
pub struct CharterView {
    /// The one that was asked for; none when there is none.
    pub own: Option<CharterRow>,
    /// For a workspace: its organization's.
    pub above: Option<CharterRow>,
}

/// A place that a charter holds for.
struct Place {
    organization: OrganizationId,
    workspace: Option<WorkspaceId>,
    name: String,
}

impl App {
    /// A charter, for whoever shares the workspace, and of an organization for who changes it or reads the
    /// audit log.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::Denied`] for who may not read it.
    pub async fn charter(&self, actor: &Actor, of: CharterOf) -> Result<CharterView> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let place = place(tx, &actor, &of)?;
                match place.workspace {
                    Some(id) => access::require(tx, &actor, id, Verb::Share)?,
                    None => require_reader(tx, &actor, place.organization)?,
                }
                let own = charters::find(tx, place.organization, place.workspace)?;
                let above = match place.workspace {
                    Some(_) => charters::find(tx, place.organization, None)?,
                    None => None,
                };
                Ok(CharterView { own, above })
            })
            .await
    }

    /// Sets a charter; an empty text removes it.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the line for a text that is none; [`Error::Denied`] for who may not: an
    /// organization's is for who changes it, a workspace's for who manages it otherwise than by a share.
    pub async fn set_charter(&self, actor: &Actor, of: CharterOf, text: &str) -> Result<()> {
        actor.require_own()?;
        let text = if text.trim().is_empty() { "" } else { text };
        charter::parse(text).map_err(|bad| Error::invalid("text", bad))?;
        let (actor, text) = (actor.clone(), text.to_owned());
        self.db
            .write(move |tx| {
                let place = place(tx, &actor, &of)?;
                require_author(tx, &actor, &place)?;
                let at = (place.organization, place.workspace);
                let old = charters::find(tx, at.0, at.1)?.map(|row| row.text).unwrap_or_default();
                charters::put(tx, at, (&text, actor.caller()?.user.id))?;
                let diff = Diff::new().field("charter", said(&old), said(&text)).field(
                    "charter_sha256",
                    hashed(&old),
                    hashed(&text),
                );
                let (target, id) = match place.workspace {
                    Some(id) => (AuditTarget::Workspace, id.0),
                    None => (AuditTarget::Organization, place.organization.0),
                };
                let entry = trail::entry(AuditAction::Write, target, id, &place.name);
                record(tx, &actor, &trail::with(trail::within(entry, at.0), &diff))
            })
            .await
    }
}

fn place(tx: &ReadTx<'_>, actor: &Actor, of: &CharterOf) -> Result<Place> {
    match of {
        CharterOf::Organization(key) => {
            let found = places::find(tx, actor, key)?;
            Ok(Place { organization: found.id, workspace: None, name: found.name })
        }
        CharterOf::Workspace(id) => {
            access::require(tx, actor, *id, Verb::View)?;
            let found = workspaces::find(tx, *id)?.ok_or(Error::NotFound("workspace"))?;
            let (organization, name) = (found.organization_id, found.name.to_string());
            Ok(Place { organization, workspace: Some(*id), name })
        }
    }
}

fn require_author(tx: &ReadTx<'_>, actor: &Actor, place: &Place) -> Result<()> {
    let Some(id) = place.workspace else {
        let object = Object::site(ResourceType::Organization).id(place.organization);
        return actor.require(tx.now, Action::Update, &object.within(place.organization));
    };
    access::require(tx, actor, id, Verb::Manage)?;
    let Some(user) = actor.user_id() else { return Ok(()) };
    let own = [Reason::Owner, Reason::Responsible, Reason::Role];
    let held = access::rights(tx, user, id)?;
    if held.iter().any(|right| right.verb == Verb::Manage && own.contains(&right.reason)) {
        return Ok(());
    }
    Err(Error::denied("who has a workspace by a share does not write its charter"))
}

/// Asks for the right to read an organization's: of who changes it, and of who reviews what is granted.
fn require_reader(tx: &ReadTx<'_>, actor: &Actor, place: OrganizationId) -> Result<()> {
    let log = Object::site(ResourceType::AuditLog).within(place);
    if actor.may(tx.now, Action::Read, &log) {
        return Ok(());
    }
    let object = Object::site(ResourceType::Organization).id(place);
    actor.require(tx.now, Action::Update, &object.within(place))
}

/// The hash of a whole text, by which one is told that the log keeps a part of; nothing of none.
fn hashed(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{:x}", Sha256::digest(text)) }
}

fn said(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_SAID)).unwrap_or_default()
}

/// Every charter there is, as a review holds grants against them; none for one that cannot be read.
pub(super) struct Charters {
    organizations: BTreeMap<OrganizationId, Option<Charter>>,
    workspaces: BTreeMap<WorkspaceId, Option<Charter>>,
    names: std::cell::RefCell<BTreeMap<UserId, Whom>>,
}

impl Charters {
    /// Reads them. Under one that cannot be read any more each grant is found, and why.
    pub(super) fn all(tx: &ReadTx<'_>) -> Result<Self> {
        let mut all = Self {
            organizations: BTreeMap::new(),
            workspaces: BTreeMap::new(),
            names: std::cell::RefCell::default(),
        };
        for row in charters::list(tx)? {
            let charter = charter::parse(&row.text).ok();
            match row.workspace {
                Some(id) => drop(all.workspaces.insert(id, charter)),
                None => drop(all.organizations.insert(row.organization, charter)),
            }
        }
        Ok(all)
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.organizations.is_empty() && self.workspaces.is_empty()
    }

    /// In what a grant goes beyond its workspace's or its organization's.
    pub(super) fn exceeded(
        &self,
        tx: &ReadTx<'_>,
        organization: OrganizationId,
        grant: &Grant,
    ) -> Result<Vec<String>> {
        let here = self.workspaces.get(&grant.workspace_id);
        let above = self.organizations.get(&organization);
        if here.is_none() && above.is_none() {
            return Ok(vec![]);
        }
        let whom = self.whom(tx, organization, grant.to)?;
        let mut all: Vec<String> = vec![];
        let found = here.into_iter().chain(above).flat_map(|charter| match charter {
            Some(charter) => charter.exceeded(grant, &whom),
            None => vec![UNREADABLE.to_owned()],
        });
        for why in found {
            if !all.contains(&why) {
                all.push(why);
            }
        }
        Ok(all)
    }

    fn whom(&self, tx: &ReadTx<'_>, place: OrganizationId, to: Recipient) -> Result<Whom> {
        let name = super::sharing::name_of(tx, to)?;
        let who = match to {
            Recipient::Everyone => Who::Everyone,
            Recipient::Group(_) => Who::Group(name),
            Recipient::Rotation(_) => Who::Rotation(name),
            Recipient::User(id) => {
                if let Some(known) = self.names.borrow().get(&id) {
                    return Ok(known.clone());
                }
                let all = groups::list_of(tx, id)?.into_iter();
                let groups = all.filter(|g| g.organization_id == place).map(|g| g.name).collect();
                let whom = Whom { who: Who::User(name), groups };
                self.names.borrow_mut().insert(id, whom.clone());
                return Ok(whom);
            }
        };
        Ok(Whom { who, groups: vec![] })
    }
}
