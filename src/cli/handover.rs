//! `handover`: a workspace becomes another's.

use super::args::Format;
use super::args::workspaces::Handover as Args;
use super::context::Context;
use super::prompt;
use crate::wire::handover::{HandedOver, Handover};

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, args: Args) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = client.workspace(&args.workspace.parse()?).await?;
    let asked = Handover { to: args.to, end_grants: args.end_grants };
    if args.dry_run || !args.yes {
        let would = client.try_handover(workspace.id, &asked).await?;
        if args.dry_run && args.listing.output == Format::Json {
            return ctx.out.json(&would);
        }
        for line in said(&would) {
            ctx.out.note(&line);
        }
        if args.dry_run {
            return Ok(());
        }
        prompt::confirm(&format!("Hand {} over to {}?", would.name, would.to))?;
    }
    let done = client.hand_over(workspace.id, &asked).await?;
    if args.listing.output == Format::Json {
        return ctx.out.json(&done);
    }
    ctx.out.note(&format!("{}/{} is now {}/{}.", done.from, done.name, done.to, done.name));
    Ok(())
}

/// What changes, a sentence each.
fn said(done: &HandedOver) -> Vec<String> {
    let HandedOver { from, to, name, .. } = done;
    let mut lines =
        vec![format!("{from}/{name} becomes {to}/{name}; its addresses change with it.")];
    lines.push(match done.stays.as_slice() {
        [] => format!("{from} has nothing there any more; what they have open ends."),
        verbs => format!("{from} may still {} it.", verbs.join(", ")),
    });
    if !done.responsible.is_empty() {
        lines.push(format!("{} answers for {to}.", done.responsible));
    }
    lines.push(match (done.grants_kept, done.grants_ended) {
        (0, 0) => "Nothing was granted on it.".to_owned(),
        (kept, 0) => format!("What was granted on it stands: {kept}."),
        (_, ended) => format!("What was granted on it ends: {ended}."),
    });
    if done.codes_lost > 0 {
        lines.push(format!("Share codes that give nothing any more: {}.", done.codes_lost));
    }
    if done.restarts {
        lines.push(format!("It restarts: its agents get new tokens, and {to}'s names."));
    }
    lines
}
