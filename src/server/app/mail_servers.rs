//! The server that mails go through: the operator's settings name it, or an owner does, whose password is
//! kept sealed.

use anyhow::Context as _;
use uuid::Uuid;

use super::access::record;
use super::mails::{MAX_GIVEN_UP, MAX_WAITING, Outgoing};
use super::{Actor, App, Error, Result, settings as deployment, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::mail::{Letter, MailServer};
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::time::Timestamp;
use crate::server::db::mails::{self as rows, Mail};
use crate::server::db::seal::{Place, Seal};
use crate::server::db::{ReadTx, WriteTx, settings, users};

/// Where the mail server that owners set is kept, sealed.
const SERVER: &str = "mail_server";
/// Says that the operator's settings name one.
const TOLD: &str = "mail_told";

/// How mails are sent, and what became of them.
#[derive(Clone, Debug)]
pub struct Mailing {
    /// The server they go through, without its password; none where no mails are sent.
    pub server: Option<MailServer>,
    /// Whether it has a password.
    pub has_password: bool,
    /// The operator's settings name it: it is changed there.
    pub is_told: bool,
    /// How many mails wait; at most as many as may.
    pub waiting: usize,
    /// Those that were given up, the last one first.
    pub given_up: Vec<GivenUp>,
}

/// A mail that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// To whom.
    pub to: String,
    /// What it was about.
    pub subject: String,
    /// When it was written.
    pub made_at: Timestamp,
    /// Why it was not taken.
    pub failure: String,
}

impl App {
    /// Writes whether the operator's settings name a mail server: without one nothing is written that
    /// nobody would send.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_mail_told(&self, is_told: bool) -> Result<()> {
        self.db
            .write(move |tx| match is_told {
                true => Ok(settings::put(tx, TOLD, b"1")?),
                false => Ok(settings::delete(tx, TOLD)?),
            })
            .await
    }

    /// The mail server as it is used, with its password.
    ///
    /// # Errors
    /// When the database fails, or what it keeps cannot be read.
    pub async fn mail_server(&self) -> Result<Option<MailServer>> {
        if let Some(told) = &self.policy.mail {
            return Ok(Some(told.clone()));
        }
        let seal = self.seal.clone();
        self.db.read(move |tx| kept(tx, &seal)).await
    }

    /// How mails are sent, and what became of them.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not see the deployment's settings.
    pub async fn mailing(&self, actor: &Actor) -> Result<Mailing> {
        actor.require(self.clock.now(), Action::Read, &object())?;
        let server = self.mail_server().await?;
        let is_told = self.policy.mail.is_some();
        self.db
            .read(move |tx| {
                let given_up = rows::given_up(tx, MAX_GIVEN_UP)?.into_iter();
                let given_up = given_up.map(|mail| shown(tx, mail)).collect::<Result<_>>()?;
                let has_password = server.as_ref().is_some_and(|one| !one.password.is_empty());
                let server = server.map(|one| MailServer { password: String::new().into(), ..one });
                let waiting = rows::waiting(tx, MAX_WAITING)?;
                Ok(Mailing { server, has_password, is_told, waiting, given_up })
            })
            .await
    }

    /// Sets the mail server; an empty password keeps the one there is, as long as it goes to the same
    /// server and user.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] where the operator's settings name one,
    /// [`Error::Invalid`] for what does not fit.
    pub async fn set_mail_server(&self, actor: &Actor, new: MailServer) -> Result<()> {
        self.require_may_set(actor)?;
        let (actor, seal) = (actor.clone(), self.seal.clone());
        self.db
            .write(move |tx| {
                let old = kept(tx, &seal)?;
                let new = with_password(new, old.as_ref())?;
                new.check().map_err(|bad| Error::invalid(bad.field, bad.why))?;
                let text = serde_json::to_vec(&new)
                    .context("Writing the mail server")
                    .map_err(Error::Internal)?;
                settings::put(tx, SERVER, &seal.seal(place(), &text))?;
                let diff = diff(old.as_ref(), Some(&new));
                written(tx, &actor, &diff)
            })
            .await
    }

    /// Has no mails sent any more; those that wait are dropped.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] where the operator's settings name one.
    pub async fn remove_mail_server(&self, actor: &Actor) -> Result<()> {
        self.require_may_set(actor)?;
        let (actor, seal) = (actor.clone(), self.seal.clone());
        self.db
            .write(move |tx| {
                let Some(old) = kept(tx, &seal)? else { return Ok(()) };
                settings::delete(tx, SERVER)?;
                written(tx, &actor, &diff(Some(&old), None))
            })
            .await
    }

    fn require_may_set(&self, actor: &Actor) -> Result<()> {
        actor.require_own()?;
        let now = self.clock.now();
        actor.require(now, Action::Update, &object())?;
        actor.require_fresh(now)?;
        if self.policy.mail.is_some() {
            return Err(Error::conflict("the server's settings name it; change it there"));
        }
        Ok(())
    }

    /// Through which server a test message would go, and to whom: to who asks for it.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] where no mail server is set,
    /// [`Error::Invalid`] for who has no address.
    pub async fn mail_to_try(&self, actor: &Actor) -> Result<(MailServer, Outgoing)> {
        actor.require_own()?;
        actor.require(self.clock.now(), Action::Update, &object())?;
        let user = &actor.caller()?.user;
        let server = self.mail_server().await?;
        let server = server.ok_or_else(|| Error::conflict("no mail server is set"))?;
        let letter = Letter::new(
            "A test of mails from Steading",
            vec!["Mails from here arrive.".to_owned()],
            ("/deployment/mail".to_owned(), "How mails are sent"),
        );
        let (name, address) = (user.name.clone(), user.email.clone());
        let made_at = self.clock.now();
        Ok((server, Outgoing { seq: 0, tries: 0, made_at, name, address, letter }))
    }
}

