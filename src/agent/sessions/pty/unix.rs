//! A pair of files, as POSIX has it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Command;
use std::task::{Context, Poll, ready};

use rustix::pty::OpenptFlags;
use rustix::termios::{self, OptionalActions, Winsize};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::modes;
use crate::agent::group::{Foreground, Group};

/// The end of a terminal that its user holds.
pub(crate) struct Master(AsyncFd<OwnedFd>);

/// The end of a terminal that a process holds.
struct Follower {
    /// Its open file.
    fd: OwnedFd,
    /// Its path, for `SSH_TTY`.
    path: PathBuf,
}

/// Starts a process in a terminal of this size with these modes.
pub(crate) fn start(
    mut command: Command,
    (cols, rows): (u16, u16),
    modes: &[(u8, u32)],
) -> io::Result<(Master, Group)> {
    let (master, follower) = open(cols, rows, modes)?;
    command.env("SSH_TTY", &follower.path);
    let (input, output) = (follower.fd.try_clone()?, follower.fd.try_clone()?);
    command.stdin(input).stdout(output).stderr(follower.fd);
    Ok((master, Group::start_in_terminal(command)?))
}

/// Makes a terminal of this size with these modes.
fn open(cols: u16, rows: u16, wanted: &[(u8, u32)]) -> io::Result<(Master, Follower)> {
    let master = open_master()?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let name = rustix::pty::ptsname(&master, Vec::new())?;
    let path = PathBuf::from(name.to_string_lossy().into_owned());
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
    let fd = rustix::fs::open(&path, flags, rustix::fs::Mode::empty())?;
    match termios::tcgetattr(&fd) {
        Ok(mut attributes) => {
            modes::apply(&mut attributes, wanted);
            termios::tcsetattr(&fd, OptionalActions::Now, &attributes)?;
        }
        // An emulator of another processor may not know how; its terminals keep the usual modes.
        Err(rustix::io::Errno::NOSYS) => {}
        Err(error) => return Err(error.into()),
    }
    rustix::io::ioctl_fionbio(&master, true)?;
    #[expect(deprecated, reason = "the other way is unsafe; this owns its descriptor throughout")]
    let master = Master(AsyncFd::new(master)?);
    master.resize(cols, rows)?;
    Ok((master, Follower { fd, path }))
}

/// A leader that no child inherits.
fn open_master() -> io::Result<OwnedFd> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    #[cfg(target_os = "linux")]
    return Ok(rustix::pty::openpt(flags | OpenptFlags::CLOEXEC)?);
    #[cfg(not(target_os = "linux"))]
    {
        // Elsewhere this takes two steps, and a child that is started in between holds it open.
        let master = rustix::pty::openpt(flags)?;
        rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC)?;
        Ok(master)
    }
}

impl Master {
    /// Sets the size; whatever runs in the terminal is told.
    pub(crate) fn resize(&self, cols: u16, rows: u16) -> io::Result<()> {
        let size = Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(termios::tcsetwinsize(self.0.get_ref(), size)?)
    }

    /// The process group in the foreground.
    pub(crate) fn foreground(&self) -> Option<Foreground> {
        termios::tcgetpgrp(self.0.get_ref().as_fd()).ok()
    }

    /// The process has ended: what it showed is still to be read.
    pub(crate) fn finish(&self) {}

    /// Reads what is there.
    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            let space = buf.initialize_unfilled();
            match ready.try_io(|fd| rustix::io::read(fd, space).map_err(io::Error::from)) {
                Ok(Ok(read)) => {
                    buf.advance(read);
                    return Poll::Ready(Ok(()));
                }
                // The last process closed its end: the end of the terminal.
                Ok(Err(e)) if e.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                    return Poll::Ready(Ok(()));
                }
                Ok(Err(e)) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(e)) => return Poll::Ready(Err(e)),
                Err(_would_block) => {}
            }
        }
    }

    /// Writes what fits.
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(cx))?;
            match ready.try_io(|fd| rustix::io::write(fd, data).map_err(io::Error::from)) {
                Ok(Err(e)) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok(done) => return Poll::Ready(done),
                Err(_would_block) => {}
            }
        }
    }
}

impl AsyncRead for &Master {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Master::poll_read(&self, cx, buf)
    }
}

impl AsyncWrite for &Master {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Master::poll_write(&self, cx, data)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
