//! Second factors as they are given: in the second step of signing in, and again before what is
//! dangerous.

use super::access::record;
use super::attempts::{self, Came};
use super::checks::{Checks, Verdict};
use super::passkeys::{Answer, Purpose, Question};
use super::refusals::Denied;
use super::sessions::SignIn;
use super::users::entry;
use super::{Actor, App, Caller, Error, Result, factors, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::factor::{Ask, FactorKind};
use crate::model::id::{TokenId, UserId};
use crate::model::secret::Token;
use crate::model::user::{LoginType, SiteRole, User};
use crate::model::webauthn::Rp;
use crate::server::db::{WriteTx, passkeys, tokens};

/// What someone gives as a second factor.
#[derive(Clone)]
pub enum Proof {
    /// A code, of an app or of the recovery list.
    Code(String),
    /// What a browser sent of a passkey.
    Passkey(String),
}

/// What someone is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    /// What leads the second step back to the first; empty in a session.
    pub ticket: String,
    /// There is an app that shows codes.
    pub totp: bool,
    /// What the browser is to ask of a passkey, JSON; none where there is none.
    pub passkey: Option<String>,
    /// What was wrong with what was given.
    pub wrong: Option<String>,
}

/// The second step of a sign-in.
#[derive(Clone)]
pub struct SecondStep {
    /// What the first step gave.
    pub ticket: String,
    /// What is given.
    pub proof: Proof,
    /// How they come.
    pub came: Came,
}

impl App {
    /// The second step of signing in: a code or a passkey, after the password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_sign_in(&self, step: SecondStep) -> Result<SignIn> {
        let (checks, begin, came) = (self.checks(), self.beginning(&step.came), step.came.clone());
        let (user, done) = self
            .db
            .write(move |tx| {
                let Some((user, hash)) = checks.opened(tx, &step.ticket)? else {
                    return Ok((None, SignIn::Late));
                };
                let attempt = match attempts::begin(tx, (Some(user.clone()), ""), step.came.ip)? {
                    Ok(attempt) => attempt,
                    Err(wait) => return Ok((Some(user), SignIn::Locked(wait))),
                };
                let question = Question::new(Purpose::Second, Some(user.id), None, tx.now);
                let verdict = checks.proof(tx, &step.proof, &question)?;
                let done = match verdict {
                    Verdict::Right(kind) => {
                        attempts::forgive(tx, &attempt)?;
                        begin.enter(tx, user.clone(), Some(kind))?
                    }
                    Verdict::Wrong(why) => {
                        let factors = factors::of(tx, user.id)?;
                        let asked = checks.ask(tx, &user, &factors, &hash)?;
                        // Not a second longer: the ticket stays what it was.
                        let asked = Asked { ticket: step.ticket, wrong: Some(why), ..asked };
                        SignIn::Asks(Box::new(asked))
                    }
                };
                Ok::<_, Error>((Some(user), done))
            })
            .await?;
        if let Some(user) = user {
            self.note_refused(&user, &came, &done);
        }
        Ok(done)
    }

    /// What a browser is to ask of a passkey that signs someone in by itself; none where nobody has
    /// one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passkey_sign_in(&self) -> Result<Option<String>> {
        let checks = self.checks();
        let Some(rp) = checks.rp.clone() else { return Ok(None) };
        if !self.db.read(passkeys::any).await? {
            return Ok(None);
        }
        let question = Question::new(Purpose::SignIn, None, None, self.clock.now());
        Ok(Some(checks.request(&rp, &question, &[])))
    }

    /// Signs in by a passkey alone: it knows who used it, which is a second factor in itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_in_by_passkey(&self, answer: String, came: Came) -> Result<SignIn> {
        let (checks, begin, ip) = (self.checks(), self.beginning(&came), came.ip);
        let passwords_on = self.policy.password_auth;
        let (user, done) = self
            .db
            .write(move |tx| {
                let question = Question::new(Purpose::SignIn, None, None, tx.now);
                let answer = Answer::read(&answer, &question);
                let user = answer.user(tx)?;
                let attempt = match attempts::begin(tx, (user.clone(), &answer.credential()), ip)? {
                    Ok(attempt) => attempt,
                    Err(wait) => return Ok((user, SignIn::Locked(wait))),
                };
                let passed = answer.check(&checks, tx)?;
                let done = match (passed, user.clone()) {
                    (Ok(_), Some(user)) if !signs_in_here(&user, passwords_on) => {
                        attempts::take_back(tx, &attempt)?;
                        SignIn::Asks(Box::new(Asked::wrong(goes_elsewhere(&user).to_owned())))
                    }
                    (Ok(_), Some(user)) => {
                        attempts::forgive(tx, &attempt)?;
                        begin.enter(tx, user, Some(FactorKind::Passkey))?
                    }
                    (Ok(_), None) => SignIn::Wrong,
                    (Err(why), _) => SignIn::Asks(Box::new(Asked::wrong(why))),
                };
                Ok::<_, Error>((user, done))
            })
            .await?;
        if let Some(user) = user {
            self.note_refused(&user, &came, &done);
        }
        Ok(done)
    }

    /// What is asked of someone in a session before what is dangerous.
    ///
    /// # Errors
    /// [`Error::Denied`] for what is no session.
    pub async fn asked(&self, actor: &Actor) -> Result<Asked> {
        let (user, session) = session_of(actor)?;
        let checks = self.checks();
        self.db
            .read(move |tx| {
                let factors = factors::of(tx, user)?;
                let question = Question::new(Purpose::Confirm, Some(user), Some(session), tx.now);
                checks.asked(tx, (user, &factors), &question)
            })
            .await
    }

    /// Notes that a second factor was given in a session, which gets another secret.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a wrong one, [`Error::Conflict`] after too many of them,
    /// [`Error::Denied`] for what is no session.
    pub async fn confirm(&self, actor: &Actor, proof: Proof) -> Result<Token> {
        let (user, session) = session_of(actor)?;
        let (checks, token, who) = (self.checks(), self.new_token(), actor.clone());
        let passed = self
            .db
            .write(move |tx| {
                if !factors::of(tx, user)?.any() {
                    return Err(Error::Unconfirmed(Ask::SetUp));
                }
                let caller = who.caller()?;
                let counted = (Some(caller.user.clone()), "");
                let begun = attempts::begin(tx, counted, attempts::ip_of(&caller.ip))?;
                let attempt = begun.map_err(attempts::locked)?;
                let question = Question::new(Purpose::Confirm, Some(user), Some(session), tx.now);
                match checks.proof(tx, &proof, &question)? {
                    Verdict::Right(kind) => {
                        attempts::forgive(tx, &attempt)?;
                        let diff = Diff::new().field("second_factor", "", kind.as_str());
                        record(tx, &who, &entry(AuditAction::Login, &caller.user, &diff))?;
                        Ok(Ok(renew(tx, session, token)?))
                    }
                    Verdict::Wrong(why) => Ok(Err(why)),
                }
            })
            .await?;
        passed.map_err(|why| self.refuse_factor(actor, why))
    }

    /// Notes that a second factor was wrong, and says so.
    pub(super) fn refuse_factor(&self, actor: &Actor, why: String) -> Error {
        if let Ok(Caller { user, .. }) = actor.caller() {
            let name = user.username.as_str();
            let entry = trail::entry(AuditAction::Login, AuditTarget::User, user.id.0, name);
            self.refuse(actor, Denied { entry, status: 403, reason: why.clone() });
        }
        Error::invalid("code", why)
    }

    /// Asks whether someone must give a second factor, or set one up, before anything else: who holds
    /// a role that needs one, and whose password a directory checked, where nothing asked for theirs.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`] if so.
    pub fn require_factor(&self, actor: &Actor) -> Result<()> {
        let Actor::User(caller) = actor else { return Ok(()) };
        let by_directory = caller.mfa.by_directory && caller.mfa.has_factor;
        let is_asked = by_directory || self.mfa_roles().ask(&caller.user);
        if caller.mfa.at.is_some() || !caller.is_session() || !is_asked {
            return Ok(());
        }
        let ask = if caller.mfa.has_factor { Ask::Factor } else { Ask::SetUp };
        Err(Error::Unconfirmed(ask))
    }

    /// What second factors are checked with.
    pub(super) fn checks(&self) -> Checks {
        Checks { seal: self.seal.clone(), rp: Rp::of(&self.policy.access_url) }
    }
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked(…)")
    }
}

