//! Turns: which one a moment is in, and when each begins by the clocks of a place.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::{Layer, Restriction};
use crate::model::id::UserId;
use crate::model::time::Timestamp;
use crate::model::week::Days;

/// The longest name of a time zone there is has 32 characters.
const MAX_NAME: usize = 64;
/// A turn is found by counting; clocks that were changed move it by a step or two, a day that was
/// left out on the calendar by a day of hours.
const MAX_STEPS: usize = 64;

/// Names that mean what a machine is set to, or nowhere.
const NO_PLACE: [&str; 3] = ["localtime", "posixrules", "Factory"];

/// A place's clocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
    is_known: bool,
}

/// A name that no place's clocks have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a time zone such as Europe/Berlin or UTC")]
pub struct BadZone;

impl Zone {
    /// The clocks of a name such as `Europe/Berlin`.
    ///
    /// # Errors
    /// When there are none of that name.
    pub fn parse(name: &str) -> Result<Self, BadZone> {
        let is_no_place = |no: &str| no.eq_ignore_ascii_case(name);
        if name.len() > MAX_NAME || NO_PLACE.into_iter().any(is_no_place) {
            return Err(BadZone);
        }
        let zone = TimeZone::get(name).ok().filter(|zone| !zone.is_unknown()).ok_or(BadZone)?;
        let name = zone.iana_name().unwrap_or(name).to_owned();
        Ok(Self { name, zone, is_known: true })
    }

    /// The clocks of a name that was one when it was kept. Where it is none any more they show UTC,
    /// and nobody has a turn by them until another name is given.
    #[must_use]
    pub fn kept(name: &str) -> Self {
        let unknown = |_| Self { name: name.to_owned(), zone: TimeZone::UTC, is_known: false };
        Self::parse(name).unwrap_or_else(unknown)
    }

    /// Whether there are clocks of its name.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.is_known
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its clocks show at a moment; none past the end of the calendar.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> Option<DateTime> {
        let at = jiff::Timestamp::from_second(at.0).ok()?;
        Some(self.zone.to_datetime(at))
    }

    /// The moment at which its clocks show a time: the first, where they show it twice, and the
    /// moment they jump, where they never show it. Later times are never earlier moments.
    #[must_use]
    pub fn moment(&self, local: DateTime) -> Option<Timestamp> {
        let found = self.zone.to_ambiguous_zoned(local);
        let at = match found.offset() {
            AmbiguousOffset::Gap { before, .. } => {
                let after = before.to_timestamp(local).ok()?;
                // The jump itself counts: `preceding` looks before the moment it is given.
                let later = after.checked_add(SignedDuration::from_secs(1)).ok()?;
                self.zone.preceding(later).next().map_or(after, |jump| jump.timestamp())
            }
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                found.compatible().ok()?.timestamp()
            }
        };
        Some(Timestamp(at.as_second()))
    }

    /// Reads a time as a form sends it, `2026-11-26T09:00`, by these clocks.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Timestamp> {
        self.moment(text.parse().ok()?)
    }

    /// Writes a time as a form takes it.
    #[must_use]
    pub fn write(&self, at: Timestamp) -> String {
        self.local(at).map_or_else(String::new, |t| t.strftime("%Y-%m-%dT%H:%M").to_string())
    }
}

/// A time of day on a date.
fn on(date: Date, minute: u16) -> Option<DateTime> {
    let midnight = date.at(0, 0, 0, 0);
    midnight.checked_add(SignedDuration::from_mins(i64::from(minute))).ok()
}

impl Layer {
    /// What the clocks showed when the first turn began: the last handoff up to the start. None by
    /// clocks that nobody knows.
    fn anchor(&self, zone: &Zone) -> Option<DateTime> {
        if !zone.is_known {
            return None;
        }
        let start = zone.local(self.starts_at)?;
        let mut date = start.date();
        for _ in 0..=7 {
            let day = date.weekday().to_monday_zero_offset();
            let fits = self.handoff.weekday.is_none_or(|d| i8::try_from(d) == Ok(day));
            let at = on(date, self.handoff.minute)?;
            if fits && at <= start {
                return Some(at);
            }
            date = date.yesterday().ok()?;
        }
        None
    }

    fn nth(&self, anchor: DateTime, turn: i64) -> Option<DateTime> {
        let hours = self.length.hours().checked_mul(turn)?;
        anchor.checked_add(SignedDuration::from_secs(hours.checked_mul(3_600)?)).ok()
    }

