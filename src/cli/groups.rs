//! `groups`: who is in which, and what each gives.

use super::args::organizations::{EditGroup, Groups, Shown};
use super::context::Context;
use super::table::Table;
use crate::wire::coder::organizations::{CreateGroup, Group, UpdateGroup};

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: Groups) -> anyhow::Result<()> {
    let client = ctx.client()?;
    match command {
        Groups::Create { name, shown, within } => {
            let Shown { display_name, avatar_url, quota_allowance } = shown;
            let group = CreateGroup {
                name,
                display_name: display_name.unwrap_or_default(),
                avatar_url: avatar_url.unwrap_or_default(),
                quota_allowance: quota_allowance.unwrap_or_default(),
            };
            let made = client.create_group(within.organization(), &group).await?;
            ctx.out.note(&format!("Created the group {}.", made.name));
            Ok(())
        }
        Groups::List { listing, within } => {
            let groups = client.groups(within.organization()).await?;
            ctx.out.list(&listing, &groups, || table(&groups))
        }
        Groups::Edit(args) => edit(ctx, args).await,
        Groups::Delete { name, within } => {
            let group = client.group(within.organization(), &name).await?;
            client.delete_group(group.id).await?;
            ctx.out.note(&format!("Deleted the group {}.", group.name));
            Ok(())
        }
    }
}

async fn edit(ctx: &Context, args: EditGroup) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let group = client.group(args.within.organization(), &args.group).await?;
    let change = UpdateGroup {
        add_users: args.add_users,
        remove_users: args.remove_users,
        name: args.name,
        display_name: args.shown.display_name,
        avatar_url: args.shown.avatar_url,
        quota_allowance: args.shown.quota_allowance,
    };
    if change == UpdateGroup::default() {
        anyhow::bail!("Nothing to change was given. `steading groups edit --help` lists it.");
    }
    let changed = client.update_group(group.id, &change).await?;
    ctx.out.note(&format!("Changed the group {}.", changed.name));
    Ok(())
}

fn table(groups: &[Group]) -> Table {
    let mut table = Table::new(&[
        "NAME",
        "DISPLAY NAME",
        "ORGANIZATION ID",
        "MEMBERS",
        "QUOTA ALLOWANCE",
        "AVATAR URL",
    ]);
    for group in groups {
        let members: Vec<&str> = group.members.iter().map(|m| m.username.as_str()).collect();
        table.row([
            &group.name,
            &group.display_name,
            &group.organization_id.to_string(),
            &members.join(", "),
            &group.quota_allowance.to_string(),
            &group.avatar_url,
        ]);
    }
    table
}
