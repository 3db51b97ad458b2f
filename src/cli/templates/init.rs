//! `templates init`: a starter written into a directory.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use super::archive;
use crate::cli::args::templates::Init;
use crate::cli::context::Context;
use crate::cli::table::Table;
use crate::cli::{Starter, nearest, prompt, starters};

/// Runs the command.
///
/// # Errors
/// When there is no such starter, or the directory is occupied or cannot be written.
pub fn run(ctx: &Context, args: Init) -> anyhow::Result<()> {
    let all = starters();
    if all.is_empty() {
        bail!("This program was built without templates. Use the one that holds the server.");
    }
    let starter = pick(ctx, &all, args.id)?;
    let directory = args.directory.unwrap_or_else(|| PathBuf::from(starter.id));
    if std::fs::read_dir(&directory).is_ok_and(|mut d| d.next().is_some()) {
        bail!("{} is not empty. Name another directory.", directory.display());
    }
    archive::unpack(&starter.archive, &directory)
        .with_context(|| format!("Writing the template to {}", directory.display()))?;
    let to = directory.display();
    let needs: Vec<String> = starter.needs.iter().map(|need| format!("\n  - {need}")).collect();
    let asks: Vec<String> =
        starter.asks.iter().map(|name| format!(" --variable {name}=…")).collect();
    ctx.out.note(&format!(
        "Wrote {id} to {to}. What it needs:{}\nChange it to your liking, then: steading templates push {id} -d {to}{}",
        needs.concat(),
        asks.concat(),
        id = starter.id,
    ));
    Ok(())
}

fn pick<'a>(ctx: &Context, all: &'a [Starter], id: Option<String>) -> anyhow::Result<&'a Starter> {
    let ids = || all.iter().map(|s| s.id);
    if let Some(id) = id {
        return all.iter().find(|s| s.id == id).with_context(|| {
            let known: Vec<&str> = ids().collect();
            let hint = nearest::hint(&id, ids());
            format!("There is no starter {id:?}.{hint} The starters are {}.", known.join(", "))
        });
    }
    let mut table = Table::new(&["ID", "WHAT IT IS"]);
    all.iter().for_each(|s| table.row([s.id, s.description]));
    let choices: Vec<String> = ids().map(str::to_owned).collect();
    if !prompt::is_interactive() {
        bail!("Say which starter with --id:\n{}", table.render(str::to_owned));
    }
    ctx.out.note(table.render(str::to_owned).trim_end());
    let at = prompt::choose("Which starter?", &choices, "--id STARTER")?;
    all.get(at).context("no such choice")
}
