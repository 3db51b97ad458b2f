//! Accepting TCP connections: so many at once, and patience when the system has no room for more.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A pause before the next try when the system refuses: what it lacks comes back when others leave.
const PAUSE: Duration = Duration::from_millis(100);
/// Connections that wait to be accepted: every agent of a server that is started again comes within its
/// first second, and who finds no room tries again after one second, then three. The system's own bound
/// (`net.core.somaxconn`) is mostly this.
const BACKLOG: u32 = 4096;
/// Refusals for each line in the log: one a minute.
const TOLD_EVERY: u32 = 600;

/// Reads that a handshake takes: an SSH client's until its command runs.
const HANDSHAKE_READS: u8 = 16;

/// Listens at an address, with room for everyone who comes at once.
///
/// # Errors
/// When the address is taken, or is not this machine's.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that is started again takes the place of the one before. On Windows it would share it.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A door that lets in so many at once; the others wait until one leaves.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    room: Arc<Semaphore>,
    /// What comes in, for the log.
    what: &'static str,
    refused: u32,
}

impl Door {
    /// Lets in at most `most` at once.
    #[must_use]
    pub fn new(listener: TcpListener, most: usize, what: &'static str) -> Self {
        Self { listener, room: Arc::new(Semaphore::new(most)), what, refused: 0 }
    }

    /// The next connection. Safe to cancel.
    pub async fn next(&mut self) -> (Guest, SocketAddr) {
        loop {
            let Ok(place) = Arc::clone(&self.room).acquire_owned().await else {
                // It is never closed.
                return std::future::pending().await;
            };
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    // A keystroke must not wait for more to come. It fails on what has left again.
                    let _ = stream.set_nodelay(true);
                    return (Guest { stream, quick_reads: 0, _place: place }, address);
                }
                // Whoever it was has left before they were let in.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => self.wait(&error).await,
            }
        }
    }

    async fn wait(&mut self, error: &io::Error) {
        if self.refused.is_multiple_of(TOLD_EVERY) {
            let why = match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
                Some(rustix::io::Errno::MFILE) => {
                    "the limit of open files is reached; raise it (LimitNOFILE= of the unit, or ulimit -n)"
                }
                Some(rustix::io::Errno::NFILE) => {
                    "the machine has no more open files (fs.file-max)"
                }
                _ => "the system refuses",
            };
            tracing::warn!(%error, "{} connections wait: {why}", self.what);
        }
        self.refused = self.refused.wrapping_add(1);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Who was let in. Their place is free again when this is dropped, whatever the connection became.
#[derive(Debug)]
pub struct Guest {
    stream: TcpStream,
    /// Reads that are still acknowledged at once.
    quick_reads: u8,
    _place: OwnedSemaphorePermit,
}

impl Guest {
    /// Ends the connection when the other end takes nothing of what is sent for so long, or is gone.
    pub fn give_up_after(&self, silence: Duration) {
        let millis = u32::try_from(silence.as_millis()).unwrap_or(u32::MAX);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(&self.stream, millis) {
            tracing::debug!(%error, "a connection's timeout could not be set");
        }
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let _ = millis;
    }
}

impl Guest {
    /// Acknowledges what comes first at once. An SSH client says its first lines in small pieces and
    /// by Nagle's algorithm (RFC 896) holds one back until the one before is acknowledged, which a
    /// system otherwise puts off for 40 ms.
    pub fn hurry(&mut self) {
        self.quick_reads = HANDSHAKE_READS;
        self.acknowledge();
    }

    fn acknowledge(&mut self) {
        // The system forgets it again with the next answer.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Err(error) = rustix::net::sockopt::set_tcp_quickack(&self.stream, true) {
            tracing::debug!(%error, "what comes is acknowledged late");
        }
    }
}

impl AsyncRead for Guest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if let Some(left) = self.quick_reads.checked_sub(1) {
            self.quick_reads = left;
            self.acknowledge();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guest {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_place_is_free_again_when_its_guest_is_gone() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut door = Door::new(listener, 1, "test");
        let _clients = (
            TcpStream::connect(address).await.unwrap(),
            TcpStream::connect(address).await.unwrap(),
        );
        let (first, _) = door.next().await;
        let waited = tokio::select! {
            biased;
            _ = door.next() => false,
            () = tokio::task::yield_now() => true,
        };
        assert!(waited, "there is room for one");
        drop(first);
        door.next().await;
    }
}
