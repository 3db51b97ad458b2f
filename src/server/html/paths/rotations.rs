//! Rotations: their feeds and webhooks. Their pages are an organization's.

use crate::model::id::RotationId;

/// The rotations of the organization of the start.
pub const ROTATIONS: &str = "/rotations";
/// A rotation as a calendar, by someone's link.
pub const CALENDAR: &str = "/calendar/{link}/{file}";

/// A rotation as a calendar, by the secret of someone's link.
#[must_use]
pub fn calendar(link: &str, id: RotationId) -> String {
    CALENDAR.replace("{link}", link).replace("{file}", &format!("{id}.ics"))
}

/// Where programs say who is on call.
#[must_use]
pub fn rotation_webhook(id: RotationId) -> String {
    format!("/api/v2/rotations/{id}/webhook")
}
