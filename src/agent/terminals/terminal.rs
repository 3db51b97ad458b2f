//! One terminal: a process with a screen, which goes on when nobody watches.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::answers;
use super::attachments::{AttachmentId, Attachments};
use crate::agent::sessions::process::{Running, end_of};
use crate::agent::sessions::pty::Master;
use crate::ssh::queries::Queries;
use crate::ssh::screen::Screen;
use crate::wire::frame::Frame;

/// One read of the terminal.
const READ_BYTES: usize = 16 << 10;

/// After so much output the other tasks of the agent have their turn: it takes a millisecond, and
/// keys in other terminals must not wait for long.
const BURST_BYTES: usize = 16 << 10;

/// Keys that wait for the process. A paste comes in pieces of at most one frame.
const QUEUED_KEYS: usize = 64;

/// A terminal that nobody watched for so long is ended.
const UNWATCHED_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// How often it is looked who left without a word.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// How soon a slow attachment is shown the screen once it took what waited.
const CATCH_UP_EVERY: Duration = Duration::from_millis(50);

/// How long a terminal whose process ended is read on without anything coming.
const DRAIN: Duration = Duration::from_millis(100);

/// How many times it is read at most: something left behind may go on writing.
const MAX_DRAINED: usize = 64;

/// What attachments say to a terminal.
pub(super) enum Command {
    /// One joins; it is told its number.
    Attach {
        frames: mpsc::Sender<Frame>,
        size: (u16, u16),
        misses_nothing: bool,
        reply: oneshot::Sender<Option<AttachmentId>>,
    },
    /// One types.
    Keys(AttachmentId, Bytes),
    /// One has a new size.
    Resize(AttachmentId, (u16, u16)),
    /// One sends a signal to what runs in the foreground.
    Signal(String),
    /// One left.
    Detach(AttachmentId),
    /// It is over, and so is what runs in it.
    End,
}

pub(super) struct Terminal {
    master: Arc<Master>,
    running: Running,
    screen: Screen,
    queries: Queries,
    attachments: Attachments,
    commands: mpsc::Receiver<Command>,
    keys: mpsc::Sender<Bytes>,
    watched: Instant,
}

/// What happened.
enum Event {
    Output(io::Result<usize>),
    Room,
    Command(Option<Command>),
    Ended(io::Result<std::process::ExitStatus>),
    CatchUp,
    Prune,
}

impl Terminal {
    /// A terminal whose process runs, and the keys that [`Terminal::run`] writes to it.
    pub(super) fn new(
        master: Master,
        running: Running,
        screen: Screen,
        commands: mpsc::Receiver<Command>,
    ) -> (Self, mpsc::Receiver<Bytes>) {
        let (keys, typed) = mpsc::channel(QUEUED_KEYS);
        let (attachments, watched) = (Attachments::default(), Instant::now());
        let master = Arc::new(master);
        let queries = Queries::default();
        (Self { master, running, screen, queries, attachments, commands, keys, watched }, typed)
    }

    /// Runs until the process ended, or nobody watched for too long.
    pub(super) async fn run(self, typed: mpsc::Receiver<Bytes>) {
        let master = Arc::clone(&self.master);
        tokio::select! {
            () = self.watch() => {}
            () = write_keys(&master, typed) => {}
        }
    }

