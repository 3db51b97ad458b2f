//! The terminal page's socket: bytes to the browser, JSON from it, frames of a stream to the agent.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::Fleet;
use super::coming::{Attach, Came, MAX_CELLS, Showing};
use super::cut::Cut;
use super::register::Live;
use super::socket::{Control, Message, Socket};
use super::terminals::Chair;
use crate::model::session::{EndReason, SessionKind};
use crate::model::terminal::{Deed, Room};
use crate::server::app::Actor;
use crate::ssh::frames::{FrameReader, FrameWriter};
use crate::ssh::queries::Queries;
use crate::wire::frame::Frame;
use crate::wire::terminals::{AtTerminal, NotDone};

/// How soon after one message about who is there the next may follow.
const NEWS_EVERY: Duration = Duration::from_millis(50);

/// What a browser says: keys, a new size, or something to be done.
#[derive(Debug, serde::Deserialize)]
struct FromBrowser {
    #[serde(default)]
    data: String,
    #[serde(default)]
    width: u16,
    #[serde(default)]
    height: u16,
    #[serde(flatten)]
    deed: Option<Deed>,
}

/// What of it is done.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Frame(Frame),
    Deed(Deed),
}

impl Fleet {
    /// Serves a terminal's socket until either end goes.
    pub async fn serve_terminal(&self, attach: Attach, socket: Socket) {
        let (outgoing, showing) = (socket.outgoing.clone(), attach.showing);
        if let Err(error) = self.attach(attach, socket).await {
            let mut why = format!("{error:#}");
            if showing == Showing::Drawn {
                // A window without a page shows nothing but what is written to it.
                let _ = outgoing.send(Message::Binary(format!("{why}\r\n").into())).await;
            }
            why.truncate(why.floor_char_boundary(120));
            // 4000 to 4999 are for applications; the page shows the reason and tries again.
            let _ = outgoing.send(Message::Close { code: 4001, why }).await;
        }
    }

    async fn attach(&self, attach: Attach, socket: Socket) -> anyhow::Result<()> {
        let showing = attach.showing;
        let window = (attach.cols.clamp(1, MAX_CELLS), attach.rows.clamp(1, MAX_CELLS));
        let actor = attach.actor.clone();
        let came = self.come(attach, SessionKind::Terminal, None).await?;
        let Came { live, stream, chair } = came;
        let (id, cut) = (live.id, Arc::clone(&live));
        let ended = if showing == Showing::Drawn {
            let stream = self.draw((stream, &live), (chair, actor), window);
            carry(Cut::new(stream, cut), socket, &live).await
        } else {
            let desk = Desk { fleet: self, chair, actor, tells: showing == Showing::Seats };
            desk.carry(Cut::new(stream, cut), socket, &live).await
        };
        self.end(id, ended).await;
        Ok(())
    }
}

/// A place whose client shows what comes as it is.
struct Desk<'a> {
    fleet: &'a Fleet,
    chair: Chair,
    actor: Actor,
    tells: bool,
}

impl Desk<'_> {
    /// Carries bytes both ways until one end goes. What is typed goes on only while it may, and the
    /// window's size is one of those that give the terminal its own.
    async fn carry<S>(&self, stream: S, socket: Socket, live: &Live) -> EndReason
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (read, write) = tokio::io::split(stream);
        let Socket { incoming, outgoing, control } = socket;
        let up = self.up(FrameWriter::new(write), incoming, (&outgoing, &control));
        let down = to_browser(FrameReader::new(read), &outgoing, Some(&self.chair));
        tokio::select! {
            // First, so that nobody is told of a lost connection instead.
            biased;
            reason = cut(live, &outgoing) => reason,
            reason = up => reason,
            reason = down => reason,
        }
    }

    async fn up<W: AsyncWrite + Unpin>(
        &self,
        mut frames: FrameWriter<W>,
        mut incoming: mpsc::Receiver<Message>,
        (outgoing, control): (&mpsc::Sender<Message>, &Control),
    ) -> EndReason {
        let (mut room, mut not_before) = (self.chair.room.clone(), Instant::now());
        let mut size = (0, 0);
        room.mark_changed();
        loop {
            let said = tokio::select! {
                message = incoming.recv() => match message {
                    Some(message) => from_browser(message),
                    None => return EndReason::Closed,
                },
                Some(now) = news(&mut room, not_before) => {
                    not_before = Instant::now() + NEWS_EVERY;
                    if let Some(why) = now.ended.clone() {
                        let _ = outgoing.try_send(Message::Close { code: 4004, why });
                        return EndReason::Closed;
                    }
                    if self.tells && !self.tell(control) {
                        return EndReason::Lost;
                    }
                    if now.size() == size {
                        continue;
                    }
                    size = now.size();
                    let resize = Frame::Resize { cols: size.0, rows: size.1 };
                    if frames.write(&resize).await.is_err() {
                        return EndReason::Lost;
                    }
                    continue;
                }
            };
            for one in said {
                let frame = match one {
                    Said::Deed(deed) => {
                        self.does(deed, control).await;
                        continue;
                    }
                    Said::Frame(Frame::Resize { cols, rows }) => {
                        self.chair.set_window((cols, rows));
                        continue;
                    }
                    Said::Frame(frame) if self.chair.types() => frame,
                    Said::Frame(_) => continue,
                };
                if frames.write(&frame).await.is_err() {
                    return EndReason::Lost;
                }
            }
        }
    }

    fn tell(&self, control: &Control) -> bool {
        let now = self.fleet.0.clock.now();
        control.say(&AtTerminal::of(&self.chair.terminal(), self.chair.session, now))
    }

    async fn does(&self, deed: Deed, control: &Control) {
        let at = (self.chair.place.workspace, self.chair.place.terminal);
        if let Err(why) = self.fleet.do_at_terminal(&self.actor, at, deed).await {
            control.say(&NotDone { refused: why.to_string() });
        }
    }
}

