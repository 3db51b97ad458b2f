//! Invitations: who is let in by a link, with what, and for how long.

use std::net::IpAddr;
use std::time::Duration;

use super::access::{record, subject};
use super::users::{CreateUser, default_organization, insert};
use super::{Actor, App, Error, Result, groups as group_cases, template_rights, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::id::{GroupId, InvitationId};
use crate::model::invitation::Invitation;
use crate::model::password::is_email;
use crate::model::policy::{self, Action, Context, Object, ResourceType, Scope};
use crate::model::secret::Token;
use crate::model::time;
use crate::model::user::{Group, SiteRole, User, UserRef};
use crate::server::db::{self, ReadTx, WriteTx, groups, invitations};

/// How long an invitation lasts when nothing is said.
pub const DEFAULT_LIFETIME: Duration = Duration::from_hours(7 * 24);
/// How long it lasts at most.
pub const MAX_LIFETIME: Duration = Duration::from_hours(30 * 24);
/// Open invitations at most.
const MAX_OPEN: usize = 500;
/// Groups of one invitation at most.
const MAX_GROUPS: usize = 50;
/// Groups that a form shows at most; others are typed.
const MAX_OFFERED: usize = 60;

/// What an invitation is made from.
#[derive(Clone, Debug, Default)]
pub struct Invite {
    /// The address that the account will have. Whoever invites vouches for it: a provider links by it.
    pub email: String,
    /// Roles on the site that come with it.
    pub roles: Vec<SiteRole>,
    /// Groups that come with it, by id or by name in the default organization.
    pub groups: Vec<String>,
    /// How long it lasts; none for the default.
    pub lifetime: Option<Duration>,
}

/// Someone who comes by a link.
#[derive(Clone)]
pub struct Guest {
    /// What stands in the link.
    pub token: String,
    /// From where.
    pub ip: IpAddr,
    /// The name they choose.
    pub username: String,
    /// The full name; may be empty.
    pub name: String,
    /// The password they choose.
    pub password: String,
}

impl App {
    /// Makes an invitation; what its link holds is given this once.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, or gives more than they may; [`Error::Conflict`] when nobody
    /// may sign in by password; [`Error::Invalid`] for what does not fit.
    pub async fn invite(&self, actor: &Actor, cmd: Invite) -> Result<(Token, Invitation)> {
        actor.require_own()?;
        let now = self.clock.now();
        actor.require(now, Action::Create, &Object::site(ResourceType::User))?;
        if !cmd.roles.is_empty() {
            actor.require(now, Action::Assign, &Object::site(ResourceType::AssignRole))?;
        }
        // A link is a lasting way in.
        actor.require_fresh(now)?;
        self.require_passwords()?;
        let lifetime = lifetime(cmd.lifetime)?;
        let email = cmd.email.trim().to_owned();
        if !is_email(&email) {
            return Err(Error::invalid("email", "must be an e-mail address"));
        }
        let (token, actor) = (self.new_token(), actor.clone());
        self.db
            .write(move |tx| {
                super::tokens::require_unlimited(tx, &actor)?;
                if invitations::count(tx)? >= MAX_OPEN {
                    return Err(Error::conflict("too many invitations are open; revoke some"));
                }
                require_free(tx, &email)?;
                let new = Invitation {
                    id: tx.fresh(),
                    email,
                    roles: unique(&cmd.roles),
                    groups: chosen(tx, &actor, &cmd.groups)?,
                    made_by: UserRef::of(&actor.caller()?.user),
                    created_at: tx.now,
                    expires_at: tx.now.plus(lifetime),
                };
                invitations::insert(tx, &new, (token.public_id(), token.hash()))?;
                written(tx, &actor, AuditAction::Create, (&new, new.made_by.username.as_str()))?;
                Ok((token, new))
            })
            .await
    }

    /// The groups that the actor may let someone into by an invitation, by name, and whether there are
    /// more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn groups_to_give(&self, actor: &Actor) -> Result<(Vec<String>, bool)> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let all = groups::list(tx, default_organization(tx)?)?.into_iter();
                let may =
                    |group: &Group| actor.may(tx.now, Action::Update, &group_cases::object(group));
                let mut names: Vec<String> =
                    all.filter(may).map(|g| g.name).take(MAX_OFFERED + 1).collect();
                let is_more = names.len() > MAX_OFFERED;
                names.truncate(MAX_OFFERED);
                Ok((names, is_more))
            })
            .await
    }

    /// Open invitations, what ends first coming first.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not invite.
    pub async fn invitations(&self, actor: &Actor) -> Result<Vec<Invitation>> {
        let site = Object::site(ResourceType::User);
        actor.require(self.clock.now(), Action::Create, &site)?;
        Ok(self.db.read(|tx| invitations::list(tx, MAX_OPEN)).await?)
    }

    /// Ends an invitation.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, [`Error::Denied`] for who may not invite.
    pub async fn revoke_invitation(&self, actor: &Actor, id: InvitationId) -> Result<()> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                actor.require(tx.now, Action::Create, &Object::site(ResourceType::User))?;
                let found = invitations::find(tx, id)?.ok_or(Error::NotFound("invitation"))?;
                invitations::delete(tx, id)?;
                let by = found.made_by.username.to_string();
                written(tx, &actor, AuditAction::Delete, (&found, &by))
            })
            .await
    }

    /// The invitation of a link that still holds. Wrong links are counted for their network.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, [`Error::Conflict`] after too many wrong ones, and when
    /// nobody may sign in by password: the link stays as it is.
    pub async fn invitation(&self, token: &str, ip: IpAddr) -> Result<Invitation> {
        self.require_passwords()?;
        self.require_no_wait(ip).await?;
        let found = match Token::parse(token) {
            None => Err(Error::NotFound("invitation")),
            Some(token) => self.db.read(move |tx| open(tx, &token)).await,
        };
        if matches!(found, Err(Error::NotFound(_))) {
            self.count_guess(ip).await?;
        }
        found
    }

    /// Makes the account of someone who comes by a link, which then leads nowhere.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a link that does not hold, [`Error::Conflict`] for a name or an address
    /// that is taken, [`Error::Invalid`] for what does not fit.
    pub async fn accept_invitation(&self, guest: Guest) -> Result<User> {
        // Before the password is hashed: that is work, which nobody else may ask for.
        let invitation = self.invitation(&guest.token, guest.ip).await?;
        let cmd = CreateUser {
            username: guest.username,
            email: invitation.email,
            name: guest.name,
            password: Some(guest.password),
            ..CreateUser::default()
        };
        let (user, hash) = self.prepare_user(cmd).await?;
        let token = Token::parse(&guest.token).ok_or(Error::NotFound("invitation"))?;
        self.db
            .write(move |tx| {
                let invitation = open(tx, &token)?;
                let user = User { roles: invitation.roles.clone(), ..user };
                let user = insert(tx, &Actor::System, user, hash, AuditAction::Register)?;
                for (group, _) in &invitation.groups {
                    groups::add(tx, *group, user.id)?;
                    let Some(group) = groups::find(tx, *group)? else { continue };
                    let diff = Diff::new().field("members", &[][..], &[user.username.as_str()]);
                    group_cases::done(tx, &Actor::System, AuditAction::Write, &group, &diff)?;
                }
                invitations::delete(tx, invitation.id)?;
                let came = user.username.as_str();
                written(tx, &Actor::System, AuditAction::Write, (&invitation, came))?;
                Ok(user)
            })
            .await
    }
}

