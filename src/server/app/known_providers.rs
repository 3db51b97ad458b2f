//! Who each provider's name stood for last: what was of another provider of the name is not the next one's.

use std::collections::BTreeMap;

use anyhow::Context as _;

use super::access::record;
use super::providers::entry;
use super::{Actor, App, Error, Result, identity_grants};
use crate::model::audit::{AuditAction, Diff};
use crate::server::db::{ReadTx, WriteTx, identities, idp_syncs, scim_users, settings};

const KNOWN: &str = "known_providers";

impl App {
    /// Notes who each provider in force is, by its name: an issuer or an address. A name that stood
    /// for another one, by whatever way the settings changed and however long ago, leads nobody on:
    /// sessions that began there end, and its people are known by issuer and subject alone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn meet_providers(&self, now: BTreeMap<String, String>) -> Result<()> {
        let known = self.db.read(known).await?;
        if now.iter().all(|(name, who)| known.get(name) == Some(who)) {
            return Ok(());
        }
        self.db.write(move |tx| meet(tx, now)).await
    }
}

fn meet(tx: &WriteTx<'_>, now: BTreeMap<String, String>) -> Result<()> {
    let mut all = known(tx)?;
    for (name, who) in now {
        if let Some(before) = all.get(&name).filter(|before| **before != who) {
            identity_grants::end_all(tx, &name, "the provider is another one")?;
            detach(tx, &name)?;
            let diff = Diff::new().field("provider", before.as_str(), who.as_str());
            record(tx, &Actor::System, &entry(AuditAction::Write, &name, &diff))?;
        }
        all.insert(name, who);
    }
    keep(tx, &all)
}

/// A provider's name stands for nobody from now on: whoever is led here by a provider of this name
/// later is not who the one before spoke of, and what was set for it is set for no other.
///
/// # Errors
/// When the database fails.
pub(super) fn forget(tx: &WriteTx<'_>, name: &str) -> Result<()> {
    detach(tx, name)?;
    let mut all = known(tx)?;
    if all.remove(name).is_some() {
        keep(tx, &all)?;
    }
    Ok(())
}

fn detach(tx: &WriteTx<'_>, name: &str) -> Result<()> {
    identities::detach(tx, name)?;
    scim_users::detach(tx, name)?;
    Ok(idp_syncs::delete_all(tx, name)?)
}

fn known(tx: &ReadTx<'_>) -> Result<BTreeMap<String, String>> {
    let Some(kept) = settings::find(tx, KNOWN)? else { return Ok(BTreeMap::new()) };
    serde_json::from_slice(&kept).context("Reading who the providers were").map_err(Error::Internal)
}

fn keep(tx: &WriteTx<'_>, all: &BTreeMap<String, String>) -> Result<()> {
    let kept = serde_json::to_vec(all).context("Writing who the providers are");
    Ok(settings::put(tx, KNOWN, &kept.map_err(Error::Internal)?)?)
}
