//! Calls about templates and their versions.

use anyhow::Context as _;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::cli::client::{Client, retold, segment, status_of};
use crate::cli::nearest;
use crate::wire::coder::templates::{
    CreateTemplate, Example, Template, UpdateTemplate, UpdateTemplateAcl, UploadResponse,
};
use crate::wire::coder::versions::{
    ArchiveVersions, ArchiveVersionsResponse, CreateVersion, Preset, RichParameter,
    UpdateActiveVersion, Variable, Version,
};

/// Something in an organization, which is given by name or id.
fn within(organization: &str, what: &str) -> String {
    format!("/api/v2/organizations/{}/{what}", segment(organization))
}

impl Client {
    /// All templates the caller may see.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn templates(&self) -> anyhow::Result<Vec<Template>> {
        self.get("/api/v2/templates").await
    }

    /// The templates of an organization that the caller may see.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn templates_in(&self, organization: &str) -> anyhow::Result<Vec<Template>> {
        self.get(&within(organization, "templates")).await
    }

    /// A template of an organization by name.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn template(&self, organization: &str, name: &str) -> anyhow::Result<Template> {
        let path = within(organization, &format!("templates/{}", segment(name)));
        match self.get(&path).await {
            Err(error) if status_of(&error) == Some(StatusCode::NOT_FOUND) => {
                let all = self.templates().await.unwrap_or_default();
                let elsewhere = all.iter().find(|t| t.name.eq_ignore_ascii_case(name));
                let hint = match elsewhere {
                    Some(t) => format!(" There is one in --org {}.", t.organization_name),
                    None => nearest::hint(name, all.iter().map(|t| t.name.as_str())),
                };
                let all = "`steading templates list` shows them.";
                let place = format!("in the organization {organization}");
                Err(retold(error, format!("There is no template {name:?} {place}.{hint} {all}")))
            }
            found => found,
        }
    }

    /// Makes a template of a version, in the organization of both.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn create_template(
        &self,
        organization: &str,
        template: &CreateTemplate,
    ) -> anyhow::Result<Template> {
        self.call(Method::POST, &within(organization, "templates"), template).await
    }

    /// Changes a template.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn update_template(&self, id: Uuid, change: &UpdateTemplate) -> anyhow::Result<()> {
        self.tell(Method::PATCH, &format!("/api/v2/templates/{id}"), change).await
    }

    /// Puts everyone in its organization on a template's list, to use it.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn open_template(&self, template: &Template) -> anyhow::Result<()> {
        let everyone = template.organization_id.to_string();
        let change = UpdateTemplateAcl {
            group_perms: [(everyone, "use".to_owned())].into(),
            ..UpdateTemplateAcl::default()
        };
        let path = format!("/api/v2/templates/{}/acl", template.id);
        self.tell(Method::PATCH, &path, &change).await
    }

    /// Deletes a template.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn delete_template(&self, id: Uuid) -> anyhow::Result<()> {
        self.delete(&format!("/api/v2/templates/{id}")).await
    }

    /// The starters that come with the server.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn examples(&self) -> anyhow::Result<Vec<Example>> {
        self.get("/api/v2/templates/examples").await
    }

    /// Uploads an archive; gives its id.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn upload_tar(&self, archive: Bytes) -> anyhow::Result<Uuid> {
        let answer =
            self.upload(Method::POST, "/api/v2/files", "application/x-tar", archive).await?;
        let file: UploadResponse =
            serde_json::from_slice(&answer).context("Reading the uploaded file's id")?;
        Ok(file.hash)
    }

    /// An archive.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn file(&self, id: Uuid) -> anyhow::Result<Bytes> {
        self.bytes(&format!("/api/v2/files/{id}")).await
    }

    /// Asks for an import into an organization.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn create_version(
        &self,
        organization: &str,
        version: &CreateVersion,
    ) -> anyhow::Result<Version> {
        self.call(Method::POST, &within(organization, "templateversions"), version).await
    }

    /// A version by id.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn version(&self, id: Uuid) -> anyhow::Result<Version> {
        self.get(&format!("/api/v2/templateversions/{id}")).await
    }

    /// A version of a template by name.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn version_by_name(&self, template: Uuid, name: &str) -> anyhow::Result<Version> {
        match self.get(&format!("/api/v2/templates/{template}/versions/{}", segment(name))).await {
            Err(error) if status_of(&error) == Some(StatusCode::NOT_FOUND) => {
                let all = self.versions(template, true).await.unwrap_or_default();
                let hint = nearest::hint(name, all.iter().map(|v| v.name.as_str()));
                Err(retold(error, format!("The template has no version {name:?}.{hint}")))
            }
            found => found,
        }
    }

    /// A template's versions, newest first.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn versions(&self, template: Uuid, archived: bool) -> anyhow::Result<Vec<Version>> {
        let query = [("include_archived", if archived { "true" } else { "false" })];
        self.query(&format!("/api/v2/templates/{template}/versions"), &query).await
    }

    /// Makes a version the active one.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn promote(&self, template: Uuid, version: Uuid) -> anyhow::Result<()> {
        let body = UpdateActiveVersion { id: version };
        self.tell(Method::PATCH, &format!("/api/v2/templates/{template}/versions"), &body).await
    }

    /// Withdraws the versions of a template that nobody uses.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn archive_unused(
        &self,
        template: Uuid,
        all: bool,
    ) -> anyhow::Result<ArchiveVersionsResponse> {
        let path = format!("/api/v2/templates/{template}/versions/archive");
        self.call(Method::POST, &path, &ArchiveVersions { all }).await
    }

    /// `archive` or `unarchive`.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn set_archived(&self, version: Uuid, verb: &str) -> anyhow::Result<()> {
        self.tell(Method::POST, &format!("/api/v2/templateversions/{version}/{verb}"), &json!({}))
            .await
    }

    /// What a version asks.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn rich_parameters(&self, version: Uuid) -> anyhow::Result<Vec<RichParameter>> {
        self.get(&format!("/api/v2/templateversions/{version}/rich-parameters")).await
    }

    /// A version's variables.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn variables(&self, version: Uuid) -> anyhow::Result<Vec<Variable>> {
        self.get(&format!("/api/v2/templateversions/{version}/variables")).await
    }

    /// A version's presets.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn presets(&self, version: Uuid) -> anyhow::Result<Vec<Preset>> {
        self.get(&format!("/api/v2/templateversions/{version}/presets")).await
    }
}
