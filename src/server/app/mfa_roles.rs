//! Roles whose holders must have a second factor: those of the settings, and those that owners add.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use uuid::Uuid;

use super::access::record;
use super::{Actor, App, Error, Result, page, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::factor::MfaRoles;
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::user::User;
use crate::server::db::lacking::{self, Holders};
use crate::server::db::{ReadTx, settings, users};

/// Where the added ones are kept, their names divided by commas.
const KEY: &str = "mfa_roles";
/// People of a page at most.
const MAX_LIST: i64 = 100;

/// The roles as they are now.
pub(super) struct Required {
    /// All of them: those of the settings too.
    now: Mutex<Arc<MfaRoles>>,
    /// One change at a time, so that the last one written is the last one in force.
    changing: tokio::sync::Mutex<()>,
}

impl Required {
    /// Those of the settings alone, until the database was read.
    pub(super) fn new(told: &MfaRoles) -> Self {
        let now = Mutex::new(Arc::new(told.clone()));
        Self { now, changing: tokio::sync::Mutex::default() }
    }
}

/// Who must have a second factor, and has none.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Roles that the operator's settings name.
    pub told: MfaRoles,
    /// Roles that owners have added.
    pub added: MfaRoles,
    /// A part of those who have none, by name.
    pub lacking: Vec<User>,
    /// How many they are in all.
    pub total: i64,
}

impl App {
    /// The roles whose holders must have a second factor.
    #[must_use]
    pub fn mfa_roles(&self) -> Arc<MfaRoles> {
        Arc::clone(&self.mfa_required.now.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts in force what the settings and the database say.
    ///
    /// # Errors
    /// When the database fails, or names what is no role.
    pub(super) async fn load_mfa_roles(&self) -> Result<()> {
        let added = self.db.read(added).await?;
        let all = Arc::new(self.policy.mfa_roles.with(&added));
        *self.mfa_required.now.lock().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(())
    }

    /// Who must have a second factor, and a page of those who have none.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not see the deployment's settings.
    pub async fn mfa_standing(&self, actor: &Actor, offset: i64) -> Result<Standing> {
        actor.require(self.clock.now(), Action::Read, &object())?;
        let told = self.policy.mfa_roles.clone();
        self.db
            .read(move |tx| {
                let added = added(tx)?;
                let holders = holders(&told.with(&added));
                let mut people = Vec::new();
                for id in lacking::list(tx, &holders, (MAX_LIST, offset.max(0)))? {
                    people.extend(users::find(tx, id)?);
                }
                let total = match page::total(people.len(), MAX_LIST, offset) {
                    Some(n) => n,
                    None => lacking::count(tx, &holders)?,
                };
                Ok(Standing { told, added, lacking: people, total })
            })
            .await
    }

    /// Asks these roles for a second factor from now on, besides those of the settings.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Invalid`] for what is no role.
    pub async fn set_mfa_roles(&self, actor: &Actor, names: &[String]) -> Result<()> {
        actor.require_own()?;
        let now = self.clock.now();
        actor.require(now, Action::Update, &object())?;
        actor.require_fresh(now)?;
        let names = names.iter().map(String::as_str);
        let new = MfaRoles::parse(names).map_err(|why| Error::invalid("role", why))?;
        let new = new.without(&self.policy.mfa_roles);
        let _one = self.mfa_required.changing.lock().await;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let old = added(tx)?;
                let diff = Diff::new().field("mfa_required_roles", old.names(), new.names());
                if diff.is_empty() {
                    return Ok(());
                }
                settings::put(tx, KEY, new.names().join(",").as_bytes())?;
                let target = AuditTarget::Setting;
                let entry = trail::entry(AuditAction::Write, target, Uuid::nil(), "second factors");
                record(tx, &actor, &trail::with(entry, &diff))
            })
            .await?;
        self.load_mfa_roles().await
    }
}

/// Roles that owners have added.
fn added(tx: &ReadTx<'_>) -> Result<MfaRoles> {
    let Some(kept) = settings::find(tx, KEY)? else { return Ok(MfaRoles::default()) };
    let text = String::from_utf8_lossy(&kept).into_owned();
    MfaRoles::parse(text.split(','))
        .map_err(anyhow::Error::msg)
        .context("Reading the roles that need a second factor")
        .map_err(Error::Internal)
}

/// As the database looks for who holds them.
fn holders(roles: &MfaRoles) -> Holders {
    Holders { everyone: roles.is_everyone(), roles: format!(" {} ", roles.names().join(" ")) }
}

/// The settings of the deployment.
fn object() -> Object {
    Object::site(ResourceType::DeploymentConfig)
}
