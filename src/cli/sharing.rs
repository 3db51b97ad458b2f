//! `sharing`: who else may work in a workspace, and until when.

use std::collections::BTreeMap;

use anyhow::bail;

use super::args::sharing::{Add, Sharing, Whom};
use super::context::Context;
use super::table::Table;
use super::{prompt, times};
use crate::wire::coder::Time;
use crate::wire::coder::workspaces::Workspace;
use crate::wire::grants::{CreateGrants, Grant};

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: Sharing) -> anyhow::Result<()> {
    let client = ctx.client()?;
    match command {
        Sharing::Add(args) => add(ctx, args).await,
        Sharing::Remove { workspace, whom } => remove(ctx, &workspace, whom).await,
        Sharing::Status { workspace, listing } => {
            let workspace = find(ctx, &workspace).await?;
            let all = client.grants(workspace.id).await?;
            ctx.out.list(&listing, &all, || table(&all, ctx.clock.now_ms()))?;
            if all.is_empty() {
                ctx.out.note("It is shared with nobody. `steading sharing add` shares it.");
            }
            Ok(())
        }
        Sharing::Leave { workspace, yes } => {
            let workspace = find(ctx, &workspace).await?;
            let name = format!("{}/{}", workspace.owner_name, workspace.name);
            if !yes {
                prompt::confirm(&format!("Leave {name}?"))?;
            }
            client.leave(workspace.id).await?;
            ctx.out.note(&format!("Left {name}."));
            Ok(())
        }
    }
}

async fn find(ctx: &Context, name: &str) -> anyhow::Result<Workspace> {
    ctx.client()?.workspace(&name.parse()?).await
}

async fn add(ctx: &Context, args: Add) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = find(ctx, &args.workspace).await?;
    let base = CreateGrants {
        from: args.from,
        until: args.until,
        window: args.window,
        networks: args.networks,
        require_mfa: args.require_mfa,
        record: args.record,
        reason: args.reason,
        ..CreateGrants::default()
    };
    // Whoever gets the same is granted it at once.
    let mut asked: BTreeMap<Vec<String>, CreateGrants> = BTreeMap::new();
    for (named, kind) in all_of(&args.whom) {
        let (name, role) = split(named);
        let verbs = role.map_or_else(|| args.verbs.clone(), |role| vec![role.to_owned()]);
        if role.is_some() && !args.verbs.is_empty() {
            bail!("{named} names a role, and --verbs others: give one of them.");
        }
        let one = asked.entry(verbs).or_insert_with(|| base.clone());
        let to = match kind {
            "user" => &mut one.users,
            "rotation" => &mut one.rotations,
            _ => &mut one.groups,
        };
        to.push(name.to_owned());
    }
    for (verbs, new) in asked {
        client.share(workspace.id, &CreateGrants { verbs, ..new }).await?;
    }
    let all = client.grants(workspace.id).await?;
    ctx.out.list(&args.listing, &all, || table(&all, ctx.clock.now_ms()))
}

async fn remove(ctx: &Context, name: &str, whom: Whom) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = find(ctx, name).await?;
    let all = client.grants(workspace.id).await?;
    for (named, kind) in all_of(&whom) {
        let (name, _) = split(named);
        let is = |grant: &&Grant| {
            let by_name = grant.subject.name.eq_ignore_ascii_case(name);
            let of = if grant.subject.kind == "everyone" { "group" } else { &grant.subject.kind };
            of == kind && (by_name || grant.subject.id.to_string() == name)
        };
        let theirs: Vec<&Grant> = all.iter().filter(is).collect();
        if theirs.is_empty() {
            bail!("{} is not shared with {name}.", workspace.name);
        }
        for grant in theirs {
            client.unshare(workspace.id, grant.id).await?;
        }
        ctx.out.note(&format!("{} is no longer shared with {name}.", workspace.name));
    }
    Ok(())
}

/// Whom a command names, each with its kind.
fn all_of(whom: &Whom) -> impl Iterator<Item = (&str, &'static str)> {
    let users = whom.users.iter().map(|name| (name.as_str(), "user"));
    let groups = whom.groups.iter().map(|name| (name.as_str(), "group"));
    let rotations = whom.rotations.iter().map(|name| (name.as_str(), "rotation"));
    users.chain(groups).chain(rotations)
}

fn split(named: &str) -> (&str, Option<&str>) {
    named.split_once(':').map_or((named, None), |(name, role)| (name, Some(role)))
}

fn table(all: &[Grant], now_ms: i64) -> Table {
    let mut table =
        Table::new(&["USER", "GROUP", "ROLE", "FROM", "UNTIL", "LIMITS", "GRANTED BY", "REASON"]);
    for grant in all {
        let is_user = grant.subject.kind == "user";
        let name = |of_user| if is_user == of_user { grant.subject.name.as_str() } else { "" };
        let role =
            if grant.preset.is_empty() { grant.verbs.join(",") } else { grant.preset.clone() };
        let mut limits: Vec<String> = vec![grant.window.clone(), grant.networks.join(" ")];
        limits.extend(
            [(grant.require_mfa, "second factor"), (grant.record, "recorded")]
                .map(|(is_so, word)| if is_so { word.to_owned() } else { String::new() }),
        );
        if !grant.holds {
            limits.push("does not hold".to_owned());
        }
        limits.retain(|limit| !limit.is_empty());
        let by = grant.granted_by.as_ref().map(|user| user.username.as_str());
        let starts = if grant.from.0 > now_ms { grant.from } else { Time::default() };
        table.row([
            name(true),
            name(false),
            &role,
            &times::at(starts),
            &grant.until.map(times::at).unwrap_or_default(),
            &limits.join(", "),
            by.unwrap_or("the server"),
            &grant.reason,
        ]);
    }
    table
}
