//! A pseudo-console, as Windows has it. Its pipes block, so that threads wait for them.

use std::fs::File;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use conpty::ProcessOptions;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;

use crate::agent::group::{self, Console, Foreground, Group};
use crate::agent::platform::quoted;

/// The end of a terminal that its user holds.
pub(crate) struct Master {
    console: Console,
    output: Mutex<tokio::fs::File>,
    input: Mutex<tokio::fs::File>,
    /// What nobody looks at any more.
    rest: Option<File>,
}

impl Drop for Master {
    /// A console is closed only when what it shows is taken.
    fn drop(&mut self) {
        if let (Some(mut rest), Ok(runtime)) = (self.rest.take(), Handle::try_current()) {
            runtime.spawn_blocking(move || io::copy(&mut rest, &mut io::sink()));
        }
    }
}

/// Starts a process in a terminal of this size; its modes are not the client's to choose.
pub(crate) fn start(
    command: Command,
    size: (u16, u16),
    _: &[(u8, u32)],
) -> io::Result<(Master, Group)> {
    let (cols, rows) = coordinates(size);
    let mut options = ProcessOptions::default();
    options.set_console_size(Some((cols, rows)));
    let mut process = options.spawn(as_line(&command)).map_err(io::Error::other)?;
    let output = process.output().map(File::from).map_err(io::Error::other)?;
    let input = process.input().map(File::from).map_err(io::Error::other)?;
    let rest = Some(output.try_clone()?);
    let console = Console::new(Mutex::new(Some(process)));
    let open = |file| Mutex::new(tokio::fs::File::from_std(file));
    let (output, input) = (open(output), open(input));
    let master = Master { console: Arc::clone(&console), output, input, rest };
    Ok((master, Group::Console(console)))
}

/// The command, with its program as it stands in the line that starts it.
fn as_line(command: &Command) -> Command {
    let mut line = Command::new(quoted(&command.get_program().to_string_lossy()));
    line.args(command.get_args());
    line.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    line.current_dir(command.get_current_dir().unwrap_or(Path::new(".")));
    line
}

fn coordinates((cols, rows): (u16, u16)) -> (i16, i16) {
    let some = |cells: u16, usual: i16| match cells {
        // Of a client that has no window.
        0 => usual,
        cells => i16::try_from(cells).unwrap_or(i16::MAX),
    };
    (some(cols, 80), some(rows, 24))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Master {
    /// Sets the size; whatever runs in the terminal is told.
    pub(crate) fn resize(&self, cols: u16, rows: u16) -> io::Result<()> {
        let (cols, rows) = coordinates((cols, rows));
        match &mut *lock(&self.console) {
            Some(process) => process.resize(cols, rows).map_err(io::Error::other),
            None => Ok(()),
        }
    }

    /// There is none.
    pub(crate) fn foreground(&self) -> Option<Foreground> {
        None
    }

    /// The process has ended: what it showed is still to be read, then comes the end.
    pub(crate) fn finish(&self) {
        group::close(&self.console);
    }
}

impl AsyncRead for &Master {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut *lock(&self.output)).poll_read(cx, buf) {
            // The console was closed: the end of the terminal.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}

impl AsyncWrite for &Master {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *lock(&self.input)).poll_write(cx, data)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *lock(&self.input)).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
