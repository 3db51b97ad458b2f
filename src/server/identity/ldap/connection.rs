//! One connection to a directory: requests and answers in turn, bounded in size and number.

use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::ber;
use super::message::{Entry, Outcome, Request, Response, Search};
use super::settings::{Security, Settings};
use crate::net::dial::{BoxIo, ConnectError, secure};

/// The longest message that is read: an entry of which we ask a few attributes.
const MAX_MESSAGE: usize = 512 << 10;
/// What one search may say in all.
const MAX_SEARCH: usize = 4 << 20;
/// Room for what is read at once.
const CHUNK: usize = 8 << 10;

/// It is done.
pub const SUCCESS: i32 = 0;
/// There are more entries than were asked for.
pub const SIZE_LIMIT: i32 = 4;
/// There is no such entry.
pub const NO_SUCH_OBJECT: i32 = 32;
/// Codes that say that someone is not let in by this password: 19 constraintViolation, 32
/// noSuchObject, 48 inappropriateAuthentication, 49 invalidCredentials, 50
/// insufficientAccessRights, 53 unwillingToPerform.
const NOT_LET_IN: [i32; 6] = [19, NO_SUCH_OBJECT, 48, 49, 50, 53];

/// Why a directory cannot be asked: what is wrong, for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

/// What came of a search.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Whether there are more than were asked for.
    pub is_cut: bool,
}

/// A connection to a directory.
pub struct Connection {
    io: BoxIo,
    /// What was read and belongs to the next message.
    buffer: BytesMut,
    sent: u32,
}

impl Connection {
    /// Connects, with TLS unless the operator does without it.
    ///
    /// # Errors
    /// Says why it cannot be reached, or why it is not believed to be the one.
    pub async fn open(
        settings: &Settings,
        trust: Arc<rustls::ClientConfig>,
    ) -> Result<Self, Trouble> {
        let host = settings.host.as_str();
        let tcp = TcpStream::connect((host, settings.port)).await;
        let tcp = tcp.and_then(|tcp| tcp.set_nodelay(true).map(|()| tcp));
        let tcp =
            tcp.map_err(|e| Trouble(format!("{host}:{} cannot be reached: {e}", settings.port)))?;
        let mut connection = Self { io: Box::new(tcp), buffer: BytesMut::new(), sent: 0 };
        match settings.security {
            Security::Plain => return Ok(connection),
            Security::Tls => {}
            Security::StartTls => connection.start_tls().await?,
        }
        let secured = secure(connection.io, host, trust).await.map_err(untrusted)?;
        Ok(Self { io: secured, ..connection })
    }

    async fn start_tls(&mut self) -> Result<(), Trouble> {
        let outcome = match self.ask(&Request::StartTls).await? {
            Response::Extended(outcome) => outcome,
            other @ (Response::Entry(_)
            | Response::Reference
            | Response::Done(_)
            | Response::Bound(_)) => return Err(unexpected(&other)),
        };
        if outcome.code != SUCCESS {
            let (code, said) = (outcome.code, outcome.said);
            return Err(Trouble(format!(
                "the directory does not begin TLS (code {code}: {said:?}); use ldaps://, or \
                 start_tls = false where the network is your own"
            )));
        }
        // What came before TLS is nobody's word, and must not be read as if it came through it.
        if self.buffer.is_empty() {
            Ok(())
        } else {
            Err(Trouble("the directory spoke before TLS began".to_owned()))
        }
    }

    /// Becomes someone on this connection. Whether the password is right.
    ///
    /// # Errors
    /// When the directory does not say so or otherwise.
    pub async fn bind(
        &mut self,
        name: &str,
        password: &Zeroizing<String>,
    ) -> Result<bool, Trouble> {
        let request = Request::Bind(name.to_owned(), password.clone());
        match self.ask(&request).await? {
            Response::Bound(outcome) if outcome.code == SUCCESS => Ok(true),
            Response::Bound(outcome) if NOT_LET_IN.contains(&outcome.code) => {
                tracing::debug!(name, code = outcome.code, said = outcome.said, "a bind failed");
                Ok(false)
            }
            Response::Bound(outcome) => Err(refused("a bind", &outcome)),
            other @ (Response::Entry(_)
            | Response::Reference
            | Response::Done(_)
            | Response::Extended(_)) => Err(unexpected(&other)),
        }
    }

