//! SFTP over a stream: packets are read ahead, a thread of its own does the file work, replies are batched.

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::sftp_files::Files;
use super::{Served, accept};
use crate::ssh::sftp::{Reply, Request};
use crate::ssh::stream::BoxStream;

/// Requests that wait. With the largest packets they take 4 MiB; a client has as many on their way.
const QUEUED_REQUESTS: usize = 16;

/// Replies that wait.
const QUEUED_REPLIES: usize = 16;

/// Replies are written together up to this.
const BATCH_BYTES: usize = 512 << 10;

/// Serves files until the peer ends the stream.
pub(super) async fn serve(served: &Served, mut stream: BoxStream) -> io::Result<()> {
    accept(&mut stream, 0).await?;
    let (mut read, mut write) = tokio::io::split(stream);
    let (to_files, mut asked) = mpsc::channel::<Request>(QUEUED_REQUESTS);
    let (to_writer, mut replies) = mpsc::channel::<(u32, Reply)>(QUEUED_REPLIES);
    let (settings, now) = (served.settings(), served.inner.clock.now());
    // Files block. One thread keeps their order, as OpenSSH's own server does.
    let working = tokio::task::spawn_blocking(move || {
        let mut files = Files::new(Arc::clone(&settings), now);
        while let Some(request) = asked.blocking_recv() {
            let reply = files.answer(request.ask);
            if to_writer.blocking_send((request.id, reply)).is_err() {
                return;
            }
        }
    });
    let reading = async move {
        let mut buffer = BytesMut::new();
        loop {
            while let Some(request) = Request::decode(&mut buffer).map_err(io::Error::other)? {
                if to_files.send(request).await.is_err() {
                    return Ok(());
                }
            }
            buffer.reserve(super::COPY);
            if read.read_buf(&mut buffer).await? == 0 {
                return Ok::<(), io::Error>(());
            }
        }
    };
    let writing = async move {
        let mut out = BytesMut::new();
        while let Some((id, reply)) = replies.recv().await {
            reply.encode(id, &mut out);
            while out.len() < BATCH_BYTES
                && let Ok((id, reply)) = replies.try_recv()
            {
                reply.encode(id, &mut out);
            }
            write.write_all(&out).await?;
            write.flush().await?;
            out.clear();
        }
        write.shutdown().await
    };
    let (read, written) = tokio::join!(reading, writing);
    working.await.map_err(io::Error::other)?;
    read.and(written)
}
