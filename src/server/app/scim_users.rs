//! Users as an identity provider keeps them by SCIM: only those that it made, or whose sign-ins it vouches for.

use super::access::record;
use super::people::taken;
use super::scim::{MAX_LOOKED_AT, Part};
use super::users::{self, bury, changed, require_dispensable, set_status};
use super::{Actor, App, Error, Keeper, Result};
use crate::model::audit::{AuditAction, Diff};
use crate::model::id::UserId;
use crate::model::identity::user_names_like;
use crate::model::scim::filter::Filter;
use crate::model::scim::patch::{self, Operation};
use crate::model::scim::schema::USER;
use crate::model::scim::user::UserWish;
use crate::model::scim::{Bad, BadKind, Map};
use crate::model::time::Timestamp;
use crate::model::user::{LoginType, User, UserKind, UserStatus};
use crate::server::db::scim_users::{self, ScimUserRow};
use crate::server::db::{self, ReadTx, WriteTx, identities};

/// A user as a provider sees it.
#[derive(Clone, Debug)]
pub struct ScimUser {
    /// Who it is here.
    pub id: UserId,
    /// Its attributes by the names of the schema.
    pub attributes: Map,
    /// Since when the provider keeps it.
    pub created_at: Timestamp,
    /// When the provider last changed it.
    pub updated_at: Timestamp,
}

/// How a resource is to change.
#[derive(Clone, Debug)]
pub enum Change {
    /// To this, as it was sent.
    Whole(Map),
    /// By these operations.
    Parts(Vec<Operation>),
}

impl App {
    /// Users that a filter finds, oldest first, and how many there are in all.
    ///
    /// # Errors
    /// [`Error::Denied`] for who is no provider, [`Error::Invalid`] when too many would be looked at.
    pub async fn scim_users(
        &self,
        actor: &Actor,
        filter: Filter,
        part: Part,
    ) -> Result<(Vec<ScimUser>, usize)> {
        actor.keeper()?;
        self.db
            .read(move |tx| {
                if filter.0.is_empty() {
                    let rows = scim_users::list(tx, part.limit, part.offset)?;
                    let seen: Result<Vec<ScimUser>> =
                        rows.iter().map(|row| seen(tx, row)).collect();
                    return Ok((seen?, scim_users::count(tx)?));
                }
                let mut found = Vec::new();
                for row in candidates(tx, &filter)? {
                    let user = seen(tx, &row)?;
                    if filter.fits(&USER, &with_id(user.id, &user.attributes)) {
                        found.push(user);
                    }
                }
                Ok(part.of(found))
            })
            .await
    }

    /// One user.
    ///
    /// # Errors
    /// [`Error::NotFound`] for whom the provider does not keep.
    pub async fn scim_user(&self, actor: &Actor, id: UserId) -> Result<ScimUser> {
        actor.keeper()?;
        self.db.read(move |tx| seen(tx, &find(tx, id)?.0)).await
    }

    /// Makes a user. An account whose sign-ins the provider vouches for is taken over instead.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what does not fit, or when another user has the name or the address.
    pub async fn create_scim_user(&self, actor: &Actor, sent: Map) -> Result<ScimUser> {
        let (wish, actor) = (UserWish::read(&sent)?, actor.clone());
        self.db
            .write(move |tx| {
                let keeper = actor.keeper()?;
                require_free(tx, &wish, None)?;
                let user = match db::users::find_by_email(tx, wish.email())? {
                    None => create(tx, &actor, &wish)?,
                    Some(user) if is_of(tx, keeper, &user)? => user,
                    Some(user) => {
                        let why = format!("someone here has the address {}", user.email);
                        return Err(Bad::new(BadKind::Uniqueness, why).into());
                    }
                };
                let row = ScimUserRow {
                    user: user.id,
                    provider: keeper.provider.clone(),
                    wish: UserWish { active: None, ..wish.clone() },
                    is_stopped: false,
                    created_at: tx.now,
                    updated_at: tx.now,
                };
                let diff = Diff::new().field("scim", "", wish.user_name.as_str());
                record(tx, &actor, &users::entry(AuditAction::Write, &user, &diff))?;
                write(tx, &actor, (row, user), wish)
            })
            .await
    }

