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

    /// The codes by which it is shared.
    #[must_use]
    pub fn codes(&self) -> String {
        self.under("sharing/codes")
    }

    /// Takes a code back.
    #[must_use]
    pub fn revoke_code(&self, code: CodeId) -> String {
        self.under(&format!("sharing/codes/{code}/revoke"))
    }

    /// Who may at most what on it.
    #[must_use]
    pub fn charter(&self) -> String {
        self.under("charter")
    }

    /// Makes it another's.
    #[must_use]
    pub fn handover(&self) -> String {
        self.under("handover")
    }

    /// Leaves it, for whom it was shared with.
    #[must_use]
    pub fn leave(&self) -> String {
        self.under("leave")
    }
}
