//! Use cases on SSH public keys.

use super::access::record;
use super::{Actor, App, Error, Result, people, tokens};
use crate::model::audit::{AuditAction, AuditEntry, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::SshKeyId;
use crate::model::policy::Action;
use crate::model::ssh_key::PublicKey;
use crate::model::text;
use crate::model::user::SshKey;
use crate::server::db::{ssh_keys, users};

/// Keys a user may have: more make every login slow.
const MAX_KEYS: usize = 64;
const MAX_NAME: usize = 128;

impl App {
    /// Puts a key on file. A key opens the door for one user only. Only owners may do it for others:
    /// it is a way in.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no key, [`Error::Conflict`] when it is on file,
    /// [`Error::Denied`] for who may not.
    pub async fn add_ssh_key(
        &self,
        actor: &Actor,
        key: &str,
        name: &str,
        text: &str,
    ) -> Result<SshKey> {
        actor.require_own()?;
        let parsed = PublicKey::parse(text).map_err(|e| Error::invalid("public_key", e))?;
        let name = parse_name(name, &parsed)?;
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .write(move |tx| {
                let user = people::find(tx, &actor, &key)?;
                tokens::require_tokens_of(tx.now, &actor, Action::Create, user.id)?;
                tokens::require_unlimited(tx, &actor)?;
                actor.require_fresh(tx.now)?;
                if let Some(old) = ssh_keys::find_by_fingerprint(tx, &parsed.fingerprint)? {
                    return Err(on_file(&old, old.user_id == user.id));
                }
                if ssh_keys::list(tx, user.id)?.len() >= MAX_KEYS {
                    return Err(Error::Conflict(format!("there are {MAX_KEYS} keys on file")));
                }
                let key = SshKey {
                    id: tx.fresh(),
                    user_id: user.id,
                    name,
                    public_key: parsed.text,
                    fingerprint: parsed.fingerprint,
                    created_at: tx.now,
                    last_used_at: None,
                };
                ssh_keys::insert(tx, &key)?;
                record(tx, &actor, &entry(AuditAction::Create, &key))?;
                tx.emit(Event::User(user.id));
                Ok(key)
            })
            .await
    }

    /// A user's keys, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] for whose keys the actor may not see.
    pub async fn ssh_keys(&self, actor: &Actor, key: &str) -> Result<Vec<SshKey>> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .read(move |tx| {
                let user = people::find(tx, &actor, &key)?;
                people::require_account(tx, &actor, Action::ReadPersonal, &user)?;
                Ok(ssh_keys::list(tx, user.id)?)
            })
            .await
    }

    /// Removes a key.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the actor may not see it.
    pub async fn remove_ssh_key(&self, actor: &Actor, id: SshKeyId) -> Result<()> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let missing = || Error::NotFound("key");
                let key = ssh_keys::find(tx, id)?.ok_or_else(missing)?;
                let user = users::find(tx, key.user_id)?.ok_or_else(missing)?;
                people::require_account(tx, &actor, Action::UpdatePersonal, &user)
                    .map_err(|_| missing())?;
                ssh_keys::delete(tx, id)?;
                record(tx, &actor, &entry(AuditAction::Delete, &key))?;
                tx.emit(Event::User(key.user_id));
                tx.emit(Event::Grants);
                Ok(())
            })
            .await
    }
}

/// Says which key it is to its holder, and nothing about others.
fn on_file(old: &SshKey, own: bool) -> Error {
    let why = if own {
        format!("{} is on file as {:?}", old.fingerprint, old.name)
    } else {
        format!("{} belongs to another account; a key opens one account only", old.fingerprint)
    };
    Error::Conflict(why)
}

fn parse_name(text: &str, key: &PublicKey) -> Result<String> {
    let given = text.trim();
    let name = if given.is_empty() { key.comment.as_str() } else { given };
    text::check_line(name, MAX_NAME).map_err(|e| Error::invalid("name", e))?;
    Ok(if name.is_empty() { key.fingerprint.clone() } else { name.to_owned() })
}

fn entry(action: AuditAction, key: &SshKey) -> AuditEntry {
    AuditEntry {
        action,
        target: AuditTarget::GitSshKey,
        target_id: key.id.0,
        target_name: key.name.clone(),
        organization: None,
        diff: Diff::new().field("fingerprint", "", key.fingerprint.as_str()).to_string(),
    }
}
