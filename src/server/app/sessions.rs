//! Signing in by password, signing out, and changing passwords.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::access::{record, subject};
use super::attempts::{account_subject, forgive, locked};
use super::users::entry;
use super::{Actor, App, Caller, Error, Request, Result, Via, people};
use crate::model::audit::{AuditAction, Diff};
use crate::model::event::Event;
use crate::model::id::{IdentityGrantId, UserId};
use crate::model::identity::Refusal;
use crate::model::password;
use crate::model::policy::{Action, Scope};
use crate::model::secret::Token;
use crate::model::user::{LoginType, TokenKind, TokenLimits, User, UserKind, UserStatus};
use crate::server::db::tokens::NewToken;
use crate::server::db::{WriteTx, lockouts, passwords, tokens, users};

/// Someone wants to sign in.
#[derive(Clone)]
pub struct Login {
    /// The e-mail address or the name.
    pub login: String,
    /// The password.
    pub password: String,
    /// From where.
    pub ip: IpAddr,
    /// In which request.
    pub request: Option<Arc<Request>>,
}

/// What came of it.
#[derive(Debug)]
pub enum SignIn {
    /// Signed in, with the token of the new session.
    Done(Token, Box<User>),
    /// No such user or another password: the same to whoever asks.
    Wrong,
    /// Too many failures; so long until the next attempt counts.
    Locked(Duration),
    /// The password is right and the account suspended.
    Suspended,
    /// The operator has turned passwords off for all but owners.
    PasswordsOff,
    /// The provider signed them in, and they may not come in here.
    Refused(Refusal),
    /// The directory that would know the password does not answer.
    NoDirectory,
}

impl App {
    /// A new session of the caller's, for another program of theirs.
    ///
    /// # Errors
    /// When the actor is no user.
    pub async fn create_session(&self, actor: &Actor) -> Result<Token> {
        actor.require_own()?;
        let (token, lifetime) = (self.new_token(), self.policy.session_duration);
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                super::tokens::require_unlimited(tx, &actor)?;
                let caller = actor.caller()?;
                let mut new = session(tx, caller.user.id, &token, lifetime, &caller.ip);
                // It is the same sign-in: it holds no longer than that.
                new.identity_grant = caller.identity_grant;
                tokens::insert(tx, &new)?;
                record(tx, &actor, &entry(AuditAction::Login, &caller.user, &Diff::new()))?;
                tx.emit(Event::User(caller.user.id));
                Ok(token)
            })
            .await
    }

    /// A session of the oldest owner. For `up`: who runs it has the database in their hands.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no owner.
    pub async fn owner_session(&self) -> Result<Token> {
        let (token, lifetime) = (self.new_token(), self.policy.session_duration);
        self.db
            .write(move |tx| {
                let owner = users::oldest_owner(tx)?.ok_or(Error::NotFound("owner"))?;
                tokens::insert(tx, &session(tx, owner.id, &token, lifetime, ""))?;
                record(tx, &Actor::System, &entry(AuditAction::Login, &owner, &Diff::new()))?;
                tx.emit(Event::User(owner.id));
                Ok(token)
            })
            .await
    }

    /// Ends the token the actor came with.
    ///
    /// # Errors
    /// When the actor is no user.
    pub async fn logout(&self, actor: &Actor) -> Result<()> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let caller = actor.caller()?;
                if let Via::Token(id, _) = caller.via {
                    tokens::delete(tx, id)?;
                }
                record(tx, &actor, &entry(AuditAction::Logout, &caller.user, &Diff::new()))?;
                tx.emit(Event::User(caller.user.id));
                tx.emit(Event::Grants);
                Ok(())
            })
            .await
    }

    /// Sets a password. One's own needs the old one; every other session of the user ends.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a wrong old or a bad new password, [`Error::Denied`] for who may not.
    pub async fn change_password(
        &self,
        actor: &Actor,
        key: &str,
        old: Option<&str>,
        new: &str,
    ) -> Result<()> {
        actor.require_own()?;
        let user = self.user(actor, key).await?;
        let (who, theirs) = (actor.clone(), user.clone());
        self.db
            .read(move |tx| people::require_account(tx, &who, Action::UpdatePersonal, &theirs))
            .await?;
        if user.login_type != LoginType::Password && user.kind == UserKind::Service {
            return Err(Error::conflict("a service account has no password"));
        }
        check_new(new, &user)?;
        let own = match actor {
            Actor::User(caller) if caller.user.id == user.id => Some(caller),
            Actor::User(_) | Actor::Agent { .. } | Actor::System => None,
        };
        if let Some(caller) = own {
            self.check_old(caller, old.unwrap_or_default()).await?;
        }
        self.set_password(actor, user, new).await
    }

    /// Sets a password on the server's own machine: for who has lost it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown name, [`Error::Invalid`] for a bad password.
    pub async fn reset_password(&self, username: &str, new: &str) -> Result<()> {
        let user = self.user(&Actor::System, username).await?;
        if user.kind == UserKind::Service {
            return Err(Error::conflict("a service account has no password"));
        }
        check_new(new, &user)?;
        self.set_password(&Actor::System, user, new).await
    }

    async fn set_password(&self, actor: &Actor, user: User, new: &str) -> Result<()> {
        let hash = self.passwords.hash(new).await?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                passwords::put(tx, user.id, &hash)?;
                if user.login_type != LoginType::Password {
                    users::update(tx, &User { login_type: LoginType::Password, ..user.clone() })?;
                }
                let keep = match &actor {
                    Actor::User(caller) if caller.user.id == user.id => caller.token(),
                    Actor::User(_) | Actor::Agent { .. } | Actor::System => None,
                };
                tokens::delete_sessions(tx, user.id, keep)?;
                lockouts::delete(tx, &account_subject(Some(&user), ""))?;
                let diff = Diff::new().secret("hashed_password");
                record(tx, &actor, &entry(AuditAction::Write, &user, &diff))?;
                tx.emit(Event::User(user.id));
                tx.emit(Event::Grants);
                Ok(())
            })
            .await
    }

    /// Whoever found a session open must not guess the password through it.
    async fn check_old(&self, caller: &Caller, old: &str) -> Result<()> {
        let login = Login {
            login: caller.user.username.to_string(),
            password: old.to_owned(),
            ip: caller.ip.parse().unwrap_or(IpAddr::from([0, 0, 0, 0])),
            request: caller.request.clone(),
        };
        let attempt = self.begin_login(login).await?.map_err(locked)?;
        if !self.passwords.matches(old, attempt.hash.clone()).await? {
            return Err(Error::invalid("old_password", "is not your password"));
        }
        self.db.write(move |tx| forgive(tx, &attempt)).await
    }

    /// A token from the machine's randomness.
    pub(super) fn new_token(&self) -> Token {
        Token::from_random(&self.entropy.bytes())
    }
}

