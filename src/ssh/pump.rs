//! Moves bytes between a channel and its stream to the agent, each way only as fast as the other end takes them.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::FutureExt as _;
use futures_util::future::FusedFuture as _;
use russh::server::{Handle, Msg};
use russh::{ChannelWriteHalf, Sig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::frames::{FrameReader, FrameWriter};
use super::gate::Gate;
use super::inbox::{Inbox, Input};
use super::record::Recorded;
use super::stream::BoxStream;
use crate::model::session::EndReason;
use crate::wire::frame::Frame;

/// One read from a stream. Two packets of the size OpenSSH takes.
const READ_BYTES: usize = 64 << 10;

/// How long a stream may take with what a client sent before it left: a window, at 70 KB/s.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

/// Extended data of this kind is standard error.
const STDERR: u32 = 1;

/// A channel's two ends.
pub(super) struct Ends<'a, G: Gate> {
    pub(super) inbox: &'a Inbox,
    pub(super) out: &'a ChannelWriteHalf<Msg>,
    pub(super) handle: &'a Handle,
    pub(super) recorded: &'a Recorded<G>,
}

/// Writes a line to a person's standard error.
pub(super) async fn say(out: &ChannelWriteHalf<Msg>, line: &str) -> Result<(), russh::Error> {
    out.extended_data_bytes(STDERR, format!("{line}\r\n")).await
}

impl<G: Gate> Ends<'_, G> {
    /// Joins the channel to a process. Returns when the process ended or the client left.
    pub(super) async fn process(&self, stream: BoxStream) -> Result<(), russh::Error> {
        let (read, write) = tokio::io::split(stream);
        tokio::select! {
            () = self.inbox.closed() => Ok(()),
            () = self.input(FrameWriter::new(write)) => Ok(()),
            result = self.output(FrameReader::new(read)) => result,
        }
    }

    async fn input<W: tokio::io::AsyncWrite + Unpin>(&self, mut writer: FrameWriter<W>) {
        let mut ended = false;
        loop {
            let frame = match self.inbox.next(ended).await {
                Input::Data(data) => {
                    self.recorded.moved_in(data.len());
                    Frame::Stdin(data)
                }
                Input::Control(frame) => frame,
                Input::End => {
                    ended = true;
                    Frame::StdinEnd
                }
                Input::Closed => return,
            };
            if writer.write(&frame).await.is_err() {
                // The output may still hold how the process ended.
                return std::future::pending().await;
            }
        }
    }

    async fn output<R: tokio::io::AsyncRead + Unpin>(
        &self,
        mut reader: FrameReader<R>,
    ) -> Result<(), russh::Error> {
        loop {
            match reader.next().await {
                Ok(Some(frame)) => {
                    if self.put(frame).await? {
                        self.recorded.ends(EndReason::Closed);
                        return Ok(());
                    }
                }
                Ok(None) | Err(_) => {
                    self.recorded.ends(EndReason::Lost);
                    return say(self.out, "The connection to the workspace was lost.").await;
                }
            }
        }
    }

    /// Passes a frame on. Returns whether it was the last.
    async fn put(&self, frame: Frame) -> Result<bool, russh::Error> {
        match frame {
            Frame::Stdout(data) => {
                self.recorded.moved_out(data.len());
                self.out.data_bytes(data).await?;
                Ok(false)
            }
            Frame::Stderr(data) => {
                self.recorded.moved_out(data.len());
                self.out.extended_data_bytes(STDERR, data).await?;
                Ok(false)
            }
            Frame::Exit(code) => {
                self.out.exit_status(code).await?;
                Ok(true)
            }
            Frame::Killed(name) => {
                let signal = Sig::Custom(name);
                let (message, language) = (String::new(), String::new());
                self.handle
                    .exit_signal_request(self.out.id(), signal, false, message, language)
                    .await
                    .map_err(|()| russh::Error::SendError)?;
                Ok(true)
            }
            Frame::Notice(text) => {
                say(self.out, &text).await?;
                Ok(false)
            }
            Frame::Stdin(_) | Frame::StdinEnd | Frame::Resize { .. } | Frame::Signal(_) => {
                Ok(false)
            }
        }
    }

    /// Joins the channel to a stream of bytes until both directions ended.
    pub(super) async fn bytes(&self, stream: BoxStream) -> io::Result<()> {
        let (read, write) = tokio::io::split(stream);
        let mut up = std::pin::pin!(self.up(write).fuse());
        let both = async {
            let up = async {
                (&mut up).await;
                Ok(())
            };
            // A stream that broke ends both: who has nothing to send is not waited for.
            tokio::try_join!(up, self.down(read)).map(|_| ())
        };
        let ended = tokio::select! {
            () = self.inbox.closed() => None,
            result = both => Some(result),
        };
        if let Some(result) = ended {
            return result;
        }
        // Nothing can be sent to the client any more; what it sent before still goes on.
        if !up.is_terminated() && tokio::time::timeout(DRAIN_WITHIN, up).await.is_err() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    /// The same, until the stream ends: it answers, so its end is the end.
    pub(super) async fn answers(&self, stream: BoxStream) -> io::Result<()> {
        let (read, write) = tokio::io::split(stream);
        let both = async {
            tokio::select! {
                biased;
                down = self.down(read) => down,
                never = async { self.up(write).await; std::future::pending().await } => never,
            }
        };
        tokio::select! {
            () = self.inbox.closed() => Ok(()),
            result = both => result,
        }
    }

    async fn up<W: tokio::io::AsyncWrite + Unpin>(&self, mut write: W) {
        loop {
            match self.inbox.next(false).await {
                Input::Data(data) => {
                    self.recorded.moved_in(data.len());
                    if write.write_all(&data).await.is_err() {
                        return;
                    }
                }
                Input::Control(_) => {}
                Input::End | Input::Closed => {
                    let _ = write.shutdown().await;
                    return;
                }
            }
        }
    }

    async fn down<R: tokio::io::AsyncRead + Unpin>(&self, mut read: R) -> io::Result<()> {
        let mut buffer = BytesMut::new();
        loop {
            buffer.reserve(READ_BYTES);
            if read.read_buf(&mut buffer).await? == 0 {
                let _ = self.out.eof().await;
                return Ok(());
            }
            let data = buffer.split().freeze();
            self.recorded.moved_out(data.len());
            self.out.data_bytes(data).await.map_err(io::Error::other)?;
        }
    }
}
