//! `access what-if`: what a change of a group or of roles would give and take.

use super::args::access::WhatIf as Args;
use super::context::Context;
use super::table::Table;
use crate::wire::what_if::{Outlook, WhatIf};

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, args: Args) -> anyhow::Result<()> {
    let asked = WhatIf {
        group: args.group.unwrap_or_default(),
        add_users: args.add,
        remove_users: args.remove,
        user: args.user.unwrap_or_default(),
        roles: args.roles,
        organization: args.organization.unwrap_or_default(),
    };
    let found = ctx.client()?.what_if(&asked).await?;
    ctx.out.list(&args.listing, &found, || table(&found))?;
    if found.changes.is_empty() && found.hidden == 0 {
        ctx.out.note("Nobody gains or loses a right on a workspace.");
    }
    if found.more > 0 {
        ctx.out.note(&format!("And on {} more.", found.more));
    }
    if found.hidden > 0 {
        ctx.out.note(&format!("And on {} that you may not know.", found.hidden));
    }
    Ok(())
}

fn table(found: &Outlook) -> Table {
    let mut table = Table::new(&["WORKSPACE", "WHO", "GAINS", "LOSES"]);
    for one in &found.changes {
        let (gains, loses) = (one.gained.join(" "), one.lost.join(" "));
        table.row([one.workspace.as_str(), &one.user, &gains, &loses]);
    }
    table
}
