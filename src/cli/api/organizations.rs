//! Calls about organizations, their members, groups and roles.

use http::Method;
use serde_json::{Value, json};

use crate::cli::client::{Client, segment};
use crate::wire::coder::organizations::{
    CreateGroup, Group, Organization, OrganizationMember, UpdateGroup, UpdateOrganization,
};
use crate::wire::coder::roles::{AssignableRole, PutRole};
use crate::wire::coder::users::UpdateRoles;

impl Client {
    /// The organizations that the caller may see.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn organizations(&self) -> anyhow::Result<Vec<Organization>> {
        self.get("/api/v2/organizations").await
    }

    /// An organization by name or id.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn organization_named(&self, name: &str) -> anyhow::Result<Organization> {
        self.get(&of(name, "")).await
    }

    /// Makes an organization.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn create_organization(
        &self,
        organization: &UpdateOrganization,
    ) -> anyhow::Result<Organization> {
        self.call(Method::POST, "/api/v2/organizations", organization).await
    }

    /// Deletes an organization in which nothing is.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn delete_organization(&self, name: &str) -> anyhow::Result<()> {
        self.delete(&of(name, "")).await
    }

    /// Who belongs to an organization.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn members(&self, organization: &str) -> anyhow::Result<Vec<OrganizationMember>> {
        self.get(&of(organization, "/members")).await
    }

    /// Makes a user a member.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn add_member(
        &self,
        organization: &str,
        user: &str,
    ) -> anyhow::Result<OrganizationMember> {
        let path = of(organization, &format!("/members/{}", segment(user)));
        self.call(Method::POST, &path, &json!({})).await
    }

    /// Ends a membership.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn remove_member(&self, organization: &str, user: &str) -> anyhow::Result<()> {
        self.delete(&of(organization, &format!("/members/{}", segment(user)))).await
    }

    /// Sets a member's roles in an organization, all of them.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn set_member_roles(
        &self,
        organization: &str,
        user: &str,
        roles: Vec<String>,
    ) -> anyhow::Result<OrganizationMember> {
        let path = of(organization, &format!("/members/{}/roles", segment(user)));
        self.call(Method::PUT, &path, &UpdateRoles { roles }).await
    }

    /// The roles there are in an organization.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn organization_roles(
        &self,
        organization: &str,
    ) -> anyhow::Result<Vec<AssignableRole>> {
        self.get(&of(organization, "/members/roles")).await
    }

    /// Makes a role with `POST`, changes one with `PUT`.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn put_role(
        &self,
        method: Method,
        organization: &str,
        role: &PutRole,
    ) -> anyhow::Result<AssignableRole> {
        self.call(method, &of(organization, "/members/roles"), role).await
    }

    /// Deletes a role, and takes it from whoever holds it.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn delete_role(&self, organization: &str, role: &str) -> anyhow::Result<()> {
        self.delete(&of(organization, &format!("/members/roles/{}", segment(role)))).await
    }

    /// How something follows a provider, at a path that [`sync_path`] made.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn idp_sync(&self, path: &str) -> anyhow::Result<Value> {
        self.get(path).await
    }

    /// Sets it, all of it.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn set_idp_sync(&self, path: &str, new: &Value) -> anyhow::Result<Value> {
        self.call(Method::PATCH, path, new).await
    }

    /// Leaves it to the server's file again.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn unset_idp_sync(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::DELETE, path, &json!({})).await
    }

    /// The groups of an organization.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn groups(&self, organization: &str) -> anyhow::Result<Vec<Group>> {
        self.get(&of(organization, "/groups")).await
    }

    /// A group of an organization by name.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn group(&self, organization: &str, name: &str) -> anyhow::Result<Group> {
        self.get(&of(organization, &format!("/groups/{}", segment(name)))).await
    }

    /// Makes a group.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn create_group(
        &self,
        organization: &str,
        group: &CreateGroup,
    ) -> anyhow::Result<Group> {
        self.call(Method::POST, &of(organization, "/groups"), group).await
    }

    /// Changes a group.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn update_group(
        &self,
        id: uuid::Uuid,
        change: &UpdateGroup,
    ) -> anyhow::Result<Group> {
        self.call(Method::PATCH, &format!("/api/v2/groups/{id}"), change).await
    }

    /// Deletes a group.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn delete_group(&self, id: uuid::Uuid) -> anyhow::Result<()> {
        self.delete(&format!("/api/v2/groups/{id}")).await
    }
}

/// Where it is set how something follows a provider: groups or roles of an organization, or
/// organizations themselves.
#[must_use]
pub fn sync_path(place: Option<(&str, &str)>, provider: Option<&str>) -> String {
    let path = match place {
        Some((organization, kind)) => of(organization, &format!("/settings/idpsync/{kind}")),
        None => "/api/v2/settings/idpsync/organization".to_owned(),
    };
    match provider {
        Some(name) => format!("{path}?provider={}", segment(name)),
        None => path,
    }
}

/// A path below an organization.
fn of(organization: &str, rest: &str) -> String {
    format!("/api/v2/organizations/{}{rest}", segment(organization))
}