fn check_new(new: &str, user: &User) -> Result<()> {
    password::check(new, user.username.as_str(), &user.email)
        .map_err(|e| Error::invalid("password", e))
}

/// How someone comes who has proven who they are.
pub(super) struct Entrance {
    /// How long their session lasts without use.
    pub lifetime: Duration,
    /// From where.
    pub ip: IpAddr,
    /// What a provider granted, when it ends with that.
    pub identity_grant: Option<IdentityGrantId>,
    /// The request they came with.
    pub request: Option<Arc<Request>>,
}

/// Someone has proven who they are: their session begins, if they may sign in.
pub(super) fn enter(
    tx: &WriteTx<'_>,
    mut user: User,
    token: Token,
    arrival: Entrance,
) -> Result<SignIn> {
    match user.status {
        UserStatus::Active => {}
        UserStatus::Dormant => {
            user.status = UserStatus::Active;
            users::update(tx, &user)?;
        }
        UserStatus::Suspended => return Ok(SignIn::Suspended),
        UserStatus::Deleted => return Ok(SignIn::Wrong),
    }
    let ip = arrival.ip.to_string();
    let session = session(tx, user.id, &token, arrival.lifetime, &ip);
    let new = NewToken { identity_grant: arrival.identity_grant, ..session };
    tokens::insert(tx, &new)?;
    users::saw(tx, user.id, tx.now)?;
    user.last_seen_at = Some(tx.now);
    let (via, subject) = (Via::Token(new.id, new.kind), subject(tx, &user, Scope::ALL)?);
    let (identity_grant, request) = (arrival.identity_grant, arrival.request);
    let caller = Caller { user: user.clone(), via, identity_grant, ip, request, subject };
    let actor = Actor::User(Arc::new(caller));
    record(tx, &actor, &entry(AuditAction::Login, &user, &Diff::new()))?;
    tx.emit(Event::User(user.id));
    Ok(SignIn::Done(token, Box::new(user)))
}

fn session(
    tx: &WriteTx<'_>,
    user: UserId,
    token: &Token,
    lifetime: Duration,
    ip: &str,
) -> NewToken {
    NewToken {
        id: tx.fresh(),
        public_id: token.public_id().to_owned(),
        hash: token.hash(),
        user,
        kind: TokenKind::Session,
        name: String::new(),
        workspace: None,
        lifetime,
        ip: ip.to_owned(),
        limits: TokenLimits::NONE,
        parent: None,
        identity_grant: None,
    }
}
