//! Where a workspace is shared.

use super::Place;
use crate::model::id::{CodeId, GrantId};

impl Place {
    /// Who else may work in it.
    #[must_use]
    pub fn sharing(&self) -> String {
        self.under("sharing")
    }

    /// Takes a grant on it back.
    #[must_use]
    pub fn revoke(&self, grant: GrantId) -> String {
        self.under(&format!("sharing/{grant}/revoke"))
    }

    /// Undoes [`Place::revoke`].
    #[must_use]
    pub fn restore(&self, grant: GrantId) -> String {
        self.under(&format!("sharing/{grant}/restore"))
    }

    /// Leaves it, for whom it was shared with.
    #[must_use]
    pub fn leave(&self) -> String {
        self.under("leave")
    }
}
