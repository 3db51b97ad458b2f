//! `users invite` and `users invitations`: links by which people make their accounts.

use anyhow::{Context as _, bail};

use super::args::Format;
use super::args::people::{Invitations, Invite};
use super::context::Context;
use super::table::Table;
use super::times;
use crate::model::duration;
use crate::wire::invitations::{CreateInvitation, Invitation};

/// Makes an invitation and prints its link.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn invite(ctx: &Context, args: Invite) -> anyhow::Result<()> {
    let lifetime = args.lifetime.as_deref().map(duration::parse).transpose()?;
    let nanos = lifetime.map_or(0, |l| i64::try_from(l.as_nanos()).unwrap_or(i64::MAX));
    if lifetime.is_some_and(|l| l.is_zero()) {
        bail!("--lifetime wants more than nothing, such as 12h");
    }
    let Invite { email, roles, groups, .. } = args;
    let wanted = CreateInvitation { email, roles, groups, lifetime: nanos };
    let made = ctx.client()?.invite(&wanted).await?;
    let until = times::or_never(made.expires_at);
    ctx.out.note(&format!("Whoever has the link makes an account with it, once, until {until}."));
    ctx.out.line(&made.url)
}

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: Invitations) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let open = client.invitations().await?;
    match command {
        Invitations::List(listing) => ctx.out.list(&listing, &open, || table(&open)),
        Invitations::Revoke { invitation, listing } => {
            let found = find(&open, &invitation)?;
            client.revoke_invitation(found.id).await?;
            if listing.output == Format::Json {
                return ctx.out.json(found);
            }
            ctx.out.note(&format!("Revoked the invitation {invitation}."));
            Ok(())
        }
    }
}

/// The one that is meant: several may be for the same address.
fn find<'i>(open: &'i [Invitation], wanted: &str) -> anyhow::Result<&'i Invitation> {
    if let Some(found) = open.iter().find(|one| one.id.to_string() == wanted) {
        return Ok(found);
    }
    let mut named = open.iter().filter(|one| one.email.eq_ignore_ascii_case(wanted));
    let found = named.next().filter(|_| !wanted.is_empty()).with_context(|| {
        format!("There is no invitation {wanted:?}. `steading users invitations list` shows them.")
    })?;
    if named.next().is_some() {
        bail!("There are several invitations for {wanted}. Revoke each by its id.");
    }
    Ok(found)
}

fn table(open: &[Invitation]) -> Table {
    let mut table = Table::new(&["ID", "EMAIL", "ROLES", "GROUPS", "MADE BY", "EXPIRES AT"]);
    for one in open {
        table.row([
            &one.id.to_string(),
            &one.email,
            &one.roles.join(", "),
            &one.groups.join(", "),
            &one.made_by.username,
            &times::or_never(one.expires_at),
        ]);
    }
    table
}
