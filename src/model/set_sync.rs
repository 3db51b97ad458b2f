//! How a provider is followed where someone has set that here, over what the server's file says.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::group_sync::GroupSync;
use super::sync::{OrganizationSync, RoleSync};
use super::text;
use super::user::define_words;

/// Characters of the name of a claim.
pub const MAX_FIELD: usize = 128;
/// Characters of a provider's word: a directory's names are long.
pub const MAX_WORD: usize = 512;
/// Words and what each leads to, in all.
pub const MAX_PAIRS: usize = 500;
/// Characters of a filter.
pub const MAX_FILTER: usize = 512;
/// Bytes that a compiled filter may take: every sign-in makes it anew.
const MAX_COMPILED: usize = 256 << 10;
/// Most bytes of it all as it is kept: the schema has the same limit.
pub const MAX_KEPT: usize = 64 << 10;

define_words! {
    /// What follows a provider.
    SyncKind {
        /// Groups of an organization.
        Groups = "groups",
        /// Roles in an organization.
        Roles = "roles",
        /// Who belongs to which organization.
        Organizations = "organizations",
    }
}

/// How one of them follows one provider. What is not of the kind stays empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SetSync {
    /// The claim with the provider's words; empty for a sync that is off.
    pub field: String,
    /// Words there and what each stands for here, by id or name.
    pub mapping: BTreeMap<String, Vec<String>>,
    /// Of groups: which names are looked at; empty for all.
    pub regex_filter: String,
    /// Of groups: whether those that are not here are made.
    pub auto_create: bool,
    /// Of organizations: whether everyone belongs to the one of the start.
    pub assign_default: bool,
}

/// What is to be changed of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncChange {
    /// All of it.
    All(SetSync),
    /// What is not the mapping; none leaves a part as it is.
    Config(SyncConfig),
    /// Single words of the mapping.
    Mapping {
        /// Words and what each is to lead to besides.
        add: Vec<(String, String)>,
        /// Words and what each is not to lead to any more.
        remove: Vec<(String, String)>,
    },
    /// Nothing is set any more: the server's file says it again.
    Back,
}

/// What is not the mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncConfig {
    /// The claim.
    pub field: Option<String>,
    /// Which names of groups are looked at.
    pub regex_filter: Option<String>,
    /// Whether groups are made.
    pub auto_create: Option<bool>,
    /// Whether everyone belongs to the organization of the start.
    pub assign_default: Option<bool>,
}

