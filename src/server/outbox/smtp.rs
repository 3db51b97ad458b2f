//! The way to a mail server, a step at a time, so that the first one that fails is the one that is named.

use std::net::SocketAddr;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::{Error, extension::ClientId};

use super::letter::message;
use crate::model::mail::{MailServer, MailTls};
use crate::server::app::mails::{Outgoing, Sent};

/// Time for a server to be found, reached and signed in to.
const REACHED_WITHIN: Duration = Duration::from_secs(20);
/// Time for a server to take one mail: some look for spam before they answer.
const TAKEN_WITHIN: Duration = Duration::from_mins(1);
/// Time to say good-bye, which nothing waits for.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);
/// What a server says is told as far as this, in characters.
const MAX_SAID: usize = 240;
/// Ways to show a password, the plain ones: they go over TLS, or no further than this machine.
const MECHANISMS: &[Mechanism] = &[Mechanism::Plain, Mechanism::Login];

/// The way to a server, which is opened for the first mail and kept for the others.
pub(super) struct Way<'a> {
    server: &'a MailServer,
    /// The site's address.
    base: &'a str,
    open: Option<AsyncSmtpConnection>,
    /// Why it cannot be opened: it is not tried again for each mail.
    closed: Option<String>,
}

impl<'a> Way<'a> {
    /// The way to a server from the site of this address.
    pub(super) fn new(server: &'a MailServer, base: &'a str) -> Self {
        Self { server, base, open: None, closed: None }
    }

    /// Sends one mail.
    pub(super) async fn send(&mut self, mail: &Outgoing) -> Sent {
        let made = match message(self.server, (mail, self.base)) {
            Ok(made) => made,
            Err(why) => return Sent::Never(why),
        };
        let mut connection = match self.connection().await {
            Ok(connection) => connection,
            Err(why) => return Sent::Later(why),
        };
        let handing = hand_over(&mut connection, &made);
        match tokio::time::timeout(TAKEN_WITHIN, handing).await {
            Ok(Ok(())) => {
                self.open = Some(connection);
                Sent::Taken
            }
            Ok(Err((why, true))) => Sent::Never(why),
            Ok(Err((why, false))) => Sent::Later(why),
            Err(_) => Sent::Later(late(self.server, TAKEN_WITHIN)),
        }
    }

    /// Ends it in peace.
    pub(super) async fn close(self) {
        if let Some(connection) = self.open {
            quit(connection).await;
        }
    }

    /// The connection that is open, or a new one.
    async fn connection(&mut self) -> Result<AsyncSmtpConnection, String> {
        if let Some(open) = self.open.take() {
            return Ok(open);
        }
        if let Some(why) = &self.closed {
            return Err(why.clone());
        }
        let reaching = tokio::time::timeout(REACHED_WITHIN, reach(self.server, self.base)).await;
        let reached = reaching.unwrap_or_else(|_| Err(late(self.server, REACHED_WITHIN)));
        reached.inspect_err(|why| self.closed = Some(why.clone()))
    }
}

async fn quit(mut connection: AsyncSmtpConnection) {
    let _ = tokio::time::timeout(CLOSED_WITHIN, connection.quit()).await;
}

fn late(server: &MailServer, within: Duration) -> String {
    format!("{} did not answer in {} s", place(server), within.as_secs())
}

fn place(server: &MailServer) -> String {
    format!("{}:{}", server.server, server.port)
}

