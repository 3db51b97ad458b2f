//! Passkeys: the questions that they answer, adding, naming and removing them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::access::record;
use super::checks::Checks;
use super::factors::{self, Added};
use super::second_factor::session_of;
use super::users::entry;
use super::{Actor, App, Error, Result};
use crate::model::audit::{AuditAction, Diff};
use crate::model::event::Event;
use crate::model::factor::{MAX_PASSKEY_NAME, MAX_PASSKEYS};
use crate::model::id::{PasskeyId, TokenId, UserId};
use crate::model::secret::TokenHash;
use crate::model::text;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::model::webauthn::{self, ClientData, Known, Made, Rp, Use, key};
use crate::server::db::passkeys::PasskeyRow;
use crate::server::db::seal::{Place, Seal};
use crate::server::db::{ReadTx, WriteTx, passkeys, spent_challenges, users};

/// How long a question may wait for its answer.
const LASTS: Duration = Duration::from_mins(5);
/// The longest answer that is read: each of its parts has a limit of its own.
const MAX_ANSWER: usize = 32 << 10;
const QUESTION: Place<'static> = Place { column: "passkeys.question", row: "" };

/// What a passkey is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Purpose {
    /// To sign someone in by itself.
    SignIn,
    /// To be the second step of a sign-in.
    Second,
    /// To show again who is there, in a session.
    Confirm,
    /// To be added.
    Add,
}

/// A question to a passkey. The browser is handed it sealed and brings it back: only this server
/// makes one, and none is answered twice.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Question {
    pub purpose: Purpose,
    /// Whose passkey; anyone's when it is to say who signs in.
    pub user: Option<UserId>,
    /// In which session.
    session: Option<TokenId>,
    ends_at: Timestamp,
}

impl Question {
    pub(super) fn new(
        purpose: Purpose,
        user: Option<UserId>,
        session: Option<TokenId>,
        now: Timestamp,
    ) -> Self {
        Self { purpose, user, session, ends_at: now.plus(LASTS) }
    }

    pub(super) fn seal(&self, seal: &Seal) -> Vec<u8> {
        seal.seal(QUESTION, &serde_json::to_vec(self).unwrap_or_default())
    }

    /// Spends the question that was answered; why not, if it is not this one.
    fn spend(
        &self,
        tx: &WriteTx<'_>,
        seal: &Seal,
        sealed: &[u8],
    ) -> Result<std::result::Result<(), String>> {
        let plain = seal.open(QUESTION, sealed).ok();
        let asked = plain.and_then(|plain| serde_json::from_slice::<Self>(&plain).ok());
        let same = |asked: &Self| *asked == Self { ends_at: asked.ends_at, ..self.clone() };
        let Some(asked) = asked.filter(same) else { return refused("another question was asked") };
        if tx.now >= asked.ends_at {
            return refused("it took too long; try again");
        }
        if !spent_challenges::spend(tx, TokenHash::of(&hex::encode(sealed)), asked.ends_at)? {
            return refused("that was answered before; try again");
        }
        Ok(Ok(()))
    }
}

/// What a browser sends of a passkey, in base64 but for the names.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Sent {
    id: String,
    client_data: String,
    authenticator_data: String,
    signature: String,
    user_handle: String,
    attestation: String,
}

/// What a passkey answers to a question.
pub(super) struct Answer {
    sent: Option<Sent>,
    question: Question,
}

impl Answer {
    pub(super) fn read(text: &str, question: &Question) -> Self {
        let whole = (text.len() <= MAX_ANSWER).then_some(text);
        let sent = whole.and_then(|text| serde_json::from_str(text).ok());
        Self { sent, question: question.clone() }
    }

    /// The passkey that answers, as it says.
    fn passkey(&self, tx: &ReadTx<'_>) -> Result<Option<PasskeyRow>> {
        match self.sent.as_ref().and_then(|sent| part(&sent.id)) {
            Some(id) => Ok(passkeys::find(tx, &id)?),
            None => Ok(None),
        }
    }

    /// What failures of a passkey that nobody has are counted under.
    pub(super) fn credential(&self) -> String {
        let id = self.sent.as_ref().map_or("", |sent| sent.id.as_str());
        format!("passkey {id}")
    }

    /// Whose passkey answers, as it says.
    pub(super) fn user(&self, tx: &ReadTx<'_>) -> Result<Option<User>> {
        match self.passkey(tx)? {
            Some(row) => Ok(users::find(tx, row.user)?),
            None => Ok(None),
        }
    }

