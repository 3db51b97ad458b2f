//! Terminals of an agent: each outlives the streams that show it.

mod answers;
mod attachments;
mod terminal;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

use super::marks;
use super::sessions::process::{Program, Running};
use super::sessions::{Outside, Settings, motd, pty};
use crate::model::id::TerminalId;
use crate::ssh::frames::{FrameReader, FrameWriter};
use crate::ssh::screen::Screen;
use crate::tasks::{OnPanic, Tasks};
use crate::wire::frame::Frame;
use attachments::{AttachmentId, QUEUED_FRAMES};
use terminal::{Command, Terminal};

/// Terminals of one agent. A person has a few tabs.
const MAX_TERMINALS: usize = 64;

/// Commands that wait for a terminal; whoever sends more waits.
const QUEUED_COMMANDS: usize = 32;

/// The terminals of an agent.
pub(crate) struct Terminals {
    all: Arc<Mutex<BTreeMap<TerminalId, mpsc::Sender<Command>>>>,
    outside: Arc<dyn Outside>,
    tasks: Tasks,
}

/// Which terminal is wanted, how large, and what a new one runs.
pub(crate) struct Wanted {
    pub(crate) id: TerminalId,
    pub(crate) size: (u16, u16),
    pub(crate) command: Option<String>,
    /// How a login shell is started that marks what it runs.
    pub(crate) marks: Option<marks::Start>,
    /// Whether none is started when it is not there.
    pub(crate) only_join: bool,
    /// Whether this place has to get everything.
    pub(crate) misses_nothing: bool,
}

/// A place at a terminal.
pub(crate) struct Attached {
    id: AttachmentId,
    commands: mpsc::Sender<Command>,
    frames: mpsc::Receiver<Frame>,
}

impl Terminals {
    /// None yet.
    pub(crate) fn new(outside: Arc<dyn Outside>, tasks: Tasks) -> Self {
        Self { all: Arc::default(), outside, tasks }
    }

    /// Joins a terminal, which is started when it is not there.
    pub(crate) async fn attach(&self, wanted: Wanted, settings: &Settings) -> io::Result<Attached> {
        // One that is just ending does not answer; then a new one is started, once.
        for _ in 0..2 {
            let commands = self.find_or_start(&wanted, settings).await?;
            let (to, frames) = mpsc::channel(QUEUED_FRAMES);
            let (reply, answer) = oneshot::channel();
            let (size, misses_nothing) = (wanted.size, wanted.misses_nothing);
            let attach = Command::Attach { frames: to, size, misses_nothing, reply };
            if commands.send(attach).await.is_ok()
                && let Ok(place) = answer.await
            {
                let id = place.ok_or_else(|| io::Error::other("too many watch this terminal"))?;
                return Ok(Attached { id, commands, frames });
            }
        }
        Err(io::Error::other("the terminal ended"))
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.all).is_empty()
    }

    /// Ends one, if it is there.
    pub(crate) fn end(&self, id: TerminalId) {
        let Some(commands) = lock(&self.all).get(&id).cloned() else { return };
        self.tasks.spawn("end terminal", OnPanic::Lose, async move {
            let _ = commands.send(Command::End).await;
        });
    }

    async fn find_or_start(
        &self,
        wanted: &Wanted,
        settings: &Settings,
    ) -> io::Result<mpsc::Sender<Command>> {
        let motd = match wanted.command {
            None if wanted.only_join => None,
            None => motd::of(settings).await,
            Some(_) => None,
        };
        let mut all = lock(&self.all);
        if let Some(commands) = all.get(&wanted.id).filter(|c| !c.is_closed()) {
            return Ok(commands.clone());
        }
        if wanted.only_join {
            return Err(io::Error::other("this terminal is not open"));
        }
        if all.len() >= MAX_TERMINALS {
            return Err(io::Error::other("there are too many terminals; close some"));
        }
        let (to, commands) = mpsc::channel(QUEUED_COMMANDS);
        let mut screen = Screen::new(wanted.size.0, wanted.size.1);
        if let Some(Frame::Stdout(text)) = motd {
            screen.feed(&text);
        }
        let (master, running) = self.start(wanted, settings, screen.size())?;
        let (terminal, typed) = Terminal::new(master, running, screen, commands);
        all.insert(wanted.id, to.clone());
        let (id, registry, own) = (wanted.id, Arc::clone(&self.all), to.clone());
        let outside = Arc::clone(&self.outside);
        self.tasks.spawn("terminal", OnPanic::Lose, async move {
            terminal.run(typed).await;
            let mut all = lock(&registry);
            if all.get(&id).is_some_and(|current| current.same_channel(&own)) {
                all.remove(&id);
                // Before another of this id begins.
                outside.terminal_ended(id);
            }
        });
        Ok(to)
    }

    fn start(
        &self,
        wanted: &Wanted,
        settings: &Settings,
        size: (u16, u16),
    ) -> io::Result<(pty::Master, Running)> {
        let added = [("TERM", "xterm-256color"), ("COLORTERM", "truecolor")];
        let program = Program {
            settings,
            command: wanted.command.as_deref(),
            wanted: &BTreeMap::new(),
            added: added.map(|(name, value)| (name, value.to_owned())).into(),
            marks: wanted.marks.clone(),
        };
        let (master, group) = program.start_in_terminal(size, &[])?;
        Ok((master, Running::new(group, self.tasks.clone())))
    }
}

impl Attached {
    /// Serves a stream until it or the terminal ends.
    pub(crate) async fn serve<R, W>(
        mut self,
        reader: FrameReader<R>,
        writer: FrameWriter<W>,
    ) -> io::Result<()>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let ended = tokio::select! {
            ended = show(&mut self.frames, writer) => ended,
            () = keys(self.id, &self.commands, reader) => Ok(()),
        };
        let _ = self.commands.send(Command::Detach(self.id)).await;
        ended
    }
}

async fn show<W: AsyncWrite + Unpin>(
    frames: &mut mpsc::Receiver<Frame>,
    mut writer: FrameWriter<W>,
) -> io::Result<()> {
    while let Some(frame) = frames.recv().await {
        writer.write(&frame).await?;
    }
    writer.finish().await
}

async fn keys<R: AsyncRead + Unpin>(
    id: AttachmentId,
    commands: &mpsc::Sender<Command>,
    mut reader: FrameReader<R>,
) {
    while let Ok(Some(frame)) = reader.next().await {
        let command = match frame {
            Frame::Stdin(bytes) => Command::Keys(id, bytes),
            Frame::Resize { cols, rows } => Command::Resize(id, (cols, rows)),
            Frame::Signal(name) => Command::Signal(name),
            Frame::StdinEnd => return,
            Frame::Stdout(_)
            | Frame::Stderr(_)
            | Frame::Exit(_)
            | Frame::Killed(_)
            | Frame::Notice(_) => continue,
        };
        if commands.send(command).await.is_err() {
            // The terminal ended; its last frames are still on their way.
            return std::future::pending().await;
        }
    }
}

fn lock<T>(all: &Mutex<T>) -> MutexGuard<'_, T> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}
