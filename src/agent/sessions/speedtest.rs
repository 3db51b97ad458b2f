//! The speed test's far end: sends zeros, or takes bytes and drops them.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::accept;
use super::forward::COPY_BYTES;
use crate::ssh::stream::BoxStream;

/// Moves bytes until the peer ends the stream.
pub(super) async fn serve(mut stream: BoxStream, down: bool) -> io::Result<()> {
    accept(&mut stream, 0).await?;
    let mut buffer = vec![0; COPY_BYTES];
    if down {
        loop {
            stream.write_all(&buffer).await?;
        }
    }
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}
