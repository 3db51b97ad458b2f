//! `audit`: who did what, and whether the log of it is as it was written.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use super::Exit;
use super::args::Format;
use super::args::audit::{Audit, Export, ExportFormat, List, Verify};
use super::context::Context;
use super::output::Paint;
use super::table::Table;
use crate::model::audit::chain::Head;
use crate::model::audit::checkpoint::{CheckpointKind, PublicKey};
use crate::wire::audit::{Finding, SignedCheckpoint, Verification, read_hash};
use crate::wire::coder::audit::AuditLog;

/// Most bytes read of a file of checkpoints: those of a hundred years, one an hour.
const MAX_CHECKPOINTS: u64 = 512 << 20;

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses, or something is wrong with the log.
pub async fn run(ctx: &Context, command: Audit) -> anyhow::Result<()> {
    match command {
        Audit::List(args) => list(ctx, args).await,
        Audit::Export(args) => export(ctx, args).await,
        Audit::Verify(args) => verify(ctx, args).await,
    }
}

async fn list(ctx: &Context, args: List) -> anyhow::Result<()> {
    let found = ctx.client()?.audit(&args.filter, args.limit, args.offset).await?;
    ctx.out.list(&args.listing, &found.audit_logs, || table(&found.audit_logs))?;
    if found.audit_logs.is_empty() {
        ctx.out.note("No entry is found.");
    }
    Ok(())
}

fn table(entries: &[AuditLog]) -> Table {
    let mut table =
        Table::new(&["TIME", "WHO", "ACTION", "RESOURCE", "NAME", "STATUS", "IP", "REASON"]);
    for entry in entries {
        let more = |name: &str| {
            entry.additional_fields.get(name).and_then(|v| v.as_str()).unwrap_or_default()
        };
        let who = entry.user.as_ref().map_or(more("actor"), |user| user.username.as_str());
        table.row([
            &entry.time.to_string(),
            who,
            &entry.action,
            &entry.resource_type,
            &entry.resource_target,
            &entry.status_code.to_string(),
            &entry.ip,
            more("reason"),
        ]);
    }
    table
}

async fn export(ctx: &Context, args: Export) -> anyhow::Result<()> {
    let client = ctx.client()?;
    if args.checkpoints {
        let mut after = 0;
        loop {
            let part = client.audit_checkpoints(after).await?;
            let Some(last) = part.last() else { return Ok(()) };
            after = last.number;
            for checkpoint in &part {
                ctx.out.bytes(format!("{}\n", serde_json::to_string(checkpoint)?).as_bytes())?;
            }
        }
    }
    let format = match args.format {
        ExportFormat::Jsonl => "jsonl",
        ExportFormat::Csv => "csv",
    };
    let query = [
        ("format", format),
        ("q", &*args.filter),
        ("since", &*args.since),
        ("until", &*args.until),
    ];
    client.download("/api/v2/audit/export", &query, |part| ctx.out.bytes(part)).await
}

async fn verify(ctx: &Context, args: Verify) -> anyhow::Result<()> {
    ensure!(
        args.data.is_none(),
        "This is the program without the server. Verify a data directory with the whole one."
    );
    let known = Known::read(&args)?;
    let found = ctx.client()?.verify_audit(known.anchor).await?;
    known.tell(ctx, &args, found)
}

/// What whoever verifies knows already.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    /// The key that checkpoints must be signed with.
    pub key: Option<PublicKey>,
    /// How far the log had come when a checkpoint was kept.
    pub anchor: Option<Head>,
}

impl Known {
    /// Reads what was given.
    ///
    /// # Errors
    /// When it cannot be read, or a checkpoint in it is not as it was signed.
    pub fn read(args: &Verify) -> anyhow::Result<Self> {
        let key = match &args.public_key {
            None => None,
            Some(text) => {
                Some(read_hash(text).context("--public-key wants a key of 32 bytes in hex")?)
            }
        };
        match &args.checkpoint {
            None => Ok(Self { key, anchor: None }),
            Some(file) => read_checkpoints(file, key)
                .with_context(|| format!("Reading the checkpoints in {}", file.display())),
        }
    }

    /// Says what was found.
    ///
    /// # Errors
    /// [`Exit::Failed`] when something is wrong.
    pub fn tell(self, ctx: &Context, args: &Verify, found: Verification) -> anyhow::Result<()> {
        let found = self.judge(found);
        match args.listing.output {
            Format::Json => ctx.out.json(&found)?,
            Format::Table => say(ctx, &found)?,
        }
        if found.ok { Ok(()) } else { Err(Exit::Failed.into()) }
    }

    /// Looks at the key as well.
    fn judge(self, found: Verification) -> Verification {
        let key = self.key.map(hex::encode).unwrap_or_default();
        if !found.ok || key.is_empty() || found.public_key.is_empty() || found.public_key == key {
            return found;
        }
        let what = "the log".to_owned();
        let why = format!("is signed with the key {}, not {key}", found.public_key);
        let finding = Finding { what, why, ..Finding::default() };
        Verification { ok: false, finding: Some(finding), ..found }
    }
}

/// Checks every checkpoint of a file; the newest says most.
fn read_checkpoints(file: &Path, key: Option<PublicKey>) -> anyhow::Result<Known> {
    ensure!(std::fs::metadata(file)?.len() <= MAX_CHECKPOINTS, "it is too large");
    let mut known = Known { key, anchor: None };
    for (n, line) in (1..).zip(std::fs::read_to_string(file)?.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let read: Option<SignedCheckpoint> = serde_json::from_str(line).ok();
        let Some(signed) = read.and_then(|c| c.read()) else {
            bail!("line {n} is no checkpoint, as `steading audit export --checkpoints` writes them")
        };
        signed.check(known.key.get_or_insert(signed.key))?;
        let head = signed.checkpoint.head;
        let is_newer = known.anchor.is_none_or(|anchor| anchor.seq < head.seq);
        // What a cut is about is gone from the log.
        if signed.checkpoint.kind == CheckpointKind::Mark && is_newer {
            known.anchor = Some(head);
        }
    }
    ensure!(known.anchor.is_some(), "there is none in it");
    Ok(known)
}

fn say(ctx: &Context, found: &Verification) -> anyhow::Result<()> {
    if let Some(finding) = &found.finding {
        let wrong = ctx.out.paint(Paint::Bad, "The log is not as it was written:");
        return ctx.out.line(&format!("{wrong} {} {}", finding.what, finding.why));
    }
    let entries = match (found.first, found.last) {
        (_, 0) => "there are no entries yet".to_owned(),
        (1, last) => format!("entries 1 to {last}"),
        (first, last) => format!(
            "entries {first} to {last}; those before {first} were removed for their age, which is signed"
        ),
    };
    let good = ctx.out.paint(Paint::Good, "The log is as it was written:");
    ctx.out.line(&format!("{good} {entries}."))?;
    match found.anchored {
        Some(true) => ctx.out.line("It goes on from the checkpoint you gave.")?,
        Some(false) => {
            ctx.out.note("The checkpoint you gave is older than the log reaches: it says nothing.");
        }
        None => {}
    }
    ctx.out
        .line(&format!("{} checkpoints, signed with {}", found.checkpoints, found.public_key))?;
    ctx.out.line(&format!("hash of entry {}: {}", found.last, found.hash))
}
