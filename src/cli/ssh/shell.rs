//! A shell or a command in a workspace, on this terminal.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::forward::{self, Local, Remote};
use crate::cli::Exit;
use crate::cli::args::connect::Ssh;
use crate::cli::console::{Heard, Raw, Shown, Told, size};
use crate::cli::context::Context;
use crate::cli::link::TunnelLink;
use crate::model::id::SessionId;
use crate::model::session::SessionKind;
use crate::ssh::frames::{FrameReader, FrameWriter};
use crate::ssh::{BoxStream, Link as _};
use crate::wire::frame::Frame;
use crate::wire::session::{Kind, Pty};

/// Bytes of input taken at once: a paste of some pages.
const INPUT: usize = 32 << 10;
/// What a shell ends with when its connection is lost; `ssh` has the same.
const LOST: u8 = 255;
/// How long the server may take to say why a connection was lost.
const WORD_WITHIN: Duration = Duration::from_millis(500);
/// Added to a signal's number, as shells do.
const SIGNALLED: u8 = 128;

/// Runs it.
///
/// # Errors
/// With the remote command's code, or when the connection is lost.
pub async fn run(
    ctx: &Context,
    link: &Arc<TunnelLink>,
    (command, args): (Option<String>, &Ssh),
) -> anyhow::Result<()> {
    let session = SessionId(ctx.entropy.uuid7(ctx.clock.now_ms()));
    let locals = args.local_forward.iter().map(|f| f.parse()).collect::<Result<Vec<Local>, _>>()?;
    let remotes =
        args.remote_forward.iter().map(|f| f.parse()).collect::<Result<Vec<Remote>, _>>()?;
    for local in locals {
        forward::serve_local(ctx, link, local).await?;
    }
    let named = args.identity_agent.as_ref().or(ctx.around.ssh_agent.as_ref());
    let agent = named.filter(|_| args.forward_agent).cloned();
    if args.forward_agent && agent.is_none() {
        ctx.out.note("No SSH agent runs here (SSH_AUTH_SOCK is not set), so none is forwarded.");
    }
    let _listeners = forward::serve_remote(ctx, link, (session, remotes, agent.clone())).await?;
    let on_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let pty = (args.tty || (command.is_none() && on_terminal)).then(|| pty(ctx));
    let kind = Kind::Exec {
        command,
        env: environment(ctx, args)?,
        pty: pty.clone(),
        forward_agent: agent.is_some(),
    };
    let opening = link.open(kind, SessionKind::Ssh, session).await?;
    let raw = if pty.is_some() { Raw::enter() } else { None };
    let end = tokio::select! {
        end = converse(opening.stream, raw.is_some()) => match end {
            // The agent may have heard first that the right ended.
            Ok(End::Lost) => match tokio::time::timeout(WORD_WITHIN, link.refused()).await {
                Ok(why) => Ok(End::Cut(why)),
                Err(_) => Ok(End::Lost),
            },
            end => end,
        },
        why = link.refused() => Ok(End::Cut(why)),
    };
    drop(raw);
    finish(ctx, end)
}

fn pty(ctx: &Context) -> Pty {
    let (cols, rows) = size();
    let term = ctx.around.term.clone().unwrap_or_else(|| "xterm-256color".to_owned());
    Pty { term, cols, rows, modes: vec![] }
}

fn environment(ctx: &Context, args: &Ssh) -> anyhow::Result<BTreeMap<String, String>> {
    let mut env: BTreeMap<String, String> = ctx.around.locale.iter().cloned().collect();
    for pair in &args.env {
        let (name, value) =
            pair.split_once('=').with_context(|| format!("--env {pair:?} is not NAME=VALUE"))?;
        env.insert(name.to_owned(), value.to_owned());
    }
    Ok(env)
}

/// How a session ended.
enum End {
    Exit(u32),
    Killed(String),
    Lost,
    Cut(String),
}

