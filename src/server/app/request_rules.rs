//! Who answers requests for access besides those who may share, for an organization or one workspace.

use super::access::record;
use super::recipients::group_by_key;
use super::request_rights::{require_whole, rule};
use super::request_views::name;
use super::sharing_rights::Sharer;
use super::{Actor, App, Error, Result, organizations as places, trail, workspaces as cases};
use crate::model::audit::{AuditAction, AuditEntry, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::{GroupId, OrganizationId, RotationId, WorkspaceId};
use crate::model::policy::Action;
use crate::model::request::{APPROVALS, Rule, RuleView};
use crate::server::db::{ReadTx, WriteTx, groups, request_rules, rotations};

/// A rule to be set; what is empty names nobody.
#[derive(Clone, Debug, Default)]
pub struct NewRule {
    /// How many have to say yes.
    pub approvals: u8,
    /// The group whose members may, by name.
    pub group: String,
    /// The rotation whose on-call may, by name.
    pub rotation: String,
    /// The rotation whose on-call is let in at once, by name.
    pub auto: String,
}

/// What a rule is set for.
type Place = (OrganizationId, Option<WorkspaceId>);

impl App {
    /// The rule that holds for a workspace.
    ///
    /// # Errors
    /// As [`App::grants`].
    pub async fn request_rule(&self, actor: &Actor, id: WorkspaceId) -> Result<RuleView> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let place = Sharer::of(tx, &actor, id)?.organization;
                view(tx, (place, Some(id)))
            })
            .await
    }

    /// Sets the rule of a workspace, or goes back to the one of its organization. Whom it names acts by
    /// the right of whoever sets it, as long as they have it.
    ///
    /// # Errors
    /// As [`App::grants`]; [`Error::Denied`] for who may share it by a grant only, [`Error::Invalid`] for
    /// what does not fit.
    pub async fn set_request_rule(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        new: Option<NewRule>,
    ) -> Result<RuleView> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let sharer = Sharer::of(tx, &actor, id)?;
                sharer.require_by_no_grant(tx)?;
                actor.require_fresh(tx.now)?;
                let place = (sharer.organization, Some(id));
                let workspace = cases::load(tx, id)?;
                let target = AuditTarget::Workspace;
                let entry = trail::entry(AuditAction::Write, target, id.0, workspace.name.as_str());
                set(tx, &actor, (place, new), entry)?;
                tx.emit(Event::Workspace(id));
                view(tx, place)
            })
            .await
    }

    /// The rule of an organization.
    ///
    /// # Errors
    /// [`Error::NotFound`] for one that the actor does not know.
    pub async fn organization_request_rule(&self, actor: &Actor, key: &str) -> Result<RuleView> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .read(move |tx| {
                let place = places::find(tx, &actor, &key)?;
                view(tx, (place.id, None))
            })
            .await
    }

    /// Sets the rule of an organization, or removes it. Whom it names gives only what whoever sets it
    /// could share of each workspace.
    ///
    /// # Errors
    /// [`Error::NotFound`] for one that the actor does not know, [`Error::Denied`] for one that they do
    /// not keep, [`Error::Invalid`] for what does not fit.
    pub async fn set_organization_request_rule(
        &self,
        actor: &Actor,
        key: &str,
        new: Option<NewRule>,
    ) -> Result<RuleView> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .write(move |tx| {
                require_whole(&actor)?;
                let place = places::find(tx, &actor, &key)?;
                actor.require(tx.now, Action::Update, &places::object(&place))?;
                actor.require_fresh(tx.now)?;
                let target = AuditTarget::Organization;
                let entry = trail::entry(AuditAction::Write, target, place.id.0, &place.name);
                let entry = trail::within(entry, place.id);
                set(tx, &actor, ((place.id, None), new), entry)?;
                view(tx, (place.id, None))
            })
            .await
    }
}

fn set(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (place, new): (Place, Option<NewRule>),
    entry: AuditEntry,
) -> Result<()> {
    let before = said(&view(tx, place)?);
    match new {
        None => request_rules::delete(tx, place.0, place.1)?,
        Some(new) => {
            if !APPROVALS.contains(&new.approvals) {
                let (least, most) = (APPROVALS.start(), APPROVALS.end());
                return Err(Error::invalid("approvals", format!("must be {least} to {most}")));
            }
            let rule = Rule {
                approvals: new.approvals,
                group: group(tx, place.0, &new.group)?,
                rotation: rotation(tx, place.0, ("rotation", &new.rotation))?,
                auto: rotation(tx, place.0, ("auto", &new.auto))?,
                set_by: require_whole(actor)?,
                set_at: tx.now,
            };
            request_rules::put(tx, place, &rule)?;
        }
    }
    let diff = Diff::new().field("request_rule", before, said(&view(tx, place)?));
    if diff.is_empty() {
        return Ok(());
    }
    record(tx, actor, &trail::with(entry, &diff))
}

fn group(tx: &ReadTx<'_>, place: OrganizationId, key: &str) -> Result<Option<GroupId>> {
    let key = key.trim();
    if key.is_empty() {
        return Ok(None);
    }
    let found = group_by_key(tx, Some(place), key)?;
    let found = found.map(|id| groups::find(tx, id)).transpose()?.flatten();
    let found = found.filter(|group| group.organization_id == place);
    let missing = || Error::invalid("group", format!("there is no group {key:?} to name here"));
    Ok(Some(found.ok_or_else(missing)?.id))
}

fn rotation(
    tx: &ReadTx<'_>,
    place: OrganizationId,
    (field, key): (&'static str, &str),
) -> Result<Option<RotationId>> {
    let key = key.trim();
    if key.is_empty() {
        return Ok(None);
    }
    let missing = || Error::invalid(field, format!("there is no rotation {key:?} here"));
    Ok(Some(rotations::find_by_name(tx, place, key)?.ok_or_else(missing)?.id))
}

/// The rule that holds, with names.
pub(super) fn view(tx: &ReadTx<'_>, (organization, workspace): Place) -> Result<RuleView> {
    let of_organization =
        workspace.is_none() || request_rules::find(tx, organization, workspace)?.is_none();
    let Some(rule) = rule(tx, organization, workspace)? else {
        let (group, rotation, auto) = <(String, String, String)>::default();
        return Ok(RuleView {
            approvals: *APPROVALS.start(),
            group,
            rotation,
            auto,
            set: None,
            is_of_organization: true,
        });
    };
    let of_rotation = |id: Option<RotationId>| -> Result<String> {
        let found = id.map(|id| rotations::find(tx, id)).transpose()?.flatten();
        Ok(found.map(|one| one.name.to_string()).unwrap_or_default())
    };
    let group = rule.group.map(|id| groups::find(tx, id)).transpose()?.flatten();
    Ok(RuleView {
        approvals: rule.approvals,
        group: group.map(|group| group.name).unwrap_or_default(),
        rotation: of_rotation(rule.rotation)?,
        auto: of_rotation(rule.auto)?,
        set: Some((name(tx, rule.set_by)?, rule.set_at)),
        is_of_organization: of_organization,
    })
}

/// A rule in the words of the log; empty where none is set.
fn said(view: &RuleView) -> String {
    if view.set.is_none() {
        return String::new();
    }
    let mut text = format!("{} to approve", view.approvals);
    for (word, name) in
        [("group", &view.group), ("on call in", &view.rotation), ("at once on call in", &view.auto)]
    {
        if !name.is_empty() {
            text.push_str(&format!(", {word} {name}"));
        }
    }
    text
}