    /// Changes a user. Who is no longer active is suspended at once.
    ///
    /// # Errors
    /// [`Error::NotFound`] for whom the provider does not keep, [`Error::Invalid`] for what does not
    /// fit, [`Error::Conflict`] for the last owner.
    pub async fn change_scim_user(
        &self,
        actor: &Actor,
        id: UserId,
        change: Change,
    ) -> Result<ScimUser> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                actor.keeper()?;
                let (row, user) = find(tx, id)?;
                let wish = match &change {
                    Change::Whole(sent) => UserWish::read(sent)?,
                    Change::Parts(operations) => {
                        let mut map = row.wish.to_map();
                        patch::apply(&USER, &mut map, operations)?;
                        UserWish::of(map)?
                    }
                };
                require_free(tx, &wish, Some(id))?;
                write(tx, &actor, (row, user), wish)
            })
            .await
    }

    /// Deletes a user. Who has workspaces is suspended instead.
    ///
    /// # Errors
    /// [`Error::NotFound`] for whom the provider does not keep, [`Error::Conflict`] for the last owner,
    /// and for who was suspended instead.
    pub async fn delete_scim_user(&self, actor: &Actor, id: UserId) -> Result<()> {
        let actor = actor.clone();
        let left = self
            .db
            .write(move |tx| -> Result<_> {
                actor.keeper()?;
                let (row, user) = find(tx, id)?;
                require_dispensable(tx, &actor, &user, "delete")?;
                let n = db::users::count_workspaces(tx, id)?;
                if n == 0 {
                    bury(tx, &actor, &user)?;
                    return Ok(None);
                }
                let name = user.username.to_string();
                let wish = UserWish { active: Some(false), ..row.wish.clone() };
                write(tx, &actor, (row, user), wish)?;
                Ok(Some((name, n)))
            })
            .await?;
        match left {
            None => Ok(()),
            Some((name, n)) => Err(Error::Conflict(format!(
                "{name} has {n} workspaces and was suspended instead of deleted; delete the \
                 workspaces first"
            ))),
        }
    }
}

/// A user whom the provider keeps.
pub(super) fn find(tx: &ReadTx<'_>, id: UserId) -> Result<(ScimUserRow, User)> {
    let row = scim_users::find(tx, id)?.ok_or(Error::NotFound("user"))?;
    let user = db::users::find(tx, id)?.filter(|user| user.status != UserStatus::Deleted);
    Ok((row, user.ok_or(Error::NotFound("user"))?))
}

/// What the provider sees. Whether someone is let in is said as it is, whoever has it so.
fn seen(tx: &ReadTx<'_>, row: &ScimUserRow) -> Result<ScimUser> {
    let mut attributes = row.wish.to_map();
    if row.wish.active.is_some() {
        let user = db::users::find(tx, row.user)?.ok_or(Error::NotFound("user"))?;
        attributes.insert("active".to_owned(), (user.status != UserStatus::Suspended).into());
    }
    let ScimUserRow { user: id, created_at, updated_at, .. } = *row;
    Ok(ScimUser { id, attributes, created_at, updated_at })
}

/// A filter may ask for the id.
pub(super) fn with_id(id: impl std::fmt::Display, attributes: &Map) -> Map {
    let mut all = attributes.clone();
    all.insert("id".to_owned(), id.to_string().into());
    all
}

/// Users among whom are all that a filter finds.
fn candidates(tx: &ReadTx<'_>, filter: &Filter) -> Result<Vec<ScimUserRow>> {
    if let Some(name) = filter.text("userName", None) {
        return Ok(scim_users::find_by_name(tx, name)?.into_iter().collect());
    }
    if let Some(id) = filter.text("id", None) {
        let Ok(id) = id.parse() else { return Ok(Vec::new()) };
        return Ok(scim_users::find(tx, id)?.into_iter().collect());
    }
    if let Some(id) = filter.text("externalId", None) {
        return Ok(scim_users::list_by_external_id(tx, id)?);
    }
    if let Some(email) = filter.text("emails", Some("value"))
        && let Some(row) = scim_users::find_by_email(tx, email)?
    {
        return Ok(vec![row]);
    }
    if scim_users::count(tx)? > MAX_LOOKED_AT {
        let why = "too many users; ask by userName, externalId or emails.value";
        return Err(Bad::new(BadKind::TooMany, why).into());
    }
    Ok(scim_users::list(tx, MAX_LOOKED_AT, 0)?)
}

