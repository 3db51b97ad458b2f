//! Sessions: how they begin and end.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::access::{record, subject};
use super::attempts::Came;
use super::second_factor::Asked;
use super::users::entry;
use super::{Actor, App, Caller, Error, Request, Result, Via};
use crate::model::audit::{AuditAction, Diff};
use crate::model::browser;
use crate::model::editor::Editor;
use crate::model::event::Event;
use crate::model::factor::{FRESH, FactorKind, Mfa};
use crate::model::id::{IdentityGrantId, UserId};
use crate::model::identity::Refusal;
use crate::model::policy::Scope;
use crate::model::secret::Token;
use crate::model::time::Timestamp;
use crate::model::user::{TokenKind, TokenLimits, User, UserStatus};
use crate::server::db::tokens::NewToken;
use crate::server::db::{WriteTx, token_uses, tokens, users};

/// How soon an editor must come with the token that it was handed.
pub const FIRST_USE_WITHIN: Duration = Duration::from_mins(5);

/// Someone wants to sign in.
#[derive(Clone)]
pub struct Login {
    /// The e-mail address or the name.
    pub login: String,
    /// The password.
    pub password: String,
    /// A code of a second factor, where it is sent along.
    pub code: Option<String>,
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
    /// The password is right, and a second factor is asked for.
    Asks(Box<Asked>),
    /// The second factor came too late after the password, or that was changed meanwhile.
    Late,
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

impl Login {
    /// How they come.
    #[must_use]
    pub fn came(&self) -> Came {
        Came { ip: self.ip, request: self.request.clone() }
    }
}

/// What a session begins with.
pub(super) struct Beginning {
    /// Its secret.
    pub token: Token,
    /// How long it lasts without use.
    pub lifetime: Duration,
    /// How its user comes.
    pub came: Came,
}

impl App {
    /// Notes why someone did not come in, for the audit log.
    pub(super) fn note_refused(&self, user: &User, came: &Came, sign_in: &SignIn) {
        match sign_in {
            SignIn::Suspended => self.refuse_sign_in(user, came, "the account is suspended"),
            SignIn::Refused(why) => self.refuse_sign_in(user, came, &why.to_string()),
            SignIn::Asks(asked) => {
                if let Some(why) = &asked.wrong {
                    self.refuse_sign_in(user, came, why);
                }
            }
            SignIn::Done(..)
            | SignIn::Wrong
            | SignIn::Late
            | SignIn::Locked(_)
            | SignIn::PasswordsOff
            | SignIn::NoDirectory => {}
        }
    }

    /// What a session of someone who comes now begins with.
    pub(super) fn beginning(&self, came: &Came) -> Beginning {
        let (token, lifetime) = (self.new_token(), self.policy.session_duration);
        Beginning { token, lifetime, came: came.clone() }
    }

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
                actor.require_fresh(tx.now)?;
                let mut new = session(tx, caller.user.id, &token, lifetime, &caller.ip);
                // It is the same sign-in: it holds no longer than that.
                new.identity_grant = caller.identity_grant;
                new.mfa_at = caller.mfa.at;
                tokens::insert(tx, &new)?;
                record(tx, &actor, &entry(AuditAction::Login, &caller.user, &Diff::new()))?;
                tx.emit(Event::User(caller.user.id));
                Ok(token)
            })
            .await
    }

    /// A session of the caller's for an editor that their browser opens. It ends in
    /// [`FIRST_USE_WITHIN`] unless it is used: whoever finds the link later gets nothing by it.
    ///
    /// # Errors
    /// When the actor is no user.
    pub async fn session_for(&self, actor: &Actor, editor: Editor) -> Result<Token> {
        actor.require_own()?;
        let (token, lifetime) = (self.new_token(), self.policy.session_duration);
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                super::tokens::require_unlimited(tx, &actor)?;
                let caller = actor.caller()?;
                actor.require_fresh(tx.now)?;
                // Who finds the link is not who gave a factor just now.
                let stale = Timestamp(tx.now.0 - FRESH.as_secs().cast_signed() - 1);
                let new = NewToken {
                    name: editor.label().to_owned(),
                    identity_grant: caller.identity_grant,
                    mfa_at: caller.mfa.at.map(|at| at.min(stale)),
                    ..session(tx, caller.user.id, &token, lifetime, &caller.ip)
                };
                tokens::insert(tx, &new)?;
                token_uses::end_unless_used(tx, new.id, tx.now.plus(FIRST_USE_WITHIN))?;
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
                let session = session(tx, owner.id, &token, lifetime, "");
                tokens::insert(tx, &NewToken { mfa_at: Some(tx.now), ..session })?;
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

    /// A token from the machine's randomness.
    pub(super) fn new_token(&self) -> Token {
        Token::from_random(&self.entropy.bytes())
    }
}

impl Beginning {
    /// Begins the session of someone who has proven who they are, by `factor` too if they have one.
    pub(super) fn enter(
        self,
        tx: &WriteTx<'_>,
        user: User,
        factor: Option<FactorKind>,
    ) -> Result<SignIn> {
        let (lifetime, Came { ip, request }) = (self.lifetime, self.came);
        let factor = factor.map(|kind| (kind, tx.now));
        let arrival = Entrance { lifetime, ip, identity_grant: None, request, factor };
        enter(tx, user, self.token, arrival)
    }
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
    /// The second factor they gave, and when.
    pub factor: Option<(FactorKind, Timestamp)>,
}

/// Someone has proven who they are: their session begins, if they may sign in.
pub(super) fn enter(
    tx: &WriteTx<'_>,
    mut user: User,
    token: Token,
    arrival: Entrance,
) -> Result<SignIn> {
    match user.status {
        UserStatus::Active | UserStatus::Dormant => user.status = UserStatus::Active,
        UserStatus::Suspended => return Ok(SignIn::Suspended),
        UserStatus::Deleted => return Ok(SignIn::Wrong),
    }
    let (ip, mfa_at) = (arrival.ip.to_string(), arrival.factor.map(|(_, at)| at));
    let session = session(tx, user.id, &token, arrival.lifetime, &ip);
    let name = arrival.request.as_ref().map_or_else(String::new, |r| browser::name(&r.user_agent));
    let new = NewToken { identity_grant: arrival.identity_grant, mfa_at, name, ..session };
    tokens::insert(tx, &new)?;
    users::saw(tx, user.id, tx.now)?;
    user.last_seen_at = Some(tx.now);
    let (via, subject) = (Via::Token(new.id, new.kind), subject(tx, &user, Scope::ALL)?);
    let (identity_grant, request) = (arrival.identity_grant, arrival.request);
    let mfa = Mfa { at: mfa_at, has_factor: mfa_at.is_some(), by_directory: false };
    let caller = Caller { user: user.clone(), via, identity_grant, ip, subject, mfa, request };
    let actor = Actor::User(Arc::new(caller));
    let given = arrival.factor.map_or("", |(kind, _)| kind.as_str());
    let diff = Diff::new().field("second_factor", "", given);
    record(tx, &actor, &entry(AuditAction::Login, &user, &diff))?;
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
        mfa_at: None,
    }
}
