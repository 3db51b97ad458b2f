//! What a provider's words become here: roles on the site and organizations, by the operator's mapping.

use std::collections::{BTreeMap, BTreeSet};

use super::id::OrganizationId;
use super::name::{GroupName, RoleName};
use super::user::{Group, Organization, OrganizationRole, SiteRole};

/// Values of one claim that are looked at. Directories with more send a hint instead of a list.
pub const MAX_VALUES: usize = 500;
/// Characters of a word that nothing here fits, as it is told.
const MAX_TOLD: usize = 64;
/// The role that everyone has without it being given, as Coder calls it.
const MEMBER: &str = "member";
/// The same in an organization.
const ORGANIZATION_MEMBER: &str = "organization-member";
/// What the organization of the start is also called.
const DEFAULT: &str = "default";

/// What became of one value that a provider sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped<T> {
    /// The value; empty for what everyone gets who signs in by the provider.
    pub value: String,
    /// What it gives here.
    pub became: Result<T, Left>,
}

/// Why a value gives nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// The filter does not let this name through.
    Filtered(String),
    /// Nothing here can have this name.
    Unfit(String),
    /// There is nothing of this name here.
    Unknown(String),
    /// The mapping leads it nowhere.
    Unmapped,
    /// Everyone has this without it.
    Implied(String),
    /// An earlier value has given this already.
    Again(String),
}

/// How a provider's words become roles on the site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleSync {
    /// The claim with the words.
    pub field: String,
    /// Words there and the roles here that each stands for. No other word gives a role, also not the
    /// name of one: who names groups there would choose who owns this deployment.
    pub mapping: BTreeMap<String, Vec<String>>,
    /// Roles of everyone who signs in by the provider.
    pub default: Vec<String>,
}

/// How a provider's words become organizations here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrganizationSync {
    /// The claim with the words.
    pub field: String,
    /// Words there and the organizations here that each stands for, by name or id.
    pub mapping: BTreeMap<String, Vec<String>>,
    /// Whether everyone who signs in by the provider belongs to the organization of the start.
    pub assign_default: bool,
}

/// Where it was said how a provider is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// In the server's settings.
    #[default]
    File,
    /// Here, over what the server's settings say.
    Set,
}

/// What became of one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced<T> {
    /// The claim; may be empty when only what everyone gets is given.
    pub field: String,
    /// Where it was said that this claim is followed.
    pub origin: Origin,
    /// What became of each of its values.
    pub mapped: Vec<Mapped<T>>,
}

/// What a provider's word on someone makes of them here; none of what its rules leave alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The organizations they belong to.
    pub organizations: Option<Synced<Organization>>,
    /// Their roles on the site.
    pub roles: Option<Synced<SiteRole>>,
    /// What follows in each organization in which something does, if they belong to it.
    pub places: Vec<PlaceOutcome>,
}

/// What a provider's word on someone makes of them in an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceOutcome {
    /// Which.
    pub organization: Organization,
    /// Their groups there.
    pub groups: Option<Synced<GroupHere>>,
    /// Their roles there.
    pub roles: Option<Synced<RoleName>>,
}

impl<T> Synced<T> {
    /// What it gives.
    pub fn given(&self) -> impl Iterator<Item = &T> {
        given(&self.mapped)
    }
}

/// A group that follows from a provider's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupHere {
    /// It is there.
    There(Group),
    /// It is made when someone is first put in.
    New(GroupName),
}

impl RoleSync {
    /// What each of these words gives, after what everyone gets.
    #[must_use]
    pub fn map(&self, theirs: &[String]) -> Vec<Mapped<SiteRole>> {
        let mut given = BTreeSet::new();
        let mut name = |text: &str| {
            let role = match SiteRole::from_word(text) {
                Some(role) => role,
                None if text == MEMBER => return Err(Left::Implied(text.to_owned())),
                None => return Err(Left::Unknown(told(text))),
            };
            if given.insert(role) { Ok(role) } else { Err(Left::Again(text.to_owned())) }
        };
        lead(&self.default, theirs, &self.mapping, &mut name)
    }
}

