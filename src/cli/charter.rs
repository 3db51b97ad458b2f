//! `access charter`: who may at most what.

use std::io::Read as _;

use anyhow::Context as _;

use super::args::access::{Charter, CharterOf};
use super::context::Context;
use super::prompt;
use super::times;
use crate::model::charter::MAX_TEXT;
use crate::wire::charters::Charter as Wire;

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: Charter) -> anyhow::Result<()> {
    match command {
        Charter::Show { of, listing } => {
            let found = ctx.client()?.charter(&path(ctx, &of).await?).await?;
            if listing.output == super::args::Format::Json {
                return ctx.out.json(&found);
            }
            if let Some(at) = found.set_at {
                ctx.out.note(&format!("By {}, {}.", found.set_by, times::at(at)));
            }
            if !found.above.is_empty() {
                ctx.out.note("Its organization has one, which holds as well.");
            }
            if found.text.is_empty() {
                ctx.out.note("It has no charter. `steading access charter set` writes one.");
                return Ok(());
            }
            ctx.out.line(found.text.trim_end())
        }
        Charter::Set { of, file } => {
            let text = match file.filter(|file| file.as_os_str() != "-") {
                Some(file) => read(&file).with_context(|| format!("Reading {}", file.display()))?,
                None => prompt::text_from_stdin(MAX_TEXT as u64)?,
            };
            let new = Wire { text, ..Wire::default() };
            let set = ctx.client()?.set_charter(&path(ctx, &of).await?, &new).await?;
            let done = if set.text.is_empty() { "It has no charter now." } else { "Saved." };
            ctx.out.note(done);
            Ok(())
        }
    }
}

/// A file's text, and no more of it than a server takes.
fn read(file: &std::path::Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(file)?.take(MAX_TEXT as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}

/// Where the charter is: a workspace's when one is named.
async fn path(ctx: &Context, of: &CharterOf) -> anyhow::Result<String> {
    let Some(name) = &of.workspace else {
        let key = of.organization.as_deref().unwrap_or("default");
        return Ok(format!("/api/v2/organizations/{}/charter", super::client::segment(key)));
    };
    let workspace = ctx.client()?.workspace(&name.parse()?).await?;
    Ok(format!("/api/v2/workspaces/{}/charter", workspace.id))
}
