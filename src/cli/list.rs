//! `list` and `show`: workspaces, and what one of them is made of.

use super::api::workspaces::agents;
use super::args::workspaces::{List, Show};
use super::context::Context;
use super::output::{Output, Paint};
use super::reference::Reference;
use super::table::Table;
use super::times;
use crate::model::build::WorkspaceStatus;
use crate::wire::coder::Time;
use crate::wire::coder::workspaces::Workspace;

/// `list`
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn list(ctx: &Context, args: List) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let filter = match (args.all, args.shared) {
        (_, true) => format!("shared_with_user:{}", client.user("me").await?.id),
        (true, false) if args.search == "owner:me" => String::new(),
        _ => args.search.clone(),
    };
    let mut workspaces = client.workspaces(&filter).await?;
    workspaces.sort_by_key(|w| !w.favorite);
    let now = ctx.clock.now_ms();
    ctx.out.list(&args.listing, &workspaces, || table(&workspaces, now))?;
    if workspaces.is_empty() {
        ctx.out.note("No workspace is found. `steading create` makes one.");
    }
    Ok(())
}

/// A table of workspaces.
#[must_use]
pub fn table(workspaces: &[Workspace], now_ms: i64) -> Table {
    let usual = [
        "WORKSPACE",
        "TEMPLATE",
        "STATUS",
        "HEALTHY",
        "LAST BUILT",
        "CURRENT VERSION",
        "OUTDATED",
        "STARTS AT",
        "STOPS AFTER",
    ];
    let more = [
        "FAVORITE",
        "ORGANIZATION ID",
        "ORGANIZATION NAME",
        "STARTS NEXT",
        "STOPS NEXT",
        "DAILY COST",
    ];
    let mut table = Table::with_more(&usual, &more);
    for w in workspaces {
        let build = &w.latest_build;
        let runs = build.status == WorkspaceStatus::Running.as_str();
        let ttl = w.ttl_ms.and_then(|ms| u64::try_from(ms).ok()).filter(|ms| *ms > 0);
        let ttl = ttl.map(|ms| crate::model::time::words(std::time::Duration::from_millis(ms)));
        let next = |at: Option<Time>| at.map(times::or_never).unwrap_or_default();
        table.row([
            &format!("{}/{}", w.owner_name, w.name),
            &w.template_name,
            &build.status,
            if runs { yes_no(w.health.healthy) } else { "" },
            &times::ago(build.created_at, now_ms),
            &build.template_version_name,
            yes_no(w.outdated),
            w.autostart_schedule.as_deref().unwrap_or_default(),
            &ttl.unwrap_or_default(),
            yes_no(w.favorite),
            &w.organization_id.to_string(),
            &w.organization_name,
            &next(w.next_start_at),
            &next(build.deadline),
            &build.daily_cost.to_string(),
        ]);
    }
    table
}

const fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// `show`
///
/// # Errors
/// When there is no such workspace, or the server cannot be reached.
pub async fn show(ctx: &Context, args: Show) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = client.workspace(&args.workspace.parse::<Reference>()?).await?;
    let mut table = Table::new(&["RESOURCE", "AGENT", "STATUS", "SCRIPTS", "VERSION", "ACCESS"]);
    for resource in workspace.latest_build.resources.iter().filter(|r| !r.hide) {
        let name = format!("{}.{}", resource.r#type, resource.name);
        if resource.agents.is_empty() {
            table.row([&name, "", "", "", "", ""]);
        }
        for agent in &resource.agents {
            let alone = agents(&workspace).count() == 1;
            let reference = Reference {
                owner: workspace.owner_name.clone(),
                workspace: workspace.name.clone(),
                agent: (!alone).then(|| agent.name.clone()),
            };
            let access = format!("steading ssh {reference}");
            let state = &agent.lifecycle_state;
            table.row([&name, &agent.name, &agent.status, state, &agent.version, &access]);
        }
    }
    if args.listing.output == super::args::Format::Table {
        heading(&ctx.out, &workspace)?;
    }
    ctx.out.list(&args.listing, &workspace, || table)
}

fn heading(out: &Output, w: &Workspace) -> anyhow::Result<()> {
    let build = &w.latest_build;
    let paint = match WorkspaceStatus::from_word(&build.status) {
        Some(WorkspaceStatus::Running) => Paint::Good,
        Some(WorkspaceStatus::Failed) => Paint::Bad,
        _ => Paint::Busy,
    };
    out.line(&format!(
        "{}/{} is {}: build {} ({}), template {} version {}{}",
        w.owner_name,
        w.name,
        out.paint(paint, &build.status),
        build.build_number,
        build.transition,
        w.template_name,
        build.template_version_name,
        if w.outdated { ", outdated" } else { "" },
    ))
}