    /// Checks the use of a passkey; why it is none, otherwise.
    pub(super) fn check(
        &self,
        checks: &Checks,
        tx: &WriteTx<'_>,
    ) -> Result<std::result::Result<PasskeyRow, String>> {
        let Some(rp) = &checks.rp else { return refused(NOT_HERE) };
        let Some(sent) = &self.sent else { return refused(UNREADABLE) };
        let Some(row) = self.passkey(tx)? else { return refused("this passkey is not known here") };
        let (Some(data), Some(signature), Some(handle), Some(client)) = (
            part(&sent.authenticator_data),
            part(&sent.signature),
            part(&sent.user_handle),
            part(&sent.client_data),
        ) else {
            return refused(UNREADABLE);
        };
        let alone = self.question.purpose == Purpose::SignIn;
        let named = handle == row.user.0.as_bytes() || (handle.is_empty() && !alone);
        if !named || self.question.user.is_some_and(|user| user != row.user) {
            return refused("this passkey is someone else's");
        }
        let known = Known { key: &row.public_key, counter: row.counter };
        let seen = Use { data: &data, signature: &signature };
        let used = ClientData::of_used(rp, &client)
            .and_then(|client| Ok((webauthn::used(rp, &client, known, seen)?, client)));
        let (used, client) = match used {
            Ok(passed) => passed,
            Err(flaw) => return refused(&flaw.to_string()),
        };
        if alone && !used.verified {
            return refused(&webauthn::Flaw::Unverified.to_string());
        }
        if let Err(why) = self.question.spend(tx, &checks.seal, &client.challenge)? {
            return refused(&why);
        }
        passkeys::used(tx, row.id, used.counter)?;
        Ok(Ok(row))
    }

    /// Reads a passkey that was made; why it is none, otherwise.
    fn made(&self, checks: &Checks, tx: &WriteTx<'_>) -> Result<std::result::Result<Made, String>> {
        let Some(rp) = &checks.rp else { return refused(NOT_HERE) };
        let parts = self
            .sent
            .as_ref()
            .and_then(|sent| Some((part(&sent.client_data)?, part(&sent.attestation)?)));
        let Some((client, attestation)) = parts else { return refused(UNREADABLE) };
        let made = ClientData::of_made(rp, &client)
            .and_then(|client| Ok((webauthn::made(rp, &attestation)?, client)));
        let (made, client) = match made {
            Ok(passed) => passed,
            Err(flaw) => return refused(&flaw.to_string()),
        };
        if let Err(why) = self.question.spend(tx, &checks.seal, &client.challenge)? {
            return refused(&why);
        }
        Ok(Ok(made))
    }
}

const UNREADABLE: &str = "what the browser sent of the passkey cannot be read";
const NOT_HERE: &str =
    "passkeys work where the server is reached by a name and HTTPS; its access URL is neither";

fn refused<T>(why: &str) -> Result<std::result::Result<T, String>> {
    Ok(Err(why.to_owned()))
}

