//! A user as an identity provider wants it.

use serde_json::Value;

use super::schema::USER;
use super::{Bad, Map, read};
use crate::model::password::is_email;

/// Characters of a user name at most; most are e-mail addresses.
const MAX_USER_NAME: usize = 254;
/// Characters of the provider's id at most.
pub const MAX_EXTERNAL_ID: usize = 255;
/// Characters of a full name at most, as users have it.
const MAX_FULL_NAME: usize = 128;
/// E-mail addresses of one person at most.
const MAX_EMAILS: usize = 16;
/// Bytes of the other attributes at most, as they are stored.
const MAX_PROFILE: usize = 16_384;

/// What a provider wants a user to be.
#[derive(Clone, Debug, PartialEq)]
pub struct UserWish {
    /// What it calls the person.
    pub user_name: String,
    /// Its own id of the person; may be empty.
    pub external_id: String,
    /// Whether the person may act; none when it does not say.
    pub active: Option<bool>,
    /// The other attributes.
    pub profile: Map,
}

impl UserWish {
    /// Reads a resource that was sent.
    ///
    /// # Errors
    /// Names the attribute that is missing or does not fit.
    pub fn read(sent: &Map) -> Result<Self, Bad> {
        Self::of(read::resource(&USER, sent)?)
    }

    /// A wish from attributes by the names of the schema.
    ///
    /// # Errors
    /// Names the attribute that is missing or does not fit.
    pub fn of(mut map: Map) -> Result<Self, Bad> {
        for given in ["id", "meta", "schemas"] {
            map.remove(given);
        }
        let user_name = take(&mut map, "userName", MAX_USER_NAME)?;
        if user_name.is_empty() {
            return Err(Bad::value("userName", "is missing"));
        }
        let external_id = take(&mut map, "externalId", MAX_EXTERNAL_ID)?;
        let active = map.remove("active").and_then(|v| v.as_bool());
        let wish = Self { user_name, external_id, active, profile: map };
        let emails = wish.emails();
        if emails.len() > MAX_EMAILS {
            return Err(Bad::value("emails", format!("may have at most {MAX_EMAILS} values")));
        }
        for email in emails {
            let address = email.get("value").and_then(Value::as_str).unwrap_or_default();
            if !is_email(address) {
                return Err(Bad::value("emails.value", "has to be an e-mail address"));
            }
        }
        if wish.full_name().chars().count() > MAX_FULL_NAME {
            let why = format!("may have at most {MAX_FULL_NAME} characters");
            return Err(Bad::value("displayName", why));
        }
        if Value::Object(wish.profile.clone()).to_string().len() > MAX_PROFILE {
            return Err(Bad::value("the resource", "is too large"));
        }
        Ok(wish)
    }

    /// All attributes by the names of the schema.
    #[must_use]
    pub fn to_map(&self) -> Map {
        let mut map = self.profile.clone();
        map.insert("userName".to_owned(), self.user_name.clone().into());
        if !self.external_id.is_empty() {
            map.insert("externalId".to_owned(), self.external_id.clone().into());
        }
        if let Some(active) = self.active {
            map.insert("active".to_owned(), active.into());
        }
        map
    }

    fn emails(&self) -> &[Value] {
        self.profile.get("emails").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The one address that an account has: the primary, else that of work, else the first, else a
    /// user name that is one; may be empty.
    #[must_use]
    pub fn email(&self) -> &str {
        let primary = |e: &&Value| e.get("primary") == Some(&Value::Bool(true));
        let work = |e: &&Value| {
            let kind = e.get("type").and_then(Value::as_str);
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case("work"))
        };
        let all = self.emails();
        let chosen = all.iter().find(primary).or_else(|| all.iter().find(work)).or(all.first());
        let named = Some(self.user_name.as_str()).filter(|name| is_email(name));
        chosen.and_then(|e| e.get("value")?.as_str()).or(named).unwrap_or_default()
    }

    /// The full name; may be empty.
    #[must_use]
    pub fn full_name(&self) -> String {
        let text = |map: &Map, name| map.get(name).and_then(Value::as_str).map(str::to_owned);
        let parts = self.profile.get("name").and_then(Value::as_object);
        let joined = |parts: &Map| {
            let both = ["givenName", "familyName"].map(|n| text(parts, n).unwrap_or_default());
            Some(both.join(" ").trim().to_owned())
        };
        text(&self.profile, "displayName")
            .or_else(|| parts.and_then(|parts| text(parts, "formatted")))
            .or_else(|| parts.and_then(joined))
            .unwrap_or_default()
    }
}

/// A text, taken out.
pub(super) fn take(map: &mut Map, name: &str, max: usize) -> Result<String, Bad> {
    let text = match map.remove(name) {
        Some(Value::String(text)) => text,
        Some(_) | None => String::new(),
    };
    if text.chars().count() > max {
        return Err(Bad::value(name, format!("may have at most {max} characters")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wish(sent: &Value) -> Result<UserWish, Bad> {
        UserWish::read(sent.as_object().unwrap())
    }

    #[test]
    fn an_account_has_one_address_and_one_name() {
        let check = |sent: Value, email: &str, name: &str| {
            let wish = wish(&sent).unwrap();
            assert_eq!((wish.email(), wish.full_name().as_str()), (email, name));
        };
        check(json!({ "userName": "ada" }), "", "");
        check(json!({ "userName": "ada@x.test" }), "ada@x.test", "");
        let emails = json!([{ "value": "a@x.test" }, { "value": "w@x.test", "type": "Work" }]);
        let name = json!({ "givenName": "Ada", "familyName": "Lovelace" });
        check(
            json!({ "userName": "ada", "emails": emails, "name": name }),
            "w@x.test",
            "Ada Lovelace",
        );
        let emails = json!([{ "value": "a@x.test", "type": "work" },
            { "value": "p@x.test", "primary": true }]);
        check(json!({ "userName": "ada", "emails": emails, "displayName": "A" }), "p@x.test", "A");
    }

    #[test]
    fn what_does_not_fit_is_refused_and_the_rest_is_kept() {
        for sent in [
            json!({}),
            json!({ "userName": "" }),
            json!({ "userName": "x".repeat(255) }),
            json!({ "userName": "a", "externalId": "x".repeat(256) }),
            json!({ "userName": "a", "emails": [{ "value": "none" }] }),
            json!({ "userName": "a", "emails": [{ "type": "work" }] }),
            json!({ "userName": "a", "displayName": "x".repeat(129) }),
        ] {
            assert!(wish(&sent).is_err(), "{sent}");
        }
        let sent = json!({ "userName": "a", "externalId": "7", "active": false, "id": "x" });
        let map = Value::Object(wish(&sent).unwrap().to_map());
        assert_eq!(map, json!({ "userName": "a", "externalId": "7", "active": false }));
    }
}
