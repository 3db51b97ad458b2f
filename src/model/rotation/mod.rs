//! Rotations: who is on call when. People take turns; overrides win over turns.

pub mod calendar;
pub mod notice;
mod plan;
#[cfg(test)]
mod properties;
pub mod text;
mod turn;

use std::collections::BTreeSet;
use std::time::Duration;

pub use plan::{Cause, Shift, Stored};
pub use text::BadText;
pub use turn::Zone;

use super::id::{OrganizationId, OverrideId, RotationId, UserId};
use super::name::GroupName;
use super::time::Timestamp;

/// Rotations of an organization at most: each is looked at when the clock has moved on a day.
pub const MAX_ROTATIONS: usize = 200;
/// Layers of a rotation at most: a primary one, and some for nights, weekends and holidays.
pub const MAX_LAYERS: usize = 8;
/// People in a layer at most, with those who left it.
pub const MAX_MEMBERS: usize = 100;
/// Weekly restrictions of a layer at most: two a day.
pub const MAX_RESTRICTIONS: usize = 14;
/// Overrides of a rotation that are not over, at most: three a day as far as shifts are planned.
pub const MAX_OVERRIDES: usize = 200;
/// Times that may be asked for, from 2000 to 2200: far enough, and well within the calendar.
pub const TIMES: std::ops::Range<Timestamp> = Timestamp(946_684_800)..Timestamp(7_258_118_400);
/// Moments at most, as far ahead as shifts are stored, at which layers may change who is on call: a
/// turn an hour, and some hours of the day. Each is looked at with every change.
pub const MAX_EDGES: usize = 2_000;
/// How far ahead shifts are stored, and so how long a server may be off that cannot add more.
pub const HORIZON: Duration = Duration::from_hours(60 * 24);
/// The longest time that is planned at once: a year, and what a page shows around it.
pub const MAX_SPAN: Duration = Duration::from_hours(400 * 24);
/// The longest override.
pub const MAX_OVERRIDE: Duration = Duration::from_hours(92 * 24);
/// Characters of an override's reason at most.
pub const MAX_REASON: usize = 256;

/// A rotation with all that decides who is on call.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotation {
    /// Its id.
    pub id: RotationId,
    /// The organization it belongs to.
    pub organization_id: OrganizationId,
    /// Its name, unique in the organization.
    pub name: GroupName,
    /// Where its times of day are.
    pub zone: Zone,
    /// Its layers: a later one wins over the earlier ones.
    pub layers: Vec<Layer>,
    /// Its overrides, in the order they were made: a later one wins over the earlier ones.
    pub overrides: Vec<Override>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// People who take turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Who, in their order. Who left keeps the place, so that nobody else's time moves.
    pub members: Vec<Member>,
    /// Whose turn the first one is: a place among the members.
    pub first: usize,
    /// When one hands over to the next.
    pub handoff: Handoff,
    /// How long a turn is.
    pub length: Length,
    /// From when on it holds. The first turn began at the last handoff before, or is cut short.
    pub starts_at: Timestamp,
    /// The hours of the week it holds in; none for all.
    pub restrictions: Vec<Restriction>,
}

/// Someone in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// When they left it: from then on the next one takes their turns.
    pub left_at: Option<Timestamp>,
}

impl Member {
    /// Someone who is in it.
    #[must_use]
    pub const fn new(user: UserId) -> Self {
        Self { user, left_at: None }
    }

    /// Whether they are in it at a time.
    #[must_use]
    pub fn is_in(self, at: Timestamp) -> bool {
        self.left_at.is_none_or(|left| at < left)
    }
}

/// When one hands over to the next, in local time. A time of day that the clocks jump over is the
/// moment they jump; one that comes twice is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handoff {
    /// The day of the week of the first one, from 0 for Monday; none for any.
    pub weekday: Option<u8>,
    /// Minutes after midnight.
    pub minute: u16,
}

/// How long a turn is, by local clocks: a day is from nine to nine, of 23 hours or of 25 too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// How many.
    pub n: u16,
    /// Of what.
    pub unit: Unit,
}

