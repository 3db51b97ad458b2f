//! Ways to sign in that are set up on their page: stored with their secrets sealed, and removed.
//!
//! Settings are read where providers are spoken to, and come here as they are stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::access::record;
use super::providers::{entry, settings};
use super::second_factor::session_of;
use super::{Actor, App, Error, Result, identity_grants, known_providers};
use crate::model::audit::{AuditAction, Diff};
use crate::model::event::Event;
use crate::model::policy::Action;
use crate::model::provider::{Comers, ProviderKind};
use crate::model::provider_field::secret;
use crate::model::time::Timestamp;
use crate::server::db::providers::ProviderRow;
use crate::server::db::seal::{Place, Seal};
use crate::server::db::{ReadTx, WriteTx, identities, identity_grants as grants, providers, users};

/// Ways to sign in that may be stored.
const MAX_PROVIDERS: usize = 50;
/// The longest secret that a form carries on, sealed and in base64.
const MAX_DRAFT: usize = 32 << 10;

/// A way to sign in as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its name, as identities have it.
    pub name: String,
    /// What kind.
    pub kind: ProviderKind,
    /// JSON with the keys of the file, without the secret.
    pub settings: String,
    /// The secret; none when there is none.
    pub secret: std::result::Result<Option<Zeroizing<String>>, OtherKey>,
    /// Who changed it last; may be empty.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A secret that was sealed with another master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its secret was sealed with another master key; give it again")]
pub struct OtherKey;

/// What becomes of a secret when the rest is changed.
pub enum NewSecret {
    /// There is none.
    None,
    /// It stays.
    Kept,
    /// It is another one.
    Given(Zeroizing<String>),
}

/// What is to be stored.
pub struct PutProvider {
    /// Its name.
    pub name: String,
    /// What kind.
    pub kind: ProviderKind,
    /// Its settings without the secret, by the keys of the file.
    pub settings: Map<String, Value>,
    /// What becomes of its secret.
    pub secret: NewSecret,
    /// What becomes of who came by it.
    pub reach: Reach,
    /// The names of the other ways to sign in at a provider that there are.
    pub others: Vec<String>,
    /// Whether there is one of the name already, which is changed.
    pub change: bool,
}

/// What a change makes of who came in by a provider before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// They come in as before.
    Same,
    /// Some may be kept out.
    MayNarrow,
    /// Nobody does: it is somebody else now, who may mean others by the same words.
    Another,
}

impl App {
    /// Asks for the right to set up ways to sign in, and for a second factor given lately.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Unconfirmed`] before the second factor.
    pub fn require_provider_change(&self, actor: &Actor) -> Result<()> {
        self.require_trial(actor)?;
        actor.require_fresh(self.clock.now())
    }

    /// The ways to sign in that are stored, with their secrets: to be spoken to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stored_providers(&self) -> Result<Vec<Stored>> {
        let seal = self.seal.clone();
        self.db
            .read(move |tx| {
                let rows = providers::list(tx)?;
                rows.into_iter().map(|row| opened(tx, &seal, row)).collect()
            })
            .await
    }

    /// Stores a way to sign in. With other rules, who is signed in by it is looked at again; what
    /// leads to somebody else ends their sessions.
    ///
    /// # Errors
    /// [`Error::Conflict`] for a name that is taken, and when no owner could sign in any more,
    /// [`Error::NotFound`] when there is none to be changed.
    pub async fn put_provider(&self, actor: &Actor, cmd: PutProvider) -> Result<()> {
        self.require_provider_change(actor)?;
        let (actor, seal) = (actor.clone(), self.seal.clone());
        self.db
            .write(move |tx| {
                actor.require(tx.now, Action::Update, &settings())?;
                put(tx, &actor, &seal, cmd)
            })
            .await
    }

    /// Removes a way to sign in; sessions that began with it end. `others` are the names of the other
    /// providers that there are; none when this one is not in force.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, [`Error::Conflict`] when no owner could sign in any more.
    pub async fn remove_provider(
        &self,
        actor: &Actor,
        name: &str,
        others: Option<Vec<String>>,
    ) -> Result<()> {
        self.require_provider_change(actor)?;
        let (actor, name) = (actor.clone(), name.to_owned());
        self.db
            .write(move |tx| {
                let old = providers::find(tx, &name)?.ok_or(Error::NotFound("provider"))?;
                if let Some(others) = others {
                    if old.kind != ProviderKind::Scim {
                        require_owner(tx, &name, &others)?;
                    }
                    identity_grants::end_all(tx, &name, "the provider was removed here")?;
                    known_providers::forget(tx, &name)?;
                }
                providers::delete(tx, &name)?;
                let mut diff = differ(&read(&old.settings), &Map::new());
                if old.secret.is_some() {
                    diff = diff.secret(secret(old.kind).unwrap_or("secret"));
                }
                record(tx, &actor, &entry(AuditAction::Delete, &name, &diff))?;
                tx.emit(Event::Providers);
                Ok(())
            })
            .await
    }

    /// Ends what is left of a provider that is there no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_provider(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        let why = "the provider was removed here";
        self.db.write(move |tx| identity_grants::end_all(tx, &name, why)).await
    }

    /// Who comes by a way to sign in, besides which there are `others`.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not see the settings.
    pub async fn comers(&self, actor: &Actor, name: &str, others: Vec<String>) -> Result<Comers> {
        actor.require(self.clock.now(), Action::Read, &settings())?;
        let (name, passwords_on) = (name.to_owned(), self.policy.password_auth);
        self.db
            .read(move |tx| {
                let others = names(&others);
                let stranded = providers::count_stranded(tx, &name, (&others, passwords_on))?;
                let people = identities::count_of_provider(tx, &name)?;
                Ok(Comers { people, stranded })
            })
            .await
    }

    /// A secret that was typed, sealed for the form of this very session: what a form shows again
    /// need not be typed twice.
    ///
    /// # Errors
    /// [`Error::Denied`] for what is no session.
    pub fn seal_draft(&self, actor: &Actor, secret: &str) -> Result<String> {
        let session = session_of(actor)?.1.to_string();
        Ok(URL_SAFE_NO_PAD.encode(self.seal.seal(draft(&session), secret.as_bytes())))
    }

    /// The secret that a form of this session carries; none when it is another's, or was changed.
    ///
    /// # Errors
    /// [`Error::Denied`] for what is no session.
    pub fn open_draft(&self, actor: &Actor, sealed: &str) -> Result<Option<Zeroizing<String>>> {
        let session = session_of(actor)?.1.to_string();
        if sealed.len() > MAX_DRAFT {
            return Ok(None);
        }
        let sealed = URL_SAFE_NO_PAD.decode(sealed).unwrap_or_default();
        let plain = self.seal.open(draft(&session), &sealed).ok();
        Ok(plain.and_then(|plain| String::from_utf8(plain).ok()).map(Zeroizing::new))
    }
}

