//! The transport's callbacks: requests are answered at once, data goes to inboxes, the rest becomes events.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use russh::server::{Auth as Verdict, ChannelOpenHandle, Msg, Session};
use russh::{ChannelId, ChannelOpenFailure, ChannelWriteHalf, MethodKind, MethodSet, Sig};
use tokio::sync::{mpsc, oneshot, watch};

use super::channel::{Answer, Channel, Request, Start};
use super::config::Auth;
use super::gate::{Gate, Who};
use super::inbox::Inbox;
use super::inboxes::Inboxes;
use super::keys::PublicKey;
use crate::wire::session::{Kind, ListenOn, Pty};

/// Channels of one connection. A browser behind `-D` opens a few dozen.
const MAX_CHANNELS: usize = 512;

/// What the client wants that takes time.
pub(super) enum Event {
    /// A session channel starts something.
    Start { start: Start, inbox: Arc<Inbox>, out: ChannelWriteHalf<Msg> },
    /// A channel to a port or a socket; the handle says whether it opens.
    Connect { kind: Kind, reply: ChannelOpenHandle, inbox: Arc<Inbox>, out: ChannelWriteHalf<Msg> },
    /// Listen in the workspace; answered with the port.
    Listen { on: ListenOn, reply: oneshot::Sender<Option<u16>> },
    /// Listen no more; answered with whether it did.
    Unlisten { on: ListenOn, reply: oneshot::Sender<bool> },
}

/// Someone who proved who they are.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) who: Who,
    pub(super) name: String,
    pub(super) client: String,
}

pub(super) struct Handler<G> {
    pub(super) gate: Arc<G>,
    pub(super) auth: Auth,
    pub(super) login: watch::Sender<Option<Login>>,
    pub(super) inboxes: Inboxes,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) channels: BTreeMap<ChannelId, SessionChannel>,
    pub(super) proven: Option<(Who, String)>,
}

/// A session channel before it starts something; the writing half leaves with the start.
pub(super) struct SessionChannel {
    state: Channel,
    out: Option<ChannelWriteHalf<Msg>>,
}

impl<G: Gate> Handler<G> {
    async fn request(
        &mut self,
        id: ChannelId,
        request: Request,
        session: &mut Session,
    ) -> anyhow::Result<()> {
        let Some(channel) = self.channels.get_mut(&id) else {
            return Ok(session.channel_failure(id)?);
        };
        match channel.state.request(request) {
            Answer::Yes => session.channel_success(id)?,
            Answer::No => session.channel_failure(id)?,
            Answer::Pass(frame) => {
                self.inboxes.of(id).control(frame);
                session.channel_success(id)?;
            }
            Answer::Start(start) => {
                let Some(out) = channel.out.take() else {
                    return Ok(session.channel_failure(id)?);
                };
                session.channel_success(id)?;
                let inbox = self.inboxes.of(id);
                self.events.send(Event::Start { start, inbox, out }).await?;
            }
        }
        Ok(())
    }

    async fn connect(
        &mut self,
        channel: russh::Channel<Msg>,
        kind: Kind,
        reply: ChannelOpenHandle,
    ) -> anyhow::Result<()> {
        if self.inboxes.len() >= MAX_CHANNELS {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        }
        let (_, out) = channel.split();
        let inbox = self.inboxes.of(out.id());
        self.events.send(Event::Connect { kind, reply, inbox, out }).await?;
        Ok(())
    }

    async fn listen(&mut self, on: ListenOn) -> anyhow::Result<Option<u16>> {
        let (reply, answer) = oneshot::channel();
        self.events.send(Event::Listen { on, reply }).await?;
        Ok(answer.await.ok().flatten())
    }

    async fn unlisten(&mut self, on: ListenOn) -> anyhow::Result<bool> {
        let (reply, answer) = oneshot::channel();
        self.events.send(Event::Unlisten { on, reply }).await?;
        Ok(answer.await.unwrap_or(false))
    }