/// Finds, reaches and signs in to a server; `base` is the site's address, by whose host we greet it.
async fn reach(server: &MailServer, base: &str) -> Result<AsyncSmtpConnection, String> {
    let (name, place) = (server.server.as_str(), place(server));
    let found = tokio::net::lookup_host((name, server.port)).await;
    let found: Vec<SocketAddr> = found.map_err(|e| format!("{name} was not found: {e}"))?.collect();
    let tls = || {
        let made = TlsParameters::new_rustls(name.to_owned());
        made.map_err(|e| format!("TLS cannot be set up: {}", said(&e)))
    };
    let at_once = (server.tls == MailTls::Tls).then(tls).transpose()?;
    let us = greeting(base);
    let connecting =
        AsyncSmtpConnection::connect_tokio1(found.as_slice(), None, &us, at_once, None).await;
    let mut connection = connecting.map_err(|e| unreached(&place, &e))?;
    if server.tls == MailTls::Starttls {
        if !connection.can_starttls() {
            quit(connection).await;
            return Err(format!(
                "{place} does not offer STARTTLS, so nothing was said; \
                 set tls to \"tls\" if the whole connection is to be secret"
            ));
        }
        let upgraded = connection.starttls(tls()?, &us).await;
        upgraded.map_err(|e| format!("TLS with {place} failed: {}", said(&e)))?;
    }
    if !server.user.is_empty() {
        sign_in(&mut connection, server).await?;
    }
    Ok(connection)
}

/// Who we say we are.
fn greeting(base: &str) -> ClientId {
    match url::Url::parse(base).ok().as_ref().and_then(url::Url::host) {
        Some(url::Host::Domain(name)) => ClientId::Domain(name.to_owned()),
        Some(url::Host::Ipv4(ip)) => ClientId::Ipv4(ip),
        Some(url::Host::Ipv6(ip)) => ClientId::Ipv6(ip),
        None => ClientId::default(),
    }
}

async fn sign_in(connection: &mut AsyncSmtpConnection, server: &MailServer) -> Result<(), String> {
    let place = place(server);
    if connection.server_info().get_auth_mechanism(MECHANISMS).is_none() {
        connection.abort().await;
        return Err(format!("{place} takes no password this way; leave the user empty"));
    }
    let credentials = Credentials::new(server.user.clone(), server.password.to_string());
    match connection.auth(MECHANISMS, &credentials).await {
        Ok(_) => Ok(()),
        Err(error) => {
            connection.abort().await;
            let user = &server.user;
            Err(format!("{place} does not let {user:?} in with this password: {}", said(&error)))
        }
    }
}

/// Hands a mail over; what was wrong, and whether it will be so again.
async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    mail: &lettre::Message,
) -> Result<(), (String, bool)> {
    let (from, to) = (mail.envelope().from().cloned(), mail.envelope().to().to_vec());
    let sender = from.as_ref().map(ToString::to_string).unwrap_or_default();
    // A sender is set once for all mails: that it is refused can be mended, and they then go.
    if let Err(error) = connection.command(Mail::new(from, vec![])).await {
        connection.abort().await;
        return Err((format!("mails from {sender} are not taken: {}", said(&error)), false));
    }
    for address in to {
        if let Err(error) = connection.command(Rcpt::new(address.clone(), vec![])).await {
            connection.abort().await;
            let why = format!("mails to {address} are not taken: {}", said(&error));
            return Err((why, error.is_permanent()));
        }
    }
    let handed = async {
        connection.command(Data).await?;
        connection.message(&mail.formatted()).await
    };
    if let Err(error) = handed.await {
        connection.abort().await;
        return Err((format!("the mail was not taken: {}", said(&error)), error.is_permanent()));
    }
    Ok(())
}

fn unreached(place: &str, error: &Error) -> String {
    let why = said(error);
    if !is_of_tls(error) {
        return format!("{place} cannot be reached: {why}");
    }
    // A server that speaks in the clear answers a greeting of TLS by what looks like a broken one.
    let hint = if why.contains("InvalidContentType") { "; it may want \"starttls\"" } else { "" };
    format!("TLS with {place} failed: {why}{hint}")
}

/// Whether the way was there, and the secrecy of it was what failed.
fn is_of_tls(error: &Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_kind = inner.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if inner_kind == Some(std::io::ErrorKind::InvalidData) {
            return true;
        }
        source = inner.source();
    }
    error.is_tls()
}

/// What went wrong, in one short line.
fn said(error: &Error) -> String {
    let mut text = error.status().map(|code| code.to_string()).unwrap_or_default();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = if text.is_empty() { inner_text } else { format!("{text} {inner_text}") };
        }
        source = inner.source();
    }
    if text.is_empty() {
        text = error.to_string();
    }
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_SAID).collect()
}