fn part(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

impl App {
    /// Whether passkeys can be made for where the server is reached.
    #[must_use]
    pub fn takes_passkeys(&self) -> bool {
        Rp::of(&self.policy.access_url).is_some()
    }

    /// What a browser is to make a passkey from, JSON.
    ///
    /// # Errors
    /// [`Error::Conflict`] where there can be none, or there are too many.
    pub async fn new_passkey(&self, actor: &Actor) -> Result<String> {
        let (user, session) = session_of(actor)?;
        actor.require_fresh(self.clock.now())?;
        let checks = self.checks();
        let rp = checks.rp.clone().ok_or_else(|| Error::conflict(NOT_HERE))?;
        let ids = self.db.read(move |tx| passkeys::credentials_of(tx, user)).await?;
        if ids.len() >= MAX_PASSKEYS {
            let why = format!("you have {MAX_PASSKEYS} passkeys; remove one first");
            return Err(Error::Conflict(why));
        }
        let question = Question::new(Purpose::Add, Some(user), Some(session), self.clock.now());
        let whose = &actor.caller()?.user;
        Ok(creation(&rp, whose, &question.seal(&checks.seal), &ids))
    }

    /// Adds a passkey that a browser has made. The first factor of someone needs their password too.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what does not fit, [`Error::Conflict`] for one that is known.
    pub async fn add_passkey(
        &self,
        actor: &Actor,
        name: &str,
        (answer, password): (String, &str),
    ) -> Result<Added> {
        let (user, session) = session_of(actor)?;
        let name = parse_name(name)?;
        self.require_set_up(actor, password).await?;
        let (checks, token, who) = (self.checks(), self.new_token(), actor.clone());
        let added = self
            .db
            .write(move |tx| {
                let question = Question::new(Purpose::Add, Some(user), Some(session), tx.now);
                let made = match Answer::read(&answer, &question).made(&checks, tx)? {
                    Ok(made) => made,
                    Err(why) => return Ok(Err(why)),
                };
                if passkeys::credentials_of(tx, user)?.len() >= MAX_PASSKEYS {
                    return Err(Error::conflict("there are too many passkeys; remove one first"));
                }
                passkeys::insert(tx, tx.fresh(), (user, &name), &made)
                    .map_err(|e| Error::taken(e, || "this passkey is on file".to_owned()))?;
                let diff = Diff::new().field("passkey", "", name.as_str());
                Ok(Ok(factors::added(tx, &who, (session, token), &diff)?))
            })
            .await?;
        added.map_err(|why| Error::invalid("passkey", why))
    }

    /// Gives one of one's own passkeys another name.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, [`Error::Invalid`] for a name that does not fit.
    pub async fn rename_passkey(&self, actor: &Actor, id: PasskeyId, name: &str) -> Result<()> {
        let name = parse_name(name)?;
        self.change_passkey(
            actor,
            move |tx, user, old| {
                passkeys::rename(tx, user, id, &name)?;
                Ok(Diff::new().field("passkey", old.to_owned(), name))
            },
            id,
        )
        .await
    }

    /// Removes one of one's own passkeys.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, [`Error::Conflict`] for the last factor of who must
    /// have one.
    pub async fn remove_passkey(&self, actor: &Actor, id: PasskeyId) -> Result<()> {
        let needed = self.mfa_roles().ask(&actor.caller()?.user);
        self.change_passkey(
            actor,
            move |tx, user, old| {
                passkeys::delete(tx, user, id)?;
                factors::after_removal(tx, user, needed)?;
                Ok(Diff::new().field("passkey", old, ""))
            },
            id,
        )
        .await
    }

    async fn change_passkey(
        &self,
        actor: &Actor,
        change: impl FnOnce(&WriteTx<'_>, UserId, &str) -> Result<Diff> + Send + 'static,
        id: PasskeyId,
    ) -> Result<()> {
        let (user, _) = session_of(actor)?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let own = passkeys::list_of(tx, user)?;
                let found = own.iter().find(|passkey| passkey.id == id);
                let old = found.ok_or(Error::NotFound("passkey"))?;
                actor.require_fresh(tx.now)?;
                let diff = change(tx, user, &old.name)?;
                record(tx, &actor, &entry(AuditAction::Write, &actor.caller()?.user, &diff))?;
                tx.emit(Event::User(user));
                Ok(())
            })
            .await
    }
}

/// What a browser is to make a passkey from.
fn creation(rp: &Rp, user: &User, question: &[u8], known: &[Vec<u8>]) -> String {
    let kinds: Vec<_> =
        key::ALGORITHMS.iter().map(|alg| json!({ "type": "public-key", "alg": alg })).collect();
    let known = super::checks::descriptors(known);
    let shown = if user.name.is_empty() { user.username.as_str() } else { &user.name };
    json!({
        "challenge": URL_SAFE_NO_PAD.encode(question),
        "rp": { "id": rp.id, "name": format!("Steading at {}", rp.id) },
        "user": {
            "id": URL_SAFE_NO_PAD.encode(user.id.0.as_bytes()),
            "name": user.username.as_str(),
            "displayName": shown,
        },
        "pubKeyCredParams": kinds,
        "excludeCredentials": known,
        "authenticatorSelection": { "residentKey": "preferred", "userVerification": "preferred" },
        "attestation": "none",
        "timeout": LASTS.as_millis(),
    })
    .to_string()
}

fn parse_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Error::invalid("name", "is empty; say where the passkey is kept"));
    }
    text::check_line(name, MAX_PASSKEY_NAME).map_err(|e| Error::invalid("name", e))?;
    Ok(name.to_owned())
}