fn draft(session: &str) -> Place<'_> {
    Place { column: "providers.draft", row: session }
}

fn place(name: &str) -> Place<'_> {
    Place { column: "providers.secret", row: name }
}

fn opened(tx: &ReadTx<'_>, seal: &Seal, row: ProviderRow) -> Result<Stored> {
    let secret = match &row.secret {
        None => Ok(None),
        Some(sealed) => {
            let plain = seal.open(place(&row.name), sealed).ok();
            let text = plain.and_then(|plain| String::from_utf8(plain).ok());
            text.map(|text| Some(Zeroizing::new(text))).ok_or(OtherKey)
        }
    };
    let by = match row.changed_by {
        Some(user) => users::find(tx, user)?.map(|user| user.username.to_string()),
        None => None,
    };
    let (by, at) = (by.unwrap_or_default(), row.changed_at);
    Ok(Stored { name: row.name, kind: row.kind, settings: row.settings, secret, by, at })
}

fn put(tx: &WriteTx<'_>, actor: &Actor, seal: &Seal, cmd: PutProvider) -> Result<()> {
    let old = providers::find(tx, &cmd.name)?;
    match (&old, cmd.change) {
        (None, true) => return Err(Error::NotFound("provider")),
        (Some(_), false) => {
            return Err(Error::invalid("name", "another way to sign in has this name"));
        }
        (None, false) if providers::list(tx)?.len() >= MAX_PROVIDERS => {
            return Err(Error::Conflict(format!("{MAX_PROVIDERS} ways to sign in are enough")));
        }
        (None | Some(_), _) => {}
    }
    if old.is_some() && cmd.reach != Reach::Same {
        require_owner(tx, &cmd.name, &cmd.others)?;
    }
    let before = old.as_ref().map(|old| read(&old.settings)).unwrap_or_default();
    let mut diff = differ(&before, &cmd.settings);
    let sealed = match &cmd.secret {
        NewSecret::None => None,
        NewSecret::Kept => old.as_ref().and_then(|old| old.secret.clone()),
        NewSecret::Given(secret) => Some(seal.seal(place(&cmd.name), secret.as_bytes())),
    };
    if old.as_ref().and_then(|old| old.secret.as_ref()) != sealed.as_ref() {
        diff = diff.secret(secret(cmd.kind).unwrap_or("secret"));
    }
    let row = ProviderRow {
        settings: Value::Object(cmd.settings).to_string(),
        name: cmd.name,
        kind: cmd.kind,
        secret: sealed,
        changed_by: actor.user_id(),
        changed_at: tx.now,
    };
    providers::put(tx, &row)?;
    grants::hasten_all(tx, &row.name)?;
    let action = if old.is_some() { AuditAction::Write } else { AuditAction::Create };
    record(tx, actor, &entry(action, &row.name, &diff))?;
    tx.emit(Event::Providers);
    Ok(())
}

/// An owner has to be able to sign in by something else, where one could by the provider `name`: what is
/// kept of people does not tell whom other rules would let in.
fn require_owner(tx: &ReadTx<'_>, name: &str, others: &[String]) -> Result<()> {
    let come = |by: &[String]| providers::count_owners_who_come(tx, &names(by));
    if come(others)? > 0 || come(&[others, &[name.to_owned()]].concat())? == 0 {
        return Ok(());
    }
    Err(Error::conflict(
        "it may be that no owner of this server could sign in any more, since none has another way in; \
         first make an owner with a password, by steading create-admin-user on the server's machine",
    ))
}

fn names(others: &[String]) -> String {
    Value::from(others.to_vec()).to_string()
}

fn read(settings: &str) -> Map<String, Value> {
    serde_json::from_str(settings).unwrap_or_default()
}

/// What changed, by the keys of the settings.
fn differ(old: &Map<String, Value>, new: &Map<String, Value>) -> Diff {
    let nothing = || Value::from("");
    let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    keys.fold(Diff::new(), |diff, key| {
        let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_else(nothing);
        diff.field(key, of(old), of(new))
    })
}
