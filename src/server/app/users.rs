//! Use cases on users: the first one, creating, changing, suspending, deleting.

use super::accounts::require_other_owner;
pub(super) use super::accounts::{
    bury, changed, default_organization, entry, insert, require_dispensable, set_status,
};
use super::new_users::require_places;
use super::people::{self, require_account, taken};
use super::provider_rules::AllRules;
use super::{Actor, App, Error, Result, role_sync};
use crate::model::audit::AuditAction;
use crate::model::event::Event;
use crate::model::id::OrganizationId;
use crate::model::name::UserName;
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::text;
use crate::model::user::{LoginType, SiteRole, User, UserKind, UserStatus};
pub use crate::server::db::user_search::{Crowd, Sight, UserFilter};
use crate::server::db::{self, ReadTx, WriteTx, roles, user_search, users};

/// What a new user is made from.
#[derive(Clone, Debug)]
pub struct CreateUser {
    /// The name.
    pub username: String,
    /// The e-mail address; empty for service accounts.
    pub email: String,
    /// The full name; may be empty.
    pub name: String,
    /// The password; none for who does not sign in by one.
    pub password: Option<String>,
    /// Person or service account.
    pub kind: UserKind,
    /// How they sign in; when it is not said, by the password if there is one.
    pub login_type: Option<LoginType>,
    /// Whether they may sign in.
    pub status: UserStatus,
    /// Where they belong; nowhere for the organization of the start.
    pub organizations: Vec<OrganizationId>,
}

impl Default for CreateUser {
    fn default() -> Self {
        Self {
            username: String::new(),
            email: String::new(),
            name: String::new(),
            password: None,
            kind: UserKind::Person,
            login_type: None,
            status: UserStatus::Dormant,
            organizations: Vec::new(),
        }
    }
}

/// Users per page at most.
pub const MAX_LIST: i64 = 1000;
const MAX_NAME: usize = 128;

impl App {
    /// Whether the deployment has its first user.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_users(&self) -> Result<bool> {
        Ok(self.db.read(users::any).await?)
    }

    /// Makes the first user, who becomes owner. Of several at once one wins.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is one; [`Error::Invalid`] for what does not fit.
    pub async fn create_first_user(&self, cmd: CreateUser) -> Result<User> {
        if self.has_users().await? {
            return Err(exists());
        }
        let (mut user, hash) = self.prepare_user(cmd).await?;
        self.db
            .write(move |tx| {
                if users::any(tx)? {
                    return Err(exists());
                }
                user.roles = vec![SiteRole::Owner];
                insert(tx, &Actor::System, user, hash, AuditAction::Register)
            })
            .await
    }

    /// Makes a user; for a service account the actor answers.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] for a name or address that is taken,
    /// [`Error::Invalid`] for what does not fit.
    pub async fn create_user(&self, actor: &Actor, cmd: CreateUser) -> Result<User> {
        if cmd.kind == UserKind::Service {
            return self.create_service_account(actor, cmd, "").await;
        }
        actor.require_own()?;
        actor.require(self.clock.now(), Action::Create, &Object::site(ResourceType::User))?;
        let (user, hash) = self.prepare_user(cmd).await?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                require_places(tx, &actor, &user.organizations)?;
                insert(tx, &actor, user, hash, AuditAction::Create)
            })
            .await
    }

    /// Makes an owner on the server's own machine: for when no other can sign in.
    ///
    /// # Errors
    /// [`Error::Conflict`] for a name or address that is taken, [`Error::Invalid`] for what does not
    /// fit.
    pub async fn create_owner(&self, cmd: CreateUser) -> Result<User> {
        self.ensure_start().await?;
        let (user, hash) = self.prepare_user(cmd).await?;
        let user = User { roles: vec![SiteRole::Owner], ..user };
        self.db.write(move |tx| insert(tx, &Actor::System, user, hash, AuditAction::Create)).await
    }

    /// A user by `me`, id or name.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the actor may not see them.
    pub async fn user(&self, actor: &Actor, key: &str) -> Result<User> {
        if let ("me", Actor::User(caller)) = (key, actor) {
            // Read when the caller was let in, a moment ago.
            return Ok(caller.user.clone());
        }
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db.read(move |tx| people::find(tx, &actor, &key)).await
    }

    /// Users that the actor may see, and how many there are in all. Members see themselves.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users(&self, actor: &Actor, filter: UserFilter) -> Result<(Vec<User>, i64)> {
        if !actor.may(self.clock.now(), Action::Read, &Object::site(ResourceType::User)) {
            let own = actor.caller()?.user.clone();
            return Ok((vec![own], 1));
        }
        self.db.read(move |tx| page(tx, filter)).await
    }

    /// Changes the name and the full name.
    ///
    /// # Errors
    /// As [`App::create_user`].
    pub async fn update_profile(
        &self,
        actor: &Actor,
        key: &str,
        username: &str,
        name: &str,
    ) -> Result<User> {
        let username = parse_username(username)?;
        let name = parse_full_name(name)?;
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .write(move |tx| {
                let old = people::find(tx, &actor, &key)?;
                require_account(tx, &actor, Action::UpdatePersonal, &old)?;
                let new = User { username, name, ..old.clone() };
                users::update(tx, &new).map_err(|e| taken(e, &new))?;
                changed(tx, &actor, &old, &new)
            })
            .await
    }

    /// Suspends or activates a user. Suspending ends their sessions.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] for oneself and the last owner.
    pub async fn set_user_status(&self, actor: &Actor, key: &str, active: bool) -> Result<User> {
        actor.require_own()?;
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .write(move |tx| {
                let old = people::find(tx, &actor, &key)?;
                require_account(tx, &actor, Action::Update, &old)?;
                let new = set_status(tx, &actor, &old, active)?;
                // From now on it is as someone here says, and nobody else lifts it.
                db::scim_users::forget_stop(tx, old.id)?;
                db::service_accounts::forget_stop(tx, old.id)?;
                Ok(new)
            })
            .await
    }

    /// Gives a user exactly these site roles. Only owners may; one owner stays.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] for the last owner and for whom a
    /// provider keeps them.
    pub async fn set_user_roles(
        &self,
        actor: &Actor,
        key: &str,
        new_roles: Vec<SiteRole>,
    ) -> Result<User> {
        actor.require_own()?;
        let (actor, key, rules) = (actor.clone(), key.to_owned(), self.rules());
        self.db.write(move |tx| set_roles_in(tx, &actor, &rules, (&key, new_roles))).await
    }

    /// Deletes a user. A tombstone keeps the name for history and frees it for another.
    ///
    /// # Errors
    /// [`Error::Conflict`] while the user has workspaces, for oneself and the last owner.
    pub async fn delete_user(&self, actor: &Actor, key: &str) -> Result<()> {
        actor.require_own()?;
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .write(move |tx| {
                let user = people::find(tx, &actor, &key)?;
                require_account(tx, &actor, Action::Delete, &user)?;
                require_dispensable(tx, &actor, &user, "delete")?;
                actor.require_fresh(tx.now)?;
                let n = users::count_workspaces(tx, user.id)?;
                if n > 0 {
                    let why = format!("{} has {n} workspaces; delete them first", user.username);
                    return Err(Error::Conflict(why));
                }
                bury(tx, &actor, &user)
            })
            .await
    }
}

