//! The ways to sign in: their settings, and those of one's own.

use super::segment;
use crate::model::id::IdentityId;

/// The ways to sign in.
pub const PROVIDERS: &str = "/deployment/sign-in";
/// Trying one of them out.
pub const PROVIDER_TEST: &str = "/deployment/sign-in/{name}/test";
/// Who must have a second factor.
pub const SECOND_FACTORS: &str = "/deployment/second-factors";
/// How strong a password would be, while it is typed.
pub const PASSWORD_STRENGTH: &str = "/password-strength";
/// Adding a way in to one's own account.
pub const WAYS_IN: &str = "/settings/security/ways";
/// Taking one off it.
pub const WAY_IN_REMOVE: &str = "/settings/security/ways/{identity}/remove";

/// Tries a provider out.
#[must_use]
pub fn provider_test(name: &str) -> String {
    PROVIDER_TEST.replace("{name}", &segment(name))
}

/// Takes a way in off one's own account.
#[must_use]
pub fn way_in_remove(id: IdentityId) -> String {
    WAY_IN_REMOVE.replace("{identity}", &id.to_string())
}
