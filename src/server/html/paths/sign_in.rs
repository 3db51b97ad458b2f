//! The ways to sign in: their settings, and those of one's own.

use super::segment;
use crate::model::id::IdentityId;
use crate::model::provider::ProviderKind;

/// The ways to sign in.
pub const PROVIDERS: &str = "/deployment/sign-in";
/// Trying one of them out.
pub const PROVIDER_TEST: &str = "/deployment/sign-in/{name}/test";
/// Who must have a second factor.
pub const SECOND_FACTORS: &str = "/deployment/second-factors";
/// One of them that is stored here, with its form.
pub const PROVIDER: &str = "/deployment/sign-in/{name}";
/// Trying out what was typed into that form.
pub const PROVIDER_TRY: &str = "/deployment/sign-in/{name}/try";
/// Removing one of them.
pub const PROVIDER_REMOVE: &str = "/deployment/sign-in/{name}/remove";
/// The form for a new one.
pub const PROVIDER_ADD: &str = "/deployment/add-sign-in/{kind}";
/// Trying out what was typed into that form.
pub const PROVIDER_ADD_TRY: &str = "/deployment/add-sign-in/{kind}/try";
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

/// The form of one that is stored here.
#[must_use]
pub fn provider(name: &str) -> String {
    PROVIDER.replace("{name}", &segment(name))
}

/// Tries out what was typed into the form of a way to sign in.
#[must_use]
pub fn provider_try(name: &str) -> String {
    PROVIDER_TRY.replace("{name}", &segment(name))
}

/// Removes a way to sign in.
#[must_use]
pub fn provider_remove(name: &str) -> String {
    PROVIDER_REMOVE.replace("{name}", &segment(name))
}

/// The form for a new way to sign in of a kind.
#[must_use]
pub fn provider_add(kind: ProviderKind) -> String {
    PROVIDER_ADD.replace("{kind}", kind.as_str())
}

/// Tries out what was typed into the form for a new one.
#[must_use]
pub fn provider_add_try(kind: ProviderKind) -> String {
    PROVIDER_ADD_TRY.replace("{kind}", kind.as_str())
}

/// Takes a way in off one's own account.
#[must_use]
pub fn way_in_remove(id: IdentityId) -> String {
    WAY_IN_REMOVE.replace("{identity}", &id.to_string())
}
