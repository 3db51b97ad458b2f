//! What scripts print, read into the log. Servers that a script started hold its pipes on: where
//! another program takes this one's place, they are left open and read on by that one.

use std::io;
#[cfg(unix)]
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::Arc;
#[cfg(unix)]
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
#[cfg(unix)]
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::model::id::LogSourceId;
use crate::model::log::LogLevel;
#[cfg(unix)]
use crate::spawn;

use super::lines::Lines;

/// What a pipe is read from; one that is left to another program is none of a child any more.
#[cfg(windows)]
type Receiver = Box<dyn tokio::io::AsyncRead + Send + Unpin>;

/// One read of a pipe.
const READ_BYTES: usize = 4096;
/// Leaving takes a moment: each reader only has to be woken.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

/// Everything that is read now. Clones are the same.
#[derive(Clone)]
pub struct Outputs(Arc<Inner>);

struct Inner {
    leaving: CancellationToken,
    reading: watch::Sender<usize>,
    /// Pipes that nobody reads until another program does.
    #[cfg(unix)]
    left: Mutex<Vec<(OwnedFd, Left)>>,
}

/// A pipe that is left open.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Left {
    /// Its descriptor.
    fd: i32,
    /// How loud what comes from it is.
    level: LogLevel,
    /// Whose it is.
    source: LogSourceId,
}

/// A pipe that is read.
pub struct Pipe {
    receiver: Receiver,
    level: LogLevel,
    lines: Lines,
    bytes: Vec<u8>,
    is_open: bool,
}

/// What a child prints into.
#[cfg(unix)]
pub trait Printed {
    /// Its descriptor.
    ///
    /// # Errors
    /// When it cannot be taken over.
    fn into_fd(self) -> io::Result<OwnedFd>;
}

#[cfg(unix)]
impl Printed for tokio::process::ChildStdout {
    fn into_fd(self) -> io::Result<OwnedFd> {
        self.into_owned_fd()
    }
}

#[cfg(unix)]
impl Printed for tokio::process::ChildStderr {
    fn into_fd(self) -> io::Result<OwnedFd> {
        self.into_owned_fd()
    }
}

impl Pipe {
    /// Lines of this loudness come out of what a child prints into.
    ///
    /// # Errors
    /// When it cannot be taken over.
    #[cfg(unix)]
    pub fn of(printed: impl Printed, level: LogLevel) -> io::Result<Self> {
        Self::new(printed.into_fd()?, level)
    }

    /// Lines of this loudness come out of what a child prints into.
    ///
    /// # Errors
    /// Never here.
    #[cfg(windows)]
    pub fn of(
        printed: impl tokio::io::AsyncRead + Send + Unpin + 'static,
        level: LogLevel,
    ) -> io::Result<Self> {
        let (receiver, bytes) = (Box::new(printed), Vec::with_capacity(READ_BYTES));
        Ok(Self { receiver, level, lines: Lines::default(), bytes, is_open: true })
    }

    /// Lines of this loudness come out of `fd`.
    ///
    /// # Errors
    /// When it is no pipe.
    #[cfg(unix)]
    pub fn new(fd: OwnedFd, level: LogLevel) -> io::Result<Self> {
        let receiver = Receiver::from_owned_fd(fd)?;
        let bytes = Vec::with_capacity(READ_BYTES);
        Ok(Self { receiver, level, lines: Lines::default(), bytes, is_open: true })
    }

    /// Reads once. At its end it is closed.
    async fn fill(&mut self) {
        self.is_open = matches!(self.receiver.read_buf(&mut self.bytes).await, Ok(1..));
    }
}

impl Default for Outputs {
    fn default() -> Self {
        let (leaving, reading) = (CancellationToken::new(), watch::Sender::new(0));
        Self(Arc::new(Inner {
            leaving,
            reading,
            #[cfg(unix)]
            left: Mutex::default(),
        }))
    }
}

