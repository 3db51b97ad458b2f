//! `recordings`: what sessions showed, and what was run in them.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::api::recordings::Shown;
use super::args::recordings::{Commands, Export, List, Recordings, Search, Show};
use super::context::Context;
use super::table::Table;
use crate::files;
use crate::model::time::words;
use crate::wire::recordings::{Command, Found, Recording, Transfer};

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses, or a file cannot be written.
pub async fn run(ctx: &Context, command: Recordings) -> anyhow::Result<()> {
    match command {
        Recordings::List(args) => list(ctx, args).await,
        Recordings::Commands(args) => commands(ctx, args).await,
        Recordings::Transfers(args) => transfers(ctx, args).await,
        Recordings::Show(args) => show(ctx, args).await,
        Recordings::Search(args) => search(ctx, args).await,
        Recordings::Export(args) => export(ctx, args).await,
    }
}

async fn list(ctx: &Context, args: List) -> anyhow::Result<()> {
    let found = ctx.client()?.recordings(&args.workspace, &args.sought).await?;
    ctx.out.list(&args.sought.listing, &found, || recordings_table(&found))?;
    if found.is_empty() {
        ctx.out.note("No recording is found.");
    }
    Ok(())
}

async fn commands(ctx: &Context, args: Commands) -> anyhow::Result<()> {
    let found = ctx.client()?.commands(&args.workspace, &args.sought).await?;
    ctx.out.list(&args.sought.listing, &found, || commands_table(&found))?;
    if found.is_empty() {
        ctx.out.note("No command is found.");
    }
    Ok(())
}

async fn transfers(ctx: &Context, args: Commands) -> anyhow::Result<()> {
    let found = ctx.client()?.transfers(&args.workspace, &args.sought).await?;
    ctx.out.list(&args.sought.listing, &found, || transfers_table(&found))?;
    if found.is_empty() {
        ctx.out.note("Nothing that passed is found.");
    }
    Ok(())
}

async fn show(ctx: &Context, args: Show) -> anyhow::Result<()> {
    let shown = ctx.client()?.recording(args.id).await?;
    ctx.out.list(&args.listing, &shown, || what_happened(&shown))
}

async fn search(ctx: &Context, args: Search) -> anyhow::Result<()> {
    let found = ctx.client()?.search_recording(&args).await?;
    ctx.out.list(&args.listing, &found, || places_table(&found))?;
    if found.places.is_empty() {
        ctx.out.note("The text is not found.");
    }
    if let Some(next) = found.next_ms {
        ctx.out.note(&format!("There may be more: --from {}", seconds(next)));
    }
    Ok(())
}

fn recordings_table(all: &[Recording]) -> Table {
    let mut table = Table::new(&[
        "ID",
        "BEGAN AT",
        "LENGTH",
        "USER",
        "WORKSPACE",
        "KIND",
        "COMMANDS",
        "STATUS",
    ]);
    for one in all {
        table.row([
            &one.id.to_string(),
            &one.began_at.to_string(),
            &length(Some(one.length_ms)),
            &one.username,
            &format!("{}/{}", one.workspace_owner_name, one.workspace_name),
            &one.kind,
            &one.command_count.to_string(),
            &one.status,
        ]);
    }
    table
}

fn commands_table(all: &[Command]) -> Table {
    let mut table =
        Table::new(&["BEGAN AT", "USER", "WORKSPACE", "EXIT", "LENGTH", "COMMAND", "RECORDING"]);
    for one in all {
        table.row([
            &one.began_at.to_string(),
            &one.username,
            &format!("{}/{}", one.workspace_owner_name, one.workspace_name),
            &one.exit_code.map_or_else(String::new, |code| code.to_string()),
            &length(one.length_ms),
            &one.command.replace(['\n', '\t'], " "),
            &one.recording_id.to_string(),
        ]);
    }
    table
}

fn transfers_table(all: &[Transfer]) -> Table {
    let mut table =
        Table::new(&["BEGAN AT", "USER", "WORKSPACE", "KIND", "OUT", "IN", "COUNT", "NAME"]);
    for one in all {
        table.row([
            &one.began_at.to_string(),
            &one.username,
            &format!("{}/{}", one.workspace_owner_name, one.workspace_name),
            &one.kind,
            &one.bytes_out.to_string(),
            &one.bytes_in.to_string(),
            &one.count.to_string(),
            &named(one),
        ]);
    }
    table
}

fn named(one: &Transfer) -> String {
    if one.to_name.is_empty() {
        one.name.clone()
    } else {
        format!("{} to {}", one.name, one.to_name)
    }
}

/// Commands, files and ports in one list, in the order in which they began.
fn what_happened(shown: &Shown) -> Table {
    let mut table = Table::new(&["BEGAN AT", "KIND", "RESULT", "WHAT"]);
    let commands = shown.commands.iter().map(|one| {
        let result = one.exit_code.map_or_else(String::new, |code| format!("exit {code}"));
        (one.began_at, "command", result, one.command.clone())
    });
    let transfers = shown.transfers.iter().map(|one| {
        let result = format!("{} B out, {} B in", one.bytes_out, one.bytes_in);
        (one.began_at, one.kind.as_str(), result, named(one))
    });
    let mut all: Vec<_> = commands.chain(transfers).collect();
    all.sort_by_key(|(at, ..)| at.to_string());
    for (at, kind, result, what) in &all {
        table.row([&at.to_string(), kind, result, what]);
    }
    table
}

fn places_table(found: &Found) -> Table {
    let mut table = Table::new(&["AT", "LINE"]);
    for place in &found.places {
        table.row([&seconds(place.at_ms), &place.line]);
    }
    table
}

/// Milliseconds as seconds, as `--from` takes them.
fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

fn length(ms: Option<i64>) -> String {
    let Some(ms) = ms.and_then(|ms| u64::try_from(ms).ok()) else { return String::new() };
    if ms < 1000 { format!("{ms} ms") } else { words(Duration::from_millis(ms)) }
}

async fn export(ctx: &Context, args: Export) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let path = format!("/api/v2/recordings/{}/cast", args.id);
    if args.file == Path::new("-") {
        return client.download(&path, &[], |part| ctx.out.bytes(part)).await;
    }
    // It shows what a person saw: nobody else's to read. One that is there is not written over.
    let mut file = files::private()
        .create_new(true)
        .open(&args.file)
        .with_context(|| format!("Making {}", args.file.display()))?;
    let written = client
        .download(&path, &[], |part| {
            file.write_all(part).with_context(|| format!("Writing {}", args.file.display()))
        })
        .await;
    if written.is_err() {
        // A part of it must not be taken for the recording.
        let _ = std::fs::remove_file(&args.file);
    }
    written?;
    ctx.out.note(&format!("Wrote {}.", args.file.display()));
    Ok(())
}
