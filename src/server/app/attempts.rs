//! Attempts to sign in: each counts as failed before it is checked, and waits when many have failed.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Error, Request, Result};
use crate::model::lockout::{Counted, network};
use crate::model::secret::TokenHash;
use crate::model::user::User;
use crate::server::db::{ReadTx, WriteTx, lockouts, passwords, users};

/// How someone comes.
#[derive(Clone, Debug)]
pub struct Came {
    /// From where.
    pub ip: IpAddr,
    /// In which request.
    pub request: Option<Arc<Request>>,
}

/// An attempt that was counted.
pub(super) struct Attempt {
    /// Whom it is about, if there is such a user.
    pub user: Option<User>,
    /// The hash of their password.
    pub hash: Option<String>,
    account: String,
    network: String,
}

/// Counts an attempt to sign in as `login` as failed, or says how long to wait.
pub(super) fn begin_for(
    tx: &WriteTx<'_>,
    login: &str,
    ip: IpAddr,
) -> Result<std::result::Result<Attempt, Duration>> {
    let user = find_by_login(tx, login)?;
    begin(tx, (user, login), ip)
}

/// Counts an attempt on a user, or on what nobody is called, as failed, or says how long to wait.
pub(super) fn begin(
    tx: &WriteTx<'_>,
    (user, login): (Option<User>, &str),
    ip: IpAddr,
) -> Result<std::result::Result<Attempt, Duration>> {
    let account = account_subject(user.as_ref(), login);
    let network = format!("net:{}", network(ip));
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
    Ok(Ok(Attempt { user, hash, account, network }))
}

/// Takes back what was counted, and what was counted on the account before.
pub(super) fn forgive(tx: &WriteTx<'_>, attempt: &Attempt) -> Result<()> {
    lockouts::delete(tx, &attempt.account)?;
    one_fewer(tx, &attempt.network)
}

/// Takes back what was counted, and no more: who knows the password has not shown the second factor,
/// and must not guess at that for ever by signing in again.
pub(super) fn take_back(tx: &WriteTx<'_>, attempt: &Attempt) -> Result<()> {
    one_fewer(tx, &attempt.account)?;
    one_fewer(tx, &attempt.network)
}

fn one_fewer(tx: &WriteTx<'_>, subject: &str) -> Result<()> {
    if let Some(failures) = lockouts::find(tx, subject)? {
        lockouts::put(tx, subject, failures.one_fewer(tx.now))?;
    }
    Ok(())
}

/// Forgets what failed on a user's account.
pub(super) fn forget(tx: &WriteTx<'_>, user: &User) -> Result<()> {
    Ok(lockouts::delete(tx, &account_subject(Some(user), ""))?)
}

/// Where an attempt comes from.
pub(super) fn ip_of(text: &str) -> IpAddr {
    text.parse().unwrap_or(IpAddr::from([0, 0, 0, 0]))
}

/// That an attempt has to wait.
pub(super) fn locked(wait: Duration) -> Error {
    let words = crate::model::time::words(wait);
    Error::Conflict(format!("too many failed attempts; try again in {words}"))
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
fn account_subject(user: Option<&User>, login: &str) -> String {
    match user {
        Some(user) => format!("user:{}", user.id),
        None => format!("user:?{}", hex::encode(TokenHash::of(&login.to_lowercase()).0)),
    }
}
