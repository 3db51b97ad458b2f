//! Tries to sign in: each counts as failed before it is checked, so that many at once gain nothing.

use std::time::Duration;

use super::sessions::{Entrance, Login, SignIn, enter};
use super::{App, Error, Result};
use crate::model::lockout::{Counted, network};
use crate::model::secret::{Token, TokenHash};
use crate::model::time;
use crate::model::user::{LoginType, SiteRole, User};
use crate::server::db::{ReadTx, WriteTx, lockouts, passwords, users};

/// A try to sign in, counted as failed until it turns out well.
pub struct Attempt {
    pub(super) login: Login,
    pub(super) user: Option<User>,
    pub(super) hash: Option<String>,
    account: String,
    network: String,
}

impl Attempt {
    /// Whether a directory says if the password is right: it keeps that of whom it signed up, and may
    /// know who is not known here.
    #[must_use]
    pub fn is_for_directory(&self) -> bool {
        self.user.as_ref().is_none_or(|user| user.login_type == LoginType::Ldap)
    }

    /// What was typed.
    #[must_use]
    pub fn login(&self) -> &Login {
        &self.login
    }
}

impl App {
    /// Signs in by a password that is kept here.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many people are signing in.
    pub async fn login(&self, login: Login) -> Result<SignIn> {
        match self.begin_login(login).await? {
            Ok(attempt) => self.check_password(attempt).await,
            Err(wait) => Ok(SignIn::Locked(wait)),
        }
    }

    /// Counts a try to sign in as failed, or says how long to wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_login(
        &self,
        login: Login,
    ) -> Result<std::result::Result<Attempt, Duration>> {
        self.db.write(move |tx| begin(tx, login)).await
    }

    /// Checks an attempt's password against the one that is kept here.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many people are signing in.
    pub async fn check_password(&self, attempt: Attempt) -> Result<SignIn> {
        let right = self.passwords.matches(&attempt.login.password, attempt.hash.clone()).await?;
        let Some(user) = attempt.user.clone().filter(|_| right) else {
            self.attempt_failed(&attempt, "the password was wrong");
            return Ok(SignIn::Wrong);
        };
        let login = attempt.login.clone();
        if !self.policy.password_auth && !user.has(SiteRole::Owner) {
            self.refuse_sign_in(&user, &login, "signing in by password is turned off");
            return Ok(SignIn::PasswordsOff);
        }
        let (token, lifetime) = (self.new_token(), self.policy.session_duration);
        let done = self.db.write(move |tx| finish(tx, &attempt, token, lifetime)).await?;
        if matches!(done, SignIn::Suspended) {
            self.refuse_sign_in(&user, &login, "the account is suspended");
        }
        Ok(done)
    }

    /// Says in the log, and of users in the audit log, that an attempt came to nothing.
    pub fn attempt_failed(&self, attempt: &Attempt, why: &str) {
        let login = &attempt.login;
        let shown: String = login.login.chars().take(64).collect();
        tracing::warn!(login = ?shown, ip = %login.ip, why, "a sign-in failed");
        if let Some(user) = &attempt.user {
            self.refuse_sign_in(user, login, why);
        }
    }

    /// Takes back what an attempt counted that nobody could check.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attempt_unanswered(&self, attempt: Attempt) -> Result<()> {
        self.db
            .write(move |tx| {
                for subject in [&attempt.account, &attempt.network] {
                    if let Some(failures) = lockouts::find(tx, subject)? {
                        lockouts::put(tx, subject, failures.one_fewer(tx.now))?;
                    }
                }
                Ok(())
            })
            .await
    }
}

/// Counts the attempt as failed, or says how long to wait.
///
/// # Errors
/// When the database fails.
pub(super) fn begin(
    tx: &WriteTx<'_>,
    login: Login,
) -> Result<std::result::Result<Attempt, Duration>> {
    let name = login.login.trim();
    let user = find_by_login(tx, name)?;
    let account = account_subject(user.as_ref(), name);
    let network = format!("net:{}", network(login.ip));
    let counted = [(&account, Counted::Account), (&network, Counted::Network)];
    for (subject, _) in counted {
        let failures = lockouts::find(tx, subject)?.unwrap_or_default();
        if let Some(wait) = failures.wait(tx.now) {
            return Ok(Err(wait));
        }
    }
    for (subject, whose) in counted {
        let failures = lockouts::find(tx, subject)?.unwrap_or_default();
        lockouts::put(tx, subject, failures.one_more(whose, tx.now))?;
    }
    let hash = match &user {
        Some(user) => passwords::find(tx, user.id)?,
        None => None,
    };
    Ok(Ok(Attempt { login, user, hash, account, network }))
}

/// The password was right: the session begins.
fn finish(tx: &WriteTx<'_>, attempt: &Attempt, token: Token, lifetime: Duration) -> Result<SignIn> {
    let found = attempt.user.as_ref().map(|u| users::find(tx, u.id)).transpose()?.flatten();
    let Some(user) = found else { return Ok(SignIn::Wrong) };
    if passwords::find(tx, user.id)? != attempt.hash {
        return Ok(SignIn::Wrong);
    }
    forgive(tx, attempt)?;
    let (ip, request) = (attempt.login.ip, attempt.login.request.clone());
    enter(tx, user, token, Entrance { lifetime, ip, identity_grant: None, request })
}

/// Takes back what [`begin`] counted, and what was counted on the account before.
///
/// # Errors
/// When the database fails.
pub(super) fn forgive(tx: &WriteTx<'_>, attempt: &Attempt) -> Result<()> {
    lockouts::delete(tx, &attempt.account)?;
    if let Some(failures) = lockouts::find(tx, &attempt.network)? {
        lockouts::put(tx, &attempt.network, failures.one_fewer(tx.now))?;
    }
    Ok(())
}

/// The error for who has to wait.
pub(super) fn locked(wait: Duration) -> Error {
    Error::Conflict(format!("too many failed attempts; try again in {}", time::words(wait)))
}

fn find_by_login(tx: &ReadTx<'_>, login: &str) -> Result<Option<User>> {
    let found = if login.contains('@') {
        users::find_by_email(tx, login)?
    } else {
        users::find_by_name(tx, login)?
    };
    Ok(found)
}

/// What failures are counted under. Names there are not are hashed: they may be of any length.
pub(super) fn account_subject(user: Option<&User>, login: &str) -> String {
    match user {
        Some(user) => format!("user:{}", user.id),
        None => format!("user:?{}", hex::encode(TokenHash::of(&login.to_lowercase()).0)),
    }
}
