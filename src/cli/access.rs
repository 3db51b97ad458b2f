//! `access`: who reaches what, why, and what should be asked about it.

use super::args::access::{Access, Review};
use super::context::Context;
use super::table::Table;
use super::{charter, prompt, times, what_if};
use crate::model::csv;
use crate::wire::coder::Time;
use crate::wire::grants::{AccessReason, Grant, ReviewedGrant};

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: Access) -> anyhow::Result<()> {
    let client = ctx.client()?;
    match command {
        Access::Review(args) => review(ctx, args).await,
        Access::Explain { user, workspace, listing } => {
            let workspace = client.workspace(&workspace.parse()?).await?;
            let all = client.explain_access(workspace.id, &user).await?;
            ctx.out.list(&listing, &all, || reasons(&all))?;
            if all.is_empty() {
                let (owner, name) = (&workspace.owner_name, &workspace.name);
                ctx.out.note(&format!("{user} does not reach {owner}/{name}."));
            }
            Ok(())
        }
        Access::Revoke { grants, yes } => {
            let n = grants.len();
            if !yes {
                prompt::confirm(&format!("Take back {n} grants?"))?;
            }
            client.revoke_grants(grants).await?;
            ctx.out.note(&format!("Took back {n}."));
            Ok(())
        }
        Access::WhatIf(args) => what_if::run(ctx, args).await,
        Access::Charter(command) => charter::run(ctx, command).await,
        Access::SignOff { note } => {
            client.sign_off_access(note).await?;
            ctx.out.note("Signed off. The audit log keeps it.");
            Ok(())
        }
    }
}

async fn review(ctx: &Context, args: Review) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let marked = [
        (args.stale, "stale"),
        (args.no_end, "endless"),
        (args.departed, "departed"),
        (args.wider, "wider"),
    ];
    let show = marked.iter().find(|(is_so, _)| *is_so).map_or("all", |(_, word)| word);
    let all = client.access_review(show, &args.search).await?;
    if args.csv {
        let mut text = csv::line(&HEADS);
        for one in &all {
            let cells = cells(one);
            text.push_str(&csv::line(&cells.each_ref().map(String::as_str)));
        }
        return ctx.out.bytes(text.as_bytes());
    }
    ctx.out.list(&args.listing, &all, || {
        let mut table = Table::new(&HEADS);
        for one in &all {
            table.row(cells(one).each_ref().map(String::as_str));
        }
        table
    })?;
    if all.is_empty() {
        ctx.out.note("Nothing is granted that you may look at, or that fits.");
    }
    Ok(())
}

const HEADS: [&str; 11] = [
    "WORKSPACE",
    "WHO",
    "MAY",
    "FROM",
    "UNTIL",
    "LIMITS",
    "GRANTED BY",
    "LAST USED",
    "CONCERNS",
    "REASON",
    "GRANT",
];

fn cells(one: &ReviewedGrant) -> [String; 11] {
    let grant = &one.grant;
    let concerns = [
        (one.stale, "unused for 90 days"),
        (grant.until.is_none(), "no end"),
        (one.departed, "granter departed"),
        (!grant.holds, "does not hold"),
    ];
    let concerns = concerns.into_iter().filter(|(is_so, _)| *is_so).map(|(_, words)| words);
    let wider = one.wider.iter().map(String::as_str);
    let concerns = concerns.chain(wider);
    let by = grant.granted_by.as_ref().map(|user| user.username.clone());
    [
        one.workspace.clone(),
        grant.subject.name.clone(),
        may(grant),
        times::at(grant.from),
        grant.until.map(times::at).unwrap_or_default(),
        limits(&grant.window, &grant.networks, grant.require_mfa),
        by.unwrap_or_else(|| "the server".to_owned()),
        times::or_never(one.last_used_at.unwrap_or_default()),
        concerns.collect::<Vec<_>>().join(", "),
        grant.reason.clone(),
        grant.id.to_string(),
    ]
}

fn may(grant: &Grant) -> String {
    if grant.preset.is_empty() { grant.verbs.join(" ") } else { grant.preset.clone() }
}

fn limits(window: &str, networks: &[String], mfa: bool) -> String {
    let mut all = vec![window.to_owned(), networks.join(" ")];
    all.push(if mfa { "second factor".to_owned() } else { String::new() });
    all.retain(|limit| !limit.is_empty());
    all.join(", ")
}

fn reasons(all: &[AccessReason]) -> Table {
    let mut table = Table::new(&["REASON", "MAY", "WHY", "FROM", "UNTIL", "LIMITS", "CLOSED"]);
    for one in all {
        let at = |time: Option<Time>| time.map(times::at).unwrap_or_default();
        table.row([
            &one.reason,
            &one.verbs.join(" "),
            &one.said,
            &at(one.from),
            &at(one.until),
            &limits(&one.window, &one.networks, one.require_mfa),
            &one.closed,
        ]);
    }
    table
}
