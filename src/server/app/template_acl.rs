//! A template's own list: who may use and keep it, and what that means for whoever asks.
//!
//! A list says who is on it to whoever keeps the template, and no more of them than their names to
//! who may not see the people themselves.

use super::groups::{self, GroupView};
use super::template_rights::{object, require_held};
use super::{Actor, App, Error, Result, access, people, templates, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::{GroupId, OrganizationId, TemplateId, UserId};
use crate::model::name::TemplateName;
use crate::model::policy::{Action, Because};
use crate::model::template::{Grantee, Template, TemplateRole};
use crate::model::user::{Organization, User};
use crate::server::db::{
    ReadTx, WriteTx, groups as group_rows, memberships, organizations, template_grants, users,
};

/// People and groups on one list at most.
const MAX_ENTRIES: usize = 1000;
/// People whom the picker offers at most.
const MAX_OFFERED: i64 = 1000;

/// Who may use and keep a template besides by a role.
#[derive(Clone, Debug)]
pub struct TemplateAcl {
    /// People, by name.
    pub users: Vec<(User, TemplateRole)>,
    /// Groups, Everyone first.
    pub groups: Vec<(GroupView, TemplateRole)>,
}

/// Whom a template's list may name.
#[derive(Clone, Debug)]
pub struct Offered {
    /// Members of its organization, by name.
    pub users: Vec<User>,
    /// Its organization's groups, Everyone first.
    pub groups: Vec<GroupView>,
}

/// A change of a list: whom, and which role they have from then on; none to take them off.
pub type AclChange = (Grantee, Option<TemplateRole>);

impl App {
    /// A template's list.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the actor may not know the template, [`Error::Denied`] when they do
    /// not keep it.
    pub async fn template_acl(&self, actor: &Actor, id: TemplateId) -> Result<TemplateAcl> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let template = templates::find_for(tx, &actor, Action::Update, id)?;
                let place = organization(tx, &template)?;
                let mut acl = TemplateAcl { users: vec![], groups: vec![] };
                for (grantee, role) in template_grants::list(tx, id)? {
                    match grantee {
                        Grantee::Everyone => {
                            let view = groups::everyone(tx, &actor, place.clone())?;
                            acl.groups.push((view, role));
                        }
                        Grantee::Group(group) => {
                            let Some(group) = group_rows::find(tx, group)? else { continue };
                            acl.groups
                                .push((groups::shown(tx, &actor, group, place.clone())?, role));
                        }
                        Grantee::User(user) => {
                            // Also who is suspended: let in again, they would be on it as before.
                            let Some(user) = users::find(tx, user)? else { continue };
                            acl.users.push((discreet(tx, &actor, user), role));
                        }
                    }
                }
                acl.users.sort_by(|a, b| a.0.username.cmp(&b.0.username));
                acl.groups.sort_by(|a, b| order(&a.0).cmp(&order(&b.0)));
                Ok(acl)
            })
            .await
    }

    /// Whom a template's list may name: members whose names hold `text`, and groups.
    ///
    /// # Errors
    /// As [`App::template_acl`].
    pub async fn template_acl_available(
        &self,
        actor: &Actor,
        id: TemplateId,
        text: &str,
    ) -> Result<Offered> {
        let (actor, text) = (actor.clone(), text.to_ascii_lowercase());
        self.db
            .read(move |tx| {
                let template = templates::find_for(tx, &actor, Action::Update, id)?;
                let place = organization(tx, &template)?;
                let members = memberships::named(tx, place.id, &text, MAX_OFFERED)?.into_iter();
                let users = members.map(|user| discreet(tx, &actor, user)).collect();
                let fits = |name: &str| name.to_ascii_lowercase().contains(&text);
                let mut all = vec![];
                if fits(groups::EVERYONE) {
                    all.push(groups::everyone(tx, &actor, place.clone())?);
                }
                for group in group_rows::list(tx, place.id)?.into_iter().filter(|g| fits(&g.name)) {
                    all.push(groups::shown(tx, &actor, group, place.clone())?);
                }
                Ok(Offered { users, groups: all })
            })
            .await
    }

    /// The templates on whose lists a group is, as far as the actor knows them.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a group that the actor may not see.
    pub async fn group_templates(
        &self,
        actor: &Actor,
        group: GroupId,
    ) -> Result<Vec<(TemplateName, TemplateRole)>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let view = groups::find(tx, &actor, group)?;
                let (place, everyone) = (view.organization.id, view.is_everyone());
                let mut known = Vec::new();
                let group = Some(group).filter(|_| !everyone);
                for (id, name, role) in template_grants::of_group(tx, place, group)? {
                    if actor.may(tx.now, Action::Read, &object(tx, &actor, (id, place))?) {
                        known.push((name, role));
                    }
                }
                Ok(known)
            })
            .await
    }

    /// Whether the actor keeps a template.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keeps_template(&self, actor: &Actor, id: TemplateId) -> Result<bool> {
        match self.template_for(actor, Action::Update, id).await {
            Ok(_) => Ok(true),
            Err(Error::Denied(_) | Error::NotFound(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Changes a template's list; whom it does not name stays as they are.
    ///
    /// # Errors
    /// [`Error::Denied`] for who does not keep the template or gives more than they hold,
    /// [`Error::Conflict`] for the entry that the actor stands on, [`Error::Invalid`] for who does not
    /// belong to its organization.
    pub async fn update_template_acl(
        &self,
        actor: &Actor,
        id: TemplateId,
        changes: Vec<AclChange>,
    ) -> Result<()> {
        if changes.len() > MAX_ENTRIES {
            let why = format!("names more than {MAX_ENTRIES} people and groups");
            return Err(Error::invalid("user_perms", why));
        }
        actor.require_own()?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let template = templates::find_for(tx, &actor, Action::Update, id)?;
                change(tx, &actor, &template, &changes)
            })
            .await
    }
}

