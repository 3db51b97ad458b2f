//! `reset-password`.
use super::args::serve::ResetPassword;
use super::context::Context;
pub async fn run(ctx: &Context, args: ResetPassword) -> anyhow::Result<()> {
    let _ = (ctx, args);
    std::future::ready(()).await;
    Ok(())
}
