//! Pages of someone's account.

use super::{CLAIMS, PEOPLE, segment};
use crate::model::name::UserName;

/// Someone's page.
#[must_use]
pub fn person(user: &UserName) -> String {
    format!("{PEOPLE}/{user}")
}

/// Something done to someone's account: `suspend`, `activate`, `delete`, `password`, `roles`,
/// `responsible`, `tokens`.
#[must_use]
pub fn person_action(user: &UserName, action: &str) -> String {
    format!("{PEOPLE}/{user}/{action}")
}

/// What providers say of someone.
#[must_use]
pub fn claims(user: &UserName) -> String {
    CLAIMS.replace("{user}", user.as_str())
}

/// Ends a token of a service account.
#[must_use]
pub fn revoke_their_token(user: &UserName, id: &str) -> String {
    format!("{PEOPLE}/{user}/tokens/{}/revoke", segment(id))
}

/// Ends one of someone's sessions.
#[must_use]
pub fn end_their_session(user: &UserName, id: &str) -> String {
    format!("{PEOPLE}/{user}/sessions/{}/end", segment(id))
}
