//! Terminals that people share, as the API and the terminal's own socket have them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::coder::Time;
use super::coder::users::MinimalUser;
use crate::model::id::SessionId;
use crate::model::terminal::{Doing, OpenTerminal, Part, Room, Seat, Turns};
use crate::model::time::Timestamp;
use crate::model::user::UserRef;

/// A terminal that is open: one of `GET /workspaces/{workspace}/terminals`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Terminal {
    /// Its id.
    pub id: Uuid,
    /// In which agent.
    pub agent_id: Uuid,
    /// Who began it.
    pub began_by: MinimalUser,
    /// When.
    pub began_at: Time,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// Whether it keeps that size.
    pub is_pinned: bool,
    /// Whether one types at a time.
    pub one_at_a_time: bool,
    /// What happened last.
    pub said: String,
    /// Who is at it, in the order in which they came.
    pub seats: Vec<TerminalSeat>,
}

/// A place at a terminal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TerminalSeat {
    /// The session.
    pub session: Uuid,
    /// Who.
    pub user: MinimalUser,
    /// `watcher`, `typist` or `moderator`.
    pub part: String,
    /// `watching`, `typing` or `idle`.
    pub doing: String,
    /// Seconds since they typed, where they are idle.
    pub idle_s: i64,
    /// Since when.
    pub since: Time,
    /// Through what: `terminal` or `ssh`.
    pub through: String,
    /// Whether what they type goes to the terminal now.
    pub may_type: bool,
    /// Whether they ask for control.
    pub asks: bool,
    /// Whether a moderator made them look on.
    pub was_quieted: bool,
    /// Whether what they see is recorded.
    pub is_recorded: bool,
}

/// What a terminal's socket says as text to who asked for it by `seats=true`, at first and when
/// anything of it changes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AtTerminal {
    /// The session of whoever it is said to.
    pub you: Uuid,
    /// Whether they may say whose turn it is, make others look on, and end it.
    pub may_moderate: bool,
    /// Whether they may set how it is shared.
    pub may_set: bool,
    /// The terminal.
    pub terminal: Terminal,
}

/// What the same socket says when something was not done.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NotDone {
    /// Why.
    pub refused: String,
}

impl Terminal {
    /// As it is now.
    #[must_use]
    pub fn of(open: &OpenTerminal, now: Timestamp) -> Self {
        let room = &open.room;
        let (cols, rows) = room.size();
        Self {
            id: open.id.0,
            agent_id: open.agent.0,
            began_by: person(&room.began_by),
            began_at: room.began_at.into(),
            cols,
            rows,
            is_pinned: room.pinned.is_some(),
            one_at_a_time: room.turns != Turns::Everyone,
            said: room.said.clone(),
            seats: room.seats().into_iter().map(|seat| place(room, seat, now)).collect(),
        }
    }
}

impl AtTerminal {
    /// As it is now to who is at it.
    #[must_use]
    pub fn of(open: &OpenTerminal, you: SessionId, now: Timestamp) -> Self {
        let seat = open.room.seat(you);
        let may_moderate = seat.is_some_and(|seat| seat.rank == Part::Moderator);
        let began =
            seat.is_some_and(|s| s.user.id == open.room.began_by.id && s.rank != Part::Watcher);
        let may_set = may_moderate || began;
        Self { you: you.0, may_moderate, may_set, terminal: Terminal::of(open, now) }
    }
}

/// What someone does just now, in a word and seconds.
#[must_use]
pub const fn doing(doing: Doing) -> (&'static str, i64) {
    match doing {
        Doing::Watching => ("watching", 0),
        Doing::Typing => ("typing", 0),
        Doing::Idle(seconds) => ("idle", seconds),
    }
}

fn place(room: &Room, seat: &Seat, now: Timestamp) -> TerminalSeat {
    let (word, idle_s) = doing(room.doing(seat, now));
    TerminalSeat {
        session: seat.session.0,
        user: person(&seat.user),
        part: room.part(seat).to_string(),
        doing: word.to_owned(),
        idle_s,
        since: seat.since.into(),
        through: seat.through.to_string(),
        may_type: room.may_type(seat.session),
        asks: room.asks(seat.user.id),
        was_quieted: room.was_quieted(seat.user.id),
        is_recorded: seat.is_recorded,
    }
}

fn person(user: &UserRef) -> MinimalUser {
    let username = user.username.to_string();
    MinimalUser { id: user.id.0, username, ..MinimalUser::default() }
}
