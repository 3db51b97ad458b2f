//! The tables `role_bindings`, `roles` and `role_permissions`: who holds which role, and what custom
//! ones hold.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::{IdentityId, OrganizationId, UserId};
use crate::model::name::RoleName;
use crate::model::policy::{Permission, Permissions};
use crate::model::user::{CustomRole, SiteRole};

/// Gives a user exactly these roles on the site.
///
/// # Errors
/// When SQLite fails.
pub fn replace(tx: &WriteTx<'_>, user: UserId, roles: &[SiteRole]) -> Result<()> {
    tx.execute(
        "DELETE FROM role_bindings WHERE user_id = :user AND organization_id IS NULL",
        named_params! { ":user": user },
    )?;
    for role in roles {
        tx.execute(
            "INSERT INTO role_bindings (user_id, role, organization_id, created_at)
             VALUES (:user, :role, NULL, :now)",
            named_params! { ":user": user, ":role": role, ":now": tx.now },
        )?;
    }
    Ok(())
}

/// The roles of a user on the site, each with the identity whose provider gave it; none for one that
/// someone here gave.
///
/// # Errors
/// When SQLite fails.
pub fn list_of(tx: &ReadTx<'_>, user: UserId) -> Result<Vec<(SiteRole, Option<IdentityId>)>> {
    tx.list(
        "SELECT role, identity_id FROM role_bindings
         WHERE user_id = :user AND organization_id IS NULL ORDER BY role",
        named_params! { ":user": user },
        |row| Ok((row.get("role")?, row.get("identity_id")?)),
    )
}

/// Gives a user a role on the site by the word of a provider, also one they hold.
///
/// # Errors
/// When SQLite fails.
pub fn give(
    tx: &WriteTx<'_>,
    user: UserId,
    (role, identity): (SiteRole, IdentityId),
) -> Result<()> {
    tx.execute(
        "INSERT INTO role_bindings (user_id, role, organization_id, created_at, identity_id)
         VALUES (:user, :role, NULL, :now, :identity)
         ON CONFLICT DO UPDATE SET identity_id = :identity",
        named_params! { ":user": user, ":role": role, ":now": tx.now, ":identity": identity },
    )?;
    Ok(())
}

/// Takes a role on the site from a user.
///
/// # Errors
/// When SQLite fails.
pub fn take(tx: &WriteTx<'_>, user: UserId, role: SiteRole) -> Result<()> {
    tx.execute(
        "DELETE FROM role_bindings
         WHERE user_id = :user AND role = :role AND organization_id IS NULL",
        named_params! { ":user": user, ":role": role },
    )?;
    Ok(())
}

/// Gives a user exactly these roles in an organization. Who gave one that stays is not forgotten.
///
/// # Errors
/// When SQLite fails.
pub fn replace_in(
    tx: &WriteTx<'_>,
    organization: OrganizationId,
    user: UserId,
    roles: &[RoleName],
) -> Result<()> {
    for (role, _) in list_in(tx, organization, user)? {
        if !roles.contains(&role) {
            take_in(tx, organization, (user, &role))?;
        }
    }
    for role in roles {
        give_in(tx, organization, (user, role, None))?;
    }
    Ok(())
}

/// The roles of a user in an organization, each with the identity whose provider gave it; none for
/// one that someone there gave.
///
/// # Errors
/// When SQLite fails.
pub fn list_in(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    user: UserId,
) -> Result<Vec<(RoleName, Option<IdentityId>)>> {
    tx.list(
        "SELECT role, identity_id FROM role_bindings
         WHERE user_id = :user AND organization_id = :organization ORDER BY role",
        named_params! { ":user": user, ":organization": organization },
        |row| Ok((row.get("role")?, row.get("identity_id")?)),
    )
}

/// Gives a user a role in an organization, by someone's hand or a provider's word, unless they hold it.
///
/// # Errors
/// When SQLite fails.
pub fn give_in(
    tx: &WriteTx<'_>,
    organization: OrganizationId,
    (user, role, identity): (UserId, &RoleName, Option<IdentityId>),
) -> Result<()> {
    tx.execute(
        "INSERT INTO role_bindings (user_id, role, organization_id, created_at, identity_id)
         VALUES (:user, :role, :organization, :now, :identity) ON CONFLICT DO NOTHING",
        named_params! {
            ":user": user, ":role": role, ":organization": organization, ":now": tx.now,
            ":identity": identity,
        },
    )?;
    Ok(())
}

/// Takes a role in an organization from a user.
///
/// # Errors
/// When SQLite fails.
pub fn take_in(
    tx: &WriteTx<'_>,
    organization: OrganizationId,
    (user, role): (UserId, &RoleName),
) -> Result<()> {
    tx.execute(
        "DELETE FROM role_bindings
         WHERE user_id = :user AND role = :role AND organization_id = :organization",
        named_params! { ":user": user, ":role": role, ":organization": organization },
    )?;
    Ok(())
}

