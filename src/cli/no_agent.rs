//! `agent` and `stat` where there is no agent yet.

use anyhow::bail;

use super::args::agent::Agent;
use super::args::inside::Stat;
use super::context::Context;

/// Says that there is none.
///
/// # Errors
/// Always.
#[expect(clippy::unused_async, reason = "elsewhere it waits")]
pub async fn run(_: &Context, _: Agent) -> anyhow::Result<()> {
    bail!("An agent does not run on Windows yet. In WSL it does, as on any Linux.")
}

/// Says that there is none.
///
/// # Errors
/// Always.
#[expect(clippy::unused_async, reason = "elsewhere it waits")]
pub async fn stat(_: &Context, _: Stat) -> anyhow::Result<()> {
    bail!("There is no workspace on Windows yet whose use could be shown.")
}
