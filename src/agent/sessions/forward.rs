//! Connections from inside the workspace: to a port or a Unix socket.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes};
use tokio::net::TcpStream;

use super::{accept, refuse, socket};
use crate::ssh::stream::BoxStream;

/// One direction's buffer. Twice what one packet of SSH carries.
pub(super) const COPY_BYTES: usize = 64 << 10;

/// How long a connection to a port may take. Longer than TCP's third attempt.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);

/// Connects to a port and joins it to the stream.
pub(super) async fn tcp(stream: BoxStream, host: &str, port: u16) -> io::Result<()> {
    let host = if host.is_empty() || host == "*" { "localhost" } else { host };
    let connecting = TcpStream::connect((host, port));
    match tokio::time::timeout(CONNECT_LIMIT, connecting).await {
        Ok(Ok(socket)) => {
            socket.set_nodelay(true)?;
            join(stream, socket).await
        }
        Ok(Err(error)) => refuse(stream, format!("{host}:{port}: {error}")).await,
        Err(_) => refuse(stream, format!("{host}:{port}: no answer")).await,
    }
}

/// Connects to a Unix socket and joins it to the stream.
pub(super) async fn unix(stream: BoxStream, path: &str) -> io::Result<()> {
    match socket::connect(path).await {
        Ok(socket) => join(stream, socket).await,
        Err(error) => refuse(stream, format!("{path}: {error}")).await,
    }
}

async fn join<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BoxStream,
    mut socket: S,
) -> io::Result<()> {
    accept(&mut stream, 0).await?;
    copy_bidirectional_with_sizes(&mut stream, &mut socket, COPY_BYTES, COPY_BYTES).await?;
    Ok(())
}
