//! Where access is asked for and given.

use super::{Place, segment};
use crate::model::id::{BreakGlassId, RequestId};

/// Requests to answer, and one's own.
pub const REQUESTS: &str = "/requests";
/// Asking for access.
pub const NEW_REQUEST: &str = "/requests/new";
/// Where the link of a request leads.
pub const REQUEST_LINK: &str = "/requests/link/{link}";
/// Letting oneself in.
pub const BREAK_GLASS: &str = "/break-glass";

/// Asking for access to a workspace, with what is known filled in.
#[must_use]
pub fn ask_for(workspace: &str, verbs: &str) -> String {
    format!("{NEW_REQUEST}?workspace={}&preset={}", segment(workspace), segment(verbs))
}

/// A request.
#[must_use]
pub fn request(id: RequestId) -> String {
    format!("{REQUESTS}/{id}")
}

/// Something that is done to a request: `answer`, `cancel`, `link`.
#[must_use]
pub fn request_action(id: RequestId, action: &str) -> String {
    format!("{REQUESTS}/{id}/{action}")
}

/// Where the link of a request leads, by its secret.
#[must_use]
pub fn request_link(token: &str) -> String {
    REQUEST_LINK.replace("{link}", &segment(token))
}

/// Saying that one has looked into it.
#[must_use]
pub fn review_break_glass(id: BreakGlassId) -> String {
    format!("{BREAK_GLASS}/{id}/review")
}

impl Place {
    /// Who answers requests for it.
    #[must_use]
    pub fn request_rules(&self) -> String {
        self.under("sharing/requests")
    }
}
