//! What an identity provider sends by SCIM: filters, paths, resources and changes of them.

use serde_json::{Value, json};
use steading::model::scim::filter::{Filter, Path};
use steading::model::scim::group::GroupWish;
use steading::model::scim::project::Wanted;
use steading::model::scim::schema::{GROUP, USER};
use steading::model::scim::user::UserWish;
use steading::model::scim::{Map, patch};

fn ada() -> Map {
    let ada = json!({
        "userName": "ada@example.org", "externalId": "7", "active": true,
        "name": { "givenName": "Ada" },
        "emails": [{ "value": "ada@example.org", "type": "work", "primary": true },
                   { "value": "ada@home.test", "type": "home", "primary": false }],
    });
    ada.as_object().cloned().unwrap_or_default()
}

fn n_primary(map: &Map) -> usize {
    let emails = map.get("emails").and_then(Value::as_array);
    let primary = |email: &&Value| email.get("primary") == Some(&Value::Bool(true));
    emails.map_or(0, |emails| emails.iter().filter(primary).count())
}

/// The first line is a filter and a path, the rest a body.
pub fn scim(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (line, body) = text.split_once('\n').unwrap_or((&text, ""));
    if let Ok(filter) = Filter::parse(line) {
        let _ = (filter.fits(&USER, &ada()), filter.text("userName", None));
        let again = Filter::parse(&format!("  {}  ", line.trim()));
        assert_eq!(again.ok(), Some(filter));
    }
    let _ = Path::parse(line);
    if let Ok(wanted) = Wanted::parse(line, "") {
        let answered = wanted.of(&USER, ada());
        assert!(answered.keys().all(|name| ada().contains_key(name)));
    }
    let Ok(Value::Object(body)) = serde_json::from_str(body) else { return };
    if let Ok(wish) = UserWish::read(&body) {
        assert_eq!(UserWish::of(wish.to_map()).ok(), Some(wish));
    }
    if let Ok(wish) = GroupWish::read(&body) {
        assert_eq!(GroupWish::of(wish.to_map("")).ok(), Some(wish));
    }
    let Ok(operations) = patch::parse(&body) else { return };
    let (mut user, mut group) = (ada(), Map::new());
    // One address that is primary becomes none or another one, never two, unless it sent two.
    if patch::apply(&USER, &mut user, &operations).is_ok() && operations.len() == 1 {
        let sent = body.values().flat_map(|v| v.as_array().into_iter().flatten());
        let lists =
            sent.filter(|o| o.to_string().to_lowercase().matches("primary").count() > 1).count();
        assert!(lists > 0 || n_primary(&user) <= 1, "{user:?}");
    }
    let _ = patch::apply(&GROUP, &mut group, &operations);
    if let Ok(wish) = UserWish::of(user) {
        assert!(!wish.user_name.is_empty());
    }
}
