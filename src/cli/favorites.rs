//! `favorite` and `unfavorite`: workspaces that lists show first.

use super::args::workspaces::Favorites;
use super::context::Context;
use super::reference::Reference;

/// Runs the command.
///
/// # Errors
/// When there is no such workspace, or the server cannot be reached.
pub async fn run(ctx: &Context, command: Favorites) -> anyhow::Result<()> {
    let (args, is_one) = match command {
        Favorites::Favorite(args) => (args, true),
        Favorites::Unfavorite(args) => (args, false),
    };
    let client = ctx.client()?;
    let found = client.workspace(&args.workspace.parse::<Reference>()?).await?;
    client.set_favorite(found.id, is_one).await?;
    let name = &args.workspace;
    ctx.out.note(&match is_one {
        true => format!("{name} comes first in lists."),
        false => format!("{name} is in its place in lists."),
    });
    Ok(())
}
