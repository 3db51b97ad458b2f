//! Ports and the SSH agent, brought from one end to the other.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::cli::context::Context;
use crate::cli::link::TunnelLink;
use crate::model::id::SessionId;
use crate::model::session::SessionKind;
use crate::ssh::{BoxStream, Link as _};
use crate::tasks::OnPanic;
use crate::wire::session::{Back, Kind, ListenOn};

/// A port here that leads into the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Where to listen here.
    pub listen: (String, u16),
    /// Where it leads, seen from the workspace.
    pub to: (String, u16),
}

/// A port in the workspace that leads here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Where to listen there; an empty host for loopback.
    pub listen: (String, u16),
    /// Where it leads, seen from here.
    pub to: (String, u16),
}

/// Text that is not a forward.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a forward; write PORT:HOST:HOSTPORT or ADDRESS:PORT:HOST:HOSTPORT")]
pub struct BadForward(String);

impl FromStr for Local {
    type Err = BadForward;

    fn from_str(text: &str) -> Result<Self, BadForward> {
        let (listen, to) = ends(text)?;
        let host = if listen.0.is_empty() { "127.0.0.1".to_owned() } else { listen.0 };
        Ok(Self { listen: (host, listen.1), to })
    }
}

impl FromStr for Remote {
    type Err = BadForward;

    fn from_str(text: &str) -> Result<Self, BadForward> {
        ends(text).map(|(listen, to)| Self { listen, to })
    }
}

type End = (String, u16);

fn ends(text: &str) -> Result<(End, End), BadForward> {
    let bad = || BadForward(text.to_owned());
    let port = |part: &str| part.parse::<u16>().map_err(|_| bad());
    let parts = split(text);
    match &*parts {
        [listen, host, to] => Ok(((String::new(), port(listen)?), (host.clone(), port(to)?))),
        [address, listen, host, to] => {
            Ok(((address.clone(), port(listen)?), (host.clone(), port(to)?)))
        }
        _ => Err(bad()),
    }
}

/// Parts between colons; brackets hold an IPv6 address together.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut inside = false;
    for c in text.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            ':' if !inside => parts.push(String::new()),
            _ => parts.iter_mut().last().into_iter().for_each(|p| p.push(c)),
        }
    }
    parts
}

/// Listens here and leads each connection into the workspace. Gives where it listens.
///
/// # Errors
/// When the port here is taken.
pub async fn serve_local(
    ctx: &Context,
    link: &Arc<TunnelLink>,
    local: Local,
) -> anyhow::Result<SocketAddr> {
    let (host, port) = &local.listen;
    let listener = TcpListener::bind((host.as_str(), *port))
        .await
        .with_context(|| format!("Listening on {host}:{port}. Choose another port here"))?;
    let at = listener.local_addr()?;
    let (ctx_of_task, link) = (ctx.clone(), Arc::clone(link));
    ctx.tasks.spawn("local forward", OnPanic::Lose, async move {
        loop {
            let Ok((io, _)) = listener.accept().await else { continue };
            let (ctx, link, to) = (ctx_of_task.clone(), Arc::clone(&link), local.to.clone());
            ctx_of_task.tasks.spawn("forwarded connection", OnPanic::Lose, async move {
                if let Err(error) = lead_in(&ctx, &link, (io, &to)).await {
                    ctx.out.note(&format!("{}:{}: {error:#}", to.0, to.1));
                }
            });
        }
    });
    Ok(at)
}

async fn lead_in(
    ctx: &Context,
    link: &TunnelLink,
    (mut io, (host, port)): (TcpStream, &End),
) -> anyhow::Result<()> {
    io.set_nodelay(true)?;
    let session = SessionId(ctx.entropy.uuid7(ctx.clock.now_ms()));
    let kind = Kind::Tcp { host: host.clone(), port: *port };
    let mut opening = link.open(kind, SessionKind::Forward, session).await?;
    // A connection that breaks is the concern of its two ends.
    let _ = tokio::io::copy_bidirectional(&mut io, &mut opening.stream).await;
    Ok(())
}

