//! `templates versions`: which there are, and which is used.

use crate::cli::args::organizations::Within;
use crate::cli::args::templates::Versions;
use crate::cli::context::Context;
use crate::cli::table::Table;
use crate::cli::times;

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: Versions) -> anyhow::Result<()> {
    let client = ctx.client()?;
    match command {
        Versions::List { template, include_archived, within, listing } => {
            let template = client.template(within.organization(), &template).await?;
            let versions = client.versions(template.id, include_archived).await?;
            ctx.out.list(&listing, &versions, || {
                let heads = ["NAME", "CREATED AT", "CREATED BY", "STATUS", "ACTIVE", "MESSAGE"];
                let mut table = Table::with_more(&heads, &["ARCHIVED"]);
                for v in &versions {
                    let active = if v.id == template.active_version_id { "active" } else { "" };
                    let active = if v.archived { "archived" } else { active };
                    table.row([
                        &v.name,
                        &times::or_never(v.created_at),
                        &v.created_by.username,
                        &v.job.status,
                        active,
                        &v.message,
                        if v.archived { "yes" } else { "no" },
                    ]);
                }
                table
            })
        }
        Versions::Promote { template: name, template_version, within } => {
            let template = client.template(within.organization(), &name).await?;
            let version = client.version_by_name(template.id, &template_version).await?;
            client.promote(template.id, version.id).await?;
            ctx.out.note(&format!("{name} is now at version {}.", version.name));
            Ok(())
        }
        Versions::Archive { template, versions, within, .. } => {
            set_archived(ctx, (&within, &template), (&versions, "archive")).await
        }
        Versions::Unarchive { template, versions, within, .. } => {
            set_archived(ctx, (&within, &template), (&versions, "unarchive")).await
        }
    }
}

async fn set_archived(
    ctx: &Context,
    (within, template): (&Within, &str),
    (versions, verb): (&[String], &str),
) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let template = client.template(within.organization(), template).await?;
    for name in versions {
        let version = client.version_by_name(template.id, name).await?;
        client.set_archived(version.id, verb).await?;
        ctx.out.note(&format!("{name}: {verb}d."));
    }
    Ok(())
}
