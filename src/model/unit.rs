//! Units of work of a workspace's scripts, which wait for each other.

use std::collections::{BTreeMap, BTreeSet};

/// Most units of a workspace. A template has a few dozen scripts.
pub const MAX_UNITS: usize = 1_000;

/// Longest name of a unit, in bytes.
pub const MAX_UNIT_NAME: usize = 256;

/// Most units that one needs.
pub const MAX_NEEDS: usize = 100;

/// How far a unit is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitState {
    /// Someone needs it, but it said nothing of itself yet.
    #[default]
    NotRegistered,
    /// It is known, and has not begun.
    Pending,
    /// It has begun.
    Started,
    /// It is done.
    Completed,
}

impl UnitState {
    /// As people read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NotRegistered => "not registered",
            Self::Pending => "pending",
            Self::Started => "started",
            Self::Completed => "completed",
        }
    }
}

/// A unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Unit {
    /// How far it is.
    pub state: UnitState,
    /// The units that have to be complete before it begins.
    pub needs: BTreeSet<String>,
}

/// All units of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Units(BTreeMap<String, Unit>);

/// Why a script's word about a unit is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUnit {
    /// It has no name, or one that is too long.
    #[error("the name of a unit is 1 to {MAX_UNIT_NAME} bytes long")]
    Name,
    /// There are too many.
    #[error("there are {MAX_UNITS} units already")]
    TooMany,
    /// It needs too many.
    #[error("{0:?} needs {MAX_NEEDS} units already")]
    TooManyNeeds(String),
    /// They would wait for each other for ever.
    #[error("{0:?} cannot wait for {1:?}, which waits for {0:?}")]
    Cycle(String, String),
    /// Nobody spoke of it.
    #[error("the unit {0:?} is not registered: `start` it first")]
    Unknown(String),
}

impl Units {
    /// A unit by name; one that nobody spoke of when it is not there.
    #[must_use]
    pub fn unit(&self, name: &str) -> Unit {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// All by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Unit)> {
        self.0.iter().map(|(name, unit)| (name.as_str(), unit))
    }

    /// The units that this one still waits for.
    pub fn missing<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let needs = self.0.get(name).map(|unit| &unit.needs).into_iter().flatten();
        needs.map(String::as_str).filter(|n| self.unit(n).state != UnitState::Completed)
    }

    /// Whether nothing keeps it from beginning.
    #[must_use]
    pub fn is_ready(&self, name: &str) -> bool {
        self.missing(name).next().is_none()
    }

    /// Notes that a unit needs another one.
    ///
    /// # Errors
    /// When the other one already waits for it.
    pub fn want(&mut self, name: &str, needed: &str) -> Result<(), BadUnit> {
        if name == needed || self.waits_for(needed, name) {
            return Err(BadUnit::Cycle(name.to_owned(), needed.to_owned()));
        }
        // All is checked before anything is noted.
        let names = [name, needed];
        names.into_iter().try_for_each(check_name)?;
        let n_new = names.iter().filter(|name| !self.0.contains_key(**name)).count();
        if self.0.len() + n_new > MAX_UNITS {
            return Err(BadUnit::TooMany);
        }
        let needs = self.0.get(name).map(|unit| &unit.needs);
        if needs.is_some_and(|needs| needs.len() >= MAX_NEEDS && !needs.contains(needed)) {
            return Err(BadUnit::TooManyNeeds(name.to_owned()));
        }
        self.entry(needed)?;
        let unit = self.registered(name)?;
        unit.needs.insert(needed.to_owned());
        Ok(())
    }

    /// Notes that a unit is there, and has begun when it is ready. Says whether it is.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn start(&mut self, name: &str) -> Result<bool, BadUnit> {
        let is_ready = self.is_ready(name);
        let unit = self.registered(name)?;
        if is_ready {
            unit.state = UnitState::Started;
        }
        Ok(is_ready)
    }

    /// Notes that a unit is done.
    ///
    /// # Errors
    /// When nobody spoke of it.
    pub fn complete(&mut self, name: &str) -> Result<(), BadUnit> {
        let unit = self.0.get_mut(name).filter(|unit| unit.state != UnitState::NotRegistered);
        let unit = unit.ok_or_else(|| BadUnit::Unknown(name.to_owned()))?;
        unit.state = UnitState::Completed;
        Ok(())
    }

    fn registered(&mut self, name: &str) -> Result<&mut Unit, BadUnit> {
        let unit = self.entry(name)?;
        if unit.state == UnitState::NotRegistered {
            unit.state = UnitState::Pending;
        }
        Ok(unit)
    }

    fn entry(&mut self, name: &str) -> Result<&mut Unit, BadUnit> {
        check_name(name)?;
        if self.0.len() >= MAX_UNITS && !self.0.contains_key(name) {
            return Err(BadUnit::TooMany);
        }
        Ok(self.0.entry(name.to_owned()).or_default())
    }

    /// Whether `name` waits for `other`, over any number of units between.
    fn waits_for(&self, name: &str, other: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut next = vec![name];
        while let Some(name) = next.pop() {
            if name == other {
                return true;
            }
            if seen.insert(name) {
                let needs = self.0.get(name).map(|unit| &unit.needs).into_iter().flatten();
                next.extend(needs.map(String::as_str));
            }
        }
        false
    }
}