    /// Finds entries. References to other directories are not followed.
    ///
    /// # Errors
    /// When the directory does not answer it, or says too much.
    pub async fn search(&mut self, search: Search) -> Result<Results, Trouble> {
        let at_most = usize::try_from(search.at_most).unwrap_or(usize::MAX);
        let id = self.send(&Request::Search(search)).await?;
        let (mut results, mut size) = (Results::default(), 0usize);
        loop {
            let message = self.message().await?;
            size = size.saturating_add(message.len());
            if size > MAX_SEARCH {
                return Err(Trouble("the directory says too much".to_owned()));
            }
            match read(&message, id)? {
                Response::Entry(entry) if results.entries.len() < at_most => {
                    results.entries.push(entry);
                }
                Response::Entry(_) => results.is_cut = true,
                Response::Reference => {}
                Response::Done(outcome) => match outcome.code {
                    SUCCESS | NO_SUCH_OBJECT => return Ok(results),
                    SIZE_LIMIT => return Ok(Results { is_cut: true, ..results }),
                    _ => return Err(refused("a search", &outcome)),
                },
                other @ (Response::Bound(_) | Response::Extended(_)) => {
                    return Err(unexpected(&other));
                }
            }
        }
    }

    /// Says goodbye. That nobody hears it is no matter.
    pub async fn close(mut self) {
        let _ = self.send(&Request::Unbind).await;
        let _ = self.io.shutdown().await;
    }

    async fn ask(&mut self, request: &Request) -> Result<Response, Trouble> {
        let id = self.send(request).await?;
        let message = self.message().await?;
        read(&message, id)
    }

    async fn send(&mut self, request: &Request) -> Result<u32, Trouble> {
        self.sent += 1;
        let bytes = Zeroizing::new(request.to_ber(self.sent));
        self.io.write_all(&bytes).await.map_err(|e| ended(&e))?;
        self.io.flush().await.map_err(|e| ended(&e))?;
        Ok(self.sent)
    }

    /// The next message, whole.
    async fn message(&mut self) -> Result<BytesMut, Trouble> {
        loop {
            if self.buffer.first().is_some_and(|tag| *tag != ber::SEQUENCE) {
                return Err(no_ldap());
            }
            let length = ber::whole(&self.buffer).map_err(|_| no_ldap())?;
            match length {
                Some(length) if length > MAX_MESSAGE => {
                    return Err(Trouble("the directory says too much at once".to_owned()));
                }
                Some(length) if length <= self.buffer.len() => {
                    return Ok(self.buffer.split_to(length));
                }
                Some(_) | None => {}
            }
            self.buffer.reserve(CHUNK);
            if self.io.read_buf(&mut self.buffer).await.map_err(|e| ended(&e))? == 0 {
                return Err(Trouble("the directory ended the connection".to_owned()));
            }
        }
    }
}

/// A message that answers the request `id`. Number 0 is the directory's own: that it ends.
fn read(message: &[u8], id: u32) -> Result<Response, Trouble> {
    let bad = |e: ber::BadBer| Trouble(format!("the directory's answer cannot be read: {e}"));
    match Response::read(message).map_err(bad)? {
        (found, response) if u32::try_from(found) == Ok(id) => Ok(response),
        (0, Response::Extended(outcome)) => Err(refused("the connection", &outcome)),
        (_, _) => Err(Trouble("the directory answers what it was not asked".to_owned())),
    }
}

fn no_ldap() -> Trouble {
    Trouble("what answers speaks no LDAP; is the port right, and ldap:// or ldaps://?".to_owned())
}

fn ended(error: &std::io::Error) -> Trouble {
    Trouble(format!("the connection to the directory ended: {error}"))
}

fn refused(what: &str, outcome: &Outcome) -> Trouble {
    let Outcome { code, said } = outcome;
    Trouble(format!("the directory refuses {what} (code {code}: {said:?})"))
}

fn unexpected(response: &Response) -> Trouble {
    let kind = match response {
        Response::Entry(_) => "an entry",
        Response::Reference => "a reference",
        Response::Done(_) => "the end of a search",
        Response::Bound(_) => "the end of a bind",
        Response::Extended(_) => "the end of an extended operation",
    };
    Trouble(format!("the directory answers with {kind}, which it was not asked for"))
}

fn untrusted(error: ConnectError) -> Trouble {
    let ConnectError::Certificate { host, why } = error else {
        return Trouble(format!("TLS with the directory: {error}"));
    };
    Trouble(format!(
        "the certificate of {host} is not taken: {why}. When its authority is your own, name the \
         authority's file in ca_file"
    ))
}
