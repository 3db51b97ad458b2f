//! A terminal that several people are at: who may type, whose window gives the size, who decides.

mod control;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use control::{By, Deed, Refused};

use super::id::{AgentId, SessionId, TerminalId, UserId, WorkspaceId};
use super::session::SessionKind;
use super::time::Timestamp;
use super::user::{UserRef, define_words};

/// Places at one terminal: a team and those who look on.
pub const MAX_SEATS: usize = 32;

/// Columns and rows that a terminal may have.
const SIZES: std::ops::RangeInclusive<u16> = 2..=1000;

/// Seconds after a key in which someone is said to type.
pub const TYPING_S: i64 = 5;

define_words! {
    /// What someone may do at a terminal.
    Part {
        /// Looks on.
        Watcher = "watcher",
        /// Types, unless it is another's turn.
        Typist = "typist",
        /// Types, says whose turn it is, makes others look on, and ends it.
        Moderator = "moderator",
    }
    /// How a place came to be taken.
    Coming {
        /// To type, as far as one may.
        Join = "join",
        /// To look on, whatever one may.
        Watch = "watch",
    }
}

/// A place at a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The session it is.
    pub session: SessionId,
    /// Whose.
    pub user: UserRef,
    /// What their rights make them, as they were read last.
    pub rank: Part,
    /// What they made them when they came: what they came with makes them no more.
    pub most: Part,
    /// What they came for.
    pub coming: Coming,
    /// Through what.
    pub through: SessionKind,
    /// Since when.
    pub since: Timestamp,
    /// Whether what it shows is recorded.
    pub is_recorded: bool,
    /// Columns and rows of their window.
    pub window: (u16, u16),
    /// When they last typed.
    pub typed_at: Option<Timestamp>,
}

/// Who types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turns {
    /// Everyone who may.
    Everyone,
    /// One at a time: whoever has control, or nobody yet.
    One(Option<UserId>),
}

/// What someone does just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Looks on, and may not type.
    Watching,
    /// Typed a moment ago.
    Typing,
    /// Has not typed for so many seconds.
    Idle(i64),
}

/// A terminal with those who are at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Who began it.
    pub began_by: UserRef,
    /// When.
    pub began_at: Timestamp,
    /// Who types.
    pub turns: Turns,
    /// Columns and rows that it keeps.
    pub pinned: Option<(u16, u16)>,
    /// What happened last, for those who are there.
    pub said: String,
    /// What everyone is told who was there when it was ended.
    pub ended: Option<String>,
    size: (u16, u16),
    seats: BTreeMap<SessionId, Seat>,
    /// Whom a moderator made look on; it outlives their leaving.
    quiet: BTreeSet<UserId>,
    asking: BTreeSet<UserId>,
}

/// A terminal that is open, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTerminal {
    /// Its id.
    pub id: TerminalId,
    /// Where.
    pub workspace: WorkspaceId,
    /// In which agent.
    pub agent: AgentId,
    /// Who is at it.
    pub room: Room,
}

impl Room {
    /// One that someone begins, who is not at it yet.
    #[must_use]
    pub fn new(began_by: UserRef, began_at: Timestamp, size: (u16, u16)) -> Self {
        Self {
            began_by,
            began_at,
            turns: Turns::Everyone,
            pinned: None,
            said: String::new(),
            ended: None,
            size: within(size),
            seats: BTreeMap::new(),
            quiet: BTreeSet::new(),
            asking: BTreeSet::new(),
        }
    }

    /// Those at it, in the order in which they came.
    #[must_use]
    pub fn seats(&self) -> Vec<&Seat> {
        let mut all: Vec<&Seat> = self.seats.values().collect();
        all.sort_by_key(|seat| (seat.since, seat.session));
        all
    }

    /// One of the places.
    #[must_use]
    pub fn seat(&self, session: SessionId) -> Option<&Seat> {
        self.seats.get(&session)
    }

    /// Its columns and rows.
    #[must_use]
    pub const fn size(&self) -> (u16, u16) {
        self.size
    }

    /// Whether someone asks for control.
    #[must_use]
    pub fn asks(&self, user: UserId) -> bool {
        self.asking.contains(&user)
    }

    /// Whether a moderator made someone look on.
    #[must_use]
    pub fn was_quieted(&self, user: UserId) -> bool {
        self.quiet.contains(&user)
    }

    /// What someone at it is now: what their rights make them, unless they look on.
    #[must_use]
    pub fn part(&self, seat: &Seat) -> Part {
        match (seat.coming, seat.rank) {
            (Coming::Watch, _) => Part::Watcher,
            (Coming::Join, Part::Typist) if self.quiet.contains(&seat.user.id) => Part::Watcher,
            (Coming::Join, rank) => rank,
        }
    }

