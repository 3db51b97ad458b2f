//! `agent install` and `agent uninstall` where there is no such service yet.

use anyhow::bail;

use super::args::agent::{Agent, Install, Uninstall};
use super::context::Context;

/// Says what to do instead.
///
/// # Errors
/// Always.
pub fn install(_: &Context, _: Agent, _: &Install) -> anyhow::Result<()> {
    bail!(
        "The agent cannot make itself a service of Windows yet. Have the task scheduler start \
         `steading agent`, with CODER_AGENT_URL and CODER_AGENT_TOKEN set for its account."
    )
}

/// Says that there is none.
///
/// # Errors
/// Always.
pub fn uninstall(_: &Context, _: &Uninstall) -> anyhow::Result<()> {
    bail!("There is no service of the agent on Windows.")
}
