//! `exp sync`: scripts of a workspace that wait for each other, by a file that the agent empties.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::args::inside::{Plain, Sync, SyncCommand};
use super::context::Context;
use crate::files;
use crate::model::duration;
use crate::model::unit::{BadUnit, Unit, Units};

/// How often a unit that waits looks again. Nobody notices, and a script takes longer.
const LOOK: Duration = Duration::from_millis(200);

/// Largest file: all the units there can be, with some of their dependencies.
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
        let _turn = self.turn()?;
        let before = read(&path).with_context(|| format!("Reading {}", path.display()))?;
        let mut units = before.clone();
        let out = change(&mut units)?;
        if units != before {
            write(&path, &units).with_context(|| format!("Writing {}", path.display()))?;
        }
        Ok(out)
    }

    /// Waits until no other process is at it. The lock is a file of its own: the units' is replaced.
    fn turn(&self) -> anyhow::Result<File> {
        let path = self.0.join("units.lock");
        let doing = || format!("Locking {}", path.display());
        let file = files::private().create(true).truncate(false).open(&path).with_context(doing)?;
        file.lock().with_context(doing)?;
        Ok(file)
    }
}

fn read(path: &Path) -> anyhow::Result<Units> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Units::default()),
        file => file?,
    };
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

/// Whole or not at all.
fn write(path: &Path, units: &Units) -> anyhow::Result<()> {
    let text = serde_json::to_vec(units)?;
    if text.len() as u64 > MAX_FILE {
        bail!("There are too many units and dependencies.");
    }
    let part = path.with_extension("part");
    let mut file = files::private().create(true).truncate(true).open(&part)?;
    file.write_all(&text)?;
    file.sync_all()?;
    std::fs::rename(&part, path)?;
    Ok(())
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
        // What was being written when a script was killed.
        std::fs::write(dir.path().join("units.part"), "{\"b\":").unwrap();
        assert!(book.change(|units| units.start("b")).unwrap());
        let many = |units: &mut Units| {
            let long = |kind: &str, n: usize| format!("{kind}{n}{}", "x".repeat(240));
            let pairs = (0..800).flat_map(|i| (0..30).map(move |j| (i, j)));
            pairs.into_iter().try_for_each(|(i, j)| units.want(&long("a", i), &long("b", j)))
        };
        let refused = format!("{:#}", book.change(many).unwrap_err());
        assert!(refused.starts_with("Writing ") && refused.contains("too many"), "{refused}");
        assert!(book.change(|units| units.start("b")).unwrap(), "nothing was written");
        assert!(Book(dir.path().join("nowhere")).change(|_| Ok(())).is_err());
    }
}
