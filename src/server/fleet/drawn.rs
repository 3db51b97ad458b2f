//! A terminal as a window of another size shows it: for `ssh` and the command line, whose windows
//! cannot be given the terminal's size.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, WriteHalf};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::Fleet;
use super::register::Live;
use super::terminals::Chair;
use crate::model::id::SessionId;
use crate::model::terminal::{Deed, Doing, Part, Room, Seat, Turns};
use crate::model::time::Timestamp;
use crate::server::app::Actor;
use crate::ssh::BoxStream;
use crate::ssh::frames::{FrameReader, FrameWriter};
use crate::ssh::screen::Screen;
use crate::ssh::view::View;
use crate::tasks::OnPanic;
use crate::wire::frame::Frame;

/// How soon what changed is drawn: more often nobody sees.
const DRAW_AFTER: Duration = Duration::from_millis(25);
/// How often the line about who is there is looked at: who types, or no more.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a notice stays in that line.
const NOTICE_FOR: Duration = Duration::from_secs(12);
/// What the stream between holds: some screens.
const STREAM_BYTES: usize = 128 << 10;

/// A terminal's stream on one side, a window on the other.
struct Drawn {
    chair: Chair,
    actor: Actor,
    fleet: Fleet,
    window: (u16, u16),
    view: View,
    screen: Screen,
    /// What is told, and until when.
    notice: Option<(String, Instant)>,
    to_agent: FrameWriter<WriteHalf<BoxStream>>,
    to_person: FrameWriter<WriteHalf<BoxStream>>,
    /// When the next picture is due; none when nothing changed.
    due: Option<Instant>,
}

/// Whether it goes on.
enum Next {
    Go,
    /// It is over; the person is told this, and their program ends with this code.
    Over(String, u32),
}

impl Fleet {
    /// The stream of a window in which someone sees a terminal. Their session's end ends it, and a cut does
    /// whatever waits to be written on either side.
    pub(super) fn draw(
        &self,
        (stream, live): (BoxStream, &Arc<Live>),
        (chair, actor): (Chair, Actor),
        window: (u16, u16),
    ) -> BoxStream {
        let (near, far) = tokio::io::duplex(STREAM_BYTES);
        let (from_agent, to_agent) = tokio::io::split(stream);
        let (from_person, to_person) = tokio::io::split(Box::new(far) as BoxStream);
        let (cols, rows) = chair.now().size();
        let drawn = Drawn {
            actor,
            fleet: self.clone(),
            window,
            view: View::new(window),
            screen: Screen::without_history(cols, rows),
            notice: None,
            to_agent: FrameWriter::new(to_agent),
            to_person: FrameWriter::new(to_person),
            due: None,
            chair,
        };
        let cut = live.cut.clone();
        self.0.tasks.spawn("drawn terminal", OnPanic::Lose, async move {
            tokio::select! {
                biased;
                () = cut.cancelled() => {}
                () = drawn.run(FrameReader::new(from_agent), FrameReader::new(from_person)) => {}
            }
        });
        Box::new(near)
    }
}

