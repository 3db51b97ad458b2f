//! A command or a shell of a session, with pipes or in a terminal.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::process::ChildStdin;

use super::process::{Program, Running, end_of};
use super::pty::Master;
use super::ssh_agent::AgentSocket;
use super::{Served, accept, motd, refuse};
use crate::ssh::frames::{FrameReader, FrameWriter};
use crate::ssh::stream::BoxStream;
use crate::wire::frame::{Frame, MAX_FRAME_BYTES};
use crate::wire::session::Pty;

/// While a process does not read its input, the stream is not read either, and its end would not
/// be noticed: it is written to this often.
const PROBE: Duration = Duration::from_secs(15);

/// How long a terminal whose process ended is read on without anything coming.
const DRAIN: Duration = Duration::from_millis(100);

/// How much is read of such a terminal at most: something left behind may go on writing.
const MAX_DRAIN_BYTES: usize = 1 << 20;

/// What a client asks to run.
pub(super) struct Wanted {
    pub(super) command: Option<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) pty: Option<Pty>,
    pub(super) forward_agent: bool,
}

/// Runs it and serves its stream to the end.
pub(super) async fn serve(served: &Served, stream: BoxStream, wanted: Wanted) -> io::Result<()> {
    let settings = served.settings();
    let mut added = BTreeMap::from([("SSH_CONNECTION", NO_CONNECTION.to_owned())]);
    let agent = match wanted.forward_agent {
        true => AgentSocket::open(served).ok(),
        false => None,
    };
    if let Some(agent) = &agent {
        added.insert("SSH_AUTH_SOCK", agent.path());
    }
    if let Some(pty) = &wanted.pty {
        added.insert("TERM", pty.term.clone());
    }
    let program = Program {
        settings: &settings,
        command: wanted.command.as_deref(),
        wanted: &wanted.env,
        added,
        marks: match (&wanted.command, &wanted.pty) {
            (None, Some(_)) => served.marks(),
            _ => None,
        },
    };
    match &wanted.pty {
        None => in_pipes(served, stream, &program).await,
        Some(pty) => in_terminal(served, stream, &program, pty).await,
    }
}

/// Programs look whether the variable is there. The client's address is the server's to know.
const NO_CONNECTION: &str = "0.0.0.0 0 0.0.0.0 0";

async fn in_pipes(served: &Served, mut stream: BoxStream, program: &Program<'_>) -> io::Result<()> {
    let mut running = match program.start() {
        Ok(group) => Running::new(group, served.tasks()),
        Err(error) => return refuse(stream, not_started(program, &error)).await,
    };
    accept(&mut stream, 0).await?;
    let (read, write) = tokio::io::split(stream);
    let mut writer = FrameWriter::new(write);
    let blocked = AtomicBool::new(false);
    let (Some(stdin), Some(stdout), Some(stderr)) = running.pipes() else { return Ok(()) };
    {
        let output = copy_out(stdout, stderr, &mut writer, &blocked);
        let input = copy_in(FrameReader::new(read), stdin, &mut running, &blocked);
        tokio::select! {
            done = output => done?,
            // The stream ended first: dropping the process hangs up.
            () = input => return Ok(()),
        }
    }
    let status = running.wait().await?;
    writer.write(&end_of(status)).await?;
    writer.finish().await
}

fn not_started(program: &Program<'_>, error: &io::Error) -> String {
    format!("Starting {}: {error}", program.settings.shell.display())
}

async fn copy_out<O, E, W>(
    mut stdout: O,
    mut stderr: E,
    writer: &mut FrameWriter<W>,
    blocked: &AtomicBool,
) -> io::Result<()>
where
    O: AsyncRead + Unpin,
    E: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (mut out, mut err) = (BytesMut::new(), BytesMut::new());
    let (mut out_open, mut err_open) = (true, true);
    let mut probe = tokio::time::interval(PROBE);
    while out_open || err_open {
        out.reserve(MAX_FRAME_BYTES);
        err.reserve(MAX_FRAME_BYTES);
        tokio::select! {
            read = read_some(&mut stdout, &mut out), if out_open => {
                out_open = read? > 0;
                if out_open {
                    writer.write(&Frame::Stdout(out.split().freeze())).await?;
                }
            }
            read = read_some(&mut stderr, &mut err), if err_open => {
                err_open = read? > 0;
                if err_open {
                    writer.write(&Frame::Stderr(err.split().freeze())).await?;
                }
            }
            _ = probe.tick() => {
                if blocked.load(Ordering::Relaxed) {
                    writer.write(&Frame::Stdout(bytes::Bytes::new())).await?;
                }
            }
        }
    }
    Ok(())
}

