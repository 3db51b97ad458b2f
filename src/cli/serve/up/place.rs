//! The first template and the first workspace.

use anyhow::Context as _;
use uuid::Uuid;

use crate::cli::client::Client;
use crate::cli::context::Context;
use crate::cli::{progress, start};
use crate::model::build::WorkspaceStatus;
use crate::provision::starters;
use crate::wire::coder::builds::Build;
use crate::wire::coder::templates::{CreateTemplate, Template};
use crate::wire::coder::versions::{CreateVersion, Version};
use crate::wire::coder::workspaces::{CreateWorkspace, Workspace};

/// The starter that needs nothing but this machine.
const STARTER: &str = "this-machine";
/// The workspace's name.
const FIRST: &str = "first";

/// Sees that the person has a workspace; gives its name.
///
/// # Errors
/// When the import or the build fails.
pub async fn workspace(ctx: &Context, client: &Client) -> anyhow::Result<String> {
    let mine = client.workspaces("owner:me").await?;
    let found = mine.iter().find(|w| w.name == FIRST).or_else(|| mine.first());
    let (name, build) = match found {
        Some(there) => (there.name.clone(), there_already(ctx, client, there).await?),
        None => {
            let template = template(ctx, client).await?;
            let made = client.create_workspace("me", &wanted(template.id)).await?;
            (made.name.clone(), Some(made.latest_build.id))
        }
    };
    if let Some(build) = build {
        progress::watch::<Build>(ctx, client, build).await?;
    }
    Ok(name)
}

/// A workspace of an earlier run: one that rests is left so, one that failed is tried again.
async fn there_already(
    ctx: &Context,
    client: &Client,
    workspace: &Workspace,
) -> anyhow::Result<Option<Uuid>> {
    use WorkspaceStatus as S;
    match start::status(workspace) {
        Some(S::Pending | S::Starting | S::Stopping | S::Canceling) => {
            Ok(Some(workspace.latest_build.id))
        }
        Some(S::Failed | S::Canceled) => {
            start::for_session(ctx, client, workspace, "cli").await?;
            Ok(None)
        }
        Some(S::Running | S::Stopped | S::Deleting | S::Deleted) | None => Ok(None),
    }
}

fn wanted(template: Uuid) -> CreateWorkspace {
    CreateWorkspace {
        template_id: Some(template),
        name: FIRST.to_owned(),
        automatic_updates: "never".to_owned(),
        ..CreateWorkspace::default()
    }
}

/// The starter as a template: the one there is, else pushed.
async fn template(ctx: &Context, client: &Client) -> anyhow::Result<Template> {
    let there = client.templates().await?.into_iter().find(|t| t.name == STARTER);
    if let Some(there) = there {
        return Ok(there);
    }
    let starter = starters::find(STARTER).context("The program holds no such starter")?;
    let file = client.upload_tar(starter.archive()).await?;
    let version = CreateVersion {
        storage_method: "file".to_owned(),
        file_id: Some(file),
        provisioner: "terraform".to_owned(),
        ..CreateVersion::default()
    };
    let version = client.create_version(&version).await?;
    let version: Version = progress::watch(ctx, client, version.id).await?;
    let template = CreateTemplate {
        name: STARTER.to_owned(),
        display_name: starter.name.to_owned(),
        description: starter.description.to_owned(),
        icon: starter.icon.to_owned(),
        template_version_id: version.id,
        ..CreateTemplate::default()
    };
    client.create_template(&template).await
}
