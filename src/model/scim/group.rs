//! A group as an identity provider wants it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::schema::GROUP;
use super::user::{MAX_EXTERNAL_ID, take};
use super::{Bad, Map, read};
use crate::model::id::UserId;
use crate::model::name::GroupName;

/// Characters of a group's name at most, as the provider has it.
const MAX_NAME: usize = 255;
/// Names that are tried for a new group.
const MAX_NUMBER: u32 = 99;

/// What a provider wants a group to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupWish {
    /// The name shown.
    pub display_name: String,
    /// The provider's own id of the group; may be empty.
    pub external_id: String,
    /// Who is in it.
    pub members: BTreeSet<UserId>,
}

impl GroupWish {
    /// Reads a resource that was sent.
    ///
    /// # Errors
    /// Names the attribute that is missing or does not fit.
    pub fn read(sent: &Map) -> Result<Self, Bad> {
        Self::of(read::resource(&GROUP, sent)?)
    }

    /// A wish from attributes by the names of the schema.
    ///
    /// # Errors
    /// Names the attribute that is missing or does not fit.
    pub fn of(mut map: Map) -> Result<Self, Bad> {
        let display_name = take(&mut map, "displayName", MAX_NAME)?;
        if display_name.is_empty() {
            return Err(Bad::value("displayName", "is missing"));
        }
        let external_id = take(&mut map, "externalId", MAX_EXTERNAL_ID)?;
        let mut members = BTreeSet::new();
        for member in map.get("members").and_then(Value::as_array).into_iter().flatten() {
            let id = member.get("value").and_then(Value::as_str).unwrap_or_default();
            let id = id.parse().map_err(|_| Bad::value("members.value", "is no user's id"))?;
            members.insert(id);
        }
        Ok(Self { display_name, external_id, members })
    }

    /// All attributes by the names of the schema; `base` is where SCIM is served.
    #[must_use]
    pub fn to_map(&self, base: &str) -> Map {
        let mut map = Map::new();
        map.insert("displayName".to_owned(), self.display_name.clone().into());
        if !self.external_id.is_empty() {
            map.insert("externalId".to_owned(), self.external_id.clone().into());
        }
        if !self.members.is_empty() {
            let member = |id: &UserId| {
                serde_json::json!({
                    "value": id.to_string(), "$ref": format!("{base}/Users/{id}"), "type": "User",
                })
            };
            map.insert("members".to_owned(), self.members.iter().map(member).collect());
        }
        map
    }

    /// Names for a new group, the best first.
    pub fn names(&self) -> impl Iterator<Item = GroupName> + use<> {
        let parts = self.display_name.split(|c: char| !c.is_ascii_alphanumeric());
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        let base = if parts.is_empty() { "group".to_owned() } else { parts.join("-") };
        let cut = move |max: usize| -> String {
            let short: String = base.chars().take(max).collect();
            short.trim_end_matches('-').to_owned()
        };
        let numbered = (2..=MAX_NUMBER).map({
            let cut = cut.clone();
            move |n| format!("{}-{n}", cut(GroupName::MAX - 3))
        });
        std::iter::once(cut(GroupName::MAX))
            .chain(numbered)
            .filter_map(|name| GroupName::parse(&name).ok())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_group_is_read_and_named_so_that_addresses_can_hold_it() {
        let id = "01890000-0000-7000-8000-000000000001";
        let sent = json!({ "displayName": "Kiln & Clay (London)", "externalId": "7",
            "members": [{ "value": id }, { "value": id, "type": "User" }] });
        let wish = GroupWish::read(sent.as_object().unwrap()).unwrap();
        assert_eq!(wish.members.len(), 1);
        let names: Vec<String> = wish.names().take(2).map(|n| n.to_string()).collect();
        assert_eq!(names, ["Kiln-Clay-London", "Kiln-Clay-London-2"]);
        let map = wish.to_map("https://x.test/scim/v2");
        assert_eq!(map["members"][0]["$ref"], format!("https://x.test/scim/v2/Users/{id}"));
        for wrong in [
            json!({}),
            json!({ "displayName": "x".repeat(256) }),
            json!({ "displayName": "g", "members": [{ "value": "ada" }] }),
        ] {
            assert!(GroupWish::read(wrong.as_object().unwrap()).is_err(), "{wrong}");
        }
    }
}
