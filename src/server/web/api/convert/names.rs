//! Names that Coder's objects carry beside ids.

use crate::model::id::OrganizationId;
use crate::model::user::Organization;
use crate::server::app::Actor;
use crate::server::web::{Answer, State};

/// The organizations, by id.
#[derive(Clone, Debug, Default)]
pub struct Names(Vec<Organization>);

/// How an organization is called.
#[derive(Clone, Debug, Default)]
pub struct Called {
    /// In URLs.
    pub name: String,
    /// On pages.
    pub display_name: String,
}

impl Names {
    /// The names that the actor may know.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(state: &State, actor: &Actor) -> Answer<Self> {
        Ok(Self(state.app.organizations(actor).await?))
    }

    /// How an organization is called; empty when it may not be known.
    #[must_use]
    pub fn organization(&self, id: OrganizationId) -> Called {
        let found = self.0.iter().find(|o| o.id == id);
        found
            .map(|o| Called { name: o.name.clone(), display_name: o.display_name.clone() })
            .unwrap_or_default()
    }
}
