//! Pages of reviews of access.

use super::segment;
use crate::model::access_review::ReviewOf;

/// Every grant with what speaks against it.
pub const ACCESS_REVIEW: &str = "/access";
/// Takes back what is marked.
pub const ACCESS_REVOKE: &str = "/access/revoke";
/// Signs access off as it is.
pub const ACCESS_SIGN_OFF: &str = "/access/sign-off";

/// A page of a review, after so many grants.
#[must_use]
pub fn access_review(of: ReviewOf, text: &str, offset: u32) -> String {
    format!("{ACCESS_REVIEW}?show={of}&q={}&offset={offset}", segment(text))
}
