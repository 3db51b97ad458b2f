//! The table `idp_syncs`: how providers are followed where that was set here.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::OrganizationId;
use crate::model::set_sync::{SetSync, SyncKind};

/// How one thing follows one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRow {
    /// The name of the provider's settings.
    pub provider: String,
    /// What follows.
    pub kind: SyncKind,
    /// Where; none for organizations themselves.
    pub organization: Option<OrganizationId>,
    /// How.
    pub settings: SetSync,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<SyncRow> {
    let settings: String = row.get("settings")?;
    Ok(SyncRow {
        provider: row.get("provider")?,
        kind: row.get("kind")?,
        organization: row.get("organization_id")?,
        settings: SetSync::from_kept(&settings),
    })
}

/// All that was set for a provider.
///
/// # Errors
/// When SQLite fails.
pub fn of_provider(tx: &ReadTx<'_>, provider: &str) -> Result<Vec<SyncRow>> {
    tx.list(
        "SELECT provider, kind, organization_id, settings FROM idp_syncs
         WHERE provider = :provider ORDER BY kind, coalesce(organization_id, '')",
        named_params! { ":provider": provider },
        from_row,
    )
}

/// What was set for one thing that follows a provider; `place` is none for organizations themselves.
///
/// # Errors
/// When SQLite fails.
pub fn find(
    tx: &ReadTx<'_>,
    provider: &str,
    kind: SyncKind,
    place: Option<OrganizationId>,
) -> Result<Option<SetSync>> {
    let found = tx.find(
        "SELECT provider, kind, organization_id, settings FROM idp_syncs
         WHERE provider = :provider AND kind = :kind
           AND coalesce(organization_id, '') = coalesce(:place, '')",
        named_params! { ":provider": provider, ":kind": kind, ":place": place },
        from_row,
    )?;
    Ok(found.map(|row| row.settings))
}

/// Sets how one thing follows a provider.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, row: &SyncRow) -> Result<()> {
    tx.execute(
        "INSERT INTO idp_syncs (provider, kind, organization_id, settings, updated_at)
         VALUES (:provider, :kind, :place, :settings, :now)
         ON CONFLICT (provider, kind, coalesce(organization_id, ''))
         DO UPDATE SET settings = excluded.settings, updated_at = excluded.updated_at",
        named_params! {
            ":provider": row.provider, ":kind": row.kind, ":place": row.organization,
            ":settings": row.settings.to_kept(), ":now": tx.now,
        },
    )?;
    Ok(())
}

/// Leaves everything that was set for a provider to the server's file again.
///
/// # Errors
/// When SQLite fails.
pub fn delete_all(tx: &WriteTx<'_>, provider: &str) -> Result<()> {
    tx.execute(
        "DELETE FROM idp_syncs WHERE provider = :provider",
        named_params! { ":provider": provider },
    )?;
    Ok(())
}

/// Leaves it to the server's file again.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, row: &SyncRow) -> Result<()> {
    tx.execute(
        "DELETE FROM idp_syncs WHERE provider = :provider AND kind = :kind
           AND coalesce(organization_id, '') = coalesce(:place, '')",
        named_params! { ":provider": row.provider, ":kind": row.kind, ":place": row.organization },
    )?;
    Ok(())
}