/// Gives a user exactly these site roles, in a transaction.
///
/// # Errors
/// As [`App::set_user_roles`].
pub(super) fn set_roles_in(
    tx: &WriteTx<'_>,
    actor: &Actor,
    rules: &AllRules,
    (key, mut new_roles): (&str, Vec<SiteRole>),
) -> Result<User> {
    actor.require(tx.now, Action::Assign, &Object::site(ResourceType::AssignRole))?;
    actor.require_fresh(tx.now)?;
    new_roles.sort_unstable();
    new_roles.dedup();
    let old = people::find(tx, actor, key)?;
    if actor.user_id() == Some(old.id) {
        return Err(Error::conflict("your own roles are changed by someone else"));
    }
    if let Some(provider) = role_sync::keeper(tx, rules, old.id)? {
        let name = &old.username;
        let why = format!("the roles of {name} are kept by {provider}; change them there");
        return Err(Error::Conflict(why));
    }
    let stays = new_roles.contains(&SiteRole::Owner);
    if old.kind == UserKind::Service && stays {
        return Err(Error::invalid("roles", "a service account cannot be an owner"));
    }
    if old.has(SiteRole::Owner) && !stays {
        require_other_owner(tx, &old)?;
    }
    roles::replace(tx, old.id, &new_roles)?;
    let new = User { roles: new_roles, ..old.clone() };
    users::update(tx, &new)?;
    tx.emit(Event::Grants);
    changed(tx, actor, &old, &new)
}

/// A part of a list of users, and how many there are in all.
///
/// # Errors
/// When the database fails.
pub(super) fn page(tx: &ReadTx<'_>, mut filter: UserFilter) -> Result<(Vec<User>, i64)> {
    filter.limit = filter.limit.clamp(1, MAX_LIST);
    let list = user_search::list(tx, &filter)?;
    let n = match super::page::total(list.len(), filter.limit, filter.offset) {
        Some(n) => n,
        None => user_search::count(tx, &filter)?,
    };
    Ok((list, n))
}

pub(super) fn parse_username(text: &str) -> Result<UserName> {
    UserName::parse(text.trim()).map_err(|e| Error::invalid("username", e))
}

pub(super) fn parse_full_name(text: &str) -> Result<String> {
    let text = text.trim();
    text::check_line(text, MAX_NAME).map_err(|e| Error::invalid("name", e))?;
    Ok(text.to_owned())
}

fn exists() -> Error {
    Error::conflict("the first user has been created; sign in")
}
