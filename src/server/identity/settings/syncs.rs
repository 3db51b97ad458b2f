//! What of a provider's settings says how its words become groups, roles and organizations here.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Flag, Wrong};
use crate::model::group_sync::GroupSync;
use crate::model::sync::{OrganizationSync, RoleSync};

/// What stands in a provider's table of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Syncs {
    group_mapping: BTreeMap<String, String>,
    group_regex_filter: String,
    group_auto_create: Flag,
    role_field: String,
    role_mapping: BTreeMap<String, Vec<String>>,
    role_default: Vec<String>,
    organization_field: String,
    organization_mapping: BTreeMap<String, Vec<String>>,
    organization_assign_default: Option<Flag>,
}

/// The keys of it.
const KEYS: [&str; 9] = [
    "group_mapping",
    "group_regex_filter",
    "group_auto_create",
    "role_field",
    "role_mapping",
    "role_default",
    "organization_field",
    "organization_mapping",
    "organization_assign_default",
];

impl Syncs {
    /// Takes them out of a provider's table.
    ///
    /// # Errors
    /// Names the key whose value does not fit.
    pub(super) fn take(table: &mut toml::Table) -> Result<Self, Wrong> {
        let mut own = toml::Table::new();
        for key in KEYS {
            own.extend(table.remove(key).map(|value| (key.to_owned(), value)));
        }
        Ok(own.try_into()?)
    }

    /// The same for a provider that says everything by one claim: people's groups there.
    ///
    /// # Errors
    /// When another claim is named.
    pub(super) fn by_groups(mut self, field: &str) -> Result<Self, Wrong> {
        for (key, named) in
            [("role_field", &self.role_field), ("organization_field", &self.organization_field)]
        {
            let why = || format!("{key} is not for this provider: it says groups alone");
            Wrong::unless(named.is_empty(), key, why)?;
        }
        if !self.role_mapping.is_empty() || !self.role_default.is_empty() {
            field.clone_into(&mut self.role_field);
        }
        if !self.organization_mapping.is_empty() {
            field.clone_into(&mut self.organization_field);
        }
        Ok(self)
    }

    /// The same with the provider's words in small letters, as it is asked for them.
    pub(super) fn in_small_letters(mut self) -> Self {
        self.group_mapping = small(self.group_mapping);
        self.role_mapping = small(self.role_mapping);
        self.organization_mapping = small(self.organization_mapping);
        self
    }

    /// Whether it says anything of groups.
    pub(super) fn speaks_of_groups(&self) -> bool {
        let (filter, create) = (&self.group_regex_filter, self.group_auto_create.0);
        !self.group_mapping.is_empty() || !filter.is_empty() || create
    }

    /// The provider's words that lead somewhere.
    pub(super) fn words(&self) -> impl Iterator<Item = &String> {
        let (roles, organizations) = (&self.role_mapping, &self.organization_mapping);
        self.group_mapping.keys().chain(roles.keys()).chain(organizations.keys())
    }

    /// How the groups in a claim become groups.
    ///
    /// # Errors
    /// When the filter is none.
    pub(super) fn groups(&self, field: &str) -> Result<GroupSync, Wrong> {
        let filter = match self.group_regex_filter.as_str() {
            "" => None,
            text => {
                let no =
                    |_| Wrong::new("group_regex_filter", "group_regex_filter is no expression");
                Some(regex::Regex::new(text).map_err(no)?)
            }
        };
        Ok(GroupSync {
            field: field.to_owned(),
            mapping: alone(&self.group_mapping),
            only_mapped: false,
            filter,
            auto_create: self.group_auto_create.0,
        })
    }

    /// How words become roles; none when roles are given here.
    ///
    /// # Errors
    /// When it would take everyone's roles and give none.
    pub(super) fn roles(&self) -> Result<Option<RoleSync>, Wrong> {
        let gives = !self.role_mapping.is_empty() || !self.role_default.is_empty();
        if self.role_field.is_empty() {
            Wrong::unless(!gives, "role_field", || {
                "role_mapping and role_default need role_field, the claim with people's roles"
                    .to_owned()
            })?;
            return Ok(None);
        }
        Wrong::unless(gives, "role_mapping", || {
            "role_field takes the roles of everyone who signs in: say in role_mapping which word \
             gives which role"
                .to_owned()
        })?;
        Ok(Some(RoleSync {
            field: self.role_field.clone(),
            mapping: self.role_mapping.clone(),
            default: self.role_default.clone(),
        }))
    }