impl RoleSync {
    /// The same for roles in an organization, where there are the `custom` ones besides those that
    /// every organization has.
    #[must_use]
    pub fn map_in(&self, theirs: &[String], custom: &[RoleName]) -> Vec<Mapped<RoleName>> {
        let mut given = BTreeSet::new();
        let mut name = |text: &str| {
            if text.eq_ignore_ascii_case(ORGANIZATION_MEMBER) {
                return Err(Left::Implied(text.to_owned()));
            }
            let built_in = OrganizationRole::from_word(text).and_then(|_| text.parse().ok());
            let made = || custom.iter().find(|r| r.as_str().eq_ignore_ascii_case(text)).cloned();
            let role = built_in.or_else(made).ok_or_else(|| Left::Unknown(told(text)))?;
            if given.insert(role.clone()) { Ok(role) } else { Err(Left::Again(told(text))) }
        };
        lead(&self.default, theirs, &self.mapping, &mut name)
    }
}

impl OrganizationSync {
    /// What each of these words gives of the organizations that are `there`, after what everyone
    /// gets.
    #[must_use]
    pub fn map(&self, theirs: &[String], there: &[Organization]) -> Vec<Mapped<Organization>> {
        let mut given = BTreeSet::new();
        let mut name = |text: &str| {
            let found = there.iter().find(|o| is_called(o, text));
            let organization = found.ok_or_else(|| Left::Unknown(told(text)))?;
            if given.insert(organization.id) {
                Ok(organization.clone())
            } else {
                Err(Left::Again(organization.name.clone()))
            }
        };
        let everyone = self.assign_default.then(|| DEFAULT.to_owned());
        lead(everyone.as_slice(), theirs, &self.mapping, &mut name)
    }
}

/// Whether an organization is meant by its id or name, or as the one of the start.
fn is_called(organization: &Organization, text: &str) -> bool {
    if text == DEFAULT {
        return organization.is_default;
    }
    let by_id = text.parse::<OrganizationId>().is_ok_and(|id| organization.id == id);
    by_id || organization.name.eq_ignore_ascii_case(text)
}

/// Leads what everyone gets, and then each word once through a mapping to what `name` finds here.
fn lead<T>(
    everyone: &[String],
    theirs: &[String],
    mapping: &BTreeMap<String, Vec<String>>,
    name: &mut impl FnMut(&str) -> Result<T, Left>,
) -> Vec<Mapped<T>> {
    let mut all = Vec::new();
    for text in everyone {
        all.push(Mapped { value: String::new(), became: name(text.trim()) });
    }
    for value in once(theirs) {
        let leads_to = mapping.get(value).map_or(&[][..], Vec::as_slice);
        if leads_to.is_empty() {
            all.push(Mapped { value: value.to_owned(), became: Err(Left::Unmapped) });
        }
        for text in leads_to {
            all.push(Mapped { value: value.to_owned(), became: name(text.trim()) });
        }
    }
    all
}

/// Each value once, in the order they came.
pub(super) fn once(theirs: &[String]) -> impl Iterator<Item = &str> {
    let mut seen = BTreeSet::new();
    theirs.iter().take(MAX_VALUES).map(|v| v.trim()).filter(move |value| seen.insert(*value))
}

/// A word that nothing here fits, as it is told.
pub(super) fn told(text: &str) -> String {
    text.chars().take(MAX_TOLD).collect()
}

