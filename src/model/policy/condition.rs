//! Conditions on what someone may do: from where, at what hours, how long after a second factor.

use std::net::IpAddr;
use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use super::permission::{Permission, Permissions};
use crate::model::network::Network;
use crate::model::time::{self, Timestamp};

/// What is known of a request beside who asks.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// When it came.
    pub now: Timestamp,
    /// From where, as far as trusted proxies say; none for what came by no network.
    pub ip: Option<IpAddr>,
    /// When they last showed a second factor in this session.
    pub mfa_at: Option<Timestamp>,
    /// What has to be met.
    pub conditions: &'a [Condition],
}

/// What has to be met for some permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// For which.
    pub permissions: Permissions,
    /// What.
    pub requires: Requirement,
}

/// What a condition asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// To come from one of these networks.
    Networks(Vec<Network>),
    /// To come at these hours.
    Hours(Hours),
    /// To have shown a second factor no longer ago than this.
    Mfa(Duration),
}

/// Hours of some days of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Where the clock hangs.
    pub zone: TimeZone,
    /// Days on which they begin.
    pub days: Vec<Weekday>,
    /// When they begin.
    pub from: Time,
    /// When they end; on the next day if that is not after the beginning.
    pub to: Time,
}

/// A condition that is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// From there it may not be done.
    Network(Option<IpAddr>),
    /// Not now.
    Hours(Hours),
    /// Not without a second factor, or one that old.
    Mfa(Duration),
    /// Not without a second factor in this session.
    Factor,
    /// What is to be met cannot be read.
    Unreadable,
}

impl Context<'_> {
    /// Whether every condition on a permission is met.
    ///
    /// # Errors
    /// With the first that is not.
    pub fn check(&self, permission: Permission) -> Result<(), Unmet> {
        let these = self.conditions.iter().filter(|c| c.permissions.contains(permission));
        these.map(|condition| &condition.requires).try_for_each(|requires| self.meets(requires))
    }

    /// Whether a requirement is met.
    ///
    /// # Errors
    /// When it is not.
    pub fn meets(&self, requires: &Requirement) -> Result<(), Unmet> {
        match requires {
            Requirement::Networks(networks) => {
                let inside = self.ip.is_some_and(|ip| networks.iter().any(|n| n.contains(ip)));
                if inside { Ok(()) } else { Err(Unmet::Network(self.ip)) }
            }
            Requirement::Hours(hours) => {
                if hours.contain(self.now) {
                    Ok(())
                } else {
                    Err(Unmet::Hours(hours.clone()))
                }
            }
            Requirement::Mfa(within) => {
                // A second factor from after now is one from before the clock was put back.
                let fresh = |at: Timestamp| at <= self.now && self.now.since(at) <= *within;
                if self.mfa_at.is_some_and(fresh) { Ok(()) } else { Err(Unmet::Mfa(*within)) }
            }
        }
    }
}

impl Hours {
    /// Whether a time is within them.
    #[must_use]
    pub fn contain(&self, at: Timestamp) -> bool {
        let Ok(at) = jiff::Timestamp::from_second(at.0) else { return false };
        let local = at.to_zoned(self.zone.clone()).datetime();
        let (day, time) = (local.date().weekday(), local.time());
        if self.from < self.to {
            return self.days.contains(&day) && self.from <= time && time < self.to;
        }
        (self.days.contains(&day) && self.from <= time)
            || (self.days.contains(&day.previous()) && time < self.to)
    }
}

impl std::fmt::Display for Unmet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Network(Some(ip)) => write!(f, "this may not be done from {ip}"),
            Self::Network(None) => f.write_str("this may be done from some networks only"),
            Self::Hours(hours) => write!(
                f,
                "this may be done from {} to {} only ({})",
                hours.from.strftime("%H:%M"),
                hours.to.strftime("%H:%M"),
                hours.zone.iana_name().unwrap_or("UTC")
            ),
            Self::Mfa(within) => {
                write!(f, "this needs a second factor no older than {}", time::words(*within))
            }
            Self::Factor => f.write_str("this needs a session with your second factor"),
            Self::Unreadable => f.write_str("the limits of this right cannot be read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::policy::{Action, ResourceType};

    const DELETE: Permission = Permission(ResourceType::Workspace, Action::Delete);

    fn check(requires: Requirement, now: &str, ip: Option<&str>, mfa_at: Option<&str>) -> bool {
        let conditions = [Condition { permissions: [DELETE].into_iter().collect(), requires }];
        let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
        let (ip, mfa_at) = (ip.map(|ip| ip.parse().unwrap()), mfa_at.map(at));
        let context = Context { now: at(now), ip, mfa_at, conditions: &conditions };
        let other = Permission(ResourceType::Workspace, Action::Read);
        assert_eq!(context.check(other), Ok(()), "it is not about this");
        context.check(DELETE).is_ok()
    }

    fn hours(from: (i8, i8), to: (i8, i8)) -> Requirement {
        Requirement::Hours(Hours {
            zone: TimeZone::get("Europe/Berlin").unwrap(),
            days: vec![Weekday::Monday, Weekday::Friday],
            from: Time::constant(from.0, from.1, 0, 0),
            to: Time::constant(to.0, to.1, 0, 0),
        })
    }

    #[test]
    fn hours_are_those_of_their_zone_and_may_go_past_midnight() {
        let day = || hours((9, 0), (17, 30));
        assert!(check(day(), "2026-11-20T08:00:00Z", None, None), "Friday, 9 in Berlin");
        assert!(!check(day(), "2026-11-20T07:59:59Z", None, None));
        assert!(!check(day(), "2026-11-20T16:30:00Z", None, None), "half past five");
        assert!(check(day(), "2026-07-20T07:00:00Z", None, None), "a Monday in summer");
        assert!(!check(day(), "2026-11-21T10:00:00Z", None, None), "Saturday");
        let night = || hours((22, 0), (6, 0));
        assert!(check(night(), "2026-11-20T23:00:00Z", None, None), "the night after Friday");
        assert!(check(night(), "2026-11-21T04:59:59Z", None, None));
        assert!(!check(night(), "2026-11-21T05:00:00Z", None, None));
        assert!(!check(night(), "2026-11-20T04:00:00Z", None, None), "the night after Thursday");
    }

    #[test]
    fn an_address_that_is_not_known_is_in_no_network() {
        let office = || Requirement::Networks(vec!["10.0.0.0/8".parse().unwrap()]);
        let now = "2026-11-20T08:00:00Z";
        assert!(check(office(), now, Some("10.1.2.3"), None));
        assert!(check(office(), now, Some("::ffff:10.1.2.3"), None));
        assert!(!check(office(), now, Some("203.0.113.1"), None));
        assert!(!check(office(), now, None, None));
    }

    #[test]
    fn a_second_factor_ages() {
        let fresh = || Requirement::Mfa(Duration::from_mins(15));
        let now = "2026-11-20T08:00:00Z";
        assert!(check(fresh(), now, None, Some("2026-11-20T07:45:00Z")));
        assert!(!check(fresh(), now, None, Some("2026-11-20T07:44:59Z")));
        assert!(!check(fresh(), now, None, Some("2026-11-20T08:00:01Z")), "the clock was put back");
        assert!(!check(fresh(), now, None, None));
    }
}