    /// How words become organizations; none when people are put in here.
    ///
    /// # Errors
    /// When nobody would belong anywhere.
    pub(super) fn organizations(&self) -> Result<Option<OrganizationSync>, Wrong> {
        let assign_default = self.organization_assign_default.is_none_or(|flag| flag.0);
        if self.organization_field.is_empty() {
            let none = self.organization_mapping.is_empty() && assign_default;
            Wrong::unless(none, "organization_field", || {
                "organization_mapping and organization_assign_default need organization_field, the \
                 claim with people's organizations"
                    .to_owned()
            })?;
            return Ok(None);
        }
        let some = assign_default || !self.organization_mapping.is_empty();
        Wrong::unless(some, "organization_mapping", || {
            "nobody would belong anywhere: say in organization_mapping which word leads to which \
             organization"
                .to_owned()
        })?;
        Ok(Some(OrganizationSync {
            field: self.organization_field.clone(),
            mapping: self.organization_mapping.clone(),
            assign_default,
        }))
    }
}

/// Each word with the one thing that it leads to.
fn alone(mapping: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    mapping.iter().map(|(word, here)| (word.clone(), vec![here.clone()])).collect()
}

fn small<T>(mapping: BTreeMap<String, T>) -> BTreeMap<String, T> {
    mapping.into_iter().map(|(word, here)| (word.to_lowercase(), here)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<Syncs, Wrong> {
        let mut table = format!("issuer = \"x\"\n{text}").parse().unwrap();
        let syncs = Syncs::take(&mut table);
        assert_eq!(table.len(), 1);
        syncs
    }

    fn all(syncs: &Syncs) -> Result<(Option<RoleSync>, Option<OrganizationSync>), Wrong> {
        Ok((syncs.roles()?, syncs.organizations()?))
    }

    #[test]
    fn roles_and_organizations_follow_when_a_claim_is_named_and_led_somewhere() {
        assert_eq!(all(&told("").unwrap()).unwrap(), (None, None));
        let text = "role_field = \"roles\"\nrole_mapping = { admins = [\"owner\"] }\n\
                    organization_field = \"orgs\"";
        let (roles, organizations) = all(&told(text).unwrap()).unwrap();
        assert_eq!(roles.unwrap().mapping["admins"], ["owner"]);
        assert!(organizations.unwrap().assign_default);
        for (text, why) in [
            ("role_mapping = { a = [\"owner\"] }", "need role_field"),
            ("role_default = [\"auditor\"]", "need role_field"),
            ("role_field = \"roles\"", "takes the roles of everyone"),
            ("organization_mapping = { a = [\"kiln\"] }", "need organization_field"),
            ("organization_assign_default = false", "need organization_field"),
            ("organization_field = \"o\"\norganization_assign_default = false", "nobody would"),
        ] {
            let said = all(&told(text).unwrap()).unwrap_err().to_string();
            assert!(said.contains(why), "{text}: {said}");
        }
        let said = told("role_mapping = { a = \"owner\" }").unwrap_err().to_string();
        assert!(said.contains("sequence"), "{said}");
    }

    #[test]
    fn a_provider_with_groups_alone_leads_them_to_roles_and_organizations() {
        let text = "role_mapping = { Admins = [\"owner\"] }\n\
                    organization_mapping = { Clay = [\"kiln\"] }";
        let syncs = told(text).unwrap().by_groups("groups").unwrap().in_small_letters();
        let (roles, organizations) = all(&syncs).unwrap();
        let (roles, organizations) = (roles.unwrap(), organizations.unwrap());
        assert_eq!((roles.field.as_str(), organizations.field.as_str()), ("groups", "groups"));
        assert_eq!(syncs.words().collect::<Vec<_>>(), ["admins", "clay"]);
        assert!(!syncs.speaks_of_groups());
        assert_eq!(all(&Syncs::default().by_groups("groups").unwrap()).unwrap(), (None, None));
        let said = told("role_field = \"roles\"").unwrap().by_groups("groups").unwrap_err();
        assert!(said.to_string().contains("role_field"), "{said}");
    }
}
