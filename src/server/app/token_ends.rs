//! API tokens as they are listed, part by part, ending one so that it stays in the list, and which of
//! those that opened something still hold.

use std::collections::BTreeSet;

use super::access::record;
use super::tokens::{entry, find_token, require_tokens_of};
use super::{Actor, App, Page, Result, people};
use crate::model::audit::AuditAction;
use crate::model::event::Event;
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::session::Proof;
use crate::model::user::{TokenEntry, TokenKind};
use crate::server::db::{ssh_keys, tokens};

impl App {
    /// A part of a user's API tokens, or of everyone's, newest first; `ended` with those that have ended.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound) for whose tokens the actor may not see,
    /// [`Error::Denied`](super::Error::Denied) for everyone's and who is no owner.
    pub async fn api_tokens(
        &self,
        actor: &Actor,
        (key, ended): (Option<&str>, bool),
        part: Page,
    ) -> Result<Vec<TokenEntry>> {
        let (actor, key) = (actor.clone(), key.map(str::to_owned));
        self.db
            .read(move |tx| {
                let user = match key {
                    Some(key) => {
                        let user = people::find(tx, &actor, &key)?;
                        require_tokens_of(tx.now, &actor, Action::Read, user.id)?;
                        Some(user.id)
                    }
                    None => {
                        let all = Object::site(ResourceType::ApiKey);
                        actor.require(tx.now, Action::Read, &all)?;
                        None
                    }
                };
                Ok(tokens::list_api(tx, (user, ended), part.pair())?)
            })
            .await
    }

    /// Ends a token at once. An API token stays in the list of those that have ended; of a session
    /// nothing stays.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound) when there is none or the actor may not see it.
    pub async fn expire_token(&self, actor: &Actor, key: &str, token: &str) -> Result<()> {
        let (actor, key, token) = (actor.clone(), key.to_owned(), token.to_owned());
        self.db
            .write(move |tx| {
                let found = find_token(tx, &actor, Action::Update, (&key, &token))?;
                match found.kind {
                    TokenKind::Api => tokens::expire(tx, found.id)?,
                    TokenKind::Session | TokenKind::Workspace => tokens::delete(tx, found.id)?,
                };
                record(tx, &actor, &entry(AuditAction::Write, &found))?;
                tx.emit(Event::User(found.user.id));
                tx.emit(Event::Grants);
                Ok(())
            })
            .await
    }

    /// Which of these tokens and keys still hold. A browser's session that is not used ends for what is
    /// asked next; what it has open goes on until somebody ends it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn proofs_that_hold(&self, asked: BTreeSet<Proof>) -> Result<BTreeSet<Proof>> {
        self.db
            .read(move |tx| {
                let mut held = BTreeSet::new();
                for proof in asked {
                    let holds = match proof {
                        Proof::Token(id) => tokens::find_by_id(tx, id)?.is_some_and(|found| {
                            found.kind == TokenKind::Session || found.expires_at > tx.now
                        }),
                        Proof::Key(id) => ssh_keys::find(tx, id)?.is_some(),
                    };
                    if holds {
                        held.insert(proof);
                    }
                }
                Ok(held)
            })
            .await
    }
}
