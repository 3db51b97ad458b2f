//! Tokens: who comes with one, API tokens with names, tokens lent to workspaces.

use std::sync::Arc;
use std::time::Duration;

use super::access::{record, subject};
use super::token_cache::Moment;
use super::{Actor, App, Caller, Error, Result, Via, people, uses};
use crate::model::audit::{AuditAction, AuditEntry, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::factor::Mfa;
use crate::model::id::UserId;
use crate::model::network::Network;
use crate::model::policy::{Action, Object, ResourceType, Scope, Subject};
use crate::model::secret::Token;
use crate::model::time::{self, Timestamp};
use crate::model::user::{TokenEntry, TokenKind, TokenLimits};
use crate::server::db::tokens::{NewToken, Presented};
use crate::server::db::{ReadTx, ssh_keys, tokens, users};

/// How long an API token lasts when nothing is said.
pub const DEFAULT_LIFETIME: Duration = Duration::from_hours(90 * 24);
/// How long a token lasts at most that was made by a token with limits.
pub const CAPABILITY_LIFETIME: Duration = Duration::from_hours(1);
/// How often a token with limits may hand on a part of itself, which may do so in turn.
const MAX_DEPTH: u8 = 3;
/// Networks of a token at most.
const MAX_NETWORKS: usize = 32;
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
    /// What it may do, as [`Scope::parse`] reads it; everything that the actor may when empty.
    pub scopes: Vec<String>,
    /// To what, as [`Scope::parse`] reads it; to everything when empty.
    pub things: Vec<String>,
    /// From where; from anywhere when empty.
    pub networks: Vec<String>,
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
        let right =
            |known: &Known| known.token.hash.matches(&token) && now < known.token.expires_at;
        let Some(known) = found.filter(|known| right(known) && known.token.user.status.may_act())
        else {
            return Ok(None);
        };
        let Known { token: found, subject } = &*known;
        if !found.limits.allow_from(ip.parse().ok()) {
            return Err(Error::Denied(format!("this token may not be used from {ip}")));
        }
        let via = Via::Token(found.id, found.kind);
        let (user, subject) = (found.user.clone(), subject.clone());
        let (identity_grant, ip) = (found.identity_grant, ip.to_owned());
        let caller =
            Caller { user, via, identity_grant, ip, subject, mfa: found.mfa, request: None };
        if found.last_used_at.is_none_or(|last| now.since(last) >= uses::EVERY || now < last) {
            self.uses.note(&caller, now);
        }
        Ok(Some(Actor::User(Arc::new(caller))))
    }

    /// The token that is looked up by `public_id`, as it is since the last commit.
    async fn presented(&self, public_id: &str) -> Result<Option<Arc<Known>>> {
        let now = Moment { commits: self.db.commits(), at: self.clock.instant() };
        if let Some(known) = self.token_cache.find(public_id, now) {
            return Ok(Some(known));
        }
        let found = self.db.read(|tx| known(tx, public_id)).await?.map(Arc::new);
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
                let user =
                    users::find(tx, caller.user.id)?.filter(|user| open && user.status.may_act());
                let Some(user) = user else { return Ok(None) };
                let subject = subject(tx, &user, caller.subject.scope.clone())?;
                Ok(Some(Actor::User(Arc::new(Caller { user, subject, ..caller }))))
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
                let Some(user) = users::find(tx, key.user_id)?.filter(|user| user.status.may_act())
                else {
                    return Ok(None);
                };
                let subject = subject(tx, &user, Scope::ALL)?;
                Ok(Some((key, user, subject)))
            })
            .await?;
        let Some((key, user, subject)) = found else { return Ok(None) };
        let (via, ip) = (Via::Key(key.id), ip.to_owned());
        let (identity_grant, mfa) = (None, Mfa::default());
        let caller = Caller { user, via, identity_grant, ip, subject, mfa, request: None };
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
        let (token, max) = (self.new_token(), self.policy.max_token_lifetime);
        let name = parse_name(&cmd.name, &token)?;
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .write(move |tx| {
                let user = people::find(tx, &actor, &key)?;
                require_tokens_of(tx.now, &actor, Action::Create, user.id)?;
                actor.require_fresh(tx.now)?;
                let above = above(tx, &actor)?;
                let limits = limits(&cmd, above.as_ref())?;
                let lifetime = lifetime(tx.now, cmd.lifetime, (max, above.as_ref()))?;
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
                    limits,
                    parent: above.map(|above| above.id),
                    identity_grant: None,
                    mfa_at: None,
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
                require_tokens_of(tx.now, &actor, Action::Read, user.id)?;
                Ok(tokens::list(tx, user.id, MAX_LIST)?)
            })
            .await
    }

    /// One token, by the part before its hyphen or, for API tokens, by name.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the actor may not see it.
    pub async fn token(&self, actor: &Actor, key: &str, token: &str) -> Result<TokenEntry> {
        let (actor, key, token) = (actor.clone(), key.to_owned(), token.to_owned());
        self.db.read(move |tx| find_token(tx, &actor, Action::Read, (&key, &token))).await
    }

    /// Ends a token at once.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the actor may not see it.
    pub async fn delete_token(&self, actor: &Actor, key: &str, token: &str) -> Result<()> {
        let (actor, key, token) = (actor.clone(), key.to_owned(), token.to_owned());
        self.db
            .write(move |tx| {
                let found = find_token(tx, &actor, Action::Delete, (&key, &token))?;
                tokens::delete(tx, found.id)?;
                record(tx, &actor, &entry(AuditAction::Delete, &found))?;
                tx.emit(Event::User(found.user.id));
                tx.emit(Event::Grants);
                Ok(())
            })
            .await
    }
}