    /// When a turn begins, counted from the layer's first.
    #[must_use]
    pub fn handoff_of(&self, zone: &Zone, turn: i64) -> Option<Timestamp> {
        zone.moment(self.nth(self.anchor(zone)?, turn)?)
    }

    /// The turn that a moment is in; none before the start.
    #[must_use]
    pub fn turn_at(&self, zone: &Zone, at: Timestamp) -> Option<i64> {
        if at < self.starts_at {
            return None;
        }
        let (anchor, local) = (self.anchor(zone)?, zone.local(at)?);
        let each = self.length.hours().max(1).checked_mul(3_600)?;
        let mut turn = local.duration_since(anchor).as_secs().div_euclid(each);
        let begins = |turn| zone.moment(self.nth(anchor, turn)?);
        for _ in 0..MAX_STEPS {
            if turn > 0 && begins(turn)? > at {
                turn -= 1;
            } else if begins(turn + 1)? <= at {
                turn += 1;
            } else {
                break;
            }
        }
        Some(turn.max(0))
    }

    /// Who has a turn at a time in it: the one whose it is, or who comes next of those who are in it.
    #[must_use]
    pub fn holder_of(&self, turn: i64, at: Timestamp) -> Option<UserId> {
        let n = self.members.len();
        let turn = usize::try_from(turn).ok()?;
        let whose = self.first.checked_add(turn)?.checked_rem(n)?;
        let order = self.members.iter().cycle().skip(whose).take(n);
        order.into_iter().find(|m| m.is_in(at)).map(|m| m.user)
    }

    /// Who has the layer's turn at a moment, and which; none outside its hours.
    #[must_use]
    pub fn holder_at(&self, zone: &Zone, at: Timestamp) -> Option<(UserId, i64)> {
        let open =
            self.restrictions.is_empty() || self.restrictions.iter().any(|r| r.covers(zone, at));
        let turn = self.turn_at(zone, at).filter(|_| open)?;
        Some((self.holder_of(turn, at)?, turn))
    }
}

impl Restriction {
    /// Whether it begins on a day of the week, counted from Monday.
    #[must_use]
    pub const fn has_day(self, day: u8) -> bool {
        Days(self.days).contains(day % 7)
    }

    /// When it begins and ends on a date.
    #[must_use]
    pub fn times_on(self, zone: &Zone, date: Date) -> Option<(Timestamp, Timestamp)> {
        let day = u8::try_from(date.weekday().to_monday_zero_offset()).ok()?;
        if !self.has_day(day) {
            return None;
        }
        let end = if self.until > self.from { date } else { date.tomorrow().ok()? };
        Some((zone.moment(on(date, self.from)?)?, zone.moment(on(end, self.until)?)?))
    }

    /// Whether it holds at a moment.
    #[must_use]
    pub fn covers(self, zone: &Zone, at: Timestamp) -> bool {
        // One that began on the day before may hold still, also where a day was left out.
        let dates = zone.local(at).map(|t| days_from(t.date(), -2, 4)).unwrap_or_default();
        let mut times = dates.into_iter().filter_map(|date| self.times_on(zone, date));
        times.any(|(from, until)| from <= at && at < until)
    }
}

/// `n` dates, the first `shift` days after one.
pub(super) fn days_from(date: Date, shift: i64, n: usize) -> Vec<Date> {
    let first = date.checked_add(SignedDuration::from_hours(24 * shift)).ok();
    std::iter::successors(first, |d| d.tomorrow().ok()).take(n).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_place() {
        for name in
            ["localtime", "LOCALTIME", "posixrules", "Factory", "Etc/Unknown", "Moon/Base", ""]
        {
            assert_eq!(Zone::parse(name), Err(BadZone), "{name}");
        }
        assert_eq!(Zone::parse("europe/berlin").unwrap().name(), "Europe/Berlin");
        assert!(Zone::parse("UTC").unwrap().is_known());
    }

    #[test]
    fn a_zone_that_is_gone_is_shown_in_utc() {
        let gone = Zone::kept("Moon/Base");
        assert_eq!((gone.name(), gone.is_known()), ("Moon/Base", false));
        assert_eq!(gone.write(Timestamp(0)), "1970-01-01T00:00");
        assert!(Zone::kept("Europe/Berlin").is_known());
    }
}
