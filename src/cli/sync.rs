//! `exp sync`: scripts of a workspace that wait for each other, by a file that the agent empties.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::fs::FlockOperation;

use super::args::inside::{Plain, Sync, SyncCommand};
use super::context::Context;
use super::duration;
use crate::model::unit::{BadUnit, Unit, Units};

/// How often a unit that waits looks again. Nobody notices, and a script takes longer.
const LOOK: Duration = Duration::from_millis(200);

/// Largest file read: all the units there can be, with some of their dependencies.
const MAX_FILE: u64 = 4 << 20;

/// Does what a script says.
///
/// # Errors
/// When it is not run in a workspace, or a unit cannot be what the script says.
pub async fn run(ctx: &Context, args: Sync) -> anyhow::Result<()> {
    let dir = args.dir.context(
        "The agent of a workspace was not found: this works in its scripts and terminals.",
    )?;
    let book = Book(dir);
    match args.command {
        SyncCommand::Ping => {
            book.change(|_| Ok(()))?;
            ctx.out.line("Success")
        }
        SyncCommand::Want { unit, dependencies } => {
            book.change(|units| dependencies.iter().try_for_each(|d| units.want(&unit, d)))?;
            ctx.out.line("Success")
        }
        SyncCommand::Start { unit, timeout } => start(ctx, &book, &unit, &timeout).await,
        SyncCommand::Complete { unit } => {
            book.change(|units| units.complete(&unit))?;
            ctx.out.line("Success")
        }
        SyncCommand::Status { unit, output } => {
            let units = book.change(|units| Ok(units.clone()))?;
            status(ctx, &units, &unit, output)
        }
        SyncCommand::List { output } => {
            let units = book.change(|units| Ok(units.clone()))?;
            list(ctx, &units, output)
        }
    }
}

async fn start(ctx: &Context, book: &Book, unit: &str, timeout: &str) -> anyhow::Result<()> {
    let timeout = duration::parse(timeout)?;
    let until = ctx.clock.instant() + timeout;
    let mut told = false;
    while !book.change(|units| units.start(unit))? {
        let units = book.change(|units| Ok(units.clone()))?;
        let missing = units.missing(unit).collect::<Vec<_>>().join(", ");
        if ctx.clock.instant() >= until {
            bail!("{unit:?} waited too long for {missing}");
        }
        if !std::mem::replace(&mut told, true) {
            ctx.out.note(&format!("{unit} waits for {missing}"));
        }
        tokio::time::sleep(LOOK).await;
    }
    ctx.out.line("Success")
}

fn shown(units: &Units, name: &str, unit: &Unit) -> serde_json::Value {
    let needs = unit.needs.iter().map(|needed| {
        let state = units.unit(needed).state;
        serde_json::json!({"depends_on": needed, "status": state.word()})
    });
    serde_json::json!({
        "unit": name,
        "status": unit.state.word(),
        "is_ready": units.is_ready(name),
        "dependencies": needs.collect::<Vec<_>>(),
    })
}

fn status(ctx: &Context, units: &Units, name: &str, output: Plain) -> anyhow::Result<()> {
    let unit = units.unit(name);
    if output == Plain::Json {
        return ctx.out.json(&shown(units, name, &unit));
    }
    let ready = units.is_ready(name);
    ctx.out.line(&format!("Unit: {name}\nStatus: {}\nReady: {ready}\n", unit.state.word()))?;
    ctx.out.line("Dependencies:")?;
    for needed in &unit.needs {
        ctx.out.line(&format!("{needed}: {}", units.unit(needed).state.word()))?;
    }
    if unit.needs.is_empty() {
        ctx.out.line("No dependencies found")?;
    }
    Ok(())
}

fn list(ctx: &Context, units: &Units, output: Plain) -> anyhow::Result<()> {
    if output == Plain::Json {
        let all = units.all().map(|(name, unit)| shown(units, name, unit)).collect::<Vec<_>>();
        return ctx.out.json(&all);
    }
    for (name, unit) in units.all() {
        let ready = units.is_ready(name);
        ctx.out.line(&format!("{name}\t{}\t{ready}", unit.state.word()))?;
    }
    Ok(())
}

/// The directory with the file of units. Processes take turns by a lock.
struct Book(PathBuf);

impl Book {
    /// Reads the units, changes them, and writes them back.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Units) -> Result<T, BadUnit>,
    ) -> anyhow::Result<T> {
        let path = self.0.join("units");
        let doing = || format!("Opening {}", path.display());
        let mut file = open(&path).with_context(doing)?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive).with_context(doing)?;
        let mut text = String::new();
        (&file).take(MAX_FILE).read_to_string(&mut text).with_context(doing)?;
        let before: Units = match text.as_str() {
            "" => Units::default(),
            text => serde_json::from_str(text).with_context(doing)?,
        };
        let mut units = before.clone();
        let out = change(&mut units)?;
        if units != before {
            let text = serde_json::to_vec(&units)?;
            file.set_len(0).with_context(doing)?;
            std::io::Seek::rewind(&mut file).with_context(doing)?;
            file.write_all(&text).with_context(doing)?;
        }
        Ok(out)
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_kept_between_two_scripts() {
        let dir = tempfile::tempdir().unwrap();
        let book = Book(dir.path().to_owned());
        book.change(|units| units.want("b", "a")).unwrap();
        assert!(!book.change(|units| units.start("b")).unwrap());
        book.change(|units| units.start("a")).unwrap();
        book.change(|units| units.complete("a")).unwrap();
        assert!(book.change(|units| units.start("b")).unwrap());
        assert!(book.change(|units| units.want("a", "b")).is_err());
        assert!(Book(dir.path().join("nowhere")).change(|_| Ok(())).is_err());
    }
}