/// Whether mails are sent at all.
pub(super) fn is_on(tx: &ReadTx<'_>) -> Result<bool> {
    Ok(settings::find(tx, SERVER)?.is_some() || settings::find(tx, TOLD)?.is_some())
}

fn shown(tx: &ReadTx<'_>, mail: Mail) -> Result<GivenUp> {
    let to = users::find(tx, mail.user)?.map(|user| user.username.to_string());
    let letter: Option<Letter> = serde_json::from_str(&mail.letter).ok();
    Ok(GivenUp {
        to: to.unwrap_or_default(),
        subject: letter.map(|letter| letter.subject).unwrap_or_default(),
        made_at: mail.made_at,
        failure: mail.failure,
    })
}

/// The mail server that owners set.
fn kept(tx: &ReadTx<'_>, seal: &Seal) -> Result<Option<MailServer>> {
    let Some(text) = deployment::sealed_secret(tx, seal, SERVER)? else { return Ok(None) };
    let read = serde_json::from_slice(&text).context("Reading the mail server");
    read.map(Some).map_err(Error::Internal)
}

/// The same with the password there was, where none was typed and it goes where it went before.
fn with_password(new: MailServer, old: Option<&MailServer>) -> Result<MailServer> {
    let Some(old) = old.filter(|_| new.password.is_empty() && !new.user.is_empty()) else {
        return Ok(new);
    };
    if old.password.is_empty() {
        return Ok(new);
    }
    if (&old.server, &old.user) != (&new.server, &new.user) {
        return Err(Error::invalid("password", "is needed: the server or the user is another one"));
    }
    Ok(MailServer { password: old.password.clone(), ..new })
}

fn diff(old: Option<&MailServer>, new: Option<&MailServer>) -> Diff {
    let said = |one: Option<&MailServer>| {
        one.map(|m| format!("{}:{} {} {}", m.server, m.port, m.tls, m.user)).unwrap_or_default()
    };
    let from = |one: Option<&MailServer>| one.map(|m| m.from.clone()).unwrap_or_default();
    let diff = Diff::new().field("mail_server", said(old), said(new)).field(
        "mail_from",
        from(old),
        from(new),
    );
    let password = |one: Option<&MailServer>| one.map(|m| m.password.clone());
    if password(old) == password(new) { diff } else { diff.secret("mail_password") }
}

fn written(tx: &WriteTx<'_>, actor: &Actor, diff: &Diff) -> Result<()> {
    if diff.is_empty() {
        return Ok(());
    }
    let entry = trail::entry(AuditAction::Write, AuditTarget::Setting, Uuid::nil(), "mail");
    record(tx, actor, &trail::with(entry, diff))
}

/// Where it is sealed.
const fn place() -> Place<'static> {
    Place { column: "settings.value", row: SERVER }
}

/// The settings of the deployment.
fn object() -> Object {
    Object::site(ResourceType::DeploymentConfig)
}
