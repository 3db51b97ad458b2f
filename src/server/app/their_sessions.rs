//! Where people are signed in, for who administers their accounts and may end it.

use super::access::record;
use super::people::{self, require_account};
use super::{Actor, App, Error, Result, tokens as token_cases};
use crate::model::audit::AuditAction;
use crate::model::event::Event;
use crate::model::policy::Action;
use crate::model::user::{TokenEntry, TokenKind, User};
use crate::server::db::tokens;

/// Sessions in a list at most.
const MAX_LIST: i64 = 200;

impl App {
    /// Where someone is signed in, newest first. Who may suspend them may know it: that ends them all.
    ///
    /// # Errors
    /// [`Error::NotFound`] for whom the actor may not see, [`Error::Denied`] for an account that they
    /// may not change.
    pub async fn sessions_of(&self, actor: &Actor, key: &str) -> Result<Vec<TokenEntry>> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .read(move |tx| {
                let user = people::find(tx, &actor, &key)?;
                require_account(tx, &actor, Action::Update, &user)?;
                Ok(tokens::list_sessions(tx, user.id, MAX_LIST)?)
            })
            .await
    }

    /// Ends one of someone's sessions, with all that it has open.
    ///
    /// # Errors
    /// As [`App::sessions_of`], and [`Error::NotFound`] when they have no such session.
    pub async fn end_their_session(&self, actor: &Actor, key: &str, session: &str) -> Result<User> {
        actor.require_own()?;
        let (actor, keys) = (actor.clone(), (key.to_owned(), session.to_owned()));
        self.db
            .write(move |tx| {
                let user = people::find(tx, &actor, &keys.0)?;
                require_account(tx, &actor, Action::Update, &user)?;
                let theirs = |t: &TokenEntry| t.kind == TokenKind::Session && t.user.id == user.id;
                let found = tokens::find(tx, &keys.1)?.filter(theirs);
                let found = found.ok_or(Error::NotFound("session"))?;
                tokens::delete(tx, found.id)?;
                record(tx, &actor, &token_cases::entry(AuditAction::Delete, &found))?;
                tx.emit(Event::User(user.id));
                tx.emit(Event::Grants);
                Ok(user)
            })
            .await
    }
}
