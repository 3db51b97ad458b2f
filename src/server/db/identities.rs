//! The table `identities`: who people are at providers that sign them in.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::{IdentityId, OrganizationId, UserId};
use crate::model::identity::Identity;

fn from_row(row: &Row<'_>) -> rusqlite::Result<Identity> {
    Ok(Identity {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        provider: row.get("provider")?,
        issuer: row.get("issuer")?,
        subject: row.get("subject")?,
        email: row.get("email")?,
        claims: row.get("claims")?,
        created_at: row.get("created_at")?,
        last_used_at: row.get("last_used_at")?,
    })
}

/// What [`from_row`] reads.
macro_rules! select_identities {
    ($rest:literal) => {
        concat!(
            "SELECT id, user_id, provider, issuer, subject, email, claims, created_at, last_used_at
             FROM identities ",
            $rest
        )
    };
}

/// An identity by id.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: IdentityId) -> Result<Option<Identity>> {
    tx.find(select_identities!("WHERE id = :id"), named_params! { ":id": id }, from_row)
}

/// Who is meant by a provider's subject.
///
/// # Errors
/// When SQLite fails.
pub fn find_by_subject(tx: &ReadTx<'_>, issuer: &str, subject: &str) -> Result<Option<Identity>> {
    tx.find(
        select_identities!("WHERE issuer = :issuer AND subject = :subject"),
        named_params! { ":issuer": issuer, ":subject": subject },
        from_row,
    )
}

/// The identities of a user, oldest first.
///
/// # Errors
/// When SQLite fails.
pub fn list_of(tx: &ReadTx<'_>, user: UserId) -> Result<Vec<Identity>> {
    tx.list(
        select_identities!("WHERE user_id = :user ORDER BY created_at, id"),
        named_params! { ":user": user },
        from_row,
    )
}

/// The claims that providers sent of anyone, or of the members of one organization, by name.
///
/// # Errors
/// When SQLite fails.
pub fn claim_fields(
    tx: &ReadTx<'_>,
    place: Option<OrganizationId>,
    limit: i64,
) -> Result<Vec<String>> {
    tx.list(
        "SELECT DISTINCT c.key AS field FROM identities i, json_each(i.claims) c
         WHERE :place IS NULL OR EXISTS (SELECT 1 FROM memberships m
           WHERE m.organization_id = :place AND m.user_id = i.user_id)
         ORDER BY c.key LIMIT :limit
         /* scan: asked by who sets up a provider; a row is one person at one provider */",
        named_params! { ":limit": limit, ":place": place },
        |row| row.get("field"),
    )
}

/// The texts that a claim had of anyone, or of the members of one organization, alone or in a list.
///
/// # Errors
/// When SQLite fails.
pub fn claim_values(
    tx: &ReadTx<'_>,
    (field, place): (&str, Option<OrganizationId>),
    limit: i64,
) -> Result<Vec<String>> {
    tx.list(
        "SELECT DISTINCT v.value AS text FROM identities i, json_each(i.claims) c,
           json_each(CASE c.type WHEN 'array' THEN c.value ELSE json_array(c.value) END) v
         WHERE c.key = :field AND v.type = 'text'
           AND (:place IS NULL OR EXISTS (SELECT 1 FROM memberships m
             WHERE m.organization_id = :place AND m.user_id = i.user_id))
         ORDER BY v.value LIMIT :limit
         /* scan: asked by who sets up a provider; a row is one person at one provider */",
        named_params! { ":field": field, ":limit": limit, ":place": place },
        |row| row.get("text"),
    )
}

/// How many people have come by a provider of this name.
///
/// # Errors
/// When SQLite fails.
pub fn count_of_provider(tx: &ReadTx<'_>, provider: &str) -> Result<i64> {
    let found = tx.find(
        "SELECT count(DISTINCT user_id) AS n FROM identities WHERE provider = :provider",
        named_params! { ":provider": provider },
        |row| row.get("n"),
    )?;
    Ok(found.unwrap_or_default())
}

/// Leaves identities to nobody of this name: they are known by issuer and subject alone, and have a
/// provider again when they come by one.
///
/// # Errors
/// When SQLite fails.
pub fn detach(tx: &WriteTx<'_>, provider: &str) -> Result<usize> {
    tx.execute(
        "UPDATE identities SET provider = '(removed)' WHERE provider = :provider",
        named_params! { ":provider": provider },
    )
}

/// Writes a new identity.
///
/// # Errors
/// When SQLite fails or the provider's subject is another user's.
pub fn insert(tx: &WriteTx<'_>, identity: &Identity) -> Result<()> {
    tx.execute(
        "INSERT INTO identities (id, user_id, provider, issuer, subject, email, claims, created_at,
         last_used_at) VALUES (:id, :user, :provider, :issuer, :subject, :email, :claims,
         :created_at, :last_used_at)",
        named_params! {
            ":id": identity.id, ":user": identity.user_id, ":provider": identity.provider,
            ":issuer": identity.issuer, ":subject": identity.subject, ":email": identity.email,
            ":claims": identity.claims, ":created_at": identity.created_at,
            ":last_used_at": identity.last_used_at,
        },
    )?;
    Ok(())
}

/// Writes what a provider says now.
///
/// # Errors
/// When SQLite fails.
pub fn update(tx: &WriteTx<'_>, identity: &Identity) -> Result<()> {
    tx.execute(
        "UPDATE identities SET provider = :provider, issuer = :issuer, email = :email,
         claims = :claims, last_used_at = :last_used_at WHERE id = :id",
        named_params! {
            ":id": identity.id, ":provider": identity.provider, ":issuer": identity.issuer,
            ":email": identity.email, ":claims": identity.claims,
            ":last_used_at": identity.last_used_at,
        },
    )?;
    Ok(())
}

/// Removes an identity, with its grants and sessions.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, id: IdentityId) -> Result<usize> {
    tx.execute("DELETE FROM identities WHERE id = :id", named_params! { ":id": id })
}

/// Removes every identity of a user, with their grants and sessions.
///
/// # Errors
/// When SQLite fails.
pub fn delete_all(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM identities WHERE user_id = :user", named_params! { ":user": user })
}
