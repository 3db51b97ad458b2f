//! `wake`: a machine that sleeps is woken by another on its network.

use super::api::workspaces::pick_agent;
use super::args::Format;
use super::args::machines::Wake;
use super::context::Context;
use super::reference::Reference;

/// Runs the command.
///
/// # Errors
/// When there is no such machine, nobody can wake it, or the server cannot be reached.
pub async fn run(ctx: &Context, args: Wake) -> anyhow::Result<()> {
    let reference: Reference = args.workspace.parse()?;
    let client = ctx.client()?;
    let workspace = client.workspace(&reference).await?;
    let name = &pick_agent(&workspace, reference.agent.as_deref())?.name;
    let told = client.wake(workspace.id, name).await?;
    match args.output {
        Format::Json => ctx.out.json(&told),
        Format::Table => {
            let server = if told.by_server { "the server" } else { "" };
            let others = match told.senders {
                0 => String::new(),
                1 => "a machine there".to_owned(),
                n => format!("{n} machines there"),
            };
            let by: Vec<&str> = [server, &others].into_iter().filter(|by| !by.is_empty()).collect();
            ctx.out.note(&format!(
                "Called {} on {}, by {}. It usually takes a minute or two; `steading health {}` shows when \
                 it is here.",
                told.cards.join(", "),
                told.networks.join(" and "),
                by.join(" and "),
                workspace.name,
            ));
            Ok(())
        }
    }
}