/// What does not fit: the field, as Coder calls it, and why.
pub type Unfit = (&'static str, String);

impl SyncChange {
    /// What is set then; none when nothing is.
    #[must_use]
    pub fn applied(self, old: &SetSync) -> Option<SetSync> {
        let mut new = old.clone();
        match self {
            Self::All(all) => new = all,
            Self::Config(SyncConfig { field, regex_filter, auto_create, assign_default }) => {
                new.field = field.unwrap_or(new.field);
                new.regex_filter = regex_filter.unwrap_or(new.regex_filter);
                new.auto_create = auto_create.unwrap_or(new.auto_create);
                new.assign_default = assign_default.unwrap_or(new.assign_default);
            }
            Self::Mapping { add, remove } => {
                for (word, here) in add {
                    new.mapping.entry(word.trim().to_owned()).or_default().push(here);
                }
                // As Coder has it: what is in both is removed.
                for (word, here) in remove {
                    if let Some(all) = new.mapping.get_mut(word.trim()) {
                        all.retain(|one| !one.eq_ignore_ascii_case(here.trim()));
                    }
                }
                new.mapping.retain(|_, all| !all.is_empty());
            }
            Self::Back => return None,
        }
        Some(new)
    }
}

impl SetSync {
    /// As the server's file has groups.
    #[must_use]
    pub fn of_groups(sync: &GroupSync) -> Self {
        Self {
            field: sync.field.clone(),
            mapping: sync.mapping.clone(),
            regex_filter: sync.filter.as_ref().map(ToString::to_string).unwrap_or_default(),
            auto_create: sync.auto_create,
            assign_default: false,
        }
    }

    /// As the server's file has organizations.
    #[must_use]
    pub fn of_organizations(sync: &OrganizationSync) -> Self {
        Self {
            field: sync.field.clone(),
            mapping: sync.mapping.clone(),
            assign_default: sync.assign_default,
            ..Self::default()
        }
    }

    /// Whether it follows anything.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.field.is_empty()
    }

    /// How groups follow; none when it is off. `only_mapped` where anyone may make a group of any name.
    #[must_use]
    pub fn groups(&self, only_mapped: bool) -> Option<GroupSync> {
        let filter = filter(&self.regex_filter).ok()?;
        let (field, mapping) = (self.field.clone(), self.mapping.clone());
        let auto_create = self.auto_create;
        self.is_on().then_some(GroupSync { field, mapping, only_mapped, filter, auto_create })
    }

    /// How roles in an organization follow; none when it is off.
    #[must_use]
    pub fn roles(&self) -> Option<RoleSync> {
        let (field, mapping) = (self.field.clone(), self.mapping.clone());
        self.is_on().then_some(RoleSync { field, mapping, default: vec![] })
    }

    /// How organizations follow; none when it is off.
    #[must_use]
    pub fn organizations(&self) -> Option<OrganizationSync> {
        let (field, mapping) = (self.field.clone(), self.mapping.clone());
        let assign_default = self.assign_default;
        self.is_on().then_some(OrganizationSync { field, mapping, assign_default })
    }

    /// The same with the provider's words in small letters, as some say them.
    #[must_use]
    pub fn in_small_letters(mut self) -> Self {
        let mapping = std::mem::take(&mut self.mapping);
        for (word, mut all) in mapping {
            self.mapping.entry(word.to_lowercase()).or_default().append(&mut all);
        }
        self
    }

    /// Each word with each thing that it leads to.
    #[must_use]
    pub fn pairs(&self) -> BTreeSet<(&str, &str)> {
        let pairs = |(word, all)| {
            let all: &Vec<String> = all;
            let word: &String = word;
            all.iter().map(move |here| (word.as_str(), here.as_str()))
        };
        self.mapping.iter().flat_map(pairs).collect()
    }

    /// The same without spaces around words and without doubles.
    ///
    /// # Errors
    /// Names the first part that does not fit a kind.
    pub fn checked(self, kind: SyncKind) -> Result<Self, Unfit> {
        let mut mapping: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (word, here) in self.pairs() {
            let (word, here) = (word.trim(), here.trim());
            text::check_line(word, MAX_WORD).map_err(|e| ("mapping", e.to_string()))?;
            text::check_line(here, MAX_FIELD).map_err(|e| ("mapping", e.to_string()))?;
            // A word of a group that leads nowhere is told so: it would lead to the group of its name.
            if word.is_empty() || (here.is_empty() && kind != SyncKind::Groups) {
                return Err(("mapping", "wants a word and what it leads to".to_owned()));
            }
            let all = mapping.entry(word.to_owned()).or_default();
            if !all.iter().any(|one| one.eq_ignore_ascii_case(here)) {
                all.push(here.to_owned());
            }
        }
        if mapping.values().map(Vec::len).sum::<usize>() > MAX_PAIRS {
            return Err(("mapping", format!("holds more than {MAX_PAIRS}")));
        }
        let field = self.field.trim().to_owned();
        text::check_line(&field, MAX_FIELD).map_err(|e| ("field", e.to_string()))?;
        let (groups, everywhere) = (kind == SyncKind::Groups, kind == SyncKind::Organizations);
        let regex_filter = if groups { self.regex_filter } else { String::new() };
        filter(&regex_filter)?;
        let assign_default = everywhere && self.assign_default;
        if everywhere && !field.is_empty() && !assign_default && mapping.is_empty() {
            let why = "leads nobody anywhere; map a word to an organization, or have everyone belong \
                       to the one of the start";
            return Err(("mapping", why.to_owned()));
        }
        let auto_create = groups && self.auto_create;
        let new = Self { field, mapping, regex_filter, auto_create, assign_default };
        if new.to_kept().len() > MAX_KEPT {
            return Err(("mapping", format!("is larger than {} KiB", MAX_KEPT >> 10)));
        }
        Ok(new)
    }

    /// As it is kept.
    #[must_use]
    pub fn to_kept(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What [`SetSync::to_kept`] made; a sync that is off for what cannot be read.
    #[must_use]
    pub fn from_kept(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }
}

fn filter(text: &str) -> Result<Option<regex::Regex>, Unfit> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.chars().count() > MAX_FILTER {
        return Err(("regex_filter", format!("is longer than {MAX_FILTER} characters")));
    }
    let made = regex::RegexBuilder::new(text).size_limit(MAX_COMPILED).build();
    let why = |e: regex::Error| {
        let last = e.to_string().lines().last().unwrap_or_default().to_owned();
        ("regex_filter", format!("is no expression: {}", last.trim_start_matches("error: ")))
    };
    made.map(Some).map_err(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(&str, &str)]) -> SetSync {
        let mut set = SetSync { field: "groups".to_owned(), ..SetSync::default() };
        for (word, here) in pairs {
            set.mapping.entry((*word).to_owned()).or_default().push((*here).to_owned());
        }
        set
    }

    #[test]
    fn changes_touch_what_they_name_and_nothing_else() {
        let old = SetSync { regex_filter: "^a".to_owned(), ..set(&[("clay", "kiln")]) };
        let config = SyncConfig { auto_create: Some(true), ..SyncConfig::default() };
        let new = SyncChange::Config(config).applied(&old).unwrap();
        assert_eq!(new, SetSync { auto_create: true, ..old.clone() });
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let change = SyncChange::Mapping {
            add: vec![pair("glaze", "pots"), pair("clay", "wheel")],
            remove: vec![pair("clay", "KILN"), pair("none", "kiln")],
        };
        let new = change.applied(&old).unwrap();
        assert_eq!(new.pairs(), [("clay", "wheel"), ("glaze", "pots")].into());
        assert_eq!(SyncChange::Back.applied(&old), None);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let check = |set: SetSync, kind, field: &str| {
            assert_eq!(set.checked(kind).unwrap_err().0, field);
        };
        check(set(&[("", "kiln")]), SyncKind::Roles, "mapping");
        check(set(&[("a\nb", "kiln")]), SyncKind::Roles, "mapping");
        check(set(&[("a", &"x".repeat(MAX_FIELD + 1))]), SyncKind::Roles, "mapping");
        check(set(&[]), SyncKind::Organizations, "mapping");
        let long = SetSync { field: "x".repeat(MAX_FIELD + 1), ..set(&[]) };
        check(long, SyncKind::Groups, "field");
        for wrong in ["(", "(a{1000}){1000}", &"x".repeat(MAX_FILTER + 1)] {
            let sync = SetSync { regex_filter: wrong.to_owned(), ..set(&[]) };
            assert!(sync.groups(false).is_none(), "{wrong}");
            check(sync, SyncKind::Groups, "regex_filter");
        }
        let words: Vec<String> = (0..=MAX_PAIRS).map(|n| format!("w{n}")).collect();
        let many: Vec<(&str, &str)> = words.iter().map(|word| (word.as_str(), "k")).collect();
        check(set(&many), SyncKind::Groups, "mapping");
        let tidy = set(&[(" clay ", " kiln"), ("clay", "Kiln")]).checked(SyncKind::Roles).unwrap();
        assert_eq!(tidy.pairs().len(), 1);
        assert_eq!(SetSync::from_kept(&tidy.to_kept()), tidy);
        assert!(!SetSync::from_kept("what is this").is_on());
    }
}
