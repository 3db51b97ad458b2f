//! A WebSocket as the fleet sees it: messages in, messages out, no HTTP.

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Messages on their way in or out of one socket. At 64 KiB a relay frame this is 4 MiB at most.
pub const QUEUED: usize = 64;
/// Control messages that may wait to be sent. They go before the data, so that only an other end
/// that does not read leaves this many.
pub const CONTROLS: usize = 256;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// JSON.
    Text(String),
    /// A relay frame, or a terminal's bytes.
    Binary(Bytes),
    /// The last message: why the socket closes, for the other end.
    Close {
        /// The status code of RFC 6455.
        code: u16,
        /// The reason, at most 123 bytes.
        why: String,
    },
}

/// What an other end is told beside the data. Nobody waits to say it: a right that ends must not
/// wait for an other end that does not read.
#[derive(Clone, Debug)]
pub struct Control {
    queue: mpsc::Sender<String>,
    stuck: CancellationToken,
}

impl Control {
    /// Queues a message. Returns whether the socket still takes any; one that is full does not any
    /// more, and ends.
    pub fn say<T: serde::Serialize>(&self, message: &T) -> bool {
        let Ok(text) = serde_json::to_string(message) else { return false };
        let said = self.queue.try_send(text).is_ok();
        if !said {
            self.stuck.cancel();
        }
        said
    }

    /// Returns when the other end has not read for so long that a message was lost.
    pub async fn stuck(&self) {
        self.stuck.cancelled().await;
    }
}

/// Both ends of a socket. Whoever pumps the real socket holds the other halves.
pub struct Socket {
    /// What arrives; ends when the socket does.
    pub incoming: mpsc::Receiver<Message>,
    /// What is to be sent; sending fails when the socket has ended.
    pub outgoing: mpsc::Sender<Message>,
    /// What is to be sent before that.
    pub control: Control,
}

/// The halves of a [`Socket`] for whoever pumps the real one.
pub struct Halves {
    /// What arrived goes in here.
    pub arrived: mpsc::Sender<Message>,
    /// What is to be sent comes out of here.
    pub to_send: mpsc::Receiver<Message>,
    /// What is to be sent before that comes out of here.
    pub controls: mpsc::Receiver<String>,
}

impl Socket {
    /// A socket and its other halves.
    #[must_use]
    pub fn pair() -> (Self, Halves) {
        let (arrived, incoming) = mpsc::channel(QUEUED);
        let (outgoing, to_send) = mpsc::channel(QUEUED);
        let (queue, controls) = mpsc::channel(CONTROLS);
        let control = Control { queue, stuck: CancellationToken::new() };
        (Self { incoming, outgoing, control }, Halves { arrived, to_send, controls })
    }

    /// Sends a relay frame, unless the socket ends or `end` comes first. Returns whether it was sent.
    pub async fn forward(&self, frame: Bytes, end: &CancellationToken) -> bool {
        tokio::select! {
            sent = self.outgoing.send(Message::Binary(frame)) => sent.is_ok(),
            () = end.cancelled() => false,
            () = self.control.stuck() => false,
        }
    }
}

/// Sends JSON among the data. Returns whether the socket still takes any.
pub async fn send_json<T: serde::Serialize + Sync>(
    outgoing: &mpsc::Sender<Message>,
    message: &T,
) -> bool {
    let Ok(text) = serde_json::to_string(message) else { return false };
    outgoing.send(Message::Text(text)).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_waits_for_an_end_that_does_not_read() {
        let (socket, mut halves) = Socket::pair();
        for n in 0..CONTROLS {
            assert!(socket.control.say(&n));
        }
        assert!(!socket.control.say(&"one too many"));
        socket.control.stuck().await;
        assert_eq!(halves.controls.recv().await.as_deref(), Some("0"));
    }
}
