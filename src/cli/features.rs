//! `features`: what of Coder's paid features the server has.

use super::args::provisioner::Features;
use super::context::Context;
use super::table::Table;
use crate::wire::coder::deployment::Entitlements;

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached.
pub async fn run(ctx: &Context, command: Features) -> anyhow::Result<()> {
    let Features::List(listing) = command;
    let client = ctx.client()?;
    let all: Entitlements = client.get("/api/v2/entitlements").await?;
    ctx.out.list(&listing, &all, || {
        let mut table = Table::new(&["NAME", "ENTITLEMENT", "ENABLED"]);
        for (name, feature) in &all.features {
            let enabled = if feature.enabled { "true" } else { "false" };
            table.row([name, &feature.entitlement, enabled]);
        }
        table
    })
}