impl Drawn {
    async fn run<R: AsyncRead + Unpin, P: AsyncRead + Unpin>(
        mut self,
        mut agent: FrameReader<R>,
        mut person: FrameReader<P>,
    ) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut room = self.chair.room.clone();
        // It may have another size since it was opened for this window.
        let (cols, rows) = self.screen.size();
        if self.to_agent.write(&Frame::Resize { cols, rows }).await.is_err() {
            return;
        }
        let (text, code) = loop {
            let due = self.due.unwrap_or_else(Instant::now);
            let next = tokio::select! {
                frame = agent.next() => match frame {
                    Ok(Some(frame)) => Ok(self.shows(frame)),
                    Ok(None) | Err(_) => {
                        break ("The connection to the workspace was lost.".to_owned(), 255);
                    }
                },
                frame = person.next() => match frame {
                    Ok(Some(frame)) => self.does(frame).await,
                    Ok(None) | Err(_) => return,
                },
                Ok(()) = room.changed() => {
                    let now = Arc::clone(&room.borrow_and_update());
                    self.hears(&now).await
                }
                () = sleep_until(due), if self.due.is_some() => self.draw().await.map(|()| Next::Go),
                _ = look.tick() => {
                    self.soon();
                    Ok(Next::Go)
                }
            };
            match next {
                Ok(Next::Go) => {}
                Ok(Next::Over(text, code)) => break (text, code),
                Err(_) => return,
            }
        };
        self.finish(&text, code).await;
    }

    fn soon(&mut self) {
        self.due.get_or_insert_with(|| Instant::now() + DRAW_AFTER);
    }

    /// What comes from the terminal.
    fn shows(&mut self, frame: Frame) -> Next {
        match frame {
            Frame::Stdout(bytes) | Frame::Stderr(bytes) => self.screen.feed(&bytes),
            Frame::Notice(text) => self.notice = Some((text, Instant::now() + NOTICE_FOR)),
            Frame::Exit(_) | Frame::Killed(_) => {
                self.chair.over();
                let ended = self.chair.now().ended.clone();
                return Next::Over(
                    ended.map_or_else(|| "The shell ended.".to_owned(), |why| sentence(&why)),
                    0,
                );
            }
            // Only clients say these.
            Frame::Stdin(_) | Frame::StdinEnd | Frame::Resize { .. } | Frame::Signal(_) => {}
        }
        self.soon();
        Next::Go
    }

    /// What comes from the person: keys for the terminal, or for this window where they may not type.
    async fn does(&mut self, frame: Frame) -> std::io::Result<Next> {
        match frame {
            Frame::Stdin(keys) if self.chair.types() => {
                self.to_agent.write(&Frame::Stdin(keys)).await?;
            }
            Frame::Stdin(keys) => return Ok(self.obeys(&keys).await),
            Frame::Resize { cols, rows } => {
                self.window = (cols, rows);
                self.view.resize(self.window);
                self.chair.set_window(View::room(self.window));
                self.soon();
            }
            Frame::Signal(_) if self.chair.types() => self.to_agent.write(&frame).await?,
            Frame::StdinEnd => return Ok(Next::Over(String::new(), 0)),
            Frame::Signal(_)
            | Frame::Stdout(_)
            | Frame::Stderr(_)
            | Frame::Exit(_)
            | Frame::Killed(_)
            | Frame::Notice(_) => {}
        }
        Ok(Next::Go)
    }

    /// The keys of who may not type: `q` leaves, and `r` asks for control. What their own terminal
    /// answers by itself begins with an escape, and means nothing.
    async fn obeys(&mut self, keys: &Bytes) -> Next {
        match keys.as_ref() {
            [b'q' | 0x03 | 0x04] => return Next::Over("You left the terminal.".to_owned(), 0),
            [b'r'] => {
                let at = (self.chair.place.workspace, self.chair.place.terminal);
                if let Err(why) = self.fleet.do_at_terminal(&self.actor, at, Deed::Ask).await {
                    let text = sentence(&why.to_string());
                    self.notice = Some((text, Instant::now() + NOTICE_FOR));
                    self.soon();
                }
            }
            _ => {}
        }
        Next::Go
    }

    /// Someone came or left, control passed on, or the size is another one.
    async fn hears(&mut self, room: &Room) -> std::io::Result<Next> {
        if let Some(ended) = &room.ended {
            return Ok(Next::Over(sentence(ended), 0));
        }
        let (cols, rows) = room.size();
        if self.screen.resize(cols, rows) {
            self.to_agent.write(&Frame::Resize { cols, rows }).await?;
        }
        if !room.said.is_empty() {
            self.notice = Some((room.said.clone(), Instant::now() + NOTICE_FOR));
        }
        self.soon();
        Ok(Next::Go)
    }

    async fn draw(&mut self) -> std::io::Result<()> {
        self.due = None;
        self.notice.take_if(|(_, until)| *until <= Instant::now());
        let told = self.notice.as_ref().map_or("", |(text, _)| text.as_str());
        let line = line(&self.chair.now(), self.chair.session, self.fleet.0.clock.now(), told);
        let bytes = self.view.draw(self.screen.shown(), &line);
        self.to_person.write(&Frame::Stdout(bytes.into())).await
    }

    async fn finish(mut self, text: &str, code: u32) {
        let mut last = View::leave().to_vec();
        if !text.is_empty() {
            last.extend_from_slice(format!("{text}\r\n").as_bytes());
        }
        let _ = self.to_person.write(&Frame::Stdout(last.into())).await;
        let _ = self.to_person.write(&Frame::Exit(code)).await;
        let _ = self.to_person.finish().await;
    }
}

/// Who is there, as a line below the terminal.
fn line(room: &Room, you: SessionId, now: Timestamp, told: &str) -> String {
    let one = |seat: &Seat| {
        let name = if seat.session == you { "you" } else { seat.user.username.as_str() };
        let word = match room.doing(seat, now) {
            Doing::Watching => "watching",
            Doing::Typing => "typing",
            Doing::Idle(_) if room.turns == Turns::One(Some(seat.user.id)) => "in control",
            Doing::Idle(_) => "here",
        };
        format!("{name} {word}")
    };
    let seats: Vec<String> = room.seats().into_iter().map(one).collect();
    let may_ask = room.seat(you).is_some_and(|seat| room.part(seat) != Part::Watcher);
    let keys = match (room.may_type(you), may_ask) {
        (true, _) => "",
        (false, true) => " | r asks for control, q leaves",
        (false, false) => " | q leaves",
    };
    let told = if told.is_empty() { String::new() } else { format!(" | {told}") };
    format!(" {}{keys}{told}", seats.join(", "))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}
