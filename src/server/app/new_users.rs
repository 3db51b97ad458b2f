//! What a new user is checked for: who they are, how they will sign in, where they will belong.

use super::password_strength::NewPassword;
use super::provider_rules::login_type_of;
use super::users::{CreateUser, default_organization, parse_full_name, parse_username};
use super::{Actor, App, Error, Result};
use crate::model::id::OrganizationId;
use crate::model::identity::LinkByEmail;
use crate::model::password::is_email;
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::user::{LoginType, User, UserKind, UserStatus};
use crate::server::db::{ReadTx, organizations};

/// Organizations that someone is put into at once, at most.
const MAX_ORGANIZATIONS: usize = 100;

impl App {
    /// Checks what a user is to be made from.
    pub(super) async fn prepare_user(&self, cmd: CreateUser) -> Result<(User, Option<String>)> {
        let username = parse_username(&cmd.username)?;
        let name = parse_full_name(&cmd.name)?;
        let email = cmd.email.trim().to_owned();
        let login_type = self.login_type(&cmd, &email)?;
        if cmd.status == UserStatus::Deleted {
            return Err(Error::invalid("user_status", "may be active, dormant or suspended"));
        }
        let hash = match &cmd.password {
            Some(text) => {
                let whose =
                    NewPassword { password: text, username: username.as_str(), email: &email };
                self.require_strong(whose, &name).await?;
                Some(self.passwords.hash(text).await?)
            }
            None => None,
        };
        let now = self.clock.now();
        let user = User {
            id: self.entropy.uuid7(self.clock.now_ms()).into(),
            username,
            name,
            email,
            kind: cmd.kind,
            status: cmd.status,
            login_type,
            roles: Vec::new(),
            organizations: unique(cmd.organizations)?,
            organization_roles: Vec::new(),
            created_at: now,
            updated_at: now,
            last_seen_at: None,
        };
        Ok((user, hash))
    }

    /// How a new user signs in, when that goes with the rest of what is said of them.
    fn login_type(&self, cmd: &CreateUser, email: &str) -> Result<LoginType> {
        let has_password = cmd.password.is_some();
        if cmd.kind == UserKind::Service {
            if !email.is_empty() || has_password {
                let why = "a service account has neither address nor password";
                return Err(Error::invalid("service_account", why));
            }
            return match cmd.login_type {
                None | Some(LoginType::None) => Ok(LoginType::None),
                Some(_) => Err(Error::invalid("login_type", "is none for a service account")),
            };
        }
        if !is_email(email) {
            return Err(Error::invalid("email", "must be an e-mail address"));
        }
        let unsaid = if has_password { LoginType::Password } else { LoginType::None };
        let login_type = cmd.login_type.unwrap_or(unsaid);
        match (login_type, has_password) {
            (LoginType::Password, false) => {
                Err(Error::invalid("password", "is needed by who signs in by one"))
            }
            (LoginType::Password, true) | (LoginType::None, false) => Ok(login_type),
            (LoginType::None | LoginType::Oidc | LoginType::Github | LoginType::Ldap, true) => {
                let why = format!("is for who signs in by one; the login type is {login_type}");
                Err(Error::invalid("password", why))
            }
            (LoginType::Oidc | LoginType::Github | LoginType::Ldap, false) => {
                self.require_provider(login_type)?;
                Ok(login_type)
            }
        }
    }

    /// Asks whether some provider could ever sign in who is known here by the address alone.
    fn require_provider(&self, by: LoginType) -> Result<()> {
        let all = self.rules();
        let mut such = all.iter().filter(|(name, _)| login_type_of(name) == by).peekable();
        if such.peek().is_none() {
            let why = format!("{by} is not set up here; set it up first");
            return Err(Error::invalid("login_type", why));
        }
        if such.any(|(_, rules)| rules.link_by_email != LinkByEmail::None) {
            return Ok(());
        }
        let why = format!(
            "nobody could sign in so: by {by} no account is linked by its address (link_by_email)"
        );
        Err(Error::invalid("login_type", why))
    }
}

fn unique(mut all: Vec<OrganizationId>) -> Result<Vec<OrganizationId>> {
    all.sort_unstable();
    all.dedup();
    if all.len() > MAX_ORGANIZATIONS {
        let why = format!("are more than {MAX_ORGANIZATIONS}");
        return Err(Error::invalid("organization_ids", why));
    }
    Ok(all)
}

/// Asks whether the actor may put someone new into these organizations; into that of the start
/// everyone who makes people may.
///
/// # Errors
/// [`Error::Invalid`] for one that the actor may not see, [`Error::Denied`] for one whose members
/// they do not keep.
pub(super) fn require_places(
    tx: &ReadTx<'_>,
    actor: &Actor,
    places: &[OrganizationId],
) -> Result<()> {
    if places.is_empty() {
        return Ok(());
    }
    let start = default_organization(tx)?;
    for id in places.iter().filter(|id| **id != start) {
        let organization = Object::site(ResourceType::Organization).id(*id).within(*id);
        let is_seen = actor.may(tx.now, Action::Read, &organization);
        if !is_seen || organizations::find(tx, *id)?.is_none() {
            let why = format!("there is no organization {id}");
            return Err(Error::invalid("organization_ids", why));
        }
        let members = Object::site(ResourceType::OrganizationMember).within(*id);
        actor.require(tx.now, Action::Create, &members)?;
    }
    Ok(())
}
