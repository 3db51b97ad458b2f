//! Who is on call: at a moment, and shift by shift.

use std::collections::BTreeSet;

use super::turn::days_from;
use super::{HORIZON, Layer, MAX_SPAN, Rotation};
use crate::model::id::{OverrideId, UserId};
use crate::model::time::Timestamp;

/// Seconds of the shortest day there is on a calendar, so that days are never counted too few.
const SHORT_DAY: i64 = 23 * 3_600;

/// Someone's time on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Who.
    pub user: UserId,
    /// From when on.
    pub from_at: Timestamp,
    /// Until when.
    pub until_at: Timestamp,
    /// Why they.
    pub cause: Cause,
}

/// Why someone is on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is their turn, or they stand in for who left.
    Turn {
        /// The layer, from 0.
        layer: usize,
        /// The turn, counted from the layer's first.
        turn: i64,
    },
    /// An override says so.
    Override(OverrideId),
}

/// A shift as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Who.
    pub user: UserId,
    /// From when on.
    pub from_at: Timestamp,
    /// Until when.
    pub until_at: Timestamp,
    /// Whether an override says so.
    pub is_override: bool,
}

impl From<&Shift> for Stored {
    fn from(shift: &Shift) -> Self {
        Self {
            user: shift.user,
            from_at: shift.from_at,
            until_at: shift.until_at,
            is_override: matches!(shift.cause, Cause::Override(_)),
        }
    }
}

impl Rotation {
    /// Who is on call at a moment.
    #[must_use]
    pub fn on_call(&self, at: Timestamp) -> Option<UserId> {
        self.who(at).map(|(user, _)| user)
    }

    fn who(&self, at: Timestamp) -> Option<(UserId, Cause)> {
        let by_override = self.overrides.iter().rev().find(|o| o.covers(at));
        let by_override = by_override.map(|o| (o.user, Cause::Override(o.id)));
        by_override.or_else(|| {
            self.layers.iter().enumerate().rev().find_map(|(layer, l)| {
                let (user, turn) = l.holder_at(&self.zone, at)?;
                Some((user, Cause::Turn { layer, turn }))
            })
        })
    }

    /// The shifts of a time, in order and cut to it: none overlaps another. A time longer than
    /// [`MAX_SPAN`] is cut off there.
    #[must_use]
    pub fn shifts(&self, from: Timestamp, until: Timestamp) -> Vec<Shift> {
        let until = until.min(from.plus(MAX_SPAN));
        if until <= from {
            return Vec::new();
        }
        let mut edges: BTreeSet<Timestamp> = self.edges(from, until);
        edges.retain(|at| from < *at && *at < until);
        edges.insert(from);
        let mut shifts: Vec<Shift> = Vec::new();
        let ends = edges.iter().skip(1).copied().chain([until]);
        for (from_at, until_at) in edges.iter().copied().zip(ends) {
            let Some((user, cause)) = self.who(from_at) else { continue };
            match shifts.last_mut() {
                Some(last) if (last.user, last.cause, last.until_at) == (user, cause, from_at) => {
                    last.until_at = until_at;
                }
                Some(_) | None => shifts.push(Shift { user, from_at, until_at, cause }),
            }
        }
        shifts
    }

    /// How many moments there are, as far ahead as shifts are stored and once every layer holds, at
    /// which the layers may change who is on call.
    #[must_use]
    pub fn edges_ahead(&self, now: Timestamp) -> usize {
        let starts = self.layers.iter().map(|layer| layer.starts_at);
        let from = starts.fold(now, Timestamp::max);
        let until = from.plus(HORIZON);
        let alone = Self { overrides: Vec::new(), ..self.clone() };
        alone.edges(from, until).range(from..until).count()
    }

    /// Every moment of a time at which who is on call may change.
    pub(super) fn edges(&self, from: Timestamp, until: Timestamp) -> BTreeSet<Timestamp> {
        let mut edges: BTreeSet<Timestamp> =
            self.overrides.iter().flat_map(|o| [o.from_at, o.until_at]).collect();
        for layer in &self.layers {
            edges.insert(layer.starts_at);
            edges.extend(layer.members.iter().filter_map(|m| m.left_at));
            edges.extend(self.handoffs(layer, from, until));
            edges.extend(self.openings(layer, from, until));
        }
        edges
    }

    fn handoffs(&self, layer: &Layer, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
        // No turn is found past the end of the calendar, where none begins either.
        let Some(first) = layer.turn_at(&self.zone, from.max(layer.starts_at)) else {
            return Vec::new();
        };
        let begins = (first..).map_while(|turn| layer.handoff_of(&self.zone, turn));
        begins.take_while(|at| *at < until).collect()
    }

    fn openings(&self, layer: &Layer, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
        let Some(first) = self.zone.local(from).filter(|_| !layer.restrictions.is_empty()) else {
            return Vec::new();
        };
        let n = usize::try_from((until.0 - from.0) / SHORT_DAY).unwrap_or(0);
        let dates = days_from(first.date(), -2, n.saturating_add(5));
        let times = dates.iter().flat_map(|date| {
            layer.restrictions.iter().filter_map(|r| r.times_on(&self.zone, *date))
        });
        times.flat_map(|(from, until)| [from, until]).collect()
    }
}
