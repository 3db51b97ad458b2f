//! Tokens: who comes with one, API tokens with names, tokens lent to workspaces.

use std::sync::Arc;
use std::time::Duration;

use super::access::record;
use super::token_cache::Moment;
use super::{Actor, App, Caller, Error, Result, Via, people, uses};
use crate::model::audit::{AuditAction, AuditEntry, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::UserId;
use crate::model::secret::Token;
use crate::model::time;
use crate::model::user::{SiteRole, TokenEntry, TokenKind, User, UserStatus};
use crate::server::db::tokens::{NewToken, Presented};
use crate::server::db::{ReadTx, ssh_keys, tokens, users};

/// How long an API token lasts when nothing is said.
pub const DEFAULT_LIFETIME: Duration = Duration::from_hours(30 * 24);
/// Tokens in a list at most.
const MAX_LIST: i64 = 1000;
const MAX_NAME: usize = 64;

/// What a new API token is made from.
#[derive(Clone, Debug, Default)]
pub struct CreateToken {
    /// Its name; empty to have one made.
    pub name: String,
    /// How long it lasts; none for the default.
    pub lifetime: Option<Duration>,
}

impl App {
    /// Who comes with this token; none when it is wrong, over, or its user may not act.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn authenticate(&self, text: &str, ip: &str) -> Result<Option<Actor>> {
        let Some(token) = Token::parse(text) else { return Ok(None) };
        let found = self.presented(token.public_id()).await?;
        let now = self.clock.now();
        let Some(found) = found.filter(|f| f.hash.matches(&token) && now < f.expires_at) else {
            return Ok(None);
        };
        if !may_act(&found.user) {
            return Ok(None);
        }
        let via = Via::Token(found.id, found.kind);
        let caller = Caller { user: found.user.clone(), via, ip: ip.to_owned(), request: None };
        if found.last_used_at.is_none_or(|last| now.since(last) >= uses::EVERY || now < last) {
            self.uses.note(&caller, now);
        }
        Ok(Some(Actor::User(Arc::new(caller))))
    }

    /// The token that is looked up by `public_id`, as it is since the last commit.
    async fn presented(&self, public_id: &str) -> Result<Option<Arc<Presented>>> {
        let now = Moment { commits: self.db.commits(), at: self.clock.instant() };
        if let Some(known) = self.token_cache.find(public_id, now) {
            return Ok(Some(known));
        }
        let found = self.db.read(|tx| tokens::present(tx, public_id)).await?.map(Arc::new);
        if let Some(found) = &found {
            self.token_cache.keep(public_id, found, now);
        }
        Ok(found)
    }

    /// Whoever it is as they are now, for what goes on after their request: none when what they showed
    /// is over, or they may not act any more. It does not count as a use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn authenticate_again(&self, actor: &Actor) -> Result<Option<Actor>> {
        let Actor::User(caller) = actor else {
            // What an agent may is asked of the database each time.
            return Ok(Some(actor.clone()));
        };
        let caller = (**caller).clone();
        self.db
            .read(move |tx| {
                let open = match caller.via {
                    Via::Token(id, _) => tokens::is_current(tx, id)?,
                    Via::Key(id) => ssh_keys::find(tx, id)?.is_some(),
                };
                let user = users::find(tx, caller.user.id)?.filter(|user| open && may_act(user));
                Ok(user.map(|user| Actor::User(Arc::new(Caller { user, ..caller }))))
            })
            .await
    }

    /// Which agent comes with this token; none when no build has it or its owner may not act.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn authenticate_agent(&self, text: &str) -> Result<Option<Actor>> {
        match self.agent_by_token(text).await {
            Ok(actor) => Ok(Some(actor)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Who comes with the SSH key of this fingerprint.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn authenticate_key(&self, fingerprint: &str, ip: &str) -> Result<Option<Actor>> {
        let fingerprint = fingerprint.to_owned();
        let found = self
            .db
            .read(move |tx| -> Result<_> {
                let Some(key) = ssh_keys::find_by_fingerprint(tx, &fingerprint)? else {
                    return Ok(None);
                };
                Ok(users::find(tx, key.user_id)?.map(|user| (key, user)))
            })
            .await?;
        let Some((key, user)) = found.filter(|(_, user)| may_act(user)) else { return Ok(None) };
        let caller = Caller { user, via: Via::Key(key.id), ip: ip.to_owned(), request: None };
        self.uses.note(&caller, self.clock.now());
        Ok(Some(Actor::User(Arc::new(caller))))
    }

    /// Makes an API token. Only owners may make one for others.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name or lifetime that does not fit, [`Error::Conflict`] for a name
    /// that is taken, [`Error::Denied`] for who may not.
    pub async fn create_token(
        &self,
        actor: &Actor,
        key: &str,
        cmd: CreateToken,
    ) -> Result<(Token, TokenEntry)> {
        actor.require_own()?;
        let max = self.policy.max_token_lifetime;
        let lifetime = cmd.lifetime.unwrap_or_else(|| DEFAULT_LIFETIME.min(max));
        if lifetime > max {
            let why = format!("may be at most {}", time::words(max));
            return Err(Error::invalid("lifetime", why));
        }
        if lifetime < Duration::from_secs(1) {
            return Err(Error::invalid("lifetime", "must be at least a second"));
        }
        let token = self.new_token();
        let name = parse_name(&cmd.name, &token)?;
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .write(move |tx| {
                let user = people::find(tx, &actor, &key)?;
                require_tokens_of(&actor, user.id)?;
                let new = NewToken {
                    id: tx.fresh(),
                    public_id: token.public_id().to_owned(),
                    hash: token.hash(),
                    user: user.id,
                    kind: TokenKind::Api,
                    name: name.clone(),
                    workspace: None,
                    lifetime,
                    ip: String::new(),
                };
                tokens::insert(tx, &new).map_err(|e| match e.collision() {
                    Some(_) => Error::Conflict(format!("there is a token named {name}")),
                    None => e.into(),
                })?;
                let made = tokens::find(tx, token.public_id())?.ok_or(Error::NotFound("token"))?;
                record(tx, &actor, &entry(AuditAction::Create, &made))?;
                tx.emit(Event::User(user.id));
                Ok((token, made))
            })
            .await
    }

    /// A user's tokens of every kind, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] for whose tokens the actor may not see.
    pub async fn tokens(&self, actor: &Actor, key: &str) -> Result<Vec<TokenEntry>> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .read(move |tx| {
                let user = people::find(tx, &actor, &key)?;
                require_tokens_of(&actor, user.id)?;
                Ok(tokens::list(tx, Some(user.id), MAX_LIST)?)
            })
            .await
    }

    /// Everyone's tokens, newest first.
    ///
    /// # Errors
    /// [`Error::Denied`] for who is no owner.
    pub async fn all_tokens(&self, actor: &Actor) -> Result<Vec<TokenEntry>> {
        actor.require_role(&[SiteRole::Owner])?;
        Ok(self.db.read(|tx| tokens::list(tx, None, MAX_LIST)).await?)
    }

    /// One token, by the part before its hyphen or, for API tokens, by name.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the actor may not see it.
    pub async fn token(&self, actor: &Actor, key: &str, token: &str) -> Result<TokenEntry> {
        let (actor, key, token) = (actor.clone(), key.to_owned(), token.to_owned());
        self.db.read(move |tx| find_token(tx, &actor, &key, &token)).await
    }

    /// Ends a token at once.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the actor may not see it.
    pub async fn delete_token(&self, actor: &Actor, key: &str, token: &str) -> Result<()> {
        let (actor, key, token) = (actor.clone(), key.to_owned(), token.to_owned());
        self.db
            .write(move |tx| {
                let found = find_token(tx, &actor, &key, &token)?;
                tokens::delete(tx, found.id)?;
                record(tx, &actor, &entry(AuditAction::Delete, &found))?;
                tx.emit(Event::User(found.user.id));
                tx.emit(Event::Grants);
                Ok(())
            })
            .await
    }
}