fn finish(ctx: &Context, end: anyhow::Result<End>) -> anyhow::Result<()> {
    match end {
        Ok(End::Exit(0)) => Ok(()),
        Ok(End::Exit(code)) => Err(Exit::Code(u8::try_from(code).unwrap_or(LOST)).into()),
        Ok(End::Killed(signal)) => {
            ctx.out.note(&format!("The command was ended by the signal {signal}."));
            Err(Exit::Code(SIGNALLED + number(&signal)).into())
        }
        Ok(End::Lost) => {
            ctx.out.note("The connection to the workspace was lost.");
            Err(Exit::Code(LOST).into())
        }
        Ok(End::Cut(why)) => {
            ctx.out.note(&format!("The connection was ended: {why}"));
            Err(Exit::Code(LOST).into())
        }
        // Who read the output has enough of it: `steading ssh kiln -- journalctl -f | head`.
        Err(error) if crate::cli::is_closed_pipe(&error) => {
            Err(Exit::Code(SIGNALLED + number("PIPE")).into())
        }
        Err(error) => {
            ctx.out.note(&format!("The connection to the workspace broke: {error:#}"));
            Err(Exit::Code(LOST).into())
        }
    }
}

/// A signal's number where it is the same on all systems; 0 for others.
fn number(signal: &str) -> u8 {
    match signal {
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        "ILL" => 4,
        "ABRT" => 6,
        "FPE" => 8,
        "KILL" => 9,
        "SEGV" => 11,
        "PIPE" => 13,
        "ALRM" => 14,
        "TERM" => 15,
        _ => 0,
    }
}

/// Input there, output here, until the process has ended.
async fn converse(stream: BoxStream, raw: bool) -> anyhow::Result<End> {
    let (read, write) = tokio::io::split(stream);
    let (mut reader, writer) = (FrameReader::new(read), FrameWriter::new(write));
    let feeding = feed(writer, raw);
    tokio::pin!(feeding);
    let mut fed = false;
    let (mut stdout, mut stderr) = (tokio::io::stdout(), tokio::io::stderr());
    let (mut out, mut err) = (Shown::default(), Shown::default());
    loop {
        let frame = tokio::select! {
            result = &mut feeding, if !fed => {
                // The other end's own ending says more than a write that failed.
                if let Err(error) = result {
                    tracing::debug!(%error, "input could not be sent");
                }
                fed = true;
                continue;
            }
            frame = reader.next() => frame,
        };
        match frame {
            Ok(Some(Frame::Stdout(data))) => put(&mut stdout, &out.next(data)).await?,
            Ok(Some(Frame::Stderr(data))) => put(&mut stderr, &err.next(data)).await?,
            Ok(Some(Frame::Exit(code))) => return Ok(End::Exit(code)),
            Ok(Some(Frame::Killed(signal))) => return Ok(End::Killed(signal)),
            Ok(Some(Frame::Notice(text))) => put(&mut stderr, &notice(&text)).await?,
            Ok(Some(other)) => bail!("the workspace sent {other:?} out of turn"),
            Ok(None) | Err(_) => return Ok(End::Lost),
        }
    }
}

/// A line of its own, also where the terminal is raw.
fn notice(text: &str) -> Bytes {
    Bytes::from(format!("\r\n{text}\r\n"))
}

async fn put<W: tokio::io::AsyncWrite + Unpin>(to: &mut W, data: &[u8]) -> anyhow::Result<()> {
    to.write_all(data).await?;
    to.flush().await.context("Writing the command's output")
}

/// Sends what is typed, the terminal's size when it changes, and signals when it is not raw.
async fn feed<W>(mut to: FrameWriter<W>, raw: bool) -> anyhow::Result<()>
where
    W: tokio::io::AsyncWrite + Unpin,
{
    let mut stdin = tokio::io::stdin();
    let mut buffer = BytesMut::new();
    let mut heard = Heard::listen()?;
    let mut open = true;
    loop {
        buffer.reserve(INPUT);
        let frame = tokio::select! {
            read = stdin.read_buf(&mut buffer), if open => match read.unwrap_or(0) {
                0 => {
                    open = false;
                    Frame::StdinEnd
                }
                _ => Frame::Stdin(buffer.split().freeze()),
            },
            told = heard.next() => match told {
                Told::Resized if !raw => continue,
                Told::Resized => {
                    let (cols, rows) = size();
                    Frame::Resize { cols, rows }
                }
                Told::Interrupted => Frame::Signal("INT".to_owned()),
                Told::Terminated => Frame::Signal("TERM".to_owned()),
            },
        };
        to.write(&frame).await?;
    }
}
