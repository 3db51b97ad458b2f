//! `up`.
use super::args::serve::Up;
use super::context::Context;
pub async fn run(ctx: &Context, args: Up, matches: &clap::ArgMatches) -> anyhow::Result<()> {
    let _ = (ctx, args, matches);
    std::future::ready(()).await;
    Ok(())
}