/// A token that was looked up, and what it lets its user do.
pub(super) struct Known {
    token: Presented,
    subject: Subject,
}

fn known(tx: &ReadTx<'_>, public_id: &str) -> Result<Option<Known>> {
    let Some(token) = tokens::present(tx, public_id)? else { return Ok(None) };
    let subject = subject(tx, &token.user, token.limits.scope.clone())?;
    Ok(Some(Known { token, subject }))
}

/// The token with limits that the actor came with; what it makes has no more than it has.
fn above(tx: &ReadTx<'_>, actor: &Actor) -> Result<Option<TokenEntry>> {
    let Actor::User(caller) = actor else { return Ok(None) };
    let Some(id) = caller.token() else { return Ok(None) };
    let entry = tokens::find_by_id(tx, id)?.ok_or(Error::NotFound("token"))?;
    Ok((entry.limits != TokenLimits::NONE).then_some(entry))
}

/// Asks for what is not a token with limits: a session and a key have none, and would take its holder
/// past its own.
///
/// # Errors
/// [`Error::Denied`] for such a token.
pub(super) fn require_unlimited(tx: &ReadTx<'_>, actor: &Actor) -> Result<()> {
    match above(tx, actor)? {
        Some(_) => Err(Error::denied("a token with limits makes no session and no key")),
        None => Ok(()),
    }
}

/// What a new token is limited to.
fn limits(cmd: &CreateToken, above: Option<&TokenEntry>) -> Result<TokenLimits> {
    let mut scope =
        Scope::parse(&cmd.scopes, &cmd.things).map_err(|why| Error::invalid("scopes", why))?;
    if cmd.networks.len() > MAX_NETWORKS {
        return Err(Error::invalid("allow_cidrs", format!("are more than {MAX_NETWORKS}")));
    }
    let networks: std::result::Result<Vec<Network>, _> =
        cmd.networks.iter().map(|n| n.parse()).collect();
    let mut networks = networks.map_err(|e| Error::invalid("allow_cidrs", e))?;
    let Some(above) = above else { return Ok(TokenLimits { scope, networks, depth: 0 }) };
    let (wide, depth) = (&above.limits, above.limits.depth + 1);
    if depth > MAX_DEPTH {
        let why = format!("this token is the {MAX_DEPTH}rd in a row; it hands nothing on");
        return Err(Error::Denied(why));
    }
    if cmd.scopes.is_empty() && cmd.things.is_empty() {
        scope = wide.scope.clone();
    }
    if !scope.is_within(&wide.scope) {
        return Err(Error::Denied("a token gives no more than it has itself".to_owned()));
    }
    if networks.is_empty() {
        networks.clone_from(&wide.networks);
    }
    let inside = |n: &Network| wide.networks.iter().any(|w| n.is_within(w));
    if !wide.networks.is_empty() && !networks.iter().all(inside) {
        return Err(Error::Denied("a token is of use where its maker is, or nearer".to_owned()));
    }
    Ok(TokenLimits { scope, networks, depth })
}

/// How long a new token lasts.
fn lifetime(
    now: Timestamp,
    asked: Option<Duration>,
    (max, above): (Duration, Option<&TokenEntry>),
) -> Result<Duration> {
    let max = match above {
        Some(above) => above.expires_at.since(now).min(CAPABILITY_LIFETIME),
        None => max,
    };
    let lifetime = asked.unwrap_or_else(|| DEFAULT_LIFETIME.min(max));
    if lifetime > max {
        return Err(Error::invalid("lifetime", format!("may be at most {}", time::words(max))));
    }
    if lifetime < Duration::from_secs(1) {
        return Err(Error::invalid("lifetime", "must be at least a second"));
    }
    Ok(lifetime)
}

/// One's own tokens and keys, or anyone's for an owner.
pub(super) fn require_tokens_of(
    now: Timestamp,
    actor: &Actor,
    action: Action,
    user: UserId,
) -> Result<()> {
    actor.require(now, action, &Object::site(ResourceType::ApiKey).of(user))
}

pub(super) fn find_token(
    tx: &ReadTx<'_>,
    actor: &Actor,
    action: Action,
    (key, token): (&str, &str),
) -> Result<TokenEntry> {
    let user = people::find(tx, actor, key)?;
    let found = match tokens::find(tx, token)? {
        Some(found) => Some(found),
        None => tokens::find_by_name(tx, user.id, token)?,
    };
    found
        .filter(|t| require_tokens_of(tx.now, actor, action, t.user.id).is_ok())
        .ok_or(Error::NotFound("token"))
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

pub(super) fn entry(action: AuditAction, token: &TokenEntry) -> AuditEntry {
    AuditEntry {
        action,
        target: AuditTarget::ApiKey,
        target_id: token.id.0,
        target_name: if token.name.is_empty() { &token.public_id } else { &token.name }.clone(),
        organization: None,
        diff: Diff::new().to_string(),
    }
}