impl Outputs {
    /// Reads both pipes to their end, or until they are left.
    pub async fn read(
        &self,
        (mut out, mut err): (Pipe, Option<Pipe>),
        source: LogSourceId,
        mut copy: Option<tokio::fs::File>,
        line: impl Fn(LogLevel, &str),
    ) {
        self.0.reading.send_modify(|count| *count += 1);
        let is_left = loop {
            let err_is_open = err.as_ref().is_some_and(|err| err.is_open);
            if !out.is_open && !err_is_open {
                break false;
            }
            let err_fills = async {
                match &mut err {
                    Some(err) => err.fill().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = out.fill(), if out.is_open => take(&mut out, &mut copy, &line).await,
                () = err_fills, if err_is_open => {
                    if let Some(err) = &mut err {
                        take(err, &mut copy, &line).await;
                    }
                }
                () = self.0.leaving.cancelled() => break true,
            }
        };
        for mut pipe in [Some(out), err].into_iter().flatten() {
            pipe.lines.end().iter().for_each(|text| line(pipe.level, text));
            if is_left && pipe.is_open {
                self.keep(pipe, source);
            }
        }
        self.0.reading.send_modify(|count| *count -= 1);
    }

    /// Nothing: a process is not another program's later on.
    #[cfg(windows)]
    fn keep(&self, _: Pipe, _: LogSourceId) {}

    #[cfg(unix)]
    fn keep(&self, pipe: Pipe, source: LogSourceId) {
        let level = pipe.level;
        match pipe.receiver.into_blocking_fd() {
            Ok(fd) => {
                let left = Left { fd: fd.as_raw_fd(), level, source };
                self.0.left.lock().unwrap_or_else(PoisonError::into_inner).push((fd, left));
            }
            Err(error) => tracing::warn!(%error, "what a script prints is read no more"),
        }
    }

    /// Reads no more, and leaves what is open to the program that takes this one's place.
    pub async fn leave(&self) -> Vec<Left> {
        self.0.leaving.cancel();
        let mut reading = self.0.reading.subscribe();
        let _ = tokio::time::timeout(LEAVE_WITHIN, reading.wait_for(|count| *count == 0)).await;
        #[cfg(windows)]
        return vec![];
        #[cfg(unix)]
        {
            let left = self.0.left.lock().unwrap_or_else(PoisonError::into_inner);
            let open = left.iter().filter(|(fd, _)| spawn::leave_open(fd).is_ok());
            open.map(|(_, left)| left.clone()).collect()
        }
    }
}

async fn take(pipe: &mut Pipe, copy: &mut Option<tokio::fs::File>, line: &impl Fn(LogLevel, &str)) {
    pipe.lines.push(&pipe.bytes, |text| line(pipe.level, &text));
    // A copy that cannot be written (a full disk) is given up: the log lines go on.
    if let Some(file) = copy
        && (file.write_all(&pipe.bytes).await.is_err() || file.flush().await.is_err())
    {
        *copy = None;
    }
    pipe.bytes.clear();
}

#[cfg(windows)]
impl Left {
    /// Nothing: none was left here.
    ///
    /// # Errors
    /// Always.
    pub fn take(&self) -> io::Result<(Pipe, LogSourceId)> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(unix)]
impl Left {
    /// The pipe, and whose it is. To be asked once, by the program that it was left to.
    ///
    /// # Errors
    /// When nothing is open there.
    pub fn take(&self) -> io::Result<(Pipe, LogSourceId)> {
        Ok((Pipe::new(spawn::left_open(self.fd)?, self.level)?, self.source))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[tokio::test]
    async fn what_is_left_open_is_read_on() {
        let (near, mut far) = io::pipe().unwrap();
        let source = LogSourceId(uuid::Uuid::from_u128(7));
        let (said, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let line = move |_: LogLevel, text: &str| said.send(text.to_owned()).unwrap();
        let pipe = Pipe::new(near.into(), LogLevel::Info).unwrap();
        let (outputs, before) = (Outputs::default(), line.clone());
        let reader = outputs.clone();
        let reading = async move { reader.read((pipe, None), source, None, before).await };
        far.write_all(b"one\n").unwrap();
        let leaving = async {
            assert_eq!(heard.recv().await.as_deref(), Some("one"));
            outputs.leave().await
        };
        let ((), left) = tokio::join!(reading, leaving);
        assert_eq!(left.len(), 1);
        far.write_all(b"two\n").unwrap();
        drop(far);
        // Its number is another's now: as after `exec`, nobody else knows of it.
        let fd = rustix::io::dup(&outputs.0.left.lock().unwrap()[0].0).unwrap();
        let next = Left { fd: std::os::fd::IntoRawFd::into_raw_fd(fd), ..left[0].clone() };
        let (pipe, of) = next.take().unwrap();
        assert_eq!(of, source);
        Outputs::default().read((pipe, None), of, None, line).await;
        assert_eq!(heard.recv().await.as_deref(), Some("two"));
        assert!(Left { fd: 9999, ..next }.take().is_err());
    }
}
