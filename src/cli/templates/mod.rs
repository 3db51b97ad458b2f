//! `templates`: what workspaces are made from.

mod archive;
mod init;
mod push;
mod versions;

use anyhow::Context as _;

use super::args::organizations::Within;
use super::args::templates::{Edit, Presets, Pull, Templates};
use super::client::Client;
use super::context::Context;
use super::create::milliseconds;
use super::prompt;
use super::table::Table;
use super::times;
use crate::wire::coder::templates::{Template, UpdateTemplate};

/// Runs the command.
///
/// # Errors
/// When a file cannot be read, the request is refused, or the import fails.
pub async fn run(ctx: &Context, command: Templates) -> anyhow::Result<()> {
    match command {
        Templates::Init(args) => init::run(ctx, args),
        Templates::Push(args) => push::run(ctx, args).await,
        Templates::Pull(args) => pull(ctx, args).await,
        Templates::List { listing, within } => {
            let client = ctx.client()?;
            let templates = match within.named() {
                Some(organization) => client.templates_in(organization).await?,
                None => client.templates().await?,
            };
            ctx.out.list(&listing, &templates, || table(&templates))
        }
        Templates::Edit(args) => edit(ctx, args).await,
        Templates::Delete { names, yes, within } => delete(ctx, &within, &names, yes).await,
        Templates::Archive { name, all, yes, within } => {
            let client = ctx.client()?;
            let template = client.template(within.organization(), &name).await?;
            if !yes {
                prompt::confirm(&format!("Withdraw the versions of {name} that nobody uses?"))?;
            }
            let done = client.archive_unused(template.id, all).await?;
            ctx.out.note(&format!("Withdrew {} versions of {name}.", done.archived_ids.len()));
            Ok(())
        }
        Templates::Versions(command) => versions::run(ctx, command).await,
        Templates::Presets(Presets::List { template, version, within, listing }) => {
            let client = ctx.client()?;
            let template = client.template(within.organization(), &template).await?;
            let id = version_id(&client, &template, version.as_deref()).await?;
            let presets = client.presets(id).await?;
            ctx.out.list(&listing, &presets, || {
                let mut table = Table::new(&["NAME", "DEFAULT", "PARAMETERS", "DESCRIPTION"]);
                for p in &presets {
                    let values: Vec<String> =
                        p.parameters.iter().map(|v| format!("{}={}", v.name, v.value)).collect();
                    let default = if p.default { "yes" } else { "no" };
                    table.row([&p.name, default, &values.join(", "), &p.description]);
                }
                table
            })
        }
    }
}

/// A version of a template by name, or the active one.
async fn version_id(
    client: &Client,
    template: &Template,
    name: Option<&str>,
) -> anyhow::Result<uuid::Uuid> {
    match name {
        Some(name) => Ok(client.version_by_name(template.id, name).await?.id),
        None => Ok(template.active_version_id),
    }
}

fn table(templates: &[Template]) -> Table {
    let heads =
        ["NAME", "ORGANIZATION", "DISPLAY NAME", "DESCRIPTION", "CREATED BY", "LAST UPDATED"];
    let more = [
        "CREATED AT",
        "ORGANIZATION ID",
        "ORGANIZATION NAME",
        "PROVISIONER",
        "ACTIVE VERSION ID",
        "DEFAULT TTL",
    ];
    let mut table = Table::with_more(&heads, &more);
    for t in templates {
        let ttl = u64::try_from(t.default_ttl_ms).unwrap_or_default();
        let note = if t.deprecated { "deprecated: " } else { "" };
        table.row([
            &t.name,
            &t.organization_name,
            &t.display_name,
            &format!("{note}{}", t.description),
            &t.created_by_name,
            &times::or_never(t.updated_at),
            &times::or_never(t.created_at),
            &t.organization_id.to_string(),
            &t.organization_name,
            &t.provisioner,
            &t.active_version_id.to_string(),
            &crate::model::time::words(std::time::Duration::from_millis(ttl)),
        ]);
    }
    table
}

async fn pull(ctx: &Context, args: Pull) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let template = client.template(args.within.organization(), &args.name).await?;
    let id = version_id(&client, &template, args.version.as_deref()).await?;
    let version = client.version(id).await?;
    let archive = client.file(version.job.file_id).await?;
    if args.tar {
        return ctx.out.bytes(&archive);
    }
    let directory = args.directory.unwrap_or_else(|| args.name.clone().into());
    let occupied = std::fs::read_dir(&directory).is_ok_and(|mut d| d.next().is_some());
    if occupied && !args.yes {
        prompt::confirm(&format!("Write over what is in {}?", directory.display()))?;
    }
    let files = archive::unpack(&archive, &directory)
        .with_context(|| format!("Writing the template to {}", directory.display()))?;
    ctx.out.note(&format!(
        "Wrote {files} files of {} version {} to {}.",
        template.name,
        version.name,
        directory.display()
    ));
    Ok(())
}

async fn edit(ctx: &Context, args: Edit) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let template = client.template(args.within.organization(), &args.template).await?;
    let change = UpdateTemplate {
        name: args.name,
        display_name: args.display_name,
        description: args.description,
        icon: args.icon,
        default_ttl_ms: args.default_ttl.as_deref().map(milliseconds).transpose()?,
        deprecation_message: args.deprecation,
        disable_everyone_group_access: args.private.filter(|private| *private),
        ..UpdateTemplate::default()
    };
    let opens = args.private == Some(false);
    if change == UpdateTemplate::default() && !opens {
        anyhow::bail!("Nothing to change was given. `steading templates edit --help` lists it.");
    }
    if change != UpdateTemplate::default() {
        client.update_template(template.id, &change).await?;
    }
    if opens {
        client.open_template(&template).await?;
    }
    ctx.out.note(&format!("Changed {}.", args.template));
    Ok(())
}

async fn delete(ctx: &Context, within: &Within, names: &[String], yes: bool) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        found.push(client.template(within.organization(), name).await?);
    }
    if !yes {
        prompt::confirm(&format!("Delete {}?", names.join(", ")))?;
    }
    for template in found {
        client.delete_template(template.id).await?;
        ctx.out.note(&format!("Deleted {}.", template.name));
    }
    Ok(())
}