/// The room once it is another one, not before this time; none when the terminal is over.
async fn news(room: &mut watch::Receiver<Arc<Room>>, not_before: Instant) -> Option<Arc<Room>> {
    sleep_until(not_before).await;
    room.changed().await.ok()?;
    Some(Arc::clone(&room.borrow_and_update()))
}

/// Carries bytes both ways until one end goes, where another has looked who may type.
async fn carry<S>(stream: S, socket: Socket, live: &Live) -> EndReason
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (read, write) = tokio::io::split(stream);
    let Socket { mut incoming, outgoing, .. } = socket;
    let up = async {
        let mut frames = FrameWriter::new(write);
        while let Some(message) = incoming.recv().await {
            for said in from_browser(message) {
                if let Said::Frame(frame) = said
                    && frames.write(&frame).await.is_err()
                {
                    return EndReason::Lost;
                }
            }
        }
        EndReason::Closed
    };
    tokio::select! {
        // First, so that nobody is told of a lost connection instead.
        biased;
        reason = cut(live, &outgoing) => reason,
        reason = up => reason,
        reason = to_browser(FrameReader::new(read), &outgoing, None) => reason,
    }
}

/// Returns when the right to it ends.
async fn cut(live: &Live, outgoing: &mpsc::Sender<Message>) -> EndReason {
    live.cut.cancelled().await;
    let why = live.told().to_owned();
    // A browser that does not read is not waited for.
    let _ = outgoing.try_send(Message::Close { code: 4003, why });
    EndReason::Revoked
}

/// What comes from the terminal. Nobody but the agent answers what a program asks its terminal: at a
/// `chair` the questions are left out.
async fn to_browser<R>(
    mut frames: FrameReader<R>,
    outgoing: &mpsc::Sender<Message>,
    chair: Option<&Chair>,
) -> EndReason
where
    R: AsyncRead + Unpin,
{
    let mut queries = Queries::default();
    loop {
        let message = match frames.next().await {
            Ok(Some(Frame::Stdout(bytes) | Frame::Stderr(bytes))) => match chair {
                Some(_) => Message::Binary(queries.pass(&bytes).0),
                None => Message::Binary(bytes),
            },
            Ok(Some(Frame::Notice(text))) => {
                Message::Binary(Bytes::from(format!("\r\n{text}\r\n")))
            }
            Ok(Some(Frame::Exit(_) | Frame::Killed(_))) => {
                let ended = chair.and_then(|chair| {
                    chair.over();
                    chair.now().ended.clone()
                });
                let close = match ended {
                    Some(why) => Message::Close { code: 4004, why },
                    None => Message::Close { code: 4000, why: "the shell ended".to_owned() },
                };
                let _ = outgoing.send(close).await;
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

/// What a browser's message means: keys as bytes or in JSON, all else in JSON.
fn from_browser(message: Message) -> Vec<Said> {
    let text = match message {
        Message::Text(text) => text,
        Message::Binary(bytes) => match serde_json::from_slice::<FromBrowser>(&bytes) {
            Ok(said) => return all_said(said),
            Err(_) => return vec![Said::Frame(Frame::Stdin(bytes))],
        },
        Message::Close { .. } => return vec![],
    };
    serde_json::from_str::<FromBrowser>(&text).map(all_said).unwrap_or_default()
}

fn all_said(said: FromBrowser) -> Vec<Said> {
    let mut all = Vec::new();
    if said.width > 0 && said.height > 0 {
        all.push(Said::Frame(Frame::Resize {
            cols: said.width.min(MAX_CELLS),
            rows: said.height.min(MAX_CELLS),
        }));
    }
    if !said.data.is_empty() {
        all.push(Said::Frame(Frame::Stdin(Bytes::from(said.data))));
    }
    all.extend(said.deed.map(Said::Deed));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_says_keys_sizes_and_deeds() {
        let said = |text: &str| from_browser(Message::Text(text.to_owned()));
        let keys = |bytes| Said::Frame(Frame::Stdin(Bytes::from_static(bytes)));
        assert_eq!(said(r#"{"data":"ls\r"}"#), vec![keys(b"ls\r")]);
        let size = Said::Frame(Frame::Resize { cols: 80, rows: 24 });
        assert_eq!(said(r#"{"height":24,"width":80}"#), vec![size]);
        assert_eq!(said("not json"), vec![]);
        assert_eq!(said(r#"{"deed":"take"}"#), vec![Said::Deed(Deed::Take)]);
        let pin = Said::Deed(Deed::Pin { cols: 90, rows: 30 });
        assert_eq!(said(r#"{"deed":"pin","cols":90,"rows":30}"#), vec![pin]);
        assert_eq!(said(r#"{"deed":"give","to":"nobody"}"#), vec![]);
        let raw = from_browser(Message::Binary(Bytes::from_static(br#"{"data":"x"}"#)));
        assert_eq!(raw, vec![keys(b"x")]);
    }
}