impl App {
    /// Asks whether people sign in by password, as whoever comes by a link would.
    fn require_passwords(&self) -> Result<()> {
        if self.policy.password_auth {
            return Ok(());
        }
        Err(Error::conflict("nobody may sign in here by password; sign in by the provider"))
    }
}

fn lifetime(asked: Option<Duration>) -> Result<Duration> {
    let lifetime = asked.unwrap_or(DEFAULT_LIFETIME);
    if lifetime > MAX_LIFETIME {
        let max = time::words(MAX_LIFETIME);
        return Err(Error::invalid("lifetime", format!("may be at most {max}")));
    }
    if lifetime < Duration::from_secs(60) {
        return Err(Error::invalid("lifetime", "must be at least a minute"));
    }
    Ok(lifetime)
}

fn unique(list: &[SiteRole]) -> Vec<SiteRole> {
    let mut all = list.to_vec();
    all.sort_unstable();
    all.dedup();
    all
}

fn require_free(tx: &ReadTx<'_>, email: &str) -> Result<()> {
    match db::users::find_by_email(tx, email)? {
        Some(_) => Err(Error::Conflict(format!("there is a user with the address {email}"))),
        None => Ok(()),
    }
}

/// The groups that are meant, of which the actor may change each.
fn chosen(tx: &ReadTx<'_>, actor: &Actor, keys: &[String]) -> Result<Vec<(GroupId, String)>> {
    if keys.len() > MAX_GROUPS {
        return Err(Error::invalid("groups", format!("are more than {MAX_GROUPS}")));
    }
    let organization = default_organization(tx)?;
    let mut all: Vec<(GroupId, String)> = Vec::new();
    for key in keys {
        let found = match key.parse() {
            Ok(id) => groups::find(tx, id)?,
            Err(_) => groups::find_by_name(tx, organization, key)?,
        };
        let missing = || Error::invalid("groups", format!("there is no group {key:?}"));
        let group = found.filter(|g| g.organization_id == organization).ok_or_else(missing)?;
        actor.require(tx.now, Action::Update, &group_cases::object(&group))?;
        template_rights::require_lets_in(tx, actor, (group.id, organization))?;
        if !all.iter().any(|(id, _)| *id == group.id) {
            all.push((group.id, group.name));
        }
    }
    Ok(all)
}