/// Whether a user's tokens and keys open anything.
fn may_act(user: &User) -> bool {
    match user.status {
        UserStatus::Active | UserStatus::Dormant => true,
        UserStatus::Suspended | UserStatus::Deleted => false,
    }
}

/// One's own tokens and keys, or anyone's for an owner.
pub(super) fn require_tokens_of(actor: &Actor, user: UserId) -> Result<()> {
    if actor.user_id() == Some(user) { Ok(()) } else { actor.require_role(&[SiteRole::Owner]) }
}

fn find_token(tx: &ReadTx<'_>, actor: &Actor, key: &str, token: &str) -> Result<TokenEntry> {
    let user = people::find(tx, actor, key)?;
    let found = match tokens::find(tx, token)? {
        Some(found) => Some(found),
        None => tokens::find_by_name(tx, user.id, token)?,
    };
    found.filter(|t| require_tokens_of(actor, t.user.id).is_ok()).ok_or(Error::NotFound("token"))
}

fn parse_name(text: &str, token: &Token) -> Result<String> {
    let name = text.trim();
    if name.is_empty() {
        return Ok(format!("token-{}", token.public_id().to_lowercase()));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.len() > MAX_NAME || !name.chars().all(fits) {
        let why = format!("may hold at most {MAX_NAME} letters, digits, hyphens and dots");
        return Err(Error::invalid("token_name", why));
    }
    Ok(name.to_owned())
}

fn entry(action: AuditAction, token: &TokenEntry) -> AuditEntry {
    AuditEntry {
        action,
        target: AuditTarget::ApiKey,
        target_id: token.id.0,
        target_name: if token.name.is_empty() { &token.public_id } else { &token.name }.clone(),
        diff: Diff::new().to_string(),
    }
}