    async fn watch(mut self) {
        let mut buffer = BytesMut::new();
        let mut prune = tokio::time::interval(PRUNE_EVERY);
        let mut burst = 0;
        let end = loop {
            buffer.reserve(READ_BYTES);
            let master = &*self.master;
            let (is_full, lags) = (self.attachments.is_full(), self.attachments.lags());
            let event = tokio::select! {
                read = read_some(master, &mut buffer), if !is_full => Event::Output(read),
                () = self.attachments.room(), if is_full => Event::Room,
                command = self.commands.recv() => Event::Command(command),
                ended = self.running.wait() => Event::Ended(ended),
                () = tokio::time::sleep(CATCH_UP_EVERY), if lags => Event::CatchUp,
                _ = prune.tick() => Event::Prune,
            };
            match event {
                Event::Output(Ok(read)) if read > 0 => {
                    self.show(&mut buffer);
                    burst += read;
                    if burst >= BURST_BYTES {
                        burst = 0;
                        tokio::task::yield_now().await;
                    }
                }
                Event::Output(Ok(_) | Err(_)) => break self.running.wait().await,
                Event::Command(Some(Command::End)) => {
                    self.attachments.finish(&Frame::Killed("HUP".to_owned())).await;
                    return;
                }
                Event::Command(Some(command)) => self.command(command),
                Event::Command(None) => return,
                Event::Ended(ended) => {
                    self.drain(&mut buffer).await;
                    break ended;
                }
                Event::Room => {}
                Event::CatchUp => self.attachments.catch_up(|| self.screen.again()),
                Event::Prune => {
                    if self.prune() {
                        return;
                    }
                }
            }
        };
        if let Ok(status) = end {
            self.attachments.finish(&end_of(status)).await;
        }
    }

    fn show(&mut self, buffer: &mut BytesMut) {
        let bytes = buffer.split().freeze();
        let (_, asked) = self.queries.pass(&bytes);
        let mut fed = 0;
        // Where the cursor is depends on what stands before the question.
        for (behind, query) in asked {
            self.screen.feed(bytes.get(fed..behind).unwrap_or_default());
            fed = behind;
            if let Some(answer) = answers::answer(query, self.screen.shown()) {
                // Whoever asks more than it reads goes without.
                let _ = self.keys.try_send(answer.into());
            }
        }
        self.screen.feed(bytes.get(fed..).unwrap_or_default());
        self.attachments.send(&Frame::Stdout(bytes));
    }

    async fn drain(&mut self, buffer: &mut BytesMut) {
        self.master.finish();
        for _ in 0..MAX_DRAINED {
            if self.attachments.is_full() {
                self.attachments.room().await;
            }
            buffer.reserve(READ_BYTES);
            match tokio::time::timeout(DRAIN, read_some(&self.master, buffer)).await {
                Ok(Ok(read)) if read > 0 => self.show(buffer),
                Ok(_) | Err(_) => return,
            }
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Attach { frames, size, misses_nothing, reply } => {
                // The size first: what is shown is what fits.
                self.resize(size);
                let whole = self.screen.whole();
                let place = self.attachments.add(frames, (size, misses_nothing), whole);
                let _ = reply.send(place);
            }
            Command::Keys(id, keys) => {
                self.attachments.touch(id, None);
                // Whoever types faster than anything reads loses keys, as on any terminal.
                let _ = self.keys.try_send(keys);
            }
            Command::Resize(id, size) => self.attachments.touch(id, Some(size)),
            Command::Signal(name) => self.running.signal(&name, self.master.foreground()),
            Command::Detach(id) => self.attachments.remove(id),
            // The caller ends it.
            Command::End => {}
        }
        if let Some(size) = self.attachments.size() {
            self.resize(size);
            self.watched = Instant::now();
        }
    }

    fn resize(&mut self, (cols, rows): (u16, u16)) {
        if self.screen.resize(cols, rows) {
            let (cols, rows) = self.screen.size();
            let _ = self.master.resize(cols, rows);
        }
    }

    /// Forgets who left. Returns whether nobody watched for too long.
    fn prune(&mut self) -> bool {
        // What a flood left is drawn, and its memory given back.
        self.screen.settle();
        self.attachments.prune();
        if !self.attachments.is_empty() {
            self.watched = Instant::now();
        }
        self.watched.elapsed() > UNWATCHED_LIMIT
    }
}

/// Keys are written apart from the loop: a process that does not read must not stop the screen.
async fn write_keys(mut master: &Master, mut typed: mpsc::Receiver<Bytes>) {
    while let Some(keys) = typed.recv().await {
        // A terminal that takes no keys is about to end, which is noticed by reading.
        let _ = master.write_all(&keys).await;
    }
    std::future::pending::<()>().await;
}

async fn read_some(master: &Master, buffer: &mut BytesMut) -> io::Result<usize> {
    master.take(READ_BYTES as u64).read_buf(buffer).await
}
