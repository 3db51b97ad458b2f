//! Groups that a provider says someone is in, and the groups here that follow from them.

use std::collections::{BTreeMap, BTreeSet};

use super::name::GroupName;

/// Groups of one person that are looked at. Directories with more send a hint instead of a list.
const MAX_GROUPS: usize = 500;

/// How a provider's groups become groups here.
#[derive(Clone, Debug, Default)]
pub struct GroupSync {
    /// The claim with the names of groups.
    pub field: String,
    /// Names there and the names here that stand for them; other names stay as they are.
    pub mapping: BTreeMap<String, String>,
    /// Which names, after the mapping, are looked at; none for all.
    pub filter: Option<regex::Regex>,
    /// Whether groups that are not here are made.
    pub auto_create: bool,
}

/// What became of a provider's groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapped {
    /// The groups here, each once.
    pub groups: Vec<GroupName>,
    /// Names that the filter let through and that no group here can have.
    pub unfit: Vec<String>,
}

impl GroupSync {
    /// The groups here that someone with these groups there belongs to. As in Coder, the filter sees
    /// the names after the mapping.
    #[must_use]
    pub fn map(&self, theirs: &[String]) -> Mapped {
        let mut mapped = Mapped::default();
        let mut seen = BTreeSet::new();
        for name in theirs.iter().take(MAX_GROUPS) {
            let name = name.trim();
            let name = self.mapping.get(name).map_or(name, String::as_str);
            if self.filter.as_ref().is_some_and(|filter| !filter.is_match(name)) {
                continue;
            }
            // Names here are the same without regard to case.
            if !seen.insert(name.to_lowercase()) {
                continue;
            }
            match GroupName::parse(name) {
                Ok(name) => mapped.groups.push(name),
                Err(_) => mapped.unfit.push(name.chars().take(GroupName::MAX).collect()),
            }
        }
        mapped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(sync: &GroupSync, theirs: &[&str]) -> Vec<String> {
        let theirs: Vec<String> = theirs.iter().map(|t| (*t).to_owned()).collect();
        sync.map(&theirs).groups.into_iter().map(GroupName::into_string).collect()
    }

    #[test]
    fn names_are_mapped_then_filtered_and_each_is_taken_once() {
        let mapping = BTreeMap::from([("cn=potters,dc=x".to_owned(), "team-potters".to_owned())]);
        let filter = Some(regex::Regex::new("^team-").unwrap());
        let sync = GroupSync { mapping, filter, ..GroupSync::default() };
        let theirs = ["cn=potters,dc=x", "team-glaze", "TEAM-glaze", " team-glaze ", "staff"];
        assert_eq!(map(&sync, &theirs), ["team-potters", "team-glaze"]);
        assert_eq!(map(&GroupSync::default(), &["staff", "everyone-else"]).len(), 2);
        assert!(map(&sync, &[]).is_empty());
    }

    #[test]
    fn a_name_that_no_group_can_have_is_told_and_not_bent() {
        let theirs = ["/potters".to_owned(), "a b".to_owned(), "x".repeat(500), "kiln".to_owned()];
        let mapped = GroupSync::default().map(&theirs);
        assert_eq!(mapped.groups, [GroupName::parse("kiln").unwrap()]);
        assert_eq!(mapped.unfit.len(), 3);
        assert!(mapped.unfit.iter().all(|name| name.len() <= GroupName::MAX));
    }

    #[test]
    fn more_groups_than_anyone_has_are_not_looked_at() {
        let theirs: Vec<String> = (0..MAX_GROUPS + 7).map(|n| format!("g{n}")).collect();
        assert_eq!(GroupSync::default().map(&theirs).groups.len(), MAX_GROUPS);
    }
}
