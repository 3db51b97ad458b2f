//! Groups that a provider says someone is in, and the groups here that follow from them.

use std::collections::{BTreeMap, BTreeSet};

use super::name::GroupName;
use super::sync::{Left, Mapped, once, told};

/// How a provider's groups become groups here.
#[derive(Clone, Debug, Default)]
pub struct GroupSync {
    /// The claim with the names of groups.
    pub field: String,
    /// Names there and the names here that stand for them; other names stay as they are.
    pub mapping: BTreeMap<String, String>,
    /// Whether other names give nothing: where anyone may make a group of any name.
    pub only_mapped: bool,
    /// Which names, after the mapping, are looked at; none for all.
    pub filter: Option<regex::Regex>,
    /// Whether groups that are not here are made.
    pub auto_create: bool,
}

impl GroupSync {
    /// The groups here that someone with these groups there belongs to, and what became of each of
    /// these. As in Coder, the filter sees the names after the mapping.
    #[must_use]
    pub fn map(&self, theirs: &[String]) -> Vec<Mapped<GroupName>> {
        let mut seen = BTreeSet::new();
        let mut name = |name: &str| {
            if self.filter.as_ref().is_some_and(|filter| !filter.is_match(name)) {
                return Err(Left::Filtered(told(name)));
            }
            let parsed = GroupName::parse(name).map_err(|_| Left::Unfit(told(name)))?;
            // Names here are the same without regard to case.
            if seen.insert(name.to_lowercase()) { Ok(parsed) } else { Err(Left::Again(told(name))) }
        };
        let mapped = |value: &str| {
            let other = if self.only_mapped { "" } else { value };
            let here = self.mapping.get(value).map_or(other, |here| here.trim());
            // What is mapped to nothing is left out.
            let became = if here.is_empty() { Err(Left::Unmapped) } else { name(here) };
            Mapped { value: value.to_owned(), became }
        };
        once(theirs).map(mapped).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sync::{MAX_VALUES, given};

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|text| (*text).to_owned()).collect()
    }

    fn map(sync: &GroupSync, theirs: &[&str]) -> Vec<String> {
        let mapped = sync.map(&texts(theirs));
        given(&mapped).map(|name| name.as_str().to_owned()).collect()
    }

    #[test]
    fn names_are_mapped_then_filtered_and_each_is_taken_once() {
        let mapping = BTreeMap::from([
            ("cn=potters,dc=x".to_owned(), "team-potters".to_owned()),
            ("team-gone".to_owned(), String::new()),
        ]);
        let filter = Some(regex::Regex::new("^team-").unwrap());
        let sync = GroupSync { mapping, filter, ..GroupSync::default() };
        let theirs =
            ["cn=potters,dc=x", "team-glaze", "team-Glaze", " team-glaze ", "staff", "team-gone"];
        assert_eq!(map(&sync, &theirs), ["team-potters", "team-glaze"]);
        let left: Vec<Left> =
            sync.map(&texts(&theirs)).into_iter().filter_map(|m| m.became.err()).collect();
        let again = Left::Again("team-Glaze".to_owned());
        assert_eq!(left, [again, Left::Filtered("staff".to_owned()), Left::Unmapped]);
        assert_eq!(map(&GroupSync::default(), &["staff", "everyone-else"]).len(), 2);
        assert!(map(&sync, &[]).is_empty());
        let sync = GroupSync { only_mapped: true, ..sync };
        assert_eq!(map(&sync, &theirs), ["team-potters"]);
    }

    #[test]
    fn a_name_that_no_group_can_have_is_told_and_not_bent() {
        let long = "x".repeat(500);
        let mapped = GroupSync::default().map(&texts(&["/potters", "a b", &long, "kiln"]));
        let unfit = mapped.iter().filter(|m| matches!(m.became, Err(Left::Unfit(_))));
        assert_eq!(unfit.count(), 3);
        assert_eq!(given(&mapped).collect::<Vec<_>>(), [&GroupName::parse("kiln").unwrap()]);
    }

    #[test]
    fn more_groups_than_anyone_has_are_not_looked_at() {
        let theirs: Vec<String> = (0..MAX_VALUES + 7).map(|n| format!("g{n}")).collect();
        assert_eq!(GroupSync::default().map(&theirs).len(), MAX_VALUES);
    }
}
