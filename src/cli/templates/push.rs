//! `templates push`: a directory as a new version, imported and made active.

use std::path::Path;

use anyhow::{Context as _, bail};
use http::StatusCode;

use super::archive;
use crate::cli::args::templates::Push;
use crate::cli::client::{Client, status_of};
use crate::cli::context::Context;
use crate::cli::{parameters, progress, prompt};
use crate::model::name::TemplateName;
use crate::wire::coder::templates::{CreateTemplate, Template};
use crate::wire::coder::versions::{CreateVersion, VariableValue, Version};

/// Runs the command.
///
/// # Errors
/// When the directory cannot be read, the request is refused, or the import fails.
pub async fn run(ctx: &Context, args: Push) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let name = named(&args)?;
    let archive = archive::pack(&args.directory)?;
    let template = existing(&client, args.within.organization(), &name).await?;
    if !args.yes && prompt::is_interactive() {
        let what = if template.is_some() { "a new version of" } else { "the new template" };
        prompt::confirm(&format!("Push {} as {what} {name}?", args.directory.display()))?;
    }
    let file = client.upload_tar(archive.into()).await.context("Uploading the template")?;
    let wanted = CreateVersion {
        name: args.version_name.clone(),
        message: args.message.clone(),
        template_id: template.as_ref().map(|t| t.id),
        storage_method: "file".to_owned(),
        file_id: Some(file),
        provisioner: "terraform".to_owned(),
        user_variable_values: variables(&args)?,
        ..CreateVersion::default()
    };
    let version = client.create_version(args.within.organization(), &wanted).await?;
    let version: Version = progress::watch_own(ctx, &client, version.id).await?;
    finish(ctx, &client, (template, &name), (&version, &args)).await
}

async fn finish(
    ctx: &Context,
    client: &Client,
    (template, name): (Option<Template>, &str),
    (version, args): (&Version, &Push),
) -> anyhow::Result<()> {
    match template {
        None => {
            let new = CreateTemplate {
                name: name.to_owned(),
                template_version_id: version.id,
                disable_everyone_group_access: args.private,
                ..CreateTemplate::default()
            };
            client.create_template(args.within.organization(), &new).await?;
            ctx.out.note(&format!(
                "The template {name} is there. `steading create --template {name}` uses it."
            ));
        }
        Some(template) if args.activate => {
            client.promote(template.id, version.id).await?;
            ctx.out.note(&format!("{name} is now at version {}.", version.name));
        }
        Some(_) => ctx.out.note(&format!(
            "Pushed version {}; make it active with `steading templates versions promote \
             --template {name} --template-version {}`.",
            version.name, version.name
        )),
    }
    Ok(())
}

async fn existing(
    client: &Client,
    organization: &str,
    name: &str,
) -> anyhow::Result<Option<Template>> {
    match client.template(organization, name).await {
        Ok(template) => Ok(Some(template)),
        Err(error) if status_of(&error) == Some(StatusCode::NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}

fn named(args: &Push) -> anyhow::Result<String> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => directory_name(&args.directory)?,
    };
    TemplateName::parse(&name)
        .map_err(|e| anyhow::anyhow!("The template's name {name:?} {e}. Give another."))?;
    Ok(name)
}

fn directory_name(directory: &Path) -> anyhow::Result<String> {
    let full = directory
        .canonicalize()
        .with_context(|| format!("Finding the directory {}", directory.display()))?;
    let name = full.file_name().map(|n| n.to_string_lossy().into_owned());
    name.context("The directory has no name. Give the template's name.")
}

fn variables(args: &Push) -> anyhow::Result<Vec<VariableValue>> {
    let mut all = Vec::new();
    if let Some(file) = &args.variables_file {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("Reading the variables in {}", file.display()))?;
        all.extend(parameters::pairs(&text).with_context(|| file.display().to_string())?);
    }
    for pair in &args.variables {
        let Some((name, value)) = pair.split_once('=') else {
            bail!("--variable {pair:?} is not NAME=VALUE");
        };
        all.retain(|(n, _)| n != name);
        all.push((name.to_owned(), value.to_owned()));
    }
    Ok(all.into_iter().map(|(name, value)| VariableValue { name, value }).collect())
}