/// Changes a template's list. The actor's right to change the template was asked for before.
pub(super) fn change(
    tx: &WriteTx<'_>,
    actor: &Actor,
    template: &Template,
    changes: &[AclChange],
) -> Result<()> {
    let before = template_grants::list(tx, template.id)?;
    for (grantee, role) in changes {
        require_change(tx, actor, (template, &before), (*grantee, *role))?;
        match role {
            Some(role) => template_grants::put(tx, template.id, *grantee, *role)?,
            None => template_grants::remove(tx, template.id, *grantee)?,
        }
    }
    let after = template_grants::list(tx, template.id)?;
    if after.len() > MAX_ENTRIES {
        return Err(Error::conflict(format!(
            "a template's list has at most {MAX_ENTRIES} entries; use groups"
        )));
    }
    let ((old_users, old_groups), (users, groups)) = (words(tx, &before)?, words(tx, &after)?);
    let diff =
        Diff::new().field("user_acl", &old_users, &users).field("group_acl", &old_groups, &groups);
    if diff.is_empty() {
        return Ok(());
    }
    let (target, name) = (AuditTarget::Template, template.name.as_str());
    let entry = trail::entry(AuditAction::Write, target, template.id.0, name);
    let entry = trail::within(entry, template.organization_id);
    access::record(tx, actor, &trail::with(entry, &diff))?;
    tx.emit(Event::Template(template.id));
    tx.emit(Event::Grants);
    Ok(())
}

fn require_change(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (template, before): (&Template, &[(Grantee, TemplateRole)]),
    (grantee, role): AclChange,
) -> Result<()> {
    let object = object(tx, actor, (template.id, template.organization_id))?;
    let old = before.iter().find(|(known, _)| *known == grantee).map(|(_, role)| *role);
    let moved: Vec<TemplateRole> = [old, role].into_iter().flatten().collect();
    require_held(tx, actor, (&object, &moved))?;
    if role == Some(TemplateRole::Admin) && old != role {
        // Who keeps a template says what runs on the server's machine.
        actor.require_fresh(tx.now)?;
    }
    if old == Some(TemplateRole::Admin)
        && actor.decide(tx.now, Action::Update, &object) == Ok(Because::Granted)
        && includes(tx, actor, grantee)?
    {
        let why = "you keep this template by this entry yourself; someone else has to change it";
        return Err(Error::conflict(why));
    }
    match (grantee, role) {
        (Grantee::User(user), Some(_)) => require_member(tx, user, template.organization_id),
        (Grantee::Group(group), Some(_)) => {
            let found = group_rows::find(tx, group)?;
            if found.is_some_and(|g| g.organization_id == template.organization_id) {
                return Ok(());
            }
            let why = format!("{group} is no group of the template's organization");
            Err(Error::invalid("group_perms", why))
        }
        (Grantee::Everyone, Some(_)) | (_, None) => Ok(()),
    }
}

/// Whether an entry is about the actor, or a group they are in.
fn includes(tx: &ReadTx<'_>, actor: &Actor, grantee: Grantee) -> Result<bool> {
    let Some(me) = actor.user_id() else { return Ok(false) };
    Ok(match grantee {
        Grantee::Everyone => true,
        Grantee::User(user) => user == me,
        Grantee::Group(group) => group_rows::list_of(tx, me)?.iter().any(|g| g.id == group),
    })
}

fn require_member(tx: &ReadTx<'_>, user: UserId, place: OrganizationId) -> Result<()> {
    let found = users::find(tx, user)?;
    if found.is_some_and(|u| u.status.may_act() && u.organizations.contains(&place)) {
        return Ok(());
    }
    Err(Error::invalid("user_perms", format!("{user} is no member of the template's organization")))
}

/// The entries of a list in the words of the audit log: those of users, and those of groups.
fn words(tx: &ReadTx<'_>, list: &[(Grantee, TemplateRole)]) -> Result<(Vec<String>, Vec<String>)> {
    let (mut of_users, mut of_groups) = (vec![], vec![]);
    for (grantee, role) in list {
        match grantee {
            Grantee::Everyone => of_groups.push(format!("{}:{role}", groups::EVERYONE)),
            Grantee::Group(id) => {
                let name = group_rows::find(tx, *id)?.map(|g| g.name).unwrap_or_default();
                of_groups.push(format!("{name}:{role}"));
            }
            Grantee::User(id) => {
                let name = users::find(tx, *id)?.map(|u| u.username.to_string());
                of_users.push(format!("{}:{role}", name.unwrap_or_default()));
            }
        }
    }
    Ok((of_users, of_groups))
}

fn organization(tx: &ReadTx<'_>, template: &Template) -> Result<Organization> {
    organizations::find(tx, template.organization_id)?.ok_or(Error::NotFound("organization"))
}

/// Someone's name, and the rest of them only for who may see it.
fn discreet(tx: &ReadTx<'_>, actor: &Actor, user: User) -> User {
    if actor.user_id() == Some(user.id) || people::may_see(tx.now, actor, &user) {
        return user;
    }
    User {
        name: String::new(),
        email: String::new(),
        roles: vec![],
        organizations: vec![],
        organization_roles: vec![],
        last_seen_at: None,
        ..user
    }
}

/// Everyone first, then by name.
fn order(view: &GroupView) -> (bool, &str) {
    (!view.is_everyone(), &view.group.name)
}
