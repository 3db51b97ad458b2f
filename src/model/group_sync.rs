//! Groups that a provider says someone is in, and the groups here that follow from them.

use std::collections::{BTreeMap, BTreeSet};

use super::id::GroupId;
use super::name::GroupName;
use super::sync::{Left, Mapped, once, told};

/// Characters of an id as it is written; shorter forms of it may be names.
const ID: usize = 36;

/// How a provider's groups become groups here.
#[derive(Clone, Debug, Default)]
pub struct GroupSync {
    /// The claim with the names of groups.
    pub field: String,
    /// Names there and the groups here that stand for each, by name or id; other names stay as they
    /// are.
    pub mapping: BTreeMap<String, Vec<String>>,
    /// Whether other names give nothing: where anyone may make a group of any name.
    pub only_mapped: bool,
    /// Which names, after the mapping, are looked at; none for all.
    pub filter: Option<regex::Regex>,
    /// Whether groups that are not here are made.
    pub auto_create: bool,
}

/// A group here that is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    /// By its name.
    Named(GroupName),
    /// By its id, which only a mapping can name.
    Id(GroupId),
}

impl std::fmt::Display for GroupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named(name) => name.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

impl GroupSync {
    /// The groups here that someone with these groups there belongs to, and what became of each of
    /// these. As in Coder, the filter sees the names after the mapping; an id is not filtered.
    #[must_use]
    pub fn map(&self, theirs: &[String]) -> Vec<Mapped<GroupKey>> {
        let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
        for value in once(theirs) {
            let mut push = |became| all.push(Mapped { value: value.to_owned(), became });
            let mapped = self.mapping.get(value).map(Vec::as_slice);
            // What is mapped to nothing is left out.
            let here = mapped.unwrap_or_default().iter().map(|text| text.trim());
            let here: Vec<&str> = here.filter(|text| !text.is_empty()).collect();
            if mapped.is_none() && !self.only_mapped {
                push(self.named(value, &mut seen));
            } else if here.is_empty() {
                push(Err(Left::Unmapped));
            }
            for text in here {
                push(match id(text) {
                    Some(id) if seen.insert(id.to_string()) => Ok(GroupKey::Id(id)),
                    Some(_) => Err(Left::Again(told(text))),
                    None => self.named(text, &mut seen),
                });
            }
        }
        all
    }

    fn named(&self, name: &str, seen: &mut BTreeSet<String>) -> Result<GroupKey, Left> {
        if self.filter.as_ref().is_some_and(|filter| !filter.is_match(name)) {
            return Err(Left::Filtered(told(name)));
        }
        let parsed = GroupName::parse(name).map_err(|_| Left::Unfit(told(name)))?;
        // Names here are the same without regard to case.
        let is_first = seen.insert(name.to_lowercase());
        if is_first { Ok(GroupKey::Named(parsed)) } else { Err(Left::Again(told(name))) }
    }
}

fn id(text: &str) -> Option<GroupId> {
    text.parse().ok().filter(|_| text.len() == ID)
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
        given(&mapped).map(ToString::to_string).collect()
    }

    #[test]
    fn names_are_mapped_then_filtered_and_each_is_taken_once() {
        let mapping = BTreeMap::from([
            ("cn=potters,dc=x".to_owned(), texts(&["team-potters"])),
            ("team-gone".to_owned(), texts(&[""])),
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
    fn a_group_is_meant_by_its_id_only_where_a_mapping_says_so() {
        let id = "0190f3c2-7d1e-7c41-9b0a-6f2f4c1b9e77";
        let mapping = BTreeMap::from([("clay".to_owned(), texts(&[id, "team-kiln"]))]);
        let filter = Some(regex::Regex::new("^team-").unwrap());
        let sync = GroupSync { mapping, filter, ..GroupSync::default() };
        let mapped = sync.map(&texts(&["clay", id]));
        let by_id = GroupKey::Id(id.parse().unwrap());
        let by_name = GroupKey::Named(GroupName::parse("team-kiln").unwrap());
        assert_eq!(given(&mapped).collect::<Vec<_>>(), [&by_id, &by_name]);
        assert_eq!(mapped[2].became, Err(Left::Filtered(id.to_owned())));
        let all = GroupSync { filter: None, mapping: BTreeMap::new(), ..sync };
        let mapped = all.map(&texts(&[id]));
        assert!(matches!(mapped[0].became, Ok(GroupKey::Named(_))), "what a provider calls so");
    }

    #[test]
    fn a_name_that_no_group_can_have_is_told_and_not_bent() {
        let long = "x".repeat(500);
        let mapped = GroupSync::default().map(&texts(&["/potters", "a b", &long, "kiln"]));
        let unfit = mapped.iter().filter(|m| matches!(m.became, Err(Left::Unfit(_))));
        assert_eq!(unfit.count(), 3);
        assert_eq!(
            given(&mapped).collect::<Vec<_>>(),
            [&GroupKey::Named(GroupName::parse("kiln").unwrap())]
        );
    }

    #[test]
    fn more_groups_than_anyone_has_are_not_looked_at() {
        let theirs: Vec<String> = (0..MAX_VALUES + 7).map(|n| format!("g{n}")).collect();
        assert_eq!(GroupSync::default().map(&theirs).len(), MAX_VALUES);
    }
}
