//! The terminal page's socket: bytes to the browser, JSON from it, frames of a stream to the agent.

use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use super::Fleet;
use super::cut::Cut;
use super::register::Live;
use super::socket::{Message, Socket};
use crate::model::id::{AgentId, TerminalId, WorkspaceId};
use crate::model::session::{EndReason, NewSession, SessionKind, Shown};
use crate::model::user::UserRef;
use crate::ssh::frames::{FrameReader, FrameWriter};
use crate::wire::frame::Frame;
use crate::wire::session::Kind;

/// Largest window a browser may ask for, in cells each way.
const MAX_CELLS: u16 = 1000;

/// Who attaches to which terminal.
#[derive(Clone, Debug)]
pub struct Attach {
    /// Who.
    pub user: UserRef,
    /// Where: the right to connect was checked.
    pub workspace: WorkspaceId,
    /// In which agent.
    pub agent: AgentId,
    /// Which terminal; it is made when it is not there.
    pub terminal: TerminalId,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// What a new terminal runs; none for a login shell.
    pub command: Option<String>,
    /// The client's address.
    pub address: String,
    /// What the client calls itself.
    pub client: String,
    /// What they had shown.
    pub shown: Shown,
}

/// What a browser says: keys, or a new size.
#[derive(Debug, serde::Deserialize)]
struct FromBrowser {
    #[serde(default)]
    data: String,
    #[serde(default)]
    width: u16,
    #[serde(default)]
    height: u16,
}

impl Fleet {
    /// Serves a terminal's socket until either end goes.
    pub async fn serve_terminal(&self, attach: Attach, socket: Socket) {
        let outgoing = socket.outgoing.clone();
        if let Err(error) = self.attach(attach, socket).await {
            let mut why = format!("{error:#}");
            why.truncate(why.floor_char_boundary(120));
            // 4000 to 4999 are for applications; the page shows the reason and tries again.
            let _ = outgoing.send(Message::Close { code: 4001, why }).await;
        }
    }

    async fn attach(&self, attach: Attach, socket: Socket) -> anyhow::Result<()> {
        let id = self.fresh_session();
        let right = (attach.workspace, attach.shown);
        let new = NewSession {
            is_recorded: self.0.app.demands_recording(attach.user.id, right).await?,
            shown: attach.shown,
            user_id: attach.user.id,
            workspace_id: attach.workspace,
            agent_id: attach.agent,
            kind: SessionKind::Terminal,
            address: attach.address,
            client: attach.client,
        };
        let live = self.begin(id, new);
        let kind = Kind::Terminal {
            id: attach.terminal,
            cols: attach.cols.clamp(1, MAX_CELLS),
            rows: attach.rows.clamp(1, MAX_CELLS),
            command: attach.command,
        };
        let opened = self.open(attach.agent, &attach.user, &live, kind).await;
        let carried = match opened {
            Ok(opening) => {
                Ok(carry(Cut::new(opening.stream, Arc::clone(&live)), socket, &live).await)
            }
            Err(error) => Err(error),
        };
        self.end(id, *carried.as_ref().unwrap_or(&EndReason::Lost)).await;
        carried.map(drop)
    }
}

/// Carries bytes both ways until one end goes.
async fn carry<S>(stream: S, socket: Socket, live: &Live) -> EndReason
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (read, write) = tokio::io::split(stream);
    let Socket { mut incoming, outgoing, .. } = socket;
    let up = async {
        let mut frames = FrameWriter::new(write);
        while let Some(message) = incoming.recv().await {
            for frame in from_browser(message) {
                if frames.write(&frame).await.is_err() {
                    return EndReason::Lost;
                }
            }
        }
        EndReason::Closed
    };
    tokio::select! {
        // First, so that nobody is told of a lost connection instead.
        biased;
        () = live.cut.cancelled() => {
            let why = live.told().to_owned();
            // A browser that does not read is not waited for.
            let _ = outgoing.try_send(Message::Close { code: 4003, why });
            EndReason::Revoked
        }
        reason = up => reason,
        reason = to_browser(FrameReader::new(read), &outgoing) => reason,
    }
}

async fn to_browser<R>(mut frames: FrameReader<R>, outgoing: &mpsc::Sender<Message>) -> EndReason
where
    R: AsyncRead + Unpin,
{
    loop {
        let message = match frames.next().await {
            Ok(Some(Frame::Stdout(bytes) | Frame::Stderr(bytes))) => Message::Binary(bytes),
            Ok(Some(Frame::Notice(text))) => {
                Message::Binary(Bytes::from(format!("\r\n{text}\r\n")))
            }
            Ok(Some(Frame::Exit(_) | Frame::Killed(_))) => {
                let why = "the shell ended".to_owned();
                let _ = outgoing.send(Message::Close { code: 4000, why }).await;
                return EndReason::Closed;
            }
            // Only clients say these.
            Ok(Some(
                Frame::Stdin(_) | Frame::StdinEnd | Frame::Resize { .. } | Frame::Signal(_),
            )) => continue,
            Ok(None) | Err(_) => {
                let why = "the connection to the workspace was lost".to_owned();
                let _ = outgoing.send(Message::Close { code: 4002, why }).await;
                return EndReason::Lost;
            }
        };
        if outgoing.send(message).await.is_err() {
            return EndReason::Closed;
        }
    }
}

/// What a browser's message means: keys as bytes or in JSON, sizes in JSON.
fn from_browser(message: Message) -> Vec<Frame> {
    let text = match message {
        Message::Text(text) => text,
        Message::Binary(bytes) => match serde_json::from_slice::<FromBrowser>(&bytes) {
            Ok(said) => return frames_of(said),
            Err(_) => return vec![Frame::Stdin(bytes)],
        },
        Message::Close { .. } => return vec![],
    };
    serde_json::from_str::<FromBrowser>(&text).map(frames_of).unwrap_or_default()
}

fn frames_of(said: FromBrowser) -> Vec<Frame> {
    let mut frames = Vec::new();
    if said.width > 0 && said.height > 0 {
        frames.push(Frame::Resize {
            cols: said.width.min(MAX_CELLS),
            rows: said.height.min(MAX_CELLS),
        });
    }
    if !said.data.is_empty() {
        frames.push(Frame::Stdin(Bytes::from(said.data)));
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_says_keys_and_sizes() {
        let said = |text: &str| from_browser(Message::Text(text.to_owned()));
        assert_eq!(said(r#"{"data":"ls\r"}"#), vec![Frame::Stdin(Bytes::from_static(b"ls\r"))]);
        assert_eq!(said(r#"{"height":24,"width":80}"#), vec![Frame::Resize { cols: 80, rows: 24 }]);
        assert_eq!(said("not json"), vec![]);
        let raw = from_browser(Message::Binary(Bytes::from_static(br#"{"data":"x"}"#)));
        assert_eq!(raw, vec![Frame::Stdin(Bytes::from_static(b"x"))]);
    }
}