/// Takes every role from a user, on the site and in organizations.
///
/// # Errors
/// When SQLite fails.
pub fn delete_all(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM role_bindings WHERE user_id = :user", named_params! { ":user": user })
}

/// How many people besides `user` are owners and may act.
///
/// # Errors
/// When SQLite fails.
pub fn count_other_owners(tx: &ReadTx<'_>, user: UserId) -> Result<i64> {
    let n = tx.find(
        "SELECT count(*) AS n FROM role_bindings b JOIN users u ON u.id = b.user_id
         WHERE b.role = 'owner' AND b.organization_id IS NULL AND b.user_id <> :user
         AND u.status IN ('active', 'dormant') AND u.kind = 'person'",
        named_params! { ":user": user },
        |row| row.get("n"),
    )?;
    Ok(n.unwrap_or(0))
}

/// What the custom roles of an active user hold, where they belong.
///
/// # Errors
/// When SQLite fails.
pub fn custom_permissions(
    tx: &ReadTx<'_>,
    user: UserId,
) -> Result<Vec<(OrganizationId, Permissions)>> {
    let rows: Vec<(OrganizationId, String)> = tx.list(
        "SELECT organization_id, permission FROM effective_permissions WHERE user_id = :user",
        named_params! { ":user": user },
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let mut all: Vec<(OrganizationId, Permissions)> = Vec::new();
    for (organization, text) in rows {
        // A permission of a newer program, or one there is no more, is none.
        let one: Permissions = Permission::parse(&text).into_iter().collect();
        match all.iter_mut().find(|(id, _)| *id == organization) {
            Some((_, held)) => *held = held.union(one),
            None => all.push((organization, one)),
        }
    }
    Ok(all)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<CustomRole> {
    let words: Option<String> = row.get("permissions")?;
    let words = words.unwrap_or_default();
    Ok(CustomRole {
        id: row.get("id")?,
        organization_id: row.get("organization_id")?,
        name: row.get("name")?,
        display_name: row.get("display_name")?,
        permissions: words.split(' ').filter_map(Permission::parse).collect(),
    })
}

/// What [`from_row`] reads.
macro_rules! select_roles {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.organization_id, r.name, r.display_name,
             (SELECT group_concat(p.permission, ' ') FROM role_permissions p
              WHERE p.role_id = r.id) AS permissions FROM roles r ",
            $rest
        )
    };
}

/// The custom roles of an organization, by name.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, organization: OrganizationId) -> Result<Vec<CustomRole>> {
    tx.list(
        select_roles!("WHERE r.organization_id = :organization ORDER BY r.name"),
        named_params! { ":organization": organization },
        from_row,
    )
}

/// A custom role by name.
///
/// # Errors
/// When SQLite fails.
pub fn find(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    name: &RoleName,
) -> Result<Option<CustomRole>> {
    tx.find(
        select_roles!("WHERE r.organization_id = :organization AND r.name = :name"),
        named_params! { ":organization": organization, ":name": name },
        from_row,
    )
}

/// Writes a custom role, a new one or one of this id anew.
///
/// # Errors
/// When SQLite fails or the name is taken.
pub fn put(tx: &WriteTx<'_>, role: &CustomRole) -> Result<()> {
    tx.execute(
        "INSERT INTO roles (id, organization_id, name, display_name, created_at, updated_at)
         VALUES (:id, :organization, :name, :display_name, :now, :now)
         ON CONFLICT (id) DO UPDATE SET display_name = :display_name, updated_at = :now",
        named_params! {
            ":id": role.id, ":organization": role.organization_id, ":name": role.name,
            ":display_name": role.display_name, ":now": tx.now,
        },
    )?;
    tx.execute(
        "DELETE FROM role_permissions WHERE role_id = :id",
        named_params! { ":id": role.id },
    )?;
    for permission in role.permissions.iter() {
        tx.execute(
            "INSERT INTO role_permissions (role_id, permission) VALUES (:id, :permission)",
            named_params! { ":id": role.id, ":permission": permission.to_string() },
        )?;
    }
    Ok(())
}

/// Removes a custom role, and takes it from whoever holds it.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, role: &CustomRole) -> Result<()> {
    tx.execute(
        "DELETE FROM role_bindings WHERE organization_id = :organization AND role = :name",
        named_params! { ":organization": role.organization_id, ":name": role.name },
    )?;
    tx.execute("DELETE FROM roles WHERE id = :id", named_params! { ":id": role.id })?;
    Ok(())
}
