//! `provisioner`: what the server's runners did and do.

use anyhow::Context as _;

use super::args::provisioner::{Jobs, Provisioner};
use super::client::segment;
use super::context::Context;
use super::table::Table;
use super::times;
use crate::wire::coder::Time;
use crate::wire::coder::jobs::ProvisionerJob;

/// Runs the command.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn run(ctx: &Context, command: Provisioner) -> anyhow::Result<()> {
    let Provisioner::Jobs(command) = command;
    let client = ctx.client()?;
    let place = |organization: &str| {
        format!("/api/v2/organizations/{}/provisionerjobs", segment(organization))
    };
    match command {
        Jobs::List { status, limit, within, listing } => {
            let limit = limit.to_string();
            let status = status.join(",");
            let query = [("limit", &*limit), ("status", &*status)];
            let found: Vec<ProvisionerJob> =
                client.query(&place(within.organization()), &query).await?;
            ctx.out.list(&listing, &found, || table(&found, ctx.clock.now_ms()))
        }
        Jobs::Cancel { job, within } => {
            let path = format!("{}/{job}", place(within.organization()));
            let found: ProvisionerJob = client.get(&path).await?;
            let of_version = found.input.template_version_id.map(|id| ("templateversions", id));
            let of_build = found.input.workspace_build_id.map(|id| ("workspacebuilds", id));
            let (kind, id) =
                of_build.or(of_version).context("The job is for nothing known here")?;
            client.cancel(&format!("/api/v2/{kind}/{id}/cancel")).await?;
            ctx.out.note("The job was asked to stop.");
            Ok(())
        }
    }
}

fn table(jobs: &[ProvisionerJob], now_ms: i64) -> Table {
    let usual = ["CREATED AT", "ID", "TYPE", "TEMPLATE", "WORKSPACE", "STATUS", "ERROR"];
    let more = [
        "TEMPLATE NAME",
        "TEMPLATE DISPLAY NAME",
        "TEMPLATE VERSION NAME",
        "WORKSPACE NAME",
        "WORKSPACE ID",
        "ORGANIZATION ID",
        "STARTED AT",
        "COMPLETED AT",
    ];
    let mut table = Table::with_more(&usual, &more);
    for job in jobs {
        let about = &job.metadata;
        let time = |at: Option<Time>| at.map(times::or_never).unwrap_or_default();
        table.row([
            &times::ago(job.created_at, now_ms),
            &job.id.to_string(),
            &job.r#type,
            &about.template_name,
            &about.workspace_name,
            &job.status,
            &job.error,
            &about.template_name,
            &about.template_display_name,
            &about.template_version_name,
            &about.workspace_name,
            &about.workspace_id.map(|id| id.to_string()).unwrap_or_default(),
            &job.organization_id.to_string(),
            &time(job.started_at),
            &time(job.completed_at),
        ]);
    }
    table
}
