//! Signing in by password: one that is kept here, or that a directory knows.

use std::time::Duration;

use super::attempts::{self, Attempt};
use super::checks::{Checks, Verdict};
use super::second_factor::Asked;
use super::sessions::{Beginning, Login, SignIn};
use super::{App, Result, factors};
use crate::model::user::{LoginType, SiteRole, UserKind, UserStatus};
use crate::server::db::{WriteTx, passwords, users};

/// A try to sign in, counted as failed until it turns out well: so many at once gain nothing.
pub struct Try {
    login: Login,
    pub(super) attempt: Attempt,
}

impl Try {
    /// Whether a directory says if the password is right: it keeps that of whom it signed up, and may
    /// know who is not known here, or has no password here.
    #[must_use]
    pub fn is_for_directory(&self) -> bool {
        let Some(user) = &self.attempt.user else { return true };
        let has_none = user.kind == UserKind::Person && self.attempt.hash.is_none();
        user.login_type == LoginType::Ldap || has_none
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
    ///
    /// [`Error::Unavailable`]: super::Error::Unavailable
    pub async fn login(&self, login: Login) -> Result<SignIn> {
        match self.begin_login(login).await? {
            Ok(begun) => self.check_password(begun).await,
            Err(wait) => Ok(SignIn::Locked(wait)),
        }
    }

    /// Counts a try to sign in as failed, or says how long to wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_login(&self, login: Login) -> Result<std::result::Result<Try, Duration>> {
        let (name, ip) = (login.login.trim().to_owned(), login.ip);
        let begun = self.db.write(move |tx| attempts::begin_for(tx, &name, ip)).await?;
        Ok(begun.map(|attempt| Try { login, attempt }))
    }

    /// Checks a password against the one that is kept here.
    ///
    /// # Errors
    /// As [`App::login`].
    pub async fn check_password(&self, begun: Try) -> Result<SignIn> {
        let hash = begun.attempt.hash.clone();
        let right = self.passwords.matches(&begun.login.password, hash).await?;
        let Some(user) = begun.attempt.user.clone().filter(|_| right) else {
            self.attempt_failed(&begun, "the password was wrong");
            return Ok(SignIn::Wrong);
        };
        let Try { login, attempt } = begun;
        let came = login.came();
        if !self.policy.password_auth && !user.has(SiteRole::Owner) {
            self.refuse_sign_in(&user, &came, "signing in by password is turned off");
            return Ok(SignIn::PasswordsOff);
        }
        let (begin, check, code) = (self.beginning(&came), self.checks(), login.code);
        let done =
            self.db.write(move |tx| finish_attempt(tx, &attempt, (code, &check), begin)).await?;
        self.note_refused(&user, &came, &done);
        Ok(done)
    }

    /// Says in the log, and of users in the audit log, that a try came to nothing.
    pub fn attempt_failed(&self, begun: &Try, why: &str) {
        let login = &begun.login;
        let shown: String = login.login.chars().take(64).collect();
        tracing::warn!(login = ?shown, ip = %login.ip, why, "a sign-in failed");
        if let Some(user) = &begun.attempt.user {
            self.refuse_sign_in(user, &login.came(), why);
        }
    }

    /// Takes back what a try counted that nobody could check.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attempt_unanswered(&self, begun: Try) -> Result<()> {
        self.db.write(move |tx| attempts::take_back(tx, &begun.attempt)).await
    }
}

/// The password was right: the session begins, or a second factor is asked for.
fn finish_attempt(
    tx: &WriteTx<'_>,
    attempt: &Attempt,
    (code, check): (Option<String>, &Checks),
    begin: Beginning,
) -> Result<SignIn> {
    let found = attempt.user.as_ref().map(|u| users::find(tx, u.id)).transpose()?.flatten();
    let Some(user) = found else { return Ok(SignIn::Wrong) };
    let Some(hash) = passwords::find(tx, user.id)?.filter(|now| Some(now) == attempt.hash.as_ref())
    else {
        return Ok(SignIn::Wrong);
    };
    let factors = factors::of(tx, user.id)?;
    if user.status == UserStatus::Suspended || !factors.any() {
        attempts::forgive(tx, attempt)?;
        return begin.enter(tx, user, None);
    }
    let Some(code) = code else {
        attempts::take_back(tx, attempt)?;
        return Ok(SignIn::Asks(Box::new(check.ask(tx, &user, &factors, &hash)?)));
    };
    match check.code(tx, user.id, &code)? {
        Verdict::Right(kind) => {
            attempts::forgive(tx, attempt)?;
            begin.enter(tx, user, Some(kind))
        }
        Verdict::Wrong(why) => {
            let asked = check.ask(tx, &user, &factors, &hash)?;
            Ok(SignIn::Asks(Box::new(Asked { wrong: Some(why), ..asked })))
        }
    }
}