/// What values give, each once.
pub fn given<T>(mapped: &[Mapped<T>]) -> impl Iterator<Item = &T> {
    mapped.iter().filter_map(|m| m.became.as_ref().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|text| (*text).to_owned()).collect()
    }

    fn mapping(pairs: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        pairs.iter().map(|(there, here)| ((*there).to_owned(), texts(here))).collect()
    }

    fn organization(n: u128, name: &str) -> Organization {
        Organization {
            id: uuid::Uuid::from_u128(n).into(),
            name: name.to_owned(),
            display_name: String::new(),
            description: String::new(),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            is_default: n == 1,
            quota_allowance: 0,
            icon: String::new(),
        }
    }

    #[test]
    fn a_role_is_given_only_by_a_word_that_the_operator_has_mapped() {
        let sync = RoleSync {
            field: "roles".to_owned(),
            mapping: mapping(&[
                ("admins", &["owner", "auditor"]),
                ("keepers", &["auditor", "wizard", "member"]),
                ("guests", &[]),
            ]),
            default: texts(&["template-admin"]),
        };
        let theirs = texts(&["owner", "admins", "guests", " keepers ", "admins", "Admins"]);
        let told = |value: &str, left| Mapped { value: value.to_owned(), became: Err(left) };
        let gave = |value: &str, role| Mapped { value: value.to_owned(), became: Ok(role) };
        let mapped = sync.map(&theirs);
        assert_eq!(
            mapped,
            [
                gave("", SiteRole::TemplateAdmin),
                told("owner", Left::Unmapped),
                gave("admins", SiteRole::Owner),
                gave("admins", SiteRole::Auditor),
                told("guests", Left::Unmapped),
                told("keepers", Left::Again("auditor".to_owned())),
                told("keepers", Left::Unknown("wizard".to_owned())),
                told("keepers", Left::Implied("member".to_owned())),
                told("Admins", Left::Unmapped),
            ]
        );
        let roles = [SiteRole::TemplateAdmin, SiteRole::Owner, SiteRole::Auditor];
        assert_eq!(given(&mapped).copied().collect::<Vec<_>>(), roles);
        let nobody = RoleSync { default: vec![], ..sync };
        assert!(given(&nobody.map(&texts(&["owner", "auditor", "", "*"]))).next().is_none());
    }

    #[test]
    fn roles_in_an_organization_are_its_own_and_the_built_in_ones() {
        let sync = RoleSync {
            field: "roles".to_owned(),
            mapping: mapping(&[
                ("keepers", &["organization-admin", "Operator"]),
                ("seers", &["operator", "owner", "organization-member"]),
            ]),
            default: vec![],
        };
        let custom = ["operator".parse().unwrap()];
        let mapped = sync.map_in(&texts(&["keepers", "organization-auditor", "seers"]), &custom);
        let names: Vec<_> = given(&mapped).map(RoleName::as_str).collect();
        assert_eq!(names, ["organization-admin", "operator"]);
        let left: Vec<Left> = mapped.into_iter().filter_map(|m| m.became.err()).collect();
        assert_eq!(
            left,
            [
                Left::Unmapped,
                Left::Again("operator".to_owned()),
                Left::Unknown("owner".to_owned()),
                Left::Implied("organization-member".to_owned()),
            ]
        );
    }

    #[test]
    fn organizations_are_named_by_name_id_or_as_the_one_of_the_start() {
        let there = [organization(1, "hearth"), organization(2, "kiln")];
        let id = there[1].id.to_string();
        let sync = OrganizationSync {
            field: "groups".to_owned(),
            mapping: mapping(&[
                ("a", &["Kiln"]),
                ("b", &[&id, "default"]),
                ("c", &["nowhere", &"x".repeat(500)]),
            ]),
            assign_default: false,
        };
        let names = |sync: &OrganizationSync, theirs: &[&str]| {
            let mapped = sync.map(&texts(theirs), &there);
            given(&mapped).map(|o| o.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&sync, &["a", "b"]), ["kiln", "hearth"]);
        assert_eq!(names(&sync, &["b"]), ["kiln", "hearth"]);
        assert!(names(&sync, &["kiln", "hearth", "c"]).is_empty());
        let with_default = OrganizationSync { assign_default: true, ..sync };
        assert_eq!(names(&with_default, &["c"]), ["hearth"]);
        let mapped = with_default.map(&texts(&["c"]), &there);
        let Err(Left::Unknown(long)) = &mapped[2].became else { panic!("{mapped:?}") };
        assert_eq!(long.len(), MAX_TOLD);
    }

    #[test]
    fn more_values_than_anyone_has_are_not_looked_at() {
        let theirs: Vec<String> = (0..MAX_VALUES + 7).map(|n| format!("v{n}")).collect();
        assert_eq!(RoleSync::default().map(&theirs).len(), MAX_VALUES);
    }
}