/// Says whose the name or the address is, if it is another user's.
fn require_free(tx: &ReadTx<'_>, wish: &UserWish, own: Option<UserId>) -> Result<()> {
    let named = scim_users::find_by_name(tx, &wish.user_name)?;
    if named.is_some_and(|row| Some(row.user) != own) {
        let why = format!("there is a user with the userName {}", wish.user_name);
        return Err(Bad::new(BadKind::Uniqueness, why).into());
    }
    let Some(own) = own else { return Ok(()) };
    let addressed = db::users::find_by_email(tx, wish.email())?;
    if addressed.is_some_and(|user| user.id != own) {
        let why = format!("someone here has the address {}", wish.email());
        return Err(Bad::new(BadKind::Uniqueness, why).into());
    }
    Ok(())
}

/// Whether an account that a provider does not keep yet is someone's who signs in there.
fn is_of(tx: &ReadTx<'_>, keeper: &Keeper, user: &User) -> Result<bool> {
    let kept = scim_users::find(tx, user.id)?.is_some();
    let theirs = identities::list_of(tx, user.id)?;
    let signs_in = theirs.iter().any(|identity| identity.provider == keeper.provider);
    Ok(!kept && signs_in && user.kind == UserKind::Person)
}

fn create(tx: &WriteTx<'_>, actor: &Actor, wish: &UserWish) -> Result<User> {
    let mut free = None;
    for name in user_names_like(&wish.user_name) {
        if db::users::find_by_name(tx, name.as_str())?.is_none() {
            free = Some(name);
            break;
        }
    }
    let taken = || Bad::new(BadKind::Uniqueness, "no user name is free that is like this one");
    let is_by_provider = !actor.keeper()?.provider.is_empty();
    let user = User {
        id: tx.fresh(),
        username: free.ok_or_else(taken)?,
        name: wish.full_name(),
        email: wish.email().to_owned(),
        kind: UserKind::Person,
        status: UserStatus::Dormant,
        login_type: if is_by_provider { LoginType::Oidc } else { LoginType::None },
        roles: vec![],
        organizations: vec![],
        organization_roles: vec![],
        created_at: tx.now,
        updated_at: tx.now,
        last_seen_at: None,
    };
    users::insert(tx, actor, user, None, AuditAction::Create)
}

/// Makes an account what the provider wants it to be. A suspension of someone here is not lifted by a
/// provider that never ended it: only what it took away itself it gives back.
fn write(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (row, old): (ScimUserRow, User),
    wish: UserWish,
) -> Result<ScimUser> {
    let name = wish.full_name();
    let name = if name.is_empty() { old.name.clone() } else { name };
    let email = if wish.email().is_empty() { &old.email } else { wish.email() };
    let new = User { name, email: email.to_owned(), ..old.clone() };
    if (&new.name, &new.email) != (&old.name, &old.email) {
        db::users::update(tx, &new).map_err(|e| taken(e, &new))?;
        changed(tx, actor, &old, &new)?;
    }
    let mut is_stopped = row.is_stopped;
    if wish.active == Some(false) && new.status.may_act() {
        set_status(tx, actor, &new, false)?;
        is_stopped = true;
    }
    if wish.active == Some(true) && is_stopped {
        if new.status == UserStatus::Suspended {
            set_status(tx, actor, &new, true)?;
        }
        is_stopped = false;
    }
    let row = ScimUserRow { wish, is_stopped, updated_at: tx.now, ..row };
    scim_users::put(tx, &row)?;
    seen(tx, &row)
}
