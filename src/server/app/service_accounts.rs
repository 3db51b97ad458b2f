//! Service accounts: each has a living human who answers for it, and is suspended while it has none.

use super::access::record;
use super::accounts::{entry, insert, set_status};
use super::new_users::require_places;
use super::people::{self, require_account};
use super::users::CreateUser;
use super::{Actor, App, Error, Result};
use crate::model::audit::{AuditAction, Diff};
use crate::model::id::UserId;
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::user::{User, UserKind, UserStatus};
use crate::server::db::service_accounts::{self, ServiceRow};
use crate::server::db::{ReadTx, WriteTx, users};

/// Service accounts in a list at most.
const MAX_LIST: i64 = 1000;

/// A service account, and who answers for it.
#[derive(Clone, Debug)]
pub struct ServiceAccount {
    /// The account.
    pub user: User,
    /// Who answers for it, if anyone was ever named.
    pub responsible: Option<User>,
}

impl ServiceAccount {
    /// Whether nobody who may act answers for it.
    #[must_use]
    pub fn is_lacking(&self) -> bool {
        !self.responsible.as_ref().is_some_and(may_answer)
    }
}

/// Living, human, and let in.
fn may_answer(user: &User) -> bool {
    user.kind == UserKind::Person && user.status.may_act()
}

impl App {
    /// Makes a service account. The actor answers for it when nobody is named.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] for a name that is taken,
    /// [`Error::Invalid`] for what does not fit, also who cannot answer.
    pub async fn create_service_account(
        &self,
        actor: &Actor,
        cmd: CreateUser,
        responsible: &str,
    ) -> Result<User> {
        actor.require_own()?;
        actor.require(self.clock.now(), Action::Create, &Object::site(ResourceType::User))?;
        let (user, _) = self.prepare_user(CreateUser { kind: UserKind::Service, ..cmd }).await?;
        let (actor, key) = (actor.clone(), responsible.trim().to_owned());
        self.db
            .write(move |tx| {
                let responsible = named(tx, &actor, &key)?;
                require_places(tx, &actor, &user.organizations)?;
                let user = insert(tx, &actor, user, None, AuditAction::Create)?;
                answer(tx, &actor, (&user, None), &responsible)?;
                Ok(user)
            })
            .await
    }

    /// Service accounts with who answers for each, oldest first.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not see users.
    pub async fn service_accounts(&self, actor: &Actor) -> Result<Vec<ServiceAccount>> {
        actor.require(self.clock.now(), Action::Read, &Object::site(ResourceType::User))?;
        self.db
            .read(|tx| {
                let mut all = Vec::new();
                for row in service_accounts::list(tx, MAX_LIST)? {
                    let Some(user) = users::find(tx, row.user)? else { continue };
                    let responsible = found(tx, row.responsible)?;
                    all.push(ServiceAccount { user, responsible });
                }
                Ok(all)
            })
            .await
    }

    /// A service account; none for a person.
    ///
    /// # Errors
    /// [`Error::NotFound`] for whom the actor may not see.
    pub async fn service_account(
        &self,
        actor: &Actor,
        key: &str,
    ) -> Result<Option<ServiceAccount>> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .read(move |tx| {
                let user = people::find(tx, &actor, &key)?;
                if user.kind != UserKind::Service {
                    return Ok(None);
                }
                let row = service_accounts::find(tx, user.id)?;
                let responsible = found(tx, row.and_then(|row| row.responsible))?;
                Ok(Some(ServiceAccount { user, responsible }))
            })
            .await
    }

    /// Names who answers for a service account from now on. One that was suspended since nobody did
    /// acts again.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] for a person, [`Error::Invalid`] for who
    /// cannot answer.
    pub async fn set_responsible(
        &self,
        actor: &Actor,
        key: &str,
        responsible: &str,
    ) -> Result<ServiceAccount> {
        actor.require_own()?;
        let (actor, keys) = (actor.clone(), (key.to_owned(), responsible.trim().to_owned()));
        self.db
            .write(move |tx| {
                let user = people::find(tx, &actor, &keys.0)?;
                require_account(tx, &actor, Action::Update, &user)?;
                if user.kind != UserKind::Service {
                    return Err(Error::conflict("a person answers for themselves"));
                }
                let responsible = named(tx, &actor, &keys.1)?;
                let row = service_accounts::find(tx, user.id)?;
                answer(tx, &actor, (&user, row.as_ref()), &responsible)?;
                let user = users::find(tx, user.id)?.ok_or(Error::NotFound("user"))?;
                Ok(ServiceAccount { user, responsible: Some(responsible) })
            })
            .await
    }
}

