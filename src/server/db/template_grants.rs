//! The table `template_grants` and the view `effective_template_grants`: who may use and keep a template.

use std::collections::BTreeMap;

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::{GroupId, OrganizationId, TemplateId, UserId};
use crate::model::name::TemplateName;
use crate::model::template::{Grantee, TemplateRole};

fn grantee(row: &Row<'_>) -> rusqlite::Result<Grantee> {
    let (user, group): (Option<UserId>, Option<GroupId>) =
        (row.get("user_id")?, row.get("group_id")?);
    Ok(match (user, group) {
        (Some(user), _) => Grantee::User(user),
        (None, Some(group)) => Grantee::Group(group),
        (None, None) => Grantee::Everyone,
    })
}

/// The columns that a grantee is stored in.
fn columns(grantee: Grantee) -> (Option<UserId>, Option<GroupId>) {
    match grantee {
        Grantee::User(user) => (Some(user), None),
        Grantee::Group(group) => (None, Some(group)),
        Grantee::Everyone => (None, None),
    }
}

/// Every role that a template's list gives a user.
///
/// # Errors
/// When SQLite fails.
pub fn held(tx: &ReadTx<'_>, user: UserId, template: TemplateId) -> Result<Vec<TemplateRole>> {
    tx.list(
        "SELECT role FROM effective_template_grants
         WHERE user_id = :user AND template_id = :template",
        named_params! { ":user": user, ":template": template },
        |row| row.get("role"),
    )
}

/// The widest role that each template's list gives a user.
///
/// # Errors
/// When SQLite fails.
pub fn held_by(tx: &ReadTx<'_>, user: UserId) -> Result<BTreeMap<TemplateId, TemplateRole>> {
    let rows: Vec<(TemplateId, TemplateRole)> = tx.list(
        "SELECT template_id, role FROM effective_template_grants WHERE user_id = :user",
        named_params! { ":user": user },
        |row| Ok((row.get("template_id")?, row.get("role")?)),
    )?;
    let mut widest = BTreeMap::new();
    for (template, role) in rows {
        let known = widest.entry(template).or_insert(role);
        *known = role.max(*known);
    }
    Ok(widest)
}

/// Whether a list gives a user a template that is not deprecated, or that they keep.
///
/// # Errors
/// When SQLite fails.
pub fn any(tx: &ReadTx<'_>, user: UserId) -> Result<bool> {
    let found = tx.find(
        "SELECT 1 FROM effective_template_grants e CROSS JOIN templates t ON t.id = e.template_id
         WHERE e.user_id = :user AND (t.deprecation = '' OR e.role = 'admin') LIMIT 1",
        named_params! { ":user": user },
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// A template's list: Everyone, then groups, then users.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, template: TemplateId) -> Result<Vec<(Grantee, TemplateRole)>> {
    let mut all = tx.list(
        "SELECT user_id, group_id, role FROM template_grants WHERE template_id = :template",
        named_params! { ":template": template },
        |row| Ok((grantee(row)?, row.get("role")?)),
    )?;
    all.sort_unstable();
    Ok(all)
}

/// The templates on whose lists a group is; without a group those for everyone of an organization.
///
/// # Errors
/// When SQLite fails.
pub fn of_group(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    group: Option<GroupId>,
) -> Result<Vec<(TemplateId, TemplateName, TemplateRole)>> {
    tx.list(
        "SELECT t.id AS id, t.name AS name, g.role AS role
         FROM templates t CROSS JOIN template_grants g ON g.template_id = t.id
         WHERE t.organization_id = :organization AND t.deleted_at IS NULL
           AND g.user_id IS NULL AND g.group_id IS :group ORDER BY t.name",
        named_params! { ":organization": organization, ":group": group },
        |row| Ok((row.get("id")?, row.get("name")?, row.get("role")?)),
    )
}

/// Puts someone on a template's list, or gives them another role there.
///
/// # Errors
/// When SQLite fails.
pub fn put(
    tx: &WriteTx<'_>,
    template: TemplateId,
    grantee: Grantee,
    role: TemplateRole,
) -> Result<()> {
    let (user, group) = columns(grantee);
    tx.execute(
        "INSERT INTO template_grants (template_id, user_id, group_id, role, created_at)
         VALUES (:template, :user, :group, :role, :now)
         ON CONFLICT (template_id, coalesce(user_id, group_id, '')) DO UPDATE SET role = :role",
        named_params! {
            ":template": template, ":user": user, ":group": group, ":role": role, ":now": tx.now,
        },
    )?;
    Ok(())
}

/// Takes someone off a template's list.
///
/// # Errors
/// When SQLite fails.
pub fn remove(tx: &WriteTx<'_>, template: TemplateId, grantee: Grantee) -> Result<()> {
    let (user, group) = columns(grantee);
    tx.execute(
        "DELETE FROM template_grants
         WHERE template_id = :template AND user_id IS :user AND group_id IS :group",
        named_params! { ":template": template, ":user": user, ":group": group },
    )?;
    Ok(())
}

/// Takes a user off the lists of an organization's templates.
///
/// # Errors
/// When SQLite fails.
pub fn remove_user(tx: &WriteTx<'_>, organization: OrganizationId, user: UserId) -> Result<usize> {
    tx.execute(
        "DELETE FROM template_grants WHERE user_id = :user AND EXISTS (
             SELECT 1 FROM templates t
             WHERE t.id = template_grants.template_id AND t.organization_id = :organization)",
        named_params! { ":user": user, ":organization": organization },
    )
}

/// Takes a user off every list.
///
/// # Errors
/// When SQLite fails.
pub fn remove_all(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM template_grants WHERE user_id = :user", named_params! { ":user": user })
}