impl Asked {
    /// What was wrong, and nothing more is asked.
    pub(super) fn wrong(why: String) -> Self {
        Self { ticket: String::new(), totp: false, passkey: None, wrong: Some(why) }
    }
}

/// Who comes by a session, and which.
pub(super) fn session_of(actor: &Actor) -> Result<(UserId, TokenId)> {
    let caller = actor.caller()?;
    match caller.token().filter(|_| caller.is_session()) {
        Some(session) => Ok((caller.user.id, session)),
        None => Err(Error::denied("this is for who is signed in; a token has no second factor")),
    }
}

/// Gives a session another secret, now that a second factor was given in it.
pub(super) fn renew(tx: &WriteTx<'_>, session: TokenId, token: Token) -> Result<Token> {
    match tokens::renew(tx, session, (token.public_id(), token.hash()))? {
        0 => Err(Error::NotFound("session")),
        _ => Ok(token),
    }
}

/// What someone does whose passkey is right, and signs nobody in by itself.
fn goes_elsewhere(user: &User) -> &'static str {
    match user.login_type {
        LoginType::Ldap => {
            "Sign in with your directory's password; the passkey is asked for after that."
        }
        LoginType::Oidc | LoginType::Github => {
            "Sign in at your provider; a passkey is for what is asked after that."
        }
        LoginType::Password | LoginType::None => {
            "Passwords and passkeys are turned off here; sign in by the provider."
        }
    }
}

/// Whether someone signs in here at all: whom a provider signs in goes there, so that they are out
/// when it puts them out.
fn signs_in_here(user: &User, passwords_on: bool) -> bool {
    user.login_type == LoginType::Password && (passwords_on || user.has(SiteRole::Owner))
}