    async fn ask(&self, login: &str, key: &russh::keys::PublicKey) -> Option<Who> {
        match (&self.auth, PublicKey::offered(key)) {
            (Auth::PublicKey, Ok(key)) => self.gate.authenticate(login, &key).await,
            (Auth::PublicKey, Err(_)) | (Auth::Proven(_), _) => None,
        }
    }
}

fn only(method: MethodKind) -> Verdict {
    let methods = MethodSet::from(&[method][..]);
    Verdict::Reject { proceed_with_methods: Some(methods), partial_success: false }
}

fn small(value: u32) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

fn tcp(address: &str, port: u32) -> Option<ListenOn> {
    let port = u16::try_from(port).ok()?;
    Some(ListenOn::Tcp { host: address.to_owned(), port })
}

impl<G: Gate> russh::server::Handler for Handler<G> {
    type Error = anyhow::Error;

    async fn auth_none(&mut self, login: &str) -> anyhow::Result<Verdict> {
        match &self.auth {
            Auth::Proven(who) => {
                self.proven = Some((who.clone(), login.to_owned()));
                Ok(Verdict::Accept)
            }
            Auth::PublicKey => Ok(only(MethodKind::PublicKey)),
        }
    }

    async fn auth_publickey_offered(
        &mut self,
        login: &str,
        offer: russh::server::PublicKeyOffer<'_>,
    ) -> anyhow::Result<Verdict> {
        match self.ask(login, offer.public_key).await {
            Some(_) => Ok(Verdict::Accept),
            None => Ok(only(MethodKind::PublicKey)),
        }
    }

    async fn auth_publickey(
        &mut self,
        login: &str,
        key: russh::server::VerifiedPublicKey<'_>,
    ) -> anyhow::Result<Verdict> {
        match self.ask(login, key.public_key).await {
            Some(who) => {
                self.proven = Some((who, login.to_owned()));
                Ok(Verdict::Accept)
            }
            None => Ok(only(MethodKind::PublicKey)),
        }
    }

