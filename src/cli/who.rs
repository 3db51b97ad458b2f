//! `who`: who is in which workspace now.

use super::args::workspaces::WhoArgs;
use super::context::Context;
use super::table::Table;
use super::times;
use crate::wire::presence::{Presence, Present};

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, args: WhoArgs) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let Present { sessions: all, more } = match &args.workspace {
        Some(name) => {
            let workspace = client.workspace(&name.parse()?).await?;
            client.presence(Some(workspace.id)).await?
        }
        None => client.presence(None).await?,
    };
    ctx.out.list(&args.listing, &all, || table(&all, ctx.clock.now_ms()))?;
    if all.is_empty() {
        ctx.out.note("Nobody is in a workspace that you may see.");
    }
    if more > 0 {
        ctx.out.note(&format!("And {more} more. Name a workspace to see fewer."));
    }
    Ok(())
}

fn table(all: &[Presence], now_ms: i64) -> Table {
    let mut table =
        Table::new(&["USER", "WORKSPACE", "AGENT", "THROUGH", "DOING", "SINCE", "FROM", "CLIENT"]);
    for one in all {
        table.row([
            &one.user.username,
            &one.workspace,
            &one.agent,
            &one.through,
            &doing(one),
            &times::ago(one.since, now_ms),
            &one.address,
            &one.client,
        ]);
    }
    table
}

/// What someone does just now, in a word or two.
fn doing(one: &Presence) -> String {
    match (one.doing.as_str(), one.idle_s / 60) {
        ("idle", 0) => "here".to_owned(),
        ("idle", minutes) => format!("idle {minutes} min"),
        (word, _) => word.to_owned(),
    }
}