async fn copy_in<R: AsyncRead + Unpin>(
    mut reader: FrameReader<R>,
    stdin: ChildStdin,
    running: &mut Running,
    blocked: &AtomicBool,
) {
    let mut stdin = Some(stdin);
    while let Ok(Some(frame)) = reader.next().await {
        match frame {
            Frame::Stdin(data) => {
                blocked.store(true, Ordering::Relaxed);
                let taken = match &mut stdin {
                    Some(pipe) => pipe.write_all(&data).await.is_ok(),
                    None => false,
                };
                blocked.store(false, Ordering::Relaxed);
                if !taken {
                    stdin = None;
                }
            }
            Frame::StdinEnd => stdin = None,
            Frame::Signal(name) => running.signal(&name, None),
            Frame::Resize { .. }
            | Frame::Stdout(_)
            | Frame::Stderr(_)
            | Frame::Exit(_)
            | Frame::Killed(_)
            | Frame::Notice(_) => {}
        }
    }
}

async fn in_terminal(
    served: &Served,
    mut stream: BoxStream,
    program: &Program<'_>,
    wanted: &Pty,
) -> io::Result<()> {
    let (master, mut running) =
        match program.start_in_terminal((wanted.cols, wanted.rows), &wanted.modes) {
            Ok((master, group)) => (master, Running::new(group, served.tasks())),
            Err(error) => return refuse(stream, not_started(program, &error)).await,
        };
    accept(&mut stream, 0).await?;
    let (read, write) = tokio::io::split(stream);
    let mut writer = FrameWriter::new(write);
    if program.command.is_none()
        && let Some(frame) = motd::of(program.settings).await
    {
        writer.write(&frame).await?;
    }
    let signals = tokio::sync::mpsc::channel(MAX_SIGNALS);
    let (signal, mut signalled) = signals;
    let status = {
        let input = keys_in(FrameReader::new(read), &master, signal);
        let output = screen_out(&master, &mut writer, &mut running, &mut signalled);
        tokio::select! {
            status = output => status?,
            () = input => return Ok(()),
        }
    };
    writer.write(&end_of(status)).await?;
    writer.finish().await
}

/// Signals on their way to a terminal's process.
const MAX_SIGNALS: usize = 8;

async fn screen_out<W: AsyncWrite + Unpin>(
    mut master: &Master,
    writer: &mut FrameWriter<W>,
    running: &mut Running,
    signalled: &mut tokio::sync::mpsc::Receiver<String>,
) -> io::Result<std::process::ExitStatus> {
    let mut buffer = BytesMut::new();
    let status = loop {
        buffer.reserve(MAX_FRAME_BYTES);
        tokio::select! {
            biased;
            Some(name) = signalled.recv() => running.signal(&name, master.foreground()),
            read = read_some(master, &mut buffer) => match read? {
                0 => return running.wait().await,
                _ => writer.write(&Frame::Stdout(buffer.split().freeze())).await?,
            },
            status = running.wait() => break status?,
        }
    };
    master.finish();
    let mut drained = 0;
    while drained < MAX_DRAIN_BYTES {
        buffer.reserve(MAX_FRAME_BYTES);
        match tokio::time::timeout(DRAIN, master.read_buf(&mut buffer)).await {
            Ok(Ok(read)) if read > 0 => {
                drained += read;
                writer.write(&Frame::Stdout(buffer.split().freeze())).await?;
            }
            Ok(_) | Err(_) => break,
        }
    }
    Ok(status)
}

/// Reads at most one frame's payload.
async fn read_some<R: AsyncRead + Unpin>(from: R, buffer: &mut BytesMut) -> io::Result<usize> {
    from.take(MAX_FRAME_BYTES as u64).read_buf(buffer).await
}

async fn keys_in<R: AsyncRead + Unpin>(
    mut reader: FrameReader<R>,
    mut master: &Master,
    signal: tokio::sync::mpsc::Sender<String>,
) {
    while let Ok(Some(frame)) = reader.next().await {
        let done = match frame {
            Frame::Stdin(data) => master.write_all(&data).await,
            // What a person would type; a shell reading it ends.
            Frame::StdinEnd => master.write_all(END_OF_INPUT).await,
            Frame::Resize { cols, rows } => master.resize(cols, rows),
            Frame::Signal(name) => {
                let _ = signal.try_send(name);
                Ok(())
            }
            Frame::Stdout(_)
            | Frame::Stderr(_)
            | Frame::Exit(_)
            | Frame::Killed(_)
            | Frame::Notice(_) => Ok(()),
        };
        if done.is_err() {
            // The process is ending; its last words are still on their way.
            return std::future::pending().await;
        }
    }
}

/// Ctrl-D; on Windows Ctrl-Z on a line of its own.
const END_OF_INPUT: &[u8] = if cfg!(windows) { b"\x1a\r" } else { b"\x04" };