fn check_name(name: &str) -> Result<(), BadUnit> {
    if name.is_empty() || name.len() > MAX_UNIT_NAME { Err(BadUnit::Name) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_begins_when_all_that_it_needs_is_complete() {
        let mut units = Units::default();
        units.want("editor", "clone").unwrap();
        units.want("editor", "tools").unwrap();
        assert_eq!(units.start("editor"), Ok(false));
        assert_eq!(units.unit("editor").state, UnitState::Pending);
        assert_eq!(units.unit("clone").state, UnitState::NotRegistered);
        assert_eq!(units.start("clone"), Ok(true));
        units.complete("clone").unwrap();
        assert_eq!(units.missing("editor").collect::<Vec<_>>(), ["tools"]);
        units.start("tools").unwrap();
        units.complete("tools").unwrap();
        assert_eq!(units.start("editor"), Ok(true));
        assert_eq!(units.unit("editor").state, UnitState::Started);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let mut units = Units::default();
        units.want("b", "a").unwrap();
        units.want("c", "b").unwrap();
        assert!(matches!(units.want("a", "c"), Err(BadUnit::Cycle(..))));
        assert!(matches!(units.want("a", "a"), Err(BadUnit::Cycle(..))));
        assert!(matches!(units.complete("a"), Err(BadUnit::Unknown(_))));
        assert_eq!(units.start(""), Err(BadUnit::Name));
        assert_eq!(units.start(&"x".repeat(MAX_UNIT_NAME + 1)), Err(BadUnit::Name));
        let before = units.clone();
        assert_eq!(units.want("", "new"), Err(BadUnit::Name));
        assert_eq!(units.want("new", ""), Err(BadUnit::Name));
        assert_eq!(units, before, "what is refused leaves nothing");
        for i in 0..MAX_NEEDS {
            units.want("greedy", &format!("g{i}")).unwrap();
        }
        assert!(matches!(units.want("greedy", "x"), Err(BadUnit::TooManyNeeds(_))));
        assert_eq!(units.want("greedy", "g0"), Ok(()));
        for i in units.all().count()..MAX_UNITS - 1 {
            units.start(&format!("u{i}")).unwrap();
        }
        assert_eq!(units.want("two", "more"), Err(BadUnit::TooMany));
        for i in units.all().count()..MAX_UNITS {
            units.start(&format!("u{i}")).unwrap();
        }
        assert_eq!(units.start("one more"), Err(BadUnit::TooMany));
        assert_eq!(units.start("c"), Ok(false));
    }
}
