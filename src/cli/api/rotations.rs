//! Calls about rotations.

use http::Method;
use serde::Serialize;
use uuid::Uuid;

use crate::cli::client::{Client, segment};
use crate::wire::rotations::{Override, PutOverride, PutRotation, Rotation, Shift};

/// A rotation with the shifts that come next.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The rotation.
    #[serde(flatten)]
    pub rotation: Rotation,
    /// Its shifts from now on.
    pub shifts: Vec<Shift>,
}

fn within(organization: &str) -> String {
    format!("/api/v2/organizations/{}/rotations", segment(organization))
}

fn one(id: Uuid, more: &str) -> String {
    format!("/api/v2/rotations/{id}{more}")
}

impl Client {
    /// The rotations of an organization, by name.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn rotations(&self, organization: &str) -> anyhow::Result<Vec<Rotation>> {
        self.get(&within(organization)).await
    }

    /// A rotation by name.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn rotation(&self, organization: &str, name: &str) -> anyhow::Result<Rotation> {
        self.get(&format!("{}/{}", within(organization), segment(name))).await
    }

    /// Makes a rotation.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn create_rotation(
        &self,
        organization: &str,
        new: &PutRotation,
    ) -> anyhow::Result<Rotation> {
        self.call(Method::POST, &within(organization), new).await
    }

    /// Removes a rotation.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn delete_rotation(&self, id: Uuid) -> anyhow::Result<()> {
        self.delete(&one(id, "")).await
    }

    /// The shifts of a rotation from now on.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn shifts(&self, id: Uuid) -> anyhow::Result<Vec<Shift>> {
        self.get(&one(id, "/shifts")).await
    }

    /// Who is on call now.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn on_call(&self, id: Uuid) -> anyhow::Result<Option<Shift>> {
        self.get(&one(id, "/oncall")).await
    }

    /// Puts someone on call instead of whoever's turn it is.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn override_shift(&self, id: Uuid, new: &PutOverride) -> anyhow::Result<Override> {
        self.call(Method::POST, &one(id, "/overrides"), new).await
    }

    /// Takes an override back.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn undo_override(&self, id: Uuid, which: &str) -> anyhow::Result<()> {
        self.delete(&one(id, &format!("/overrides/{}", segment(which)))).await
    }
}
