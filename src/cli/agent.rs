//! `agent`: the role that runs on a workspace's machine.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, bail};

use super::args::connect::Agent;
use super::context::{Context, read_url};
use crate::agent;
use crate::net::dial::Dialer;
use crate::net::proxy::Proxies;

/// Runs the agent until it is told to stop.
///
/// # Errors
/// When it is not told where to connect and as whom, or cannot be set up.
pub async fn run(ctx: &Context, args: Agent) -> anyhow::Result<()> {
    if args.auth != "token" {
        bail!("This agent proves itself by token only; {:?} is not supported.", args.auth);
    }
    let url = args.agent_url.or_else(|| ctx.globals.url.clone());
    let url = read_url(&url.context("No server is named. Set CODER_AGENT_URL.")?)?;
    let token = match (args.agent_token, args.agent_token_file) {
        (Some(token), _) => token,
        (None, Some(file)) => std::fs::read_to_string(&file)
            .with_context(|| format!("Reading the agent's token in {}", file.display()))?,
        (None, None) => bail!("No token is given. Set CODER_AGENT_TOKEN."),
    };
    let token = token.trim().to_owned();
    let state_dir = args.dir.unwrap_or_else(|| ctx.around.state_dir_of_agent(&token));
    // An agent that cannot use its proxy may still have a straight way; one that ends has none.
    let proxies = ctx.around.proxies().unwrap_or_else(|error| {
        tracing::warn!(%error, "connecting without a proxy");
        Proxies::default()
    });
    let options = agent::Options {
        url,
        token,
        state_dir,
        binary: std::env::current_exe().context("Finding this program")?,
        environment: super::args::whole_environment(),
        bind: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        dialer: Dialer::new(proxies),
    };
    agent::run(options, ctx.clock.clone(), ctx.entropy.clone()).await
}