    /// Whether what is typed at a place goes to the terminal.
    #[must_use]
    pub fn may_type(&self, session: SessionId) -> bool {
        self.seats.get(&session).is_some_and(|seat| self.types(seat))
    }

    fn types(&self, seat: &Seat) -> bool {
        let has_turn = match self.turns {
            Turns::Everyone => true,
            Turns::One(holder) => holder == Some(seat.user.id),
        };
        has_turn && self.part(seat) != Part::Watcher
    }

    /// What someone at it does just now.
    #[must_use]
    pub fn doing(&self, seat: &Seat, now: Timestamp) -> Doing {
        if self.part(seat) == Part::Watcher {
            return Doing::Watching;
        }
        let quiet_s = now.0 - seat.typed_at.unwrap_or(seat.since).0;
        match seat.typed_at {
            Some(_) if quiet_s < TYPING_S => Doing::Typing,
            _ => Doing::Idle(quiet_s.max(0)),
        }
    }

    /// Someone comes.
    ///
    /// # Errors
    /// When there is no place left.
    pub fn enter(&mut self, seat: Seat) -> Result<(), Refused> {
        if self.seats.len() >= MAX_SEATS {
            return Err(Refused::Full);
        }
        let seat = Seat { window: within(seat.window), ..seat };
        let to_watch = if self.part(&seat) == Part::Watcher { " to watch" } else { "" };
        self.said = format!("{} joined{to_watch}.", seat.user.username);
        self.seats.insert(seat.session, seat);
        self.fit();
        Ok(())
    }

    /// Someone leaves. Control goes with the last of their places that can type.
    pub fn leave(&mut self, session: SessionId) {
        let Some(seat) = self.seats.remove(&session) else { return };
        self.lay_down(seat.user.id);
        self.said = format!("{} left.", seat.user.username);
        self.fit();
    }

    /// Someone's rights were read again. Returns whether that changes anything.
    pub fn set_rank(&mut self, session: SessionId, rank: Part) -> bool {
        let Some(seat) = self.seats.get_mut(&session) else { return false };
        let (user, rank) = (seat.user.id, rank.min(seat.most));
        if seat.rank == rank {
            return false;
        }
        seat.rank = rank;
        self.lay_down(user);
        self.fit();
        true
    }

    /// Someone who can no longer type has no turn, and asks for none.
    fn lay_down(&mut self, user: UserId) {
        if !self.can_type(user) {
            self.asking.remove(&user);
            if self.turns == Turns::One(Some(user)) {
                self.turns = Turns::One(None);
            }
        }
    }

    /// A window has another size. Returns whether that changes anything.
    pub fn set_window(&mut self, session: SessionId, window: (u16, u16)) -> bool {
        let before = self.size;
        let Some(seat) = self.seats.get_mut(&session) else { return false };
        seat.window = within(window);
        self.fit();
        self.size != before
    }

    /// Someone typed. Returns whether that is news to the others.
    pub fn typed(&mut self, session: SessionId, now: Timestamp) -> bool {
        let Some(seat) = self.seats.get_mut(&session) else { return false };
        let last = seat.typed_at;
        // While someone goes on typing, it is told again before the others take it for over.
        let is_news = last.is_none_or(|at| now.0 - at.0 >= TYPING_S / 2);
        if is_news {
            seat.typed_at = Some(now);
        }
        is_news
    }

    /// Whether someone at it could be given control.
    fn can_type(&self, user: UserId) -> bool {
        let theirs = self.seats.values().filter(|seat| seat.user.id == user);
        theirs.into_iter().any(|seat| self.part(seat) != Part::Watcher)
    }

    fn name(&self, user: UserId) -> String {
        let found = self.seats.values().find(|seat| seat.user.id == user);
        found.map_or_else(|| "someone".to_owned(), |seat| seat.user.username.to_string())
    }

    /// The smallest window of those who type, in each direction; the size that is kept goes first.
    /// Who looks on has no say, and where nobody types all stays as it was.
    fn fit(&mut self) {
        let nobodys_turn = self.turns == Turns::One(None);
        let rules =
            |seat: &&Seat| self.types(seat) || (nobodys_turn && self.part(seat) != Part::Watcher);
        let windows = self.seats.values().filter(rules).map(|seat| seat.window);
        let smallest = windows.reduce(|a, b| (a.0.min(b.0), a.1.min(b.1)));
        self.size = self.pinned.or(smallest).unwrap_or(self.size);
    }
}

fn within((cols, rows): (u16, u16)) -> (u16, u16) {
    (cols.clamp(*SIZES.start(), *SIZES.end()), rows.clamp(*SIZES.start(), *SIZES.end()))
}