fn found(tx: &ReadTx<'_>, id: Option<UserId>) -> Result<Option<User>> {
    Ok(id.map(|id| users::find(tx, id)).transpose()?.flatten())
}

/// Who is named to answer; the actor when nobody is.
fn named(tx: &ReadTx<'_>, actor: &Actor, key: &str) -> Result<User> {
    let why = "name a person who may sign in and answers for the account";
    let wrong = |_| Error::invalid("responsible", why);
    let key = if key.is_empty() { "me" } else { key };
    let found = people::find(tx, actor, key).map_err(wrong)?;
    if may_answer(&found) { Ok(found) } else { Err(wrong(Error::NotFound("user"))) }
}

fn answer(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (user, before): (&User, Option<&ServiceRow>),
    responsible: &User,
) -> Result<()> {
    let old = found(tx, before.and_then(|row| row.responsible))?;
    let old = old.map(|user| user.username.to_string()).unwrap_or_default();
    let diff = Diff::new().field("responsible", old.as_str(), responsible.username.as_str());
    record(tx, actor, &entry(AuditAction::Write, user, &diff))?;
    let is_stopped = before.is_some_and(|row| row.is_stopped);
    let new = ServiceRow { user: user.id, responsible: Some(responsible.id), is_stopped: false };
    service_accounts::put(tx, &new)?;
    if is_stopped && user.status == UserStatus::Suspended {
        set_status(tx, actor, user, true)?;
    }
    Ok(())
}

/// Refuses to let a service account act for which nobody answers.
///
/// # Errors
/// [`Error::Conflict`] for such an account.
pub(super) fn require_answered(tx: &ReadTx<'_>, user: &User) -> Result<()> {
    if user.kind != UserKind::Service {
        return Ok(());
    }
    let row = service_accounts::find(tx, user.id)?;
    let responsible = found(tx, row.and_then(|row| row.responsible))?;
    if responsible.as_ref().is_some_and(may_answer) {
        return Ok(());
    }
    Err(Error::conflict("nobody who may sign in answers for this account; name someone first"))
}

/// Someone may act no more: the accounts they answer for are suspended, with all that these have
/// open.
///
/// # Errors
/// When the database fails.
pub(super) fn left(tx: &WriteTx<'_>, user: &User) -> Result<()> {
    for row in service_accounts::list_of(tx, user.id)? {
        let Some(account) = users::find(tx, row.user)? else { continue };
        if account.status.may_act() {
            set_status(tx, &Actor::System, &account, false)?;
            service_accounts::put(tx, &ServiceRow { is_stopped: true, ..row })?;
        }
    }
    Ok(())
}

/// Someone may act again: so may the accounts that were suspended because of them.
///
/// # Errors
/// When the database fails.
pub(super) fn back(tx: &WriteTx<'_>, user: &User) -> Result<()> {
    for row in service_accounts::list_of(tx, user.id)? {
        let Some(account) = users::find(tx, row.user)?.filter(|_| row.is_stopped) else {
            continue;
        };
        service_accounts::put(tx, &ServiceRow { is_stopped: false, ..row })?;
        if account.status == UserStatus::Suspended {
            set_status(tx, &Actor::System, &account, true)?;
        }
    }
    Ok(())
}