    async fn auth_succeeded(&mut self, session: &mut Session) -> anyhow::Result<()> {
        let client = String::from_utf8_lossy(session.remote_sshid()).into_owned();
        if let Some((who, name)) = self.proven.clone() {
            self.login.send_replace(Some(Login { who, name, client }));
        }
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: russh::Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> anyhow::Result<()> {
        if self.inboxes.len() >= MAX_CHANNELS {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        }
        let (_, out) = channel.split();
        let id = out.id();
        self.inboxes.of(id);
        self.channels.insert(id, SessionChannel { state: Channel::default(), out: Some(out) });
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: russh::Channel<Msg>,
        host: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> anyhow::Result<()> {
        match u16::try_from(port) {
            Ok(port) => {
                self.connect(channel, Kind::Tcp { host: host.to_owned(), port }, reply).await
            }
            Err(_) => {
                reply.reject(ChannelOpenFailure::ConnectFailed).await;
                Ok(())
            }
        }
    }

    async fn channel_open_direct_streamlocal(
        &mut self,
        channel: russh::Channel<Msg>,
        path: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> anyhow::Result<()> {
        self.connect(channel, Kind::Unix { path: path.to_owned() }, reply).await
    }

    async fn channel_open_confirmation(
        &mut self,
        id: ChannelId,
        _: u32,
        _: u32,
        _: &mut Session,
    ) -> anyhow::Result<()> {
        // Data may follow before the task that opened the channel has noticed.
        self.inboxes.of(id);
        Ok(())
    }

    async fn data(&mut self, id: ChannelId, data: &[u8], _: &mut Session) -> anyhow::Result<()> {
        if let Some(inbox) = self.inboxes.get(id) {
            inbox.push(data)?;
        }
        Ok(())
    }

    fn adjust_window(&mut self, id: ChannelId, current: u32) -> u32 {
        self.inboxes.pressure.window(self.inboxes.get(id).as_deref(), current)
    }

    async fn channel_eof(&mut self, id: ChannelId, _: &mut Session) -> anyhow::Result<()> {
        if let Some(inbox) = self.inboxes.get(id) {
            inbox.end();
        }
        Ok(())
    }

    async fn channel_close(&mut self, id: ChannelId, _: &mut Session) -> anyhow::Result<()> {
        self.channels.remove(&id);
        self.inboxes.close(id);
        Ok(())
    }

    async fn pty_request(
        &mut self,
        id: ChannelId,
        term: &str,
        cols: u32,
        rows: u32,
        _: u32,
        _: u32,
        modes: &[(russh::Pty, u32)],
        session: &mut Session,
    ) -> anyhow::Result<()> {
        let modes = modes.iter().map(|(mode, value)| (*mode as u8, *value)).collect();
        let pty = Pty { term: term.to_owned(), cols: small(cols), rows: small(rows), modes };
        self.request(id, Request::Pty(pty), session).await
    }

    async fn x11_request(
        &mut self,
        id: ChannelId,
        _: bool,
        _: &str,
        _: &str,
        _: u32,
        session: &mut Session,
    ) -> anyhow::Result<()> {
        Ok(session.channel_failure(id)?)
    }

    async fn env_request(
        &mut self,
        id: ChannelId,
        name: &str,
        value: &str,
        session: &mut Session,
    ) -> anyhow::Result<()> {
        let request = Request::Env { name: name.to_owned(), value: value.to_owned() };
        self.request(id, request, session).await
    }

    async fn shell_request(&mut self, id: ChannelId, session: &mut Session) -> anyhow::Result<()> {
        self.request(id, Request::Shell, session).await
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> anyhow::Result<()> {
        self.request(id, Request::Exec(command.to_vec()), session).await
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> anyhow::Result<()> {
        self.request(id, Request::Subsystem(name.to_owned()), session).await
    }

    async fn window_change_request(
        &mut self,
        id: ChannelId,
        cols: u32,
        rows: u32,
        _: u32,
        _: u32,
        session: &mut Session,
    ) -> anyhow::Result<()> {
        let request = Request::Resize { cols: small(cols), rows: small(rows) };
        self.request(id, request, session).await
    }

    async fn agent_request(&mut self, id: ChannelId, _: &mut Session) -> anyhow::Result<bool> {
        let Some(channel) = self.channels.get_mut(&id) else { return Ok(false) };
        Ok(channel.state.request(Request::ForwardAgent) == Answer::Yes)
    }

    async fn signal(
        &mut self,
        id: ChannelId,
        signal: Sig,
        session: &mut Session,
    ) -> anyhow::Result<()> {
        self.request(id, Request::Signal(super::signal::name_of(&signal)), session).await
    }

    async fn tcpip_forward(
        &mut self,
        address: &str,
        port: &mut u32,
        _: &mut Session,
    ) -> anyhow::Result<bool> {
        let Some(on) = tcp(address, *port) else { return Ok(false) };
        let given = self.listen(on).await?;
        if let Some(given) = given {
            *port = u32::from(given);
        }
        Ok(given.is_some())
    }

    async fn cancel_tcpip_forward(
        &mut self,
        address: &str,
        port: u32,
        _: &mut Session,
    ) -> anyhow::Result<bool> {
        match tcp(address, port) {
            Some(on) => self.unlisten(on).await,
            None => Ok(false),
        }
    }

    async fn streamlocal_forward(&mut self, path: &str, _: &mut Session) -> anyhow::Result<bool> {
        Ok(self.listen(ListenOn::Unix { path: path.to_owned() }).await?.is_some())
    }

    fn cancel_streamlocal_forward(
        &mut self,
        path: &str,
        _: &mut Session,
    ) -> impl Future<Output = anyhow::Result<bool>> + Send {
        self.unlisten(ListenOn::Unix { path: path.to_owned() })
    }
}

impl<G> Drop for Handler<G> {
    fn drop(&mut self) {
        self.inboxes.lose_all();
    }
}