/// What turns are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Hours.
    Hours,
    /// Days.
    Days,
    /// Weeks.
    Weeks,
}

impl Length {
    /// In hours of a clock that nobody changes.
    #[must_use]
    pub const fn hours(self) -> i64 {
        let each = match self.unit {
            Unit::Hours => 1,
            Unit::Days => 24,
            Unit::Weeks => 168,
        };
        self.n as i64 * each
    }
}

/// Hours of the week, in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// The days it begins on: the lowest bit is Monday.
    pub days: u8,
    /// Minutes after midnight at which it begins.
    pub from: u16,
    /// Minutes after midnight at which it ends, on the next day unless later than `from`.
    pub until: u16,
}

/// Someone who is on call instead of whoever's turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Its id.
    pub id: OverrideId,
    /// Who.
    pub user: UserId,
    /// From when on.
    pub from_at: Timestamp,
    /// Until when.
    pub until_at: Timestamp,
    /// Who made it; none for the rotation's webhook.
    pub made_by: Option<UserId>,
    /// Why; may be empty.
    pub reason: String,
}

impl Override {
    /// Whether it holds at a time.
    #[must_use]
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from_at <= at && at < self.until_at
    }
}

impl Rotation {
    /// Whether someone is in one of its layers at a time.
    #[must_use]
    pub fn has(&self, user: UserId, at: Timestamp) -> bool {
        self.layers.iter().flat_map(|l| &l.members).any(|m| m.user == user && m.is_in(at))
    }

    /// Everyone in it at a time, each once, in order.
    #[must_use]
    pub fn members(&self, at: Timestamp) -> Vec<UserId> {
        let mut all = Vec::new();
        for member in self.layers.iter().flat_map(|l| &l.members).filter(|m| m.is_in(at)) {
            if !all.contains(&member.user) {
                all.push(member.user);
            }
        }
        all
    }

    /// The same without some people: others take their turns, and their overrides hold no more.
    #[must_use]
    pub fn without(mut self, absent: &BTreeSet<UserId>) -> Self {
        for member in self.layers.iter_mut().flat_map(|l| &mut l.members) {
            if absent.contains(&member.user) {
                member.left_at = Some(Timestamp(i64::MIN));
            }
        }
        self.overrides.retain(|o| !absent.contains(&o.user));
        self
    }

    /// Whether all of a time is one person's, and they are on call in all of it.
    #[must_use]
    pub fn is_all_of(&self, user: UserId, (from, until): (Timestamp, Timestamp)) -> bool {
        let mut covered = from;
        for shift in self.shifts(from, until) {
            if shift.user != user || shift.from_at != covered {
                return false;
            }
            covered = shift.until_at;
        }
        from < until && covered == until
    }
}

impl Layer {
    /// What this layer becomes when these are its people from `now` on. Who is only left out leaves
    /// their place; with anyone new or in another order the turns go on from whoever has the turn, or
    /// comes next.
    #[must_use]
    pub fn with_members(&self, users: &[UserId], zone: &Zone, now: Timestamp) -> Self {
        let inside: Vec<UserId> =
            self.members.iter().filter(|m| m.is_in(now)).map(|m| m.user).collect();
        let stay: Vec<UserId> = inside.iter().copied().filter(|u| users.contains(u)).collect();
        let mut new = self.clone();
        for member in new.members.iter_mut().filter(|m| m.is_in(now)) {
            if !users.contains(&member.user) {
                member.left_at = Some(now);
            }
        }
        if stay == users {
            return new;
        }
        // Turns are counted on from the same start, so that none of them begins at another time.
        let turn = self.turn_at(zone, now);
        let holder = turn.and_then(|turn| new.holder_of(turn, now));
        let place = holder.and_then(|h| users.iter().position(|u| *u == h)).unwrap_or(0);
        let n = i64::try_from(users.len()).unwrap_or(i64::MAX).max(1);
        let place = i64::try_from(place).unwrap_or(0);
        new.first = usize::try_from((place - turn.unwrap_or(0)).rem_euclid(n)).unwrap_or(0);
        new.members = users.iter().copied().map(Member::new).collect();
        new
    }
}
