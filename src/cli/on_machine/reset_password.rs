//! `reset-password`: a new password, set on the server's own machine for who has lost theirs.

use anyhow::Context as _;

use super::{new_password, open};
use crate::cli::args::serve::ResetPassword;
use crate::cli::context::Context;
use crate::server::app::{Actor, Error};

/// Runs the command.
///
/// # Errors
/// When there is no such database or user, or the password does not fit.
pub async fn run(ctx: &Context, args: ResetPassword) -> anyhow::Result<()> {
    let app = open(ctx, args.place).await?;
    let password = new_password(args.password_stdin, "The new password")?;
    app.reset_password(&args.username, &password)
        .await
        .with_context(|| format!("Setting the password of {:?}", args.username))?;
    ctx.out.note(&format!("{} has a new password; their sessions have ended.", args.username));
    if args.remove_factors {
        match app.remove_factors(&Actor::System, &args.username).await {
            Ok(_) => ctx.out.note("Their second factors are removed."),
            Err(Error::Conflict(why)) => ctx.out.note(&format!("{why}.")),
            Err(other) => return Err(other).context("Removing the second factors"),
        }
    }
    Ok(())
}
