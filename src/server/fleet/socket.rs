//! A WebSocket as the fleet sees it: messages in, messages out, no HTTP.

use bytes::Bytes;
use tokio::sync::mpsc;

/// Messages on their way in or out of one socket. At 64 KiB a relay frame this is 4 MiB at most.
pub const QUEUED: usize = 64;

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

/// Both ends of a socket. Whoever pumps the real socket holds the other halves.
pub struct Socket {
    /// What arrives; ends when the socket does.
    pub incoming: mpsc::Receiver<Message>,
    /// What is to be sent; sending fails when the socket has ended.
    pub outgoing: mpsc::Sender<Message>,
}

impl Socket {
    /// A socket and the halves for whoever pumps it: what arrived goes into the first, what is to
    /// be sent comes out of the second.
    #[must_use]
    pub fn pair() -> (Self, mpsc::Sender<Message>, mpsc::Receiver<Message>) {
        let (arrived, incoming) = mpsc::channel(QUEUED);
        let (outgoing, to_send) = mpsc::channel(QUEUED);
        (Self { incoming, outgoing }, arrived, to_send)
    }

    /// Sends a control message. Returns whether the socket still takes any.
    pub async fn say<T: serde::Serialize + Sync>(&self, message: &T) -> bool {
        say(&self.outgoing, message).await
    }
}

/// Sends a control message on a socket's outgoing half. Returns whether it still takes any.
pub async fn say<T: serde::Serialize + Sync>(
    outgoing: &mpsc::Sender<Message>,
    message: &T,
) -> bool {
    let Ok(text) = serde_json::to_string(message) else { return false };
    outgoing.send(Message::Text(text)).await.is_ok()
}
