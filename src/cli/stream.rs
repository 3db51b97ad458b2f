//! Following the server over a WebSocket: one JSON value a message.

use anyhow::Context as _;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::client::Client;
use crate::net::websocket::{Incoming, Lost, Message};
use crate::tasks::{OnPanic, Tasks};

/// A stream of values; closed when it is dropped.
pub struct Follow {
    incoming: Incoming,
    /// The writer only pings; it ends when this is dropped.
    _writer: mpsc::Sender<Message>,
}

impl Follow {
    /// Opens a stream.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn open(
        client: &Client,
        tasks: &Tasks,
        path: &str,
        query: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let url = client.address(path, query);
        let (out, incoming) = client
            .dialer()
            .connect(&url, client.headers())
            .await
            .with_context(|| format!("Following {path} at {}", client.server_text()))?;
        let (writer, queue) = mpsc::channel(1);
        tasks.spawn("stream", OnPanic::Lose, async move {
            out.run(queue).await;
        });
        Ok(Self { incoming, _writer: writer })
    }

    /// The next value; none when the server has closed the stream.
    ///
    /// # Errors
    /// When the stream was lost, or what came is not such a value.
    pub async fn next<T: DeserializeOwned>(&mut self) -> anyhow::Result<Option<T>> {
        match self.incoming.next().await {
            Ok(Message::Text(text)) => {
                serde_json::from_str(&text).map(Some).context("Reading what the server sent")
            }
            Ok(Message::Binary(bytes)) => {
                serde_json::from_slice(&bytes).map(Some).context("Reading what the server sent")
            }
            Err(Lost::Closed) => Ok(None),
            Err(lost) => Err(lost.into()),
        }
    }
}
