//! What the deployment knows of itself: its id, its keys, the row set of the first start.

use anyhow::Context as _;
use zeroize::Zeroizing;

use super::{App, Error, Result};
use crate::clock::Entropy;
use crate::model::id::OrganizationId;
use crate::model::user::Organization;
use crate::server::db::seal::{Place, Seal};
use crate::server::db::{Db, ReadTx, WriteTx, organizations, settings};

const MASTER_KEY: &str = "master_key";
const DEPLOYMENT_ID: &str = "deployment_id";
/// The name of the organization of the start.
pub const DEFAULT_ORGANIZATION: &str = "default";

/// The master key that is kept in the database itself, if it is.
pub(super) fn kept_key(tx: &ReadTx<'_>) -> Result<Option<[u8; 32]>> {
    let kept = settings::find(tx, MASTER_KEY)?.map(Zeroizing::new);
    Ok(kept.and_then(|kept| kept.as_slice().try_into().ok()))
}

/// A secret of the deployment as [`App::secret`] keeps it; none when there is none, or it was sealed
/// with another key.
pub(super) fn sealed_secret(
    tx: &ReadTx<'_>,
    seal: &Seal,
    name: &'static str,
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let sealed = settings::find(tx, name)?;
    let place = Place { column: "settings.value", row: name };
    Ok(sealed.and_then(|sealed| seal.open(place, &sealed).ok()).map(Zeroizing::new))
}

/// The seal of a deployment. With a master key given by the operator a copy of the database gives
/// away no secret in it. Without one the key is made at the first start and kept in the same file,
/// so that one file is the whole deployment: who copies it has everything.
///
/// # Errors
/// When the database fails, or holds a key that cannot be read.
pub async fn load_seal(db: &Db, given: Option<[u8; 32]>, entropy: Entropy) -> Result<Seal> {
    if let Some(key) = given {
        return Ok(Seal::new(key, entropy));
    }
    let kept = match db.read(|tx| settings::find(tx, MASTER_KEY)).await? {
        Some(kept) => kept,
        None => db.write(make_master_key).await?,
    };
    let kept = Zeroizing::new(kept);
    let key = <[u8; 32]>::try_from(kept.as_slice())
        .context("Reading the master key")
        .map_err(Error::Internal)?;
    Ok(Seal::new(key, entropy))
}

impl App {
    /// Makes what every deployment has: the organization `default` and the deployment's id, unless
    /// it is there. Then puts in force what owners have set.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ensure_start(&self) -> Result<()> {
        self.db.write(start_rows).await?;
        self.load_mfa_roles().await
    }

    /// Whether the deployment was never started before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_new(&self) -> Result<bool> {
        Ok(self.db.read(|tx| settings::find(tx, DEPLOYMENT_ID)).await?.is_none())
    }

    /// The id of this deployment.
    ///
    /// # Errors
    /// When the database fails or [`App::ensure_start`] was never called.
    pub async fn deployment_id(&self) -> Result<uuid::Uuid> {
        let found = self.db.read(|tx| settings::find(tx, DEPLOYMENT_ID)).await?;
        found
            .and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok())
            .context("the deployment has no id")
            .map_err(Error::Internal)
    }

    /// A secret of the deployment, sealed in the database; `make` gives it at the first use.
    ///
    /// # Errors
    /// When the database fails, or the secret was sealed with another master key.
    pub async fn secret(
        &self,
        name: &'static str,
        make: impl FnOnce(&Entropy) -> Vec<u8> + Send + 'static,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let place = Place { column: "settings.value", row: name };
        if let Some(sealed) = self.db.read(move |tx| settings::find(tx, name)).await? {
            return Ok(Zeroizing::new(self.seal.open(place, &sealed)?));
        }
        let seal = self.seal.clone();
        self.db
            .write(move |tx| {
                // Someone else may have been first.
                if let Some(sealed) = settings::find(tx, name)? {
                    return Ok(Zeroizing::new(seal.open(place, &sealed)?));
                }
                let plain = Zeroizing::new(make(tx.entropy()));
                settings::put(tx, name, &seal.seal(place, &plain))?;
                Ok(plain)
            })
            .await
    }
}

fn make_master_key(tx: &WriteTx<'_>) -> Result<Vec<u8>> {
    // Someone else may have been first.
    if let Some(kept) = settings::find(tx, MASTER_KEY)? {
        return Ok(kept);
    }
    let made: [u8; 32] = tx.entropy().bytes();
    settings::put(tx, MASTER_KEY, &made)?;
    Ok(made.to_vec())
}

fn start_rows(tx: &WriteTx<'_>) -> Result<()> {
    if organizations::find_default(tx)?.is_none() {
        let organization = Organization {
            id: tx.fresh::<OrganizationId>(),
            name: DEFAULT_ORGANIZATION.to_owned(),
            display_name: "Default".to_owned(),
            description: String::new(),
            created_at: tx.now,
            updated_at: tx.now,
            is_default: true,
            quota_allowance: 0,
            icon: String::new(),
        };
        organizations::insert(tx, &organization)?;
    }
    if settings::find(tx, DEPLOYMENT_ID)?.is_none() {
        let id = tx.entropy().uuid4().to_string();
        settings::put(tx, DEPLOYMENT_ID, id.as_bytes())?;
    }
    Ok(())
}