/// The invitation of a link, as long as who made it may still give all that it gives.
fn open(tx: &ReadTx<'_>, token: &Token) -> Result<Invitation> {
    let missing = || Error::NotFound("invitation");
    let (hash, invitation) = invitations::present(tx, token.public_id())?.ok_or_else(missing)?;
    if !hash.matches(token) {
        return Err(missing());
    }
    let host = db::users::find(tx, invitation.made_by.id)?;
    let host = host.filter(|user| user.status.may_act()).ok_or_else(missing)?;
    let subject = subject(tx, &host, Scope::ALL)?;
    let context = Context { now: tx.now, ip: None, mfa_at: None, conditions: &[] };
    let may = |action, object| policy::decide(&subject, action, &object, &context).is_ok();
    let mut gives = may(Action::Create, Object::site(ResourceType::User));
    if !invitation.roles.is_empty() {
        gives &= may(Action::Assign, Object::site(ResourceType::AssignRole));
    }
    for (id, _) in &invitation.groups {
        let group = groups::find(tx, *id)?;
        gives &= group.is_some_and(|group| may(Action::Update, group_cases::object(&group)));
    }
    if gives { Ok(invitation) } else { Err(missing()) }
}

fn written(
    tx: &WriteTx<'_>,
    actor: &Actor,
    action: AuditAction,
    (invitation, who): (&Invitation, &str),
) -> Result<()> {
    let names: Vec<&String> = invitation.groups.iter().map(|(_, name)| name).collect();
    let diff = Diff::new()
        .field("made_by", "", invitation.made_by.username.as_str())
        .field("email", "", &invitation.email)
        .field("rbac_roles", &[][..], &invitation.roles)
        .field("groups", &[][..], &names);
    let entry = trail::entry(action, AuditTarget::Invitation, invitation.id.0, who);
    record(tx, actor, &trail::with(entry, &diff))
}