/// The listeners in the workspace; they end when this is dropped.
pub struct Listeners(
    #[expect(dead_code, reason = "held so that the listeners live")] Vec<BoxStream>,
);

/// Listens in the workspace and leads each connection here; likewise the SSH agent's.
///
/// # Errors
/// When the workspace refuses a listener.
pub async fn serve_remote(
    ctx: &Context,
    link: &Arc<TunnelLink>,
    (session, remotes, agent): (SessionId, Vec<Remote>, Option<PathBuf>),
) -> anyhow::Result<Listeners> {
    let mut listeners = Vec::new();
    if remotes.is_empty() && agent.is_none() {
        return Ok(Listeners(listeners));
    }
    let backs = link.backs(session);
    for remote in &remotes {
        let (host, port) = remote.listen.clone();
        let on = ListenOn::Tcp { host, port };
        let opening = link
            .open(Kind::Listen { on }, SessionKind::Forward, session)
            .await
            .with_context(|| format!("Listening on port {port} of the workspace"))?;
        listeners.push(opening.stream);
    }
    let of_task = ctx.clone();
    ctx.tasks.spawn("remote forwards", OnPanic::Lose, async move {
        take_backs(&of_task, backs, (&remotes, agent)).await;
    });
    Ok(Listeners(listeners))
}

async fn take_backs(
    ctx: &Context,
    mut backs: mpsc::Receiver<(Back, BoxStream)>,
    (remotes, agent): (&[Remote], Option<PathBuf>),
) {
    while let Some((back, stream)) = backs.recv().await {
        let target = match back {
            Back::Accepted { on: ListenOn::Tcp { port, .. }, .. } => {
                let found = remotes.iter().find(|r| r.listen.1 == port);
                found.map(|r| Target::Tcp(r.to.clone()))
            }
            Back::SshAgent => agent.clone().map(Target::Unix),
            Back::Accepted { on: ListenOn::Unix { .. }, .. } => None,
        };
        let Some(target) = target else { continue };
        let out = ctx.out.clone();
        ctx.tasks.spawn("connection back", OnPanic::Lose, async move {
            if let Err(error) = lead_out(stream, &target).await {
                out.note(&format!("{target:?}: {error}"));
            }
        });
    }
}

#[derive(Debug)]
enum Target {
    Tcp(End),
    Unix(PathBuf),
}

async fn lead_out(mut stream: BoxStream, target: &Target) -> std::io::Result<()> {
    match target {
        Target::Tcp((host, port)) => {
            let mut io = TcpStream::connect((host.as_str(), *port)).await?;
            io.set_nodelay(true)?;
            tokio::io::copy_bidirectional(&mut io, &mut stream).await?;
        }
        Target::Unix(path) => {
            #[cfg(unix)]
            {
                let mut io = tokio::net::UnixStream::connect(path).await?;
                tokio::io::copy_bidirectional(&mut io, &mut stream).await?;
            }
            #[cfg(not(unix))]
            return Err(std::io::Error::other(format!("{} is no socket here", path.display())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwards_are_read_as_ssh_reads_them() {
        let local = |text: &str| {
            text.parse::<Local>()
                .map(|l| format!("{}:{} {}:{}", l.listen.0, l.listen.1, l.to.0, l.to.1))
        };
        assert_eq!(local("8080:localhost:80").unwrap(), "127.0.0.1:8080 localhost:80");
        assert_eq!(local("0.0.0.0:8080:db:5432").unwrap(), "0.0.0.0:8080 db:5432");
        assert_eq!(local("[::1]:8080:[fd00::1]:80").unwrap(), "::1:8080 fd00::1:80");
        assert!(local("8080").is_err());
        assert!(local("x:localhost:80").is_err());
    }
}
